"""Rest for a while, until a moment, or until people are at work."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from aerostic.domain.automation import templates
from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    Group,
    Instant,
    NodeConfig,
    NodeFailed,
    Outcome,
    Port,
    Reply,
    Step,
)
from aerostic.domain.automation.nodes.base import Wait as Rest
from aerostic.domain.automation.nodes.fields import Line, TimeZone, Unit, length_of

LONGEST = timedelta(days=366)
SOON = timedelta(days=14)  # business hours come again within this, or never


class Until(StrEnum):
    DURATION = "duration"
    MOMENT = "moment"
    BUSINESS_HOURS = "business_hours"


class Day(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


WEEK = tuple(Day)


def only_for(*ways: Until, **more: Any) -> dict[str, Any]:
    """Shown in the form for these ways of waiting."""
    return {"show_if": {"until": [way.value for way in ways]}, **more}


class Wait(Instant):
    kind = "logic.wait"
    title = "Wait"
    group = Group.LOGIC
    icon = "hourglass"
    summary = (
        "Rests for a while, until a moment, or until business hours. A resting run costs nothing."
    )
    outputs = (OUT, Port("reply", "They wrote"), ERROR)

    class Config(NodeConfig):
        until: Until = Field(default=Until.DURATION, title="Wait")
        amount: float = Field(
            default=1, title="For", ge=0, le=10_000, json_schema_extra=only_for(Until.DURATION)
        )
        unit: Unit = Field(
            default=Unit.HOURS, title="Unit", json_schema_extra=only_for(Until.DURATION)
        )
        moment: Line = Field(
            default="",
            title="Until",
            description="A date and time such as 2026-12-24T18:00, or an expression. One that is past "
            "goes on at once.",
            max_length=200,
            json_schema_extra=only_for(Until.MOMENT, widget="text"),
        )
        days: list[Day] = Field(
            default=list(WEEK[:5]),
            title="Days",
            json_schema_extra=only_for(Until.BUSINESS_HOURS),
        )
        opens: str = Field(
            default="09:00",
            title="From",
            description="Such as 09:00.",
            max_length=5,
            json_schema_extra=only_for(Until.BUSINESS_HOURS, widget="time"),
        )
        closes: str = Field(
            default="18:00",
            title="To",
            description="Such as 18:00.",
            max_length=5,
            json_schema_extra=only_for(Until.BUSINESS_HOURS, widget="time"),
        )
        time_zone: TimeZone = Field(
            default="UTC",
            title="Time zone",
            json_schema_extra=only_for(Until.MOMENT, Until.BUSINESS_HOURS),
        )
        ends_on_reply: bool = Field(
            default=False,
            title="Stop waiting when the contact writes",
            description="Then it goes on through “They wrote”.",
        )

        @field_validator("opens", "closes")
        @classmethod
        def _is_time(cls, value: str) -> str:
            try:
                return time.fromisoformat(value).strftime("%H:%M")
            except ValueError:
                raise ValueError("Write a time like 09:00") from None

        @model_validator(mode="after")
        def _is_some_time(self) -> "Wait.Config":
            if self.until is Until.BUSINESS_HOURS and not self.days:
                raise ValueError("Choose at least one day")
            if self.until is Until.BUSINESS_HOURS and self.opens >= self.closes:
                raise ValueError("The end of the business hours must come after their beginning")
            return self

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        until = _until(config, step.now)
        if until > step.now + LONGEST:
            raise NodeFailed("A run can wait for a year at most.")
        output = {"until": until.isoformat()}
        if until <= step.now:
            return Outcome(output=output)
        return Outcome(output=output, wait=Rest(until, for_reply=config.ends_on_reply))

    @classmethod
    def resume(cls, step: Step, config: Any, reply: Reply) -> Outcome:
        if reply.message is None:
            return Outcome(output={"wrote": False})
        return Outcome("reply", output={"wrote": True, "text": reply.message.get("text", "")})


def _until(config: "Wait.Config", now: datetime) -> datetime:
    if config.until is Until.DURATION:
        return now + length_of(config.amount, config.unit)
    if config.until is Until.MOMENT:
        return _moment(config.moment, config.time_zone)
    return next_opening(config, now)


def _moment(text: str, zone: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        at = templates.moment(text)
        if at is None:
            raise NodeFailed(
                f"“{text[:60]}” is not a moment. Write it like 2026-12-24T18:00."
            ) from None
        return at
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


def next_opening(config: "Wait.Config", now: datetime) -> datetime:
    """Now, if it is within business hours, else when they begin next. Clocks may change in between."""
    zone = ZoneInfo(config.time_zone)
    today = now.astimezone(zone).date()
    for ahead in range(SOON.days):
        day = today + timedelta(days=ahead)
        if WEEK[day.weekday()] not in config.days:
            continue
        opens, closes = (_at(day, clock, zone) for clock in (config.opens, config.closes))
        if now < closes:
            return max(now, opens)
    raise NodeFailed("There are no business hours in the next two weeks.")


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone)
