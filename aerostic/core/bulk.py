"""Thousands of rows in one statement: arrays in, `unnest`, rows out.

The statement's text depends on the table and columns only, so PostgreSQL plans it once per connection.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import psycopg

from aerostic.core import arrays

Columns = tuple[tuple[str, str], ...]  # name and PostgreSQL type


def columns(**types: str) -> Columns:
    """`columns(id="uuid", text="text")`."""
    return tuple(types.items())


@cache
def _arrays(these: Columns) -> str:
    placeholders = ", ".join(f"%b::{kind}[]" for _, kind in these)
    return f"unnest({placeholders}) as given ({', '.join(name for name, _ in these)})"


@cache
def _insert(table: str, these: Columns, constants: tuple[tuple[str, str], ...], tail: str) -> str:
    names = ["tenant_id", *(name for name, _ in these), *(name for name, _ in constants)]
    values = [
        "%b::uuid",
        *(f"given.{name}" for name, _ in these),
        *(value for _, value in constants),
    ]
    return (
        f"insert into {table} ({', '.join(names)})"  # noqa: S608 - names of our own, values as parameters
        f" select {', '.join(values)} from {_arrays(these)} {tail}"
    )


def insert(
    cursor: psycopg.Cursor[Any],
    table: str,
    these: Columns,
    rows: Sequence[Sequence[Any]],
    *,
    tenant_id: object,
    constants: Mapping[str, str] | None = None,
    tail: str = "on conflict do nothing",
) -> None:
    """Insert rows of one tenant. `constants` are SQL, the same for each row; `tail` may return columns."""
    if rows:
        statement = _insert(table, these, tuple((constants or {}).items()), tail)
        run(cursor, statement, tenant_id, *zip(*rows, strict=True))


@cache
def statement(text: str, these: Columns) -> str:
    """The text with `{given}` as the rows that `run` is handed, one array a column."""
    return text.replace("{given}", _arrays(these))


@cache
def document_statement(text: str, these: Columns) -> str:
    """The text with `{given}` as the rows of one `arrays.Document`: a list of objects with these names."""
    named = ", ".join(f"{name} {kind}" for name, kind in these)
    return text.replace("{given}", f"json_to_recordset(%b::json) as given ({named})")


def run(cursor: psycopg.Cursor[Any], statement: str, *values: Any) -> None:
    """Execute; what is iterable and no text goes as an array."""
    kinds = _kinds(statement)
    given = [_given(kind, value) for kind, value in zip(kinds, values, strict=True)]
    cursor.execute(cast(Any, statement), given, prepare=True)


_PLACEHOLDER = re.compile(r"%[bst](?:::(\w+)(\[\])?)?")


@cache
def _kinds(statement: str) -> list[str]:
    """The element's type of each placeholder that is an array of a type we can write, else nothing."""
    found = _PLACEHOLDER.findall(statement.replace("%%", ""))
    return [kind if many and arrays.is_known(kind) else "" for kind, many in found]


def _given(kind: str, value: Any) -> Any:
    if kind:
        return arrays.encode(kind, value)
    return list(value) if _is_many(value) else value


def _is_many(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes))
