"""What Meta, the platform or a person changes while a campaign is on its way, and what it does then."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import col, select

from aerostic.core import clock
from aerostic.core.errors import Refused
from aerostic.domain.billing import pricing
from aerostic.domain.billing import service as billing
from aerostic.domain.billing.models import Charge, Wallet
from aerostic.domain.billing.pricing import PriceRow
from aerostic.domain.campaigns import queries, service
from aerostic.domain.campaigns.models import Campaign, CampaignEvent, CampaignStatus
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.channels.models import PhoneNumber
from aerostic.domain.contacts.models import Contact
from aerostic.domain.templates.models import Template
from tests.campaigns.running import (
    become,
    change,
    driven,
    fast,
    launched,
    look,
    messages,
    people,
    states,
    template,
    waiting,
)
from tests.meta import Meta, delivery, status
from tests.meta import change as told_change
from workers.jobs import deliveries


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


# What it costs -------------------------------------------------------------------------------------


def set_price(place, market, micros, category="marketing"):
    with place.system_work() as ctx:
        pricing.set_prices(ctx, [PriceRow(market, category, micros, clock.today())])


def charged(place):
    """What each message of campaigns stands under a hold with, by how many."""
    with place.work() as ctx:
        return Counter(ctx.session.exec(select(Charge.micros)).all())


def held(place):
    with place.work() as ctx:
        return ctx.session.exec(select(Wallet.held_micros)).one()


def half_sent(place, **choices):
    """A campaign that has written to 240 of its 300 people."""
    ids = people(place, 300)
    campaign_id = launched(place, **choices)
    driven(place, campaign_id)
    become(place, [one.id for one in waiting(place)], "accepted")
    return campaign_id, ids


def events(place, campaign_id):
    with place.work() as ctx:
        statement = select(CampaignEvent.words).where(CampaignEvent.campaign_id == campaign_id)
        return list(ctx.session.exec(statement.order_by(col(CampaignEvent.id))))


def test_what_was_set_aside_keeps_its_price(place):
    set_price(place, "Germany", 50_000)
    campaign_id, _ = half_sent(place)
    set_price(place, "Germany", 90_000)
    assert driven(place, campaign_id).status == CampaignStatus.RUNNING
    assert charged(place) == {50_000: 300}
    assert held(place) == 300 * 50_000


def test_a_category_that_somebody_lets_go_on_costs_what_it_costs_from_there_on(place):
    set_price(place, "Germany", 10_000, "utility")
    set_price(place, "Germany", 90_000)
    notice = template(place, category="UTILITY", name="notice")
    campaign_id, ids = half_sent(place, template_id=notice)
    moved(place, notice)
    assert driven(place, campaign_id).status == CampaignStatus.PAUSED
    change(place, Contact, ids[-1], marketing_stopped_at=clock.now())
    with place.work("admin") as ctx:
        service.resume(ctx, campaign_id)
    assert driven(place, campaign_id).status == CampaignStatus.RUNNING
    assert states(place, campaign_id) == {"sent": 240, "queued": 59, "skipped": 1}
    assert charged(place) == {10_000: 240, 90_000: 59}
    assert held(place) == 240 * 10_000 + 59 * 90_000


def test_a_test_message_does_not_move_the_campaign_to_another_category(place):
    notice = template(place, category="UTILITY", name="notice")
    campaign_id, ids = half_sent(place, template_id=notice)
    moved(place, notice)
    with place.work("admin") as ctx:
        service.test_send(ctx, campaign_id, ids[0])
    assert look(place, campaign_id).category == "UTILITY"


def test_people_who_moved_to_a_dearer_market_wait_for_the_money_and_then_it_goes_on(make_place):
    place = make_place(funds=300 * 50_000)
    set_price(place, "Germany", 50_000)
    set_price(place, "Italy", 70_000)
    campaign_id, ids = half_sent(place)
    change(place, Contact, ids[-1], phone="393331234567")
    driven(place, campaign_id, 3)
    paused = look(place, campaign_id)
    assert paused.status == CampaignStatus.PAUSED
    assert "lacks 0.02 USD" in paused.problem
    assert len([one for one in events(place, campaign_id) if one.startswith("Paused")]) == 1
    with place.system_work() as ctx:
        billing.top_up(ctx, 20_000, key="more")
    assert driven(place, campaign_id).status == CampaignStatus.RUNNING
    assert states(place, campaign_id) == {"sent": 240, "queued": 60}
    assert charged(place) == {50_000: 299, 70_000: 1}


# What WhatsApp tells late --------------------------------------------------------------------------


def tell(place, message_id, step, **more):
    """WhatsApp says what became of a message."""
    meta = Meta()
    told = status(f"wamid.{message_id}", step, biz_opaque_callback_data=str(message_id), **more)
    try:
        meta.deliver(delivery(place, told_change(place, statuses=[told])))
        deliveries.drain()
    finally:
        meta.close()


@pytest.mark.parametrize("micros", [50_000, 0])
def test_who_got_it_after_all_is_not_written_to_again(place, micros):
    set_price(place, "Germany", micros)
    people(place, 3)
    campaign_id = launched(place)
    driven(place, campaign_id)
    first, second, third = (one.id for one in messages(place))
    refusal = [{"code": 131000, "title": "Something went wrong"}]
    tell(place, first, "failed", errors=refusal)
    tell(place, second, "failed", errors=refusal)
    tell(place, third, "delivered")
    tell(place, first, "delivered")
    with place.work("admin") as ctx:
        assert service.retry_failed(ctx, campaign_id) == 1
    driven(place, campaign_id)
    assert len(messages(place)) == 4
    assert states(place, campaign_id) == {"failed": 1, "delivered": 1, "queued": 1}
    with pytest.raises(Refused, match="Nobody is left"), place.work("admin") as ctx:
        service.retry_failed(ctx, campaign_id)


# Its end -------------------------------------------------------------------------------------------


def test_one_that_has_written_to_everyone_ends_though_the_day_is_used_up(place):
    people(place, 250)
    change(place, PhoneNumber, place.number_id, messaging_limit="TIER_250")
    fast(place)
    campaign_id = launched(place)
    assert driven(place, campaign_id).status == CampaignStatus.RUNNING
    become(place, [one.id for one in waiting(place)], "accepted")
    done = driven(place, campaign_id)
    assert (done.status, done.problem) == (CampaignStatus.DONE, None)
    assert states(place, campaign_id) == {"sent": 250}
