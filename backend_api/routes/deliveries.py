"""The log of Meta's deliveries, for the platform's staff."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from aerostic.domain.deliveries import queries, service
from aerostic.domain.deliveries.models import DeliveryStatus
from aerostic.domain.deliveries.queries import DeliveryDetail, DeliveryRow, ProblemRow
from backend_api.deps import PlatformCtx
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1/deliveries", tags=["Platform"])


class DeliveryOut(BaseModel):
    """One POST of Meta's and what became of it."""

    id: UUID
    received_at: datetime
    size: int
    status: DeliveryStatus
    attempts: int
    processed_at: datetime | None
    problems: int
    reason: str

    @classmethod
    def of(cls, row: DeliveryRow) -> "DeliveryOut":
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class ProblemOut(BaseModel):
    """Why one change could not be applied."""

    kind: str
    reason: str
    entry: int
    change: int
    tenant_id: UUID | None
    tenant_name: str
    created_at: datetime
    resolved_at: datetime | None

    @classmethod
    def of(cls, row: ProblemRow) -> "ProblemOut":
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class DeliveryDetailOut(BaseModel):
    """A delivery with its content; `is_cut` where that is too long to show whole."""

    delivery: DeliveryOut
    fields_told: list[str]
    body: str
    is_cut: bool
    problems: list[ProblemOut]

    @classmethod
    def of(cls, detail: DeliveryDetail) -> "DeliveryDetailOut":
        return cls(
            delivery=DeliveryOut.of(detail.row),
            fields_told=detail.fields,
            body=detail.body,
            is_cut=detail.is_cut,
            problems=[ProblemOut.of(one) for one in detail.problems],
        )


@router.get("")
def deliveries(
    ctx: PlatformCtx,
    status: Annotated[DeliveryStatus | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> PageOut[DeliveryOut]:
    """The log, newest first."""
    return PageOut.of(queries.deliveries(ctx, status, after, limit), DeliveryOut.of)


@router.get("/{delivery_id}")
def delivery(ctx: PlatformCtx, delivery_id: UUID) -> DeliveryDetailOut:
    """One delivery with its content and its problems."""
    return DeliveryDetailOut.of(queries.delivery(ctx, delivery_id))


@router.post("/{delivery_id}/replay", status_code=202)
def replay(ctx: PlatformCtx, delivery_id: UUID) -> None:
    """Apply it once more. What it has done already is not done again."""
    service.replay(ctx, delivery_id)
