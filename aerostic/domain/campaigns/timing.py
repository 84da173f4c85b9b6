"""When a campaign may write to someone: by the recipient's own clock, and not while they sleep. Pure."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from croniter import croniter
from phonenumbers import timezone
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from aerostic.core.errors import Invalid

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["09:30"])]
MOST_ZONES = 4  # a calling code of more zones tells too little: the campaign's own counts then


class Timing(BaseModel):
    """When. Empty: at once, at any hour.

    `local_time` with `starts_at`: on that day, at that hour of each recipient's clock. `quiet_from` to
    `quiet_until`: nobody is written to, by their own clock. `cron`: again and again, by `time_zone`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    starts_at: datetime | None = None
    local_time: Clock | None = None
    quiet_from: Clock | None = None
    quiet_until: Clock | None = None
    time_zone: str = Field("UTC", description="Of whom the number tells none.", max_length=60)
    cron: str | None = Field(None, max_length=100, examples=["0 10 * * 1"])

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"“{name}” is no time zone; write it like Europe/Berlin") from error
        return name

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, cron: str | None) -> str | None:
        if cron is not None and not (len(cron.split()) == 5 and croniter.is_valid(cron)):
            raise ValueError("write five fields, like “0 10 * * 1” for Mondays at ten")
        return cron

    @field_validator("starts_at")
    @classmethod
    def _has_zone(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("say in which time zone, like 2026-11-30T10:00:00+01:00")
        return moment.astimezone(UTC) if moment else None

    @model_validator(mode="after")
    def _fits(self) -> "Timing":
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet hours need both their beginning and their end")
        if self.local_time and not (self.starts_at or self.cron):
            raise ValueError("say on which day, too")
        return self

    @property
    def asks_the_clock(self) -> bool:
        """Whether it depends on the recipient when they may be written to."""
        return bool(self.local_time or self.quiet_from)


def read(stored: object) -> Timing:
    """Raises Invalid with what is wrong."""
    try:
        return Timing.model_validate(stored)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise Invalid(f"timing.{place}".rstrip("."), f"{said[:1].upper()}{said[1:]}.") from error


def begins_at(timing: Timing, now: datetime) -> datetime:
    """When the first recipient may be due: with the recipients' own clocks, before the day's hour here."""
    start = timing.starts_at
    if start is None:
        return now
    if timing.local_time is None:
        return max(start, now)
    return max(now, start - timedelta(hours=26))  # the day begins 14 hours earlier in the far east


def next_turn(timing: Timing, after: datetime) -> datetime | None:
    """The next moment of a repeating campaign, by the clocks of its time zone."""
    if timing.cron is None:
        return None
    local = after.astimezone(ZoneInfo(timing.time_zone))
    found: datetime = croniter(timing.cron, local).get_next(datetime)
    return found.astimezone(UTC)


def allowed_at(timing: Timing, phone: str | None, now: datetime) -> datetime:
    """The first moment from now on at which this person may be written to. `now`: at once."""
    zones = [ZoneInfo(name) for name in zones_of(phone, timing.time_zone)]
    moment = now
    if timing.local_time and timing.starts_at:
        moment = max(now, *(_on_the_day(timing, zone) for zone in zones))
    for _ in range(len(zones) + 1):
        later = max(_after_quiet(timing, moment, zone) for zone in zones)
        if later == moment:
            return moment
        moment = later
    return moment


@lru_cache(maxsize=65_536)
def zones_of(phone: str | None, otherwise: str) -> tuple[str, ...]:
    """The time zones in which this number may live, by its area code."""
    if not phone or not phone.isdigit():
        return (otherwise,)
    try:
        number = phonenumbers.parse("+" + phone)
    except phonenumbers.NumberParseException:
        return (otherwise,)
    found = tuple(timezone.time_zones_for_number(number))
    is_known = 0 < len(found) <= MOST_ZONES and found != (timezone.UNKNOWN_TIMEZONE,)
    return found if is_known else (otherwise,)


def _on_the_day(timing: Timing, zone: ZoneInfo) -> datetime:
    """The hour on the day that `starts_at` names in the campaign's own time zone."""
    assert timing.starts_at is not None
    assert timing.local_time is not None
    day = timing.starts_at.astimezone(ZoneInfo(timing.time_zone)).date()
    return datetime.combine(day, time.fromisoformat(timing.local_time), zone).astimezone(UTC)


def _after_quiet(timing: Timing, moment: datetime, zone: ZoneInfo) -> datetime:
    if timing.quiet_from is None or timing.quiet_until is None:
        return moment
    begin, end = time.fromisoformat(timing.quiet_from), time.fromisoformat(timing.quiet_until)
    local = moment.astimezone(zone)
    clock = local.time()
    over_midnight = begin > end
    is_quiet = (clock >= begin or clock < end) if over_midnight else begin <= clock < end
    if not is_quiet:
        return moment
    day = local.date() + timedelta(days=1 if over_midnight and clock >= begin else 0)
    return datetime.combine(day, end, zone).astimezone(UTC)
