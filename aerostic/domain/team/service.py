"""How someone leaves a workspace, and what becomes of what was theirs."""

from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col

from aerostic.core.errors import Refused, SignInNeeded
from aerostic.core.permissions import ROLE_POWER, Permission, Role, require_power_over, requires
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import Membership, User
from aerostic.domain.inbox import assignments
from aerostic.domain.tenants.access import lock_team, owners, the_membership


class LastOwner(Refused):
    code = "last_owner"

    def __init__(self) -> None:
        super().__init__("A workspace needs an owner. Hand ownership to someone else first.")


@requires(Permission.TEAM_MANAGE)
def remove_member(ctx: Context, user_id: UUID) -> None:
    """Take someone with less power out of the workspace; nobody has their conversations then.

    Raises NotFound, NotAllowed, LastOwner.
    """
    if user_id == ctx.actor.user_id:
        _leave(ctx, user_id)
        return
    membership = the_membership(ctx, user_id)
    require_power_over(ctx.actor, ROLE_POWER[Role(membership.role)])
    _remove(ctx, user_id)


@requires(Permission.WORKSPACE_READ)
def leave(ctx: Context) -> None:
    """Leave the workspace oneself. Raises LastOwner."""
    if ctx.actor.user_id is None:
        raise SignInNeeded("Only a person can leave a workspace.")
    _leave(ctx, ctx.actor.user_id)


def _leave(ctx: Context, user_id: UUID) -> None:
    lock_team(ctx)
    if the_membership(ctx, user_id).role == Role.OWNER and owners(ctx) == 1:
        raise LastOwner
    _remove(ctx, user_id)


def _remove(ctx: Context, user_id: UUID) -> None:
    # First, so that nothing is given to them any more: whoever assigns holds on to the assignee's row.
    ctx.session.execute(
        delete(Membership).where(
            col(Membership.tenant_id) == ctx.tenant_id, col(Membership.user_id) == user_id
        )
    )
    user = ctx.session.get(User, user_id)
    assignments.release_all(ctx, user_id, name=user.name if user else "A former member")
    ctx.announce("member", user_id)
