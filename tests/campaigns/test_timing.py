"""Nobody is written to before their own hour, or while they sleep."""

from datetime import UTC, datetime

import pytest

from aerostic.core.errors import Invalid
from aerostic.domain.campaigns import timing

BERLIN, TOKYO, NEW_YORK = "4930123456", "81312345678", "12125550100"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_without_hours_everyone_may_be_written_to_at_once():
    assert timing.allowed_at(timing.Timing(), BERLIN, at("2026-11-23T03:00")) == at(
        "2026-11-23T03:00"
    )


@pytest.mark.parametrize(
    ("phone", "allowed"),
    [
        (BERLIN, "2026-11-23T08:00"),  # nine o'clock there
        (TOKYO, "2026-11-23T03:00"),  # noon there
        (NEW_YORK, "2026-11-23T14:00"),
    ],
)
def test_quiet_hours_are_those_of_the_recipients_clock(phone, allowed):
    quiet = timing.Timing(quiet_from="21:00", quiet_until="09:00")
    assert timing.allowed_at(quiet, phone, at("2026-11-23T03:00")) == at(allowed)


def test_a_day_has_its_hour_in_each_zone():
    when = timing.Timing(
        starts_at=at("2026-11-24T12:00"), local_time="10:00", time_zone="Europe/Berlin"
    )
    now = at("2026-11-23T10:00")
    assert timing.allowed_at(when, TOKYO, now) == at("2026-11-24T01:00")
    assert timing.allowed_at(when, BERLIN, now) == at("2026-11-24T09:00")
    assert timing.allowed_at(when, NEW_YORK, now) == at("2026-11-24T15:00")
    assert timing.begins_at(when, now) == at("2026-11-23T10:00")


def test_a_number_without_a_zone_goes_by_the_campaigns_own():
    assert timing.zones_of(None, "Europe/Rome") == ("Europe/Rome",)
    assert timing.zones_of("79161234567", "Europe/Rome") == ("Europe/Rome",)  # sixteen of them


def test_a_repeating_one_keeps_its_hour_over_the_change_of_clocks():
    weekly = timing.Timing(cron="0 10 * * 1", time_zone="Europe/Berlin")
    assert timing.next_turn(weekly, at("2026-10-20T00:00")) == at("2026-10-26T09:00")
    assert timing.next_turn(weekly, at("2026-10-13T00:00")) == at("2026-10-19T08:00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"cron": "every day"},
        {"time_zone": "Mars/Olympus"},
        {"quiet_from": "21:00"},
        {"local_time": "25:00", "starts_at": "2026-11-24T12:00Z"},
        {"local_time": "10:00"},
        {"starts_at": "2026-11-24T12:00"},
    ],
)
def test_what_makes_no_time_is_refused_with_a_sentence(wrong):
    with pytest.raises(Invalid):
        timing.read(wrong)
