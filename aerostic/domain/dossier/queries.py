"""What is known of a person: as one list over time, and beside another contact."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.ids import moment_of
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import history
from aerostic.domain.contacts.access import attributes_by_key, the_contact
from aerostic.domain.contacts.models import ContactEvent
from aerostic.domain.dossier import choosing, days
from aerostic.domain.dossier.choosing import Difference
from aerostic.domain.inbox.messages import event_view
from aerostic.domain.inbox.models import Conversation, ConversationEvent


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One thing that happened. `is_note`: `text` is what a colleague wrote, else a sentence about it."""

    id: UUID
    kind: str
    actor_name: str
    text: str
    is_note: bool
    conversation_id: UUID | None
    occurred_at: datetime


@requires(Permission.CONTACTS_READ)
def timeline(
    ctx: Context, contact_id: UUID, *, after: Cursor | None = None, limit: int = 50
) -> Page[TimelineItem]:
    """What people did to a contact and in its conversations, newest first.

    Messages are in the threads: here stands how many they were each day, of the latest `days.MOST`.
    """
    contact = the_contact(ctx, contact_id)
    before = read_cursor(after, UUID)[0] if after else None
    size = page_size(limit)
    items = _of_contact(ctx, contact.id, before, size + 1)
    items += _of_conversations(ctx, contact.id, before, size + 1)
    items += [_day_item(one) for one in days.of(ctx, contact.id, before, size + 1)]
    items.sort(key=lambda item: item.id, reverse=True)
    shown = items[:size]
    return Page(shown, cursor_of(shown[-1].id) if len(items) > size else None)


@requires(Permission.CONTACTS_READ)
def differences(ctx: Context, contact_id: UUID, other_id: UUID) -> list[Difference]:
    """Where two contacts that may be merged say different things, so that someone can choose."""
    kept, gone = the_contact(ctx, contact_id), the_contact(ctx, other_id)
    labels = {key: attribute.label for key, attribute in attributes_by_key(ctx).items()}
    return choosing.differences(kept, gone, labels)


def _of_contact(
    ctx: Context, contact_id: UUID, before: UUID | None, limit: int
) -> list[TimelineItem]:
    statement = select(ContactEvent).where(
        col(ContactEvent.tenant_id) == ctx.tenant_id, col(ContactEvent.contact_id) == contact_id
    )
    if before:
        statement = statement.where(col(ContactEvent.id) < before)
    rows = ctx.session.exec(statement.order_by(col(ContactEvent.id).desc()).limit(limit))
    return [_item(row) for row in rows]


def _item(row: ContactEvent) -> TimelineItem:
    sentence = f"{row.actor_name or 'Someone'} {history.sentence(row.kind, row.details)}."
    return TimelineItem(row.id, row.kind, row.actor_name, sentence, False, None, moment_of(row.id))


def _day_item(day: days.Day) -> TimelineItem:
    return TimelineItem(
        day.last_id, "messages", "", day.sentence, False, day.conversation_id, day.last_at
    )


def _of_conversations(
    ctx: Context, contact_id: UUID, before: UUID | None, limit: int
) -> list[TimelineItem]:
    theirs = select(Conversation.id).where(
        col(Conversation.tenant_id) == ctx.tenant_id, col(Conversation.contact_id) == contact_id
    )
    statement = select(ConversationEvent).where(
        col(ConversationEvent.tenant_id) == ctx.tenant_id,
        col(ConversationEvent.conversation_id).in_(theirs),
    )
    if before:
        statement = statement.where(col(ConversationEvent.id) < before)
    rows = ctx.session.exec(statement.order_by(col(ConversationEvent.id).desc()).limit(limit))
    return [_conversation_item(row) for row in rows]


def _conversation_item(row: ConversationEvent) -> TimelineItem:
    view = event_view(row)
    return TimelineItem(
        view.id,
        view.kind,
        view.actor_name,
        view.text,
        view.is_note,
        view.conversation_id,
        view.occurred_at,
    )
