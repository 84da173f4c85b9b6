"""Two drivers write once; limits, clocks and people's own decisions hold; texts are compared fairly."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from aerostic.core import clock
from aerostic.core.due_work import DueWork
from aerostic.core.errors import Conflict, NotAllowed, Refused
from aerostic.domain.campaigns import queries, service
from aerostic.domain.campaigns.models import Campaign, CampaignStatus
from aerostic.domain.campaigns.schemas import Variant
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.channels.models import PhoneNumber
from aerostic.domain.contacts.models import Contact
from aerostic.domain.dossier import service as dossier
from aerostic.domain.templates.models import Template
from tests.campaigns.running import (
    FIRST_NAME,
    become,
    campaign,
    change,
    draft,
    driven,
    fast,
    launched,
    look,
    messages,
    people,
    recipients,
    states,
    template,
    the_template,
    waiting,
    why,
)
from tests.conftest import _make_place
from tests.meta import Meta, delivery, message, raw
from tests.meta import change as told
from workers.campaigns import drive
from workers.jobs import deliveries


def test_two_drivers_at_once_write_each_message_once(place):
    fast(place)
    people(place, 400)
    campaign_id = launched(place)
    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(drive, place.tenant_id, campaign_id) for _ in range(4)]:
            one.result()
    assert states(place, campaign_id) == {"queued": 400}
    assert len(messages(place)) == 400
    assert len({one.recipient for one in waiting(place)}) == 400


def test_a_scheduled_one_is_dispatched_once_by_two_at_its_time(place):
    people(place, 20)
    later = clock.now() + timedelta(hours=1)
    campaign_id = launched(place, timing=Timing(starts_at=later))
    assert driven(place, campaign_id).status == CampaignStatus.SCHEDULED
    assert messages(place) == []
    past = Timing(starts_at=clock.now() - timedelta(seconds=1)).model_dump(mode="json")
    change(place, Campaign, campaign_id, timing=past)
    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(drive, place.tenant_id, campaign_id) for _ in range(2)]:
            one.result()
    driven(place, campaign_id)
    assert len(messages(place)) == 20


def test_a_repeating_one_makes_a_campaign_at_each_turn(place):
    people(place, 3)
    series = launched(place, timing=Timing(cron="0 10 * * 1"))
    due = look(place, series).next_turn_at
    assert due.weekday() == 0
    change(place, Campaign, series, next_turn_at=clock.now() - timedelta(seconds=1))
    driven(place, series, 2)
    with place.work("admin") as ctx:
        turns = [one for one in queries.campaigns(ctx).items if one.series_id == series]
    assert len(turns) == 1
    driven(place, turns[0].id)
    assert states(place, turns[0].id) == {"queued": 3}
    assert look(place, series).status == CampaignStatus.SCHEDULED
    assert look(place, series).next_turn_at > clock.now()


def test_who_says_stop_after_the_plan_is_left_out(place):
    ids = people(place, 5)
    campaign_id = campaign(place)
    with place.work("admin") as ctx:
        service.plan(ctx, campaign_id)
    driven(place, campaign_id)
    change(place, Contact, ids[0], marketing_stopped_at=clock.now())
    change(place, Contact, ids[1], is_blocked=True)
    with place.work("admin") as ctx:
        service.launch(ctx, campaign_id)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 3, "skipped": 2}
    assert why(place, campaign_id) == {"stopped_marketing": 1, "blocked": 1}


def test_an_erased_person_leaves_the_figures_whole_and_nothing_of_theirs(place):
    ids = people(place, 3)
    campaign_id = campaign(place)
    with place.work("admin") as ctx:
        service.plan(ctx, campaign_id)
    driven(place, campaign_id)
    with place.work("owner") as ctx:
        dossier.erase(ctx, ids[0])
    with place.work("admin") as ctx:
        service.launch(ctx, campaign_id)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 2, "skipped": 1}
    assert why(place, campaign_id) == {"erased": 1}


def test_a_template_that_whatsapp_pauses_mid_way_pauses_it(place):
    people(place, 300)
    campaign_id = launched(place)
    driven(place, campaign_id)
    change(place, Template, the_template(place), status="PAUSED")
    become(place, [one.id for one in waiting(place)], "accepted")
    paused = driven(place, campaign_id)
    assert paused.status == CampaignStatus.PAUSED
    assert "“autumn” as paused" in paused.problem
    assert states(place, campaign_id) == {"sent": 240, "pending": 60}


def test_a_number_of_low_quality_pauses_it_once(place):
    people(place, 300)
    campaign_id = launched(place)
    driven(place, campaign_id)
    change(place, PhoneNumber, place.number_id, quality_rating="RED")
    assert driven(place, campaign_id).status == CampaignStatus.PAUSED
    with place.work("admin") as ctx:
        service.resume(ctx, campaign_id)
    assert driven(place, campaign_id).status == CampaignStatus.RUNNING


def test_the_limit_of_a_day_holds_and_the_plan_says_so(place):
    people(place, 300)
    change(place, PhoneNumber, place.number_id, messaging_limit="TIER_250")
    fast(place)
    campaign_id = campaign(place)
    with place.work("admin") as ctx:
        service.plan(ctx, campaign_id)
    driven(place, campaign_id)
    with place.work("admin") as ctx:
        plan = queries.plan(ctx, campaign_id)
        service.launch(ctx, campaign_id)
    assert (plan.day_limit, plan.over_limit) == (250, 50)
    assert plan.last_day_at - clock.now() > timedelta(hours=23)
    driven(place, campaign_id, 3)
    assert states(place, campaign_id) == {"queued": 250, "pending": 50}
    running = look(place, campaign_id)
    assert running.status == CampaignStatus.RUNNING
    assert "250 people in 24 hours" in running.problem


def test_texts_are_shared_out_and_some_are_held_out(place):
    fast(place)
    people(place, 300)
    other = template(place, "Dear {{1}}, the menu has changed.", name="winter")
    variants = [Variant(the_template(place), FIRST_NAME, 3), Variant(other, FIRST_NAME, 1)]
    campaign_id = launched(place, variants=variants, hold_out_percent=20)
    driven(place, campaign_id)
    found = recipients(place, campaign_id)
    held_out = [one for one in found if one.reason == "held_out"]
    assert 30 <= len(held_out) <= 95
    texts = Counter(one.variant for one in found if one.message_id)
    assert texts.total() == 300 - len(held_out)
    assert texts[0] > texts[1] > 0
    with place.work("admin") as ctx:
        compared = queries.variants(ctx, campaign_id)
    assert [one.funnel.queued for one in compared] == [texts[0], texts[1]]


def test_quiet_hours_put_people_off(place):
    fast(place)
    people(place, 4)
    now = clock.now()
    quiet = Timing(
        quiet_from=f"{now - timedelta(hours=3):%H:%M}",
        quiet_until=f"{now + timedelta(hours=3):%H:%M}",
    )
    campaign_id = launched(place, timing=quiet)
    driven(place, campaign_id, 2)
    found = recipients(place, campaign_id)
    assert states(place, campaign_id) == {"pending": 4}
    assert min(one.due_at for one in found) > now + timedelta(minutes=30)
    with place.work() as ctx:
        row = ctx.session.exec(select(DueWork).where(DueWork.ref == campaign_id)).one()
    assert row.due_at > now + timedelta(minutes=30)


def test_approval_is_an_owners(place):
    people(place, 2)
    campaign_id = launched(place, needs_approval=True)
    assert look(place, campaign_id).status == CampaignStatus.AWAITING_APPROVAL
    with pytest.raises(NotAllowed), place.work("admin") as ctx:
        service.approve(ctx, campaign_id, revision=0)
    with place.work("owner") as ctx:
        service.approve(ctx, campaign_id, revision=0)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 2}


def test_a_stale_tab_does_not_overwrite(place):
    campaign_id = campaign(place)
    with place.work("admin") as ctx:
        service.update(ctx, campaign_id, draft(place, the_template(place), name="New"), revision=0)
    with pytest.raises(Conflict), place.work("admin") as ctx:
        service.update(ctx, campaign_id, draft(place, the_template(place), name="Old"), revision=0)
    assert look(place, campaign_id).name == "New"


def test_a_test_send_is_outside_of_the_count(place):
    ids = people(place, 2)
    campaign_id = campaign(place)
    with place.work("admin") as ctx:
        sent = service.test_send(ctx, campaign_id, ids[1])
        shown = queries.preview(ctx, campaign_id, ids[1])
    assert sent.text == shown.text == "Hello Person1, our autumn menu is here."
    assert recipients(place, campaign_id) == []


def test_an_answer_counts_once_and_for_the_last_campaign(place):
    people(place, 2)
    first = launched(place)
    driven(place, first)
    become(place, [one.id for one in messages(place)], "accepted")
    driven(place, first)
    second = launched(place, name="Second")
    driven(place, second)
    phone = waiting(place)[0].recipient
    meta = Meta()
    try:
        for _ in range(2):
            meta.post(raw(delivery(place, told(place, messages=[message(phone)]))))
        deliveries.drain()
    finally:
        meta.close()
    with place.work("admin") as ctx:
        assert queries.funnel(ctx, first).replied == 0
        assert queries.funnel(ctx, second).replied == 1


STEPS = st.lists(
    st.sampled_from(["drive", "accept", "fail", "pause", "resume", "retry", "read"]),
    min_size=3,
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, ends=st.sampled_from(["cancel", "let it end"]))
def test_whatever_is_done_the_states_sum_to_the_audience(steps, ends):
    place = _make_place()
    people(place, 270)
    campaign_id = launched(place)
    for step in [*steps, *([ends] if ends == "cancel" else [])]:
        _do(place, campaign_id, step)
        found = states(place, campaign_id)
        assert sum(found.values()) in (0, 270)
        assert found.get("queued", 0) == len(waiting(place)) <= 240
    driven(place, campaign_id)
    living = [one.message_id for one in recipients(place, campaign_id) if one.message_id]
    assert len(living) == len(set(living))


def _do(place, campaign_id, step):
    try:
        match step:
            case "drive":
                driven(place, campaign_id)
            case "accept" | "fail" | "read":
                status = {"accept": "accepted", "fail": "failed", "read": "read"}[step]
                become(place, [one.id for one in waiting(place)[:100]], status, code="131000")
            case _:
                verb = getattr(service, "retry_failed" if step == "retry" else step)
                with place.work("admin") as ctx:
                    verb(ctx, campaign_id)
    except (Conflict, Refused):
        return  # not now: a refusal is an answer
