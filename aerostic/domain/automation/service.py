"""Every way in which a workflow changes. What its runs do is in `executions.py`."""

import json
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from aerostic.core.errors import Conflict, Invalid, Refused
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.automation import (
    checking,
    exchange,
    n8n_import,
    people,
    publishing,
    reading,
    starters,
)
from aerostic.domain.automation.access import access_version, access_workflow, file_of
from aerostic.domain.automation.exchange import WorkflowFile
from aerostic.domain.automation.graph import Graph, as_stored
from aerostic.domain.automation.models import Workflow, WorkflowVersion
from aerostic.domain.automation.reading import Drawn
from aerostic.domain.automation.schemas import Finding, Severity

LONGEST_NAME = 120
LONGEST_DESCRIPTION = 500
LONGEST_NOTE = 500
MOST_WORKFLOWS = 1_000
MOST_POSTS_A_MINUTE = 6_000


class StaleDraft(Conflict):
    """Someone saved in between; nothing was changed. `revision` is the newest one."""

    code = "stale_draft"

    def __init__(self, message: str, *, revision: int) -> None:
        super().__init__(message)
        self.revision = revision


class NotReady(Refused):
    """The linter found errors; nothing was published. `findings` are all that it saw."""

    code = "not_ready"

    def __init__(self, findings: list[Finding]) -> None:
        errors = [one for one in findings if one.severity is Severity.ERROR]
        more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
        super().__init__(f"This can not be published yet: {errors[0].sentence}{more}")
        self.findings = tuple(findings)

    def fields(self) -> list[tuple[str, str]]:
        """Errors by `nodes.<id>.<field>`."""
        wrong = (one for one in self.findings if one.severity is Severity.ERROR)
        return [(_place(one), one.sentence) for one in wrong]


def _place(finding: Finding) -> str:
    parts = ("nodes", finding.node_id, finding.field) if finding.node_id else ("graph",)
    return ".".join(part for part in parts if part)


@requires(Permission.AUTOMATION_MANAGE)
def create(
    ctx: Context, name: str = "", *, starter: str = "", graph: Drawn | None = None
) -> Workflow:
    """A new workflow: empty, from a starter, or with the graph given. Nothing runs before it is published."""
    if starter:
        return _create(ctx, exchange.read(ctx, starters.content_of(starter)).file, name)
    return _create(ctx, WorkflowFile(graph=reading.graph_of(graph or Graph())), name)


@requires(Permission.AUTOMATION_MANAGE)
def import_file(
    ctx: Context, content: bytes, *, name: str = ""
) -> tuple[Workflow, tuple[str, ...]]:
    """A new workflow from a file of ours or of n8n, and what its author has to look at.

    Raises NotOurs for anything else, Impossible for a graph that could not have been drawn here.
    """
    document = exchange.document_of(content)
    if n8n_import.is_n8n(document):
        made = n8n_import.read(document)
    else:
        made = exchange.entering(ctx, exchange.file_of(document))
    return _create(ctx, made.file, name), made.remarks


@requires(Permission.AUTOMATION_MANAGE)
def save_draft(ctx: Context, workflow_id: UUID, graph: Drawn, revision: int) -> int:
    """Keep a draft made on `revision`, finished or not; return the new revision.

    Raises StaleDraft where someone saved in between, Impossible for a graph that could not be drawn.
    """
    stored = as_stored(reading.graph_of(graph))
    workflow = access_workflow(ctx, workflow_id, for_update=True)
    _check_not_archived(workflow)
    if workflow.revision != revision:
        raise _stale(ctx, workflow)
    if _same(stored, workflow.draft):
        return workflow.revision
    return _keep(ctx, workflow, stored)


@requires(Permission.AUTOMATION_MANAGE)
def publish(ctx: Context, workflow_id: UUID, note: str = "", *, revision: int | None = None) -> int:
    """Freeze the draft as a version that runs from now on; return its number. Raises NotReady.

    The first one switches the workflow on. One that was switched off stays off. `revision`: publish what
    was looked at, and nothing that was saved since (StaleDraft).
    """
    workflow = access_workflow(ctx, workflow_id, for_update=True)
    _check_not_archived(workflow)
    if revision is not None and workflow.revision != revision:
        raise _stale(ctx, workflow)
    graph = reading.graph_of(workflow.draft)
    _check_ready(checking.findings(ctx, workflow_id, graph))
    version = _version(ctx, workflow, graph, _text("note", note, LONGEST_NOTE))
    workflow.is_enabled = workflow.is_enabled or workflow.published_number is None
    workflow.published_number = version.number
    if workflow.is_enabled:
        publishing.start_listening(ctx, workflow, version)
    ctx.announce("workflow", workflow.id)
    return version.number


@requires(Permission.AUTOMATION_MANAGE)
def enable(ctx: Context, workflow_id: UUID) -> Workflow:
    """Let the published version begin runs. Raises Refused where there is none."""
    workflow = access_workflow(ctx, workflow_id, for_update=True)
    _check_not_archived(workflow)
    if workflow.published_number is None:
        raise Refused("Publish this workflow first: what was drafted never runs.")
    if not workflow.is_enabled:
        version = access_version(ctx, workflow.id, workflow.published_number)
        workflow.is_enabled = True
        publishing.start_listening(ctx, workflow, version)
        ctx.announce("workflow", workflow.id)
    return workflow


@requires(Permission.AUTOMATION_MANAGE)
def disable(ctx: Context, workflow_id: UUID) -> Workflow:
    """Nothing begins a run of it any more. Runs that began go on to their end."""
    workflow = access_workflow(ctx, workflow_id, for_update=True)
    _disable(ctx, workflow)
    return workflow


@requires(Permission.AUTOMATION_MANAGE)
def rename(ctx: Context, workflow_id: UUID, name: str) -> Workflow:
    return edit(ctx, workflow_id, name=name)


@requires(Permission.AUTOMATION_MANAGE)
def edit(
    ctx: Context,
    workflow_id: UUID,
    *,
    name: str | None = None,
    description: str | None = None,
    webhook_waits: bool | None = None,
    webhook_rate: int | None = None,
) -> Workflow:
    """Change what is given. `webhook_waits`: a post is answered by the Respond step, not at once."""
    workflow = access_workflow(ctx, workflow_id, for_update=True)
    if name is not None:
        workflow.name = _name(name)
    if description is not None:
        workflow.description = _text("description", description, LONGEST_DESCRIPTION)
    if webhook_waits is not None:
        workflow.webhook_waits = webhook_waits
    if webhook_rate is not None:
        workflow.webhook_rate = _rate(webhook_rate)
    ctx.announce("workflow", workflow.id)
    return workflow


@requires(Permission.AUTOMATION_MANAGE)
def restore(ctx: Context, workflow_id: UUID, number: int, *, revision: int | None = None) -> int:
    """Make a published version the draft again; return the draft's new revision. What runs stays.

    With `revision`, raises StaleDraft where someone saved in between.
    """
    workflow = access_workflow(ctx, workflow_id, for_update=True)
    _check_not_archived(workflow)
    if revision is not None and workflow.revision != revision:
        raise _stale(ctx, workflow)
    version = access_version(ctx, workflow_id, number)
    return _keep(ctx, workflow, version.graph)


@requires(Permission.AUTOMATION_MANAGE)
def duplicate(ctx: Context, workflow_id: UUID, name: str = "") -> Workflow:
    """A new workflow with the same draft, switched off and not published."""
    original = access_workflow(ctx, workflow_id)
    chosen = name.strip() or f"{original.name[: LONGEST_NAME - 8]} (copy)"
    return _create(ctx, file_of(original), chosen)


@requires(Permission.AUTOMATION_MANAGE)
def archive(ctx: Context, workflow_id: UUID) -> Workflow:
    """Switch it off and put it away. Its versions and runs stay to be looked at."""
    workflow = access_workflow(ctx, workflow_id, for_update=True)
    _disable(ctx, workflow)
    workflow.archived_at = workflow.archived_at or ctx.now
    ctx.announce("workflow", workflow.id)
    return workflow


@requires(Permission.AUTOMATION_MANAGE)
def unarchive(ctx: Context, workflow_id: UUID) -> Workflow:
    """Bring it back, switched off."""
    workflow = access_workflow(ctx, workflow_id, for_update=True)
    if workflow.archived_at is not None:
        _check_there_is_room(ctx)
        workflow.archived_at = None
        ctx.announce("workflow", workflow.id)
    return workflow


def _create(ctx: Context, file: WorkflowFile, name: str = "") -> Workflow:
    reading.check(file.graph)
    _check_there_is_room(ctx)
    workflow = Workflow(
        name=_name(name.strip() or file.name),
        description=_text("description", file.description, LONGEST_DESCRIPTION),
        draft=as_stored(file.graph),
        webhook_waits=file.webhook_waits,
        webhook_rate=file.webhook_rate,
        created_at=ctx.now,
        saved_at=ctx.now,
        saved_by=ctx.actor.user_id,
    )
    ctx.session.add(workflow)
    ctx.session.flush()
    ctx.announce("workflow", workflow.id)
    return workflow


def _keep(ctx: Context, workflow: Workflow, stored: dict[str, object]) -> int:
    workflow.draft = stored
    workflow.revision += 1
    workflow.saved_at = ctx.now
    workflow.saved_by = ctx.actor.user_id
    ctx.announce("workflow", workflow.id)
    return workflow.revision


def _same(one: dict[str, object], other: dict[str, object]) -> bool:
    """As text: for Python, true and 1 are equal."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _disable(ctx: Context, workflow: Workflow) -> None:
    if workflow.is_enabled:
        workflow.is_enabled = False
        publishing.stop_listening(ctx, workflow.id)
        ctx.announce("workflow", workflow.id)


def _version(ctx: Context, workflow: Workflow, graph: Graph, note: str) -> WorkflowVersion:
    """The caller holds the workflow's row, so no other takes the same number."""
    newest = select(func.max(WorkflowVersion.number)).where(
        col(WorkflowVersion.tenant_id) == ctx.tenant_id,
        col(WorkflowVersion.workflow_id) == workflow.id,
    )
    version = WorkflowVersion(
        workflow_id=workflow.id,
        number=(ctx.session.scalar(newest) or 0) + 1,
        graph=as_stored(graph),
        note=note,
        published_at=ctx.now,
        published_by=ctx.actor.user_id,
        published_by_name=ctx.actor.name,
    )
    ctx.session.add(version)
    ctx.session.flush()
    return version


def _stale(ctx: Context, workflow: Workflow) -> StaleDraft:
    who = people.name_of(ctx, workflow.saved_by)
    when = f"{workflow.saved_at:%d %B %Y at %H:%M} UTC".lstrip("0")
    return StaleDraft(
        f"{who} saved this workflow on {when}, after you opened it. Load it again, or keep yours as a copy.",
        revision=workflow.revision,
    )


def _check_ready(findings: list[Finding]) -> None:
    if any(one.severity is Severity.ERROR for one in findings):
        raise NotReady(findings)


def _check_not_archived(workflow: Workflow) -> None:
    if workflow.archived_at is not None:
        raise Refused("This workflow is archived. Bring it back to change it.")


def _check_there_is_room(ctx: Context) -> None:
    living = (
        select(func.count())
        .select_from(Workflow)
        .where(col(Workflow.tenant_id) == ctx.tenant_id, col(Workflow.archived_at).is_(None))
    )
    if (ctx.session.scalar(living) or 0) >= MOST_WORKFLOWS:
        raise Refused(f"A workspace may have {MOST_WORKFLOWS:,} workflows. Archive one first.")


def _rate(posts: int) -> int:
    if not 1 <= posts <= MOST_POSTS_A_MINUTE:
        raise Invalid("webhook_rate", f"Choose between 1 and {MOST_POSTS_A_MINUTE} posts a minute.")
    return posts


def _name(name: str) -> str:
    if not name.strip():
        raise Invalid("name", "Give the workflow a name.")
    return _text("name", name, LONGEST_NAME)


def _text(field: str, text: str, most: int) -> str:
    text = text.strip().replace("\0", "")
    if len(text) > most:
        raise Invalid(field, f"That is longer than {most} characters.")
    return text
