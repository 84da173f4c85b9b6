"""Real senders are killed and doubled: nobody gets a message twice, and every message is accounted for."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import func, select

from aerostic.domain.inbox import outbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Conversation, Message, OutboxItem
from bench.stand_in import StandIn, Take
from tests.builders import conversation_of
from tests.workers.sending import sending, wait_until

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parent.parent.parent
SENDER = """
from aerostic.domain.sending.lane import Patience
from workers.sender import main
main(patience=Patience(lane=2, item=4, turn=3, heal=0.5, linger=0.3, look=0.1, recover=0.2))
"""


@pytest.fixture
def graph() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.decide = lambda _: Take(0.1)
        yield stand_in


@pytest.fixture
def start(graph) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start a sender as a process; all are gone at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def run() -> subprocess.Popen[bytes]:
        environment = {"PYTHONPATH": str(ROOT), "AEROSTIC_META_GRAPH_URL": graph.url}
        process = subprocess.Popen(
            [sys.executable, "-c", SENDER], cwd=ROOT, env={**os.environ, **environment}
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def queue_many(place, count: int) -> set[UUID]:
    """One message each to many people."""
    people = [conversation_of(place, f"P{n}", phone=f"4915{n:09}") for n in range(count)]
    with place.system_work() as ctx:
        return {
            outbox.queue(ctx, ctx.get(Conversation, one), Draft.text("Hello")).id for one in people
        }


def statuses(place) -> Counter[str]:
    with place.work() as ctx:
        rows = select(Message.status, func.count()).group_by(Message.status)
        return Counter(dict(ctx.session.exec(rows).all()))


def left(place) -> int:
    with place.work() as ctx:
        return ctx.session.exec(select(func.count()).select_from(OutboxItem)).one()


def seen_ids(graph: StandIn) -> list[str]:
    return [seen.body["biz_opaque_callback_data"] for seen in graph.messages]


def test_a_sender_killed_in_the_middle_sends_nothing_twice_and_loses_nothing(graph, place, start):
    sent = queue_many(place, 200)
    first = start()
    wait_until(lambda: len(graph.messages) >= 60)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    start()
    wait_until(lambda: left(place) == 0, 60)
    counted = statuses(place)
    assert set(counted) <= {"accepted", "unknown"}
    assert counted.total() == 200
    seen = seen_ids(graph)
    assert len(seen) == len(set(seen))
    assert set(seen) <= {str(one) for one in sent}
    with place.work() as ctx:
        accepted = ctx.session.exec(select(Message.id).where(Message.status == "accepted")).all()
    assert {str(one) for one in accepted} <= set(seen)
    # All that the first one had claimed are in doubt at most: half a second's worth and what was in flight.
    assert counted["unknown"] <= 100


def test_two_senders_at_once_send_each_message_once(graph, place, rival, start):
    queue_many(place, 100)
    queue_many(rival, 100)
    start()
    start()
    wait_until(lambda: left(place) == left(rival) == 0, 60)
    assert statuses(place) == statuses(rival) == {"accepted": 100}
    assert len(seen_ids(graph)) == len(set(seen_ids(graph))) == 200


def test_two_senders_of_one_number_send_each_message_once(graph, place):
    """A lease ran out while its owner was still there: both serve the number for a while."""
    queue_many(place, 150)
    with sending(graph.url):
        wait_until(lambda: len(graph.messages) > 5)
        with place.system_work() as ctx:
            ctx.cursor().execute("update due_work set leased_by = null, leased_until = null")
        with sending(graph.url):
            wait_until(lambda: left(place) == 0, 60)
    assert statuses(place) == {"accepted": 150}
    assert len(seen_ids(graph)) == len(set(seen_ids(graph))) == 150
