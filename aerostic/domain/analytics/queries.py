"""Analytics as it is looked at. Everything comes from figures of days, however many messages there are."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.ai.models import Agent
from aerostic.domain.analytics import days, figures, files
from aerostic.domain.analytics.counting import Metric
from aerostic.domain.analytics.days import Period
from aerostic.domain.analytics.durations import quantile
from aerostic.domain.analytics.figures import Figures
from aerostic.domain.analytics.files import Table
from aerostic.domain.analytics.models import AnalyticsProgress
from aerostic.domain.analytics.reasons import reason_of
from aerostic.domain.analytics.report import (
    AgentRow,
    CampaignRow,
    DayRow,
    FailureRow,
    OutcomeRow,
    PersonRow,
    Report,
    Summary,
    WorkflowRow,
)
from aerostic.domain.automation.models import LIVING, Workflow
from aerostic.domain.campaigns.models import Campaign
from aerostic.domain.identity.models import User

MIDDLE, SLOW = 0.5, 0.9
_ARRIVED = ("delivered", "read", "played")
_READ = ("read", "played")
_LEFT = ("sent", "accepted", "failed", *_ARRIVED)


@requires(Permission.ANALYTICS_READ)
def today(ctx: Context) -> date:
    """The date in the workspace's time zone."""
    return days.today(ctx)


@requires(Permission.ANALYTICS_READ)
def report(ctx: Context, first: date, last: date) -> Report:
    """All tables of a stretch of days, and the heads of as many days just before. Raises Invalid."""
    period = days.period(first, last)
    progress = ctx.session.get(AnalyticsProgress, ctx.tenant_id)
    now = figures.of_period(ctx, period)
    return Report(
        period=period,
        time_zone=days.zone_of(ctx).key,
        counted_at=progress.counted_at if progress else None,
        now=_summary(now),
        before=_summary(figures.of_period(ctx, period.before)),
        days=_days(ctx, period),
        outcomes=_outcomes(now),
        failures=_failures(now),
        people=_people(ctx, now),
        campaigns=_campaigns(ctx, now),
        workflows=_workflows(ctx, now),
        agents=_agents(ctx, now),
    )


@requires(Permission.ANALYTICS_READ)
def csv(ctx: Context, table: Table, first: date, last: date) -> str:
    """One of the tables as CSV, with a heading. Raises Invalid."""
    return files.write(report(ctx, first, last), table)


def _summary(of: Figures) -> Summary:
    outcomes = of.by(Metric.OUTCOME)
    runs = of.by_two(Metric.RUNS).values()
    answers, resolutions = of.all_waits(Metric.ANSWER), of.all_waits(Metric.RESOLUTION)
    firsts = of.all_waits(Metric.FIRST_RESPONSE)
    return Summary(
        received=of.total(Metric.RECEIVED),
        written=of.total(Metric.WRITTEN),
        opened=of.total(Metric.OPENED),
        closed=of.total(Metric.CLOSED),
        delivered=_sum(outcomes, _ARRIVED),
        read=_sum(outcomes, _READ),
        failed=outcomes.get("failed", 0),
        tried=_sum(outcomes, _LEFT),
        first_response=quantile(firsts, MIDDLE),
        first_response_slow=quantile(firsts, SLOW),
        answer=quantile(answers, MIDDLE),
        answer_slow=quantile(answers, SLOW),
        resolution=quantile(resolutions, MIDDLE),
        resolution_slow=quantile(resolutions, SLOW),
        runs=of.total(Metric.RUNS),
        runs_failed=sum(one["failed"] for one in runs),
        ai_turns=of.total(Metric.TURNS),
        ai_tokens=of.total(Metric.TOKENS),
        ai_cost_micros=of.total(Metric.COST),
    )


def _days(ctx: Context, period: Period) -> tuple[DayRow, ...]:
    return tuple(_day(day, of) for day, of in figures.of_days(ctx, period).items())


def _day(day: date, of: Figures) -> DayRow:
    written, outcomes = of.by(Metric.WRITTEN), of.by(Metric.OUTCOME)
    return DayRow(
        day=day,
        received=of.total(Metric.RECEIVED),
        written=of.total(Metric.WRITTEN),
        by_people=written.get("inbox", 0),
        by_automation=written.get("automation", 0),
        by_campaigns=written.get("campaign", 0),
        by_api=written.get("api", 0),
        delivered=_sum(outcomes, _ARRIVED),
        read=_sum(outcomes, _READ),
        failed=outcomes.get("failed", 0),
        opened=of.total(Metric.OPENED),
        closed=of.total(Metric.CLOSED),
        runs=of.total(Metric.RUNS),
        ai_cost_micros=of.total(Metric.COST),
    )


def _outcomes(of: Figures) -> tuple[OutcomeRow, ...]:
    outcomes = of.by(Metric.OUTCOME)
    total = sum(outcomes.values())
    most_first = sorted(outcomes.items(), key=lambda one: (-one[1], one[0]))
    return tuple(OutcomeRow(name, many, round(many * 1000 / total)) for name, many in most_first)


def _failures(of: Figures) -> tuple[FailureRow, ...]:
    most_first = sorted(of.by(Metric.FAILURE).items(), key=lambda one: (-one[1], one[0]))
    return tuple(FailureRow(code, reason_of(code), many) for code, many in most_first)


def _people(ctx: Context, of: Figures) -> tuple[PersonRow, ...]:
    messages, closed = of.by(Metric.BY_PERSON), of.by(Metric.CLOSED)
    firsts, answers = of.waits(Metric.FIRST_RESPONSE), of.waits(Metric.ANSWER)
    resolutions = of.waits(Metric.RESOLUTION)
    who = {*messages, *closed, *firsts, *answers, *resolutions}
    names = _user_names(ctx, (one for one in who if one))
    rows = [
        PersonRow(
            name=names.get(one, "Someone who is gone") if one else "Automation",
            messages=messages.get(one, 0),
            answers=sum(answers.get(one, {}).values()),
            answer=quantile(answers.get(one, {}), MIDDLE),
            first_responses=sum(firsts.get(one, {}).values()),
            first_response=quantile(firsts.get(one, {}), MIDDLE),
            closed=closed.get(one, 0),
            resolution=quantile(resolutions.get(one, {}), MIDDLE),
        )
        for one in who
    ]
    return tuple(sorted(rows, key=lambda one: (-one.messages, -one.closed, one.name)))


def _campaigns(ctx: Context, of: Figures) -> tuple[CampaignRow, ...]:
    found = of.by_two(Metric.CAMPAIGN)
    names = _names(ctx, Campaign, found)
    rows = [
        CampaignRow(
            campaign_id=UUID(one),
            name=names.get(one, "A campaign that is gone"),
            recipients=sum(states.values()),
            delivered=_sum(states, _ARRIVED),
            read=_sum(states, _READ),
            failed=states["failed"],
        )
        for one, states in found.items()
    ]
    return tuple(sorted(rows, key=lambda one: (-one.recipients, one.name)))


def _workflows(ctx: Context, of: Figures) -> tuple[WorkflowRow, ...]:
    found = of.by_two(Metric.RUNS)
    names = _names(ctx, Workflow, found)
    rows = [
        WorkflowRow(
            workflow_id=UUID(one),
            name=names.get(one, "A workflow that is gone"),
            runs=sum(states.values()),
            done=states["done"],
            failed=states["failed"],
            stopped=states["stopped"] + states["cancelled"],
            living=_sum(states, LIVING),
        )
        for one, states in found.items()
    ]
    return tuple(sorted(rows, key=lambda one: (-one.runs, one.name)))


def _agents(ctx: Context, of: Figures) -> tuple[AgentRow, ...]:
    turns = of.by(Metric.TURNS)
    names = _names(ctx, Agent, turns)
    rows = [
        AgentRow(
            agent_id=UUID(one),
            name=names.get(one, "An agent that is gone"),
            turns=many,
            tokens=of.by(Metric.TOKENS).get(one, 0),
            cost_micros=of.by(Metric.COST).get(one, 0),
            handed_over=of.by(Metric.HANDED_OVER).get(one, 0),
        )
        for one, many in turns.items()
    ]
    return tuple(sorted(rows, key=lambda one: (-one.turns, one.name)))


def _names(
    ctx: Context, model: type[Agent] | type[Campaign] | type[Workflow], ids: Iterable[str]
) -> dict[str, str]:
    wanted = select(col(model.id), col(model.name)).where(
        col(model.tenant_id) == ctx.tenant_id, col(model.id).in_([UUID(one) for one in ids])
    )
    return {str(found): name for found, name in ctx.session.execute(wanted)}


def _user_names(ctx: Context, ids: Iterable[str]) -> dict[str, str]:
    wanted = select(col(User.id), col(User.name)).where(
        col(User.id).in_([UUID(one) for one in ids])
    )
    return {str(found): name for found, name in ctx.session.execute(wanted)}


def _sum(counts: Mapping[str, int], names: Iterable[str]) -> int:
    return sum(counts.get(name, 0) for name in names)
