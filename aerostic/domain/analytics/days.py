"""Days of a workspace: where they begin and end, and stretches of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from aerostic.core.errors import Invalid
from aerostic.core.ids import first_id_at
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import Tenant

LONGEST = 400  # days: a year with room to compare


@dataclass(frozen=True, slots=True)
class Period:
    """From one day to another, both in it."""

    first: date
    last: date

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """As many days, just before."""
        return Period(self.first - timedelta(days=self.length), self.first - timedelta(days=1))

    def days(self) -> Iterator[date]:
        for place in range(self.length):
            yield self.first + timedelta(days=place)


def period(first: date, last: date) -> Period:
    """Raises Invalid where they are the wrong way round or very far apart."""
    if last < first:
        raise Invalid("until", "The last day lies before the first one.")
    if (last - first).days >= LONGEST:
        raise Invalid("until", f"Choose at most {LONGEST} days.")
    return Period(first, last)


def zone_of(ctx: Context) -> ZoneInfo:
    return ZoneInfo(ctx.session.get_one(Tenant, ctx.tenant_id).time_zone)


def today(ctx: Context) -> date:
    """The workspace's date at this moment."""
    return ctx.now.astimezone(zone_of(ctx)).date()


def bounds(day: date, zone: ZoneInfo) -> tuple[UUID, UUID]:
    """The ids of what was written on that day: from the first until just before the second.

    Where clocks go forward or back a day has 23 or 25 hours.
    """
    return _begins(day, zone), _begins(day + timedelta(days=1), zone)


def _begins(day: date, zone: ZoneInfo) -> UUID:
    return first_id_at(datetime.combine(day, time(), tzinfo=zone))
