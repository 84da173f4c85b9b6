"""What became of a batch, written down in bulk."""

from collections.abc import Mapping, Sequence
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
}

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
    waiting = await _reschedule(cursor, tenant_id, outcomes, heal_until)
    final = [one for one in outcomes if one.fate not in (Fate.AGAIN, Fate.UNSETTLED)]
    again = [one for one in outcomes if one.fate is Fate.AGAIN and one.item.id in waiting]
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
    return changes | await consequences.void(cursor, tenant_id, failed, now)


def _is_lost_reaction(one: Outcome) -> bool:
    return one.fate is Fate.FAILED and one.item.body.get("type") == "reaction"


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
    return one.fate is not Fate.FAILED and names.get(one.item.id) == one.meta_message_id


async def _reschedule(
    cursor: Cursor, tenant_id: UUID, outcomes: Sequence[Outcome], heal_until: datetime
) -> set[UUID]:
    """Let those that are to be tried again wait; return which of them are still ours to try.

    One that was taken for lost meanwhile, or that a status webhook has settled, is not sent again.
    """
    await cursor.execute(
        "select id, leased_until from outbox where tenant_id = %s and id = any(%s) and state = 'sending' "
        "order by id for update",
        (tenant_id, [one.item.id for one in outcomes]),
    )
    ours = {(row[0], row[1]) for row in await cursor.fetchall()}
    outcomes = [one for one in outcomes if (one.item.id, one.item.leased_until) in ours]
    again = [one for one in outcomes if one.fate is Fate.AGAIN]
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
    unsettled = [one.item.id for one in outcomes if one.fate is Fate.UNSETTLED]
    if unsettled:
        await cursor.execute(
            "update outbox set leased_until = %s where tenant_id = %s and id = any(%s)",
            (heal_until, tenant_id, unsettled),
        )
    return {one.item.id for one in again}
