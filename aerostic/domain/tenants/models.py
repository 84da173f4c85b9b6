"""A tenant: one company's workspace."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field

from aerostic.core.permissions import Role
from aerostic.core.tenancy import SharedModel, created, new_key


class TenantStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Tenant(SharedModel, table=True):
    """The screen and the URL call it a workspace."""

    __tablename__ = "tenants"

    id: UUID = new_key()
    name: str
    slug: str = Field(unique=True)
    status: str = TenantStatus.ACTIVE
    time_zone: str = "UTC"
    default_country: str = "US"
    created_at: datetime = created()


class Membership(SharedModel, table=True):
    """A user in a tenant, with a role there. Read at every click, so it stands outside of row security."""

    __tablename__ = "memberships"

    tenant_id: UUID = Field(primary_key=True, foreign_key="tenants.id")
    user_id: UUID = Field(primary_key=True, foreign_key="users.id", index=True)
    role: str = Role.AGENT
    created_at: datetime = created()
