"""From events that never change to the sums of each day: every event once, however late it is committed.

Ids can not say what is new: an event may be committed long after one with a later id. So PostgreSQL writes
down the transaction that each came in, and a fold takes what was written by transactions that had ended
before it looked, from where the last fold stopped. The mark moves in the transaction that adds the sums.
A transaction that stays open delays the figures; it never loses one.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core.ids import EPOCH
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import Tenant
from aerostic.domain.usage.models import PARTS, UsageKind, UsageWatermark

_ENDED = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

_SUMS = """
    select tenant_id, kind, (occurred_at at time zone %(zone)s)::date as day,
        count(*) as events, sum(quantity) as quantity, sum(cost_micros) as cost_micros
    from usage_events
    where tenant_id = %(tenant)s and {which}
    group by 1, 2, 3
"""
_ADD = """
    insert into tenant_daily_metrics (tenant_id, metric, day, key, value)
    select tenant_id, kind || '.' || name, day, '', value
    from ({sums}) as folded
    cross join lateral (
        values ('events', events), ('quantity', quantity), ('cost_micros', cost_micros)
    ) as one (name, value)
    where value <> 0
    on conflict (tenant_id, metric, day, key)
        do update set value = tenant_daily_metrics.value + excluded.value
"""
_NEW = "written_in >= %(since)s and written_in < %(ended)s and id > %(after)s"
_BROUGHT_ALONG = """
    (written_in < %(ended)s or written_in >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
"""
_LAST_BROUGHT_ALONG = """
    select id from usage_events
    where tenant_id = %s and written_in >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    order by id desc limit 1
"""
_FORGET = "delete from tenant_daily_metrics where tenant_id = %s and metric = any(%s)"


@requires(Permission.METRICS_FOLD)
def fold(ctx: Context) -> bool:
    """Add what came since the last fold. False where another worker is at it."""
    mark = _take_mark(ctx)
    if mark is None:
        return False
    cursor = ctx.cursor()
    (ended,) = cursor.execute(_ENDED).fetchone() or (0,)
    if ended < mark.next_transaction:
        mark.after_id = _count_anew(ctx, ended)
    else:
        known = {"since": mark.next_transaction, "ended": ended, "after": mark.after_id}
        _add(ctx, _NEW, known)
    mark.next_transaction, mark.folded_at = ended, ctx.now
    ctx.session.add(mark)
    return True


def _take_mark(ctx: Context) -> UsageWatermark | None:
    first = insert(UsageWatermark).values(
        tenant_id=ctx.tenant_id, next_transaction=0, after_id=EPOCH, folded_at=ctx.now
    )
    ctx.session.execute(first.on_conflict_do_nothing())
    wanted = select(UsageWatermark).where(col(UsageWatermark.tenant_id) == ctx.tenant_id)
    return ctx.session.exec(wanted.with_for_update(skip_locked=True)).one_or_none()


def _add(ctx: Context, which: str, known: dict[str, Any]) -> None:
    zone = ctx.session.get_one(Tenant, ctx.tenant_id).time_zone
    statement = _ADD.format(sums=_SUMS.format(which=which))
    ctx.cursor().execute(statement.encode(), {"tenant": ctx.tenant_id, "zone": zone} | known)


def _count_anew(ctx: Context, ended: int) -> UUID:
    """The database was restored from a dump, where transactions are numbered from the beginning again.

    Everything that is there is counted from nothing. What the dump brought along bears numbers of the
    future: returns the last of those, so that it is not counted once more when they are reached.
    """
    cursor = ctx.cursor()
    cursor.execute(
        _FORGET, (ctx.tenant_id, [f"{kind}.{one}" for kind in UsageKind for one in PARTS])
    )
    _add(ctx, _BROUGHT_ALONG, {"ended": ended})
    found = cursor.execute(_LAST_BROUGHT_ALONG, (ctx.tenant_id,)).fetchone()
    return found[0] if found else EPOCH
