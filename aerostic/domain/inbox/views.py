"""From rows to what is shown: a handful of look-ups for a whole page, never one a row."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.tenancy import Context, TenantModel
from aerostic.domain.channels.models import PhoneNumber
from aerostic.domain.contacts.models import Contact
from aerostic.domain.identity.models import User
from aerostic.domain.inbox.models import (
    CannedReply,
    Conversation,
    ConversationLabel,
    ConversationStatus,
    Direction,
    Label,
    MessageStatus,
)
from aerostic.domain.inbox.schemas import CannedReplyView, ConversationRow, LabelView, Ticks

M = TypeVar("M", bound=TenantModel)

TICKS = {
    MessageStatus.RECEIVED: Ticks.NONE,
    MessageStatus.QUEUED: Ticks.WAITING,
    MessageStatus.SENDING: Ticks.WAITING,
    MessageStatus.UNKNOWN: Ticks.UNKNOWN,
    MessageStatus.ACCEPTED: Ticks.SENT,
    MessageStatus.SENT: Ticks.SENT,
    MessageStatus.DELIVERED: Ticks.DELIVERED,
    MessageStatus.READ: Ticks.READ,
    MessageStatus.PLAYED: Ticks.READ,
    MessageStatus.FAILED: Ticks.FAILED,
    MessageStatus.CANCELLED: Ticks.CANCELLED,
}


def rows_by_id(ctx: Context, model: type[M], ids: Iterable[UUID | None]) -> dict[UUID, M]:
    """Those rows of this tenant, by their ids."""
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    table = model.__table__.c  # type: ignore[attr-defined]
    statement = select(model).where(table.tenant_id == ctx.tenant_id, table.id.in_(wanted))
    return {row.id: row for row in ctx.session.exec(statement)}  # type: ignore[attr-defined]


def user_names(ctx: Context, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names of people, also of those who have left since."""
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    statement = select(User.id, User.name).where(col(User.id).in_(wanted))
    return dict(ctx.session.exec(statement).all())


def contact_name(contact: Contact | None) -> str:
    """What to call a contact: the name we gave, the name they gave, or their number."""
    if contact is None:
        return "Unknown"
    return contact.name or contact.profile_name or phone_text(contact.phone) or "Unknown"


def phone_text(phone: str | None) -> str:
    return f"+{phone}" if phone else ""


def number_name(number: PhoneNumber | None) -> str:
    return (number.verified_name or number.display_phone_number) if number else ""


def conversation_rows(ctx: Context, found: Sequence[Conversation]) -> list[ConversationRow]:
    contacts = rows_by_id(ctx, Contact, (one.contact_id for one in found))
    numbers = rows_by_id(ctx, PhoneNumber, (one.number_id for one in found))
    names = user_names(ctx, (one.assignee_id for one in found))
    labels = _labels_of(ctx, [one.id for one in found])
    return [
        _row(one, contacts.get(one.contact_id), numbers.get(one.number_id), names, labels[one.id])
        for one in found
    ]


def _labels_of(ctx: Context, ids: Collection[UUID]) -> Mapping[UUID, list[LabelView]]:
    labels: defaultdict[UUID, list[LabelView]] = defaultdict(list)
    if not ids:
        return labels
    statement = (
        select(ConversationLabel.conversation_id, Label)
        .join(Label, col(Label.id) == col(ConversationLabel.label_id))
        .where(
            col(ConversationLabel.tenant_id) == ctx.tenant_id,
            col(Label.tenant_id) == ctx.tenant_id,
            col(ConversationLabel.conversation_id).in_(ids),
        )
        .order_by(col(Label.name))
    )
    for conversation_id, label in ctx.session.exec(statement):
        labels[conversation_id].append(label_view(label))
    return labels


def label_view(label: Label) -> LabelView:
    return LabelView(label.id, label.name, label.colour)


def canned_reply_view(reply: CannedReply) -> CannedReplyView:
    return CannedReplyView(reply.id, reply.shortcut, reply.text)


def _row(
    conversation: Conversation,
    contact: Contact | None,
    number: PhoneNumber | None,
    names: Mapping[UUID, str],
    labels: list[LabelView],
) -> ConversationRow:
    is_ours = conversation.last_message_direction == Direction.OUTBOUND
    assignee = conversation.assignee_id
    return ConversationRow(
        id=conversation.id,
        contact_id=conversation.contact_id,
        contact_name=contact_name(contact),
        contact_phone=phone_text(contact.phone) or None if contact else None,
        number_id=conversation.number_id,
        number_name=number_name(number),
        status=ConversationStatus(conversation.status),
        snoozed_until=conversation.snoozed_until,
        assignee_id=assignee,
        assignee_name=names.get(assignee, "") if assignee else "",
        unread_count=conversation.unread_count,
        last_message_at=conversation.last_message_at,
        preview=conversation.last_message_preview,
        preview_is_ours=is_ours,
        ticks=TICKS[MessageStatus(conversation.last_message_status)] if is_ours else Ticks.NONE,
        labels=labels,
        window_closes_at=conversation.window_closes_at,
    )
