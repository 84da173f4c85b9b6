"""Secrets that workflows use and nobody reads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, created, moment, new_key


class Secret(TenantModel, table=True):
    """A value for another service. `sealed` opens only for this row; `hosts` are where it may be sent."""

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: UUID = new_key()
    name: str
    sealed: str
    hosts: list[Any] = Field(default_factory=list, sa_type=JSONB)
    made_by: UUID | None = None
    created_at: datetime = created()
    changed_at: datetime = created()
    used_at: datetime | None = moment(default=None)
