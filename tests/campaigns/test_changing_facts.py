"""What Meta, the platform or a person changes while a campaign is on its way, and what it does then."""

from datetime import timedelta

from aerostic.core import clock
from aerostic.domain.campaigns import queries, service
from aerostic.domain.campaigns.models import Campaign, CampaignStatus
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.channels.models import PhoneNumber
from aerostic.domain.templates.models import Template
from tests.campaigns.running import (
    become,
    change,
    driven,
    launched,
    look,
    messages,
    people,
    states,
    template,
    waiting,
)


def moved(place, template_id):
    change(place, Template, template_id, category="MARKETING")


def test_a_template_that_becomes_marketing_on_the_way_stops_it(place):
    people(place, 300)
    notice = template(place, category="UTILITY", name="notice")
    campaign_id = launched(place, template_id=notice)
    driven(place, campaign_id)
    moved(place, notice)
    become(place, [one.id for one in waiting(place)], "accepted")
    paused = driven(place, campaign_id)
    assert (paused.status, paused.category) == (CampaignStatus.PAUSED, "UTILITY")
    assert "“notice” from utility to marketing" in paused.problem
    assert states(place, campaign_id) == {"sent": 240, "pending": 60}


def test_one_that_becomes_marketing_before_its_time_is_not_begun(place):
    people(place, 3)
    notice = template(place, category="UTILITY", name="notice")
    later = Timing(starts_at=clock.now() + timedelta(hours=1))
    campaign_id = launched(place, template_id=notice, timing=later)
    moved(place, notice)
    past = Timing(starts_at=clock.now() - timedelta(seconds=1)).model_dump(mode="json")
    change(place, Campaign, campaign_id, timing=past)
    assert driven(place, campaign_id, 2).status == CampaignStatus.PAUSED
    with place.work("admin") as ctx:
        service.resume(ctx, campaign_id)
    assert driven(place, campaign_id).category == "MARKETING"
    assert states(place, campaign_id) == {"queued": 3}


def test_a_turn_whose_number_is_gone_waits_and_the_series_goes_on(place):
    people(place, 3)
    series = launched(place, timing=Timing(cron="0 10 * * 1"))
    change(place, Campaign, series, next_turn_at=clock.now() - timedelta(seconds=1))
    change(place, PhoneNumber, place.number_id, status="disconnected")
    assert driven(place, series).status == CampaignStatus.SCHEDULED
    (turn,) = turns(place, series)
    assert look(place, turn).status == CampaignStatus.PAUSED
    assert "disconnected" in look(place, turn).problem
    assert messages(place) == []


def test_a_series_whose_template_becomes_marketing_stops(place):
    people(place, 3)
    notice = template(place, category="UTILITY", name="notice")
    series = launched(place, template_id=notice, timing=Timing(cron="0 10 * * 1"))
    moved(place, notice)
    change(place, Campaign, series, next_turn_at=clock.now() - timedelta(seconds=1))
    assert driven(place, series).status == CampaignStatus.PAUSED
    assert turns(place, series) == []


def turns(place, series):
    with place.work("admin") as ctx:
        return [one.id for one in queries.campaigns(ctx).items if one.series_id == series]
