"""What is waiting to leave, and which work is due."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import SharedModel, TenantModel, created, moment, new_key


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


class WorkKind(StrEnum):
    LANE = "lane"  # a number with messages to send
    MEDIA = "media"  # a file to fetch from Meta
    IMPORT = "import"  # a file of contacts to take in
    SNOOZE = "snooze"  # a conversation to wake


class DueWork(SharedModel, table=True):
    """A directory of work that is due: ids only. Sweepers and lanes claim here with a lease."""

    __tablename__ = "due_work"
    __table_args__ = (Index("due_work_next", "kind", "due_at"),)

    kind: str = Field(primary_key=True)
    tenant_id: UUID = Field(primary_key=True)
    ref: UUID = Field(primary_key=True)
    due_at: datetime = created()
    leased_by: str | None = None
    leased_until: datetime | None = moment(default=None)
