"""Arrays as PostgreSQL reads them in binary: one dimension, made at once instead of value by value.

`psycopg` finds out the type of each element anew; with a thousand rows a statement that was a quarter of a
worker's time. Here the statement has told the type.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.pq import Format

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NULL = b"\xff\xff\xff\xff"
_HEADER = struct.Struct(
    ">iiIii"
)  # dimensions, has nulls, type of the elements, how many, counted from
_FOUR = struct.Struct(">i")
_EIGHT = struct.Struct(">q")


Column = list[Any]


def _uuids(values: Column) -> list[bytes]:
    return [value.bytes for value in values]


def _texts(values: Column) -> list[bytes]:
    encoded = [value.encode() for value in values]
    if b"\x00" in b"".join(encoded):  # as psycopg: PostgreSQL's text holds none
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return encoded


def _jsons(values: Column) -> list[bytes]:
    return [b"\x01" + value.encode() for value in values]  # the version of the format


def _moments(values: Column) -> list[bytes]:
    return [_EIGHT.pack((value - _EPOCH) // _MICROSECOND) for value in values]


# PostgreSQL's numbers of the element's type and of its array, and how the elements are written.
_TYPES: dict[str, tuple[int, int, Callable[[Column], list[bytes]]]] = {
    "uuid": (2950, 2951, _uuids),
    "text": (25, 1009, _texts),
    "jsonb": (3802, 3807, _jsons),
    "bytea": (17, 1001, lambda values: values),
    "int4": (23, 1007, lambda values: [_FOUR.pack(value) for value in values]),
    "int8": (20, 1016, lambda values: [_EIGHT.pack(value) for value in values]),
    "bool": (16, 1000, lambda values: [b"\x01" if value else b"\x00" for value in values]),
    "timestamptz": (1184, 1185, _moments),
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """An array that is ready to be sent."""

    body: bytes


class _Ready(Dumper):
    format = Format.BINARY

    def dump(self, obj: Encoded) -> bytes:
        return obj.body


# A class of its own for each type, by which psycopg knows which type it is.
_READY: dict[str, type[Encoded]] = {
    kind: type(f"Encoded_{kind}", (Encoded,), {"__slots__": ()}) for kind in _TYPES
}


def register(adapters: AdaptersMap) -> None:
    """Let the connections that are made with these adapters know how arrays are sent."""
    for kind, array in _READY.items():
        dumper = type(f"_Ready_{kind}", (_Ready,), {"oid": _TYPES[kind][1]})
        adapters.register_dumper(array, dumper)


def is_known(kind: str) -> bool:
    return kind in _TYPES


def encode(kind: str, values: Iterable[Any]) -> Encoded:
    """`kind[]`, nulls included. The text of a `jsonb` is taken as it is."""
    number, _, write = _TYPES[kind]
    column = list(values)
    there = [value for value in column if value is not None]
    written = write(there)
    lengths = [_FOUR.pack(len(one)) for one in written]
    parts = [part for pair in zip(lengths, written, strict=True) for part in pair]
    has_nulls = len(there) < len(column)
    if has_nulls:
        pairs = zip(lengths, written, strict=True)
        parts = [_NULL if value is None else b"".join(next(pairs)) for value in column]
    header = _HEADER.pack(1, int(has_nulls), number, len(column), 1)
    return _READY[kind](header + b"".join(parts))
