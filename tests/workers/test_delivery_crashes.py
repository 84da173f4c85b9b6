"""Real workers are killed at bad moments: every message appears, once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import func, select

from aerostic.core.permissions import system
from aerostic.core.tenancy import platform_work
from aerostic.domain.deliveries.models import DeliveryStatus, WebhookDelivery
from aerostic.domain.inbox.models import Conversation, Message
from tests.meta import change, delivery, message, phone, raw

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parent.parent.parent
WORKER = """
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from aerostic.core import queue
name = queue.QueueName.DELIVERIES
SimpleWorker([queue.queue(name)], connection=queue.connection(), serializer=JSONSerializer).work()
"""
SCHEDULER = "from workers.scheduler import main; main()"


@pytest.fixture
def start() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start a process of the product; all are gone at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def run(program: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def wait_until(claim: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def count(place) -> int:
    with place.work() as ctx:
        return ctx.session.exec(select(func.count()).select_from(Message)).one()


def unread(place) -> int:
    with place.work() as ctx:
        return ctx.session.exec(select(func.sum(Conversation.unread_count))).one() or 0


def pending() -> int:
    with platform_work(system("test")) as ctx:
        waiting = WebhookDelivery.status == DeliveryStatus.PENDING
        return ctx.session.exec(select(func.count()).where(waiting)).one()


def test_a_worker_killed_between_the_200_and_the_job_loses_nothing(meta, place, start, run_jobs):
    from aerostic.core import queue

    meta.deliver(delivery(place, change(place, messages=[message(phone())])))
    # The job was taken from the queue by a worker that died at that very moment.
    queue.connection().flushdb()
    assert count(place) == 0
    start(SCHEDULER)
    start(WORKER)
    wait_until(lambda: count(place) == 1)
    wait_until(lambda: pending() == 0)
    assert unread(place) == 1


def test_workers_killed_at_random_apply_every_message_once(meta, place, rival, start):
    people = [phone() for _ in range(40)]
    places = (place, rival)
    bodies = [
        raw(
            delivery(
                where,
                *(change(where, messages=[message(people[(n + m) % 40])]) for m in range(5)),
            )
        )
        for n in range(400)
        for where in places
    ]
    start(SCHEDULER)
    for at in range(0, len(bodies), 100):
        assert set(meta.together(bodies[at : at + 100])) == {200}
        workers = [start(WORKER) for _ in range(2)]
        wanted = count(place) + 1
        wait_until(lambda wanted=wanted: count(place) >= wanted or pending() == 0)
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
    assert set(meta.together(bodies[:200])) == {200}  # Meta repeats what it is not sure of
    start(WORKER)
    wait_until(lambda: pending() == 0)
    for where in places:
        assert count(where) == 2000
        assert unread(where) == 2000
