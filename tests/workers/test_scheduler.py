"""The scheduler starts what is due, once, however many of them run."""

from datetime import timedelta

import pytest
from sqlmodel import select

from aerostic.core import clock, queue
from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.permissions import system
from aerostic.core.tenancy import shared_work
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.models import Conversation, ConversationStatus, ParkedEvent
from aerostic.domain.platform import timers
from aerostic.domain.platform.models import Timer
from tests import builders
from workers import scheduler
from workers.jobs import metrics
from workers.jobs import timers as jobs

ACTOR = system("test")


@pytest.fixture
def everything_due():
    with shared_work(ACTOR) as ctx:
        timers.prepare(ctx, scheduler.SCHEDULE)
        for timer in ctx.session.exec(select(Timer)):
            timer.next_run_at = ctx.now


def test_what_is_due_is_started_once(everything_due):
    assert scheduler.look() == len(scheduler.SCHEDULE)
    assert scheduler.look() == 0
    assert len(queue.queue(queue.QueueName.DELIVERIES)) == 1


def test_two_schedulers_do_not_start_the_same(everything_due):
    with shared_work(ACTOR) as one:
        taken = timers.take_due(one, scheduler.SCHEDULE)
        with shared_work(ACTOR) as other:
            assert timers.take_due(other, scheduler.SCHEDULE) == []
    assert len(taken) == len(scheduler.SCHEDULE)


def test_everything_scheduled_runs(everything_due, run_jobs, monkeypatch):
    # Other tests left a thousand workspaces, and days to count in each.
    monkeypatch.setattr(metrics, "LONGEST_RUN", 1.0)
    scheduler.look()
    assert run_jobs() == len(scheduler.SCHEDULE)


def test_a_snooze_that_is_over_wakes_its_conversation_and_no_other(place, rival):
    mine, theirs = builders.conversation_of(place), builders.conversation_of(rival)
    soon = clock.now() + timedelta(hours=1)
    for where, chat in ((place, mine), (rival, theirs)):
        with where.work() as ctx:
            inbox.snooze(ctx, chat, soon)
    past = clock.now() - timedelta(seconds=1)
    with place.system_work() as ctx:
        ctx.get(Conversation, mine).snoozed_until = past
        ctx.session.get(DueWork, (WorkKind.SNOOZE, place.tenant_id, mine)).due_at = past
    jobs.wake_snoozed()
    with place.work() as ctx:
        assert ctx.get(Conversation, mine).status == ConversationStatus.OPEN
    with rival.work() as ctx:
        assert ctx.get(Conversation, theirs).status == ConversationStatus.SNOOZED


def test_what_waits_for_a_month_is_forgotten(place):
    month = timedelta(days=31)
    with place.system_work() as ctx:
        old = ParkedEvent(meta_message_id="old", kind="status", received_at=ctx.now - month)
        ctx.session.add_all([old, ParkedEvent(meta_message_id="new", kind="status")])
    jobs.tidy()
    with place.work() as ctx:
        kept = ctx.session.exec(select(ParkedEvent.meta_message_id)).all()
    assert list(kept) == ["new"]
