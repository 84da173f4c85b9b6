"""Who walks a run: taken under a lease, with everything that it needs, and at most one a conversation."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg

from aerostic.core import clock
from aerostic.core.due_work import Ref
from aerostic.core.lanes import LanePool
from aerostic.core.tenancy import lane_transaction
from aerostic.domain.automation import scope
from aerostic.domain.automation.engine import TURN
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import ExecutionStatus
from aerostic.domain.automation.plans import Plan, Plans, plan_of
from aerostic.domain.automation.runs import Run
from aerostic.domain.automation.saving import LEASE

Cursor = psycopg.AsyncCursor[Any]

NOT_MY_TURN = timedelta(milliseconds=300)  # then look again

_CLAIM = """
    with due as (
        select tenant_id, ref from due_work
        where kind = 'run' and due_at <= %s and (leased_until is null or leased_until < %s)
        order by due_at limit %s for update skip locked
    )
    update due_work d set leased_by = %s, leased_until = %s from due
    where d.kind = 'run' and d.tenant_id = due.tenant_id and d.ref = due.ref
    returning d.tenant_id, d.ref
"""
_FIND = """
    select id, status, conversation_id from executions
    where tenant_id = %s and id = any(%s) and id between %s and %s
        and (status = 'ready' or (status = 'running' and %s) or (status = 'waiting' and wake_at <= %s))
    order by id for update skip locked
"""
_TURNS = """
    insert into conversation_turns (tenant_id, conversation_id, execution_id, leased_until)
    select %s, conversation_id, execution_id, %s
    from unnest(%s::uuid[], %s::uuid[]) as wanted (conversation_id, execution_id)
    on conflict (tenant_id, conversation_id) do update
    set execution_id = excluded.execution_id, leased_until = excluded.leased_until
    where conversation_turns.execution_id = excluded.execution_id
        or conversation_turns.leased_until < %s
    returning execution_id
"""
_TAKE = """
    update executions e set status = 'running', leased_by = %s, started_at = coalesce(e.started_at, %s)
    where tenant_id = %s and id = any(%s) and id between %s and %s
    returning id, workflow_id, version_id, version_number, graph::text, mode, trigger_kind, trigger_node,
        state::text, steps, response::text, conversation_id, contact_id, number_id, parent_id, replay_of,
        depth, created_at, started_at, awaits
"""
_LEASE = """
    update due_work set leased_by = %s, leased_until = %s
    where kind = 'run' and tenant_id = %s and ref = any(%s)
"""
_VERSIONS = "select id, graph::text from workflow_versions where tenant_id = %s and id = any(%s)"
_LATER = """
    update due_work set due_at = %s, leased_by = null, leased_until = null
    where kind = 'run' and tenant_id = %s and ref = any(%s) and leased_by = %s
"""
# What was due and could not be taken: over, or waiting for something else, or locked at this moment.
_TIDY = """
    with seen as (
        select w.id, e.status, e.wake_at from unnest(%s::uuid[]) as w (id)
        left join executions e on e.tenant_id = %s and e.id = w.id
    ), gone as (
        delete from due_work d using seen s
        where d.kind = 'run' and d.tenant_id = %s and d.ref = s.id and d.leased_by = %s
            and (s.status is null or s.status not in ('ready', 'running', 'waiting')
                or (s.status = 'waiting' and s.wake_at is null))
    )
    update due_work d set leased_by = null, leased_until = null,
        due_at = coalesce(case when s.status = 'waiting' then s.wake_at end, %s)
    from seen s
    where d.kind = 'run' and d.tenant_id = %s and d.ref = s.id and d.leased_by = %s
        and (s.status in ('ready', 'running') or (s.status = 'waiting' and s.wake_at is not null))
"""
_RENEW = """
    update due_work set leased_until = %s
    where kind = 'run' and leased_by = %s and (tenant_id, ref) in (
        select * from unnest(%s::uuid[], %s::uuid[])
    ) returning ref
"""
_RELEASE = "update due_work set leased_by = null, leased_until = null where kind = 'run' and leased_by = %s"


async def claim(pool: LanePool, *, holder: str, most: int) -> list[Ref]:
    """Runs that are due and nobody walks, held by us for a while."""
    now = clock.now()
    async with lane_transaction(pool) as cursor:
        await cursor.execute(_CLAIM, (now, now, most, holder, now + LEASE), prepare=True)
        return [(tenant_id, ref) for tenant_id, ref in await cursor.fetchall()]


async def renew(pool: LanePool, runs: Sequence[Ref], *, holder: str) -> set[UUID]:
    """Keep what we walk; return what is still ours."""
    async with lane_transaction(pool) as cursor:
        tenants, ids = [one[0] for one in runs], [one[1] for one in runs]
        await cursor.execute(_RENEW, (clock.now() + LEASE, holder, tenants, ids))
        return {ref for (ref,) in await cursor.fetchall()}


async def release(pool: LanePool, *, holder: str) -> None:
    """Let others take at once what this process leaves."""
    async with lane_transaction(pool) as cursor:
        await cursor.execute(_RELEASE, (holder,))


async def take(
    pool: LanePool,
    plans: Plans,
    tenant_id: UUID,
    ids: Iterable[UUID],
    *,
    holder: str,
    is_claimed: bool,
) -> list[Run]:
    """These runs of one tenant, ours to walk from now on. Those that can not be are left for their time.

    One that somebody walks is taken only where `claim` has found its lease to be over (`is_claimed`).
    """
    wanted = sorted(ids)
    async with lane_transaction(pool, tenant_id=tenant_id) as cursor:
        now = clock.now()
        values = (tenant_id, wanted, wanted[0], wanted[-1], is_claimed, now)
        await cursor.execute(_FIND, values, prepare=True)
        found = await cursor.fetchall()
        interrupted = {row[0] for row in found if row[1] == ExecutionStatus.RUNNING}
        ours = await _turns(cursor, tenant_id, found, now)
        runs = await _load(cursor, plans, tenant_id, ours, holder=holder) if ours else []
        await _leave(cursor, tenant_id, set(wanted), found, ours, holder=holder)
    for run in runs:
        run.was_interrupted = run.id in interrupted
        run.written = run.status
    return runs


async def _turns(
    cursor: Cursor, tenant_id: UUID, found: Sequence[tuple[Any, ...]], now: datetime
) -> list[UUID]:
    """Those whose conversation nobody else is busy in. Of several in one, the oldest."""
    first: dict[UUID, UUID] = {}
    for execution_id, _, conversation_id in found:
        if conversation_id is not None:
            first.setdefault(conversation_id, execution_id)
    free = {row[0] for row in found if row[2] is None}
    if first:
        talks = sorted(first)
        values = (tenant_id, now + TURN, talks, [first[one] for one in talks], now)
        await cursor.execute(_TURNS, values, prepare=True)
        free |= {execution_id for (execution_id,) in await cursor.fetchall()}
    return sorted(free)


async def _leave(
    cursor: Cursor,
    tenant_id: UUID,
    wanted: set[UUID],
    found: Sequence[tuple[Any, ...]],
    ours: Iterable[UUID],
    *,
    holder: str,
) -> None:
    """See to it that what was not taken is looked at when there is a point in it."""
    later = clock.now() + NOT_MY_TURN
    busy = {row[0] for row in found} - set(ours)
    if busy:
        await cursor.execute(_LATER, (later, tenant_id, list(busy), holder))
    others = list(wanted - {row[0] for row in found})
    if others:
        values = (others, tenant_id, tenant_id, holder, later, tenant_id, holder)
        await cursor.execute(_TIDY, values)


async def _load(
    cursor: Cursor, plans: Plans, tenant_id: UUID, ids: Sequence[UUID], *, holder: str
) -> list[Run]:
    values = (holder, clock.now(), tenant_id, list(ids), ids[0], ids[-1])
    await cursor.execute(_LEASE, (holder, clock.now() + LEASE, tenant_id, list(ids)), prepare=True)
    await cursor.execute(_TAKE, values, prepare=True)
    rows = await cursor.fetchall()
    await _learn_versions(cursor, plans, tenant_id, {row[2] for row in rows if row[2]})
    runs = [_run(tenant_id, row, plans) for row in rows]
    await look_around(cursor, tenant_id, runs)
    return runs


async def _learn_versions(
    cursor: Cursor, plans: Plans, tenant_id: UUID, versions: set[UUID]
) -> None:
    unknown = [one for one in versions if plans.get(one) is None]
    if unknown:
        await cursor.execute(_VERSIONS, (tenant_id, unknown))
        for version_id, graph in await cursor.fetchall():
            plans.keep(version_id, plan_of(Graph.model_validate_json(graph)))


def _run(tenant_id: UUID, row: tuple[Any, ...], plans: Plans) -> Run:
    graph = orjson.loads(row[4]) if row[4] else None
    plan = plans.get(row[2]) if row[2] else None
    if plan is None:
        plan = plan_of(Graph.model_validate(graph)) if graph else Plan({})
    run = Run(
        tenant_id=tenant_id,
        id=row[0],
        workflow_id=row[1],
        plan=plan,
        at=row[7],
        given={},
        version_id=row[2],
        version_number=row[3],
        graph=graph,
        mode=row[5],
        trigger_kind=row[6],
        trigger_node=row[7],
        steps=row[9],
        response=orjson.loads(row[10]) if row[10] else None,
        conversation_id=row[11],
        contact_id=row[12],
        number_id=row[13],
        parent_id=row[14],
        replay_of=row[15],
        depth=row[16],
        created_at=row[17],
        started_at=row[18],
        awaits=row[19],
    )
    run.recall(orjson.loads(row[8]))
    if run.reply and run.reply.get("message"):
        run.known["message"] = run.reply["message"]
    return run


async def look_around(cursor: Cursor, tenant_id: UUID, runs: Sequence[Run]) -> None:
    """Who and what each run is about, as it stands now."""
    ids = [run.id for run in runs]
    about = [[run.conversation_id for run in runs], [run.contact_id for run in runs]]
    numbers = [run.number_id for run in runs]
    await cursor.execute(scope.AROUND, (ids, *about, numbers, tenant_id), prepare=True)
    found = {row[0]: scope.around(row[1:]) for row in await cursor.fetchall()}
    for run in runs:
        run.around = found.get(run.id, {})
