"""Wallets, the ledger's entries, prices, and what each message costs. All money is in micro-units."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from aerostic.core.tenancy import (
    AppendOnlyModel,
    SharedModel,
    TenantModel,
    belongs_to,
    created,
    moment,
    new_key,
)


def _micros(**options: object) -> int:
    return Field(sa_type=BigInteger, **options)  # type: ignore[call-overload, no-any-return]


class Account(StrEnum):
    """Where money can be. The entries of a transaction, over all accounts, sum to zero."""

    AVAILABLE = "available"  # free to spend; below zero only within the credit line
    HELD = "held"  # set aside for messages that are on their way
    SPENT = "spent"  # for what was delivered
    OWED = "owed"  # below zero: what is still to be paid, before anything is available
    FUNDED = "funded"  # below zero: what came in from outside


class EntryKind(StrEnum):
    HOLD = "hold"
    CAPTURE = "capture"
    VOID = "void"
    LATE = "late"  # delivered after it was voided: charged once, without a hold
    TOP_UP = "top_up"
    REFUND = "refund"
    ADJUST = "adjust"
    CREDIT = "credit"  # the credit line changed, and with it what is owed


class ChargeState(StrEnum):
    FREE = "free"
    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"


class Category(StrEnum):
    """What Meta charges for: the categories of templates, and what is written freely."""

    MARKETING = "marketing"
    UTILITY = "utility"
    AUTHENTICATION = "authentication"
    SERVICE = "service"


class Wallet(TenantModel, table=True):
    """The balances of a tenant: what its entries sum to, kept with each posting under the row's lock.

    PostgreSQL itself refuses a sum that is not zero and a balance below the credit line.
    """

    __tablename__ = "wallets"
    __table_args__ = (
        CheckConstraint(
            "available_micros + held_micros + spent_micros - owed_micros = funded_micros",
            name="wallets_sum_to_zero",
        ),
        CheckConstraint("available_micros >= -credit_limit_micros", name="wallets_within_credit"),
        CheckConstraint(
            "held_micros >= 0 and spent_micros >= 0 and owed_micros >= 0"
            " and credit_limit_micros >= 0",
            name="wallets_not_negative",
        ),
        CheckConstraint(
            "owed_micros = 0 or available_micros = -credit_limit_micros",
            name="wallets_pay_debts_first",
        ),
    )

    currency: str
    available_micros: int = _micros(default=0)
    held_micros: int = _micros(default=0)
    spent_micros: int = _micros(default=0)
    owed_micros: int = _micros(default=0)
    funded_micros: int = _micros(default=0)
    credit_limit_micros: int = _micros(default=0)
    low_balance_micros: int | None = _micros(default=None)
    is_low: bool = False  # the crossing was told
    created_at: datetime = created()


class LedgerEntry(AppendOnlyModel, table=True):
    """One side of a posting. Never changed, never removed; those of a transaction sum to zero.

    The first entry of each posting carries its key, which can be used once: twice is once.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index(
            "ledger_entries_once",
            "tenant_id",
            "key",
            unique=True,
            postgresql_where=text("key is not null"),
        ),
    )

    id: UUID = new_key()
    transaction_id: UUID
    kind: str
    account: str
    micros: int = _micros()
    key: str | None = None
    message_id: UUID | None = None
    refers_to: UUID | None = None  # a refund's debit, a campaign's hold
    note: str = ""
    actor_name: str = ""
    created_at: datetime = created()


class Charge(TenantModel, table=True):
    """What one message costs, why, and how far that is settled. In its message's partition scheme."""

    __tablename__ = "charges"
    __table_args__ = (
        Index(
            "charges_of_hold", "tenant_id", "hold_id", postgresql_where=text("hold_id is not null")
        ),
        {"postgresql_partition_by": "RANGE (message_id)"},
    )

    message_id: UUID = Field(primary_key=True)
    number_id: UUID | None = None
    state: str
    micros: int = _micros()
    category: str
    market: str
    price_id: UUID | None = None
    why: str
    is_of_allowance: bool = False  # one of the free messages of the number's month
    is_late: bool = False  # delivered after it had been voided
    hold_id: UUID | None = None  # a campaign's
    campaign_id: UUID | None = None
    settled_at: datetime | None = moment(default=None)


class CampaignHold(TenantModel, table=True):
    """What a campaign has set aside as a whole. `assigned`: of it, what its messages stand under."""

    __tablename__ = "campaign_holds"
    __table_args__ = (
        CheckConstraint("assigned_micros <= micros", name="campaign_holds_cover_their_messages"),
        Index("campaign_holds_of_campaign", "tenant_id", "campaign_id"),
    )

    id: UUID = new_key()
    campaign_id: UUID
    micros: int = _micros(default=0)
    count: int = 0
    assigned_micros: int = _micros(default=0)
    assigned_count: int = 0
    created_at: datetime = created()
    released_at: datetime | None = moment(default=None)


class ServiceMonth(TenantModel, table=True):
    """How many of the free service messages of a number were used in a month."""

    __tablename__ = "service_months"
    __table_args__ = (belongs_to("phone_numbers", "number_id", on_delete="CASCADE"),)

    number_id: UUID = Field(primary_key=True)
    month: date = Field(primary_key=True)
    used: int = 0


class Rate(SharedModel, table=True):
    """A price of the default rate card, from a day on until the next one of its market and category."""

    __tablename__ = "rates"
    __table_args__ = (UniqueConstraint("currency", "market", "category", "valid_from"),)

    id: UUID = new_key()
    currency: str
    market: str
    category: str
    micros: int = _micros()
    valid_from: date
    created_at: datetime = created()


class TenantPrice(TenantModel, table=True):
    """A price of one tenant's own, from a day on. Without `micros`: from then on as the rate card says."""

    __tablename__ = "tenant_prices"
    __table_args__ = (UniqueConstraint("tenant_id", "market", "category", "valid_from"),)

    id: UUID = new_key()
    market: str  # "": every market
    category: str
    micros: int | None = _micros(default=None)
    valid_from: date
    set_by: str = ""
    created_at: datetime = created()
