"""Arrays as PostgreSQL reads them in binary: one dimension, made at once instead of value by value.

`psycopg` finds out the type of each element anew; with a thousand rows a statement that was a quarter of a
worker's time. Here the statement has told the type.
"""

import struct
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.pq import Format

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Each element stands behind its length; what is null has none.
_NULL = b"\xff\xff\xff\xff"
_LENGTH = struct.Struct(">i").pack
_FOUR = struct.Struct(">ii").pack
_EIGHT = struct.Struct(">iq").pack
# Dimensions, has nulls, type of the elements, how many, counted from.
_HEADER = struct.Struct(">iiIii").pack

Column = list[Any]


def _uuids(column: Column) -> list[bytes]:
    return [_NULL if one is None else b"\x00\x00\x00\x10" + one.bytes for one in column]


def _texts(column: Column) -> list[bytes]:
    bodies = [None if one is None else one.encode() for one in column]
    if b"\x00" in b"".join(filter(None, bodies)):  # as psycopg: PostgreSQL's text holds none
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return _byteas(bodies)


def _byteas(column: Column) -> list[bytes]:
    return [_NULL if one is None else _LENGTH(len(one)) + one for one in column]


def _jsons(column: Column) -> list[bytes]:
    version = b"\x01"  # of the format
    return _byteas([None if one is None else version + one.encode() for one in column])


def _moments(column: Column) -> list[bytes]:
    return [_NULL if one is None else _EIGHT(8, (one - _EPOCH) // _MICROSECOND) for one in column]


def _int4s(column: Column) -> list[bytes]:
    return [_NULL if one is None else _FOUR(4, one) for one in column]


def _int8s(column: Column) -> list[bytes]:
    return [_NULL if one is None else _EIGHT(8, one) for one in column]


def _bools(column: Column) -> list[bytes]:
    written = {None: _NULL, True: b"\x00\x00\x00\x01\x01", False: b"\x00\x00\x00\x01\x00"}
    return [written[one] for one in column]


# PostgreSQL's numbers of the element's type and of its array, and how the elements are written.
_TYPES: dict[str, tuple[int, int, Callable[[Column], list[bytes]]]] = {
    "uuid": (2950, 2951, _uuids),
    "text": (25, 1009, _texts),
    "jsonb": (3802, 3807, _jsons),
    "bytea": (17, 1001, _byteas),
    "int4": (23, 1007, _int4s),
    "int8": (20, 1016, _int8s),
    "bool": (16, 1000, _bools),
    "timestamptz": (1184, 1185, _moments),
}


class Encoded(bytes):
    """An array that is ready to be sent."""

    __slots__ = ()


class Document(Encoded):
    """JSON that is ready to be sent: for few rows of many columns, where arrays are many and short."""

    __slots__ = ()


class _Ready(Dumper):
    format = Format.BINARY

    def dump(self, obj: Encoded) -> bytes:
        return obj


class _ReadyDocument(_Ready):
    oid = 114


# A class of its own for each type, by which psycopg knows which type it is.
_READY: dict[str, type[Encoded]] = {
    kind: type(f"Encoded_{kind}", (Encoded,), {"__slots__": ()}) for kind in _TYPES
}


def register(adapters: AdaptersMap) -> None:
    """Let the connections that are made with these adapters know how arrays are sent."""
    for kind, array in _READY.items():
        dumper = type(f"_Ready_{kind}", (_Ready,), {"oid": _TYPES[kind][1]})
        adapters.register_dumper(array, dumper)
    adapters.register_dumper(Document, _ReadyDocument)


def is_known(kind: str) -> bool:
    return kind in _TYPES


def encode(kind: str, values: Iterable[Any]) -> Encoded:
    """`kind[]`, nulls included. The text of a `jsonb` is taken as it is."""
    number, _, write = _TYPES[kind]
    elements = write(list(values))
    header = _HEADER(1, int(_NULL in elements), number, len(elements), 1)
    return _READY[kind](header + b"".join(elements))
