"""Freezing an audience at launch: every person of it once, in slices by key, with why they are left out.

The slices are selects, so that whoever keeps the recipients writes them with `insert … from select` and no
row passes through the process, only the ids: where the next slice begins follows from what this one found,
never from a second look, between which people come and go.

    after = None
    while True:
        those = freezing.slice_of(ctx, audience, category=category, after=after, limit=5_000)
        ... insert(CampaignRecipient).from_select([...], those) ...
        after = freezing.end_of(ids, limit=5_000)
        if after is None: break
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, SQLColumnExpression, and_, null, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.audiences import compiling, suppression
from aerostic.domain.audiences.filters import Audience
from aerostic.domain.audiences.models import ListMember
from aerostic.domain.contacts.models import Contact

Slice = Select[UUID, str | None, dict[str, Any] | None]


def slice_of(
    ctx: Context, audience: Audience, *, category: str, after: UUID | None, limit: int
) -> Slice:
    """`contact_id`, `reason` and `cells` of the next people of the audience, in the order of their ids.

    `reason` is null for who is to be written to. `cells` are those of their row, null without a list.
    Raises Broken where the audience is about something that is not there any more.
    """
    chosen = _after(compiling.members(ctx, audience), after).limit(limit).subquery("chosen")
    statement: Slice = select(
        col(Contact.id).label("contact_id"),
        suppression.reason(ctx, category).label("reason"),
        _cells(audience).label("cells"),
    ).join(chosen, chosen.c.id == col(Contact.id))
    if audience.list_id is not None:
        statement = statement.join(
            ListMember,
            and_(
                col(ListMember.tenant_id) == ctx.tenant_id,
                col(ListMember.list_id) == audience.list_id,
                col(ListMember.contact_id) == col(Contact.id),
            ),
        )
    return statement.where(col(Contact.tenant_id) == ctx.tenant_id).order_by(col(Contact.id))


def end_of(found: Collection[UUID], *, limit: int) -> UUID | None:
    """The last person of a slice, for `after` of the next; None where it was the last slice."""
    return max(found) if len(found) == limit else None


def _after(ids: Select[UUID], after: UUID | None) -> Select[UUID]:
    if after is not None:
        ids = ids.where(col(Contact.id) > after)
    return ids.order_by(col(Contact.id))


def _cells(audience: Audience) -> SQLColumnExpression[dict[str, Any] | None]:
    if audience.list_id is None:
        return null().cast(JSONB)
    return col(ListMember.cells)
