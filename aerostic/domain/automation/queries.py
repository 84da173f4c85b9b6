"""Every way in which workflows are looked at. What their runs did is in `executions.py`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, cast, func, or_
from sqlalchemy import select as columns
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlmodel import col, select

from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.automation import checking, comparing, exchange, people, reading, rules
from aerostic.domain.automation.access import access_version, access_workflow, file_of
from aerostic.domain.automation.comparing import Comparison
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import Workflow, WorkflowVersion
from aerostic.domain.automation.reading import Drawn
from aerostic.domain.automation.rules import KindView
from aerostic.domain.automation.schemas import (
    Finding,
    VersionDetail,
    VersionRow,
    WorkflowDetail,
    WorkflowFilter,
    WorkflowRow,
)
from aerostic.domain.automation.starters import Starter
from aerostic.domain.automation.starters import starters as all_starters

EVERY_ONE = WorkflowFilter()
MOST_VERSIONS = 200
TRIGGER_KINDS = cast('$.nodes[*].kind ? (@ starts with "trigger.")', JSONPATH)


@requires(Permission.AUTOMATION_READ)
def workflows(
    ctx: Context,
    wanted: WorkflowFilter = EVERY_ONE,
    after: Cursor | None = None,
    limit: int = 50,
) -> Page[WorkflowRow]:
    """A page of workflows, the one last saved first."""
    size = page_size(limit)
    statement = (
        _row_columns()
        .where(*_narrowed(ctx, wanted), *_after(after))
        .order_by(col(Workflow.saved_at).desc(), col(Workflow.id).desc())
    )
    found = _rows(ctx, statement.limit(size + 1))
    shown = found[:size]
    next_cursor = None if len(found) <= size else cursor_of(shown[-1].saved_at, shown[-1].id)
    return Page(shown, next_cursor)


@requires(Permission.AUTOMATION_READ)
def workflow(ctx: Context, workflow_id: UUID) -> WorkflowDetail:
    """One workflow as its editor needs it."""
    found = access_workflow(ctx, workflow_id)
    return WorkflowDetail(
        row=_row(ctx, workflow_id),
        draft=Graph.model_validate(found.draft),
        revision=found.revision,
        versions=tuple(versions(ctx, workflow_id)),
        webhook_waits=found.webhook_waits,
        webhook_rate=found.webhook_rate,
        created_at=found.created_at,
    )


@requires(Permission.AUTOMATION_READ)
def versions(ctx: Context, workflow_id: UUID) -> list[VersionRow]:
    """What was published, the newest first."""
    found = access_workflow(ctx, workflow_id)
    statement = (
        select(WorkflowVersion)
        .where(
            col(WorkflowVersion.tenant_id) == ctx.tenant_id,
            col(WorkflowVersion.workflow_id) == workflow_id,
        )
        .order_by(col(WorkflowVersion.number).desc())
        .limit(MOST_VERSIONS)
    )
    return [_version(one, found) for one in ctx.session.exec(statement)]


@requires(Permission.AUTOMATION_READ)
def version(ctx: Context, workflow_id: UUID, number: int) -> VersionDetail:
    """One published version with its graph."""
    found = access_workflow(ctx, workflow_id)
    published = access_version(ctx, workflow_id, number)
    return VersionDetail(_version(published, found), Graph.model_validate(published.graph))


@requires(Permission.AUTOMATION_READ)
def findings(ctx: Context, workflow_id: UUID) -> list[Finding]:
    """What is to be said of the draft: errors keep it from being published."""
    draft = Graph.model_validate(access_workflow(ctx, workflow_id).draft)
    return checking.findings(ctx, workflow_id, draft)


@requires(Permission.AUTOMATION_READ)
def check(ctx: Context, workflow_id: UUID, graph: Drawn) -> list[Finding]:
    """The same for a graph on somebody's canvas that is not saved yet."""
    access_workflow(ctx, workflow_id)
    return checking.findings(ctx, workflow_id, reading.graph_of(graph))


@requires(Permission.AUTOMATION_READ)
def kinds(ctx: Context) -> list[KindView]:
    """Every kind of step, in the order of the palette."""
    return rules.catalogue()


@requires(Permission.AUTOMATION_READ)
def starters(ctx: Context) -> tuple[Starter, ...]:
    """Workflows to start from, as the gallery shows them."""
    return all_starters()


@requires(Permission.AUTOMATION_READ)
def compare(
    ctx: Context, workflow_id: UUID, before: int | None, after: int | None = None
) -> Comparison:
    """What differs from one version to another. None is the draft."""
    old, new = (_graph_of(ctx, workflow_id, number) for number in (before, after))
    return comparing.compare(old, new)


@requires(Permission.AUTOMATION_READ)
def export(ctx: Context, workflow_id: UUID, number: int | None = None) -> bytes:
    """The draft, or a published version, as a file without ids and secrets of this workspace."""
    file = file_of(access_workflow(ctx, workflow_id))
    graph = _graph_of(ctx, workflow_id, number)
    return exchange.written(ctx, file.model_copy(update={"graph": graph}))


def _graph_of(ctx: Context, workflow_id: UUID, number: int | None) -> Graph:
    if number is None:
        return Graph.model_validate(access_workflow(ctx, workflow_id).draft)
    return Graph.model_validate(access_version(ctx, workflow_id, number).graph)


def _narrowed(ctx: Context, wanted: WorkflowFilter) -> list[ColumnElement[bool]]:
    archived = col(Workflow.archived_at)
    narrowed = [
        col(Workflow.tenant_id) == ctx.tenant_id,
        archived.is_not(None) if wanted.is_archived else archived.is_(None),
    ]
    if wanted.is_enabled is not None:
        narrowed.append(col(Workflow.is_enabled) == wanted.is_enabled)
    for word in wanted.text.replace("\0", "").split():
        narrowed.append(col(Workflow.name).icontains(word, autoescape=True))
    return narrowed


def _after(after: Cursor | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    saved_at, row_id = read_cursor(after, datetime, UUID)
    is_earlier = col(Workflow.saved_at) < saved_at
    is_beside = and_(col(Workflow.saved_at) == saved_at, col(Workflow.id) < row_id)
    return [or_(is_earlier, is_beside)]


def _row(ctx: Context, workflow_id: UUID) -> WorkflowRow:
    this = (col(Workflow.tenant_id) == ctx.tenant_id, col(Workflow.id) == workflow_id)
    return _rows(ctx, _row_columns().where(*this))[0]


def _row_columns() -> Select[Any]:
    """What a list shows, without the graphs themselves: half a megabyte each, at most."""
    return columns(
        col(Workflow.id),
        col(Workflow.name),
        col(Workflow.description),
        col(Workflow.is_enabled),
        col(Workflow.published_number),
        col(WorkflowVersion.graph).is_distinct_from(col(Workflow.draft)).label("has_changes"),
        col(Workflow.saved_at),
        col(Workflow.saved_by),
        func.jsonb_path_query_array(col(Workflow.draft), TRIGGER_KINDS).label("kinds"),
        col(Workflow.archived_at),
    ).outerjoin(
        WorkflowVersion,
        and_(
            col(WorkflowVersion.tenant_id) == col(Workflow.tenant_id),
            col(WorkflowVersion.workflow_id) == col(Workflow.id),
            col(WorkflowVersion.number) == col(Workflow.published_number),
        ),
    )


def _rows(ctx: Context, statement: Select[Any]) -> list[WorkflowRow]:
    found = ctx.session.execute(statement).all()
    names = people.names_of(ctx, [one.saved_by for one in found])
    return [
        WorkflowRow(
            id=one.id,
            name=one.name,
            description=one.description,
            is_enabled=one.is_enabled,
            published_number=one.published_number,
            has_changes=one.has_changes,
            saved_at=one.saved_at,
            saved_by_name=names[one.saved_by],
            kinds=tuple(dict.fromkeys(one.kinds)),
            is_archived=one.archived_at is not None,
        )
        for one in found
    ]


def _version(version: WorkflowVersion, workflow: Workflow) -> VersionRow:
    return VersionRow(
        number=version.number,
        note=version.note,
        published_at=version.published_at,
        published_by_name=version.published_by_name,
        is_current=version.number == workflow.published_number,
    )
