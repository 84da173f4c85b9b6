"""A campaign is paid for as a whole before its first message, and charged for what arrived."""

from datetime import timedelta

import pytest
from sqlmodel import select

from aerostic.core import clock
from aerostic.core.errors import Refused
from aerostic.domain.billing import postings
from aerostic.domain.billing import service as billing
from aerostic.domain.billing.charging import NotEnough
from aerostic.domain.billing.models import CampaignHold, Charge, Wallet
from aerostic.domain.campaigns import expansion, queries, service
from aerostic.domain.campaigns.models import Campaign, CampaignEvent, CampaignStatus
from tests.campaigns.running import (
    become,
    campaign,
    change,
    driven,
    launched,
    look,
    messages,
    people,
    states,
    waiting,
    why,
)


def wallet(place) -> Wallet:
    with place.work() as ctx:
        return ctx.session.exec(select(Wallet)).one()


def price(place) -> int:
    """Of marketing to Germany, by the rate card."""
    with place.work() as ctx:
        from aerostic.domain.billing.charging import quotes

        return quotes(ctx, "MARKETING", ["4917012345678"], ctx.now)[0].micros


def planned(place, **choices):
    campaign_id = campaign(place, **choices)
    with place.work("admin") as ctx:
        service.plan(ctx, campaign_id)
    driven(place, campaign_id)
    return campaign_id


def test_the_plan_says_what_it_costs_by_market(place):
    people(place, 7)
    people(place, 3, calling_code="1202")
    campaign_id = planned(place)
    with place.work("admin") as ctx:
        plan = queries.plan(ctx, campaign_id)
    assert {(one.market, one.count) for one in plan.costs} == {("Germany", 7), ("North America", 3)}
    assert plan.micros == sum(one.micros for one in plan.costs)
    assert next(one.micros for one in plan.costs if one.market == "Germany") == 7 * price(place)


def test_a_wallet_too_small_is_refused_before_the_first_send_with_the_sum(make_place):
    place = make_place(funds=0)
    people(place, 4)
    needed = 4 * price(place)
    with place.system_work() as ctx:
        billing.top_up(ctx, needed - 1_000, key="short")
    campaign_id = planned(place)
    with pytest.raises(NotEnough, match=r"lacks 0\.001 USD"), place.work("admin") as ctx:
        service.launch(ctx, campaign_id)
    driven(place, campaign_id)
    assert messages(place) == []
    assert look(place, campaign_id).status == CampaignStatus.DRAFT
    assert wallet(place).held_micros == 0


def test_what_it_lacks_in_the_background_pauses_it_and_a_top_up_lets_it_go_on(make_place):
    place = make_place(funds=0)
    people(place, 4)
    needed = 4 * price(place)
    with place.system_work() as ctx:
        billing.top_up(ctx, needed - 1_000, key="short")
    campaign_id = launched(place)
    paused = driven(place, campaign_id)
    assert (paused.status, messages(place)) == (CampaignStatus.PAUSED, [])
    assert "lacks 0.001 USD" in paused.problem
    with place.system_work() as ctx:
        billing.top_up(ctx, 1_000, key="rest")
    assert driven(place, campaign_id).status == CampaignStatus.RUNNING
    assert states(place, campaign_id) == {"queued": 4}
    assert wallet(place).held_micros == needed


def short_of(place, people_count):
    """A wallet that lacks a thousandth of a dollar for so many."""
    with place.system_work() as ctx:
        billing.top_up(ctx, people_count * price(place) - 1_000, key="short")


def topped_up(place, micros=1_000_000):
    with place.system_work() as ctx:
        billing.top_up(ctx, micros, key="rest")


def test_whoever_waits_for_money_sets_nothing_aside_and_says_so_once(make_place):
    place = make_place(funds=0)
    people(place, 4)
    short_of(place, 4)
    campaign_id = launched(place)
    driven(place, campaign_id, 4)
    with place.work() as ctx:
        holds = ctx.session.exec(select(CampaignHold)).all()
        told = ctx.session.exec(
            select(CampaignEvent.words).where(CampaignEvent.campaign_id == campaign_id)
        ).all()
    assert holds == []
    assert len([one for one in told if one.startswith("Paused")]) == 1


def test_a_wallet_emptied_at_the_last_moment_loses_nobody(make_place, monkeypatch):
    monkeypatch.setattr(expansion, "AT_A_TIME", 3)
    place = make_place(funds=0)
    people(place, 7)
    short_of(place, 7)
    campaign_id = launched(place)
    with monkeypatch.context() as patched:  # it looked as if the money were there
        patched.setattr(postings, "check", lambda *_: None)
        driven(place, campaign_id)
    paused = look(place, campaign_id)
    assert paused.status == CampaignStatus.PAUSED
    assert "lacks 0.001 USD" in paused.problem
    topped_up(place)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 7}


def test_money_that_comes_late_is_for_the_audience_of_that_day(make_place):
    place = make_place(funds=0)
    people(place, 4)
    short_of(place, 4)
    campaign_id = launched(place)
    driven(place, campaign_id)
    days_ago = clock.now() - timedelta(days=3)
    change(place, Campaign, campaign_id, expanded_at=days_ago, priced_at=days_ago)
    people(place, 2, calling_code="4915")
    topped_up(place)
    running = driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 6}
    assert clock.now() - running.priced_at < timedelta(minutes=1)


def test_each_message_stands_under_the_hold_and_the_rest_is_free_again(place):
    people(place, 5)
    campaign_id = planned(place)
    with place.work("admin") as ctx:
        service.launch(ctx, campaign_id)
    each = price(place)
    assert wallet(place).held_micros == 5 * each
    driven(place, campaign_id)
    with place.work() as ctx:
        charges = ctx.session.exec(select(Charge)).all()
    assert sorted(one.message_id for one in charges) == [one.id for one in messages(place)]
    assert {(one.state, one.micros, one.campaign_id) for one in charges} == {
        ("held", each, campaign_id)
    }
    with place.work("admin") as ctx:
        service.cancel(ctx, campaign_id)
    driven(place, campaign_id)
    assert (wallet(place).held_micros, waiting(place)) == (0, [])


def test_a_number_in_no_market_is_left_out_with_the_reason(place):
    people(place, 2)
    people(place, 1, calling_code="999")
    campaign_id = launched(place)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 2, "skipped": 1}
    assert why(place, campaign_id) == {"no_price": 1}
    assert wallet(place).held_micros == 2 * price(place)


def test_a_retry_pays_for_the_failed_only(place):
    people(place, 5)
    campaign_id = launched(place)
    driven(place, campaign_id)
    each, held = price(place), wallet(place).held_micros
    assert held == 5 * each
    become(place, [one.id for one in messages(place)][:2], "failed", code="131000")
    become(place, [one.id for one in messages(place)][2:], "accepted")
    assert driven(place, campaign_id).status == CampaignStatus.DONE
    with place.work("admin") as ctx:
        service.retry_failed(ctx, campaign_id)
    assert wallet(place).held_micros == held + 2 * each


def test_a_withdrawn_credit_line_stops_it_and_a_top_up_lets_it_go_on(make_place):
    place = make_place(funds=0)
    people(place, 300)
    needed = 300 * price(place)
    with place.system_work() as ctx:
        billing.set_credit_limit(ctx, needed)
    campaign_id = launched(place)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 240, "pending": 60}
    with place.system_work() as ctx:
        billing.set_credit_limit(ctx, 0)
    become(place, [one.id for one in waiting(place)], "accepted")
    paused = driven(place, campaign_id)
    assert paused.status == CampaignStatus.PAUSED
    assert "owes" in paused.problem
    assert states(place, campaign_id) == {"sent": 240, "pending": 60}
    with place.system_work() as ctx:
        billing.top_up(ctx, needed, key="paid")
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"sent": 240, "queued": 60}


def test_with_nobody_left_nothing_is_launched(place):
    campaign_id = planned(place)
    with pytest.raises(Refused, match="Nobody is left"), place.work("admin") as ctx:
        service.launch(ctx, campaign_id)
