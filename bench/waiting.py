"""10,000 resting runs fall due over a minute: how late each wakes, and what they cost while they rest.

`run.py automation` on core 0, databases on core 1. Lateness is from a run's time to the commit of its end.
"""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from bench.figures import Figure, at_most, percentile
from bench.stage import MEASURED, OURSELVES, Stage, cpu_seconds, outside, running, stage, until

RUNS = 10_000
OVER = timedelta(seconds=60)
REST = timedelta(seconds=15)  # before the first
LATEST_SECONDS = 2

_RUNS = """
    insert into executions (tenant_id, id, workflow_id, version_id, version_number, mode, status,
        trigger_kind, trigger_node, state, steps, reason, failed_node, depth, awaits, wake_at, created_at,
        started_at)
    select %(tenant)s, id, %(workflow)s, %(version)s, 1, 'live', 'waiting', 'trigger.manual', 't',
        %(state)s::jsonb || jsonb_build_object('given', jsonb_build_object('at', due_at)), 2, '', '', 0,
        'time', due_at, now(), now()
    from unnest(%(ids)s::uuid[], %(due)s::timestamptz[]) as given (id, due_at)
"""
_DUE = """
    insert into due_work (kind, tenant_id, ref, due_at)
    select 'run', %(tenant)s, id, due_at
    from unnest(%(ids)s::uuid[], %(due)s::timestamptz[]) as given (id, due_at)
"""
_LATENESS = """
    select extract(epoch from ended_at - (state->'given'->>'at')::timestamptz) from executions
    where status = 'done'
"""


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """Lateness over all runs; all of them must have ended."""
    count, over = (1_000, OVER / 6) if quick else (RUNS, OVER)
    with stage() as here:
        first = _rest(here, count, over)
        environment = {**outside(), **here.environment, "AEROSTIC_DATABASE_OWNER_URL": ""}
        log = here.folder / "automation.log"
        command = [*OURSELVES, "automation"]
        with running(command, core=MEASURED, environment=environment, log=log) as process:
            time.sleep(5)
            spent, began = cpu_seconds(process.pid), time.monotonic()
            time.sleep(max(1.0, (first - datetime.now(first.tzinfo)).total_seconds() - 1))
            resting = (cpu_seconds(process.pid) - spent) / (time.monotonic() - began)
            done = "select count(*) from executions where status = 'done'"
            patience = over.total_seconds() + 120
            until(lambda: here.count(done) == count, what="every run", seconds=patience, every=1)
        late = _lateness(here)
    yield Figure("waiting", "cpu_share_while_resting", resting, "of a core")
    yield Figure("waiting", "late_p50_s", percentile(late, 0.5), "s")
    yield Figure("waiting", "late_p99_s", percentile(late, 0.99), "s")
    yield at_most("waiting", "late_max_s", max(late), "s", LATEST_SECONDS)


def _lateness(here: Stage) -> list[float]:
    with psycopg.connect(here.postgres.superuser_url, dbname="aerostic") as connection:
        return [float(row[0]) for row in connection.execute(_LATENESS.encode()).fetchall()]


def _rest(here: Stage, count: int, over: timedelta) -> datetime:
    """Runs that rest, and when the first is due."""
    from aerostic.core import clock
    from aerostic.core.ids import new_id

    tenant_id, workflow_id, version_id = _workflow()
    first = clock.now() + REST
    due = [first + over * (n / count) for n in range(count)]
    state: dict[str, Any] = {
        "at": "n1",
        "resting": {"number": 2, "since": first.isoformat(), "output": None},
        "recorded": 2,
    }
    values = {
        "tenant": tenant_id,
        "workflow": workflow_id,
        "version": version_id,
        "state": json.dumps(state),
        "ids": [new_id() for _ in due],
        "due": due,
    }
    with psycopg.connect(here.postgres.superuser_url, dbname="aerostic") as connection:
        connection.execute(_RUNS.encode(), values)
        connection.execute(_DUE.encode(), values)
    return first


def _workflow() -> tuple[UUID, UUID, UUID]:
    from aerostic.core.permissions import Permission, system
    from aerostic.core.tenancy import shared_work, unit_of_work
    from aerostic.domain.automation.models import Workflow, WorkflowVersion
    from aerostic.domain.tenants.models import Tenant

    graph = {
        "nodes": [
            {"id": "t", "kind": "trigger.manual"},
            {"id": "n1", "kind": "logic.wait", "config": {"amount": 1, "unit": "hours"}},
            {"id": "n2", "kind": "logic.set", "config": {"values": [{"name": "x", "value": "1"}]}},
        ],
        "edges": [
            {"id": "e1", "source": "t", "target": "n1"},
            {"id": "e2", "source": "n1", "target": "n2"},
        ],
    }
    somebody = system("bench", *Permission)
    with shared_work(somebody) as ctx:
        tenant = Tenant(name="Bench", slug="bench-waiting")
        ctx.session.add(tenant)
    with unit_of_work(tenant.id, somebody) as ctx:
        workflow = Workflow(name="Waits", draft=graph, published_number=1)
        ctx.session.add(workflow)
        ctx.session.flush()
        version = WorkflowVersion(workflow_id=workflow.id, number=1, graph=graph)
        ctx.session.add(version)
    return tenant.id, workflow.id, version.id
