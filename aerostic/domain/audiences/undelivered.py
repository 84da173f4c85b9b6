"""What WhatsApp's refusals teach about people: who can not be reached, and who wants no marketing.

Statements with named parameters, for the worker that applies webhooks and for the sending lane alike.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aerostic.core.tenancy import Context
from aerostic.domain.audiences import consent
from aerostic.domain.audiences.consent import Told
from aerostic.domain.audiences.models import ConsentSource, Decision

UNDELIVERABLE = "131026"
STOPPED = "131050"

# A sign of life since the last failure begins the count anew.
COUNT = """
    insert into delivery_troubles as known (tenant_id, contact_id, failures, last_failed_at)
    select tenant_id, contact_id, count(*), %(now)s from messages
    where tenant_id = %(tenant)s and id = any(%(messages)s)
    group by tenant_id, contact_id order by contact_id
    on conflict (tenant_id, contact_id) do update set
        last_failed_at = excluded.last_failed_at,
        failures = excluded.failures + case when exists (
            select from contacts c where c.tenant_id = known.tenant_id and c.id = known.contact_id
              and c.last_inbound_at > known.last_failed_at
        ) or exists (
            select from conversations v join messages m
              on m.tenant_id = v.tenant_id and m.conversation_id = v.id
            where v.tenant_id = known.tenant_id and v.contact_id = known.contact_id
              and m.occurred_at > known.last_failed_at and m.direction = 'outbound'
              and m.status in ('delivered', 'read', 'played')
        ) then 0 else known.failures end
"""


def learn(ctx: Context, failures: Mapping[UUID, str]) -> None:
    """Of messages that have just failed, with Meta's code for each."""
    lost = [one for one, code in failures.items() if code == UNDELIVERABLE]
    refused = [one for one, code in failures.items() if code == STOPPED]
    cursor = ctx.cursor()
    if lost:
        cursor.execute(COUNT, {"tenant": ctx.tenant_id, "messages": sorted(lost), "now": ctx.now})
    if refused:
        consent.record(ctx, [_told(ctx, *row) for row in _people(ctx, cursor, refused)])


def _people(ctx: Context, cursor: Any, messages: list[UUID]) -> list[tuple[UUID, UUID]]:
    statement = "select contact_id, id from messages where tenant_id = %s and id = any(%s)"
    cursor.execute(statement, (ctx.tenant_id, sorted(messages)))
    return list(cursor.fetchall())


def _told(ctx: Context, contact_id: UUID, message_id: UUID) -> Told:
    source = ConsentSource.REFUSAL
    return Told(contact_id, Decision.STOPPED, source, ctx.now, message_id=message_id)
