"""What Meta posted to us, byte for byte, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import PlatformModel, TenantModel, created, moment, new_key


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DONE = "done"
    PARKED = "parked"  # some part could not be applied; see its problems


class WebhookDelivery(PlatformModel, table=True):
    """One POST of Meta's. Partitioned by month on its id, which holds the time of receipt."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(
            "webhook_deliveries_pending",
            "id",
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "webhook_deliveries_parked",
            "id",
            postgresql_where=text("status = 'parked'"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: UUID = new_key()
    body: bytes
    status: str = DeliveryStatus.PENDING
    attempts: int = 0
    processed_at: datetime | None = moment(default=None)


class DeliveryShare(TenantModel, table=True):
    """One tenant's part of one delivery, marked as done in the transaction that applied it."""

    __tablename__ = "delivery_shares"

    delivery_id: UUID = Field(primary_key=True)
    applied_at: datetime = created()
    # What could not be applied, until the delivery's own row and its problems say so.
    problems: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)


class Redaction(TenantModel, table=True):
    """Someone was erased whose messages still stand in raw deliveries. Gone as soon as they do not."""

    __tablename__ = "redactions"

    id: UUID = new_key()
    sealed: str  # by what they are known there
    since: datetime = created()  # nothing about them came before
    created_at: datetime = created()


class DeliveryProblem(PlatformModel, table=True):
    """One change of a delivery that could not be applied, with the reason."""

    __tablename__ = "delivery_problems"

    id: UUID = new_key()
    delivery_id: UUID = Field(index=True)
    tenant_id: UUID | None = None
    entry: int = 0
    change: int = 0
    kind: str
    reason: str
    created_at: datetime = created()
    resolved_at: datetime | None = moment(default=None)
