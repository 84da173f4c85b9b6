"""Finding messages by what they say, and contacts by who they are.

Full-text and pattern operators are not leakproof, so under row security PostgreSQL uses no index of theirs.
Messages are therefore read newest first, a bounded stretch of ids at a time: quick for what is recent,
and one stretch more for each click after that, however many there are. Contacts are found by prefixes of
their words, compared as plain bytes, which is leakproof and has an index.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from aerostic.core.errors import Invalid
from aerostic.core.ids import moment_of
from aerostic.core.pages import Cursor, cursor_of, read_cursor
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import Contact, ContactWord
from aerostic.domain.contacts.words import fold, searched_words
from aerostic.domain.inbox import content
from aerostic.domain.inbox.models import Conversation, Direction, Message
from aerostic.domain.inbox.schemas import FoundContact, FoundMessage, SearchPage
from aerostic.domain.inbox.views import contact_name, phone_text, rows_by_id

STRETCH = 20_000
MOST_MESSAGES = 20
MOST_CONTACTS = 10
MOST_WORDS = 6
LETTERS_BEFORE, LETTERS_SHOWN = 40, 160  # of an excerpt: before the found word, and in all
JOINERS = "\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
LAST_LETTER = "\U0010ffff"
_LATEST = UUID(int=2**128 - 1)


def search(ctx: Context, text: str, after: Cursor | None) -> SearchPage:
    """One stretch of messages; contacts too when it is the first."""
    words = fold(text).replace("\x00", "").split()[:MOST_WORDS]
    if not words or max(len(word) for word in words) < 2:
        raise Invalid("text", "Type at least two letters to search for.")
    before = read_cursor(after, UUID)[0] if after else _LATEST
    looked = _look_through(ctx, words, before)
    return SearchPage(
        contacts=[] if after else _contacts(ctx, text),
        messages=_found_messages(ctx, looked.found, words[0]),
        searched_back_to=moment_of(looked.back_to) if looked.back_to else None,
        next_cursor=cursor_of(looked.back_to) if looked.back_to else None,
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a stretch held. `back_to` is the id down to which it was read; None: nothing is older."""

    found: Sequence[Message]
    back_to: UUID | None


def _look_through(ctx: Context, words: Sequence[str], before: UUID) -> _Looked:
    stretch = _stretch(ctx, before).subquery()
    message = aliased(Message, stretch)
    holds = [message.search_text.contains(word, autoescape=True) for word in words]  # type: ignore[attr-defined]
    matching = select(message).where(*holds).order_by(message.id.desc())  # type: ignore[attr-defined]
    found = ctx.session.scalars(matching.limit(MOST_MESSAGES)).all()
    if len(found) == MOST_MESSAGES:
        return _Looked(found, found[-1].id)
    return _Looked(found, _end_of_stretch(ctx, before))


def _stretch(ctx: Context, before: UUID) -> Select[Message]:
    return (
        select(Message)
        .where(col(Message.tenant_id) == ctx.tenant_id, col(Message.id) < before)
        .order_by(col(Message.id).desc())
        .limit(STRETCH)
    )


def _end_of_stretch(ctx: Context, before: UUID) -> UUID | None:
    ids = _stretch(ctx, before).with_only_columns(col(Message.id)).subquery()
    counted = ctx.session.scalars(select(ids.c.id).order_by(ids.c.id).limit(1)).first()
    if counted is None:
        return None
    older = _stretch(ctx, counted).with_only_columns(col(Message.id)).limit(1)
    return counted if ctx.session.scalars(older).first() else None


def _found_messages(ctx: Context, found: Sequence[Message], word: str) -> list[FoundMessage]:
    contacts = rows_by_id(ctx, Contact, (one.contact_id for one in found))
    return [
        FoundMessage(
            message_id=one.id,
            conversation_id=one.conversation_id,
            contact_name=contact_name(contacts.get(one.contact_id)),
            is_ours=one.direction == Direction.OUTBOUND,
            excerpt=_excerpt(one, word),
            occurred_at=one.occurred_at,
        )
        for one in found
    ]


def _excerpt(message: Message, word: str) -> str:
    """The words around the found one."""
    line = " ".join(message.text.split())
    start = max(0, _place_of(word, line) - LETTERS_BEFORE)
    while start < len(line) and _belongs_to_the_letter_before(line[start]):
        start += 1
    excerpt = line[start : start + LETTERS_SHOWN]
    return ("…" if start else "") + excerpt if excerpt else content.preview(message.type, "")


def _place_of(word: str, line: str) -> int:
    """Where the word begins in the line as it was written: folding makes some letters two, some none."""
    at = fold(line).find(word)
    if at <= 0:
        return 0
    return bisect_right(range(len(line) + 1), at, key=lambda end: len(fold(line[:end]))) - 1


def _belongs_to_the_letter_before(letter: str) -> bool:
    """Accents of their own, and what joins emoji or gives them colour."""
    return bool(unicodedata.combining(letter)) or letter in JOINERS


def _contacts(ctx: Context, text: str) -> list[FoundContact]:
    prefixes = searched_words(text)
    if not prefixes:
        return []
    matching = select(Contact).where(
        col(Contact.tenant_id) == ctx.tenant_id,
        *(col(Contact.id).in_(_contacts_with(ctx, prefix)) for prefix in prefixes),
    )
    found = ctx.session.scalars(matching.limit(MOST_CONTACTS)).all()
    latest = _latest_conversations(ctx, [one.id for one in found])
    return [
        FoundContact(one.id, contact_name(one), phone_text(one.phone) or None, latest.get(one.id))
        for one in found
    ]


def _contacts_with(ctx: Context, prefix: str) -> Any:
    return select(col(ContactWord.contact_id)).where(
        col(ContactWord.tenant_id) == ctx.tenant_id,
        col(ContactWord.word) >= prefix,
        col(ContactWord.word) < prefix + LAST_LETTER,
    )


def _latest_conversations(ctx: Context, contact_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    statement = (
        select(col(Conversation.contact_id), col(Conversation.id))
        .where(
            col(Conversation.tenant_id) == ctx.tenant_id,
            col(Conversation.contact_id).in_(contact_ids),
        )
        .order_by(col(Conversation.last_message_at))
    )
    return {row.contact_id: row.id for row in ctx.session.execute(statement)}
