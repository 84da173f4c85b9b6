"""Executions a second of webhook → condition → HTTP → set → respond, ours and n8n's in turn.

Every execution is saved with what each step took and gave before its answer leaves, on the same PostgreSQL.
Each has core 0 alone; PostgreSQL, the address that is called and the load share core 1.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg

from aerostic.operations.processes import free_port
from bench import peers
from bench.figures import Figure, middle
from bench.stage import (
    AROUND,
    MEASURED,
    OURSELVES,
    NotPossible,
    Stage,
    cpu_seconds,
    on_core,
    outside,
    running,
    stage,
    until,
)

PEER = "n8n 2.8.4"
CALLERS = (1, 10, 50)
PROMISED_AT = 10
TIMES_FASTER = 10.0
SHARE_OF_P99 = 0.2
LOAD = Path(__file__).with_name("workflow_load.lua")
N8N_WORKFLOW = "aerosticbench01"


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two under load. `counted` tells how many executions it has saved."""

    name: str
    url: str
    pid: int
    database: str
    counted: str


@dataclass(frozen=True, slots=True)
class Turn:
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


Found = dict[int, tuple[list[Turn], list[Turn]]]


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """Rates and latencies at 1, 10 and 50 callers: medians of three turns."""
    if shutil.which("wrk") is None:
        raise NotPossible("wrk is missing. Install it, for example with `apt-get install wrk`.")
    built = peers.built("n8n")
    seconds = 3 if quick else 8
    with stage() as here, ExitStack() as started:
        called = started.enter_context(_called(here))
        ours = started.enter_context(_ours(here, called))
        peer = started.enter_context(_peer(here, built, called))
        found = _in_turn(here, (ours, peer), seconds=seconds)
    yield from _figures(found)


def _in_turn(here: Stage, servers: tuple[Server, Server], *, seconds: int) -> Found:
    for server in servers:
        _load(here, server, callers=10, seconds=3)  # both are warm before anything counts
    found: Found = {callers: ([], []) for callers in CALLERS}
    for _ in range(3):
        for callers in CALLERS:
            for server, taken in zip(servers, found[callers], strict=True):
                taken.append(_load(here, server, callers=callers, seconds=seconds))
    return found


def _load(here: Stage, server: Server, *, callers: int, seconds: int) -> Turn:
    """One turn of load. Every answer must be a 200, and every 200 a saved execution."""
    here.calm()
    before, spent = _saved(here, server), cpu_seconds(server.pid)
    with on_core(AROUND):
        done = subprocess.run(
            ["wrk", "-t1", f"-c{callers}", f"-d{seconds}s", "--timeout", "30s", "-s", str(LOAD), server.url],
            env=dict(os.environ), capture_output=True, text=True, check=True,
        )  # fmt: skip
    told = json.loads(done.stdout.strip().splitlines()[-1])
    spent = cpu_seconds(server.pid) - spent
    if told["failed"] or told["not_2xx"]:
        raise NotPossible(f"{server.name} refused posts: {told}")
    wanted = before + told["requests"]  # n8n saves a moment after it has answered
    until(lambda: _saved(here, server) >= wanted, what=f"{server.name} to save what it answered")
    return Turn(
        per_second=told["requests"] / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_us=spent / max(1, told["requests"]) * 1e6,
    )


def _saved(here: Stage, server: Server) -> int:
    with psycopg.connect(here.postgres.superuser_url, dbname=server.database) as connection:
        row = connection.execute(server.counted.encode()).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _called(here: Stage) -> Iterator[int]:
    """The address that the HTTP step calls."""
    port = free_port()
    command = [sys.executable, "-m", "bench.answerer", str(port)]
    log = here.folder / "called.log"
    with running(command, core=AROUND, environment=outside(), log=log):
        until(lambda: _is_answered(f"http://127.0.0.1:{port}/"), what="the called address")
        yield port


def _is_answered(url: str, **posted: Any) -> bool:
    try:
        return httpx.post(url, timeout=10, **posted).status_code == 200
    except httpx.TransportError:
        return False


# Ours ---------------------------------------------------------------------------------------------


@contextmanager
def _ours(here: Stage, called: int) -> Iterator[Server]:
    workflow_id = _publish(called)
    port = free_port()
    command = [*OURSELVES, "api", "--port", str(port)]
    environment = {
        **outside(),
        **here.environment,
        "AEROSTIC_DATABASE_OWNER_URL": "",
        "AEROSTIC_OUTSIDE_ALLOW": "127.0.0.0/8",
    }
    url = f"http://127.0.0.1:{port}/automation/webhooks/{workflow_id}"
    with running(
        command, core=MEASURED, environment=environment, log=here.folder / "ours.log"
    ) as process:
        until(lambda: _is_answered(url, json=SAMPLE), what="our workflow's answer")
        yield Server("Aerostic", url, process.pid, "aerostic", _OURS_SAVED)


SAMPLE = {"order": {"id": 1042, "kind": "text"}, "from": "15550001111", "name": "Ada"}
# Whole: the run, and the log of its five steps.
_OURS_SAVED = """
    select count(*) from executions e where e.status = 'done' and e.steps = 5 and exists (
        select from execution_segments s where s.tenant_id = e.tenant_id and s.execution_id = e.id)
"""


def _publish(called: int) -> str:
    """A workspace whose published workflow does what the peer's does. Its rate is not what is measured."""
    from aerostic.core.permissions import Permission, system
    from aerostic.core.tenancy import shared_work, unit_of_work
    from aerostic.domain.automation import service
    from aerostic.domain.automation.graph import Graph
    from aerostic.domain.automation.models import Workflow
    from aerostic.domain.tenants.models import Tenant

    somebody = system("bench", *Permission)
    with shared_work(somebody) as ctx:
        tenant = Tenant(name="Bench", slug="bench-workflow")
        ctx.session.add(tenant)
    with unit_of_work(tenant.id, somebody) as ctx:
        graph = Graph.model_validate(_our_graph(called))
        workflow_id = service.create(ctx, "Order status", graph=graph).id
        service.publish(ctx, workflow_id)
        workflow = ctx.get(Workflow, workflow_id)
        assert workflow is not None
        workflow.webhook_rate = 10_000_000
    return str(workflow_id)


def _our_graph(called: int) -> dict[str, Any]:
    condition = {"value": "{{ webhookPayload.body.order.kind }}", "to": "text"}
    message = {
        "to": "{{ webhookPayload.body.from }}",
        "text": "Order {{ webhookPayload.body.order.id }}",
    }
    nodes = {
        "hook": ("trigger.webhook", {}),
        "check": ("logic.condition", {"conditions": [condition]}),
        "call": (
            "http.request",
            {
                "method": "POST",
                "url": f"http://127.0.0.1:{called}/messages",
                "body_type": "json",
                "json_body": message,
            },
        ),
        "set": (
            "logic.set",
            {"values": [{"name": "sent_id", "value": "{{ apiResponse.body.messages[0].id }}"}]},
        ),
        "answer": (
            "webhook.respond",
            {"body": {"sent_id": "{{ vars.sent_id }}", "status": "{{ apiResponse.body.status }}"}},
        ),
    }
    leads = [("hook", "out", "check"), ("check", "true", "call"), ("call", "out", "set"),
             ("set", "out", "answer")]  # fmt: skip
    return {
        "nodes": [
            {"id": one, "kind": kind, "config": config} for one, (kind, config) in nodes.items()
        ],
        "edges": [
            {"id": f"e{n}", "source": a, "source_port": port, "target": b}
            for n, (a, port, b) in enumerate(leads)
        ],
    }


# The peer -----------------------------------------------------------------------------------------


@contextmanager
def _peer(here: Stage, built: Path, called: int) -> Iterator[Server]:
    """n8n in production mode, telemetry and updates off, every execution saved, on the same PostgreSQL."""
    port = free_port()
    with psycopg.connect(here.postgres.superuser_url, autocommit=True) as connection:
        connection.execute("create database n8n")
    environment = _peer_environment(here, port)
    program = str(built / "node_modules" / "n8n" / "bin" / "n8n")
    drawn = here.folder / "n8n-workflow.json"
    drawn.write_text(json.dumps([_peer_workflow(called)]))
    _tell(program, environment, "import:workflow", f"--input={drawn}")
    _tell(program, environment, "publish:workflow", f"--id={N8N_WORKFLOW}")
    url = f"http://127.0.0.1:{port}/webhook/bench"
    with running(
        [peers.node(), program, "start"],
        core=MEASURED,
        environment=environment,
        log=here.folder / "n8n.log",
        folder=built,
    ) as process:
        until(lambda: _is_answered(url, json=SAMPLE), what="n8n's answer", seconds=240, every=1)
        counted = "select count(*) from execution_entity where status = 'success'"
        yield Server(PEER, url, process.pid, "n8n", counted)


def _tell(program: str, environment: dict[str, str], *words: str) -> None:
    done = subprocess.run(
        [peers.node(), program, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    if done.returncode:
        raise NotPossible(f"`n8n {words[0]}` failed:\n{(done.stdout + done.stderr).strip()[-800:]}")


def _peer_environment(here: Stage, port: int) -> dict[str, str]:
    database = urlsplit(here.postgres.superuser_url)
    off = ("DIAGNOSTICS", "VERSION_NOTIFICATIONS", "TEMPLATES", "PERSONALIZATION", "HIRING_BANNER")
    return {
        **peers.with_node(outside()),
        **{f"N8N_{name}_ENABLED": "false" for name in off},
        "N8N_LICENSE_AUTO_RENEW_ENABLED": "false",
        "NODE_ENV": "production",
        "DB_TYPE": "postgresdb",
        "DB_POSTGRESDB_HOST": database.hostname or "",
        "DB_POSTGRESDB_PORT": str(database.port),
        "DB_POSTGRESDB_DATABASE": "n8n",
        "DB_POSTGRESDB_USER": database.username or "",
        "DB_POSTGRESDB_PASSWORD": database.password or "",
        "DB_POSTGRESDB_POOL_SIZE": "8",
        "N8N_USER_FOLDER": str(here.folder / "n8n"),
        "N8N_ENCRYPTION_KEY": "only-for-this-measurement",
        "N8N_HOST": "127.0.0.1",
        "N8N_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_PORT": str(port),
        "N8N_RUNNERS_BROKER_PORT": str(free_port()),
        "N8N_LOG_LEVEL": "warn",
        "EXECUTIONS_DATA_SAVE_ON_SUCCESS": "all",
        "EXECUTIONS_DATA_SAVE_ON_ERROR": "all",
        "EXECUTIONS_DATA_PRUNE": "false",
    }


def _peer_workflow(called: int) -> dict[str, Any]:
    """The same five steps in n8n's terms."""
    kinds = "n8n-nodes-base"
    condition = {
        "id": "c",
        "leftValue": "={{ $json.body.order.kind }}",
        "rightValue": "text",
        "operator": {"type": "string", "operation": "equals"},
    }
    options = {"caseSensitive": True, "leftValue": "", "typeValidation": "loose", "version": 2}
    # In its expressions a closing brace must not touch the one that ends them.
    message = (
        "={{ JSON.stringify({ to: $json.body.from, text: 'Order ' + $json.body.order.id } ) }}"
    )
    answer = (
        "={{ JSON.stringify({ sent_id: $json.sent_id, status: $('HTTP').item.json.status } ) }}"
    )
    sent = {"id": "s", "name": "sent_id", "value": "={{ $json.messages[0].id }}", "type": "string"}
    steps: list[tuple[str, str, float, dict[str, Any]]] = [
        (
            "Hook",
            "webhook",
            2,
            {"httpMethod": "POST", "path": "bench", "responseMode": "responseNode"},
        ),
        (
            "Check",
            "if",
            2.2,
            {"conditions": {"options": options, "combinator": "and", "conditions": [condition]}},
        ),
        (
            "HTTP",
            "httpRequest",
            4.2,
            {
                "method": "POST",
                "url": f"http://127.0.0.1:{called}/messages",
                "sendBody": True,
                "specifyBody": "json",
                "jsonBody": message,
            },
        ),
        ("Set", "set", 3.4, {"assignments": {"assignments": [sent]}}),
        ("Answer", "respondToWebhook", 1.1, {"respondWith": "json", "responseBody": answer}),
    ]
    names = [step[0] for step in steps]
    return {
        "id": N8N_WORKFLOW,
        "name": "Order status",
        "active": False,
        "nodes": [
            {
                "id": name.lower(),
                "name": name,
                "type": f"{kinds}.{kind}",
                "typeVersion": version,
                "position": [240 * index, 0],
                "parameters": parameters,
                **({"webhookId": "5c1d6a52-7c53-4f0e-9a43-0d5b6c1c7b11"} if name == "Hook" else {}),
            }
            for index, (name, kind, version, parameters) in enumerate(steps)
        ],
        "connections": {
            name: {"main": [[{"node": then, "type": "main", "index": 0}]]}
            for name, then in pairwise(names)
        },
        "settings": {"executionOrder": "v1", "saveDataSuccessExecution": "all"},
        "pinData": {},
    }


# The figures --------------------------------------------------------------------------------------


def _figures(found: Found) -> Iterator[Figure]:
    for callers, (ours, peer) in found.items():
        rate = _compared(f"executions_per_s, {callers} callers", "per_second", "/s", ours, peer)
        p99 = _compared(f"p99_ms, {callers} callers", "p99_ms", "ms", ours, peer)
        if callers == PROMISED_AT:
            assert rate.ratio is not None
            assert p99.ratio is not None
            goal = f"≥ {TIMES_FASTER:.0f} × the peer"
            rate = replace(
                rate, metric="executions_per_s", goal=goal, met=rate.ratio >= TIMES_FASTER
            )
            goal = f"≤ {SHARE_OF_P99} × the peer"
            p99 = replace(p99, metric="p99_ms", goal=goal, met=p99.ratio <= SHARE_OF_P99)
        yield rate
        yield _compared(f"p50_ms, {callers} callers", "p50_ms", "ms", ours, peer)
        yield p99
        unit = "µs of processor time an execution"
        yield _compared(f"cpu_us, {callers} callers", "cpu_us", unit, ours, peer)


def _compared(metric: str, part: str, unit: str, ours: list[Turn], peer: list[Turn]) -> Figure:
    mine = middle(getattr(turn, part) for turn in ours)
    theirs = middle(getattr(turn, part) for turn in peer)
    # Of each turn, then the middle one: on a shared machine turns differ more than their ratios.
    ratio = middle(getattr(a, part) / getattr(b, part) for a, b in zip(ours, peer, strict=True))
    return Figure("workflow", metric, mine, unit, PEER, theirs, ratio)
