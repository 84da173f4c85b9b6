"""How the workspace is doing, over HTTP: the tables of the analytics page."""

import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from aerostic.domain.analytics import queries
from aerostic.domain.analytics.files import Table
from aerostic.domain.analytics.report import Report
from backend_api.deps import Ctx
from backend_api.routes.usage import Since, Until

router = APIRouter(prefix="/api/v1/analytics", tags=["Usage and analytics"])


class SummaryOut(BaseModel):
    """Times in seconds: half ended within, and nine of ten (`_slow`); null where there were none."""

    received: int
    written: int
    opened: int
    closed: int
    delivered: int = Field(description="What was read has been delivered too.")
    read: int
    failed: int
    tried: int = Field(description="What delivered, read and failed are shares of.")
    first_response: int | None
    first_response_slow: int | None
    answer: int | None
    answer_slow: int | None
    resolution: int | None
    resolution_slow: int | None
    runs: int
    runs_failed: int
    ai_turns: int
    ai_tokens: int
    ai_cost_micros: int


class DayOut(BaseModel):
    day: datetime.date
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


class OutcomeOut(BaseModel):
    status: str = Field(examples=["delivered"])
    many: int
    per_mille: int


class FailureOut(BaseModel):
    code: str = Field(examples=["131026"])
    reason: str
    many: int


class PersonOut(BaseModel):
    name: str
    messages: int
    answers: int
    answer: int | None
    first_responses: int
    first_response: int | None
    closed: int
    resolution: int | None


class CampaignOut(BaseModel):
    campaign_id: UUID
    name: str
    recipients: int
    delivered: int
    read: int
    failed: int


class WorkflowOut(BaseModel):
    workflow_id: UUID
    name: str
    runs: int
    done: int
    failed: int
    stopped: int
    living: int


class AgentOut(BaseModel):
    agent_id: UUID
    name: str
    turns: int
    tokens: int
    cost_micros: int
    handed_over: int


class PeriodOut(BaseModel):
    first: datetime.date
    last: datetime.date


class ReportOut(BaseModel):
    """Days in the workspace's time zone. `before`: as many days, just before."""

    period: PeriodOut
    time_zone: str = Field(examples=["Europe/Berlin"])
    counted_at: datetime.datetime | None
    now: SummaryOut
    before: SummaryOut
    days: list[DayOut]
    outcomes: list[OutcomeOut]
    failures: list[FailureOut]
    people: list[PersonOut]
    campaigns: list[CampaignOut]
    workflows: list[WorkflowOut]
    agents: list[AgentOut]

    @classmethod
    def of(cls, found: Report) -> "ReportOut":
        return cls.model_validate(found, from_attributes=True)


@router.get("")
def report(ctx: Ctx, since: Since, until: Until) -> ReportOut:
    """Messages, conversations, people, campaigns, workflows and agents of at most 400 days."""
    return ReportOut.of(queries.report(ctx, since, until))


@router.get("/csv", response_class=Response)
def csv(ctx: Ctx, table: Table, since: Since, until: Until) -> Response:
    """One of the tables as CSV. No cell of it can be a formula."""
    name = f'attachment; filename="{table}-{since}-{until}.csv"'
    return Response(
        queries.csv(ctx, table, since, until),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": name},
    )
