"""What was used, added up."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from aerostic.core.ids import first_id_at
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.usage.models import UsageEvent, UsageKind


@dataclass(frozen=True, slots=True)
class Used:
    """Of one kind in a stretch of time. `cost_micros`: of a US dollar."""

    kind: UsageKind
    events: int
    quantity: int
    cost_micros: int


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
