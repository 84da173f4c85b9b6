"""A workspace and its team: founding, inviting, joining, roles, leaving.

One owner stands above the rest of a team. Owners invite admins and agents, and hand ownership over rather
than share it; the last owner can neither leave nor be removed (`docs/decisions/roles-and-power.md`).
"""

from datetime import timedelta
from uuid import UUID
from zoneinfo import available_timezones

import phonenumbers
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core.crypto import digest, new_token
from aerostic.core.errors import Conflict, Invalid, NotFound, Refused, SignInNeeded
from aerostic.core.ids import new_id
from aerostic.core.permissions import (
    ROLE_POWER,
    ActorKind,
    Permission,
    Role,
    public,
    require_power_over,
    requires,
    system,
)
from aerostic.core.tenancy import Context, unit_of_work
from aerostic.domain.identity import attempts, mails, passwords, people
from aerostic.domain.identity import service as identity
from aerostic.domain.identity.models import Membership, Tenant, TenantStatus, User
from aerostic.domain.identity.sessions import Proven
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit
from aerostic.domain.tenants.access import lock_team, the_membership
from aerostic.domain.tenants.models import Invitation, InvitationDirectory

INVITATION_LIFETIME = timedelta(days=7)
ROLE_WORDS = {Role.OWNER: "an owner", Role.ADMIN: "an admin", Role.AGENT: "an agent"}


class InvitationGone(NotFound):
    """Accepted, withdrawn, too old, or never sent."""

    code = "invitation_gone"

    def __init__(self) -> None:
        super().__init__("This invitation is no longer open. Please ask for a new one.")


@requires(Permission.PLATFORM_TENANTS)
def create_tenant(ctx: Context, name: str, *, owner_id: UUID, slug: str | None = None) -> Tenant:
    """A new workspace with its owner. Raises Invalid."""
    tidy = people.name(name, field="workspace")
    return people.found_workspace(ctx, name=tidy, owner_id=owner_id, slug=slug)


@requires(Permission.PLATFORM_TENANTS)
def suspend(ctx: Context, tenant_id: UUID) -> None:
    """Nobody works in the workspace until it is opened again; its data stays."""
    _tenant(ctx, tenant_id).status = TenantStatus.SUSPENDED


@requires(Permission.PLATFORM_TENANTS)
def reopen(ctx: Context, tenant_id: UUID) -> None:
    """End a suspension."""
    _tenant(ctx, tenant_id).status = TenantStatus.ACTIVE


@requires(Permission.WORKSPACE_MANAGE)
def rename(ctx: Context, name: str) -> None:
    """Give the workspace another name; its short name stays, because addresses contain it."""
    _tenant(ctx, ctx.tenant_id).name = people.name(name)
    ctx.announce("workspace", ctx.tenant_id)


@requires(Permission.WORKSPACE_MANAGE)
def set_region(ctx: Context, *, time_zone: str, default_country: str) -> None:
    """The time zone of days on the screen, and the country of numbers written without one. Raises Invalid."""
    if time_zone not in available_timezones():
        raise Invalid("time_zone", "That is not a time zone we know, such as Europe/Berlin.")
    if default_country not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid("default_country", "That is not a country code, such as DE or IN.")
    tenant = _tenant(ctx, ctx.tenant_id)
    tenant.time_zone, tenant.default_country = time_zone, default_country
    ctx.announce("workspace", ctx.tenant_id)


@requires(Permission.TEAM_MANAGE)
def invite(ctx: Context, email: str, role: Role) -> Invitation:
    """Invite someone by e-mail into a role below one's own. An open invitation to them is replaced.

    Raises Invalid, NotAllowed, Conflict, TooMany.
    """
    address = people.address(email)
    require_power_over(ctx.actor, ROLE_POWER[role])
    if _is_member(ctx, address):
        raise Conflict("They are a member of this workspace already.")
    attempts.count(attempts.INVITATIONS_PER_TENANT, str(ctx.tenant_id))
    for earlier in _open_invitations(ctx, address):
        earlier.withdrawn_at = ctx.now
    plans.check(ctx, Limit.MEMBERS)
    invitation, token = _new_invitation(ctx, address, role)
    mails.invitation(
        ctx,
        address,
        inviter=ctx.actor.name,
        workspace=_tenant(ctx, ctx.tenant_id).name,
        role=ROLE_WORDS[role],
        token=token,
    )
    ctx.announce("member", invitation.id)
    return invitation


@requires(Permission.TEAM_MANAGE)
def withdraw_invitation(ctx: Context, invitation_id: UUID) -> None:
    """Its link stops working. Raises NotFound, NotAllowed."""
    invitation = ctx.get(Invitation, invitation_id, for_update=True)
    if invitation is None or not _is_open(ctx, invitation):
        raise NotFound("That invitation is no longer open.")
    require_power_over(ctx.actor, ROLE_POWER[Role(invitation.role)])
    invitation.withdrawn_at = ctx.now
    ctx.session.add(invitation)
    ctx.announce("member", invitation.id)


@public("the link that was mailed proves the address")
def accept_invitation(
    ctx: Context,
    token: str,
    *,
    name: str = "",
    password: str = "",
    code: str = "",
    ip: str = "",
) -> Proven | None:
    """Join a workspace: as who is signed in, as who has an account, or as someone new.

    Returns who that is, to sign them in, or None for who is signed in already. `name` is for someone new,
    `code` for an account with a second factor. Works in any context; the joining is a transaction of its
    own in the workspace. Raises InvitationGone, SignInRefused, Invalid, TooMany.
    """
    attempts.count(attempts.TRIES_PER_ADDRESS, attempts.network_of(ip))
    entry = ctx.session.get(InvitationDirectory, digest(token))
    if entry is None:
        raise InvitationGone
    with unit_of_work(entry.tenant_id, system("invitations")) as inside:
        invitation = inside.get(Invitation, entry.invitation_id, for_update=True)
        if invitation is None or not _is_open(inside, invitation):
            raise InvitationGone
        user = people.by_email(inside, invitation.email)
        if ctx.actor.kind is ActorKind.USER:
            _join(inside, invitation, _same_person(ctx, user))
            return None
        if user:
            proven = identity.prove(inside, user.email, password, code, ip=ip)
        else:
            proven = _register_invited(inside, invitation, name, password)
        _join(inside, invitation, proven.user_id)
    return proven


@requires(Permission.TEAM_MANAGE)
def change_role(ctx: Context, user_id: UUID, role: Role) -> None:
    """Give a member another role. Both must be below one's own. Raises NotFound, NotAllowed."""
    membership = the_membership(ctx, user_id)
    require_power_over(ctx.actor, ROLE_POWER[Role(membership.role)])
    require_power_over(ctx.actor, ROLE_POWER[role])
    membership.role = role
    ctx.session.add(membership)
    ctx.announce("member", user_id)


@requires(Permission.TEAM_MANAGE)
def transfer_ownership(ctx: Context, user_id: UUID) -> None:
    """Make a member the owner; the owner who does it becomes an admin. Raises NotFound, Refused."""
    lock_team(ctx)
    successor = the_membership(ctx, user_id)
    if ctx.actor.user_id is None or ctx.actor.user_id == user_id:
        raise Refused("Choose another member to hand the workspace to.")
    giver = the_membership(ctx, ctx.actor.user_id)
    if giver.role != Role.OWNER:  # handed over a moment ago, to someone else
        raise Refused("You are not the owner any more. The new owner can change it.")
    giver.role, successor.role = Role.ADMIN, Role.OWNER
    ctx.announce("member", user_id)


def _tenant(ctx: Context, tenant_id: UUID) -> Tenant:
    tenant = ctx.session.get(Tenant, tenant_id, with_for_update=True)
    if tenant is None:
        raise NotFound("There is no such workspace.")
    return tenant


def _is_member(ctx: Context, email: str) -> bool:
    found = select(Membership).join(User, col(User.id) == Membership.user_id)
    mine = found.where(Membership.tenant_id == ctx.tenant_id, User.email == email)
    return ctx.session.exec(mine).first() is not None


def _open_invitations(ctx: Context, email: str) -> list[Invitation]:
    found = ctx.session.exec(
        select(Invitation)
        .where(Invitation.email == email, col(Invitation.accepted_at).is_(None))
        .where(col(Invitation.withdrawn_at).is_(None))
        .with_for_update()
    )
    return list(found)


def _is_open(ctx: Context, invitation: Invitation) -> bool:
    answered = invitation.accepted_at or invitation.withdrawn_at
    return answered is None and invitation.expires_at > ctx.now


def _new_invitation(ctx: Context, address: str, role: Role) -> tuple[Invitation, str]:
    if ctx.actor.user_id is None:
        raise SignInNeeded("Only a person can invite someone.")
    invitation = Invitation(
        id=new_id(),
        email=address,
        role=role,
        invited_by=ctx.actor.user_id,
        expires_at=ctx.now + INVITATION_LIFETIME,
    )
    token = new_token()
    leads_to = InvitationDirectory(
        digest=digest(token), tenant_id=ctx.tenant_id, invitation_id=invitation.id
    )
    ctx.session.add_all([invitation, leads_to])
    return invitation, token


def _same_person(ctx: Context, invited: User | None) -> UUID:
    """Who is signed in, if it is they who were invited."""
    if invited is None or invited.id != ctx.actor.user_id:
        raise Conflict(
            "This invitation is for another e-mail address. Sign out first, then open its link again."
        )
    return invited.id


def _register_invited(ctx: Context, invitation: Invitation, name: str, password: str) -> Proven:
    passwords.check_strength(password, email=invitation.email)
    user = people.add_user(
        ctx,
        email=invitation.email,
        name=people.name(name),
        password_hash=passwords.hashed(password),
    )
    if user is None:  # the link was opened twice, and the other was first
        raise InvitationGone
    return Proven(user.id)


def _join(ctx: Context, invitation: Invitation, user_id: UUID) -> None:
    ctx.session.execute(
        insert(Membership)
        .values(tenant_id=ctx.tenant_id, user_id=user_id, role=invitation.role, created_at=ctx.now)
        .on_conflict_do_nothing()
    )
    invitation.accepted_at = ctx.now
    ctx.session.add(invitation)
    ctx.announce("member", user_id)
