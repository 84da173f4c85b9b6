"""The figures of a stretch of days, as they are kept: read once, then looked at from every side."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.analytics.counting import Metric
from aerostic.domain.analytics.days import Period
from aerostic.domain.usage.models import DailyMetric

_BY_DAY = (
    Metric.RECEIVED,
    Metric.WRITTEN,
    Metric.OUTCOME,
    Metric.OPENED,
    Metric.CLOSED,
    Metric.RUNS,
    Metric.COST,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums by metric and key. What is not there is zero."""

    of: Mapping[str, Mapping[str, int]]

    def total(self, metric: Metric) -> int:
        return sum(self.of.get(metric, {}).values())

    def by(self, metric: Metric) -> Mapping[str, int]:
        return self.of.get(metric, {})

    def by_two(self, metric: Metric) -> dict[str, Counter[str]]:
        """Of a metric whose key has two parts: by the first, then by the second."""
        found: dict[str, Counter[str]] = {}
        for key, value in self.by(metric).items():
            first, _, second = key.partition(":")
            found.setdefault(first, Counter())[second] += value
        return found

    def waits(self, metric: Metric) -> dict[str, Counter[int]]:
        """Waits by person: how many took so many seconds."""
        return {
            who: Counter({int(seconds): many for seconds, many in counts.items()})
            for who, counts in self.by_two(metric).items()
        }

    def all_waits(self, metric: Metric) -> Counter[int]:
        return sum(self.waits(metric).values(), Counter())


def of_period(ctx: Context, period: Period) -> Figures:
    """The sums of a stretch of days."""
    wanted = (
        select(col(DailyMetric.metric), col(DailyMetric.key), func.sum(col(DailyMetric.value)))
        .where(
            col(DailyMetric.tenant_id) == ctx.tenant_id,
            col(DailyMetric.metric).in_([str(one) for one in Metric]),
            col(DailyMetric.day).between(period.first, period.last),
        )
        .group_by(col(DailyMetric.metric), col(DailyMetric.key))
    )
    found: dict[str, dict[str, int]] = {}
    for metric, key, value in ctx.session.execute(wanted):
        found.setdefault(metric, {})[key] = int(value)
    return Figures(found)


def of_days(ctx: Context, period: Period) -> dict[date, Figures]:
    """The sums of each day, the empty ones too."""
    first_part = func.split_part(col(DailyMetric.key), ":", -1).label("part")
    wanted = (
        select(
            col(DailyMetric.day),
            col(DailyMetric.metric),
            first_part,
            func.sum(col(DailyMetric.value)),
        )
        .where(
            col(DailyMetric.tenant_id) == ctx.tenant_id,
            col(DailyMetric.metric).in_([str(one) for one in _BY_DAY]),
            col(DailyMetric.day).between(period.first, period.last),
        )
        .group_by(col(DailyMetric.day), col(DailyMetric.metric), first_part)
    )
    found: dict[date, dict[str, dict[str, int]]] = {day: {} for day in period.days()}
    for day, metric, key, value in ctx.session.execute(wanted):
        found[day].setdefault(metric, {})[key] = int(value)
    return {day: Figures(of) for day, of in found.items()}
