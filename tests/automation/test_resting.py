"""Runs that rest: nobody holds them, and each wakes once, not before its time."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, func, select, update

from aerostic.core import clock
from aerostic.core.due_work import DueWork
from aerostic.domain.automation import engine
from aerostic.domain.automation.models import Execution, ExecutionSegment
from tests.automation.kinds import (
    begun,
    chain,
    published,
    test_kinds,  # noqa: F401
)
from tests.automation.living import automating
from tests.conftest import Place
from tests.waiting import until

RUNS, DUE = 120, 100
NAP = chain(("test.wait", {"seconds": 3600}), ("test.name", {"value": "awake"}))


def test_many_that_fall_due_in_a_moment_wake_once_each_and_none_early(place, rival):
    begun_many(place, RUNS)
    begun(rival, NAP)
    with automating():
        until(lambda: statuses(place) == {"waiting": RUNS}, what="their rest", seconds=30)
        until(lambda: statuses(rival) == {"waiting": 1}, what="the rival's rest")
        assert held(place) == 0
        due = fall_due(place, DUE)
        awake = {"done": DUE, "waiting": RUNS - DUE}
        until(lambda: statuses(place) == awake, what="their end", seconds=30)
    ends = ended(place)
    assert ends.keys() == due.keys()
    assert [one for one in due if ends[one] < due[one]] == []
    assert awoken(place) == dict.fromkeys(due, 1)
    assert statuses(rival) == {"waiting": 1}


def begun_many(place: Place, count: int) -> None:
    version = published(place, NAP)
    with place.system_work() as ctx:
        for _ in range(count):
            engine.begin(
                ctx,
                workflow_id=version.workflow_id,
                version_id=version.id,
                version_number=version.number,
                trigger_node="t",
                given={},
            )


def fall_due(place: Place, count: int) -> dict[UUID, datetime]:
    """The time of so many comes within the next half second, one after the other."""
    first = clock.now() + timedelta(seconds=0.2)
    with place.system_work() as ctx:
        ids = ctx.session.exec(select(Execution.id).limit(count)).all()
        due = {one: first + timedelta(milliseconds=3 * n) for n, one in enumerate(ids)}
        for one, at in due.items():
            run = update(Execution).where(col(Execution.id) == one)
            ctx.session.execute(run.values(wake_at=at))
            work = update(DueWork).where(col(DueWork.ref) == one)
            ctx.session.execute(work.values(due_at=at))
    return due


def statuses(place: Place) -> dict[str, int]:
    with place.system_work() as ctx:
        counted = select(Execution.status, func.count()).group_by(col(Execution.status))
        return dict(ctx.session.exec(counted).all())


def held(place: Place) -> int:
    with place.system_work() as ctx:
        leased = select(func.count()).where(col(Execution.leased_by).is_not(None))
        return ctx.session.exec(leased).one()


def ended(place: Place) -> dict[UUID, datetime]:
    with place.system_work() as ctx:
        done = select(Execution.id, Execution.ended_at).where(Execution.status == "done")
        return dict(ctx.session.exec(done).all())


def awoken(place: Place) -> dict[UUID, int]:
    """How often each took the step after its rest."""
    with place.system_work() as ctx:
        written = ctx.session.exec(select(ExecutionSegment)).all()
        return dict(
            Counter(
                one.execution_id for one in written for step in one.steps if step["node"] == "n2"
            )
        )
