"""Which workspace has which plan: the platform decides, an owner asks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core.errors import NotFound, Refused
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context, unit_of_work
from aerostic.domain.identity import mails
from aerostic.domain.identity.models import Tenant, User
from aerostic.domain.plans import limits
from aerostic.domain.plans.models import Plan, Subscription


@requires(Permission.PLATFORM_TENANTS)
def assign(
    ctx: Context, tenant_id: UUID, slug: str, *, trial_ends_at: datetime | None = None
) -> None:
    """Give a workspace a plan from now on. `trial_ends_at`: another end than its trial's own."""
    plan = _plan(ctx, slug)
    if ctx.session.get(Tenant, tenant_id) is None:
        raise NotFound("There is no such workspace.")
    given = {"plan_id": plan.id, "trial_ends_at": trial_ends_at, "asked_for": "", "since": ctx.now}
    with unit_of_work(tenant_id, ctx.actor) as inside:
        row = insert(Subscription).values(tenant_id=tenant_id, **given)
        statement = row.on_conflict_do_update(index_elements=["tenant_id"], set_=given)
        inside.session.execute(statement)
        inside.announce("plan", plan.id)


@requires(Permission.PLATFORM_TENANTS)
def make_default(ctx: Context, slug: str) -> None:
    """The plan of every workspace that was given none."""
    plan = _plan(ctx, slug)
    ctx.session.execute(update(Plan).where(col(Plan.is_default)).values(is_default=False))
    plan.is_default = True
    ctx.session.add(plan)


@requires(Permission.BILLING_MANAGE)
def ask_for(ctx: Context, slug: str) -> None:
    """Ask whoever runs the platform for another plan: each of its staff gets an e-mail. Raises Refused."""
    plan, now = _plan(ctx, slug), limits.terms(ctx)
    if plan.slug == now.slug:
        raise Refused("That is the plan you have.")
    if plan.slug == now.asked_for:
        raise Refused("You have asked for it already. Somebody of the platform will answer you.")
    row = ctx.session.get(Subscription, ctx.tenant_id) or Subscription(
        plan_id=_plan(ctx, now.slug).id
    )
    row.asked_for = plan.slug
    ctx.session.add(row)
    name = ctx.session.get_one(Tenant, ctx.tenant_id).name
    staff = ctx.session.scalars(
        select(User.email).where(
            col(User.platform_role).is_not(None), col(User.disabled_at).is_(None)
        )
    )
    for address in staff:
        mails.plan_asked_for(ctx, address, workspace=name, by=ctx.actor.name, plan=plan.name)
    ctx.announce("plan", plan.id)


def _plan(ctx: Context, slug: str) -> Plan:
    plan = ctx.session.exec(select(Plan).where(Plan.slug == slug)).one_or_none()
    if plan is None:
        raise NotFound("There is no such plan.")
    return plan
