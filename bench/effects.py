"""From committed deliveries to visible messages: what one worker process does, on one core.

Ten tenants. Of people who have written before, and of strangers, who each become a contact with a
conversation first. Then one delivery of 1,000 messages, from its POST to the last row.
"""

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import httpx

from aerostic.core import queue
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import platform_work
from aerostic.operations.processes import free_port
from bench.figures import Figure, at_least, at_most, middle
from bench.make_deliveries import delivery, entry, signature
from bench.stage import (
    APP_SECRET,
    AROUND,
    MEASURED,
    OURSELVES,
    NotPossible,
    Stage,
    answers,
    cpu_seconds,
    outside,
    running,
    stage,
    until,
)

TENANTS = 10
PEOPLE = 1_000  # of each tenant, who write again and again
BATCH = 1_000
GOAL_PER_SECOND = 5_000.0
GOAL_SECONDS = 2.0
DRAIN = queue.Job("workers.jobs.deliveries.drain", queue=queue.QueueName.DELIVERIES)
FILLER = system("bench", Permission.DELIVERIES_APPLY)

_KEEP = """
    insert into webhook_deliveries (id, body, status, attempts)
    select id, body, 'pending', 0 from unnest(%s::uuid[], %s::bytea[]) as kept (id, body)
"""


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """Medians over the turns of: known people, strangers, one large delivery."""
    turns, count = (3, 5_000) if quick else (5, 20_000)
    with stage() as here, ExitStack() as started:
        numbers = _numbers()
        chance = random.Random(1)
        port = started.enter_context(_api(here))
        worker = started.enter_context(_worker(here))
        known = [f"1555{place:07d}" for place in range(PEOPLE)]
        _drained(here, _deliveries(numbers, TENANTS * PEOPLE, chance, known))  # they become known
        spent = cpu_seconds(worker)
        again = [_drained(here, _deliveries(numbers, count, chance, known)) for _ in range(turns)]
        cpu = (cpu_seconds(worker) - spent) / (turns * count) * 1e6
        yield at_least("effects", "messages_per_s", middle(again), "/s", GOAL_PER_SECOND)
        yield Figure("effects", "worker_cpu_us", cpu, "µs of the worker's processor time a message")
        new = [_drained(here, _deliveries(numbers, count // 2, chance, [])) for _ in range(turns)]
        yield Figure("effects", "strangers_per_s", middle(new), "/s")
        whole = [_one_large(here, port, numbers[0], chance, known) for _ in range(turns)]
        yield at_most("effects", "batch_of_1000_s", middle(whole), "s", GOAL_SECONDS)


def _numbers() -> list[str]:
    from tests.conftest import _make_place

    return [_make_place(f"Workspace {place}").phone_number_id for place in range(TENANTS)]


def _deliveries(
    numbers: Sequence[str], count: int, chance: random.Random, known: Sequence[str]
) -> list[bytes]:
    """One message each, dealt out among the tenants and, in each, among the people."""
    moment = int(time.time())
    people = [known[place // len(numbers) % len(known)] if known else "" for place in range(count)]
    return [
        delivery(numbers[place % len(numbers)], chance, moment, person)
        for place, person in enumerate(people)
    ]


def _drained(here: Stage, bodies: list[bytes]) -> float:
    """Messages a second: from the wake-up until the last delivery is done and every message is there."""
    before = _messages(here)
    with platform_work(FILLER) as ctx:
        ctx.cursor().execute(_KEEP, ([new_id() for _ in bodies], bodies))
    here.calm()
    began = time.perf_counter()
    queue.start([DRAIN])
    until(lambda: _pending(here) == 0, what="the worker", seconds=300, every=0.02)
    spent = time.perf_counter() - began
    _check(_messages(here) - before, len(bodies))
    return len(bodies) / spent


def _one_large(
    here: Stage, port: int, number: str, chance: random.Random, known: Sequence[str]
) -> float:
    """Seconds from the POST of one delivery of 1,000 messages until all can be seen."""
    bundle = {
        "object": "whatsapp_business_account",
        "entry": [entry(number, known[:BATCH], chance, int(time.time()))],
    }
    body = json.dumps(bundle).encode()
    headers = {"X-Hub-Signature-256": f"sha256={signature(body, APP_SECRET)}"}
    before = _messages(here)
    began = time.perf_counter()
    answer = httpx.post(f"http://127.0.0.1:{port}/webhooks/meta", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    until(lambda: _messages(here) - before == BATCH, what="1,000 messages", every=0.02)
    return time.perf_counter() - began


def _check(made: int, expected: int) -> None:
    if made != expected:
        raise NotPossible(f"{expected} deliveries became {made} messages.")


def _messages(here: Stage) -> int:
    return here.count("select count(*) from messages")


def _pending(here: Stage) -> int:
    return here.count("select count(*) from webhook_deliveries where status = 'pending'")


# The processes


@contextmanager
def _worker(here: Stage) -> Iterator[int]:
    ready = here.folder / "worker-ready"
    environment = {**outside(), **here.environment, "AEROSTIC_RUN_READY_FILE": str(ready)}
    command = [*OURSELVES, "worker", "--queues", queue.QueueName.DELIVERIES]
    log = here.folder / "worker.log"
    with running(command, core=MEASURED, environment=environment, log=log) as process:
        until(ready.exists, what="the worker")
        yield process.pid


@contextmanager
def _api(here: Stage) -> Iterator[int]:
    port = free_port()
    environment = {**outside(), **here.environment}
    command = [*OURSELVES, "api", "--port", str(port)]
    with running(command, core=AROUND, environment=environment, log=here.folder / "api.log"):
        until(lambda: answers(f"http://127.0.0.1:{port}/health"), what="our API server")
        yield port
