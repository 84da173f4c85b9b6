"""Runs as they are looked at: the list, one of them, its steps, what it knew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import select as columns
from sqlmodel import col, select

from aerostic.core.ids import first_id_at
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.automation import recorded, scope
from aerostic.domain.automation.access import access_workflow
from aerostic.domain.automation.engine import the_execution
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import Execution, Workflow, WorkflowVersion
from aerostic.domain.contacts.models import Contact

MOST_KINDS = 30
ANSWERING_AGENT = "Answering agent"


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which runs: every part narrows."""

    workflow_id: UUID | None = None
    status: str = ""
    trigger_kind: str = ""
    since: datetime | None = None
    conversation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ExecutionRow:
    """A run in a list. Without `version_number` it ran a draft."""

    id: UUID
    workflow_id: UUID
    workflow_name: str
    version_number: int | None
    mode: str
    status: str
    trigger_kind: str
    steps: int
    reason: str
    failed_node: str
    awaits: str
    wake_at: datetime | None
    conversation_id: UUID | None
    contact_id: UUID | None
    parent_id: UUID | None
    replay_of: UUID | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    contact_name: str | None  # of whom it is about


@dataclass(frozen=True, slots=True)
class ExecutionDetail(ExecutionRow):
    """One run, without its steps. `at` is the node where it stands; empty once it is over."""

    at: str
    given: Mapping[str, Any]
    response: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What the runs of one workflow come to."""

    last_status: str
    last_at: datetime | None
    failures: int


EVERY_ONE = ExecutionFilter()
_SHOWN: tuple[Any, ...] = (
    Execution.id,
    Execution.workflow_id,
    Workflow.name,
    Execution.version_number,
    Execution.mode,
    Execution.status,
    Execution.trigger_kind,
    Execution.steps,
    Execution.reason,
    Execution.failed_node,
    Execution.awaits,
    Execution.wake_at,
    Execution.conversation_id,
    Execution.contact_id,
    Execution.parent_id,
    Execution.replay_of,
    Execution.created_at,
    Execution.started_at,
    Execution.ended_at,
    Contact.name,
)


@requires(Permission.AUTOMATION_READ)
def executions(
    ctx: Context,
    wanted: ExecutionFilter = EVERY_ONE,
    after: Cursor | None = None,
    limit: int = 50,
) -> Page[ExecutionRow]:
    """A page of runs, the newest first."""
    size = page_size(limit)
    narrowed = _narrowed(ctx, wanted)
    if after is not None:
        narrowed.append(col(Execution.id) < read_cursor(after, UUID)[0])
    found = _rows(ctx, narrowed, size + 1)
    shown = found[:size]
    return Page(shown, None if len(found) <= size else cursor_of(shown[-1].id))


@requires(Permission.AUTOMATION_READ)
def execution(ctx: Context, execution_id: UUID) -> ExecutionDetail:
    """One run. Raises NotFound."""
    stored = the_execution(ctx, execution_id)
    (row,) = _rows(ctx, [*_this_tenant(ctx), col(Execution.id) == execution_id], 1)
    return ExecutionDetail(
        **{one.name: getattr(row, one.name) for one in fields(row)},
        at=str(stored.state.get("at", "")) if stored.ended_at is None else "",
        given=stored.state.get("given", {}),
        response=stored.response,
    )


@requires(Permission.AUTOMATION_READ)
def steps(ctx: Context, execution_id: UUID) -> list[dict[str, Any]]:
    """What it did, in its order."""
    the_execution(ctx, execution_id)
    return recorded.steps_of(ctx, execution_id)


@requires(Permission.AUTOMATION_READ)
def graph_of(ctx: Context, execution_id: UUID) -> Graph:
    """The graph that it ran, as it was then."""
    stored = the_execution(ctx, execution_id)
    if stored.graph is not None:
        return Graph.model_validate(stored.graph)
    version = ctx.get(WorkflowVersion, stored.version_id) if stored.version_id else None
    return Graph.model_validate(version.graph) if version else Graph()


@requires(Permission.AUTOMATION_READ)
def trigger_kinds(ctx: Context, workflow_id: UUID) -> list[str]:
    """By what its published versions may have begun, for a filter."""
    workflow = access_workflow(ctx, workflow_id)
    kinds = [node.kind for node in Graph.model_validate(workflow.draft).nodes]
    return sorted({kind for kind in kinds if kind.startswith("trigger.")})[:MOST_KINDS]


@requires(Permission.AUTOMATION_READ)
def figures(ctx: Context, workflow_ids: Sequence[UUID], *, since: datetime) -> dict[UUID, Figures]:
    """For each of some workflows: its last run, and how many have failed since then."""
    cursor = ctx.cursor()
    values = (list(workflow_ids), ctx.tenant_id, ctx.tenant_id, first_id_at(since))
    cursor.execute(_FIGURES, values, prepare=True)
    return {row[0]: Figures(row[1], row[2], row[3]) for row in cursor.fetchall()}


_FIGURES = """
    select w.id, e.status, e.created_at, coalesce(f.failures, 0)
    from unnest(%s::uuid[]) as w (id)
    join lateral (select status, created_at from executions where tenant_id = %s
        and workflow_id = w.id order by id desc limit 1) e on true
    left join lateral (select count(*) as failures from executions where tenant_id = %s
        and workflow_id = w.id and id >= %s and mode = 'live'
        and status in ('failed', 'stopped', 'unknown')) f on true
"""


@requires(Permission.AUTOMATION_READ)
def last_scope(ctx: Context, workflow_id: UUID) -> dict[str, Any]:
    """What the newest run of a workflow knew at its end: for whoever chooses a variable."""
    access_workflow(ctx, workflow_id)
    newest = (
        select(Execution)
        .where(*_this_tenant(ctx), col(Execution.workflow_id) == workflow_id)
        .order_by(col(Execution.id).desc())
    )
    run = ctx.session.exec(newest.limit(1)).first()
    return {} if run is None else scope_of(ctx, run)


def scope_of(ctx: Context, run: Execution, *, before: int | None = None) -> dict[str, Any]:
    """What a run knew at its end, or before one of its steps, as far as the log kept it."""
    known: dict[str, Any] = {"vars": {}}
    nodes: dict[str, Any] = {}
    for record in recorded.steps_of(ctx, run.id):
        if before is not None and record["number"] >= before:
            break
        nodes[record["node"]] = {"output": record["output"]}
        for name, value in recorded.names_of(record).items():
            is_vars = name == "vars" and isinstance(value, Mapping)
            known[name] = {**known["vars"], **value} if is_vars else value
    around = scope.look_around(ctx, run.conversation_id, run.contact_id, run.number_id)
    given: dict[str, Any] = run.state.get("given", {})
    return {**around, **given, **known, "nodes": nodes, "now": scope.clock(ctx.now)}


def _this_tenant(ctx: Context) -> list[ColumnElement[bool]]:
    return [col(Execution.tenant_id) == ctx.tenant_id]


def _narrowed(ctx: Context, wanted: ExecutionFilter) -> list[ColumnElement[bool]]:
    narrowed = _this_tenant(ctx)
    if wanted.workflow_id is not None:
        narrowed.append(col(Execution.workflow_id) == wanted.workflow_id)
    if wanted.status:
        narrowed.append(col(Execution.status) == wanted.status)
    if wanted.trigger_kind:
        narrowed.append(col(Execution.trigger_kind) == wanted.trigger_kind)
    if wanted.since is not None:
        narrowed.append(col(Execution.id) >= first_id_at(wanted.since))
    if wanted.conversation_id is not None:
        narrowed.append(col(Execution.conversation_id) == wanted.conversation_id)
    return narrowed


def _rows(ctx: Context, narrowed: Sequence[ColumnElement[bool]], limit: int) -> list[ExecutionRow]:
    same = (col(Workflow.tenant_id) == col(Execution.tenant_id)) & (
        col(Workflow.id) == col(Execution.workflow_id)
    )
    theirs = (col(Contact.tenant_id) == col(Execution.tenant_id)) & (
        col(Contact.id) == col(Execution.contact_id)
    )
    whole = columns(*_SHOWN).select_from(Execution)
    statement = whole.outerjoin(Workflow, same).outerjoin(Contact, theirs)
    newest = statement.where(*narrowed).order_by(col(Execution.id).desc()).limit(limit)
    return [_row(*row) for row in ctx.session.execute(newest)]


def _row(execution_id: UUID, workflow_id: UUID, name: str | None, *rest: Any) -> ExecutionRow:
    return ExecutionRow(execution_id, workflow_id, name or ANSWERING_AGENT, *rest)
