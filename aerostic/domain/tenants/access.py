"""Who is in the team now: looked up under locks, so that two who change it see each other."""

from uuid import UUID

from sqlmodel import col, func, select

from aerostic.core.errors import NotFound
from aerostic.core.permissions import Role
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import Membership, Tenant


def lock_team(ctx: Context) -> None:
    """Two owners who leave at the same moment: the second sees that the first has gone."""
    ctx.session.exec(select(Tenant.id).where(Tenant.id == ctx.tenant_id).with_for_update()).one()


def the_membership(ctx: Context, user_id: UUID) -> Membership:
    """The member, locked. Raises NotFound."""
    membership = ctx.session.get(
        Membership, (ctx.tenant_id, user_id), with_for_update=True, populate_existing=True
    )
    if membership is None:
        raise NotFound("They are not a member of this workspace.")
    return membership


def owners(ctx: Context) -> int:
    """How many the workspace has."""
    return ctx.session.exec(
        select(func.count())
        .select_from(Membership)
        .where(col(Membership.tenant_id) == ctx.tenant_id, col(Membership.role) == Role.OWNER)
    ).one()
