"""One campaign that takes long, or that nobody can carry out, keeps no other from being driven."""

import asyncio
import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import col, select, text, update

from aerostic.core import clock
from aerostic.core.due_work import DueWork
from aerostic.core.errors import Invalid
from aerostic.core.permissions import system
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.audiences import queries as audiences
from aerostic.domain.audiences.filters import AllOf, Audience, Country
from aerostic.domain.billing.charging import NotEnough
from aerostic.domain.campaigns import driving, expansion, service
from aerostic.domain.campaigns.models import Campaign, CampaignStatus
from tests.campaigns.running import campaign, change, draft, launched, look, people, the_template
from workers import campaigns
from workers.campaigns import drive

HUGE = Audience(filter=AllOf(of=tuple(Country(codes=("DE",)) for _ in range(100))))


def due_now(campaign_id, **held):
    values = {"due_at": clock.now(), "leased_by": None, "leased_until": None} | held
    with shared_work(system("tests")) as ctx:
        ctx.session.execute(update(DueWork).where(col(DueWork.ref) == campaign_id).values(values))


def lease_of(campaign_id):
    with shared_work(system("tests")) as ctx:
        statement = select(DueWork.leased_until).where(DueWork.ref == campaign_id)
        return ctx.session.exec(statement).one()


async def until(holds):
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


def test_a_campaign_that_takes_long_is_driven_once_and_leaves_room_for_others(place, monkeypatch):
    people(place, 1)
    slow, other = launched(place), launched(place, name="Other")
    due_now(other, due_at=clock.now() + timedelta(hours=1))
    begun, goes_on = Counter(), threading.Event()

    def driven(_, campaign_id):
        begun[campaign_id] += 1
        if campaign_id == slow:
            due_now(slow)  # a click takes its lease away
            goes_on.wait(20)

    monkeypatch.setattr(campaigns, "drive", driven)
    monkeypatch.setattr(campaigns, "LOOK_EVERY", 0.01)

    async def scenario():
        driver = campaigns.Driver()
        looked = Counter()
        take = driver._take
        driver._take = lambda *given: looked.update("x") or take(*given)
        task = asyncio.create_task(driver.run())
        try:
            await until(lambda: begun[slow])
            before = looked["x"]
            await until(lambda: looked["x"] > before + campaigns.THREADS + 1)
            due_now(other)
            await until(lambda: begun[other])
        finally:
            goes_on.set()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())
    assert begun[slow] == 1


def test_who_drives_a_campaign_keeps_it_until_the_last_look(place, monkeypatch):
    monkeypatch.setattr(expansion, "AT_A_TIME", 1)
    people(place, 30)
    campaign_id = launched(place)
    due_now(campaign_id, leased_until=clock.now())
    leases = []
    tick = driving.tick

    def watched(ctx, campaign_id, **given):
        leases.append(lease_of(campaign_id))
        return tick(ctx, campaign_id, **given)

    monkeypatch.setattr(driving, "tick", watched)
    drive(place.tenant_id, campaign_id)
    assert len(leases) == campaigns.TURN
    assert min(leases[1:]) > clock.now() + timedelta(seconds=20)
    assert lease_of(campaign_id) is None


def test_a_filter_too_large_is_refused_wherever_it_is_given(place):
    with pytest.raises(Invalid, match="at most 60"), place.work("admin") as ctx:
        audiences.reach(ctx, HUGE)
    with pytest.raises(Invalid, match="at most 60"), place.work("admin") as ctx:
        service.create(ctx, draft(place, the_template(place), audience=HUGE))


def test_a_campaign_with_such_a_filter_from_before_says_so(place):
    people(place, 1)
    campaign_id = launched(place)
    change(place, Campaign, campaign_id, audience=HUGE.model_dump(mode="json", exclude_none=True))
    drive(place.tenant_id, campaign_id)
    paused = look(place, campaign_id)
    assert (paused.status, "at most 60" in paused.problem) == (CampaignStatus.PAUSED, True)


def test_an_audience_that_takes_too_long_is_given_up_with_the_reason(place, monkeypatch):
    people(place, 1)
    monkeypatch.setattr(expansion, "SLOWEST", 0.2)
    monkeypatch.setattr(
        expansion, "_step", lambda ctx, _: ctx.session.execute(text("select pg_sleep(20)"))
    )
    campaign_id = campaign(place)
    with place.work("admin") as ctx:
        service.plan(ctx, campaign_id)
    drive(place.tenant_id, campaign_id)
    found = look(place, campaign_id)
    assert (found.is_expanding, found.problem) == (False, expansion.TOO_SLOW)


def test_whoever_waits_for_an_audience_does_not_wait_for_ever(place):
    with place.work("admin") as ctx:
        audiences.reach(ctx, Audience())
        assert ctx.session.scalar(text("show statement_timeout")) == "20s"


def test_an_error_of_ours_is_told_until_it_is_over(place, monkeypatch):
    people(place, 2)
    campaign_id = launched(place)

    def broken(*_):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(driving, "_look", broken)
        drive(place.tenant_id, campaign_id)
    assert look(place, campaign_id).problem == driving.STUMBLED
    drive(place.tenant_id, campaign_id)
    with unit_of_work(place.tenant_id, system("tests")) as ctx:
        assert ctx.get(Campaign, campaign_id).problem is None


@pytest.mark.parametrize(
    ("verb", "status"),
    [("cancel", CampaignStatus.CANCELLED), ("pause", CampaignStatus.PAUSED)],
)
def test_what_somebody_does_while_a_look_breaks_off_stands(place, monkeypatch, verb, status):
    people(place, 2)
    campaign_id = launched(place)
    give_up = driving.give_up

    def refused(*_):
        raise NotEnough("Too little.", needed=1)

    def late(ctx, campaign_id, error):
        with place.work("admin") as theirs:
            getattr(service, verb)(theirs, campaign_id)
        give_up(ctx, campaign_id, error)

    with monkeypatch.context() as patched:
        patched.setattr(driving, "_look", refused)
        patched.setattr(driving, "give_up", late)
        drive(place.tenant_id, campaign_id)
    for _ in range(2):
        drive(place.tenant_id, campaign_id)
        assert look(place, campaign_id).status == status
