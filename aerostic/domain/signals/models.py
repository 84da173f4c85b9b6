"""What happened that somebody may want to act upon: a workflow, another company's program."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, created, new_key


class SignalKind(StrEnum):
    """Each is told once, in the transaction in which it happened."""

    MESSAGE_RECEIVED = (
        "message.received"  # also a button, list or flow reply; never history or an echo
    )
    REACTION_RECEIVED = "reaction.received"
    MESSAGE_STATUS = "message.status"  # for outgoing webhooks; never starts a workflow
    CONTACT_CREATED = "contact.created"
    CONTACT_TAGGED = "contact.tagged"
    CONVERSATION_CLOSED = "conversation.closed"
    CONVERSATION_ASSIGNED = "conversation.assigned"
    CONVERSATION_TAKEN_OVER = "conversation.taken_over"  # a person has answered in it
    EXECUTION_FAILED = "execution.failed"  # for outgoing webhooks; never starts a workflow


class Listener(StrEnum):
    AUTOMATION = "automation"
    WEBHOOKS = "webhooks"


class SignalListener(TenantModel, table=True):
    """That somebody of this tenant listens at all: without one, nothing is written down."""

    __tablename__ = "signal_listeners"

    listener: str = Field(primary_key=True)


class Signal(TenantModel, table=True):
    """One thing that happened. Gone once every listener has dealt with it, in order."""

    __tablename__ = "signals"

    id: UUID = new_key()
    kind: str
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    number_id: UUID | None = None
    message_id: UUID | None = None
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    created_at: datetime = created()


class AutomationSettings(TenantModel, table=True):
    """What a workspace has decided about its automation. No row: as the defaults say."""

    __tablename__ = "automation_settings"

    hand_back_minutes: int = 12 * 60  # after a person's last answer, automation may answer again
    keep_days: int = 30  # how long the log of a run that has ended is kept
