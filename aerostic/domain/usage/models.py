"""Events of use: what bills, quotas and figures are folded from."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import AppendOnlyModel, created, new_key


class UsageKind(StrEnum):
    OUTGOING_MESSAGE = "outgoing_message"
    AI_AGENT_CALL = "ai_agent_call"  # quantity: tokens, in and out
    DOCUMENT_STORAGE = "document_storage"  # quantity: bytes; below zero when a document is deleted
    WORKFLOW_EXECUTION = "workflow_execution"


class UsageEvent(AppendOnlyModel, table=True):
    """One use. Partitioned by month on its id. Holds no personal data, so erasing someone leaves it."""

    __tablename__ = "usage_events"
    __table_args__ = ({"postgresql_partition_by": "RANGE (id)"},)

    id: UUID = new_key()
    kind: str
    quantity: int = Field(sa_type=BigInteger)
    cost_micros: int = Field(
        default=0, sa_type=BigInteger
    )  # of a US dollar: what it cost the operator
    ref: UUID | None = None  # the message, turn, document or execution
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    occurred_at: datetime = created()
