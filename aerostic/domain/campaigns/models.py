"""Campaigns, whom each is for, and what became of every one of them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, SmallInteger, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, belongs_to, created, moment, new_key


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    SCHEDULED = "scheduled"
    PREPARING = "preparing"  # launched: its recipients are being written down
    RUNNING = "running"
    PAUSED = "paused"  # `problem` says why, unless a person did
    DONE = "done"
    CANCELLED = "cancelled"


class RecipientState(StrEnum):
    """Where one recipient is. The funnel counts these; replies are `campaign_responses`."""

    PENDING = "pending"
    QUEUED = "queued"  # a message is written; it waits for its turn at the number
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"  # WhatsApp's answer was lost
    SKIPPED = "skipped"  # never written to, and `reason` says why
    CANCELLED = "cancelled"


class SkipReason(StrEnum):
    """Why someone of the audience is not written to."""

    STOPPED_MARKETING = "stopped_marketing"
    BLOCKED = "blocked"
    ERASED = "erased"
    UNDELIVERABLE = "undeliverable"
    FREQUENCY_CAP = "frequency_cap"
    NO_ADDRESS = "no_address"  # neither a phone number nor an id for the numbers of the campaign
    VARIABLE_MISSING = "variable_missing"
    VARIABLE_REFUSED = "variable_refused"  # WhatsApp takes no line breaks, tabs or long texts
    NO_PRICE = "no_price"  # a number in no market
    HELD_OUT = "held_out"  # left out on purpose, to compare with


class Campaign(TenantModel, table=True):
    """One template to many people, once each.

    `audience` is a reference as `audiences` makes it. `variants` holds what is sent: the first alone, or
    several to compare, each `{"template_id", "share", "variables"}` (`variables.py`).
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        Index("campaigns_newest", "tenant_id", "id"),
        Index("campaigns_of_series", "tenant_id", "series_id", "id"),
    )

    id: UUID = new_key()
    name: str
    status: str = CampaignStatus.DRAFT
    revision: int = 0
    category: str = ""  # Meta's, of its template
    audience: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    variants: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    hold_out_percent: int = 0
    number_ids: list[UUID] = Field(default_factory=list, sa_type=ARRAY(Uuid))
    timing: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)  # `timing.py`
    most_per_minute: int | None = None  # slower than WhatsApp allows
    pause_at_failure_percent: int = 30
    needs_approval: bool = False
    approved_by_name: str | None = None
    approved_at: datetime | None = moment(default=None)

    # Writing the recipients down, slice by slice
    is_expanding: bool = False
    expanded_until: UUID | None = None  # contacts up to this one are written down
    expanded_at: datetime | None = moment(default=None)  # complete; none after an edit
    plan: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)  # `planning.py`
    skips_missing: bool = False  # who launched has seen for whom a variable is missing

    # Sending
    hold_id: UUID | None = None
    priced_at: datetime | None = moment(default=None)  # prices are those of this moment
    problem: str | None = None
    allowance: float = 0.0  # messages that the throttle lets out by `ticked_at`
    ticked_at: datetime | None = moment(default=None)
    watched_at: datetime | None = moment(default=None)  # failures were last counted

    series_id: UUID | None = None  # the repeating campaign that this is one turn of
    next_turn_at: datetime | None = moment(default=None)  # of a repeating one
    created_by_name: str = ""
    created_at: datetime = created()
    starts_at: datetime | None = moment(default=None)
    launched_at: datetime | None = moment(default=None)
    paused_at: datetime | None = moment(default=None)
    finished_at: datetime | None = moment(default=None)


class CampaignRecipient(TenantModel, table=True):
    """One person of one campaign. `due_at` is set while they wait to be written to, and only then.

    A trigger on `messages` keeps `state` and `reason` in step with the message, in the transaction in which
    that changes: whoever changes it. `state` is in no index, so that climbing rewrites none.
    """

    __tablename__ = "campaign_recipients"
    # No foreign keys: a million rows at once, and neither campaigns nor contacts are deleted.
    __table_args__ = (
        Index(
            "campaign_recipients_due",
            "tenant_id",
            "campaign_id",
            "due_at",
            "contact_id",
            postgresql_where=text("due_at is not null"),
        ),
        Index("campaign_recipients_of_contact", "tenant_id", "contact_id"),
        Index(
            "campaign_recipients_of_message",
            "tenant_id",
            "message_id",
            postgresql_where=text("message_id is not null"),
        ),
    )

    campaign_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)
    state: str = RecipientState.PENDING
    reason: str | None = None  # a SkipReason, or Meta's code of the failure
    cells: dict[str, Any] | None = Field(default=None, sa_type=JSONB)  # of a list's row
    due_at: datetime | None = moment(default=None)
    variant: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": "0"})
    attempt: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": "0"})
    number_id: UUID | None = None
    message_id: UUID | None = None
    micros: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    market: str = Field(default="", sa_column_kwargs={"server_default": ""})
    sent_at: datetime | None = moment(default=None)  # when it was handed to the number's queue


class CampaignResponse(TenantModel, table=True):
    """That someone answered a campaign, or followed its link: the first time only."""

    __tablename__ = "campaign_responses"

    campaign_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)  # replied
    at: datetime = created()


class CampaignHour(TenantModel, table=True):
    """How many people a number's campaigns wrote to in one hour: WhatsApp limits those of 24 hours."""

    __tablename__ = "campaign_hours"
    __table_args__ = (belongs_to("phone_numbers", "number_id"),)

    number_id: UUID = Field(primary_key=True)
    hour: datetime = moment(primary_key=True)
    recipients: int = 0


class CampaignEvent(TenantModel, table=True):
    """What was done to a campaign, by whom, and what it did by itself."""

    __tablename__ = "campaign_events"
    __table_args__ = (
        belongs_to("campaigns", "campaign_id", on_delete="CASCADE"),
        Index("campaign_events_of_campaign", "tenant_id", "campaign_id", "id"),
    )

    id: UUID = new_key()
    campaign_id: UUID
    words: str
    actor_name: str
    created_at: datetime = created()
