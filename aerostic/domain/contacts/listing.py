"""A page of contacts in an order, quick also where a filter's contacts all stand at the far end of it.

A tag's rows stand in the order of activity themselves, so a page of a tag is one walk along them. By name,
or by a common word, a walk along the whole order meets them soon, unless all of them stand at its end: so
the walk is short, and where it did not fill the page, they are gathered.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col

from aerostic.core.pages import Cursor, cursor_of, read_cursor
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import finding
from aerostic.domain.contacts.models import Contact, ContactTag
from aerostic.domain.contacts.schemas import ContactFilter, Sort

SHORT_WALK = 5_000


def page(
    ctx: Context, wanted: ContactFilter, *, sort: Sort, after: Cursor | None, limit: int
) -> Sequence[Contact]:
    """At most `limit` contacts that come after a place, in order."""
    searches = finding.searches(ctx, wanted)
    walk = _walk(ctx, wanted, sort, after)
    if searches.common is None:
        return _all(ctx, walk.where(*(one(Contact) for one in searches.all)).limit(limit))
    if wanted.tag_ids and sort is Sort.RECENT:
        return _all(ctx, _tagged(ctx, wanted, searches.all[1:], after).limit(limit))
    near = aliased(Contact, walk.limit(SHORT_WALK).subquery("near"))
    met = select(near).where(*(one(near) for one in searches.all))
    found = _all(ctx, met.order_by(*_order(near, sort)).limit(limit))
    if len(found) == limit:
        return found
    gathered = searches.common.ids().cte("gathered").prefix_with("materialized")
    those = walk.where(col(Contact.id).in_(select(gathered.c.contact_id)))
    return _all(ctx, those.where(*(one(Contact) for one in searches.all[1:])).limit(limit))


def place_of(contact: Contact, sort: Sort) -> Cursor:
    """Where the contact stands in the order."""
    first = contact.sort_name if sort is Sort.NAME else contact.last_activity_at
    return cursor_of(first, contact.id)


def _walk(ctx: Context, wanted: ContactFilter, sort: Sort, after: Cursor | None) -> Select[Contact]:
    statement = select(Contact).where(*finding.there(ctx, wanted))
    if after and sort is Sort.NAME:
        by_name = tuple_(col(Contact.sort_name), col(Contact.id))
        statement = statement.where(by_name > read_cursor(after, str, UUID))
    elif after:
        by_activity = tuple_(col(Contact.last_activity_at), col(Contact.id))
        statement = statement.where(by_activity < read_cursor(after, datetime, UUID))
    return statement.order_by(*_order(Contact, sort))


def _tagged(
    ctx: Context, wanted: ContactFilter, others: Sequence[finding.Search], after: Cursor | None
) -> Select[Contact]:
    """A walk along the first of the tags."""
    place = (col(ContactTag.last_activity_at), col(ContactTag.contact_id))
    statement = (
        select(Contact)
        .join(
            ContactTag,
            (col(ContactTag.tenant_id) == col(Contact.tenant_id))
            & (col(ContactTag.contact_id) == col(Contact.id)),
        )
        .where(
            col(ContactTag.tenant_id) == ctx.tenant_id,
            col(ContactTag.tag_id) == wanted.tag_ids[0],
            *finding.there(ctx, wanted),
            *(one(Contact) for one in others),
        )
    )
    if after:
        statement = statement.where(tuple_(*place) < read_cursor(after, datetime, UUID))
    return statement.order_by(*(part.desc() for part in place))


def _order(contact: type[Contact], sort: Sort) -> tuple[Any, Any]:
    if sort is Sort.NAME:
        return col(contact.sort_name), col(contact.id)
    return col(contact.last_activity_at).desc(), col(contact.id).desc()


def _all(ctx: Context, statement: Select[Contact]) -> Sequence[Contact]:
    return ctx.session.scalars(statement).all()
