"""Counting days: today's and yesterday's again and again, older ones now and then, as rows still change."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core.ids import moment_of
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.ai.models import AgentTurn
from aerostic.domain.analytics import counting, days
from aerostic.domain.analytics.models import AnalyticsProgress
from aerostic.domain.automation.models import Execution
from aerostic.domain.inbox.models import ConversationEvent, Message

RECOUNT_EVERY = timedelta(hours=6)
CHANGING = 35  # days: WhatsApp delivers for up to thirty
SOONEST = timedelta(minutes=1)
REST = 20  # times as long as it took: a workspace never takes more than a twentieth of a worker


@requires(Permission.METRICS_FOLD)
def due_days(ctx: Context) -> list[date]:
    """The days to count now, the newest first: none where it is not due."""
    progress = _progress(ctx)
    if progress.due_at > ctx.now:
        return []
    today = days.today(ctx)
    if progress.time_zone != days.zone_of(ctx).key:
        # One more: in the zone before, the first message may have been of the day before.
        return _back(today, (today - _first_day(ctx)).days + 2)
    if progress.recounted_at is None or progress.recounted_at <= ctx.now - RECOUNT_EVERY:
        return _back(today, CHANGING)
    if not _is_busy(ctx, today - timedelta(days=1)):
        progress.due_at = ctx.now + SOONEST
        return []
    return _back(today, 2)


@requires(Permission.METRICS_FOLD)
def count_day(ctx: Context, day: date) -> None:
    """Count one day anew. Two who count at once do so one after the other."""
    _progress(ctx)
    counting.count(ctx, day, days.zone_of(ctx))


@requires(Permission.METRICS_FOLD)
def counted(ctx: Context, counted_days: list[date], *, began: datetime, zone: str) -> None:
    """Remember that they were counted, in which zone, and when to do so again."""
    progress = _progress(ctx)
    if progress.time_zone != zone or len(counted_days) > 2:
        progress.recounted_at = began
    progress.time_zone, progress.counted_at = zone, began
    progress.due_at = ctx.now + max(SOONEST, REST * (ctx.now - began))
    ctx.session.add(progress)
    ctx.announce("metrics", ctx.tenant_id)


def zone_now(ctx: Context) -> ZoneInfo:
    return days.zone_of(ctx)


def _progress(ctx: Context) -> AnalyticsProgress:
    first = insert(AnalyticsProgress).values(tenant_id=ctx.tenant_id, time_zone="", due_at=ctx.now)
    ctx.session.execute(first.on_conflict_do_nothing())
    wanted = select(AnalyticsProgress).where(col(AnalyticsProgress.tenant_id) == ctx.tenant_id)
    return ctx.session.exec(wanted.with_for_update()).one()


def _is_busy(ctx: Context, since: date) -> bool:
    """Whether anything that is counted was written since that day began."""
    first, _ = days.bounds(since, days.zone_of(ctx))
    return any(
        ctx.session.exec(
            select(model.id).where(model.tenant_id == ctx.tenant_id, model.id >= first).limit(1)
        ).first()
        for model in (Message, ConversationEvent, Execution, AgentTurn)
    )


def _first_day(ctx: Context) -> date:
    """Of the first message; today where there is none."""
    found = ctx.session.exec(
        select(Message.id)
        .where(col(Message.tenant_id) == ctx.tenant_id)
        .order_by(col(Message.id))
        .limit(1)
    ).first()
    return moment_of(found).astimezone(days.zone_of(ctx)).date() if found else days.today(ctx)


def _back(today: date, many: int) -> list[date]:
    return [today - timedelta(days=place) for place in range(max(1, min(many, days.LONGEST)))]
