"""The names by which the outside knows a contact: each leads to one contact of a tenant."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core.errors import Conflict
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import Contact, ContactIdentity, IdentityKind
from aerostic.domain.contacts.naming import display_name


class AlreadyKnown(Conflict):
    """The number belongs to someone else; `contact_id` says to whom."""

    code = "contact_exists"

    def __init__(self, owner: Contact) -> None:
        name = display_name(owner.name, owner.profile_name, owner.phone)
        super().__init__(
            f"That number already belongs to {name}. Open that contact, or merge the two."
        )
        self.contact_id = owner.id


def owner_of(ctx: Context, kind: IdentityKind, value: str, *, scope: str = "") -> Contact | None:
    """The contact whom this identity leads to."""
    identity = ctx.session.get(ContactIdentity, (ctx.tenant_id, kind, scope, value))
    return ctx.get(Contact, identity.contact_id) if identity else None


def claim_phone(ctx: Context, contact: Contact, digits: str) -> None:
    """Make the number lead to this contact. Raises AlreadyKnown where it leads to another."""
    taken = (
        insert(ContactIdentity)
        .values(
            tenant_id=ctx.tenant_id,
            kind=IdentityKind.PHONE,
            scope="",
            value=digits,
            contact_id=contact.id,
            created_at=ctx.now,
        )
        # Waits for whoever is entering the same number, then takes nothing.
        .on_conflict_do_nothing()
        .returning(col(ContactIdentity.contact_id))
    )
    ctx.session.flush()
    if ctx.session.scalar(taken) is None:
        owner = owner_of(ctx, IdentityKind.PHONE, digits)
        if owner is not None and owner.id != contact.id:
            raise AlreadyKnown(owner)


def release_phone(ctx: Context, contact: Contact, digits: str) -> None:
    """The number no longer leads to this contact."""
    ctx.session.execute(
        delete(ContactIdentity).where(
            col(ContactIdentity.tenant_id) == ctx.tenant_id,
            col(ContactIdentity.kind) == IdentityKind.PHONE,
            col(ContactIdentity.value) == digits,
            col(ContactIdentity.contact_id) == contact.id,
        )
    )


def of_contact(ctx: Context, contact_id: UUID) -> list[ContactIdentity]:
    """Every identity of a contact, in a steady order."""
    statement = (
        select(ContactIdentity)
        .where(
            col(ContactIdentity.tenant_id) == ctx.tenant_id,
            col(ContactIdentity.contact_id) == contact_id,
        )
        .order_by(col(ContactIdentity.kind).desc(), col(ContactIdentity.value))
    )
    return list(ctx.session.scalars(statement))
