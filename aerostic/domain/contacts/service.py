"""Every way in which a contact, a tag or a field of contacts changes."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core.errors import Conflict, Invalid, Refused
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import fields, finding, history, identities, phones
from aerostic.domain.contacts.access import (
    attributes_by_key,
    the_attribute,
    the_contact,
    the_tag,
)
from aerostic.domain.contacts.models import (
    AttributeType,
    Contact,
    ContactAttribute,
    ContactTag,
    Tag,
)
from aerostic.domain.contacts.schemas import (
    KEEP,
    AttributeValue,
    ContactChanges,
    EventKind,
    Keep,
    NewContact,
    Selection,
)
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import SignalKind
from aerostic.domain.signals.telling import Happened

MOST_AT_ONCE = 20_000
MOST_ATTRIBUTES = 100
MOST_TAGS = 1_000
TAG_COLOURS = ("gray", "red", "orange", "amber", "green", "teal", "blue", "violet", "pink")


class Stale(Conflict):
    """Someone else saved in between; nothing was changed."""

    code = "stale"

    def __init__(self) -> None:
        super().__init__(
            "Someone else changed this contact while you were editing. Load it again and repeat your change."
        )


@requires(Permission.CONTACTS_WRITE)
def create(ctx: Context, new: NewContact) -> Contact:
    """Enter a person. Raises Invalid for a wrong field, AlreadyKnown for a number that is taken."""
    phone = phones.parse(new.phone) if new.phone.strip() else None
    contact = Contact(
        name=fields.name(new.name),
        phone=phone.digits if phone else None,
        email=fields.email(new.email),
        language=fields.language(new.language),
        country=fields.country(new.country) or (phone.country if phone else None),
        attributes=fields.without_empty(_attributes(ctx, new.attributes)),
        created_at=ctx.now,
        updated_at=ctx.now,
        last_activity_at=ctx.now,
    )
    if not (contact.name or contact.phone or contact.email):
        raise Invalid("name", "Give a name, a phone number or an e-mail address.")
    plans.check(ctx, Limit.CONTACTS)
    ctx.session.add(contact)
    if phone:
        identities.claim_phone(ctx, contact, phone.digits)
    ctx.session.flush()
    finding.index(ctx, contact)
    history.note(ctx, contact.id, EventKind.CREATED)
    telling.tell(ctx, [Happened(SignalKind.CONTACT_CREATED, contact_id=contact.id)])
    for tag_id in fields.ids(new.tag_ids):
        _tag(ctx, the_tag(ctx, tag_id), [contact.id])
    ctx.announce("contact", contact.id)
    return contact


@requires(Permission.CONTACTS_WRITE)
def edit(ctx: Context, contact_id: UUID, changes: ContactChanges, *, revision: int) -> Contact:
    """Save an edit made on `revision`. Raises Stale where that is no longer the newest."""
    contact = the_contact(ctx, contact_id, for_update=True)
    if contact.revision != revision or contact.id != contact_id:
        raise Stale
    changed = _apply(ctx, contact, changes)
    if changed:
        contact.revision += 1
        contact.updated_at = ctx.now
        ctx.session.flush()
        finding.index(ctx, contact)
        history.note(ctx, contact.id, EventKind.EDITED, fields=changed)
        ctx.announce("contact", contact.id)
    return contact


def _apply(ctx: Context, contact: Contact, changes: ContactChanges) -> list[str]:
    """Write what differs onto the row; return the names of the fields that do."""
    changed = _apply_plain(contact, changes)
    if changes.phone is not KEEP and _change_phone(ctx, contact, changes.phone):
        changed.append("phone")
    if changes.attributes is not KEEP:
        changed += _change_attributes(ctx, contact, changes.attributes)
    return changed


def _apply_plain(contact: Contact, changes: ContactChanges) -> list[str]:
    wanted: dict[str, str | None] = {}
    if changes.name is not KEEP:
        wanted["name"] = fields.name(changes.name)
    if changes.email is not KEEP:
        wanted["email"] = fields.email(changes.email)
    if changes.language is not KEEP:
        wanted["language"] = fields.language(changes.language)
    if changes.country is not KEEP:
        wanted["country"] = fields.country(changes.country)
    changed = [field for field, value in wanted.items() if getattr(contact, field) != value]
    for field in changed:
        setattr(contact, field, wanted[field])
    return changed


def _change_phone(ctx: Context, contact: Contact, text: str) -> bool:
    phone = phones.parse(text) if text.strip() else None
    digits = phone.digits if phone else None
    if digits == contact.phone:
        return False
    if contact.phone:
        identities.release_phone(ctx, contact, contact.phone)
    if phone:
        identities.claim_phone(ctx, contact, phone.digits)
        contact.country = contact.country or phone.country
    contact.phone = digits
    return True


def _change_attributes(ctx: Context, contact: Contact, given: Mapping[str, object]) -> list[str]:
    values = _attributes(ctx, given)
    changed = [key for key, value in values.items() if contact.attributes.get(key) != value]
    if changed:
        contact.attributes = fields.without_empty({**contact.attributes, **values})
    return changed


# Tags -------------------------------------------------------------------------------------------


@requires(Permission.CONTACTS_WRITE)
def create_tag(ctx: Context, name: str, *, colour: str = "gray") -> Tag:
    """Make a tag. Raises Conflict where one of that name is there."""
    name, colour = _tag_name(ctx, name), _colour(colour)
    if len(ctx.session.scalars(select(Tag.id).limit(MOST_TAGS)).all()) >= MOST_TAGS:
        raise Refused(f"A workspace keeps at most {MOST_TAGS:,} tags. Delete one first.")
    tag = Tag(name=name, colour=colour)
    ctx.session.add(tag)
    ctx.write_unless_taken(_tag_taken(name))
    ctx.announce("contact", "tags")
    return tag


@requires(Permission.CONTACTS_WRITE)
def change_tag(
    ctx: Context, tag_id: UUID, *, name: str | Keep = KEEP, colour: str | Keep = KEEP
) -> Tag:
    """Rename or recolour a tag, on every contact that carries it."""
    tag = the_tag(ctx, tag_id)
    if name is not KEEP and fields.clean(name) != tag.name:
        tag.name = _tag_name(ctx, name, other_than=tag.id)
    if colour is not KEEP:
        tag.colour = _colour(colour)
    ctx.write_unless_taken(_tag_taken(tag.name))
    ctx.announce("contact", "tags")
    return tag


@requires(Permission.CONTACTS_WRITE)
def delete_tag(ctx: Context, tag_id: UUID) -> None:
    """Delete a tag and take it from every contact."""
    ctx.session.delete(the_tag(ctx, tag_id))
    ctx.announce("contact", "tags")


@requires(Permission.CONTACTS_WRITE)
def tag_contacts(ctx: Context, tag_id: UUID, selection: Selection) -> int:
    """Give every chosen contact the tag; return how many did not have it."""
    return _tag(ctx, the_tag(ctx, tag_id), _selected(ctx, selection))


@requires(Permission.CONTACTS_WRITE)
def untag_contacts(ctx: Context, tag_id: UUID, selection: Selection) -> int:
    """Take the tag from every chosen contact; return how many had it."""
    tag, contact_ids = the_tag(ctx, tag_id), _selected(ctx, selection)
    taken = delete(ContactTag).where(
        col(ContactTag.tenant_id) == ctx.tenant_id,
        col(ContactTag.tag_id) == tag.id,
        col(ContactTag.contact_id).in_(contact_ids),
    )
    had_it = ctx.session.scalars(taken.returning(col(ContactTag.contact_id))).all()
    history.note_many(ctx, had_it, EventKind.UNTAGGED, tag=tag.name)
    _announce_some(ctx, had_it)
    return len(had_it)


def _tag(ctx: Context, tag: Tag, contact_ids: Iterable[UUID]) -> int:
    rows = [
        {"tenant_id": ctx.tenant_id, "tag_id": tag.id, "contact_id": contact_id}
        for contact_id in contact_ids
    ]
    if not rows:
        return 0
    given = insert(ContactTag).on_conflict_do_nothing().returning(col(ContactTag.contact_id))
    newly = ctx.session.scalars(given, rows).all()
    history.note_many(ctx, newly, EventKind.TAGGED, tag=tag.name)
    details = {"tag_id": str(tag.id), "tag": tag.name}
    telling.tell(
        ctx,
        [Happened(SignalKind.CONTACT_TAGGED, contact_id=one, details=details) for one in newly],
    )
    _announce_some(ctx, newly)
    return len(newly)


def _selected(ctx: Context, selection: Selection) -> list[UUID]:
    ids = ctx.session.scalars(finding.chosen(ctx, selection).limit(MOST_AT_ONCE + 1)).all()
    if len(ids) > MOST_AT_ONCE:
        raise Refused(
            f"More than {MOST_AT_ONCE:,} contacts are chosen. Narrow the search, then repeat."
        )
    return fields.ids(ids)


def _announce_some(ctx: Context, contact_ids: Iterable[UUID]) -> None:
    """Each of a few contacts by name, or one word for many."""
    ids = list(contact_ids)
    for contact_id in ids if len(ids) <= 20 else ["many"]:
        ctx.announce("contact", contact_id)


def _tag_name(ctx: Context, text: str, *, other_than: UUID | None = None) -> str:
    name = fields.short("name", text, 60, "The name of the tag")
    if not name:
        raise Invalid("name", "Give the tag a name.")
    same = ctx.session.scalar(select(Tag.id).where(col(Tag.name) == name))
    if same and same != other_than:
        raise _tag_taken(name)
    return name


def _tag_taken(name: str) -> Conflict:
    return Conflict(f"There is already a tag named “{name}”.")


def _colour(colour: str) -> str:
    if colour not in TAG_COLOURS:
        raise Invalid("colour", f"Choose one of {', '.join(TAG_COLOURS)}.")
    return colour


# Fields that a workspace keeps ------------------------------------------------------------------


@requires(Permission.INBOX_MANAGE)
def define_attribute(
    ctx: Context, label: str, kind: AttributeType, *, choices: Iterable[str] = ()
) -> ContactAttribute:
    """Keep a new field about contacts. Its key follows from its first label and stays."""
    label = fields.short("label", label, 60, "The name of the field")
    key = fields.attribute_key(label)
    known = attributes_by_key(ctx)
    if key in known:
        raise _field_taken(known[key].label, key)
    if len(known) >= MOST_ATTRIBUTES:
        raise Refused(f"A workspace keeps at most {MOST_ATTRIBUTES} fields.")
    chosen = fields.choices(choices) if kind is AttributeType.CHOICE else []
    attribute = ContactAttribute(key=key, label=label, type=kind, choices=chosen)
    ctx.session.add(attribute)
    ctx.write_unless_taken(_field_taken(label, key))
    ctx.announce("contact", "attributes")
    return attribute


def _field_taken(label: str, key: str) -> Conflict:
    return Conflict(f"There is already a field “{label}” ({key}).")


@requires(Permission.INBOX_MANAGE)
def delete_attribute(ctx: Context, attribute_id: UUID) -> None:
    """Stop keeping a field. Stored values stay hidden; the same field made again shows them."""
    ctx.session.delete(the_attribute(ctx, attribute_id))
    ctx.announce("contact", "attributes")


def _attributes(ctx: Context, given: Mapping[str, object]) -> dict[str, AttributeValue | None]:
    return fields.attributes(given, attributes_by_key(ctx)) if given else {}
