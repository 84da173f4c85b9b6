"""Who is who: users, their sessions and codes, and the tenants that they belong to.

Tenants and memberships stand here because every sign-in and every click reads them together with the
user; what a team does with them is in `domain/tenants`.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, Text
from sqlmodel import Field

from aerostic.core.permissions import Role
from aerostic.core.tenancy import SharedModel, created, moment, new_key


class User(SharedModel, table=True):
    """A person who signs in. `email` is kept in lower case."""

    __tablename__ = "users"

    id: UUID = new_key()
    email: str = Field(unique=True)
    name: str
    password_hash: str
    platform_role: str | None = None
    totp_secret_sealed: str | None = None
    totp_confirmed_at: datetime | None = moment(default=None)
    totp_last_step: int = 0
    recovery_code_digests: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    created_at: datetime = created()
    disabled_at: datetime | None = moment(default=None)


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


class UserSession(SharedModel, table=True):
    """One signed-in browser or program: a family of refresh tokens. Only digests are kept."""

    __tablename__ = "user_sessions"

    id: UUID = new_key()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    second_factor: bool = False
    access_expires_at: datetime = moment()
    expires_at: datetime = moment()
    created_at: datetime = created()
    last_seen_at: datetime = created()
    ip: str = ""
    user_agent: str = ""
    revoked_at: datetime | None = moment(default=None)
    revoked_because: str | None = None
    is_impersonation: bool = False
    impersonated_by: UUID | None = None


class RefreshToken(SharedModel, table=True):
    """A one-time token, with the access token handed out beside it. Seen again, it ends its session."""

    __tablename__ = "refresh_tokens"

    digest: str = Field(primary_key=True)
    access_digest: str = Field(unique=True)
    session_id: UUID = Field(foreign_key="user_sessions.id", index=True)
    issued_at: datetime = created()
    used_at: datetime | None = moment(default=None)


class CodePurpose(StrEnum):
    REGISTER = "register"
    RESET_PASSWORD = "reset_password"


class VerificationCode(SharedModel, table=True):
    """A code sent by e-mail. Keyed digests only; what a registration still needs is sealed."""

    __tablename__ = "verification_codes"

    id: UUID = new_key()
    purpose: str
    email_digest: str = Field(index=True)
    code_digest: str
    sealed: str = ""
    created_at: datetime = created()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None)
