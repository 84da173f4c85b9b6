"""What is done to everything that a workspace keeps about one person, across its features."""

from collections.abc import Collection
from uuid import UUID

from aerostic.core.errors import Invalid
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import finding, history, naming
from aerostic.domain.contacts.access import the_contact
from aerostic.domain.contacts.models import Contact
from aerostic.domain.contacts.schemas import EventKind
from aerostic.domain.dossier import choosing, erasing
from aerostic.domain.inbox import joining, outbox


@requires(Permission.CONTACTS_WRITE)
def merge(ctx: Context, contact_id: UUID, other_id: UUID, *, take: Collection[str] = ()) -> Contact:
    """Make the other contact a part of this one: its numbers, tags, fields, conversations and messages.

    Where both say something, this one's stays, but for the fields that `take` names (`choosing.FIELDS`, or
    `attributes.<key>`). The other's id leads here from now on. Not undone.
    """
    choosing.check(take)
    # One order for everyone who locks two contacts.
    found = {one: the_contact(ctx, one, for_update=True) for one in sorted({contact_id, other_id})}
    kept, gone = found[contact_id], found[other_id]
    if kept.id == gone.id:
        raise Invalid("other_id", "That is the same contact. Choose another one to merge.")
    name = naming.display_name(gone.name, gone.profile_name, gone.phone)
    taken = choosing.taken_from(gone, take)
    joining.join(ctx, kept=kept.id, gone=gone.id, name=name)
    ctx.session.refresh(kept)
    choosing.give(kept, taken)
    kept.updated_at = ctx.now
    ctx.session.flush()
    finding.index(ctx, kept)
    return kept


@requires(Permission.CONTACTS_WRITE)
def block(ctx: Context, contact_id: UUID) -> Contact:
    """Nothing is sent to them until they are unblocked, and what waits to leave is taken back.

    What they write still comes in: only WhatsApp's own block keeps that away.
    """
    contact = _set_blocked(ctx, contact_id, blocked=True)
    outbox.withdraw(ctx, contact.id)
    return contact


@requires(Permission.CONTACTS_WRITE)
def unblock(ctx: Context, contact_id: UUID) -> Contact:
    """They may be written to again. What was taken back stays so."""
    return _set_blocked(ctx, contact_id, blocked=False)


def _set_blocked(ctx: Context, contact_id: UUID, *, blocked: bool) -> Contact:
    contact = the_contact(ctx, contact_id, for_update=True)
    if contact.is_blocked != blocked:
        contact.is_blocked = blocked
        contact.revision += 1
        contact.updated_at = ctx.now
        history.note(ctx, contact.id, EventKind.BLOCKED if blocked else EventKind.UNBLOCKED)
        ctx.announce("contact", contact.id)
    return contact


@requires(Permission.CONTACTS_ERASE)
def erase(ctx: Context, contact_id: UUID) -> None:
    """Forget a person for good: names, numbers, fields, tags, message texts, files and notes.

    That there were messages, when, and what they cost stays, so that counts and bills stay true. If they
    write again they are a new contact. What Meta delivered about them is cut out of the log of deliveries
    by a job that follows.
    """
    contact = the_contact(ctx, contact_id, for_update=True)
    erasing.erase(ctx, contact.id)
