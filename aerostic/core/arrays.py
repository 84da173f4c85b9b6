"""Arrays as PostgreSQL reads them in binary: one dimension, made at once instead of value by value.

`psycopg` finds out the type of each element anew; with a thousand rows a statement that was a quarter of a
worker's time. Here the statement has told the type.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
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
_LENGTH = struct.Struct(">i")


def _fixed(length: int, encode: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    prefix = _LENGTH.pack(length)
    return lambda value: prefix + encode(value)


def _variable(encode: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def element(value: Any) -> bytes:
        encoded = encode(value)
        return _LENGTH.pack(len(encoded)) + encoded

    return element


def _text(value: str) -> bytes:
    # As psycopg: PostgreSQL's text holds no NUL.
    encoded = value.encode()
    if b"\x00" in encoded:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return encoded


def _jsonb(value: str) -> bytes:
    return b"\x01" + value.encode()  # the version of the format


def _moment(value: datetime) -> bytes:
    return ((value - _EPOCH) // _MICROSECOND).to_bytes(8, "big", signed=True)


# PostgreSQL's numbers of the element's type and of its array, and how one element is written.
_TYPES: dict[str, tuple[int, int, Callable[[Any], bytes]]] = {
    "uuid": (2950, 2951, _fixed(16, lambda value: value.bytes)),
    "text": (25, 1009, _variable(_text)),
    "jsonb": (3802, 3807, _variable(_jsonb)),
    "bytea": (17, 1001, _variable(bytes)),
    "int4": (23, 1007, _fixed(4, lambda value: value.to_bytes(4, "big", signed=True))),
    "int8": (20, 1016, _fixed(8, lambda value: value.to_bytes(8, "big", signed=True))),
    "bool": (16, 1000, _fixed(1, lambda value: b"\x01" if value else b"\x00")),
    "timestamptz": (1184, 1185, _fixed(8, _moment)),
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
    number, _, element = _TYPES[kind]
    parts: Sequence[bytes] = [_NULL if value is None else element(value) for value in values]
    header = _HEADER.pack(1, int(_NULL in parts), number, len(parts), 1)
    return _READY[kind](header + b"".join(parts))
