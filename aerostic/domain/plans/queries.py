"""A workspace's plan as it is looked at: what it includes, what of it is used, and what else there is."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.plans import limits
from aerostic.domain.plans.limits import Limit
from aerostic.domain.plans.models import Plan


@dataclass(frozen=True, slots=True)
class Allowance:
    """Of one kind: how much is used, and how much is included. `most` None: no limit."""

    limit: Limit
    used: int
    most: int | None


@dataclass(frozen=True, slots=True)
class OtherPlan:
    """One that could be asked for. `includes`: its limits in words."""

    slug: str
    name: str
    summary: str
    includes: tuple[str, ...]
    is_asked_for: bool


@dataclass(frozen=True, slots=True)
class PlanView:
    slug: str
    name: str
    summary: str
    ends_at: datetime | None
    is_over: bool
    allowances: tuple[Allowance, ...]
    others: tuple[OtherPlan, ...]


@requires(Permission.BILLING_READ)
def plan(ctx: Context) -> PlanView:
    """The workspace's plan with what is used of it, and the others."""
    now = limits.terms(ctx)
    found = ctx.session.exec(select(Plan).where(Plan.slug != now.slug).order_by(col(Plan.position)))
    return PlanView(
        slug=now.slug,
        name=now.name,
        summary=now.summary,
        ends_at=now.ends_at,
        is_over=now.is_over(ctx.now),
        allowances=tuple(
            Allowance(one, limits.used(ctx, one), now.limits.get(one)) for one in Limit
        ),
        others=tuple(_other(one, now.asked_for) for one in found),
    )


def _other(row: Plan, asked_for: str) -> OtherPlan:
    pairs = [(one, getattr(row, one)) for one in Limit]
    includes = [limits.in_words(one, most) for one, most in pairs if most is not None]
    if row.trial_days is not None:
        includes.append(f"for {row.trial_days} days")
    return OtherPlan(
        row.slug,
        row.name,
        row.summary,
        tuple(includes) or ("No limits",),
        row.slug == asked_for,
    )
