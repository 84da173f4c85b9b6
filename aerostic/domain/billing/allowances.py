"""The free service messages of a number's month: how many are used. Counted with the commit, like money.

Two who send at the same moment may both find the last one free; nobody is charged for that.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import select

from aerostic.core.tenancy import Context
from aerostic.domain.billing import endings
from aerostic.domain.billing.models import ServiceMonth

COUNT = """
    insert into service_months (tenant_id, number_id, month, used)
    values (%(tenant)s, %(number)s, %(month)s, greatest(0, %(count)s))
    on conflict (tenant_id, number_id, month)
    do update set used = greatest(0, service_months.used + %(count)s)
"""
Counts = dict[tuple[UUID, date], int]


def used(ctx: Context, number_id: UUID) -> int:
    """Of this month, those of this transaction included."""
    month = month_of(ctx.now)
    known = select(ServiceMonth.used).where(
        ServiceMonth.tenant_id == ctx.tenant_id,
        ServiceMonth.number_id == number_id,
        ServiceMonth.month == month,
    )
    waiting = summed(endings.of(ctx, _Used)).get((number_id, month), 0)
    return (ctx.session.exec(known).one_or_none() or 0) + waiting


def use(ctx: Context, number_id: UUID) -> None:
    """One more is used."""
    endings.add(ctx, _Used((number_id, month_of(ctx.now)), 1))


def give_back(ctx: Context, counts: Counts) -> None:
    """They were not delivered: others of their month may use them."""
    for place, count in counts.items():
        endings.add(ctx, _Used(place, -count))


class _Used(endings.Ending):
    """A count that waits for the commit."""

    def __init__(self, place: tuple[UUID, date], count: int) -> None:
        self.place, self.count = place, count

    @classmethod
    def end(cls, ctx: Context, waiting: list[Any]) -> None:
        for given in values_of(ctx.tenant_id, summed(waiting)):
            ctx.cursor().execute(COUNT, given, prepare=True)


def summed(counts: Iterable[_Used]) -> Counts:
    sums: Counts = defaultdict(int)
    for one in counts:
        sums[one.place] += one.count
    return sums


def values_of(tenant_id: UUID, counts: Counts) -> list[dict[str, Any]]:
    """What `COUNT` is given, in an order that everybody keeps."""
    return [
        {"tenant": tenant_id, "number": number_id, "month": month, "count": count}
        for (number_id, month), count in sorted(counts.items())
    ]


def month_of(moment: datetime) -> date:
    """The first day of its month."""
    return moment.date().replace(day=1)
