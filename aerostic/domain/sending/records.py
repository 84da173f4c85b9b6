"""What became of a batch, written down in bulk."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from aerostic.core.ids import new_id
from aerostic.domain.inbox.models import MessageStatus
from aerostic.domain.sending import consequences, rows
from aerostic.domain.sending.claims import Channel
from aerostic.domain.sending.outcomes import Fate, Outcome
from aerostic.domain.sending.rows import Cursor

STATUS_OF = {
    Fate.ACCEPTED: MessageStatus.ACCEPTED,
    Fate.HELD: MessageStatus.SENDING,
    Fate.AGAIN: MessageStatus.QUEUED,
    Fate.FAILED: MessageStatus.FAILED,
    Fate.CANCELLED: MessageStatus.CANCELLED,
}
NEVER_SENT = (Fate.FAILED, Fate.CANCELLED)

_SETTLE = """
    update messages set
        status = case when messages.status in ('queued', 'sending', 'unknown')
            then told.status else messages.status end,
        meta_message_id = coalesce(messages.meta_message_id, told.meta_message_id),
        failure = case when messages.status in ('queued', 'sending', 'unknown')
            then told.failure else messages.failure end
    from unnest(%s::uuid[], %s::text[], %s::text[], %s::jsonb[])
        as told (id, status, meta_message_id, failure)
    where messages.tenant_id = %s and messages.id = told.id and messages.id = any(%s)
    returning messages.id, messages.meta_message_id
"""


async def record(
    cursor: Cursor,
    channel: Channel,
    tenant_id: UUID,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    heal_until: datetime,
) -> set[tuple[str, str]]:
    """Write down what became of a batch. Returns what to announce."""
    outcomes = sorted(outcomes, key=lambda one: one.item.id)
    outcomes = await _reschedule(cursor, tenant_id, outcomes, heal_until)
    final = [one for one in outcomes if one.fate not in (Fate.AGAIN, Fate.UNSETTLED)]
    again = [one for one in outcomes if one.fate is Fate.AGAIN]
    settled = sorted([*final, *again], key=lambda one: one.item.id)
    ids = [one.item.id for one in final]
    await rows.remove(cursor, tenant_id, ids)
    names = await _settle(cursor, tenant_id, settled)
    await _name(cursor, tenant_id, final, names, now)
    told = [(one.item.id, str(one.fate), one.failure or {}) for one in final]
    await rows.remember(cursor, tenant_id, now, told)
    await rows.follow(cursor, tenant_id, ids)
    lost = [one.item.id for one in final if _is_lost_reaction(one)]
    await consequences.undo_reactions(cursor, tenant_id, lost, now)
    changes = {("conversation", str(one.item.conversation_id)) for one in settled}
    failed = [one.item.id for one in final if one.fate is Fate.FAILED]
    for one in outcomes:
        changes |= await consequences.follow(cursor, channel, tenant_id, one, now, failed)
    cancelled = [one.item.id for one in final if one.fate is Fate.CANCELLED]
    return changes | await consequences.void(cursor, tenant_id, failed, now, cancelled=cancelled)


def _is_lost_reaction(one: Outcome) -> bool:
    return one.fate in NEVER_SENT and one.item.body.get("type") == "reaction"


async def _settle(
    cursor: Cursor, tenant_id: UUID, settled: Sequence[Outcome]
) -> dict[UUID, str | None]:
    """Returns the names that Meta has given them, now or before."""
    if not settled:
        return {}
    ids = [one.item.id for one in settled]
    await cursor.execute(
        _SETTLE,
        (
            ids,
            [str(STATUS_OF[one.fate]) for one in settled],
            [one.meta_message_id for one in settled],
            [Jsonb(one.failure) if one.failure else None for one in settled],
            tenant_id,
            ids,
        ),
    )
    return dict(await cursor.fetchall())


# Meta's id is given to a message once, by the answer or by a status that was quicker (`inbox.statuses`):
# whoever writes it down writes down the use as well.
_NAME = """
    with told as (
        select * from unnest(%s::text[], %s::uuid[], %s::uuid[], %s::uuid[])
            as told (key, message_id, conversation_id, usage_id)
    ),
    named as (
        insert into message_keys (tenant_id, key, message_id, conversation_id)
        select %s, key, message_id, conversation_id from told on conflict do nothing
        returning message_id
    )
    insert into usage_events
        (tenant_id, id, kind, quantity, cost_micros, ref, details, occurred_at)
    select %s, told.usage_id, 'outgoing_message', 1, 0, message_id, '{}', %s
    from named join told using (message_id) where told.usage_id is not null
"""


async def _name(
    cursor: Cursor,
    tenant_id: UUID,
    settled: Sequence[Outcome],
    names: Mapping[UUID, str | None],
    now: datetime,
) -> None:
    """From Meta's id to the message: a status or a reply may ask for it at once. And that it was used."""
    named = [one for one in settled if one.meta_message_id]
    if named:
        await cursor.execute(
            _NAME,
            (
                [one.meta_message_id for one in named],
                [one.item.id for one in named],
                [one.item.conversation_id for one in named],
                [new_id() if _is_used(one, names) else None for one in named],
                tenant_id,
                tenant_id,
                now,
            ),
        )


def _is_used(one: Outcome, names: Mapping[UUID, str | None]) -> bool:
    """Whether Meta has taken it, and not under another name before."""
    return one.fate not in NEVER_SENT and names.get(one.item.id) == one.meta_message_id


async def _reschedule(
    cursor: Cursor, tenant_id: UUID, outcomes: Sequence[Outcome], heal_until: datetime
) -> list[Outcome]:
    """Let those that are to be tried again wait; return what is to be written down.

    One that was taken for lost meanwhile, or that a status webhook has settled, is not sent again. Nor is one
    that was taken back while it was on its way: it is cancelled.
    """
    await cursor.execute(
        "select id, leased_until from outbox where tenant_id = %s and id = any(%s) and state = 'sending' "
        "order by id for update",
        (tenant_id, [one.item.id for one in outcomes]),
    )
    ours = {(row[0], row[1]) for row in await cursor.fetchall()}
    wanted = [one for one in outcomes if one.fate is Fate.AGAIN and _is_ours(one, ours)]
    unwanted = await _taken_back(cursor, tenant_id, [one.item.id for one in wanted])
    again = [one for one in wanted if one.item.id not in unwanted]
    cancelled = [_cancelled(one) for one in wanted if one.item.id in unwanted]
    await _put_back(cursor, tenant_id, again)
    unsettled = [
        one.item.id for one in outcomes if one.fate is Fate.UNSETTLED and _is_ours(one, ours)
    ]
    if unsettled:
        await cursor.execute(
            "update outbox set leased_until = %s where tenant_id = %s and id = any(%s)",
            (heal_until, tenant_id, unsettled),
        )
    others = [one for one in outcomes if one.fate is not Fate.AGAIN]
    return sorted([*others, *again, *cancelled], key=lambda one: one.item.id)


def _is_ours(one: Outcome, ours: Collection[tuple[UUID, datetime]]) -> bool:
    return (one.item.id, one.item.leased_until) in ours


def _cancelled(one: Outcome) -> Outcome:
    return replace(one, fate=Fate.CANCELLED, failure=None)


# Who blocks or erases a person holds the contact until the commit: either this waits for them, or they find
# the message back in the queue. A campaign looks for it itself (`campaigns.driving`).
_TAKEN_BACK = """
    select o.id, p.is_blocked or p.erased_at is not null or g.status is not distinct from 'cancelled'
    from outbox o
    join conversations c on c.tenant_id = o.tenant_id and c.id = o.conversation_id
    join contacts p on p.tenant_id = c.tenant_id and p.id = c.contact_id
    left join campaign_recipients r on r.tenant_id = o.tenant_id and r.message_id = o.id
    left join campaigns g on g.tenant_id = r.tenant_id and g.id = r.campaign_id
    where o.tenant_id = %s and o.id = any(%s)
    order by p.id for key share of p
"""


async def _taken_back(cursor: Cursor, tenant_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Those of somebody who was blocked or erased, or of a campaign that was cancelled, meanwhile."""
    if not ids:
        return set()
    await cursor.execute(_TAKEN_BACK, (tenant_id, list(ids)))
    return {row[0] for row in await cursor.fetchall() if row[1]}


async def _put_back(cursor: Cursor, tenant_id: UUID, again: Sequence[Outcome]) -> None:
    if again:
        await cursor.execute(
            "update outbox set state = 'queued', leased_until = null, "
            "not_before = coalesce(told.not_before, outbox.not_before), "
            "attempts = outbox.attempts - told.uncounted "
            "from unnest(%s::uuid[], %s::timestamptz[], %s::int[]) as told (id, not_before, uncounted) "
            "where outbox.tenant_id = %s and outbox.id = told.id",
            (
                [one.item.id for one in again],
                [one.not_before for one in again],
                [0 if one.counts else 1 for one in again],
                tenant_id,
            ),
        )
