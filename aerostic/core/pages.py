"""Pages by key: the next one starts after the last row of this one, however many rows arrive between.

A cursor is opaque to its holder: a page makes it, the next call hands it back unchanged.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from aerostic.core.errors import Invalid

T = TypeVar("T")

Cursor = str
LARGEST_PAGE = 200

_READERS: dict[type, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    UUID: UUID,
    int: int,
    str: str,
}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and where the next ones begin; None: these were the last."""

    items: list[T]
    next_cursor: Cursor | None = None


def cursor_of(*key: datetime | UUID | int | str) -> Cursor:
    """The place of a row in its order, as text."""
    parts = [part.isoformat() if isinstance(part, datetime) else str(part) for part in key]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read_cursor(cursor: Cursor, *kinds: type) -> tuple[Any, ...]:
    """The key that `cursor_of` was given. Raises Invalid for what it never made."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        key = tuple(_read(kind, part) for kind, part in zip(kinds, parts, strict=True))
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _not_ours() from error
    return key


def _read(kind: type, part: object) -> Any:
    """A part as `cursor_of` wrote it: as text. Raises ValueError for what no column could hold."""
    if not isinstance(part, str):
        raise ValueError("a part is always text")
    part.encode()  # raises for half a character
    value = _READERS[kind](part)
    if isinstance(value, datetime):
        return _in_utc(value)
    return value


def _in_utc(moment: datetime) -> datetime:
    """Raises ValueError without a zone, OverflowError where the moment lies outside of the calendar."""
    if moment.tzinfo is None:
        raise ValueError("a moment has a zone")
    return moment.astimezone(UTC)


def _not_ours() -> Invalid:
    return Invalid("cursor", "That cursor is not one of ours. Start again from the first page.")


def page_size(asked: int) -> int:
    """How many rows a page may have: at least one, at most `LARGEST_PAGE`."""
    return max(1, min(asked, LARGEST_PAGE))
