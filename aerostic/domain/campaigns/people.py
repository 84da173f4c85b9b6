"""Recipients with what is known of them, many in one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import set_json_loads
from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.tenancy import Context
from aerostic.domain.audiences.filters import Audience
from aerostic.domain.audiences.models import ListMember
from aerostic.domain.campaigns.variables import Facts
from aerostic.domain.contacts.models import Contact

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient. `address` is a phone number, else the id for the account's portfolio."""

    facts: Facts
    attempt: int
    address: str | None

    @property
    def id(self) -> UUID:
        return self.facts.contact_id


_CHOSEN = {
    # Those of a slice that was just written down.
    "slice": """
        select contact_id, cells, attempt from campaign_recipients
        where tenant_id = %(tenant)s and campaign_id = %(campaign)s and due_at is not null
          and contact_id > %(after)s and contact_id <= %(last)s
    """,
    # The next to write to, ours until the commit.
    "due": """
        select contact_id, cells, attempt from campaign_recipients
        where tenant_id = %(tenant)s and campaign_id = %(campaign)s and due_at <= %(now)s
        order by due_at, contact_id limit %(most)s for update skip locked
    """,
}
# Who erases or merges a contact waits for us, or is seen: as `outbox.queue` does it for one.
_LOCKS = {"slice": "", "due": "for key share of c"}
_LOOK = """
    with chosen as materialized ({chosen})
    select chosen.contact_id, coalesce(nullif(c.name, ''), c.profile_name), c.phone, c.email, c.language,
        c.country, c.attributes, chosen.cells, chosen.attempt,
        coalesce(c.phone, (
            select i.value from contact_identities i
            where i.tenant_id = c.tenant_id and i.contact_id = c.id
              and (i.kind = 'phone' or (i.kind = 'bsuid' and i.scope = %(portfolio)s))
            order by i.kind desc limit 1))
    from chosen join contacts c on c.tenant_id = %(tenant)s and c.id = chosen.contact_id
    order by chosen.contact_id {lock}
"""


@cache
def _statement(which: str) -> str:
    return _LOOK.format(chosen=_CHOSEN[which], lock=_LOCKS[which])


def of_slice(
    ctx: Context, campaign_id: UUID, portfolio: str, *, after: UUID, last: UUID
) -> list[Person]:
    """Those who wait among the contacts after one, up to another."""
    return _look(ctx, "slice", campaign_id, portfolio, after=after, last=last)


def due(ctx: Context, campaign_id: UUID, portfolio: str, *, most: int) -> list[Person]:
    """The next to write to, locked: nobody else gets them."""
    return _look(ctx, "due", campaign_id, portfolio, now=ctx.now, most=most)


def _look(
    ctx: Context, which: str, campaign_id: UUID, portfolio: str, **facts: object
) -> list[Person]:
    given = {"tenant": ctx.tenant_id, "campaign": campaign_id, "portfolio": portfolio, **facts}
    cursor = ctx.cursor()
    set_json_loads(orjson.loads, cursor)  # of a million rows, half of the time went there
    cursor.execute(_statement(which).encode(), given, prepare=True)
    return [_person(*row) for row in cursor.fetchall()]


def _person(
    contact_id: UUID,
    name: str,
    phone: str | None,
    email: str | None,
    language: str | None,
    country: str | None,
    attributes: dict[str, Any],
    cells: dict[str, Any] | None,
    attempt: int,
    address: str | None,
) -> Person:
    facts = Facts(contact_id, name, phone, email, language, country, attributes, cells or {})
    return Person(facts, attempt, address)


def facts_of_contact(ctx: Context, contact_id: UUID, audience: Audience) -> Facts:
    """What is known of one contact, with their row of the audience's list. Raises NotFound."""
    contact = ctx.get(Contact, contact_id)
    if contact is None or contact.erased_at or contact.merged_into_id:
        raise NotFound("That contact no longer exists.")
    cells: Sequence[dict[str, Any]] = ()
    if audience.list_id is not None:
        row = select(ListMember.cells).where(
            col(ListMember.tenant_id) == ctx.tenant_id,
            col(ListMember.list_id) == audience.list_id,
            col(ListMember.contact_id) == contact_id,
        )
        cells = ctx.session.scalars(row).all()
    return Facts(
        contact.id,
        contact.name or contact.profile_name,
        contact.phone,
        contact.email,
        contact.language,
        contact.country,
        contact.attributes,
        cells[0] if cells else {},
    )
