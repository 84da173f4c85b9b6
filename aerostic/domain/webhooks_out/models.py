"""Other programs that want to know: their addresses, what was told to them, and how that went."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, Index, Text, text
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, belongs_to, created, moment, new_key


class EndpointStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"  # by a person
    DISABLED = "disabled"  # by us, after it failed for a day


class WebhookEndpoint(TenantModel, table=True):
    """An address of another program, what it wants to hear, and the secret that signs what we tell it."""

    __tablename__ = "webhook_endpoints"

    id: UUID = new_key()
    url: str
    description: str = ""
    events: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    status: str = EndpointStatus.ACTIVE
    problem: str = ""  # why it was disabled
    secret_sealed: str = Field(repr=False)
    previous_secret_sealed: str = Field(
        default="", repr=False
    )  # signs too, for a day after a rotation
    previous_until: datetime | None = moment(default=None)
    failing_since: datetime | None = moment(default=None)  # of the first failure after a success
    succeeded_at: datetime | None = moment(default=None)
    created_by: UUID | None = None
    created_at: datetime = created()
    updated_at: datetime = created()


class DispatchStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"  # tried for a day


class WebhookDispatch(TenantModel, table=True):
    """One event for one endpoint. Gone after 30 days."""

    __tablename__ = "webhook_dispatches"
    __table_args__ = (
        belongs_to("webhook_endpoints", "endpoint_id", on_delete="CASCADE"),
        Index("webhook_dispatches_of_endpoint", "tenant_id", "endpoint_id", "id"),
        Index(
            "webhook_dispatches_due",
            "tenant_id",
            "endpoint_id",
            "next_try_at",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("webhook_dispatches_created", "tenant_id", "created_at"),
        Index("webhook_dispatches_of_contact", "tenant_id", "contact_id"),
    )

    id: UUID = new_key()
    endpoint_id: UUID
    event_id: str  # `webhook-id`: the same in every try and every replay, so that it is taken once
    event: str
    body: str
    contact_id: UUID | None = None  # whom it tells of: erased with them
    status: str = DispatchStatus.PENDING
    tries: int = 0
    next_try_at: datetime = created()
    first_tried_at: datetime | None = moment(default=None)
    last_status: int | None = None
    problem: str = ""
    is_replay: bool = False
    created_at: datetime = created()
    delivered_at: datetime | None = moment(default=None)


class WebhookTry(TenantModel, table=True):
    """One request and what came back, both cut to an excerpt."""

    __tablename__ = "webhook_tries"
    __table_args__ = (
        belongs_to("webhook_dispatches", "dispatch_id", on_delete="CASCADE"),
        Index("webhook_tries_of_dispatch", "tenant_id", "dispatch_id"),
    )

    id: UUID = new_key()
    dispatch_id: UUID
    at: datetime = created()
    milliseconds: int = 0
    request_headers: str = ""
    status: int | None = None
    answer: str = ""
    problem: str = ""
