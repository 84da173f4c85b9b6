"""What the workspace has used, over HTTP."""

import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from aerostic.domain.analytics import days
from aerostic.domain.usage import queries
from aerostic.domain.usage.models import UsageKind
from aerostic.domain.usage.queries import Usage
from backend_api.deps import Ctx

router = APIRouter(prefix="/api/v1", tags=["Usage and analytics"])

Since = Annotated[datetime.date, Query(description="The first day, in the workspace's time zone.")]
Until = Annotated[datetime.date, Query(description="The last day, included.")]


class UsedOut(BaseModel):
    """`quantity`: messages, tokens, bytes or runs, by kind. `cost_micros`: of a US dollar."""

    kind: UsageKind
    events: int
    quantity: int
    cost_micros: int


class UsedOnOut(UsedOut):
    day: datetime.date


class UsageOut(BaseModel):
    """Sums of events that never change. `counted_at`: everything committed by then is in."""

    totals: list[UsedOut]
    days: list[UsedOnOut]
    counted_at: datetime.datetime | None = Field(examples=["2026-11-23T12:00:00Z"])

    @classmethod
    def of(cls, found: Usage) -> "UsageOut":
        return cls.model_validate(found, from_attributes=True)


@router.get("/usage")
def usage(ctx: Ctx, since: Since, until: Until) -> UsageOut:
    """What was used of each kind, by day and in all. At most 400 days."""
    period = days.period(since, until)
    return UsageOut.of(queries.usage(ctx, period.first, period.last))
