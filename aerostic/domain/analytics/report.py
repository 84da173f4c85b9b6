"""What the analytics page, its files and the API show: tables of rows, each with its sums."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from aerostic.domain.analytics.days import Period


@dataclass(frozen=True, slots=True)
class Summary:
    """The heads of the page, of one stretch of days. Times in seconds, None where there is nothing to say."""

    received: int
    written: int  # sent, by whomever: people, automation, campaigns, programs
    opened: int
    closed: int
    delivered: int  # of what we sent, that has arrived so far; what was read has arrived
    read: int
    failed: int
    tried: int  # what delivered, read and failed are shares of: all that left or failed
    first_response: int | None  # half were answered within
    first_response_slow: int | None  # nine of ten were
    answer: int | None
    answer_slow: int | None
    resolution: int | None
    resolution_slow: int | None
    runs: int
    runs_failed: int
    ai_turns: int
    ai_tokens: int
    ai_cost_micros: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day. `written` is the sum of the four after it and of what was written on the phone itself."""

    day: date
    received: int
    written: int
    by_people: int
    by_automation: int
    by_campaigns: int
    by_api: int
    delivered: int
    read: int
    failed: int
    opened: int
    closed: int
    runs: int
    ai_cost_micros: int


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What became of messages: a word, how many, and their share of all in thousandths."""

    status: str
    many: int
    per_mille: int


@dataclass(frozen=True, slots=True)
class FailureRow:
    code: str
    reason: str
    many: int


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What one person did. Times in seconds."""

    name: str
    messages: int
    answers: int
    answer: int | None
    first_responses: int
    first_response: int | None
    closed: int
    resolution: int | None


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign's messages of these days, by what has become of them so far."""

    campaign_id: UUID
    name: str
    recipients: int
    delivered: int
    read: int
    failed: int


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """A workflow's live runs. `living` have not ended."""

    workflow_id: UUID
    name: str
    runs: int
    done: int
    failed: int
    stopped: int
    living: int


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An AI agent's use. Cost in micro-units of a US dollar, at the model's list price."""

    agent_id: UUID
    name: str
    turns: int
    tokens: int
    cost_micros: int
    handed_over: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything, of a stretch of days and of the one before. `counted_at`: None, nothing was yet."""

    period: Period
    time_zone: str
    counted_at: datetime | None
    now: Summary
    before: Summary
    days: tuple[DayRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    failures: tuple[FailureRow, ...]
    people: tuple[PersonRow, ...]
    campaigns: tuple[CampaignRow, ...]
    workflows: tuple[WorkflowRow, ...]
    agents: tuple[AgentRow, ...]
