"""Messages into their threads, all of a tenant's in one go, each once.

The guard is `message_keys`: only what is new there becomes a row and moves a conversation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg

from aerostic.core import bulk
from aerostic.core.ids import new_id
from aerostic.core.queue import QueueName
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.words import fold
from aerostic.domain.inbox import answering_campaigns, content, people, reading, window
from aerostic.domain.inbox.hearing import Hearing
from aerostic.domain.inbox.models import ConversationStatus, Direction, Origin
from aerostic.integrations.meta.webhooks import MEDIA_TYPES, NOTICE_TYPES, Written

Cursor = psycopg.Cursor[tuple[Any, ...]]

FREE_ENTRY = timedelta(hours=72)  # after a click on an ad, if we answer within a day


@dataclass(slots=True, eq=False)
class Arrival:
    """A message on its way into a thread."""

    written: Written
    number_id: UUID
    scope: str
    position: int
    id: UUID = field(default_factory=new_id)
    contact_id: UUID = people.NOBODY
    conversation_id: UUID = people.NOBODY
    media_id: UUID | None = None
    text: str = ""

    @property
    def counts(self) -> bool:
        """Whether a person wrote it to us now: it raises unread counts and opens the window."""
        written = self.written
        return not (written.is_ours or written.is_history or written.type in NOTICE_TYPES)

    @property
    def origin(self) -> Origin:
        if self.written.is_history:
            return Origin.HISTORY
        return Origin.PHONE_APP if self.written.is_ours else Origin.CONTACT

    @property
    def order(self) -> tuple[datetime, int, UUID]:
        """Its place in the thread."""
        return (self.written.at, self.position, self.id)


def take_in(
    ctx: Context,
    arrivals: Sequence[Arrival],
    news: Sequence[people.Sighting] = (),
    heard: Hearing | None = None,
) -> list[Arrival]:
    """Write every message that is not there yet; return those. `news` tells of further names of people."""
    first = {one.written.wamid: one for one in reversed(arrivals)}
    distinct = list(reversed(first.values()))
    if not distinct and not news:
        return []
    seen = [
        people.Sighting(one.written.person, one.scope, one.written.at, wrote=one.counts)
        for one in distinct
    ]
    found = people.find_or_make(ctx, [*seen, *news], heard)
    for one, contact_id in zip(distinct, found[: len(distinct)], strict=True):
        one.contact_id = contact_id
    if not distinct:
        return []
    cursor = ctx.cursor()
    _find_or_open_conversations(ctx, cursor, distinct)
    new = _claim(ctx, cursor, distinct)
    if len(new) < len(distinct):
        claimed = set(new)
        _fill_placeholders(ctx, cursor, [one for one in distinct if one not in claimed])
    if new:
        with cursor.connection.pipeline():  # PostgreSQL works on one while we make the next
            _insert_media(ctx, cursor, new)
            _insert_messages(ctx, cursor, new)
            _move_conversations(ctx, cursor, new)
            answering_campaigns.heard(ctx, cursor, (one.contact_id for one in new if one.counts))
    if heard is not None:
        _hear(heard, new)
    return new


def _hear(heard: Hearing, new: Sequence[Arrival]) -> None:
    """What people wrote, in its order; that one of us answered on the phone. Nothing of the past."""
    for one in sorted(new, key=lambda arrival: arrival.order):
        if one.counts:
            heard.message(one.id, one.conversation_id, one.contact_id, one.number_id)
        elif one.origin is Origin.PHONE_APP and one.written.type not in NOTICE_TYPES:
            heard.echo(one.conversation_id, one.contact_id, one.number_id)


# Conversations


_PAIRS = bulk.columns(contact_id="uuid", number_id="uuid")
# Locked in one order by everyone who locks many.
_FIND = bulk.statement(
    """
    select c.contact_id, c.number_id, c.id from {given}
    join conversations c on c.tenant_id = %b
      and c.contact_id = given.contact_id and c.number_id = given.number_id
    order by c.id for update of c
""",
    _PAIRS,
)
_CONVERSATIONS = bulk.columns(
    id="uuid",
    contact_id="uuid",
    number_id="uuid",
    status="text",
    last_message_at="timestamptz",
    closed_at="timestamptz",
)
_OPENED = {
    "unread_count": "0",
    "last_message_preview": "''",
    "last_message_direction": "'inbound'",
    "last_message_status": "'received'",
    "created_at": "now()",
}


def _find_or_open_conversations(ctx: Context, cursor: Cursor, arrivals: Sequence[Arrival]) -> None:
    wanted: dict[tuple[UUID, UUID], list[Arrival]] = {}
    for one in arrivals:
        wanted.setdefault((one.contact_id, one.number_id), []).append(one)
    found = _conversations(ctx, cursor, wanted)
    missing = [pair for pair in wanted if pair not in found]
    if missing:
        rows = [_opened(ctx, pair, wanted[pair]) for pair in missing]
        bulk.insert(
            cursor,
            "conversations",
            _CONVERSATIONS,
            rows,
            tenant_id=ctx.tenant_id,
            constants=_OPENED,
        )
        found |= _conversations(ctx, cursor, missing)
    for pair, ones in wanted.items():
        for one in ones:
            one.conversation_id = found[pair]


def _conversations(
    ctx: Context, cursor: Cursor, pairs: Iterable[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], UUID]:
    bulk.run(cursor, _FIND, *zip(*pairs, strict=True), ctx.tenant_id)
    return {(contact_id, number_id): found for contact_id, number_id, found in cursor.fetchall()}


def _opened(ctx: Context, pair: tuple[UUID, UUID], arrivals: list[Arrival]) -> tuple[Any, ...]:
    """A conversation that only the past or the phone knows of begins closed: nobody waits for an answer."""
    is_open = any(one.origin == Origin.CONTACT for one in arrivals)
    status = ConversationStatus.OPEN if is_open else ConversationStatus.CLOSED
    last_at = max(one.written.at for one in arrivals)
    return (new_id(), *pair, str(status), last_at, None if is_open else ctx.now)


# Messages


_KEYS = bulk.columns(key="text", message_id="uuid", conversation_id="uuid")


def _claim(ctx: Context, cursor: Cursor, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Those whose id nobody has seen before."""
    rows = [(one.written.wamid, one.id, one.conversation_id) for one in arrivals]
    tail = "on conflict do nothing returning key"
    bulk.insert(cursor, "message_keys", _KEYS, rows, tenant_id=ctx.tenant_id, tail=tail)
    claimed = {key for (key,) in cursor.fetchall()}
    return [one for one in arrivals if one.written.wamid in claimed]


_MESSAGES = bulk.columns(
    id="uuid",
    conversation_id="uuid",
    contact_id="uuid",
    number_id="uuid",
    direction="text",
    type="text",
    text="text",
    search_text="text",
    content="jsonb",
    status="text",
    origin="text",
    meta_message_id="text",
    reply_to_meta_id="text",
    media_id="uuid",
    occurred_at="timestamptz",
    position="int4",
)


def _insert_messages(ctx: Context, cursor: Cursor, new: Sequence[Arrival]) -> None:
    constants = {"reactions": "'{}'::jsonb", "created_at": "now()"}
    rows = [_row(one) for one in new]
    bulk.insert(
        cursor, "messages", _MESSAGES, rows, tenant_id=ctx.tenant_id, constants=constants, tail=""
    )


def _row(one: Arrival) -> tuple[Any, ...]:
    written = one.written
    one.text = reading.text_of(written.type, written.content)
    return (
        one.id,
        one.conversation_id,
        one.contact_id,
        one.number_id,
        str(Direction.OUTBOUND if written.is_ours else Direction.INBOUND),
        written.type,
        one.text,
        fold(one.text),
        orjson.dumps(written.content).decode(),
        written.status,
        str(one.origin),
        written.wamid,
        written.reply_to or None,
        one.media_id,
        written.at,
        one.position,
    )


# Files


_MEDIA = bulk.columns(
    id="uuid",
    number_id="uuid",
    conversation_id="uuid",
    meta_media_id="text",
    mime_type="text",
    file_name="text",
    sha256="text",
)
_MEDIA_BEGINS = {
    "size": "0",
    "storage_key": "''",
    "status": "'pending'",
    "attempts": "0",
    "created_at": "now()",
}
_DUE = bulk.columns(ref="uuid")


def _insert_media(ctx: Context, cursor: Cursor, new: Sequence[Arrival]) -> None:
    """A row for each file, and the work of fetching it: Meta keeps what people send for seven days."""
    rows = [row for one in new if (row := _file_of(one))]
    if not rows:
        return
    bulk.insert(
        cursor, "media", _MEDIA, rows, tenant_id=ctx.tenant_id, constants=_MEDIA_BEGINS, tail=""
    )
    constants = {"kind": "'media'", "due_at": "now()"}
    due = [(row[0],) for row in rows]
    bulk.insert(cursor, "due_work", _DUE, due, tenant_id=ctx.tenant_id, constants=constants)
    ctx.enqueue("workers.jobs.media.fetch", queue_name=QueueName.MEDIA)


def _file_of(one: Arrival) -> tuple[Any, ...] | None:
    node = one.written.content.get(one.written.type)
    if one.written.type not in MEDIA_TYPES or not isinstance(node, dict) or not node.get("id"):
        return None
    one.media_id = new_id()
    return (
        one.media_id,
        one.number_id,
        one.conversation_id,
        str(node["id"])[:512],
        str(node.get("mime_type") or "")[:128],
        str(node.get("filename") or "")[:256],
        str(node.get("sha256") or "")[:128],
    )


_PLACEHOLDERS = bulk.columns(key="text", type="text", text="text", content="jsonb", media_id="uuid")
_FILL = bulk.statement(
    """
    update messages m set type = given.type, text = given.text, content = given.content,
        media_id = given.media_id
    from {given}
    join message_keys k on k.tenant_id = %b and k.key = given.key
    where m.tenant_id = k.tenant_id and m.id = k.message_id and m.type = 'media_placeholder'
""",
    _PLACEHOLDERS,
)


def _fill_placeholders(ctx: Context, cursor: Cursor, again: Sequence[Arrival]) -> None:
    """The files of an imported past come after their messages, under the same ids."""
    filling = [one for one in again if one.written.is_history and one.written.type in MEDIA_TYPES]
    if not filling:
        return
    wamids = [one.written.wamid for one in filling]
    cursor.execute(
        "select m.meta_message_id from message_keys k join messages m"
        " on m.tenant_id = k.tenant_id and m.id = k.message_id"
        " where k.tenant_id = %s and k.key = any(%s) and m.type = 'media_placeholder'",
        (ctx.tenant_id, wamids),
    )
    waiting = {wamid for (wamid,) in cursor.fetchall()}
    filling = [one for one in filling if one.written.wamid in waiting]
    if filling:
        _insert_media(ctx, cursor, filling)
        rows = [
            (row[11], row[5], row[6], row[8], row[13]) for row in (_row(one) for one in filling)
        ]
        bulk.run(cursor, _FILL, *zip(*rows, strict=True), ctx.tenant_id)


# What the list shows


_MOVES = bulk.columns(
    id="uuid",
    unread="int4",
    reopens="bool",
    at="timestamptz",
    message_id="uuid",
    preview="text",
    direction="text",
    status="text",
    inbound_at="timestamptz",
    inbound_meta_id="text",
    window_closes_at="timestamptz",
    free_entry_until="timestamptz",
)
_MOVE = bulk.statement(
    """
    with moves as (
        select given.*, c.last_message_id is null or given.at >= c.last_message_at as is_newer
        from {given} join conversations c on c.tenant_id = %b and c.id = given.id
    )
    update conversations c set
        unread_count = c.unread_count + given.unread,
        status = case when given.reopens then 'open' else c.status end,
        snoozed_until = case when given.reopens then null else c.snoozed_until end,
        closed_at = case when given.reopens then null else c.closed_at end,
        last_message_at = case when is_newer then given.at else c.last_message_at end,
        last_message_id = case when is_newer then given.message_id else c.last_message_id end,
        last_message_preview =
            case when is_newer then given.preview else c.last_message_preview end,
        last_message_direction =
            case when is_newer then given.direction else c.last_message_direction end,
        last_message_status =
            case when is_newer then given.status else c.last_message_status end,
        last_inbound_at = greatest(c.last_inbound_at, given.inbound_at),
        last_inbound_meta_id = case
            when c.last_inbound_at is null or given.inbound_at >= c.last_inbound_at
            then coalesce(given.inbound_meta_id, c.last_inbound_meta_id)
            else c.last_inbound_meta_id end,
        window_closes_at = greatest(c.window_closes_at, given.window_closes_at),
        free_entry_until = greatest(c.free_entry_until, given.free_entry_until)
    from moves as given
    where c.tenant_id = %b and c.id = given.id
""",
    _MOVES,
)


def _move_conversations(ctx: Context, cursor: Cursor, new: Sequence[Arrival]) -> None:
    by_conversation: dict[UUID, list[Arrival]] = {}
    for one in new:
        by_conversation.setdefault(one.conversation_id, []).append(one)
        ctx.announce("conversation", one.conversation_id)
    rows = [_moved(found, ones) for found, ones in sorted(by_conversation.items())]
    bulk.run(cursor, _MOVE, *zip(*rows, strict=True), ctx.tenant_id, ctx.tenant_id)


def _moved(conversation_id: UUID, new: Sequence[Arrival]) -> tuple[Any, ...]:
    latest = max(new, key=lambda one: one.order)
    counted = [one for one in new if one.counts]
    inbound = max(counted, key=lambda one: one.order, default=None)
    referred = [one.written.at for one in counted if one.written.content.get("referral")]
    return (
        conversation_id,
        len(counted),
        bool(counted),
        latest.written.at,
        latest.id,
        content.preview(latest.written.type, latest.text),
        str(Direction.OUTBOUND if latest.written.is_ours else Direction.INBOUND),
        latest.written.status,
        inbound.written.at if inbound else None,
        inbound.written.wamid if inbound else None,
        window.closes_at(inbound.written.at) if inbound else None,
        max(referred) + FREE_ENTRY if referred else None,
    )
