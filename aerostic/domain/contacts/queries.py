"""Every way in which contacts are looked at."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from aerostic.core.pages import Cursor, Page, page_size
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import exporting, finding, identities, listing, naming, phones
from aerostic.domain.contacts.access import attributes_by_key, the_contact
from aerostic.domain.contacts.exporting import ExportFormat
from aerostic.domain.contacts.models import (
    AttributeType,
    Contact,
    ContactAttribute,
    ContactTag,
    Tag,
)
from aerostic.domain.contacts.schemas import (
    AttributeView,
    ContactDetail,
    ContactFilter,
    ContactRow,
    Count,
    IdentityView,
    Sort,
    TagView,
)

Tags = dict[UUID, tuple[TagView, ...]]

EVERYONE = ContactFilter()


@requires(Permission.CONTACTS_READ)
def contacts(
    ctx: Context,
    wanted: ContactFilter = EVERYONE,
    *,
    sort: Sort = Sort.RECENT,
    after: Cursor | None = None,
    limit: int = 50,
) -> Page[ContactRow]:
    """A page of contacts: those who last stirred first, or by name."""
    size = page_size(limit)
    found = listing.page(ctx, wanted, sort=sort, after=after, limit=size + 1)
    shown, is_last = found[:size], len(found) <= size
    tags = _tags_of(ctx, [contact.id for contact in shown])
    rows = [_row(contact, tags.get(contact.id, ())) for contact in shown]
    return Page(rows, None if is_last else listing.place_of(shown[-1], sort))


@requires(Permission.CONTACTS_READ)
def count(ctx: Context, wanted: ContactFilter = EVERYONE) -> Count:
    """How many contacts a filter shows."""
    return finding.count(ctx, wanted)


@requires(Permission.CONTACTS_READ)
def contact(ctx: Context, contact_id: UUID) -> ContactDetail:
    """One person; the id of one who was merged leads to the one who stayed."""
    row = the_contact(ctx, contact_id)
    kept = attributes_by_key(ctx)
    return ContactDetail(
        id=row.id,
        display_name=naming.display_name(row.name, row.profile_name, row.phone),
        name=row.name,
        profile_name=row.profile_name,
        phone=row.phone,
        phone_display=phones.display(row.phone) if row.phone else "",
        email=row.email,
        language=row.language,
        country=row.country,
        attributes={key: value for key, value in row.attributes.items() if key in kept},
        identities=tuple(
            IdentityView(one.kind, one.scope, one.value)
            for one in identities.of_contact(ctx, row.id)
        ),
        tags=_tags_of(ctx, [row.id]).get(row.id, ()),
        is_blocked=row.is_blocked,
        marketing_stopped_at=row.marketing_stopped_at,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_activity_at=row.last_activity_at,
        last_inbound_at=row.last_inbound_at,
        erased_at=row.erased_at,
    )


@requires(Permission.CONTACTS_EXPORT)
def export(ctx: Context, path: Path, kind: ExportFormat, wanted: ContactFilter = EVERYONE) -> int:
    """Write the contacts that a filter shows into a file; return how many. Raises Refused."""
    return exporting.write(ctx, wanted, path, kind)


@requires(Permission.CONTACTS_READ)
def tags(ctx: Context) -> list[TagView]:
    """The workspace's tags, by name."""
    return [_tag(tag) for tag in ctx.session.scalars(select(Tag).order_by(col(Tag.name)))]


@requires(Permission.CONTACTS_READ)
def attributes(ctx: Context) -> list[AttributeView]:
    """The fields that the workspace keeps about its contacts, in the order of their making."""
    return [_attribute_view(attribute) for attribute in attributes_by_key(ctx).values()]


def _row(contact: Contact, tags: tuple[TagView, ...]) -> ContactRow:
    return ContactRow(
        id=contact.id,
        name=naming.display_name(contact.name, contact.profile_name, contact.phone),
        phone=contact.phone,
        phone_display=phones.display(contact.phone) if contact.phone else "",
        email=contact.email,
        country=contact.country,
        is_blocked=contact.is_blocked,
        last_activity_at=contact.last_activity_at,
        created_at=contact.created_at,
        tags=tags,
    )


def _tag(tag: Tag) -> TagView:
    return TagView(tag.id, tag.name, tag.colour)


def _tags_of(ctx: Context, contact_ids: Sequence[UUID]) -> Tags:
    statement = (
        select(col(ContactTag.contact_id), Tag)
        .join(
            Tag,
            (col(Tag.tenant_id) == col(ContactTag.tenant_id)) & (col(Tag.id) == ContactTag.tag_id),
        )
        .where(
            col(ContactTag.tenant_id) == ctx.tenant_id,
            col(ContactTag.contact_id).in_(contact_ids),
        )
        .order_by(col(Tag.name))
    )
    found: dict[UUID, list[TagView]] = {}
    for contact_id, tag in ctx.session.execute(statement):
        found.setdefault(contact_id, []).append(_tag(tag))
    return {contact_id: tuple(views) for contact_id, views in found.items()}


def _attribute_view(attribute: ContactAttribute) -> AttributeView:
    return AttributeView(
        id=attribute.id,
        key=attribute.key,
        label=attribute.label,
        type=AttributeType(attribute.type),
        choices=tuple(attribute.choices),
    )
