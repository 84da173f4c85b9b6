"""What was used up to this moment, for those who keep limits: folded or not."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aerostic.core.ids import EPOCH
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import Tenant
from aerostic.domain.usage.models import UsageKind


def this_month(ctx: Context, kind: UsageKind) -> int:
    """The quantity of this month so far, to the last event that is committed.

    Called by what keeps limits, inside the permission of whoever acts. The month is the workspace's.
    """
    zone = ZoneInfo(ctx.session.get_one(Tenant, ctx.tenant_id).time_zone)
    here = ctx.now.astimezone(zone)
    began = here.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return _sum(ctx, kind, began)


def ever(ctx: Context, kind: UsageKind) -> int:
    """The sum of all quantities: of storage, what is stored now. Called as `this_month` is."""
    return _sum(ctx, kind, datetime(1970, 1, 1, tzinfo=UTC))


# One statement, so that a fold can not end between looking at the sums and at what is not in them yet.
_SUM = """
    select coalesce((
        select sum(value) from tenant_daily_metrics
        where tenant_id = %(tenant)s and metric = %(metric)s and day >= %(day)s
    ), 0) + coalesce((
        select sum(quantity) from usage_events
        where tenant_id = %(tenant)s and kind = %(kind)s and occurred_at >= %(began)s
            and written_in >= coalesce(
                (select next_transaction from usage_watermarks where tenant_id = %(tenant)s), 0)
            and id > coalesce(
                (select after_id from usage_watermarks where tenant_id = %(tenant)s), %(nothing)s)
    ), 0)
"""


def _sum(ctx: Context, kind: UsageKind, began: datetime) -> int:
    known = {
        "tenant": ctx.tenant_id,
        "metric": f"{kind}.quantity",
        "kind": str(kind),
        "day": began.date(),
        "began": began,
        "nothing": EPOCH,
    }
    row = ctx.cursor().execute(_SUM, known).fetchone()
    return int(row[0]) if row else 0
