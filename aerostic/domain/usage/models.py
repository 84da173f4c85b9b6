"""Events of use: what bills, quotas and figures are folded from, and the sums of each day."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.ids import EPOCH
from aerostic.core.tenancy import AppendOnlyModel, TenantModel, created, moment, new_key

WRITING_TRANSACTION = "(pg_current_xact_id()::text)::bigint"


class UsageKind(StrEnum):
    OUTGOING_MESSAGE = "outgoing_message"
    AI_AGENT_CALL = "ai_agent_call"  # quantity: tokens, in and out
    DOCUMENT_STORAGE = "document_storage"  # quantity: bytes; below zero when a document is deleted
    WORKFLOW_EXECUTION = "workflow_execution"


PARTS = ("events", "quantity", "cost_micros")  # a kind's figures of a day: `ai_agent_call.quantity`


class UsageEvent(AppendOnlyModel, table=True):
    """One use. Partitioned by month on its id. Holds no personal data, so erasing someone leaves it.

    PostgreSQL itself writes down the transaction that an event came in: see `folding`.
    """

    __tablename__ = "usage_events"
    __table_args__ = (
        Index("usage_events_by_transaction", "tenant_id", "written_in"),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: UUID = new_key()
    kind: str
    quantity: int = Field(sa_type=BigInteger)
    cost_micros: int = Field(
        default=0, sa_type=BigInteger
    )  # of a US dollar: what it cost the operator
    ref: UUID | None = None  # the message, turn, document or execution
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    occurred_at: datetime = created()
    written_in: int | None = Field(
        default=None,
        nullable=False,
        sa_type=BigInteger,
        sa_column_kwargs={"server_default": text(WRITING_TRANSACTION)},
    )


class DailyMetric(TenantModel, table=True):
    """A figure of a day, in the workspace's time zone. What is not there is zero.

    `key` divides a figure further: by who wrote, by what a message came to, by code of failure.
    """

    __tablename__ = "tenant_daily_metrics"

    metric: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    key: str = Field(default="", primary_key=True)
    value: int = Field(default=0, sa_type=BigInteger)


class UsageWatermark(TenantModel, table=True):
    """How far a workspace's events have been folded: everything written by an earlier transaction."""

    __tablename__ = "usage_watermarks"

    tenant_id: UUID = Field(default=None, primary_key=True)
    next_transaction: int = Field(default=0, sa_type=BigInteger)
    after_id: UUID = EPOCH  # what a restored database brought along is counted up to here
    folded_at: datetime = moment()
