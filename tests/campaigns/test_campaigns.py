"""A campaign reaches everyone of its audience once, says why it left someone out, and stops by itself."""

from datetime import timedelta

import pytest

from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.domain.campaigns import queries, service
from aerostic.domain.campaigns.models import Campaign, CampaignStatus
from aerostic.domain.campaigns.variables import Source, SourceKind
from aerostic.domain.contacts.models import Contact
from tests.campaigns.running import (
    become,
    campaign,
    change,
    driven,
    fast,
    launched,
    look,
    messages,
    people,
    recipients,
    states,
    waiting,
    why,
)

NO_FALLBACK = {"body.1": Source(kind=SourceKind.CONTACT, key="first_name")}


def test_everyone_of_the_audience_is_written_to_once(place, rival):
    ids = people(place, 25)
    people(rival, 5)
    campaign_id = launched(place)
    assert look(place, campaign_id).status == CampaignStatus.PREPARING
    assert driven(place, campaign_id).status == CampaignStatus.RUNNING
    written = messages(place)
    assert [one.contact_id for one in written] == ids
    assert {one.origin for one in written} == {"campaign"}
    assert written[3].text == "Hello Person3, our autumn menu is here."
    assert len(waiting(place)) == 25
    assert states(place, campaign_id) == {"queued": 25}
    assert messages(rival) == []


def test_a_recipient_follows_its_message(place):
    people(place, 4)
    campaign_id = launched(place)
    driven(place, campaign_id)
    first, second, third, _ = [one.id for one in messages(place)]
    become(place, [first, second], "accepted")
    become(place, [second], "read")
    become(place, [third], "failed", code="131026")
    assert states(place, campaign_id) == {"sent": 1, "read": 1, "failed": 1, "queued": 1}
    assert why(place, campaign_id) == {"131026": 1}
    with place.work("admin") as ctx:
        funnel = queries.funnel(ctx, campaign_id)
    assert (funnel.audience, funnel.sent, funnel.delivered, funnel.read) == (4, 2, 1, 1)
    assert (funnel.failed, funnel.queued) == (1, 1)


def test_it_is_done_when_its_messages_have_left(place):
    people(place, 3)
    campaign_id = launched(place)
    assert driven(place, campaign_id, 2).status == CampaignStatus.RUNNING
    become(place, [one.id for one in messages(place)], "accepted")
    assert driven(place, campaign_id).status == CampaignStatus.DONE
    assert driven(place, campaign_id).status == CampaignStatus.DONE
    assert len(messages(place)) == 3


def test_who_has_no_value_is_named_before_launch(place):
    ids = people(place, 6)
    for contact_id in ids[:2]:
        change(place, Contact, contact_id, name="")
    campaign_id = campaign(place, variables=NO_FALLBACK)
    with place.work("admin") as ctx:
        assert not service.plan(ctx, campaign_id).is_ready
    driven(place, campaign_id)
    with place.work("admin") as ctx:
        plan = queries.plan(ctx, campaign_id)
        named = queries.recipients(ctx, campaign_id, reason="variable_missing").items
    assert (plan.is_ready, plan.counted, plan.to_send, plan.missing) == (True, 6, 4, 2)
    assert [one.contact_id for one in named] == ids[:2]
    with pytest.raises(Refused, match="2 recipients"), place.work("admin") as ctx:
        service.launch(ctx, campaign_id)
    assert messages(place) == []
    with place.work("admin") as ctx:
        service.launch(ctx, campaign_id, skip_missing=True)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 4, "skipped": 2}


def test_only_a_few_seconds_worth_waits_in_the_queue(place):
    people(place, 300)
    campaign_id = launched(place)
    driven(place, campaign_id, 3)
    assert len(waiting(place)) == 240  # three seconds at 80 messages a second
    become(place, [one.id for one in waiting(place)[:100]], "accepted")
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"sent": 100, "queued": 200}


def test_a_paused_campaign_writes_to_nobody_and_goes_on_where_it_stopped(place):
    people(place, 300)
    campaign_id = launched(place)
    driven(place, campaign_id)
    with place.work("admin") as ctx:
        service.pause(ctx, campaign_id)
    become(place, [one.id for one in waiting(place)], "accepted")
    driven(place, campaign_id, 3)
    assert states(place, campaign_id) == {"sent": 240, "pending": 60}
    with place.work("admin") as ctx:
        service.resume(ctx, campaign_id)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"sent": 240, "queued": 60}


def test_a_cancelled_campaign_takes_back_what_has_not_left(place):
    people(place, 300)
    campaign_id = launched(place)
    driven(place, campaign_id)
    become(place, [one.id for one in waiting(place)[:40]], "accepted")
    with place.work("admin") as ctx:
        service.cancel(ctx, campaign_id)
    assert waiting(place) == []
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"sent": 40, "cancelled": 260}
    with pytest.raises(Conflict), place.work("admin") as ctx:
        service.resume(ctx, campaign_id)


def test_a_retry_is_for_the_failed_only(place):
    people(place, 5)
    campaign_id = launched(place)
    driven(place, campaign_id)
    written = [one.id for one in messages(place)]
    become(place, written[:3], "delivered")
    become(place, written[3:], "failed", code="131000")
    assert driven(place, campaign_id).status == CampaignStatus.DONE
    with place.work("admin") as ctx:
        assert service.retry_failed(ctx, campaign_id) == 2
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"delivered": 3, "queued": 2}
    assert len(messages(place)) == 7
    assert sorted(one.attempt for one in recipients(place, campaign_id)) == [1, 1, 1, 2, 2]


def test_too_many_failures_pause_it_with_the_reason(place):
    people(place, 120)
    campaign_id = launched(place)
    driven(place, campaign_id)
    ids = [one.id for one in messages(place)]
    become(place, ids[:70], "delivered")
    become(place, ids[70:], "failed", code="131026")
    _later(place, campaign_id)
    paused = driven(place, campaign_id)
    assert paused.status == CampaignStatus.PAUSED
    assert paused.problem.startswith("50 of 120 messages failed. Most often: ")


def test_what_had_failed_before_it_was_resumed_does_not_pause_it_again(place):
    people(place, 300)
    campaign_id = launched(place)
    driven(place, campaign_id)
    become(place, [one.id for one in messages(place)], "failed", code="131026")
    _later(place, campaign_id)
    assert driven(place, campaign_id).status == CampaignStatus.PAUSED
    with place.work("admin") as ctx:
        service.resume(ctx, campaign_id)
    _later(place, campaign_id)
    assert driven(place, campaign_id).status == CampaignStatus.RUNNING
    assert states(place, campaign_id) == {"failed": 240, "queued": 60}


def test_a_limit_of_its_own_lets_out_so_many(place):
    fast(place)
    people(place, 150)
    campaign_id = launched(place, most_per_minute=600)
    driven(place, campaign_id)
    before = states(place, campaign_id).get("queued", 0)
    assert before < 20
    with place.system_work() as ctx:
        campaign = ctx.get(Campaign, campaign_id)
        campaign.allowance, campaign.ticked_at = 0.0, ctx.now - timedelta(minutes=1)
    driven(place, campaign_id)
    assert states(place, campaign_id)["queued"] == before + 100  # at most ten seconds are made up


def _later(place, campaign_id):
    """Failures are counted every few seconds: they have passed."""
    with place.system_work() as ctx:
        ctx.get(Campaign, campaign_id).watched_at = ctx.now - timedelta(seconds=10)


def test_another_tenant_finds_no_campaign(place, rival):
    campaign_id = campaign(place)
    with pytest.raises(NotFound), rival.work() as ctx:
        service.launch(ctx, campaign_id)
    with pytest.raises(NotFound), rival.work() as ctx:
        queries.funnel(ctx, campaign_id)
    assert look(place, campaign_id).status == CampaignStatus.DRAFT


def test_a_gap_that_nothing_fills_is_refused(place):
    campaign_id = campaign(place, variables={})
    with pytest.raises(Invalid, match=r"body\.1"), place.work("admin") as ctx:
        service.plan(ctx, campaign_id)


def test_the_list_shows_the_newest_first_and_only_ours(place, rival):
    first, second = campaign(place, name="First"), campaign(place, name="Second")
    campaign(rival)
    with place.work("admin") as ctx:
        page = queries.campaigns(ctx, limit=1)
        rest = queries.campaigns(ctx, limit=1, after=page.next_cursor)
    assert [one.id for one in page.items + rest.items] == [second, first]
    assert [one.template_name for one in page.items] == ["autumn"]
    assert rest.next_cursor is None
