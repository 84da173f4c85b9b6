"""Accounts elsewhere that a workspace may use: Google's, several of them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, Index, Text, UniqueConstraint
from sqlmodel import Field

from aerostic.core.tenancy import SharedModel, TenantModel, created, moment, new_key


class ConnectionStatus(StrEnum):
    CONNECTED = "connected"
    NEEDS_ATTENTION = "needs_attention"  # the permission ended: a person must connect it again


class GoogleConnection(TenantModel, table=True):
    """A Google account that somebody of the workspace connected. Its tokens are sealed to this row."""

    __tablename__ = "google_connections"
    __table_args__ = (UniqueConstraint("tenant_id", "subject"),)

    id: UUID = new_key()
    subject: str  # Google's own id of the account
    email: str
    name: str = ""
    scopes: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    status: str = ConnectionStatus.CONNECTED
    problem: str = ""
    refresh_token_sealed: str = Field(default="", repr=False)
    access_token_sealed: str = Field(default="", repr=False)
    access_until: datetime | None = moment(default=None)
    # Who is asking for a new access token right now, and how long the others wait for them.
    refreshed_by: UUID | None = None
    refreshing_until: datetime | None = moment(default=None)
    connected_by: UUID | None = None
    created_at: datetime = created()
    updated_at: datetime = created()


class OAuthState(SharedModel, table=True):
    """A directory of sign-ins under way, by the digest of the state that Google brings back."""

    __tablename__ = "oauth_states"

    digest: str = Field(primary_key=True)
    tenant_id: UUID
    user_id: UUID
    verifier_sealed: str = Field(repr=False)
    expires_at: datetime = moment(index=True)


class GoogleAccountUse(SharedModel, table=True):
    """A directory of who uses one Google account, by a keyed digest of it.

    Google knows one permission for a person and an application: to revoke it for one workspace would end it
    for every other that connected the same account.
    """

    __tablename__ = "google_account_uses"
    __table_args__ = (Index("google_account_uses_of", "tenant_id", "connection_id"),)

    account_digest: str = Field(primary_key=True)
    connection_id: UUID = Field(primary_key=True)
    tenant_id: UUID
