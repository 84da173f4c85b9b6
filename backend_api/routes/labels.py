"""Labels over HTTP."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.inbox import queries, service
from aerostic.domain.inbox.models import Label
from aerostic.domain.inbox.schemas import LabelView
from backend_api.deps import Ctx
from backend_api.idempotency import Once

router = APIRouter(prefix="/api/v1/labels", tags=["Labels"])


class LabelOut(BaseModel):
    """A mark that conversations can carry."""

    id: UUID
    name: str = Field(examples=["VIP"])
    colour: str = Field(examples=["amber"])

    @classmethod
    def of(cls, label: Label | LabelView) -> "LabelOut":
        return cls(id=label.id, name=label.name, colour=label.colour)


class LabelsOut(BaseModel):
    """All of them: a workspace has few."""

    items: list[LabelOut]
    next_cursor: None = None


class LabelIn(BaseModel):
    name: str = Field(max_length=1_000, examples=["VIP"])
    colour: str = Field("gray", examples=["amber"], description=", ".join(service.COLOURS))


class LabelChangeIn(BaseModel):
    """What is left out stays."""

    name: str | None = Field(None, max_length=1_000, examples=["VIP"])
    colour: str | None = Field(None, examples=["amber"])


@router.get("")
def labels(ctx: Ctx) -> LabelsOut:
    """All labels, by name."""
    return LabelsOut(items=[LabelOut.of(label) for label in queries.labels(ctx)])


@router.post("", status_code=201)
def create_label(ctx: Ctx, once: Once, body: LabelIn) -> LabelOut:
    """Make a label."""
    return once(lambda: LabelOut.of(service.create_label(ctx, body.name, body.colour)))


@router.patch("/{label_id}")
def change_label(ctx: Ctx, label_id: UUID, body: LabelChangeIn) -> LabelOut:
    """Give a label another name or colour, wherever it is attached."""
    return LabelOut.of(service.change_label(ctx, label_id, name=body.name, colour=body.colour))


@router.delete("/{label_id}", status_code=204)
def delete_label(ctx: Ctx, label_id: UUID) -> None:
    """Take a label away, from every conversation too."""
    service.delete_label(ctx, label_id)
