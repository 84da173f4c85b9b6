"""Templates over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.templates import queries
from aerostic.domain.templates.models import Template
from backend_api.deps import Ctx

router = APIRouter(prefix="/api/v1/templates", tags=["Templates"])


class TemplateOut(BaseModel):
    """One language of a message template. `status`, `category` and `components` are Meta's words."""

    id: UUID
    account_id: UUID
    meta_template_id: str
    name: str = Field(examples=["order_ready"])
    language: str = Field(examples=["en_US"])
    category: str = Field(examples=["UTILITY"])
    status: str = Field(examples=["APPROVED"])
    quality: str = Field(examples=["GREEN"])
    parameter_format: str = Field(examples=["POSITIONAL"])
    rejection_reason: str | None
    components: list[dict[str, Any]]
    synced_at: datetime

    @classmethod
    def of(cls, template: Template) -> "TemplateOut":
        return cls(**template.model_dump(include=set(cls.model_fields)))


class TemplatesOut(BaseModel):
    """All of them, by name."""

    items: list[TemplateOut]
    next_cursor: None = None


@router.get("")
def templates(ctx: Ctx, account_id: UUID | None = None, status: str | None = None) -> TemplatesOut:
    """The templates of the workspace's accounts, as they were last read from Meta."""
    found = queries.templates(ctx, account_id=account_id, status=status)
    return TemplatesOut(items=[TemplateOut.of(template) for template in found])


@router.get("/{template_id}")
def template(ctx: Ctx, template_id: UUID) -> TemplateOut:
    """One template."""
    return TemplateOut.of(queries.template(ctx, template_id))
