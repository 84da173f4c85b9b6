"""Counting days: today's and yesterday's again and again, older ones now and then, as rows still change."""

from datetime import date, datetime, timedelta

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
SLICE = 20  # days: what one job counts of a recount
SOONEST = timedelta(minutes=1)
REST = 20  # times as long as two days took: a workspace never takes more than a tenth of a worker


@requires(Permission.METRICS_FOLD)
def due_days(ctx: Context) -> list[date]:
    """The days to count now, the newest first: none where it is not due, or where nothing happens."""
    progress = _progress(ctx)
    if progress.due_at > ctx.now:
        return []
    today = days.today(ctx)
    _begin_recount(ctx, progress, today)
    recent = [today, today - timedelta(days=1)]
    due = [*(recent if _is_busy(ctx, recent[-1]) else ()), *_slice(progress)]
    if not due:
        progress.due_at = ctx.now + SOONEST
    ctx.session.add(progress)
    return sorted(set(due), reverse=True)


@requires(Permission.METRICS_FOLD)
def count_day(ctx: Context, day: date) -> None:
    """Count one day anew. Two who count at once do so one after the other."""
    _progress(ctx)
    counting.count(ctx, day, days.zone_of(ctx))


@requires(Permission.METRICS_FOLD)
def counted(ctx: Context, counted_days: list[date], *, began: datetime) -> None:
    """Remember that they were counted, and when to do so again."""
    progress, oldest = _progress(ctx), min(counted_days)
    if progress.next_day and oldest <= progress.next_day:
        goes_on = progress.last_day is not None and oldest > progress.last_day
        progress.next_day = oldest - timedelta(days=1) if goes_on else None
    took = ctx.now - began
    rest = max(SOONEST, REST * 2 * took / len(counted_days))
    progress.counted_at, progress.due_at = began, ctx.now + (took if progress.next_day else rest)
    ctx.session.add(progress)
    ctx.announce("metrics", ctx.tenant_id)


def _begin_recount(ctx: Context, progress: AnalyticsProgress, today: date) -> None:
    """Of everything where the days are other ones now, else of those whose messages still change."""
    zone = days.zone_of(ctx).key
    if progress.time_zone != zone:
        # One more day back: in the zone before, the first message may have been of that day.
        back_to = max(_first_day(ctx) - timedelta(days=1), today - timedelta(days=days.LONGEST))
    elif progress.recounted_at is None or progress.recounted_at <= ctx.now - RECOUNT_EVERY:
        back_to = today - timedelta(days=CHANGING)
    else:
        return
    progress.time_zone, progress.recounted_at = zone, ctx.now
    progress.next_day, progress.last_day = today, back_to


def _slice(progress: AnalyticsProgress) -> list[date]:
    if progress.next_day is None or progress.last_day is None:
        return []
    many = min(SLICE, (progress.next_day - progress.last_day).days + 1)
    return [progress.next_day - timedelta(days=place) for place in range(many)]


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
