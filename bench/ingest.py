"""Durable webhooks a second, ours and NestJS 11 + TypeORM + BullMQ in turn, on the same servers.

Ours is what `run.py api` serves. A 200 of ours means that the raw bytes are committed; a 200 of the peer's
that the parsed message is committed and queued. Each has core 0 alone; databases and load share core 1.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from aerostic.operations.processes import free_port
from bench import make_deliveries, peers
from bench.figures import Figure, middle
from bench.stage import (
    APP_SECRET,
    AROUND,
    MEASURED,
    OURSELVES,
    NotPossible,
    Stage,
    answers,
    cpu_seconds,
    on_core,
    outside,
    running,
    stage,
    until,
)

PEER = "NestJS 11 + TypeORM + BullMQ"
CONNECTIONS = 32
LOAD = Path(__file__).with_name("ingest_load.lua")
TIMES_FASTER = 5.0
SHARE_OF_P99 = 0.25


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two under load. `counted` tells how many deliveries it has kept."""

    name: str
    port: int
    pid: int
    database: str
    counted: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of load found."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """Rates, latencies and processor time per delivery: medians over the turns."""
    if shutil.which("wrk") is None:
        raise NotPossible("wrk is missing. Install it, for example with `apt-get install wrk`.")
    turns, seconds = (3, 3) if quick else (5, 8)
    built = peers.built("ingest")
    with stage() as here, ExitStack() as started:
        bodies = _bodies(here, 20_000 if quick else 100_000)
        ours = started.enter_context(_ours(here))
        peer = started.enter_context(_peer(here, built))
        found = _in_turn(here, (ours, peer), bodies, turns=turns, seconds=seconds)
    yield from _figures(*found)


def _in_turn(
    here: Stage, servers: tuple[Server, Server], bodies: Path, *, turns: int, seconds: int
) -> tuple[list[Turn], list[Turn]]:
    found: tuple[list[Turn], list[Turn]] = ([], [])
    for server in servers:
        _load(here, server, bodies, seconds=2, start=0)  # both are warm before anything counts
    start = 0
    for _ in range(turns):
        for server, taken in zip(servers, found, strict=True):
            taken.append(_load(here, server, bodies, seconds=seconds, start=start))
        start += 20_000
    return found


def _load(here: Stage, server: Server, bodies: Path, *, seconds: int, start: int) -> Turn:
    """One turn of load. Every answer must be a 200, and every 200 a row."""
    here.calm()
    before, spent = _rows(here, server), cpu_seconds(server.pid)
    with on_core(AROUND):
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(LOAD),
             f"http://127.0.0.1:{server.port}/"],
            env={**os.environ, "BODIES": str(bodies), "WSTART": str(start)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    told = json.loads(done.stdout.strip().splitlines()[-1])
    spent = cpu_seconds(server.pid) - spent
    if told["failed"] or told["not_2xx"]:
        raise NotPossible(f"{server.name} refused deliveries: {told}")
    _check_kept(server, told["requests"], _rows(here, server) - before)
    return Turn(
        per_second=told["requests"] / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_us=spent / told["requests"] * 1e6,
    )


def _check_kept(server: Server, answered: int, kept: int) -> None:
    """Those in flight at the end may be kept and not counted; nothing may be counted and not kept.

    The peer keeps a message once, and bodies come round again in a long turn: it may keep fewer.
    """
    if server.name != PEER and kept < answered:
        raise NotPossible(f"{server.name} answered {answered} deliveries and kept {kept}.")


def _rows(here: Stage, server: Server) -> int:
    with psycopg.connect(here.postgres.superuser_url, dbname=server.database) as connection:
        row = connection.execute(f"select count(*) from {server.counted}".encode()).fetchone()
    return int(row[0]) if row else 0


def _bodies(here: Stage, count: int) -> Path:
    file = here.folder / "bodies.tsv"
    with file.open("wb") as out:
        out.writelines(make_deliveries.signed_lines(count, APP_SECRET, ["106540790000001"]))
    return file


# The two servers


@contextmanager
def _ours(here: Stage) -> Iterator[Server]:
    port = free_port()
    command = [*OURSELVES, "api", "--port", str(port)]
    environment = {**outside(), **here.environment, "AEROSTIC_DATABASE_OWNER_URL": ""}
    with running(
        command, core=MEASURED, environment=environment, log=here.folder / "ours.log"
    ) as process:
        until(lambda: answers(f"http://127.0.0.1:{port}/health"), what="our API server")
        yield Server("Aerostic", port, process.pid, "aerostic", "webhook_deliveries")


@contextmanager
def _peer(here: Stage, built: Path) -> Iterator[Server]:
    port = free_port()
    with psycopg.connect(here.postgres.superuser_url, autocommit=True) as connection:
        connection.execute("create database peer")
    environment = outside() | {
        "NODE_ENV": "production",
        "APP_SECRET": APP_SECRET,
        "DATABASE_URL": urlsplit(here.postgres.superuser_url)._replace(path="/peer").geturl(),
        "REDIS_URL": here.valkey.url,
        "PORT": str(port),
    }
    log = here.folder / "peer.log"
    with running(
        [peers.node(), str(built / "dist" / "main.js")],
        core=MEASURED,
        environment=environment,
        log=log,
        folder=built,
    ) as process:
        until(lambda: answers(f"http://127.0.0.1:{port}/"), what="the peer")
        yield Server(PEER, port, process.pid, "peer", "inbound_messages")


# The figures


def _figures(ours: list[Turn], peer: list[Turn]) -> Iterator[Figure]:
    def compared(metric: str, unit: str) -> Figure:
        mine = middle(getattr(turn, metric) for turn in ours)
        theirs = middle(getattr(turn, metric) for turn in peer)
        # Of each turn, then the middle one: on a shared machine turns differ more than their ratios.
        pairs = zip(ours, peer, strict=True)
        ratio = middle(getattr(a, metric) / getattr(b, metric) for a, b in pairs)
        return Figure("ingest", metric, mine, unit, PEER, theirs, ratio)

    rate, p99 = compared("per_second", "/s"), compared("p99_ms", "ms")
    assert rate.ratio is not None
    assert p99.ratio is not None
    yield replace(
        rate,
        metric="durable_rps",
        goal=f"≥ {TIMES_FASTER:.0f} × the peer",
        met=rate.ratio >= TIMES_FASTER,
    )
    yield compared("p50_ms", "ms")
    yield replace(p99, goal=f"≤ {SHARE_OF_P99} × the peer", met=p99.ratio <= SHARE_OF_P99)
    yield compared("cpu_us", "µs of processor time a delivery")
