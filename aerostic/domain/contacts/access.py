"""The only ways to get hold of a row of this feature: what is another tenant's does not exist."""

from uuid import UUID

from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import Contact, ContactAttribute, Tag


def the_contact(ctx: Context, contact_id: UUID, *, for_update: bool = False) -> Contact:
    """The contact, or the one that it was merged into. Raises NotFound, also for an erased one."""
    contact = ctx.get(Contact, contact_id, for_update=for_update)
    while contact is not None and contact.merged_into_id:
        contact = ctx.get(Contact, contact.merged_into_id, for_update=for_update)
    if contact is None or contact.erased_at:
        raise NotFound("That contact does not exist.")
    return contact


def the_tag(ctx: Context, tag_id: UUID) -> Tag:
    """The tag. Raises NotFound."""
    tag = ctx.get(Tag, tag_id)
    if tag is None:
        raise NotFound("That tag no longer exists.")
    return tag


def the_attribute(ctx: Context, attribute_id: UUID) -> ContactAttribute:
    """The field that the workspace keeps. Raises NotFound."""
    attribute = ctx.get(ContactAttribute, attribute_id)
    if attribute is None:
        raise NotFound("That field no longer exists.")
    return attribute


def attributes_by_key(ctx: Context) -> dict[str, ContactAttribute]:
    """The workspace's fields by key, in the order of their making."""
    statement = select(ContactAttribute).order_by(col(ContactAttribute.id))
    return {attribute.key: attribute for attribute in ctx.session.exec(statement)}
