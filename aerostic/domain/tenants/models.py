"""A tenant's team: who was invited. The tenant and its memberships are read at every sign-in, so they
stand in `identity.models`; they are named here too, because here is where one looks for them."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from aerostic.core.tenancy import SharedModel, TenantModel, created, moment, new_key
from aerostic.domain.identity.models import Membership, Tenant, TenantStatus

__all__ = ["Invitation", "InvitationDirectory", "Membership", "Tenant", "TenantStatus"]


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
