"""The platform's own rows: timers and security events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import PlatformModel, SharedModel, created, moment, new_key


class Timer(SharedModel, table=True):
    """Something that the scheduler starts on time. Whoever locks the row first starts it."""

    __tablename__ = "timers"

    name: str = Field(primary_key=True)
    next_run_at: datetime = created()
    last_run_at: datetime | None = moment(default=None)
    last_problem: str | None = None


class SecurityEvent(PlatformModel, table=True):
    """Something that the platform's staff should know of: a wrong signature, a token used twice."""

    __tablename__ = "security_events"

    id: UUID = new_key()
    kind: str = Field(index=True)
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    ip: str = ""
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    created_at: datetime = created()
