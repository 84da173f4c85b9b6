"""Workflows over HTTP. Their runs are in `executions.py`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from aerostic.domain.automation import queries, service
from aerostic.domain.automation.comparing import Comparison, Connection, NodeChange, NodeRef
from aerostic.domain.automation.exchange import LARGEST_FILE
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import Workflow
from aerostic.domain.automation.rules import KindView
from aerostic.domain.automation.schemas import (
    Finding,
    Severity,
    VersionDetail,
    VersionRow,
    WorkflowDetail,
    WorkflowFilter,
    WorkflowRow,
)
from aerostic.domain.automation.starters import Starter
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1/workflows", tags=["Workflows"])

GRAPH: dict[str, Any] = {
    "format": 1,
    "nodes": [
        {"id": "begin", "kind": "trigger.message", "position": {"x": 0, "y": 0}, "config": {}},
        {
            "id": "answer",
            "kind": "send.text",
            "name": "Say hello",
            "position": {"x": 280, "y": 0},
            "config": {"text": "Hello {{ contact.name }}!"},
        },
    ],
    "edges": [{"id": "e1", "source": "begin", "target": "answer"}],
    "notes": [],
}
Revision = Annotated[
    int, Field(ge=0, description="Of the draft that you saw. Another one since then: 409.")
]


class PortOut(BaseModel):
    """Where a connection begins or ends."""

    name: str = Field(examples=["out"])
    title: str = Field(examples=["Then"])
    type: str = Field(examples=["flow"])
    many: bool


class KindOut(BaseModel):
    """A kind of step: what the palette shows, the JSON schema of its settings, its ports."""

    kind: str = Field(examples=["send.text"])
    title: str = Field(examples=["Send text"])
    group: str = Field(examples=["Messages"])
    icon: str
    summary: str
    settings: dict[str, Any] = Field(description="A JSON schema.")
    inputs: list[PortOut]
    outputs: list[PortOut]
    has_own_outputs: bool = Field(description="Whether its outputs depend on its settings.")

    @classmethod
    def of(cls, view: KindView) -> "KindOut":
        return cls(
            kind=view.kind,
            title=view.title,
            group=view.group,
            icon=view.icon,
            summary=view.summary,
            settings=view.schema,
            inputs=[PortOut.model_validate(port, from_attributes=True) for port in view.inputs],
            outputs=[PortOut.model_validate(port, from_attributes=True) for port in view.outputs],
            has_own_outputs=view.has_own_outputs,
        )


class KindsOut(BaseModel):
    items: list[KindOut]


class StarterOut(BaseModel):
    """A workflow to start from."""

    key: str = Field(examples=["welcome"])
    title: str
    summary: str
    to_fill: list[str] = Field(description="What has to be chosen before it can be published.")

    @classmethod
    def of(cls, starter: Starter) -> "StarterOut":
        return cls.model_validate(starter, from_attributes=True)


class StartersOut(BaseModel):
    items: list[StarterOut]


class FindingOut(BaseModel):
    """One thing to know about a draft. An error keeps it from being published."""

    severity: Severity
    sentence: str = Field(examples=["“Say hello”: “Text” is missing."])
    node_id: str = Field(examples=["answer"], description="Empty: the workflow as a whole.")
    field: str = Field(examples=["text"], description="A path into the settings of the step.")

    @classmethod
    def of(cls, finding: Finding) -> "FindingOut":
        return cls.model_validate(finding, from_attributes=True)


class FindingsOut(BaseModel):
    items: list[FindingOut]

    @classmethod
    def of(cls, found: list[Finding]) -> "FindingsOut":
        return cls(items=[FindingOut.of(one) for one in found])


class WorkflowOut(BaseModel):
    """A workflow in a line."""

    id: UUID
    name: str = Field(examples=["Welcome"])
    description: str
    is_enabled: bool = Field(description="Whether its published version begins runs.")
    is_archived: bool
    published_number: int | None = Field(examples=[3])
    has_changes: bool = Field(description="The draft differs from what is published.")
    triggers: list[str] = Field(examples=[["trigger.message"]])
    saved_at: datetime
    saved_by: str = Field(examples=["Ada Lovelace"])

    @classmethod
    def of(cls, row: WorkflowRow) -> "WorkflowOut":
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            is_enabled=row.is_enabled,
            is_archived=row.is_archived,
            published_number=row.published_number,
            has_changes=row.has_changes,
            triggers=list(row.kinds),
            saved_at=row.saved_at,
            saved_by=row.saved_by_name,
        )


class VersionOut(BaseModel):
    """A version as it was published. It never changes."""

    number: int
    note: str
    published_at: datetime
    published_by: str
    is_current: bool

    @classmethod
    def of(cls, row: VersionRow) -> "VersionOut":
        return cls(
            number=row.number,
            note=row.note,
            published_at=row.published_at,
            published_by=row.published_by_name,
            is_current=row.is_current,
        )


class VersionsOut(BaseModel):
    items: list[VersionOut]


class VersionDetailOut(VersionOut):
    """A version with its graph."""

    graph: Graph

    @classmethod
    def of_detail(cls, detail: VersionDetail) -> "VersionDetailOut":
        return cls(**VersionOut.of(detail.row).model_dump(), graph=detail.graph)


class WorkflowDetailOut(WorkflowOut):
    """A workflow with its draft. A save names `revision`."""

    draft: Graph = Field(examples=[GRAPH])
    revision: int
    webhook_waits: bool = Field(
        description="Whether a post waits for the Respond step, or is answered with 202 at once."
    )
    webhook_rate: int = Field(description="Posts a minute.")
    created_at: datetime

    @classmethod
    def of_detail(cls, detail: WorkflowDetail) -> "WorkflowDetailOut":
        return cls(
            **WorkflowOut.of(detail.row).model_dump(),
            draft=detail.draft,
            revision=detail.revision,
            webhook_waits=detail.webhook_waits,
            webhook_rate=detail.webhook_rate,
            created_at=detail.created_at,
        )


class WorkflowIn(BaseModel):
    """A new workflow: empty, from a starter, or with a graph of yours."""

    name: str = Field("", max_length=200, examples=["Welcome"])
    starter: str = Field("", max_length=64, examples=[""])
    graph: dict[str, Any] | None = Field(None, examples=[GRAPH])


class WorkflowEdit(BaseModel):
    """What is not named stays as it is."""

    name: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=1_000)
    webhook_waits: bool | None = None
    webhook_rate: int | None = Field(None, examples=[600])


class DraftIn(BaseModel):
    """A draft, finished or not."""

    revision: Revision
    graph: dict[str, Any] = Field(examples=[GRAPH])


class RevisionOut(BaseModel):
    revision: int = Field(description="Of the draft as it is now: the next save names it.")


class PublishIn(BaseModel):
    note: str = Field("", max_length=1_000, examples=["Greets by name"])
    revision: Annotated[int | None, Field(description="Publish this draft or none.")] = None


class PublishedOut(BaseModel):
    number: int


class RestoreIn(BaseModel):
    number: int = Field(description="Of the version that becomes the draft.")
    revision: Annotated[int | None, Field(description="Of the draft that it replaces.")] = None


class DuplicateIn(BaseModel):
    name: str = Field("", max_length=200, description="Empty: the old one with “(copy)”.")


class ImportedOut(BaseModel):
    """The new workflow, and what its author has to look at."""

    workflow: WorkflowDetailOut
    remarks: list[str] = Field(
        examples=[["“Assign” names the label “vip”, which this workspace has not. Choose one."]]
    )


class NodeOut(BaseModel):
    node_id: str
    kind: str
    name: str

    @classmethod
    def of(cls, node: NodeRef) -> "NodeOut":
        return cls(node_id=node.node_id, kind=node.kind, name=node.name)


class SettingOut(BaseModel):
    field: str = Field(examples=["config.text"])
    title: str = Field(examples=["Text"])
    before: Any
    after: Any


class ChangedOut(NodeOut):
    settings: list[SettingOut]

    @classmethod
    def of_change(cls, change: NodeChange) -> "ChangedOut":
        settings = [
            SettingOut(field=one.field, title=one.title, before=one.before, after=one.after)
            for one in change.settings
        ]
        return cls(**NodeOut.of(change.node).model_dump(), settings=settings)


class ConnectionOut(BaseModel):
    source: str
    source_port: str
    target: str
    target_port: str

    @classmethod
    def of(cls, connection: Connection) -> "ConnectionOut":
        return cls.model_validate(connection, from_attributes=True)


class ComparisonOut(BaseModel):
    """What changed from one version to another."""

    is_same: bool = Field(description="Whether a run would do the same.")
    added: list[NodeOut]
    removed: list[NodeOut]
    changed: list[ChangedOut]
    connected: list[ConnectionOut]
    disconnected: list[ConnectionOut]
    notes_changed: bool
    moved: bool

    @classmethod
    def of(cls, found: Comparison) -> "ComparisonOut":
        return cls(
            is_same=found.is_same,
            added=[NodeOut.of(one) for one in found.added],
            removed=[NodeOut.of(one) for one in found.removed],
            changed=[ChangedOut.of_change(one) for one in found.changed],
            connected=[ConnectionOut.of(one) for one in found.connected],
            disconnected=[ConnectionOut.of(one) for one in found.disconnected],
            notes_changed=found.notes_changed,
            moved=found.moved,
        )


@router.get("")
def workflows(
    ctx: Ctx,
    after: After = None,
    limit: Limit = 50,
    text: Annotated[str, Query(max_length=200)] = "",
    is_enabled: bool | None = None,
    is_archived: bool = False,
) -> PageOut[WorkflowOut]:
    """Workflows, the one last saved first. Every filter narrows."""
    wanted = WorkflowFilter(text, is_enabled, is_archived)
    return PageOut.of(queries.workflows(ctx, wanted, after, limit), WorkflowOut.of)


@router.post("", status_code=201)
def create(ctx: Ctx, once: Once, body: WorkflowIn) -> WorkflowDetailOut:
    """A new workflow. Nothing runs before it is published."""
    return once(
        lambda: _detail(ctx, service.create(ctx, body.name, starter=body.starter, graph=body.graph))
    )


@router.get("/kinds")
def kinds(ctx: Ctx) -> KindsOut:
    """Every kind of step, with the JSON schema of its settings."""
    return KindsOut(items=[KindOut.of(view) for view in queries.kinds(ctx)])


@router.get("/starters")
def starters(ctx: Ctx) -> StartersOut:
    """Workflows to start from."""
    return StartersOut(items=[StarterOut.of(one) for one in queries.starters(ctx)])


@router.post("/import", status_code=201)
def import_file(ctx: Ctx, once: Once, file: UploadFile) -> ImportedOut:
    """A new workflow from a file that was exported here, or by n8n: then with what has no equal here."""
    return once(lambda: _import(ctx, file.file.read(LARGEST_FILE + 1)))


@router.get("/{workflow_id}")
def workflow(ctx: Ctx, workflow_id: UUID) -> WorkflowDetailOut:
    """One workflow with its draft."""
    return WorkflowDetailOut.of_detail(queries.workflow(ctx, workflow_id))


@router.patch("/{workflow_id}")
def edit(ctx: Ctx, workflow_id: UUID, body: WorkflowEdit) -> WorkflowDetailOut:
    """Change its name, its description, or how posts to its address are answered."""
    return _detail(ctx, service.edit(ctx, workflow_id, **body.model_dump()))


@router.put("/{workflow_id}/draft")
def save_draft(ctx: Ctx, workflow_id: UUID, body: DraftIn) -> RevisionOut:
    """Keep a draft. 409 where somebody saved since `revision`: nothing is changed then."""
    saved = service.save_draft(ctx, workflow_id, body.graph, body.revision)
    return RevisionOut(revision=saved)


@router.get("/{workflow_id}/findings")
def findings(ctx: Ctx, workflow_id: UUID) -> FindingsOut:
    """What is to be said of the draft: errors first."""
    return FindingsOut.of(queries.findings(ctx, workflow_id))


@router.post("/{workflow_id}/publish")
def publish(ctx: Ctx, workflow_id: UUID, body: PublishIn) -> PublishedOut:
    """Freeze the draft as a version that runs from now on. 422 with the findings that keep it from that.

    The first version switches the workflow on; one that was switched off stays off.
    """
    number = service.publish(ctx, workflow_id, body.note, revision=body.revision)
    return PublishedOut(number=number)


@router.post("/{workflow_id}/enable")
def enable(ctx: Ctx, workflow_id: UUID) -> WorkflowDetailOut:
    """Let the published version begin runs."""
    return _detail(ctx, service.enable(ctx, workflow_id))


@router.post("/{workflow_id}/disable")
def disable(ctx: Ctx, workflow_id: UUID) -> WorkflowDetailOut:
    """Nothing begins a run of it any more. Runs that began go on to their end."""
    return _detail(ctx, service.disable(ctx, workflow_id))


@router.post("/{workflow_id}/archive")
def archive(ctx: Ctx, workflow_id: UUID) -> WorkflowDetailOut:
    """Switch it off and put it away."""
    return _detail(ctx, service.archive(ctx, workflow_id))


@router.post("/{workflow_id}/unarchive")
def unarchive(ctx: Ctx, workflow_id: UUID) -> WorkflowDetailOut:
    """Bring it back, switched off."""
    return _detail(ctx, service.unarchive(ctx, workflow_id))


@router.post("/{workflow_id}/duplicate", status_code=201)
def duplicate(ctx: Ctx, once: Once, workflow_id: UUID, body: DuplicateIn) -> WorkflowDetailOut:
    """A new workflow with the same draft, switched off and not published."""
    return once(lambda: _detail(ctx, service.duplicate(ctx, workflow_id, body.name)))


@router.post("/{workflow_id}/restore")
def restore(ctx: Ctx, workflow_id: UUID, body: RestoreIn) -> RevisionOut:
    """Make a published version the draft again. What runs stays."""
    saved = service.restore(ctx, workflow_id, body.number, revision=body.revision)
    return RevisionOut(revision=saved)


@router.get("/{workflow_id}/versions")
def versions(ctx: Ctx, workflow_id: UUID) -> VersionsOut:
    """What was published, the newest first."""
    return VersionsOut(items=[VersionOut.of(one) for one in queries.versions(ctx, workflow_id)])


@router.get("/{workflow_id}/versions/{number}")
def version(ctx: Ctx, workflow_id: UUID, number: int) -> VersionDetailOut:
    """One published version with its graph."""
    return VersionDetailOut.of_detail(queries.version(ctx, workflow_id, number))


Number = Annotated[int | None, Query(description="Of a version. Left out: the draft.")]


@router.get("/{workflow_id}/compare")
def compare(
    ctx: Ctx, workflow_id: UUID, before: Number = None, after: Number = None
) -> ComparisonOut:
    """What differs from one version to another, or to the draft."""
    return ComparisonOut.of(queries.compare(ctx, workflow_id, before, after))


@router.get("/{workflow_id}/export", response_class=Response)
def export(ctx: Ctx, workflow_id: UUID, number: Number = None) -> Response:
    """The workflow as a file, without ids and secrets of this workspace."""
    return Response(
        queries.export(ctx, workflow_id, number),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="workflow.json"'},
    )


def _import(ctx: Ctx, content: bytes) -> ImportedOut:
    made, remarks = service.import_file(ctx, content)
    return ImportedOut(workflow=_detail(ctx, made), remarks=list(remarks))


def _detail(ctx: Ctx, changed: Workflow) -> WorkflowDetailOut:
    return WorkflowDetailOut.of_detail(queries.workflow(ctx, changed.id))
