"""Message templates as Meta knows them, and what is written here before Meta hears of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, belongs_to, created, moment, new_key


class TemplateStatus(StrEnum):
    """Meta's words, but for `DRAFT`: written here and not submitted yet. Meta may add words."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    IN_APPEAL = "IN_APPEAL"
    PENDING_DELETION = "PENDING_DELETION"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"


class Template(TenantModel, table=True):
    """One language variant of a template of an account. `status` and `category` are Meta's words.

    `components` is what Meta has. `draft` is what was written here and not submitted yet: of a new
    template all of it, of a submitted one the next edit. `files` leads from a header to our own file.
    """

    __tablename__ = "templates"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", "name", "language"),
        belongs_to("whatsapp_accounts", "account_id"),
    )

    id: UUID = new_key()
    account_id: UUID
    meta_template_id: str = ""
    name: str
    language: str
    category: str
    status: str
    quality: str = "UNKNOWN"
    parameter_format: str = "POSITIONAL"
    rejection_reason: str | None = None
    components: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    draft: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    files: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    ttl_seconds: int | None = None
    revision: int = 0  # of the draft: a stale tab can not overwrite a newer one
    note: str = ""  # what Meta last said about it, as a sentence
    told_status: str = ""  # the status that people were last told of
    created_at: datetime = created()
    submitted_at: datetime | None = moment(default=None)
    deleted_at: datetime | None = moment(default=None)
    synced_at: datetime = created()


class TemplateEventKind(StrEnum):
    CREATED = "created"
    SUBMITTED = "submitted"
    EDITED = "edited"  # a new version of an approved one was submitted: Meta allows few of these
    STATUS = "status"
    QUALITY = "quality"
    CATEGORY = "category"
    DELETED = "deleted"


class TemplateEvent(TenantModel, table=True):
    """Something that was done to a template, or that Meta decided about it. Never changed."""

    __tablename__ = "template_events"
    __table_args__ = (
        belongs_to("templates", "template_id", on_delete="CASCADE"),
        Index("template_events_of_template", "tenant_id", "template_id", "id"),
    )

    id: UUID = new_key()
    template_id: UUID
    kind: str
    words: str
    actor_name: str
    is_harm: bool = False  # it can not be sent any more, or costs more: people are told
    created_at: datetime = created()
