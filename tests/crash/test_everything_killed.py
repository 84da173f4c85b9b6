"""Messages flow both ways while the API, the worker, the sender, the scheduler and both servers are killed.

The everyday run is small; AEROSTIC_CRASH_INBOUND=10000 AEROSTIC_CRASH_OUTBOUND=2000 is the whole promise.
AEROSTIC_CRASH_SEED repeats the choices of an earlier run, as far as a machine's own moments allow.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from bench.stand_in import StandIn, Take
from tests.conftest import PASSWORD
from tests.crash.product import Product
from tests.meta import message, raw, sign, status

pytestmark = pytest.mark.crash

INBOUND = int(os.environ.get("AEROSTIC_CRASH_INBOUND", "600"))
OUTBOUND = int(os.environ.get("AEROSTIC_CRASH_OUTBOUND", "150"))
SEED = int(os.environ.get("AEROSTIC_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
PEOPLE = 50
SESSIONS = 4
AT_ONCE = 16
SPREAD_OVER = (
    15.0  # seconds, without the outages: few messages must not be through before the first kill
)
REPEATED = 0.05  # of what Meta delivers, it delivers so much again without being asked
CALLBACK = "biz_opaque_callback_data"
# How long each part may live, in seconds, once it works again; one in four is not waited for.
LONGEST_LIVES = {
    "api": 16.0,
    "worker": 10.0,
    "sender": 10.0,
    "scheduler": 20.0,
    "postgres": 14.0,
    "valkey": 20.0,
}


@pytest.fixture
def graph() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.decide = lambda body: Take(0.05, meta_message_id=f"wamid.{body[CALLBACK]}")
        yield stand_in


@pytest.fixture
def product(tmp_path, graph) -> Iterator[Product]:
    made = Product(tmp_path, graph.url)
    try:
        made.start()
        yield made
    finally:
        made.stop()


class Traffic:
    """Meta and an impatient program: what got no good answer is asked again, the very same way."""

    def __init__(self, product: Product, place: dict[str, Any]) -> None:
        self.product, self.place = product, place
        self.client = httpx.Client(base_url=product.url, timeout=10, trust_env=False)
        self.answers = Counter[str]()
        self.sessions = [self._sign_in() for _ in range(SESSIONS)]

    def close(self) -> None:
        self.client.close()

    def _sign_in(self) -> dict[str, str]:
        who = {"email": self.place["email"], "password": PASSWORD}
        done = httpx.post(f"{self.product.url}/auth/session", json=who)
        assert done.status_code == 200, done.text
        return {"Cookie": "; ".join(f"{one.name}={one.value}" for one in done.cookies.jar)}

    def deliver(self, **parts: Any) -> None:
        """One webhook of Meta's about our number."""
        metadata = {"display_phone_number": "1", "phone_number_id": self.place["number"]}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **parts}
        entry = {"id": self.place["account"], "changes": [{"field": "messages", "value": value}]}
        body = raw({"object": "whatsapp_business_account", "entry": [entry]})
        signed = {"X-Hub-Signature-256": sign(body)}
        self._until_taken(lambda: self.client.post("/webhooks/meta", content=body, headers=signed))

    def answer(self, number: int) -> None:
        """One message of ours, with a key of its own."""
        conversations = self.place["conversations"]
        address = f"/api/v1/conversations/{conversations[number % PEOPLE]}/messages"
        headers = {**self.sessions[number % SESSIONS], "Idempotency-Key": f"answer-{number}"}
        said = {"type": "text", "text": f"Answer {number}"}
        self._until_taken(lambda: self.client.post(address, json=said, headers=headers))

    def _until_taken(self, ask: Callable[[], httpx.Response]) -> None:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            answer = self._told(ask)
            self.answers[answer] += 1
            if answer in {"200", "201"}:
                return
            time.sleep(0.2)
        raise AssertionError(f"it was never taken: {self.answers}; {self.product.last_words()}")

    def _told(self, ask: Callable[[], httpx.Response]) -> str:
        try:
            return str(ask().status_code)
        except httpx.HTTPError as error:
            return type(error).__name__


def keep_killing(product: Product, part: str, is_over: threading.Event) -> int:
    """Kill one part again and again, at least once; return how often.

    It lives at least as long as its start took, so that a busy machine gets on as well as a quiet one.
    """
    chance = random.Random(f"{SEED} {part}")
    kills, life = 0, chance.uniform(0, LONGEST_LIVES.get(part, 10.0))
    while not (is_over.wait(life) and kills):
        began = time.monotonic()
        product.kill(part)
        kills += 1
        is_awaited = chance.random() > 0.25
        while is_awaited and not (product.is_ready(part) or is_over.is_set()):
            time.sleep(0.1)
            product.restart_ended(part)
        life = chance.uniform(0, LONGEST_LIVES.get(part, 10.0)) + time.monotonic() - began
    return kills


def work_of(traffic: Traffic) -> list[Callable[[], None]]:
    """Everything that will be said, in a random order, some of Meta's more than once."""
    chance = random.Random(SEED)
    incoming = [message(f"49160{n % PEOPLE:07}", id=f"wamid.in{n}") for n in range(INBOUND)]
    repeated = [one for one in incoming if chance.random() < REPEATED]
    work = [*(lambda one=one: traffic.deliver(messages=[one]) for one in incoming + repeated)]
    work += [*(lambda n=n: traffic.answer(n) for n in range(OUTBOUND))]
    chance.shuffle(work)
    return work


def do_all(work: list[Callable[[], None]]) -> None:
    pause = SPREAD_OVER * AT_ONCE / len(work)

    def one(task: Callable[[], None]) -> None:
        task()
        time.sleep(pause)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, work))


@pytest.mark.timeout(1800)
def test_nothing_is_lost_and_nothing_is_doubled_whatever_is_killed(product, graph):
    print(f"\nAEROSTIC_CRASH_SEED={SEED}")
    with closing(Traffic(product, product.make_place(PEOPLE))) as traffic:
        say_all_while_killing(product, traffic)
        check_inbound(product)
        check_outbound(product, graph, traffic)


def say_all_while_killing(product: Product, traffic: Traffic) -> None:
    is_over, began = threading.Event(), time.monotonic()
    with ThreadPoolExecutor(len(LONGEST_LIVES)) as pool:
        killers = {
            part: pool.submit(keep_killing, product, part, is_over) for part in LONGEST_LIVES
        }
        try:
            do_all(work_of(traffic))
        finally:
            is_over.set()
    kills = {part: killer.result() for part, killer in killers.items()}
    said = time.monotonic()
    wait_for_rest(product)
    print(f"killed {kills} in {said - began:.0f} s, at rest {time.monotonic() - said:.0f} s later")
    print(f"answers {dict(traffic.answers)}")


def check_inbound(product: Product) -> None:
    incoming = product.rows("select meta_message_id from messages where direction = 'inbound'")
    assert Counter(row[0] for row in incoming) == Counter(f"wamid.in{n}" for n in range(INBOUND))
    assert product.rows("select sum(unread_count) from conversations") == [(INBOUND,)]
    assert product.rows("select count(*) from webhook_deliveries where status <> 'done'") == [(0,)]


def check_outbound(product: Product, graph: StandIn, traffic: Traffic) -> None:
    """Each reached Meta at most once. What did and is in doubt, Meta's status settles; the rest stays so."""
    queued = product.rows("select id, status, text from messages where direction = 'outbound'")
    assert Counter(text for _, _, text in queued) == Counter(f"Answer {n}" for n in range(OUTBOUND))
    states = {str(message_id): state for message_id, state, _ in queued}
    arrived = Counter(seen.body[CALLBACK] for seen in graph.messages)
    print(f"outbound {dict(Counter(states.values()))}, at Meta {len(arrived)}")
    assert set(arrived.values()) == {1}
    assert set(arrived) <= set(states)
    assert set(states.values()) <= {"accepted", "unknown"}
    assert {one for one, state in states.items() if state == "accepted"} <= set(arrived)

    told = [status(f"wamid.{one}", "delivered", **{CALLBACK: one}) for one in arrived]
    for at in range(0, len(told), 100):
        traffic.deliver(statuses=told[at : at + 100])
    wait_for_rest(product)
    after = product.rows("select id, status from messages where direction = 'outbound'")
    assert {str(message_id): state for message_id, state in after} == {
        one: "delivered" if one in arrived else "unknown" for one in states
    }


WORK_LEFT = """
    select 'delivery', status, count(*) from webhook_deliveries where status = 'pending' group by 2
    union all select 'outbox', state, count(*) from outbox group by 2
    union all select 'message', status, count(*) from messages
        where status in ('queued', 'sending') group by 2
"""


def wait_for_rest(product: Product, seconds: float = 120) -> None:
    """Until nothing is on its way any more, in or out."""
    deadline = time.monotonic() + seconds
    while left := product.rows(WORK_LEFT):
        for part in product.processes:
            product.restart_ended(part)
        assert time.monotonic() < deadline, (
            f"left after {seconds} s: {left}; {product.last_words()}"
        )
        time.sleep(0.1)
