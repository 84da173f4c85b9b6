"""A workspace, its members and its invitations."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.core.permissions import Role
from aerostic.domain.team import service as team
from aerostic.domain.tenants import queries, service
from aerostic.domain.tenants.models import Invitation
from aerostic.domain.tenants.queries import InvitationRow, MemberRow, Workspace
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1", tags=["Workspace and team"])


class WorkspaceDetailOut(BaseModel):
    """A workspace."""

    id: UUID
    name: str = Field(examples=["Bluebird Café"])
    slug: str = Field(examples=["bluebird-cafe"], description="Its short name; it never changes.")
    status: str = Field(examples=["active"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    default_country: str = Field(examples=["DE"])
    created_at: datetime

    @classmethod
    def of(cls, row: Workspace) -> "WorkspaceDetailOut":
        return cls(
            id=row.id,
            name=row.name,
            slug=row.slug,
            status=row.status,
            time_zone=row.time_zone,
            default_country=row.default_country,
            created_at=row.created_at,
        )


class WorkspaceIn(BaseModel):
    """What can be changed about a workspace. What is left out stays."""

    name: str | None = Field(None, max_length=1000, examples=["Bluebird Café"])
    time_zone: str | None = Field(None, max_length=80, examples=["Europe/Berlin"])
    default_country: str | None = Field(None, max_length=2, examples=["DE"])


class MemberOut(BaseModel):
    """Someone of the team."""

    user_id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    email: str = Field(examples=["ada@example.com"])
    role: Role
    has_second_factor: bool
    joined_at: datetime

    @classmethod
    def of(cls, row: MemberRow) -> "MemberOut":
        return cls(
            user_id=row.user_id,
            name=row.name,
            email=row.email,
            role=row.role,
            has_second_factor=row.has_second_factor,
            joined_at=row.joined_at,
        )


class RoleIn(BaseModel):
    """The role that a member gets."""

    role: Role


class InvitationIn(BaseModel):
    """Whom to invite, and as what."""

    email: str = Field(max_length=320, examples=["ada@example.com"])
    role: Role = Field(examples=["agent"])


class InvitationOut(BaseModel):
    """An invitation that waits for an answer."""

    id: UUID
    email: str = Field(examples=["ada@example.com"])
    role: Role
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: Invitation | InvitationRow) -> "InvitationOut":
        return cls(
            id=row.id,
            email=row.email,
            role=Role(row.role),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


@router.get("/workspace")
def workspace(ctx: Ctx) -> WorkspaceDetailOut:
    """The workspace of this request."""
    return WorkspaceDetailOut.of(queries.workspace(ctx))


@router.patch("/workspace")
def change_workspace(ctx: Ctx, body: WorkspaceIn) -> WorkspaceDetailOut:
    """Change its name, time zone or country."""
    if body.name is not None:
        service.rename(ctx, body.name)
    if body.time_zone is not None or body.default_country is not None:
        now = queries.workspace(ctx)
        service.set_region(
            ctx,
            time_zone=body.time_zone or now.time_zone,
            default_country=body.default_country or now.default_country,
        )
    return WorkspaceDetailOut.of(queries.workspace(ctx))


@router.get("/members")
def members(ctx: Ctx, cursor: After = None, limit: Limit = 50) -> PageOut[MemberOut]:
    """The team, by e-mail address."""
    return PageOut.of(queries.members(ctx, cursor, limit), MemberOut.of)


@router.patch("/members/{user_id}", status_code=204)
def change_role(ctx: Ctx, user_id: UUID, body: RoleIn) -> None:
    """Give a member another role, below one's own."""
    service.change_role(ctx, user_id, body.role)


@router.delete("/members/{user_id}", status_code=204)
def remove_member(ctx: Ctx, user_id: UUID) -> None:
    """Take someone out of the workspace. Nobody has their conversations then."""
    team.remove_member(ctx, user_id)


@router.post("/members/{user_id}/owner", status_code=204)
def transfer_ownership(ctx: Ctx, user_id: UUID) -> None:
    """Make a member the owner, and oneself an admin."""
    service.transfer_ownership(ctx, user_id)


@router.post("/workspace/leave", status_code=204)
def leave(ctx: Ctx) -> None:
    """Leave the workspace oneself."""
    team.leave(ctx)


@router.get("/invitations")
def invitations(ctx: Ctx, cursor: After = None, limit: Limit = 50) -> PageOut[InvitationOut]:
    """The invitations that wait for an answer, latest first."""
    return PageOut.of(queries.invitations(ctx, cursor, limit), InvitationOut.of)


@router.post("/invitations", status_code=201)
def invite(ctx: Ctx, once: Once, body: InvitationIn) -> InvitationOut:
    """Invite someone by e-mail, into a role below one's own."""
    return once(lambda: InvitationOut.of(service.invite(ctx, body.email, body.role)))


@router.delete("/invitations/{invitation_id}", status_code=204)
def withdraw_invitation(ctx: Ctx, invitation_id: UUID) -> None:
    """Make an invitation's link stop working."""
    service.withdraw_invitation(ctx, invitation_id)
