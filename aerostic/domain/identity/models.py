"""Users, their sessions, and the codes and invitations that lead to them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, Text
from sqlmodel import Field

from aerostic.core.tenancy import SharedModel, TenantModel, created, moment, new_key


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


class UserSession(SharedModel, table=True):
    """One signed-in browser or program: a family of refresh tokens. Only digests are kept."""

    __tablename__ = "user_sessions"

    id: UUID = new_key()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    access_digest: str = Field(unique=True)
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
    """A one-time token. Seen a second time, its whole session is revoked."""

    __tablename__ = "refresh_tokens"

    digest: str = Field(primary_key=True)
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
    attempts: int = 0
    created_at: datetime = created()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None)


class Invitation(TenantModel, table=True):
    """An offer to join a tenant, open until accepted, withdrawn or expired."""

    __tablename__ = "invitations"

    id: UUID = new_key()
    email: str
    role: str
    invited_by: UUID
    created_at: datetime = created()
    expires_at: datetime = moment()
    accepted_at: datetime | None = moment(default=None)
    withdrawn_at: datetime | None = moment(default=None)


class InvitationDirectory(SharedModel, table=True):
    """From the digest of an invitation's link to its tenant."""

    __tablename__ = "invitation_directory"

    digest: str = Field(primary_key=True)
    tenant_id: UUID = Field(foreign_key="tenants.id")
    invitation_id: UUID
