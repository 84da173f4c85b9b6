"""One number at the 1,000 messages a second that Meta grants at most, towards a Meta that takes 50 ms.

The sender is the product's own process, alone on its core. Databases and the stand-in for Meta share the
other one. Every message goes to another person; each is claimed, sent and recorded durably.
"""

import json
import os
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]

from bench.figures import Figure, at_least, at_most, middle
from bench.stage import (
    AROUND,
    MEASURED,
    OURSELVES,
    Stage,
    cpu_seconds,
    outside,
    running,
    stage,
    until,
)

RATE = 1_000
LATENCY = 0.05
WINDOW = 10.0  # seconds
GOAL_PER_SECOND = 950.0
GOAL_OVER_RATE = 1.0  # per cent
GOAL_GROWTH = 10.0  # MB, from the first tenth of the run to its last

_QUEUE = """
    with made as (
        select %(first)s + given.place as place, given.id, people.id as conversation_id, people.contact_id
        from unnest(%(ids)s::uuid[]) with ordinality as given (id, place)
        join (select id, contact_id, row_number() over (order by id) as place from conversations
              where tenant_id = %(tenant)s) as people
            on people.place = 1 + (%(first)s + given.place) %% %(people)s),
    written as (
        insert into messages (tenant_id, id, conversation_id, contact_id, number_id, direction, type, text,
            search_text, content, status, origin, reactions, occurred_at, position, created_at)
        select %(tenant)s, id, conversation_id, contact_id, %(number)s, 'outbound', 'text', 'Hello', 'hello',
            '{"text": {"body": "Hello"}}', 'queued', 'campaign', '{}', now(), 0, now() from made)
    insert into outbox (tenant_id, id, number_id, conversation_id, recipient, priority, state, not_before,
        attempts, body)
    select %(tenant)s, id, %(number)s, conversation_id, '49' || 15000000000 + place, 40, 'queued', now(), 0,
        jsonb_build_object('messaging_product', 'whatsapp', 'recipient_type', 'individual',
            'to', '49' || 15000000000 + place, 'type', 'text', 'text', '{"body": "Hello"}'::jsonb)
    from made
"""


@dataclass(frozen=True, slots=True)
class Run:
    """When Meta saw each message, and the sender's memory and processor time meanwhile."""

    times: list[float]
    memory: list[float]
    cpu: float


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """Messages a second, the worst 10 seconds, and whether memory grows."""
    count = 12_000 if quick else 30_000
    with stage() as here:
        run = _send(here, count)
    spent = run.times[-1] - run.times[0]
    yield at_least("send", "messages_per_s", (count - 1) / spent, "/s", GOAL_PER_SECOND)
    worst = _worst_window(run.times)
    yield at_most("send", "worst_10_s_over_rate", worst, "% over the rate", GOAL_OVER_RATE)
    tenth = max(1, len(run.memory) // 10)
    first, last = middle(run.memory[:tenth]), middle(run.memory[-tenth:])
    yield Figure("send", "memory_first_tenth", first, "MB")
    yield Figure("send", "memory_last_tenth", last, "MB")
    yield at_most("send", "memory_growth", last - first, "MB", GOAL_GROWTH)
    yield Figure(
        "send", "sender_cpu_us", run.cpu / count * 1e6, "µs of the sender's time a message"
    )


def _worst_window(times: list[float]) -> float:
    """By how many per cent the fullest 10 seconds exceed what the rate allows; below 0, never."""
    most = max(bisect_left(times, at + WINDOW) - place for place, at in enumerate(times))
    return (most / (RATE * WINDOW) - 1) * 100


def _send(here: Stage, count: int) -> Run:
    with ExitStack() as started:
        url = _stand_in(here, started)
        place = _fill(count)
        here.calm()
        environment = {**outside(), **here.environment, "AEROSTIC_META_GRAPH_URL": url}
        sender = started.enter_context(
            running(
                (*OURSELVES, "sender"),
                core=MEASURED,
                environment=environment,
                log=here.folder / "sender.log",
            )
        )
        process, memory = psutil.Process(sender.pid), []
        until(lambda: _seen(url) > 0, what="the first message")
        while _left(here) > 0:
            memory.append(process.memory_info().rss / 1e6)
            time.sleep(0.25)
        cpu = cpu_seconds(sender.pid)
        times = sorted(httpx.get(f"{url}/figures", timeout=30).json()["times"])
    assert len(times) == count, f"{count} were queued and Meta saw {len(times)}"
    accepted = here.count("select count(*) from messages where status = 'accepted'")
    assert accepted == count, f"{accepted} of {count} are recorded as accepted at {place}"
    return Run(times, memory, cpu)


def _stand_in(here: Stage, started: ExitStack) -> str:
    log = here.folder / "stand_in.log"
    command = (sys.executable, "-m", "bench.stand_in", "--latency", str(LATENCY))
    environment = {**os.environ, **here.environment}
    started.enter_context(running(command, core=AROUND, environment=environment, log=log))
    until(lambda: log.read_text().strip().isdigit(), what="the stand-in")
    return f"http://127.0.0.1:{_port(log)}"


def _port(log: Path) -> int:
    return int(log.read_text())


def _fill(count: int) -> str:
    from aerostic.core import clock, due_work
    from aerostic.core.ids import new_id
    from aerostic.domain.channels.models import PhoneNumber
    from bench import fill
    from tests.conftest import _make_place

    people = 10_000
    place = _make_place("Sender")
    with place.system_work() as ctx:
        number = ctx.get(PhoneNumber, place.number_id)
        assert number is not None
        number.messages_per_second = RATE
        fill.conversations(ctx, place.number_id, people, agents=[place.owner_id], until=clock.now())
        for first in range(0, count, 5_000):
            ids = [new_id() for _ in range(min(5_000, count - first))]
            given = {"tenant": ctx.tenant_id, "number": place.number_id, "ids": ids}
            ctx.cursor().execute(_QUEUE, given | {"first": first, "people": people})
        due_work.wake_lane(ctx, place.number_id)
    return place.slug


def _seen(url: str) -> int:
    return len(json.loads(httpx.get(f"{url}/figures", timeout=30).content)["times"])


def _left(here: Stage) -> int:
    return here.count("select count(*) from outbox")
