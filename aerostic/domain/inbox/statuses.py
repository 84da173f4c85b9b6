"""What Meta tells about messages of ours: every step is kept, the message shows the highest.

Ours are known by our own id first (it travels as `biz_opaque_callback_data`), by Meta's second: a status may
come before the answer to the send. So it also heals a message whose answer was lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import psycopg

from aerostic.core import bulk
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import undelivered
from aerostic.domain.billing.charging import Outcome, Settled, settle
from aerostic.domain.inbox import ladder, reactions
from aerostic.domain.inbox.hearing import Hearing
from aerostic.domain.inbox.models import MessageStatus
from aerostic.domain.usage import recording
from aerostic.domain.usage.models import UsageKind
from aerostic.integrations.meta import errors
from aerostic.integrations.meta.webhooks import StatusUpdate

Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(slots=True)
class _Told:
    """A message, and what was told of it here."""

    id: UUID
    status: str
    meta_message_id: str | None
    conversation_id: UUID
    failure: dict[str, Any] | None
    pricing: dict[str, Any] | None
    updates: list[StatusUpdate] = field(default_factory=list)
    was: str = ""


def apply(
    ctx: Context, updates: Sequence[StatusUpdate], heard: Hearing | None = None
) -> list[StatusUpdate]:
    """Let messages climb. Return the updates whose message is not known yet."""
    if not updates:
        return []
    cursor = ctx.cursor()
    by_wamid = ids_of(ctx, cursor, {one.wamid for one in updates})
    candidates = {one.our_id for one in updates if one.our_id} | set(by_wamid.values())
    _lock_outbox(ctx, cursor, candidates)
    messages = _lock(ctx, cursor, candidates)
    unknown = []
    for one in updates:
        told = messages.get(one.our_id) if one.our_id else None
        told = told or messages.get(by_wamid.get(one.wamid, UUID(int=0)))
        if told is None:
            unknown.append(one)
        else:
            told.updates.append(one)
    touched = [one for one in messages.values() if one.updates]
    if touched:
        _keep_events(ctx, cursor, touched)
        _climb(ctx, cursor, touched)
    if heard is not None:
        for told in touched:
            if told.status != told.was:
                heard.status(told.id, told.conversation_id, told.status)
    return unknown


def ids_of(ctx: Context, cursor: Cursor, wamids: Iterable[str]) -> dict[str, UUID]:
    """Our messages by Meta's ids, for those that we have."""
    cursor.execute(
        "select key, message_id from message_keys where tenant_id = %s and key = any(%s)",
        (ctx.tenant_id, list(wamids)),
        prepare=True,
    )
    return dict(cursor.fetchall())


def _lock_outbox(ctx: Context, cursor: Cursor, ids: Iterable[UUID]) -> None:
    """Before their messages, as the sender locks them: nobody waits for each other in a circle."""
    cursor.execute(
        "select from outbox where tenant_id = %s and id = any(%s) order by id for update",
        (ctx.tenant_id, list(ids)),
        prepare=True,
    )


_LOCK = """
    select id, status, meta_message_id, conversation_id, failure, pricing from messages
    where tenant_id = %b and id = any(%b::uuid[]) and direction = 'outbound'
    order by id for update
"""


def _lock(ctx: Context, cursor: Cursor, ids: Iterable[UUID]) -> dict[UUID, _Told]:
    """In the order of their ids, as the sender does: two who lock many must not wait for each other."""
    bulk.run(cursor, _LOCK, ctx.tenant_id, ids)
    return {row[0]: _Told(*row) for row in cursor.fetchall()}


_EVENTS = bulk.columns(message_id="uuid", status="text", occurred_at="timestamptz", details="jsonb")


def _keep_events(ctx: Context, cursor: Cursor, touched: Iterable[_Told]) -> None:
    rows = {
        (told.id, one.status, one.at): (told.id, one.status, one.at, _details(one))
        for told in touched
        for one in told.updates
    }
    bulk.insert(
        cursor,
        "message_events",
        _EVENTS,
        list(rows.values()),
        tenant_id=ctx.tenant_id,
        constants={"received_at": "now()"},
    )


def _details(update: StatusUpdate) -> str:
    told: Mapping[str, Any] = {
        "errors": update.errors,
        "pricing": update.pricing,
        "conversation": update.conversation,
    }
    return orjson.dumps({name: value for name, value in told.items() if value}).decode()


def _climb(ctx: Context, cursor: Cursor, touched: Sequence[_Told]) -> None:
    healed = []
    for told in touched:
        told.was = told.status
        for update in sorted(told.updates, key=lambda one: one.at):
            _take_step(told, update)
        if told.meta_message_id is None:
            told.meta_message_id = told.updates[0].wamid
            healed.append(told)
        if told.was in ladder.UNSETTLED and told not in healed:
            healed.append(told)
    _heal(ctx, cursor, healed)
    _update_messages(ctx, cursor, touched)
    lost = [one.id for one in touched if one.status == MessageStatus.FAILED != one.was]
    if lost:
        reactions.undo(ctx, lost)
        codes = {one.id: str((one.failure or {}).get("code", "")) for one in touched}
        undelivered.learn(ctx, {message_id: codes[message_id] for message_id in lost})
    settle(ctx, [one for told in touched for one in _settled(told)])
    for told in touched:
        ctx.announce("conversation", told.conversation_id)


def _settled(told: _Told) -> list[Settled]:
    """What it means for its charge, if that is news. What arrived after all was not a failure."""
    has_arrived = any(one.status in ladder.ARRIVED for one in told.updates)
    if has_arrived and told.was not in ladder.ARRIVED:
        return [Settled(told.id, outcome_of_arrival(told.pricing))]
    if told.status == MessageStatus.FAILED != told.was:
        return [Settled(told.id, Outcome.FAILED)]
    return []


def outcome_of_arrival(pricing: Mapping[str, Any] | None) -> Outcome:
    """Cloud API reference, statuses: `billable` may be missing, `type` says `regular` or `free_…`."""
    told = pricing or {}
    is_free = told.get("billable") is False or str(told.get("type", "")).startswith("free_")
    return Outcome.FREE if is_free else Outcome.DELIVERED


def _take_step(told: _Told, update: StatusUpdate) -> None:
    if ladder.contradicts(told.status, update.status):
        told.failure = {**(told.failure or {}), "contradicted_by": update.status}
        if told.status != MessageStatus.FAILED:
            told.failure = None  # it arrived: the failure of another device stands among its events
    higher = ladder.climb(told.status, update.status)
    if higher == MessageStatus.FAILED and told.status != MessageStatus.FAILED:
        told.failure = errors.failure_of(update.errors[0] if update.errors else {})
    elif higher != told.status:
        told.failure = None  # a doubt that is settled now
    told.status = higher
    told.pricing = update.pricing or told.pricing


_KEYS = bulk.columns(key="text", message_id="uuid", conversation_id="uuid")
_NEWLY = "on conflict do nothing returning message_id"


def _heal(ctx: Context, cursor: Cursor, healed: Sequence[_Told]) -> None:
    """Meta has it, so it must not be sent (again), whatever became of the answer, and it was used."""
    if not healed:
        return
    rows = [(one.meta_message_id, one.id, one.conversation_id) for one in healed]
    bulk.insert(cursor, "message_keys", _KEYS, rows, tenant_id=ctx.tenant_id, tail=_NEWLY)
    named = [row[0] for row in cursor.fetchall()]
    recording.record_each(ctx, UsageKind.OUTGOING_MESSAGE, named)
    ids = [one.id for one in healed]
    cursor.execute("delete from outbox where tenant_id = %s and id = any(%s)", (ctx.tenant_id, ids))


_CHANGED = bulk.columns(
    id="uuid",
    conversation_id="uuid",
    status="text",
    meta_message_id="text",
    failure="jsonb",
    pricing="jsonb",
)
_UPDATE = bulk.statement(
    """
    update messages m set status = given.status, meta_message_id = given.meta_message_id,
        failure = given.failure, pricing = given.pricing
    from {given}
    where m.tenant_id = %b and m.id = given.id and m.id between %b and %b
""",
    _CHANGED,
)
_SHOW = bulk.statement(
    """
    update conversations c set last_message_status = given.status
    from {given}
    where c.tenant_id = %b and c.id = given.conversation_id and c.last_message_id = given.id
""",
    bulk.columns(id="uuid", conversation_id="uuid", status="text"),
)


def _update_messages(ctx: Context, cursor: Cursor, touched: Sequence[_Told]) -> None:
    rows = [
        (
            one.id,
            one.conversation_id,
            one.status,
            one.meta_message_id,
            _json(one.failure),
            _json(one.pricing),
        )
        for one in touched
    ]
    arrays = list(zip(*rows, strict=True))
    ids = [one.id for one in touched]
    # The bounds let PostgreSQL leave out the months that none of them is of.
    bulk.run(cursor, _UPDATE, *arrays, ctx.tenant_id, min(ids), max(ids))
    bulk.run(cursor, _SHOW, *arrays[:3], ctx.tenant_id)


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
