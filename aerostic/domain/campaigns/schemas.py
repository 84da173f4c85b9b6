"""What travels between campaigns and the doors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aerostic.domain.audiences.filters import Audience
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.campaigns.variables import Source


@dataclass(frozen=True, slots=True)
class Variant:
    """One text to send. `share` is its weight beside the others."""

    template_id: UUID
    variables: Mapping[str, Source] = field(default_factory=dict)
    share: int = 1


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign as somebody writes it. Everything but the name may come later."""

    name: str
    audience: Audience = field(default_factory=Audience)
    variants: Sequence[Variant] = ()
    number_ids: Sequence[UUID] = ()
    timing: Timing = field(default_factory=Timing)
    hold_out_percent: int = 0
    most_per_minute: int | None = None
    pause_at_failure_percent: int = 30
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far the recipients have come. Each stage counts those who went beyond it, too."""

    audience: int = 0
    pending: int = 0
    queued: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    replied: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign in a list."""

    id: UUID
    name: str
    status: str
    template_name: str
    problem: str | None
    starts_at: datetime | None
    launched_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    created_by_name: str
    series_id: UUID | None
    repeats: bool


@dataclass(frozen=True, slots=True)
class CampaignView:
    """One campaign with all that was chosen for it."""

    id: UUID
    name: str
    status: str
    revision: int
    category: str
    audience: Audience
    variants: tuple[Variant, ...]
    number_ids: tuple[UUID, ...]
    timing: Timing
    hold_out_percent: int
    most_per_minute: int | None
    pause_at_failure_percent: int
    needs_approval: bool
    approved_by_name: str | None
    approved_at: datetime | None
    problem: str | None
    series_id: UUID | None
    next_turn_at: datetime | None
    created_by_name: str
    created_at: datetime
    starts_at: datetime | None
    launched_at: datetime | None
    paused_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class MarketCost:
    """What a market's recipients cost together, at the prices of the plan's day."""

    market: str
    count: int
    micros: int


@dataclass(frozen=True, slots=True)
class PlanView:
    """What launching would do. Until `is_ready`, the figures are of `counted` people out of `total`."""

    is_ready: bool
    is_counting: bool
    counted: int
    total: int
    to_send: int
    skipped: Mapping[str, int]
    missing: int  # of the skipped: those for whom a variable is missing
    costs: tuple[MarketCost, ...]
    micros: int
    per_second: float
    finishes_at: datetime | None
    day_limit: int | None  # people whom WhatsApp lets the account write to in 24 hours; None: any
    used_today: int
    over_limit: int  # who go on a later day
    last_day_at: datetime | None  # when the last of those go
    problem: str | None


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """One recipient as a list shows them."""

    contact_id: UUID
    name: str
    phone: str | None
    state: str
    reason: str | None
    reason_words: str
    variant: int
    attempt: int
    number_id: UUID | None
    message_id: UUID | None
    micros: int
    market: str
    sent_at: datetime | None
    replied_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many failed or were skipped for one reason, in words."""

    state: str
    reason: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class VariantFunnel:
    """How one of several texts did."""

    variant: int
    template_name: str
    funnel: Funnel


@dataclass(frozen=True, slots=True)
class Preview:
    """The message that one recipient would get; `missing` names the gaps without a value."""

    contact_id: UUID
    name: str
    template_id: UUID
    template_name: str
    values: Mapping[str, str]
    missing: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class EventRow:
    words: str
    actor_name: str
    created_at: datetime
