"""Conversations and messages, and what people do around them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, belongs_to, created, moment, new_key


class ConversationStatus(StrEnum):
    OPEN = "open"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class MessageStatus(StrEnum):
    """A ladder: a message only climbs. `received` is the only one of an inbound message."""

    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Origin(StrEnum):
    """Where a message came from. Only `contact` raises unread counts and opens a window."""

    CONTACT = "contact"
    INBOX = "inbox"
    API = "api"
    AUTOMATION = "automation"
    CAMPAIGN = "campaign"
    PHONE_APP = "phone_app"  # an echo: written in the WhatsApp Business app on the phone
    HISTORY = "history"  # imported from the phone's past


class Conversation(TenantModel, table=True):
    """All that was said between one contact and one number. Carries what a list shows."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "contact_id", "number_id"),
        belongs_to("contacts", "contact_id"),
        belongs_to("phone_numbers", "number_id"),
        Index("conversations_all", "tenant_id", "last_message_at", "id"),
        Index("conversations_by_status", "tenant_id", "status", "last_message_at", "id"),
        Index(
            "conversations_by_assignee",
            "tenant_id",
            "assignee_id",
            "status",
            "last_message_at",
            "id",
        ),
        Index("conversations_by_number", "tenant_id", "number_id", "last_message_at", "id"),
        Index(
            "conversations_unread",
            "tenant_id",
            "last_message_at",
            "id",
            postgresql_where=text("unread_count > 0"),
        ),
    )

    id: UUID = new_key()
    contact_id: UUID
    number_id: UUID
    status: str = ConversationStatus.OPEN
    snoozed_until: datetime | None = moment(default=None)
    assignee_id: UUID | None = None
    mode: str | None = None  # None: as the number says
    unread_count: int = 0
    last_message_at: datetime = created()
    last_message_id: UUID | None = None
    last_message_preview: str = ""
    last_message_direction: str = Direction.INBOUND
    last_message_status: str = MessageStatus.RECEIVED
    last_inbound_at: datetime | None = moment(default=None)
    last_inbound_meta_id: str | None = None
    window_closes_at: datetime | None = moment(default=None)
    free_entry_until: datetime | None = moment(default=None)
    created_at: datetime = created()
    closed_at: datetime | None = moment(default=None)


class Message(TenantModel, table=True):
    """One message in or out. Partitioned by month on its id, which holds the time of our receipt.

    Threads order by `occurred_at` (Meta's time), then `position` (Meta's order within a delivery), then id.
    """

    __tablename__ = "messages"
    __table_args__ = (
        belongs_to("conversations", "conversation_id"),
        Index(
            "messages_of_conversation",
            "tenant_id",
            "conversation_id",
            "occurred_at",
            "position",
            "id",
        ),
        Index(
            "messages_of_template",
            "tenant_id",
            "template_id",
            "id",
            postgresql_where=text("template_id is not null"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: UUID = new_key()
    conversation_id: UUID
    contact_id: UUID
    number_id: UUID
    direction: str
    type: str
    text: str = ""
    search_text: str = ""
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    status: str
    failure: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    origin: str = Origin.CONTACT
    author_id: UUID | None = None
    meta_message_id: str | None = None
    reply_to_meta_id: str | None = None
    media_id: UUID | None = None
    template_id: UUID | None = (
        None  # whoever writes a template message names it: uses are counted by it
    )
    reactions: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    pricing: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    occurred_at: datetime = created()
    position: int = 0
    created_at: datetime = created()
    edited_at: datetime | None = moment(default=None)
    revoked_at: datetime | None = moment(default=None)


class MessageKey(TenantModel, table=True):
    """From Meta's id, or the composer's own key, to the message. The guard against duplicates.

    Not partitioned by time: a duplicate may come in the next month.
    """

    __tablename__ = "message_keys"

    key: str = Field(primary_key=True)  # "wamid.…" or "key:<actor>:<key of the composer>"
    message_id: UUID
    conversation_id: UUID


class ErasedKey(TenantModel, table=True):
    """What is left of Meta's ids of erased messages, in which a phone number may be read: keyed digests.

    By them a message that comes once more is known, and not taken in again.
    """

    __tablename__ = "erased_keys"

    digest: str = Field(primary_key=True)


class MessageEvent(TenantModel, table=True):
    """Every status that Meta ever told about a message, once each, in its message's partition scheme."""

    __tablename__ = "message_events"
    __table_args__ = ({"postgresql_partition_by": "RANGE (message_id)"},)

    message_id: UUID = Field(primary_key=True)
    status: str = Field(primary_key=True)
    occurred_at: datetime = moment(primary_key=True)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    received_at: datetime = created()


class ParkedEvent(TenantModel, table=True):
    """A status, reaction, edit or removal that came before its message, kept until that comes."""

    __tablename__ = "parked_events"
    __table_args__ = (Index("parked_events_of_message", "tenant_id", "meta_message_id"),)

    id: UUID = new_key()
    meta_message_id: str
    kind: str
    event: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    digest: str = Field(default="")
    received_at: datetime = created()


class ConversationEvent(TenantModel, table=True):
    """What people did in a conversation: notes, assignments, closing, labels. Shown in the thread."""

    __tablename__ = "conversation_events"
    __table_args__ = (
        belongs_to("conversations", "conversation_id"),
        Index("conversation_events_of_conversation", "tenant_id", "conversation_id", "id"),
    )

    id: UUID = new_key()
    conversation_id: UUID
    kind: str
    actor_user_id: UUID | None = None
    actor_name: str = ""
    text: str = ""
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    created_at: datetime = created()


class Label(TenantModel, table=True):
    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: UUID = new_key()
    name: str
    colour: str = "gray"
    created_at: datetime = created()


class ConversationLabel(TenantModel, table=True):
    __tablename__ = "conversation_labels"
    __table_args__ = (
        belongs_to("labels", "label_id", on_delete="CASCADE"),
        belongs_to("conversations", "conversation_id", on_delete="CASCADE"),
        Index("conversation_labels_of_conversation", "tenant_id", "conversation_id"),
    )

    label_id: UUID = Field(primary_key=True)
    conversation_id: UUID = Field(primary_key=True)


class CannedReply(TenantModel, table=True):
    """A ready answer, found by typing `/` and its shortcut."""

    __tablename__ = "canned_replies"
    __table_args__ = (UniqueConstraint("tenant_id", "shortcut"),)

    id: UUID = new_key()
    shortcut: str
    text: str
    created_at: datetime = created()
    updated_at: datetime = created()


class Priority:
    """Smaller leaves first."""

    AGENT_REPLY = 10
    ONE_TIME_CODE = 20
    UTILITY = 30
    MARKETING = 40


class OutboxState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"


class OutboxItem(TenantModel, table=True):
    """A message on its way to Meta. Deleted in the transaction that records the answer."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "outbox_next",
            "tenant_id",
            "number_id",
            "state",
            "priority",
            "not_before",
            "id",
        ),
    )

    id: UUID = new_key()  # the message's id
    number_id: UUID
    conversation_id: UUID
    recipient: str
    priority: int = Priority.AGENT_REPLY
    state: str = OutboxState.QUEUED
    not_before: datetime = created()
    attempts: int = 0
    leased_until: datetime | None = moment(default=None)
    body: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


class IdempotencyKey(TenantModel, table=True):
    """What an API call with this key answered, so that a retry answers the same and does nothing."""

    __tablename__ = "idempotency_keys"

    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_digest: str
    status: int | None = None
    body: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    created_at: datetime = created()
