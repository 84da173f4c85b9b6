"""The ledger of consent: what was told is written down for good, and the contact shows the newest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from aerostic.core import bulk
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.audiences.models import ConsentSource, Decision
from aerostic.domain.contacts.schemas import EventKind

_EVENTS = {
    Decision.STOPPED: EventKind.MARKETING_STOPPED,
    Decision.AGREED: EventKind.MARKETING_RESUMED,
}
_WHO = {
    ConsentSource.WHATSAPP: "WhatsApp",
    ConsentSource.REFUSAL: "WhatsApp",
    ConsentSource.KEYWORD: "They",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One decision as it reached us. `at` is when it was made."""

    contact_id: UUID
    decision: Decision
    source: ConsentSource
    at: datetime
    word: str = ""
    message_id: UUID | None = None


def record(ctx: Context, told: Sequence[Told]) -> list[Told]:
    """Write decisions down; return those that changed something. Told again, they are there once.

    An older decision that comes late is kept and changes nothing.
    """
    if not told:
        return []
    told = sorted(told, key=lambda one: one.at)
    with ctx.cursor() as cursor:
        rows = [_row(ctx, one) for one in told]
        bulk.run(cursor, _KEEP, ctx.tenant_id, *zip(*rows, strict=True), ctx.tenant_id)
        changed = [one for one in told if _decide(ctx, cursor, one)]
        events = [_event(ctx, one) for one in changed]
        bulk.insert(cursor, "contact_events", _EVENT, events, tenant_id=ctx.tenant_id)
    for one in changed:
        ctx.announce("contact", one.contact_id)
    return changed


_ENTRY = bulk.columns(
    id="uuid",
    contact_id="uuid",
    decision="text",
    source="text",
    word="text",
    message_id="uuid",
    actor_user_id="uuid",
    actor_name="text",
    occurred_at="timestamptz",
)
# A webhook is delivered again until it was answered: the same decision of the same moment is one.
_KEEP = bulk.statement(
    """
    insert into consent_entries (tenant_id, id, contact_id, decision, source, word, message_id,
        actor_user_id, actor_name, occurred_at)
    select %b::uuid, given.id, given.contact_id, given.decision, given.source, given.word,
        given.message_id, given.actor_user_id, given.actor_name, given.occurred_at
    from {given}
    where not exists (
        select from consent_entries e where e.tenant_id = %b and e.contact_id = given.contact_id
        and e.occurred_at = given.occurred_at and e.decision = given.decision
        and e.source = given.source)
""",
    _ENTRY,
)
_EVENT = bulk.columns(
    id="uuid",
    contact_id="uuid",
    kind="text",
    actor_user_id="uuid",
    actor_name="text",
    details="jsonb",
    created_at="timestamptz",
)
# Who writes to them holds the contact by its key and then asks for the conversation, which who hears them has
# already: a lock that waits for the key would close the circle.
_DECIDE = """
    update contacts set
        marketing_stopped_at = case when %(stops)s then %(at)s end,
        marketing_agreed_at = case when %(stops)s then null else %(at)s end
    from (select id, marketing_stopped_at from contacts
          where tenant_id = %(tenant)s and id = %(contact)s for no key update) as was
    where contacts.tenant_id = %(tenant)s and contacts.id = was.id and contacts.erased_at is null
      and coalesce(greatest(contacts.marketing_stopped_at, contacts.marketing_agreed_at) <= %(at)s, true)
    returning (was.marketing_stopped_at is not null) is distinct from %(stops)s
"""


def _row(ctx: Context, one: Told) -> tuple[Any, ...]:
    return (
        new_id(),
        one.contact_id,
        str(one.decision),
        str(one.source),
        one.word,
        one.message_id,
        ctx.actor.user_id,
        _who(ctx, one),
        one.at,
    )


def _decide(ctx: Context, cursor: Any, one: Told) -> bool:
    cursor.execute(
        _DECIDE,
        {
            "tenant": ctx.tenant_id,
            "contact": one.contact_id,
            "stops": one.decision is Decision.STOPPED,
            "at": one.at,
        },
    )
    found = cursor.fetchone()
    return found is not None and found[0]


def _event(ctx: Context, one: Told) -> tuple[Any, ...]:
    details = orjson.dumps({"word": one.word} if one.word else {}).decode()
    kind = str(_EVENTS[one.decision])
    return (
        new_id(),
        one.contact_id,
        kind,
        ctx.actor.user_id,
        _who(ctx, one),
        details,
        ctx.now,
    )


def _who(ctx: Context, one: Told) -> str:
    return _WHO.get(one.source) or ctx.actor.name
