"""Which messages leave next, and what becomes of those that a lost sender had claimed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from aerostic.domain.sending import rows
from aerostic.domain.sending.outcomes import Item
from aerostic.domain.sending.rows import Cursor, Place
from aerostic.integrations.meta.errors import OUTCOME_UNKNOWN, failure


@dataclass(frozen=True, slots=True)
class Channel:
    """A number as the lane needs it. `is_open`: number, account and workspace are all in order.

    `is_gone`: it was disconnected, so nothing that waits will ever leave.
    """

    number_id: UUID
    account_id: UUID
    phone_number_id: str
    sealed_token: str
    graph_version: str | None
    messages_per_second: int
    is_open: bool
    is_gone: bool


_CHANNEL = """
    select number.id, account.id, number.phone_number_id, account.access_token_sealed, account.graph_version,
           number.messages_per_second,
           number.status = 'connected' and account.status = 'connected' and tenant.status = 'active',
           number.status = 'disconnected'
    from phone_numbers as number
    join whatsapp_accounts as account
        on account.tenant_id = number.tenant_id and account.id = number.account_id
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
        returning outbox.id, conversation_id, recipient, priority, attempts, leased_until, body)
    select id, conversation_id, recipient, priority, attempts, leased_until, body from claimed
    order by priority, id
"""


async def channel(cursor: Cursor, place: Place) -> Channel | None:
    await cursor.execute(_CHANNEL, place)
    row = await cursor.fetchone()
    return Channel(*row) if row else None


async def claim(
    cursor: Cursor, place: Place, *, now: datetime, until: datetime, most: int
) -> list[Item]:
    """Take the next messages: the most urgent, then the oldest. Committed before anything is sent.

    Those that waited for the same moment come in the order of writing.
    """
    tenant_id, number_id = place
    facts = {"tenant": tenant_id, "number": number_id, "now": now, "until": until, "most": most}
    await cursor.execute(_CLAIM, facts)
    items = [Item(*row) for row in await cursor.fetchall()]
    if items:
        await cursor.execute(
            "update messages set status = 'sending' "
            "where tenant_id = %s and id = any(%s) and status = 'queued'",
            (tenant_id, sorted(item.id for item in items)),
        )
    return items


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
    found = await cursor.fetchall()
    if not found:
        return set()
    tenant_id = place[0]
    lost = sorted(row[0] for row in found if row[2] in {"queued", "sending"})
    told = failure("unknown", OUTCOME_UNKNOWN)
    await cursor.execute(
        "update messages set status = 'unknown', failure = %s where tenant_id = %s and id = any(%s) "
        "and status in ('queued', 'sending')",
        (Jsonb(told | {"kind": "unknown"}), tenant_id, lost),
    )
    await rows.remember(
        cursor, tenant_id, now, [(message_id, "unknown", {}) for message_id in lost]
    )
    await rows.remove(cursor, tenant_id, [row[0] for row in found])
    await rows.follow(cursor, tenant_id, lost)
    return {row[1] for row in found}
