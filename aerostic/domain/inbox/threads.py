"""A thread: messages and what people did between them, in one order, by key in both directions.

Messages order by Meta's time, Meta's order within a delivery, and id. An event stands at the millisecond
that its id was made in, so that its own index (by id) is its order in the thread too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlmodel import col, select

from aerostic.core.ids import moment_of
from aerostic.core.pages import Cursor, cursor_of, read_cursor
from aerostic.core.tenancy import Context
from aerostic.domain.inbox.models import ConversationEvent, Message
from aerostic.domain.inbox.schemas import Shown

_MILLISECOND = timedelta(milliseconds=1)
_KEY = (col(Message.occurred_at), col(Message.position), col(Message.id))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a thread."""

    moment: datetime
    position: int
    id: UUID

    @property
    def cursor(self) -> Cursor:
        return cursor_of(self.moment, self.position, self.id)

    @staticmethod
    def at(cursor: Cursor) -> "Place":
        return Place(*read_cursor(cursor, datetime, int, UUID))


Row = Message | ConversationEvent


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive rows, oldest first, and whether more follow in the direction that was read."""

    rows: list[Row]
    has_more: bool


def place_of(row: Row) -> Place:
    if isinstance(row, Message):
        return Place(row.occurred_at, row.position, row.id)
    return Place(moment_of(row.id), 0, row.id)


def older(
    ctx: Context,
    conversation_id: UUID,
    *,
    before: Place | None,
    limit: int,
    shown: Shown = Shown.EVERYTHING,
) -> Stretch:
    """The last `limit` rows before a place, or of all."""
    messages = _messages(ctx, conversation_id).order_by(*(part.desc() for part in _KEY))
    events = _events(ctx, conversation_id).order_by(col(ConversationEvent.id).desc())
    if before:
        messages = messages.where(tuple_(*_KEY) < (before.moment, before.position, before.id))
        events = events.where(col(ConversationEvent.id) < _first_event_from(before))
    rows = sorted(_read(ctx, messages, events, limit, shown), key=place_of, reverse=True)
    return Stretch(list(reversed(rows[:limit])), len(rows) > limit)


def newer(
    ctx: Context,
    conversation_id: UUID,
    *,
    after: Place,
    limit: int,
    shown: Shown = Shown.EVERYTHING,
) -> Stretch:
    """The first `limit` rows after a place."""
    messages = (
        _messages(ctx, conversation_id)
        .where(tuple_(*_KEY) > (after.moment, after.position, after.id))
        .order_by(*_KEY)
    )
    events = (
        _events(ctx, conversation_id)
        .where(col(ConversationEvent.id) >= _first_event_from(after))
        .where(col(ConversationEvent.id) != after.id)
        .order_by(col(ConversationEvent.id))
    )
    rows = sorted(_read(ctx, messages, events, limit, shown), key=place_of)
    return Stretch(rows[:limit], len(rows) > limit)


def _messages(ctx: Context, conversation_id: UUID) -> Any:
    """A reaction has a row while it leaves, but is shown at the message that it is for."""
    return select(Message).where(
        Message.tenant_id == ctx.tenant_id,
        Message.conversation_id == conversation_id,
        Message.type != "reaction",
    )


def _events(ctx: Context, conversation_id: UUID) -> Any:
    return select(ConversationEvent).where(
        ConversationEvent.tenant_id == ctx.tenant_id,
        ConversationEvent.conversation_id == conversation_id,
    )


def _read(
    ctx: Context, messages: Select[Any], events: Select[Any], limit: int, shown: Shown
) -> list[Row]:
    """One more of each than asked for, to know whether there are more."""
    rows: list[Row] = []
    if shown is not Shown.EVENTS:
        rows += ctx.session.scalars(messages.limit(limit + 1))
    if shown is not Shown.MESSAGES:
        rows += ctx.session.scalars(events.limit(limit + 1))
    return rows


def _first_event_from(place: Place) -> UUID:
    """The smallest id that an event at or after this place can have."""
    start = place.moment - timedelta(microseconds=place.moment.microsecond % 1000)
    lowest, highest = _lowest_id(start), _lowest_id(start + _MILLISECOND)
    if start < place.moment or place.position > 0:
        return highest
    return min(max(place.id, lowest), highest)


def _lowest_id(moment: datetime) -> UUID:
    return UUID(int=round(moment.timestamp() * 1000) << 80)
