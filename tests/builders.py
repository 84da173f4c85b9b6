"""Rows for tests, made quickly: a contact with a conversation, and messages in it.

Each call is a transaction of its own. How such rows come to be is tested where that is done.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from aerostic.core import clock
from aerostic.core.ids import new_id
from aerostic.domain.contacts.models import Contact, ContactIdentity, ContactWord, IdentityKind
from aerostic.domain.contacts.words import fold, words_of
from aerostic.domain.inbox.models import (
    Conversation,
    Direction,
    Message,
    MessageKey,
    MessageStatus,
    Origin,
)
from aerostic.domain.usage.models import UsageEvent, UsageKind
from tests.conftest import Place

DAY = timedelta(hours=24)


def contact_of(
    place: Place, name: str = "Ada Lovelace", phone: str | None = None, **fields: Any
) -> UUID:
    """A contact with its words and, if given, its number (digits only)."""
    with place.system_work() as ctx:
        contact = Contact(name=name, sort_name=fold(name), phone=phone, **fields)
        ctx.session.add(contact)
        ctx.session.flush()
        words = words_of(name=name, phone=phone)
        ctx.session.add_all(ContactWord(word=word, contact_id=contact.id) for word in words)
        if phone:
            identity = ContactIdentity(kind=IdentityKind.PHONE, value=phone, contact_id=contact.id)
            ctx.session.add(identity)
        return contact.id


def conversation_of(
    place: Place, name: str = "Ada Lovelace", *, phone: str | None = None, **fields: Any
) -> UUID:
    """A conversation with a new contact, whose window is open unless `fields` say otherwise."""
    contact_id = fields.pop("contact_id", None) or contact_of(place, name, phone)
    usual: dict[str, Any] = {"number_id": place.number_id, "window_closes_at": clock.now() + DAY}
    with place.system_work() as ctx:
        conversation = Conversation(contact_id=contact_id, **(usual | fields))
        ctx.session.add(conversation)
        ctx.session.flush()
        return conversation.id


def inbound(place: Place, conversation_id: UUID, text: str = "Hello", **fields: Any) -> UUID:
    """A message from the contact, now unless `occurred_at` is given; unread goes up by one."""
    message_id = _message(
        place,
        conversation_id,
        text,
        {"direction": Direction.INBOUND, "status": MessageStatus.RECEIVED} | fields,
    )
    with place.system_work() as ctx:
        conversation = ctx.get(Conversation, conversation_id)
        assert conversation is not None
        conversation.unread_count += 1
        conversation.last_inbound_at = fields.get("occurred_at", ctx.now)
        conversation.last_inbound_meta_id = _meta_id(message_id, fields)
    return message_id


def outbound(
    place: Place, conversation_id: UUID, text: str = "Good morning", **fields: Any
) -> UUID:
    """A message of ours that was sent."""
    ours = {
        "direction": Direction.OUTBOUND,
        "status": MessageStatus.SENT,
        "origin": Origin.INBOX,
        "author_id": place.agent_id,
    }
    return _message(place, conversation_id, text, ours | fields)


def _message(place: Place, conversation_id: UUID, text: str, fields: dict[str, Any]) -> UUID:
    message_id = fields.get("id") or new_id()
    occurred_at: datetime = fields.get("occurred_at") or clock.now()
    given: dict[str, Any] = {
        "id": message_id,
        "type": "text",
        "text": text,
        "search_text": fold(text),
        "meta_message_id": _meta_id(message_id, fields),
        "occurred_at": occurred_at,
    } | fields
    with place.system_work() as ctx:
        conversation = ctx.get(Conversation, conversation_id)
        assert conversation is not None
        message = Message(
            conversation_id=conversation_id,
            contact_id=conversation.contact_id,
            number_id=conversation.number_id,
            **given,
        )
        key = str(given["meta_message_id"])
        ctx.session.add(message)
        ctx.session.add(MessageKey(key=key, message_id=message.id, conversation_id=conversation_id))
        conversation.last_message_at = occurred_at
        conversation.last_message_id = message.id
        conversation.last_message_preview = text
        conversation.last_message_direction = message.direction
        conversation.last_message_status = message.status
    return message_id


def _meta_id(message_id: UUID, fields: dict[str, Any]) -> str:
    return str(fields.get("meta_message_id") or f"wamid.{message_id.hex}")


def used(place: Place, kind: UsageKind) -> list[UUID | None]:
    """What was written down as used, each by what it was, oldest first. Each is one."""
    with place.system_work() as ctx:
        events = select(UsageEvent).where(UsageEvent.kind == kind).order_by(col(UsageEvent.id))
        found = ctx.session.exec(events).all()
    assert all((one.quantity, one.cost_micros) == (1, 0) for one in found)
    return [one.ref for one in found]
