"""The lane's statements, in bulk. Each takes the cursor of a `lane_transaction`.

Everyone who locks does so in this order: outbox, messages by id, conversations by id. The row of the lane
itself in `due_work` is the gate of `outbox.wake_lane`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from aerostic.core.ids import new_id
from aerostic.domain.inbox.models import MessageStatus, Priority
from aerostic.domain.sending.outcomes import STOPS, Fate, Item, Outcome
from aerostic.integrations.meta.errors import OUTCOME_UNKNOWN, Action, failure

Cursor = psycopg.AsyncCursor[Any]
Place = tuple[UUID, UUID]  # tenant, number

STATUS_OF = {
    Fate.ACCEPTED: MessageStatus.ACCEPTED,
    Fate.HELD: MessageStatus.SENDING,
    Fate.AGAIN: MessageStatus.QUEUED,
    Fate.FAILED: MessageStatus.FAILED,
}
# Templates that Meta stopped, in the words of its own status.
STOPPED_TEMPLATES = {"132015": "PAUSED", "132016": "DISABLED"}


@dataclass(frozen=True, slots=True)
class Channel:
    """A number as the lane needs it. `is_open`: number, account and workspace are all in order."""

    number_id: UUID
    account_id: UUID
    phone_number_id: str
    sealed_token: str
    graph_version: str | None
    messages_per_second: int
    is_open: bool


# Leases of lanes ---------------------------------------------------------------------------------

_LEASE = """
    update due_work set leased_by = %(owner)s, leased_until = %(until)s
    where (kind, tenant_id, ref) in (
        select kind, tenant_id, ref from due_work
        where kind = 'lane' and due_at <= %(now)s and (leased_until is null or leased_until < %(now)s)
          and (%(ref)s::uuid is null or ref = %(ref)s)
        order by due_at limit %(most)s for no key update skip locked)
    returning tenant_id, ref
"""


async def lease(
    cursor: Cursor,
    *,
    owner: str,
    now: datetime,
    until: datetime,
    most: int,
    number_id: UUID | None = None,
) -> list[Place]:
    """Take lanes that are due and nobody's, or whose owner is gone. Two never get the same."""
    facts = {"owner": owner, "now": now, "until": until, "most": most, "ref": number_id}
    await cursor.execute(_LEASE, facts)
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def renew(cursor: Cursor, *, owner: str, until: datetime) -> set[UUID]:
    """Keep our lanes. Returns the numbers whose lane is still ours."""
    await cursor.execute(
        "update due_work set leased_until = %s where kind = 'lane' and leased_by = %s returning ref",
        (until, owner),
    )
    return {row[0] for row in await cursor.fetchall()}


async def rest(cursor: Cursor, place: Place, *, owner: str, not_before: datetime) -> bool:
    """Give the lane back until its next message is due. False: one is being written now, look again."""
    this = (*place, owner)
    await cursor.execute(
        "select 1 from due_work where kind = 'lane' and tenant_id = %s and ref = %s and leased_by = %s "
        "for update skip locked",
        this,
    )
    if await cursor.fetchone() is None:
        return False
    await cursor.execute(
        "select min(case state when 'queued' then not_before else leased_until end) from outbox "
        "where tenant_id = %s and number_id = %s",
        place,
    )
    row = await cursor.fetchone()
    if row is None or row[0] is None:
        await cursor.execute(
            "delete from due_work where kind = 'lane' and tenant_id = %s and ref = %s and leased_by = %s",
            this,
        )
        return True
    await cursor.execute(
        "update due_work set due_at = %s, leased_by = null, leased_until = null "
        "where kind = 'lane' and tenant_id = %s and ref = %s and leased_by = %s",
        (max(row[0], not_before), *this),
    )
    return True


# Claiming ----------------------------------------------------------------------------------------

_CHANNEL = """
    select number.id, account.id, number.phone_number_id, account.access_token_sealed, account.graph_version,
           number.messages_per_second,
           number.status = 'connected' and account.status = 'connected' and tenant.status = 'active'
    from phone_numbers as number
    join whatsapp_accounts as account on (account.tenant_id, account.id) = (number.tenant_id, number.account_id)
    join tenants as tenant on tenant.id = number.tenant_id
    where number.tenant_id = %s and number.id = %s
"""

_CLAIM = """
    with next as (
        select id from outbox
        where tenant_id = %(tenant)s and number_id = %(number)s and state = 'queued' and not_before <= %(now)s
        order by priority, not_before, id limit %(most)s for update skip locked),
    claimed as (
        update outbox set state = 'sending', attempts = attempts + 1, leased_until = %(until)s
        from next where outbox.tenant_id = %(tenant)s and outbox.id = next.id
        returning outbox.id, conversation_id, recipient, priority, attempts, leased_until, body, not_before)
    select id, conversation_id, recipient, priority, attempts, leased_until, body from claimed
    order by priority, not_before, id
"""


async def channel(cursor: Cursor, place: Place) -> Channel | None:
    await cursor.execute(_CHANNEL, place)
    row = await cursor.fetchone()
    return Channel(*row) if row else None


async def claim(
    cursor: Cursor, place: Place, *, now: datetime, until: datetime, most: int
) -> list[Item]:
    """Take the next messages: the most urgent, then the oldest. Committed before anything is sent."""
    tenant_id, number_id = place
    facts = {"tenant": tenant_id, "number": number_id, "now": now, "until": until, "most": most}
    await cursor.execute(_CLAIM, facts)
    items = [Item(*row) for row in await cursor.fetchall()]
    if items:
        await cursor.execute(
            "update messages set status = 'sending' where tenant_id = %s and id = any(%s) and status = 'queued'",
            (tenant_id, sorted(item.id for item in items)),
        )
    return items


# What was left behind ----------------------------------------------------------------------------

_ABANDONED = """
    select outbox.id, outbox.conversation_id, messages.status
    from outbox join messages on (messages.tenant_id, messages.id) = (outbox.tenant_id, outbox.id)
    where outbox.tenant_id = %s and outbox.number_id = %s and outbox.state = 'sending'
      and outbox.leased_until < %s and not (outbox.id = any(%s))
    order by outbox.id for update of outbox skip locked
"""


async def recover(
    cursor: Cursor, place: Place, *, now: datetime, in_flight: Iterable[UUID]
) -> set[UUID]:
    """What was on its way and never settled becomes `unknown`, never sent again by itself.

    A row that a status webhook has healed meanwhile is only cleared away. Returns the conversations touched.
    """
    await cursor.execute(_ABANDONED, (*place, now, list(in_flight)))
    rows = await cursor.fetchall()
    if not rows:
        return set()
    tenant_id = place[0]
    lost = sorted(row[0] for row in rows if row[2] in {"queued", "sending"})
    told = failure("unknown", OUTCOME_UNKNOWN)
    await cursor.execute(
        "update messages set status = 'unknown', failure = %s where tenant_id = %s and id = any(%s) "
        "and status in ('queued', 'sending')",
        (Jsonb(told | {"kind": "unknown"}), tenant_id, lost),
    )
    await _remember(cursor, tenant_id, now, [(message_id, "unknown", {}) for message_id in lost])
    await _delete(cursor, tenant_id, [row[0] for row in rows])
    await _follow(cursor, tenant_id, lost)
    return {row[1] for row in rows}


# Recording ---------------------------------------------------------------------------------------

_SETTLE = """
    update messages set
        status = case when messages.status in ('queued', 'sending', 'unknown') then told.status else messages.status end,
        meta_message_id = coalesce(messages.meta_message_id, told.meta_message_id),
        failure = case when messages.status in ('queued', 'sending', 'unknown') then told.failure else messages.failure end
    from unnest(%s::uuid[], %s::text[], %s::text[], %s::jsonb[])
        as told (id, status, meta_message_id, failure)
    where messages.tenant_id = %s and messages.id = told.id and messages.id = any(%s)
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
    settled = [one for one in outcomes if one.fate is not Fate.UNSETTLED]
    await _reschedule(cursor, tenant_id, outcomes, heal_until)
    await _delete(cursor, tenant_id, [one.item.id for one in settled if one.fate is not Fate.AGAIN])
    await _settle(cursor, tenant_id, settled)
    await _name(cursor, tenant_id, settled)
    told = [
        (one.item.id, str(one.fate), one.failure or {})
        for one in settled
        if one.fate is not Fate.AGAIN
    ]
    await _remember(cursor, tenant_id, now, told)
    await _follow(cursor, tenant_id, [one.item.id for one in settled if one.fate is not Fate.AGAIN])
    changes = {("conversation", str(one.item.conversation_id)) for one in settled}
    for one in outcomes:
        changes |= await _consequences(cursor, channel, tenant_id, one, now)
    return changes


async def _settle(cursor: Cursor, tenant_id: UUID, settled: Sequence[Outcome]) -> None:
    if not settled:
        return
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


async def _name(cursor: Cursor, tenant_id: UUID, settled: Sequence[Outcome]) -> None:
    """From Meta's id to the message: a status or a reply may ask for it at once."""
    named = [one for one in settled if one.meta_message_id]
    if named:
        await cursor.execute(
            "insert into message_keys (tenant_id, key, message_id, conversation_id) "
            "select %s, * from unnest(%s::text[], %s::uuid[], %s::uuid[]) on conflict do nothing",
            (
                tenant_id,
                [one.meta_message_id for one in named],
                [one.item.id for one in named],
                [one.item.conversation_id for one in named],
            ),
        )


async def _remember(
    cursor: Cursor,
    tenant_id: UUID,
    now: datetime,
    events: Sequence[tuple[UUID, str, dict[str, Any]]],
) -> None:
    if events:
        await cursor.execute(
            "insert into message_events (tenant_id, message_id, status, occurred_at, details, received_at) "
            "select %s, told.id, told.status, %s, told.details, %s "
            "from unnest(%s::uuid[], %s::text[], %s::jsonb[]) as told (id, status, details) "
            "on conflict do nothing",
            (
                tenant_id,
                now,
                now,
                [event[0] for event in events],
                [event[1] for event in events],
                [Jsonb(event[2]) for event in events],
            ),
        )


async def _delete(cursor: Cursor, tenant_id: UUID, ids: Sequence[UUID]) -> None:
    if ids:
        await cursor.execute(
            "delete from outbox where tenant_id = %s and id = any(%s)", (tenant_id, list(ids))
        )


async def _reschedule(
    cursor: Cursor, tenant_id: UUID, outcomes: Sequence[Outcome], heal_until: datetime
) -> None:
    again = [one for one in outcomes if one.fate is Fate.AGAIN]
    if again:
        await cursor.execute(
            "update outbox set state = 'queued', leased_until = null, not_before = told.not_before, "
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


async def _follow(cursor: Cursor, tenant_id: UUID, ids: Sequence[UUID]) -> None:
    """The list shows the status of a conversation's last message."""
    if ids:
        await cursor.execute(
            "with shown as (select conversations.id, messages.status from conversations "
            "join messages on messages.tenant_id = conversations.tenant_id "
            "and messages.id = conversations.last_message_id and messages.id = any(%(ids)s) "
            "where conversations.tenant_id = %(tenant)s and conversations.id = any(select conversation_id "
            "from messages where tenant_id = %(tenant)s and id = any(%(ids)s)) "
            "order by conversations.id for no key update of conversations) "
            "update conversations set last_message_status = shown.status from shown "
            "where conversations.tenant_id = %(tenant)s and conversations.id = shown.id",
            {"tenant": tenant_id, "ids": list(ids)},
        )


# Consequences for others -------------------------------------------------------------------------


async def _consequences(
    cursor: Cursor, channel: Channel, tenant_id: UUID, one: Outcome, now: datetime
) -> set[tuple[str, str]]:
    if one.fate is Fate.ACCEPTED:
        if one.item.body.get("type") == "reaction":
            await _react(cursor, tenant_id, one.item)
        return set()
    if one.rule is None:
        return set()
    if one.rule.forgets_files:
        await _forget_files(cursor, tenant_id, one.item)
    if one.rule.action in STOPS:
        return await _stop(cursor, channel, tenant_id, one)
    if one.rule.action is Action.STOP_CAMPAIGNS:
        await _hold_marketing(cursor, channel, tenant_id, one)
    elif one.rule.action is Action.STOP_TEMPLATE:
        return await _stop_template(cursor, channel, tenant_id, one, now)
    elif one.rule.action is Action.OPT_OUT:
        return await _opt_out(cursor, tenant_id, one, now)
    return set()


async def _react(cursor: Cursor, tenant_id: UUID, item: Item) -> None:
    """WhatsApp knows one reaction of the business: a colleague's gives way to the newer one."""
    reaction = item.body["reaction"]
    await cursor.execute(
        "update messages set reactions = "
        "(select coalesce(jsonb_object_agg(who, emoji), '{}') from jsonb_each(messages.reactions) as r (who, emoji) "
        "where who not like 'user:%%') || case when %(emoji)s = '' then '{}'::jsonb "
        "else jsonb_build_object('user:' || coalesce(mine.author_id::text, ''), %(emoji)s) end "
        "from messages as mine, message_keys as target "
        "where mine.tenant_id = %(tenant)s and mine.id = %(id)s and target.tenant_id = %(tenant)s "
        "and target.key = %(target)s and messages.tenant_id = %(tenant)s and messages.id = target.message_id",
        {
            "tenant": tenant_id,
            "id": item.id,
            "target": reaction["message_id"],
            "emoji": reaction.get("emoji", ""),
        },
    )


async def _forget_files(cursor: Cursor, tenant_id: UUID, item: Item) -> None:
    await cursor.execute(
        "update media set meta_media_id = null, meta_uploaded_at = null where tenant_id = %s and id = any(%s)",
        (tenant_id, sorted(item.files)),
    )


async def _stop(
    cursor: Cursor, channel: Channel, tenant_id: UUID, one: Outcome
) -> set[tuple[str, str]]:
    """The number, or all of its account, waits until someone has checked it. What is queued stays."""
    assert one.rule is not None
    problem = f"{one.rule.reason} {one.rule.advice}".strip()
    if one.rule.action is Action.STOP_ACCOUNT:
        await cursor.execute(
            "update whatsapp_accounts set status = 'needs_attention', problem = %s "
            "where tenant_id = %s and id = %s and status = 'connected'",
            (problem, tenant_id, channel.account_id),
        )
    await cursor.execute(
        "update phone_numbers set status = 'needs_attention', problem = %s "
        "where tenant_id = %s and status = 'connected' and (id = %s or (%s and account_id = %s)) returning id",
        (
            problem,
            tenant_id,
            channel.number_id,
            one.rule.action is Action.STOP_ACCOUNT,
            channel.account_id,
        ),
    )
    return {("number", str(row[0])) for row in await cursor.fetchall()}


async def _hold_marketing(cursor: Cursor, channel: Channel, tenant_id: UUID, one: Outcome) -> None:
    if one.not_before is None:
        return
    await cursor.execute(
        "update outbox set not_before = %s where tenant_id = %s and number_id = %s and state = 'queued' "
        "and priority >= %s and not_before < %s",
        (one.not_before, tenant_id, channel.number_id, Priority.MARKETING, one.not_before),
    )


async def _stop_template(
    cursor: Cursor, channel: Channel, tenant_id: UUID, one: Outcome, now: datetime
) -> set[tuple[str, str]]:
    """What waits with the same template can not leave either: it fails now, with the same sentence."""
    template = one.item.body["template"]
    name, language = template["name"], template["language"]["code"]
    assert one.failure is not None
    status = STOPPED_TEMPLATES.get(one.failure["code"])
    changes: set[tuple[str, str]] = set()
    if status:
        await cursor.execute(
            "update templates set status = %s where tenant_id = %s and account_id = %s and name = %s "
            "and language = %s and status = 'APPROVED' returning id",
            (status, tenant_id, channel.account_id, name, language),
        )
        changes = {("template", str(row[0])) for row in await cursor.fetchall()}
    return changes | await _fail_waiting(
        cursor, channel, tenant_id, name, language, one.failure, now
    )


async def _fail_waiting(
    cursor: Cursor,
    channel: Channel,
    tenant_id: UUID,
    name: str,
    language: str,
    told: dict[str, Any],
    now: datetime,
) -> set[tuple[str, str]]:
    await cursor.execute(
        "with stopped as (select id from outbox where tenant_id = %s and number_id = %s and state = 'queued' "
        "and body -> 'template' ->> 'name' = %s and body -> 'template' -> 'language' ->> 'code' = %s "
        "order by id for update skip locked) "
        "delete from outbox using stopped where outbox.tenant_id = %s and outbox.id = stopped.id "
        "returning outbox.id, outbox.conversation_id",
        (tenant_id, channel.number_id, name, language, tenant_id),
    )
    rows = sorted(await cursor.fetchall())
    ids = [row[0] for row in rows]
    await cursor.execute(
        "update messages set status = 'failed', failure = %s where tenant_id = %s and id = any(%s)",
        (Jsonb(told), tenant_id, ids),
    )
    await _remember(cursor, tenant_id, now, [(message_id, "failed", told) for message_id in ids])
    await _follow(cursor, tenant_id, ids)
    return {("conversation", str(row[1])) for row in rows}


async def _opt_out(
    cursor: Cursor, tenant_id: UUID, one: Outcome, now: datetime
) -> set[tuple[str, str]]:
    await cursor.execute(
        "update contacts set marketing_stopped_at = %s from conversations where contacts.tenant_id = %s "
        "and conversations.tenant_id = %s and conversations.id = %s and contacts.id = conversations.contact_id "
        "and contacts.marketing_stopped_at is null returning contacts.id",
        (now, tenant_id, tenant_id, one.item.conversation_id),
    )
    stopped = [row[0] for row in await cursor.fetchall()]
    for contact_id in stopped:
        await cursor.execute(
            "insert into contact_events (tenant_id, id, contact_id, kind, actor_name, details, created_at) "
            "values (%s, %s, %s, 'marketing_stopped', 'WhatsApp', '{}', %s)",
            (tenant_id, new_id(), contact_id, now),
        )
    return {("contact", str(contact_id)) for contact_id in stopped}


# Files -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours, with Meta's copy of it where there is one that we put there."""

    id: UUID
    storage_key: str
    mime_type: str
    file_name: str
    number_id: UUID | None
    meta_media_id: str | None
    meta_uploaded_at: datetime | None


async def file(cursor: Cursor, tenant_id: UUID, media_id: UUID) -> File | None:
    await cursor.execute(
        "select id, storage_key, mime_type, file_name, number_id, meta_media_id, meta_uploaded_at "
        "from media where tenant_id = %s and id = %s and status = 'stored'",
        (tenant_id, media_id),
    )
    row = await cursor.fetchone()
    return File(*row) if row else None


async def uploaded(
    cursor: Cursor, place: Place, media_id: UUID, meta_media_id: str, *, now: datetime
) -> None:
    tenant_id, number_id = place
    await cursor.execute(
        "update media set meta_media_id = %s, meta_uploaded_at = %s, number_id = %s "
        "where tenant_id = %s and id = %s",
        (meta_media_id, now, number_id, tenant_id, media_id),
    )
