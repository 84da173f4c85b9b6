"""Keeping a contact's words true, and finding contacts by them."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, literal
from sqlalchemy import select as select_columns
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.contacts import identities, naming
from aerostic.domain.contacts.models import Contact, ContactTag, ContactWord
from aerostic.domain.contacts.schemas import ContactFilter, Count, Selection
from aerostic.domain.contacts.words import searched_words, words_of

# A word of fewer contacts than this is looked up first; a commoner one is met soon enough on the way
# through the newest contacts.
RARE = 2_000
AFTER_EVERY_LETTER = "\U0010ffff"


def index(ctx: Context, contact: Contact) -> None:
    """Write the words and the sorting name of a contact anew. Part of every change of its names."""
    contact.sort_name = naming.sort_name(contact.name, contact.profile_name, contact.phone)
    values = [identity.value for identity in identities.of_contact(ctx, contact.id)]
    words = words_of(contact.name, contact.profile_name, contact.email, contact.phone, values)
    ctx.session.execute(delete(ContactWord).where(*_of(ctx, contact.id)))
    if words:
        rows = [
            {"tenant_id": ctx.tenant_id, "word": word, "contact_id": contact.id} for word in words
        ]
        ctx.session.execute(insert(ContactWord).values(rows).on_conflict_do_nothing())


def forget(ctx: Context, contact_id: UUID) -> None:
    """No word finds this contact any more."""
    ctx.session.execute(delete(ContactWord).where(*_of(ctx, contact_id)))


def conditions(ctx: Context, wanted: ContactFilter) -> list[ColumnElement[bool]]:
    """What a row of `contacts` must satisfy to be shown by the filter."""
    found = [*_there(ctx), *(_has_tag(tag_id) for tag_id in wanted.tag_ids)]
    if wanted.is_blocked is not None:
        found.append(col(Contact.is_blocked) == wanted.is_blocked)
    return [*found, *_words(ctx, searched_words(wanted.text))]


def count(ctx: Context, wanted: ContactFilter) -> Count:
    """How many contacts the filter shows, counted no further than `Count.MOST`."""
    some = select_columns(literal(1)).where(*conditions(ctx, wanted)).limit(Count.MOST)
    found = ctx.session.scalar(select_columns(func.count()).select_from(some.subquery()))
    return Count(found or 0)


def chosen(ctx: Context, selection: Selection) -> Select[UUID]:
    """The ids of a selection's contacts that are there."""
    ids = select_columns(col(Contact.id))
    if selection.everything_in is not None:
        return ids.where(*conditions(ctx, selection.everything_in))
    return ids.where(*_there(ctx), col(Contact.id).in_(selection.ids))


def _there(ctx: Context) -> list[ColumnElement[bool]]:
    return [
        col(Contact.tenant_id) == ctx.tenant_id,
        col(Contact.merged_into_id).is_(None),
        col(Contact.erased_at).is_(None),
    ]


def _words(ctx: Context, words: Iterable[str]) -> list[ColumnElement[bool]]:
    """Each word must begin some word of the contact."""
    by_length = sorted(words, key=len, reverse=True)
    for word in by_length:
        ids = _ids_with(ctx, word)
        if len(ids) <= RARE:
            others = [_has_word(other) for other in by_length if other != word]
            return [col(Contact.id).in_(ids), *others]
    return [_has_word(word) for word in by_length]


def _ids_with(ctx: Context, word: str) -> list[UUID]:
    statement = (
        select_columns(col(ContactWord.contact_id))
        .where(col(ContactWord.tenant_id) == ctx.tenant_id, _begins_with(word))
        .limit(RARE + 1)
    )
    return sorted(set(ctx.session.scalars(statement)))


def _has_word(word: str) -> ColumnElement[bool]:
    return (
        select_columns(literal(1))
        .where(
            col(ContactWord.tenant_id) == col(Contact.tenant_id),
            col(ContactWord.contact_id) == col(Contact.id),
            _begins_with(word),
        )
        .exists()
    )


def _begins_with(word: str) -> ColumnElement[bool]:
    # Not LIKE: it is not leakproof, so that under row security no index would serve it.
    beginning = col(ContactWord.word)
    return (beginning >= word) & (beginning < word + AFTER_EVERY_LETTER)


def _has_tag(tag_id: UUID) -> ColumnElement[bool]:
    return (
        select_columns(literal(1))
        .where(
            col(ContactTag.tenant_id) == col(Contact.tenant_id),
            col(ContactTag.contact_id) == col(Contact.id),
            col(ContactTag.tag_id) == tag_id,
        )
        .exists()
    )


def _of(ctx: Context, contact_id: UUID) -> list[ColumnElement[bool]]:
    return [
        col(ContactWord.tenant_id) == ctx.tenant_id,
        col(ContactWord.contact_id) == contact_id,
    ]
