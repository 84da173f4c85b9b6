"""Looking at a workspace and its team."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.crypto import digest
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import ROLE_POWER, Permission, Role, public, requires, system
from aerostic.core.tenancy import Context, unit_of_work
from aerostic.domain.identity import attempts, people
from aerostic.domain.identity.models import Membership, Tenant, User
from aerostic.domain.tenants.models import Invitation, InvitationDirectory
from aerostic.domain.tenants.service import InvitationGone


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a workspace is called and where it is."""

    id: UUID
    name: str
    slug: str
    status: str
    time_zone: str
    default_country: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Someone of the team. `can_change`: the actor has power over them."""

    user_id: UUID
    name: str
    email: str
    role: Role
    has_second_factor: bool
    joined_at: datetime
    is_self: bool
    can_change: bool


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation that nobody has answered yet."""

    id: UUID
    email: str
    role: Role
    invited_by: str
    created_at: datetime
    expires_at: datetime
    is_expired: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page behind an invitation's link shows."""

    workspace: str
    email: str
    role: Role
    has_account: bool


@requires(Permission.WORKSPACE_READ)
def workspace(ctx: Context) -> Workspace:
    """The workspace of this context."""
    row = ctx.session.get_one(Tenant, ctx.tenant_id)
    return Workspace(
        row.id,
        row.name,
        row.slug,
        row.status,
        row.time_zone,
        row.default_country,
        row.created_at,
    )


@requires(Permission.TEAM_READ)
def members(ctx: Context, after: Cursor | None = None, limit: int = 50) -> Page[MemberRow]:
    """The team, by e-mail address."""
    size = page_size(limit)
    wanted = (
        select(Membership, User)
        .join(User, col(User.id) == Membership.user_id)
        .where(Membership.tenant_id == ctx.tenant_id)
        .order_by(User.email)
        .limit(size + 1)
    )
    if after:
        (email,) = read_cursor(after, str)
        wanted = wanted.where(User.email > email)
    rows = [_member_row(ctx, membership, user) for membership, user in ctx.session.exec(wanted)]
    return Page(rows[:size], cursor_of(rows[size - 1].email) if len(rows) > size else None)


@requires(Permission.TEAM_READ)
def invitations(ctx: Context, after: Cursor | None = None, limit: int = 50) -> Page[InvitationRow]:
    """The invitations that wait for an answer, latest first."""
    size = page_size(limit)
    wanted = (
        select(Invitation, User)
        .join(User, col(User.id) == Invitation.invited_by)
        .where(col(Invitation.accepted_at).is_(None), col(Invitation.withdrawn_at).is_(None))
        .order_by(col(Invitation.id).desc())
        .limit(size + 1)
    )
    if after:
        (last_id,) = read_cursor(after, UUID)
        wanted = wanted.where(col(Invitation.id) < last_id)
    rows = [_invitation_row(ctx, row, inviter) for row, inviter in ctx.session.exec(wanted)]
    return Page(rows[:size], cursor_of(rows[size - 1].id) if len(rows) > size else None)


@public("the page behind a mailed link, before anyone has signed in")
def offer(ctx: Context, token: str, *, ip: str = "") -> Offer:
    """What an invitation's link leads to. Raises InvitationGone, TooMany."""
    attempts.count(attempts.TRIES_PER_ADDRESS, attempts.network_of(ip))
    entry = ctx.session.get(InvitationDirectory, digest(token))
    if entry is None:
        raise InvitationGone
    with unit_of_work(entry.tenant_id, system("invitations")) as inside:
        row = inside.get(Invitation, entry.invitation_id)
        if row is None or row.accepted_at or row.withdrawn_at or row.expires_at <= ctx.now:
            raise InvitationGone
        tenant = inside.session.get_one(Tenant, entry.tenant_id)
        has_account = people.by_email(inside, row.email) is not None
    return Offer(tenant.name, row.email, Role(row.role), has_account)


def _member_row(ctx: Context, membership: Membership, user: User) -> MemberRow:
    role = Role(membership.role)
    return MemberRow(
        user_id=user.id,
        name=user.name,
        email=user.email,
        role=role,
        has_second_factor=user.totp_confirmed_at is not None,
        joined_at=membership.created_at,
        is_self=user.id == ctx.actor.user_id,
        can_change=ctx.actor.may(Permission.TEAM_MANAGE) and ctx.actor.power > ROLE_POWER[role],
    )


def _invitation_row(ctx: Context, row: Invitation, inviter: User) -> InvitationRow:
    return InvitationRow(
        id=row.id,
        email=row.email,
        role=Role(row.role),
        invited_by=inviter.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        is_expired=row.expires_at <= ctx.now,
    )
