"""WhatsApp Business accounts and their phone numbers."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from aerostic.core.tenancy import (
    SharedModel,
    TenantModel,
    belongs_to,
    created,
    moment,
    new_key,
)


class ConnectionStatus(StrEnum):
    CONNECTED = "connected"
    NEEDS_ATTENTION = "needs_attention"
    DISCONNECTED = "disconnected"


class NumberMode(StrEnum):
    """Who answers what comes in on a number: exactly one."""

    PERSON = "person"
    AUTOMATION = "automation"
    AI = "ai"
    PAUSED = "paused"


class WhatsappAccount(TenantModel, table=True):
    """A WhatsApp Business Account (WABA) of Meta's, with the token that speaks for it."""

    __tablename__ = "whatsapp_accounts"
    __table_args__ = (UniqueConstraint("tenant_id", "meta_account_id"),)

    id: UUID = new_key()
    meta_account_id: str
    portfolio_id: str = ""
    name: str = ""
    access_token_sealed: str
    graph_version: str | None = None
    status: str = ConnectionStatus.CONNECTED
    problem: str | None = None
    checked_at: datetime | None = moment(default=None)
    created_at: datetime = created()


class PhoneNumber(TenantModel, table=True):
    """A number that people write to. `phone_number_id` is Meta's name for it."""

    __tablename__ = "phone_numbers"
    __table_args__ = (
        UniqueConstraint("tenant_id", "phone_number_id"),
        belongs_to("whatsapp_accounts", "account_id"),
    )

    id: UUID = new_key()
    account_id: UUID
    phone_number_id: str
    display_phone_number: str
    verified_name: str = ""
    status: str = ConnectionStatus.CONNECTED
    problem: str | None = None
    quality_rating: str = "UNKNOWN"
    messaging_limit: str = ""
    messages_per_second: int = 80
    is_coexistence: bool = False
    mode: str = NumberMode.PERSON
    checked_at: datetime | None = moment(default=None)
    created_at: datetime = created()


class NumberDirectory(SharedModel, table=True):
    """From Meta's phone number id to the tenant whose it is. A number belongs to one tenant."""

    __tablename__ = "number_directory"

    phone_number_id: str = Field(primary_key=True)
    tenant_id: UUID = Field(foreign_key="tenants.id")
    number_id: UUID


class AccountDirectory(SharedModel, table=True):
    """From Meta's account id to the tenant that connected it."""

    __tablename__ = "account_directory"

    meta_account_id: str = Field(primary_key=True)
    tenant_id: UUID = Field(foreign_key="tenants.id")
    account_id: UUID
