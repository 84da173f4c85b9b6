"""A campaign goes out while everything that carries it is killed, and 3 % of each kind of trouble come back.

Then each recipient is somewhere, each message reached Meta at most once, and the money adds up to the last
micro-dollar. AEROSTIC_CRASH_RECIPIENTS=100000 is the whole promise; the everyday run is small.
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest

from aerostic.operations.up import OURSELVES
from bench.stand_in import Answer, Drop, Raw, Refuse, StandIn, Take
from tests.crash.product import Product
from tests.crash.test_everything_killed import CALLBACK, SEED, Traffic, keep_killing
from tests.meta import status

pytestmark = pytest.mark.crash

RECIPIENTS = int(os.environ.get("AEROSTIC_CRASH_RECIPIENTS", "400"))
TROUBLE = 0.03  # of each kind
KILLED = ("automation", "sender", "worker", "scheduler", "postgres")
# Tried again, never taken, an opt-out, one person's limit, an answer that says nothing, and none at all. That
# Meta finds us too fast is left to the tests of the pace: a number would rest for most of this one.
KINDS: tuple[Answer, ...] = (
    Refuse(131000, status=500),
    Refuse(131026),
    Refuse(131050),
    Refuse(131056),
    Raw(503, "<html>"),
    Drop(),
)
MAKE_CAMPAIGN = """
import json
from aerostic.core.ids import new_id
from aerostic.domain.campaigns import service
from aerostic.domain.channels.models import PhoneNumber
from bench.broadcast import _PEOPLE
from tests.campaigns.running import campaign
from tests.conftest import _make_place
place = _make_place(funds=10**12)
with place.system_work() as ctx:
    ctx.get(PhoneNumber, place.number_id).messages_per_second = 200
    ids = [new_id() for _ in range(COUNT)]
    ctx.cursor().execute(_PEOPLE, {"tenant": ctx.tenant_id, "ids": ids})
campaign_id = campaign(place, pause_at_failure_percent=100)
with place.work("admin") as ctx:
    service.launch(ctx, campaign_id)
print(json.dumps({"email": place.emails["agent"], "number": place.phone_number_id,
                  "account": place.meta_account_id}))
"""


class WithCampaigns(Product):
    """And the process that drives campaigns."""

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        return {**super().commands, "automation": (*OURSELVES, "automation")}


class Trouble:
    """Meta's answers: each person's first attempt decides alone, so that a repeat of it would be seen."""

    def __init__(self) -> None:
        self.chance = random.Random(SEED)
        self.taken = Counter[str]()

    def decide(self, body: dict[str, Any]) -> Answer:
        draw = self.chance.random()
        kind = int(draw / TROUBLE)
        answer = KINDS[kind] if kind < len(KINDS) else Take(0.05, meta_message_id=_wamid(body))
        if isinstance(answer, Take):
            self.taken[body[CALLBACK]] += 1
        return answer


def _wamid(body: dict[str, Any]) -> str:
    return f"wamid.{body[CALLBACK]}"


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture
def graph(trouble) -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.decide = trouble.decide
        yield stand_in


@pytest.fixture
def product(tmp_path, graph) -> Iterator[Product]:
    made = WithCampaigns(tmp_path, graph.url)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.mark.timeout(1800)
def test_nobody_is_skipped_or_written_to_twice_and_every_cent_is_accounted_for(product, trouble):
    print(f"\nAEROSTIC_CRASH_SEED={SEED}")
    place = _launch(product)
    _kill_until_it_is_done(product)
    with closing(Traffic(product, place)) as traffic:
        _tell_statuses(product, traffic, trouble)
    _check_recipients(product, trouble)
    _check_money(product)


def _launch(product: Product) -> dict[str, Any]:
    told = product._run(sys.executable, "-c", MAKE_CAMPAIGN.replace("COUNT", str(RECIPIENTS)))
    made: dict[str, Any] = json.loads(told.splitlines()[-1])
    return made


def _kill_until_it_is_done(product: Product) -> None:
    is_over, began = threading.Event(), time.monotonic()
    with ThreadPoolExecutor(len(KILLED)) as pool:
        killers = {part: pool.submit(keep_killing, product, part, is_over) for part in KILLED}
        try:
            _wait_until(product, "select status from campaigns", "done", seconds=600)
        finally:
            is_over.set()
    kills = {part: killer.result() for part, killer in killers.items()}
    print(f"killed {kills} in {time.monotonic() - began:.0f} s")
    _at_rest(product)


def _wait_until(product: Product, query: str, wanted: object, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (found := _asked(product, query)) != wanted:
        assert time.monotonic() < deadline, f"{query}: {found}; {product.last_words()}"
        for part in product.processes:
            product.restart_ended(part)
        time.sleep(0.3)


def _asked(product: Product, query: str) -> object:
    """Nothing while PostgreSQL is away."""
    try:
        return product.rows(query)[0][0]
    except psycopg.OperationalError:
        return None


def _at_rest(product: Product) -> None:
    unsettled = "select count(*) from messages where status in ('queued', 'sending')"
    _wait_until(product, unsettled, 0, seconds=120)
    _wait_until(product, "select count(*) from outbox", 0, seconds=120)


def _tell_statuses(product: Product, traffic: Traffic, trouble: Trouble) -> None:
    """Meta delivers what it has taken, and tells each status twice."""
    told = [
        status(f"wamid.{one}", step, **{CALLBACK: one})
        for one in trouble.taken
        for step in ("sent", "delivered", "read")
    ]
    for at in range(0, len(told), 150):
        for _ in range(2):
            traffic.deliver(statuses=told[at : at + 150])
    pending = "select count(*) from webhook_deliveries where status <> 'done'"
    _wait_until(product, pending, 0, seconds=120)


def _check_recipients(product: Product, trouble: Trouble) -> None:
    rows = product.rows("select contact_id, state, message_id from campaign_recipients")
    states = Counter(state for _, state, _ in rows)
    print(f"recipients {dict(states)}")
    assert len(rows) == RECIPIENTS == len({contact_id for contact_id, _, _ in rows})
    assert set(trouble.taken.values()) == {1}  # never twice at Meta
    messages = product.rows("select id from messages")
    assert Counter(str(one) for (one,) in messages) == Counter(str(row[2]) for row in rows)
    taken = {str(message_id) for _, state, message_id in rows if state == "read"}
    assert taken == set(trouble.taken)
    assert set(states) <= {"read", "failed", "unknown"}
    assert product.rows("select count(*) from campaign_recipients where due_at is not null") == [
        (0,)
    ]


def _check_money(product: Product) -> None:
    """Entries sum to zero; captured is what was delivered times its price; only doubts are still held."""
    assert product.rows("select sum(micros) from ledger_entries") == [(0,)]
    charged = dict(product.rows("select state, count(*) from charges group by 1"))
    delivered = product.rows("select count(*) from campaign_recipients where state = 'read'")
    doubtful = product.rows("select count(*) from campaign_recipients where state = 'unknown'")
    assert charged.get("captured", 0) == delivered[0][0]
    assert charged.get("held", 0) == doubtful[0][0]
    captured = "select coalesce(sum(micros), 0) from charges where state = 'captured'"
    assert product.rows("select spent_micros from wallets") == product.rows(captured)
    held = "select coalesce(sum(micros), 0) from charges where state = 'held'"
    assert product.rows("select held_micros from wallets") == product.rows(held)
