"""How what a run has done is written down: many runs in one statement, all or nothing of each.

The fence is `executions.leased_by`: who lost a run to another process writes nothing any more. The row in
`due_work` says when somebody should look: while a run is walked, when its lease is over; while it waits,
when it wakes; never, where only an answer can wake it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from aerostic.core import arrays, bulk, clock
from aerostic.core.arrays import Document
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.automation.models import ExecutionMode, ExecutionStatus
from aerostic.domain.automation.runs import OVER, Run
from aerostic.domain.automation.values import as_json

LEASE = timedelta(seconds=30)

_CHANGING = bulk.columns(
    id="uuid",
    status="text",
    state="jsonb",
    steps="int4",
    reason="text",
    failed_node="text",
    response="jsonb",
    conversation_id="uuid",
    contact_id="uuid",
    number_id="uuid",
    awaits="text",
    wake_at="timestamptz",
    leased_by="text",
    started_at="timestamptz",
    ended_at="timestamptz",
    position="int4",
    segment="jsonb",
    due_at="timestamptz",
    due_until="timestamptz",
    usage_id="uuid",
)
_BEGINNING = _CHANGING + bulk.columns(
    workflow_id="uuid",
    version_id="uuid",
    version_number="int4",
    graph="jsonb",
    mode="text",
    trigger_kind="text",
    trigger_node="text",
    parent_id="uuid",
    replay_of="uuid",
    depth="int4",
    created_at="timestamptz",
)

_WRITE = """
    written as (
        insert into execution_segments (tenant_id, execution_id, position, steps, created_at)
        select %b::uuid, s.id, s.position, s.segment, now() from saved s where s.segment is not null
    ),
    due as (
        insert into due_work (kind, tenant_id, ref, due_at, leased_by, leased_until)
        select 'run', %b::uuid, s.id, s.due_at, s.leased_by, s.due_until from saved s
        where s.due_at is not null
        on conflict (kind, tenant_id, ref) do update set due_at = excluded.due_at,
            leased_by = excluded.leased_by, leased_until = excluded.leased_until
    ),
    used as (
        insert into usage_events (tenant_id, id, kind, quantity, cost_micros, ref, details, occurred_at)
        select %b::uuid, s.usage_id, 'workflow_execution', 1, 0, s.id, '{}', now() from saved s
        where s.usage_id is not null
    )
"""
_INSERT = bulk.document_statement(
    """
    with saved as (select * from {given}),
    made as (
        insert into executions (tenant_id, id, workflow_id, version_id, version_number, graph, mode, status,
            trigger_kind, trigger_node, state, steps, reason, failed_node, response, conversation_id,
            contact_id, number_id, parent_id, replay_of, depth, awaits, wake_at, leased_by, created_at,
            started_at, ended_at)
        select %b::uuid, id, workflow_id, version_id, version_number, graph, mode, status,
            trigger_kind, trigger_node, state, steps, reason, failed_node, response, conversation_id,
            contact_id, number_id, parent_id, replay_of, depth, awaits, wake_at, leased_by, created_at,
            started_at, ended_at
        from saved
    ), {written}
    select id from saved
""".replace("{written}", _WRITE),
    _BEGINNING,
)
# By their ids in any plan: statistics may be old, and of 10,000 that rest each save then looked at every one.
# The bounds are for the partitions, which an array alone does not choose.
_UPDATE = bulk.document_statement(
    """
    with saved as (
        update executions e set status = given.status, state = given.state, steps = given.steps,
            reason = given.reason, failed_node = given.failed_node, response = given.response,
            conversation_id = given.conversation_id, contact_id = given.contact_id,
            number_id = given.number_id, awaits = given.awaits, wake_at = given.wake_at,
            leased_by = given.leased_by, started_at = given.started_at, ended_at = given.ended_at
        from {given}
        where e.tenant_id = %b::uuid and e.id = given.id and e.leased_by = %b::text
            and e.id = any(%b::uuid[]) and e.id between %b::uuid and %b::uuid
        returning e.id, given.position, given.segment, given.due_at, given.due_until, given.leased_by,
            given.usage_id
    ), {written},
    gone as (
        delete from due_work d where d.kind = 'run' and d.tenant_id = %b::uuid
            and d.ref = any(array(select s.id from saved s where s.due_at is null))
    ),
    rested as (
        delete from conversation_turns t using saved s
        where s.leased_by is null and t.tenant_id = %b::uuid and t.execution_id = s.id
    )
    select id from saved
""".replace("{written}", _WRITE),
    _CHANGING,
)

# For whoever wants to be told of failures: only where somebody does, and only what was written down just now.
_TELL_FAILURES = """
    with failed as (
        select e.*, given.signal_id from unnest(%b::uuid[], %b::uuid[]) as given (id, signal_id)
        join executions e on e.tenant_id = %b and e.id = given.id and e.id between %b and %b
        where e.status = 'failed' and e.ended_at = %b
    ),
    told as (
        insert into signals (tenant_id, id, kind, conversation_id, contact_id, number_id, details, created_at)
        select f.tenant_id, f.signal_id, 'execution.failed', f.conversation_id, f.contact_id, f.number_id,
            jsonb_build_object('id', f.id, 'workflow_id', f.workflow_id, 'workflow', w.name,
                'reason', f.reason, 'node', f.failed_node), clock_timestamp()
        from failed f
        join signal_listeners l on l.tenant_id = f.tenant_id and l.listener = 'webhooks'
        left join workflows w on w.tenant_id = f.tenant_id and w.id = f.workflow_id
        returning tenant_id
    ),
    due as (
        insert into due_work (kind, tenant_id, ref, due_at)
        select distinct 'signals', tenant_id, tenant_id, %b::timestamptz from told
        on conflict (kind, tenant_id, ref) do update set due_at = least(due_work.due_at, excluded.due_at)
    )
    select id from failed
"""

Statement = tuple[str, list[Any]]


def _row(run: Run, holder: str, now: datetime) -> dict[str, Any]:
    is_held = run.status == ExecutionStatus.RUNNING
    due_at = run.wake_at if run.status == ExecutionStatus.WAITING else None
    if is_held or run.status == ExecutionStatus.READY:
        due_at = now
    return {
        "id": run.id,
        "status": run.status,
        "state": orjson.Fragment(run.state()),
        "steps": run.steps,
        "reason": run.reason,
        "failed_node": run.failed_node,
        "response": run.response,
        "conversation_id": run.conversation_id,
        "contact_id": run.contact_id,
        "number_id": run.number_id,
        "awaits": run.awaits,
        "wake_at": run.wake_at,
        "leased_by": holder if is_held else None,
        "started_at": run.started_at,
        "ended_at": now if run.status in OVER else None,
        "position": run.recorded,
        "segment": [orjson.Fragment(one) for one in run.records] or None,
        "due_at": due_at,
        "due_until": now + LEASE if is_held else None,
        "usage_id": new_id() if run.status in OVER else None,
    }


def _new_row(run: Run, holder: str, now: datetime) -> dict[str, Any]:
    return {
        **_row(run, holder, now),
        "workflow_id": run.workflow_id,
        "version_id": run.version_id,
        "version_number": run.version_number,
        "graph": run.graph,
        "mode": run.mode,
        "trigger_kind": run.trigger_kind,
        "trigger_node": run.trigger_node,
        "parent_id": run.parent_id,
        "replay_of": run.replay_of,
        "depth": run.depth,
        "created_at": run.created_at,
    }


def statements(tenant_id: UUID, runs: Sequence[Run], holder: str, now: datetime) -> list[Statement]:
    """What writes these runs of one tenant. Each statement returns the ids that it has written."""
    new = [_new_row(run, holder, now) for run in runs if run.is_new]
    known = [_row(run, holder, now) for run in runs if not run.is_new]
    found: list[Statement] = []
    if new:
        found.append((_INSERT, [Document(as_json(new)), *[tenant_id] * 4]))
    if known:
        ids = [row["id"] for row in known]
        within = [arrays.encode("uuid", ids), min(ids), max(ids)]
        rest = [tenant_id, holder, *within, *[tenant_id] * 5]
        found.append((_UPDATE, [Document(as_json(known)), *rest]))
    failed = [run.id for run in runs if run.status == ExecutionStatus.FAILED and _is_told(run)]
    if failed:
        told = [new_id() for _ in failed]
        bounds = (min(failed), max(failed))
        pairs = [arrays.encode("uuid", failed), arrays.encode("uuid", told)]
        found.append((_TELL_FAILURES, [*pairs, tenant_id, *bounds, now, now]))
    return found


def _is_told(run: Run) -> bool:
    """A trial concerns nobody else, and a sub-workflow's failure is its caller's."""
    return run.mode == ExecutionMode.LIVE and run.parent_id is None


def saved(run: Run) -> None:
    """Remember that what was new is written down."""
    run.is_new = False
    run.recorded += len(run.records)
    run.records, run.written = [], run.status


def save(ctx: Context, run: Run, holder: str) -> bool:
    """Write one run down in this transaction. False: it is another process's by now, or was cancelled.

    Whoever calls tells the run with `saved` once the transaction is committed.
    """
    cursor = ctx.cursor()
    for statement, values in statements(ctx.tenant_id, [run], holder, clock.now()):
        cursor.execute(statement.encode(), values, prepare=True)
    return cursor.fetchone() is not None
