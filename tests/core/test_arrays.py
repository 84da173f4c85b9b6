"""Arrays that are sent in binary come back as they were."""

import struct
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import psycopg
import pytest

from aerostic.core import arrays, bulk
from aerostic.core.database import psycopg_url

EARLY = datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
ELSEWHERE = datetime(2026, 11, 23, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=5.5)))
VALUES = {
    "uuid": [UUID(int=0), None, UUID(int=2**128 - 1)],
    "text": ["", "naïve 🙂", None, "a" * 70_000],
    "bytea": [b"", b"\x00\xff", None],
    "int4": [-(2**31), 0, None, 2**31 - 1],
    "int8": [-(2**63), None, 2**63 - 1],
    "bool": [True, False, None],
    "timestamptz": [EARLY, ELSEWHERE, None],
}


@pytest.mark.parametrize("kind", VALUES)
def test_every_type_comes_back_as_it_was(kind):
    assert sent(kind, VALUES[kind]) == VALUES[kind]
    assert sent(kind, []) == []


def test_json_is_taken_as_it_is_written():
    assert sent("jsonb", ['{"a": "\u00fc"}', None, "[1]"]) == [{"a": "ü"}, None, [1]]


def test_text_with_a_nul_is_refused_before_it_leaves():
    with pytest.raises(psycopg.DataError):
        arrays.encode("text", ["a\x00b"])


def test_a_number_that_is_too_large_is_refused_before_it_leaves():
    with pytest.raises(struct.error):
        arrays.encode("int4", [2**31])


def sent(kind, values):
    with psycopg.connect(psycopg_url()) as connection:
        cursor = connection.cursor()
        bulk.run(cursor, f"select %b::{kind}[]", values)
        return cursor.fetchone()[0]
