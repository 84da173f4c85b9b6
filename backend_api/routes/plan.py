"""The workspace's plan over HTTP."""

import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.plans import queries, service
from aerostic.domain.plans.limits import Limit
from aerostic.domain.plans.queries import PlanView
from backend_api.deps import Ctx

router = APIRouter(prefix="/api/v1/plan", tags=["Plan"])


class AllowanceOut(BaseModel):
    """Messages and AI tokens are those of this month. `most` null: no limit."""

    limit: Limit
    used: int
    most: int | None = Field(examples=[2000])


class OtherPlanOut(BaseModel):
    slug: str = Field(examples=["unlimited"])
    name: str
    summary: str
    includes: list[str]
    is_asked_for: bool


class PlanOut(BaseModel):
    """`is_over`: a trial that has ended; nothing is sent any more."""

    slug: str = Field(examples=["trial"])
    name: str
    summary: str
    ends_at: datetime.datetime | None
    is_over: bool
    allowances: list[AllowanceOut]
    others: list[OtherPlanOut]

    @classmethod
    def of(cls, found: PlanView) -> "PlanOut":
        return cls.model_validate(found, from_attributes=True)


class AskIn(BaseModel):
    slug: str = Field(max_length=64, examples=["unlimited"])


@router.get("")
def plan(ctx: Ctx) -> PlanOut:
    """What the plan includes, and how much of it is used."""
    return PlanOut.of(queries.plan(ctx))


@router.post("/ask")
def ask_for(ctx: Ctx, body: AskIn) -> PlanOut:
    """Ask whoever runs the platform for another plan. They are told by e-mail, and decide."""
    service.ask_for(ctx, body.slug)
    return PlanOut.of(queries.plan(ctx))
