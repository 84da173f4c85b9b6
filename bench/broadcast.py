"""One campaign to 100,000 people from one number at Meta's 1,000 a second, towards a Meta that takes 50 ms.

None of them has written before: each needs a conversation, a message, a place in the queue and a charge
under the campaign's hold. Measured from the launch to the last acceptance that is recorded. The process that
drives campaigns and the sender share core 0; databases and the stand-in for Meta have the other one.
Afterwards three statuses of each message are delivered at once and awaited. The peer does its part of this on
the same footing: one job a recipient, one request, the send recorded; without money and statuses.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import orjson
import psutil  # type: ignore[import-untyped]
import psycopg

from aerostic.core.ids import new_id
from bench import effects, peers, send
from bench.figures import Figure, at_least, at_most, middle
from bench.send import LATENCY, RATE
from bench.stage import (
    MEASURED,
    OURSELVES,
    NotPossible,
    Stage,
    cpu_seconds,
    outside,
    running,
    stage,
    until,
)

if TYPE_CHECKING:
    from tests.conftest import Place

PEER = "NestJS 11, BullMQ, axios, TypeORM"
TIMES_LIGHTER = 3.0
GOAL_OVER_RATE = 1.0  # per cent
GOAL_GROWTH = 10.0  # per cent of memory, from the first tenth of the run to its last
STATUSES = ("sent", "delivered", "read")
TOLD_TOGETHER = 100  # messages whose statuses share a delivery
PRICE_OF_ALL = 10**12  # micro-dollars: nobody runs dry here
PROCESSES = ("automation", "sender")

_PEOPLE = """
    with made as (
        select id, 'Person ' || place as name, '49' || 15000000000 + place as phone
        from unnest(%(ids)s::uuid[]) with ordinality as given (id, place)),
    known as (
        insert into contact_identities (tenant_id, kind, scope, value, contact_id, created_at)
        select %(tenant)s, 'phone', '', phone, id, now() from made)
    insert into contacts (tenant_id, id, name, profile_name, sort_name, phone, country, attributes,
        is_blocked, revision, created_at, updated_at, last_activity_at)
    select %(tenant)s, id, name, '', lower(name), phone, 'DE', '{}', false, 0, now(), now(), now() from made
"""


@dataclass(slots=True)
class Run:
    """What one side did. `cpu` by process; `memory` of all of them, in MB, four times a second."""

    seconds: float
    times: list[float]
    cpu: dict[str, float]
    memory: list[float] = field(default_factory=list)

    def per_cpu_second(self, count: int) -> float:
        return count / sum(self.cpu.values())


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """Recipients a second and for each second of processor time, the worst 10 s, memory, money, statuses."""
    count = 10_000 if quick else 100_000
    built = peers.built("broadcast")
    with stage() as here:
        place, campaign_id = _fill(count)
        ours = _ours(here, place, campaign_id, count)
        yield from _figures(ours, count)
        yield from _statuses(here, place, count)
        yield from _money(here, count)
    with stage() as here:
        theirs = _peer(here, built, count)
    yield Figure("broadcast", "peer_recipients_per_s", count / theirs.seconds, "/s")
    mine, other = ours.per_cpu_second(count), theirs.per_cpu_second(count)
    compared = Figure(
        "broadcast", "recipients_per_s_per_core", mine, "/s", PEER, other, mine / other
    )
    yield replace(
        compared, goal=f"≥ {TIMES_LIGHTER:.0f} × the peer", met=mine / other >= TIMES_LIGHTER
    )


def _figures(run: Run, count: int) -> Iterator[Figure]:
    yield Figure("broadcast", "recipients_per_s", count / run.seconds, "/s")
    yield Figure("broadcast", "seconds_to_first", run.times[0], "s from the launch")
    worst = send._worst_window(run.times)
    yield at_most("broadcast", "worst_10_s_over_rate", worst, "% over the rate", GOAL_OVER_RATE)
    for name, spent in run.cpu.items():
        yield Figure("broadcast", f"{name}_cpu_us", spent / count * 1e6, "µs a recipient")
    tenth = max(1, len(run.memory) // 10)
    first, last = middle(run.memory[:tenth]), middle(run.memory[-tenth:])
    yield Figure("broadcast", "memory_first_tenth", first, "MB")
    growth = (last / first - 1) * 100
    yield at_most("broadcast", "memory_growth", growth, "% by the last tenth", GOAL_GROWTH)


# Ours --------------------------------------------------------------------------------------------


def _fill(count: int) -> tuple["Place", UUID]:
    from aerostic.domain.campaigns import service
    from aerostic.domain.campaigns.schemas import CampaignDraft, Variant
    from aerostic.domain.campaigns.variables import Source, SourceKind
    from aerostic.domain.channels.models import PhoneNumber
    from aerostic.domain.templates.models import Template
    from tests.conftest import _make_place

    place = _make_place("Broadcaster", funds=PRICE_OF_ALL)
    with place.system_work() as ctx:
        number = ctx.get(PhoneNumber, place.number_id)
        assert number is not None
        number.messages_per_second = RATE
        template = Template(
            account_id=place.account_id,
            name="autumn",
            language="en",
            category="MARKETING",
            status="APPROVED",
            components=[{"type": "BODY", "text": "Hello {{1}}, our autumn menu is here."}],
        )
        ctx.session.add(template)
        ids = [new_id() for _ in range(count)]
        ctx.cursor().execute(_PEOPLE, {"tenant": ctx.tenant_id, "ids": ids})
    greeting = {"body.1": Source(kind=SourceKind.CONTACT, key="first_name", fallback="friend")}
    with place.work("admin") as ctx:
        draft = CampaignDraft(
            name="Autumn",
            variants=[Variant(template.id, greeting)],
            number_ids=[place.number_id],
        )
        return place, service.create(ctx, draft).id


def _ours(here: Stage, place: "Place", campaign_id: UUID, count: int) -> Run:
    from aerostic.domain.campaigns import service

    with ExitStack() as started:
        url = send._stand_in(here, started)
        here.calm()
        processes = {name: _process(here, started, name, url) for name in PROCESSES}
        before = {name: cpu_seconds(one.pid) for name, one in processes.items()}
        began, clock = time.perf_counter(), time.monotonic()
        with place.work("admin") as ctx:
            service.launch(ctx, campaign_id)
        answered = time.perf_counter() - began
        memory = []
        until(lambda: send._seen(url) > 0, what="the first message", seconds=300, every=0.25)
        while not _is_over(here):
            if time.perf_counter() - began > count / 20 + 120:
                raise NotPossible(f"It was not over after {count / 20 + 120:.0f} s.")
            memory.append(sum(one.memory_info().rss for one in processes.values()) / 1e6)
            time.sleep(0.25)
        seconds = time.perf_counter() - began
        cpu = {name: cpu_seconds(one.pid) - before[name] for name, one in processes.items()}
        seen = json.loads(httpx.get(f"{url}/figures", timeout=60).content)["times"]
    _check(here, seen, count)
    assert answered < 1, f"the launch answered after {answered:.2f} s"
    return Run(seconds, sorted(at - clock for at in seen), cpu, memory)


def _process(here: Stage, started: ExitStack, name: str, url: str) -> psutil.Process:
    ready = here.folder / f"{name}-ready"
    environment = {
        **outside(),
        **here.environment,
        "AEROSTIC_META_GRAPH_URL": url,
        "AEROSTIC_RUN_READY_FILE": str(ready),
    }
    log = here.folder / f"{name}.log"
    process = started.enter_context(
        running((*OURSELVES, name), core=MEASURED, environment=environment, log=log)
    )
    until(ready.exists, what=f"the process `{name}`")
    return psutil.Process(process.pid)


def _is_over(here: Stage) -> bool:
    return here.count("select count(*) from campaigns where status = 'done'") == 1


def _check(here: Stage, seen: Sequence[float], count: int) -> None:
    """Each once: at Meta, among the messages, among the recipients."""
    accepted = here.count("select count(*) from messages where status = 'accepted'")
    sent = here.count("select count(*) from campaign_recipients where state = 'sent'")
    if not len(seen) == accepted == sent == count:
        raise NotPossible(
            f"Of {count} recipients Meta saw {len(seen)}, {accepted} messages are accepted and"
            f" {sent} recipients are sent to."
        )


# Afterwards --------------------------------------------------------------------------------------


def _statuses(here: Stage, place: "Place", count: int) -> Iterator[Figure]:
    """Three of each message, all at once: how long until the last recipient has read it."""
    from aerostic.core import queue
    from aerostic.core.tenancy import platform_work

    bodies = _told(here, place)
    with effects._worker(here) as worker, platform_work(effects.FILLER) as ctx:
        ctx.cursor().execute(effects._KEEP, ([new_id() for _ in bodies], bodies))
        ctx.release()
        here.calm()
        spent, began = cpu_seconds(worker), time.perf_counter()
        queue.start([effects.DRAIN])
        until(
            lambda: effects._pending(here) == 0,
            what="the statuses",
            seconds=60 + count / 100,
            every=0.2,
        )
        lag, spent = time.perf_counter() - began, cpu_seconds(worker) - spent
    read = here.count("select count(*) from campaign_recipients where state = 'read'")
    if read != count:
        raise NotPossible(f"Of {count} recipients {read} have read it.")
    yield Figure("broadcast", "status_lag_s", lag, "s until the last of three a message")
    yield Figure("broadcast", "statuses_per_s", count * len(STATUSES) / lag, "/s")
    yield Figure("broadcast", "status_cpu_us", spent / count / 3 * 1e6, "µs of a worker a status")


def _told(here: Stage, place: "Place") -> list[bytes]:
    with psycopg.connect(here.postgres.superuser_url, dbname="aerostic") as connection:
        sent = connection.execute("select id, meta_message_id from messages order by id").fetchall()
    return [
        _delivery(place, sent[first : first + TOLD_TOGETHER])
        for first in range(0, len(sent), TOLD_TOGETHER)
    ]


def _delivery(place: "Place", sent: Sequence[tuple[UUID, str]]) -> bytes:
    now = int(time.time())
    statuses = [
        {
            "id": wamid,
            "status": status,
            "timestamp": str(now + step),
            "recipient_id": "491500",
            "biz_opaque_callback_data": str(message_id),
        }
        for step, status in enumerate(STATUSES)
        for message_id, wamid in sent
    ]
    metadata = {"display_phone_number": "1", "phone_number_id": place.phone_number_id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": statuses}
    entry = {"id": place.meta_account_id, "changes": [{"value": value, "field": "messages"}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def _money(here: Stage, count: int) -> Iterator[Figure]:
    """What was delivered is paid for, nothing is held any more, and the entries sum to zero."""
    captured = here.count("select count(*) from charges where state = 'captured'")
    held = here.count("select coalesce(sum(held_micros), 0) from wallets")
    total = here.count("select coalesce(sum(micros), 0) from ledger_entries")
    yield at_least("broadcast", "captured", float(captured), "charges", float(count))
    yield at_most("broadcast", "still_held", float(held), "micro-dollars", 0.0)
    yield at_most("broadcast", "sum_of_entries", float(abs(total)), "micro-dollars", 0.0)


# The peer ----------------------------------------------------------------------------------------


def _peer(here: Stage, built: Path, count: int) -> Run:
    with psycopg.connect(here.postgres.superuser_url, autocommit=True) as connection:
        connection.execute("create database peer")
    address = urlsplit(here.postgres.superuser_url)._replace(path="/peer").geturl()
    with ExitStack() as started:
        url = send._stand_in(here, started)
        log = here.folder / "peer.log"
        environment = outside() | {
            "NODE_ENV": "production",
            "DATABASE_URL": address,
            "REDIS_URL": here.valkey.url,
            "GRAPH_URL": url,
            "PER_SECOND": str(RATE),
            "CONCURRENCY": str(int(RATE * LATENCY * 4)),
            "GO_FILE": str(here.folder / "go"),
        }
        process = started.enter_context(
            running(
                [peers.node(), str(built / "dist" / "main.js")],
                core=MEASURED,
                environment=environment,
                log=log,
                folder=built,
            )
        )
        until(lambda: "ready" in log.read_text(), what="the peer")
        _fill_peer(address, count)
        here.calm()
        spent, began = cpu_seconds(process.pid), time.perf_counter()
        (here.folder / "go").touch()
        until(
            lambda: _peer_has_sent(address) == count,
            what="the peer",
            seconds=60 + count / 20,
            every=0.25,
        )
        seconds = time.perf_counter() - began
        spent = cpu_seconds(process.pid) - spent
        times = json.loads(httpx.get(f"{url}/figures", timeout=60).content)["times"]
    return Run(seconds, times, {"node": spent})


def _fill_peer(address: str, count: int) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "insert into recipients (phone, name) select '49' || 15000000000 + n, 'Person ' || n"
            " from generate_series(1, %s) n",
            (count,),
        )
        connection.execute("vacuum analyze recipients")


def _peer_has_sent(address: str) -> int:
    with psycopg.connect(address) as connection:
        row = connection.execute("select count(*) from recipients where status = 'sent'").fetchone()
    return int(row[0]) if row else 0
