"""Keeping a contact's words true, and finding contacts by them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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

# A word or tag of fewer contacts than this is looked up first; of a commoner one, enough are met on the way.
RARE = 2_000
AFTER_EVERY_LETTER = "\U0010ffff"

Search = Callable[[type[Contact]], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Holders:
    """Those who have a tag or a word: one index of the table that says so."""

    contact_id: UUID  # the column
    where: tuple[ColumnElement[bool], ...]

    def ids(self) -> Select[UUID]:
        return select_columns(col(self.contact_id)).where(*self.where)


@dataclass(frozen=True, slots=True)
class Searches:
    """What a filter searches for. `common`: one that very many have, where none is rare."""

    all: list[Search]
    common: Holders | None


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
    return [*there(ctx, wanted), *(search(Contact) for search in searches(ctx, wanted).all)]


def there(ctx: Context, wanted: ContactFilter) -> list[ColumnElement[bool]]:
    """What every shown contact has in its own row."""
    found = _there(ctx)
    if wanted.is_blocked is not None:
        found.append(col(Contact.is_blocked) == wanted.is_blocked)
    return found


def searches(ctx: Context, wanted: ContactFilter) -> Searches:
    """How the tags and words of a filter are looked up: a rare one first, by the few who have it."""
    sets: list[Holders] = [
        *(_tagged(ctx, tag_id) for tag_id in wanted.tag_ids),
        *(_worded(ctx, word) for word in _longest_first(searched_words(wanted.text))),
    ]
    for place, holders in enumerate(sets):
        ids = _some(ctx, holders)
        if len(ids) <= RARE:
            others = [_is_among(other) for other in (*sets[:place], *sets[place + 1 :])]
            return Searches([_is_one_of(ids), *others], None)
    return Searches([_is_among(one) for one in sets], sets[0] if sets else None)


def count(ctx: Context, wanted: ContactFilter) -> Count:
    """How many contacts the filter shows, counted no further than `Count.MOST`."""
    if len(wanted.tag_ids) == 1 and wanted == ContactFilter(tag_ids=wanted.tag_ids):
        # Who was merged or erased has no tags: the tag's own rows are the answer.
        some = _tagged(ctx, wanted.tag_ids[0]).ids()
    else:
        some = select_columns(col(Contact.id)).where(*conditions(ctx, wanted))
    counted = select_columns(func.count()).select_from(some.limit(Count.MOST).subquery())
    return Count(ctx.session.scalar(counted) or 0)


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


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(words, key=len, reverse=True)


def _tagged(ctx: Context, tag_id: UUID) -> Holders:
    return Holders(
        ContactTag.contact_id,
        (col(ContactTag.tenant_id) == ctx.tenant_id, col(ContactTag.tag_id) == tag_id),
    )


def _worded(ctx: Context, beginning: str) -> Holders:
    # Not LIKE: it is not leakproof, so that under row security no index would serve it.
    word = col(ContactWord.word)
    return Holders(
        ContactWord.contact_id,
        (
            col(ContactWord.tenant_id) == ctx.tenant_id,
            word >= beginning,
            word < beginning + AFTER_EVERY_LETTER,
        ),
    )


def _some(ctx: Context, holders: Holders) -> list[UUID]:
    """Whom the search finds, or the first of them where they are more than RARE."""
    return sorted(set(ctx.session.scalars(holders.ids().limit(RARE + 1))))


def _is_one_of(ids: list[UUID]) -> Search:
    return lambda contact: col(contact.id).in_(ids)


def _is_among(holders: Holders) -> Search:
    return lambda contact: (
        select_columns(literal(1))
        .where(*holders.where, col(holders.contact_id) == col(contact.id))
        .exists()
    )


def _of(ctx: Context, contact_id: UUID) -> list[ColumnElement[bool]]:
    return [
        col(ContactWord.tenant_id) == ctx.tenant_id,
        col(ContactWord.contact_id) == contact_id,
    ]
