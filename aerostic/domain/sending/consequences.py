"""What an answer of Meta's means beyond its own message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from aerostic.core.ids import new_id
from aerostic.domain.audiences import undelivered
from aerostic.domain.billing import charging
from aerostic.domain.billing.charging import Settled
from aerostic.domain.inbox import reactions
from aerostic.domain.inbox.models import Priority
from aerostic.domain.sending import rows
from aerostic.domain.sending.claims import Channel
from aerostic.domain.sending.outcomes import STOPS, Fate, Item, Outcome
from aerostic.domain.sending.rows import Cursor, Place
from aerostic.integrations.meta.errors import DISCONNECTED, Action, Rule, failure

# Templates that Meta stopped, in the words of its own status.
STOPPED_TEMPLATES = {"132015": "PAUSED", "132016": "DISABLED"}


async def follow(
    cursor: Cursor,
    channel: Channel,
    tenant_id: UUID,
    one: Outcome,
    now: datetime,
    failed: list[UUID],
) -> set[tuple[str, str]]:
    """Returns what to announce; messages that fail with this one are added to `failed`."""
    if one.fate is Fate.ACCEPTED or one.rule is None:
        return set()
    if one.rule.forgets_files:
        await _forget_files(cursor, tenant_id, one.item)
    if one.fate is Fate.FAILED and one.failure and one.failure["code"] == undelivered.UNDELIVERABLE:
        told = {"tenant": tenant_id, "messages": [one.item.id], "now": now}
        await cursor.execute(undelivered.COUNT, told)
    if one.rule.action in STOPS:
        return await stop(cursor, channel, tenant_id, one.rule)
    if one.rule.action is Action.STOP_CAMPAIGNS:
        await _hold_marketing(cursor, channel, tenant_id, one)
    elif one.rule.action is Action.STOP_TEMPLATE:
        return await _stop_template(cursor, channel, tenant_id, one, now, failed)
    elif one.rule.action is Action.OPT_OUT:
        return await _opt_out(cursor, tenant_id, one, now)
    return set()


async def void(
    cursor: Cursor,
    tenant_id: UUID,
    failed: Sequence[UUID],
    now: datetime,
    *,
    cancelled: Sequence[UUID] = (),
) -> set[tuple[str, str]]:
    """What was set aside for messages that did not leave goes back. The last thing of a transaction."""
    told = [Settled(message_id, charging.Outcome.FAILED) for message_id in failed]
    told += [Settled(message_id, charging.Outcome.CANCELLED) for message_id in cancelled]
    return await charging.settle_in_lane(cursor, tenant_id, told, now)


async def undo_reactions(
    cursor: Cursor, tenant_id: UUID, ids: Sequence[UUID], now: datetime
) -> None:
    """Of messages that have just failed, take back the reactions, and say so in their threads."""
    if not ids:
        return
    await cursor.execute(reactions.UNDO, {"tenant": tenant_id, "ids": sorted(ids)})
    for row in await cursor.fetchall():
        await cursor.execute(reactions.TELL, reactions.loss(tenant_id, row, now))


async def _forget_files(cursor: Cursor, tenant_id: UUID, item: Item) -> None:
    await cursor.execute(
        "update media set meta_media_id = null, meta_uploaded_at = null "
        "where tenant_id = %s and id = any(%s)",
        (tenant_id, sorted(item.files)),
    )


async def stop(
    cursor: Cursor, channel: Channel, tenant_id: UUID, rule: Rule
) -> set[tuple[str, str]]:
    """The number, or all of its account, waits until someone has checked it. What is queued stays."""
    problem = f"{rule.reason} {rule.advice}".strip()
    if rule.action is Action.STOP_ACCOUNT:
        await cursor.execute(
            "update whatsapp_accounts set status = 'needs_attention', problem = %s "
            "where tenant_id = %s and id = %s and status = 'connected'",
            (problem, tenant_id, channel.account_id),
        )
    await cursor.execute(
        "update phone_numbers set status = 'needs_attention', problem = %s "
        "where tenant_id = %s and status = 'connected' "
        "and (id = %s or (%s and account_id = %s)) returning id",
        (
            problem,
            tenant_id,
            channel.number_id,
            rule.action is Action.STOP_ACCOUNT,
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
    cursor: Cursor,
    channel: Channel,
    tenant_id: UUID,
    one: Outcome,
    now: datetime,
    failed: list[UUID],
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
    waiting = (tenant_id, channel.number_id)
    return changes | await _fail_waiting(
        cursor, waiting, (name, language), one.failure, now, failed
    )


async def fail_everything(cursor: Cursor, place: Place, now: datetime) -> set[tuple[str, str]]:
    """The number was disconnected: what waits will never leave, and says so. Returns what to announce."""
    told = failure("disconnected", DISCONNECTED)
    failed: list[UUID] = []
    changes = await _fail_waiting(cursor, place, (None, None), told, now, failed)
    return changes | await void(cursor, place[0], failed, now)


_FAIL = """
    with stopped as (
        select id from outbox
        where tenant_id = %(tenant)s and number_id = %(number)s and state = 'queued'
          and (%(name)s::text is null or (body -> 'template' ->> 'name' = %(name)s
               and body -> 'template' -> 'language' ->> 'code' = %(language)s))
        order by id for update skip locked)
    delete from outbox using stopped where outbox.tenant_id = %(tenant)s and outbox.id = stopped.id
    returning outbox.id, outbox.conversation_id
"""


async def _fail_waiting(
    cursor: Cursor,
    place: Place,
    template: tuple[str, str] | tuple[None, None],
    told: dict[str, Any],
    now: datetime,
    failed: list[UUID],
) -> set[tuple[str, str]]:
    """Fail what waits, all of it or what shows the template (by its name and language)."""
    tenant_id, number_id = place
    which = {"tenant": tenant_id, "number": number_id, "name": template[0], "language": template[1]}
    await cursor.execute(_FAIL, which)
    found = sorted(await cursor.fetchall())
    ids = [row[0] for row in found]
    failed += ids
    await cursor.execute(
        "update messages set status = 'failed', failure = %s "
        "where tenant_id = %s and id = any(%s) and status = 'queued'",
        (Jsonb(told), tenant_id, ids),
    )
    await rows.remember(
        cursor, tenant_id, now, [(message_id, "failed", told) for message_id in ids]
    )
    await rows.follow(cursor, tenant_id, ids)
    await undo_reactions(cursor, tenant_id, ids, now)
    return {("conversation", str(row[1])) for row in found}


async def _opt_out(
    cursor: Cursor, tenant_id: UUID, one: Outcome, now: datetime
) -> set[tuple[str, str]]:
    await cursor.execute(
        "update contacts set marketing_stopped_at = %s, marketing_agreed_at = null from conversations "
        "where contacts.tenant_id = %s and conversations.tenant_id = %s and conversations.id = %s "
        "and contacts.id = conversations.contact_id "
        "and contacts.marketing_stopped_at is null returning contacts.id",
        (now, tenant_id, tenant_id, one.item.conversation_id),
    )
    stopped = [row[0] for row in await cursor.fetchall()]
    await cursor.execute(
        "insert into consent_entries (tenant_id, id, contact_id, decision, source, word, message_id, "
        "actor_name, occurred_at) select %s, %s, contact_id, 'stopped', 'refusal', '', %s, 'WhatsApp', %s "
        "from conversations where tenant_id = %s and id = %s",
        (tenant_id, new_id(), one.item.id, now, tenant_id, one.item.conversation_id),
    )
    for contact_id in stopped:
        await cursor.execute(
            "insert into contact_events (tenant_id, id, contact_id, kind, actor_name, details, created_at) "
            "values (%s, %s, %s, 'marketing_stopped', 'WhatsApp', '{}', %s)",
            (tenant_id, new_id(), contact_id, now),
        )
    return {("contact", str(contact_id)) for contact_id in stopped}
