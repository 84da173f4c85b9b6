"""What an owner approves is what they have looked at."""

from datetime import timedelta

import pytest
from sqlmodel import select

from aerostic.core import clock
from aerostic.core.due_work import DueWork
from aerostic.core.errors import Conflict
from aerostic.domain.campaigns import service
from aerostic.domain.campaigns.models import CampaignStatus
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.templates.models import Template
from tests.campaigns.running import (
    change,
    draft,
    driven,
    launched,
    look,
    messages,
    people,
    states,
    template,
    the_template,
)

AWAITING = CampaignStatus.AWAITING_APPROVAL


def approved(place, campaign_id, revision):
    with place.work("owner") as ctx:
        service.approve(ctx, campaign_id, revision=revision)


def test_what_was_changed_since_they_looked_is_not_approved(place):
    people(place, 2)
    campaign_id = launched(place, needs_approval=True)
    other = draft(place, the_template(place), name="Other", needs_approval=True)
    with place.work("admin") as ctx:
        service.update(ctx, campaign_id, other, revision=0)
        service.launch(ctx, campaign_id)
    with pytest.raises(Conflict, match="changed meanwhile"):
        approved(place, campaign_id, 0)
    assert look(place, campaign_id).status == AWAITING
    approved(place, campaign_id, 1)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 2}


def test_another_time_is_another_thing_to_approve(place):
    people(place, 2)
    campaign_id = launched(place, needs_approval=True)
    with place.work("admin") as ctx:
        service.schedule(ctx, campaign_id, Timing(quiet_from="22:00", quiet_until="08:00"))
    with pytest.raises(Conflict, match="changed meanwhile"):
        approved(place, campaign_id, 0)


@pytest.mark.parametrize("is_paused", [False, True])
def test_an_approval_does_not_hold_for_another_time(place, is_paused):
    people(place, 2)
    later = Timing(starts_at=clock.now() + timedelta(days=1))
    campaign_id = launched(place, needs_approval=True, timing=later)
    approved(place, campaign_id, 0)
    with place.work("admin") as ctx:
        if is_paused:
            service.pause(ctx, campaign_id)
        service.schedule(ctx, campaign_id, Timing())
    waits = driven(place, campaign_id)
    assert (waits.status, waits.approved_by_name, messages(place)) == (AWAITING, None, [])
    with place.work() as ctx:
        assert ctx.session.exec(select(DueWork).where(DueWork.ref == campaign_id)).all() == []
    approved(place, campaign_id, 1)
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 2}


def test_a_template_that_costs_more_than_when_they_looked_is_planned_again_first(place):
    people(place, 2)
    notice = template(place, category="UTILITY", name="notice")
    campaign_id = launched(place, template_id=notice, needs_approval=True)
    change(place, Template, notice, category="MARKETING")
    with pytest.raises(Conflict, match="another category"):
        approved(place, campaign_id, 0)
    with place.work("admin") as ctx:
        service.plan(ctx, campaign_id)
    approved(place, campaign_id, 0)
    driven(place, campaign_id)
    assert look(place, campaign_id).category == "MARKETING"
    assert states(place, campaign_id) == {"queued": 2}


def test_without_approval_another_time_is_just_another_time(place):
    people(place, 2)
    later = Timing(starts_at=clock.now() + timedelta(days=1))
    campaign_id = launched(place, timing=later)
    with place.work("admin") as ctx:
        service.schedule(ctx, campaign_id, Timing())
    driven(place, campaign_id)
    assert states(place, campaign_id) == {"queued": 2}
