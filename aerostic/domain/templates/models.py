"""Message templates as Meta knows them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, belongs_to, created, new_key


class Template(TenantModel, table=True):
    """One language variant of a template of an account. `status` and `category` are Meta's words."""

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
    synced_at: datetime = created()
