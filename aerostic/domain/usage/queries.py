"""What was used, added up."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import col

from aerostic.core.ids import first_id_at
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.usage.models import PARTS, DailyMetric, UsageEvent, UsageKind, UsageWatermark


@dataclass(frozen=True, slots=True)
class Used:
    """Of one kind in a stretch of time. `cost_micros`: of a US dollar."""

    kind: UsageKind
    events: int
    quantity: int
    cost_micros: int


@dataclass(frozen=True, slots=True)
class UsedOn:
    """On one day, in the workspace's time zone when it was counted."""

    day: date
    kind: UsageKind
    events: int
    quantity: int
    cost_micros: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Days of use. `counted_at`: what was written by then is in; None: nothing was counted yet."""

    days: tuple[UsedOn, ...]
    totals: tuple[Used, ...]
    counted_at: datetime | None


@requires(Permission.AI_READ)
def used(ctx: Context, since: datetime, until: datetime) -> list[Used]:
    """What the workspace used from one moment until just before another, by kind."""
    event = UsageEvent
    totals = (
        select(
            col(event.kind),
            func.count(),
            func.sum(col(event.quantity)),
            func.sum(col(event.cost_micros)),
        )
        .where(
            col(event.tenant_id) == ctx.tenant_id,
            col(event.id) >= first_id_at(since),
            col(event.id) < first_id_at(until),
        )
        .group_by(col(event.kind))
        .order_by(col(event.kind))
    )
    return [
        Used(UsageKind(kind), events, int(quantity), int(cost))
        for kind, events, quantity, cost in ctx.session.execute(totals)
    ]


@requires(Permission.ANALYTICS_READ)
def usage(ctx: Context, first: date, last: date) -> Usage:
    """Each day's use by kind, and the sums, from the first day to the last one."""
    days = _days(ctx, first, last)
    mark = ctx.session.get(UsageWatermark, ctx.tenant_id)
    totals = [
        Used(
            kind,
            sum(one.events for one in days if one.kind == kind),
            sum(one.quantity for one in days if one.kind == kind),
            sum(one.cost_micros for one in days if one.kind == kind),
        )
        for kind in UsageKind
    ]
    return Usage(tuple(days), tuple(totals), mark.folded_at if mark else None)


def _days(ctx: Context, first: date, last: date) -> list[UsedOn]:
    names = [f"{kind}.{part}" for kind in UsageKind for part in PARTS]
    wanted = select(col(DailyMetric.day), col(DailyMetric.metric), col(DailyMetric.value)).where(
        col(DailyMetric.tenant_id) == ctx.tenant_id,
        col(DailyMetric.metric).in_(names),
        col(DailyMetric.day).between(first, last),
    )
    found: dict[tuple[date, str], dict[str, int]] = {}
    for day, metric, value in ctx.session.execute(wanted):
        kind, _, part = metric.partition(".")
        found.setdefault((day, kind), {})[part] = value
    return [
        UsedOn(day, UsageKind(kind), *(parts.get(part, 0) for part in PARTS))
        for (day, kind), parts in sorted(found.items())
    ]
