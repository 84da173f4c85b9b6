"""Workflows, the versions that were published, and what their runs did."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.ids import new_id
from aerostic.core.tenancy import SharedModel, TenantModel, belongs_to, created, moment, new_key


class ExecutionStatus(StrEnum):
    """`ready` waits for a runner, `waiting` for a time or an answer. The last four are ends."""

    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    UNKNOWN = "unknown"  # a call outside was interrupted: a person chooses
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"  # a guard ended it: too many steps, too long, too deep


LIVING = frozenset(
    {
        ExecutionStatus.READY,
        ExecutionStatus.RUNNING,
        ExecutionStatus.WAITING,
        ExecutionStatus.UNKNOWN,
    }
)


class ExecutionMode(StrEnum):
    """`recorded`: what would change or leave is written down and not done."""

    LIVE = "live"
    RECORDED = "recorded"


class Workflow(TenantModel, table=True):
    """A graph being drawn, and whether its published version runs."""

    __tablename__ = "workflows"
    __table_args__ = (Index("workflows_by_change", "tenant_id", "saved_at", "id"),)

    id: UUID = new_key()
    name: str
    description: str = ""
    is_enabled: bool = False
    draft: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    revision: int = 0  # of the draft: a save that knows an older one is refused
    saved_at: datetime = created()
    saved_by: UUID | None = None
    published_number: int | None = None
    webhook_waits: bool = True  # whether a POST waits for the Respond node, or is answered with 202
    webhook_rate: int = 600  # posts a minute
    created_at: datetime = created()
    archived_at: datetime | None = moment(default=None)


class WorkflowVersion(TenantModel, table=True):
    """A graph as it was published. Never changes: runs keep the version that they began with."""

    __tablename__ = "workflow_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "workflow_id", "number"),
        belongs_to("workflows", "workflow_id", on_delete="CASCADE"),
    )

    id: UUID = new_key()
    workflow_id: UUID
    number: int
    graph: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    note: str = ""
    published_at: datetime = created()
    published_by: UUID | None = None
    published_by_name: str = ""


class WorkflowTrigger(TenantModel, table=True):
    """A trigger of the published version of an enabled workflow: what an event is matched against."""

    __tablename__ = "workflow_triggers"
    __table_args__ = (
        belongs_to("workflows", "workflow_id", on_delete="CASCADE"),
        Index("workflow_triggers_by_kind", "tenant_id", "kind"),
    )

    id: UUID = new_key()
    workflow_id: UUID
    version_id: UUID
    node_id: str
    kind: str
    config: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    looked_until: datetime | None = moment(
        default=None
    )  # of one that looks back: dealt with up to then


class WorkflowDirectory(SharedModel, table=True):
    """From the id in a public webhook address to the tenant. Ids only."""

    __tablename__ = "workflow_directory"

    workflow_id: UUID = Field(primary_key=True)
    tenant_id: UUID
    stamp: UUID = Field(  # another one whenever what the address leads to changes
        default_factory=new_id, sa_column_kwargs={"server_default": text("gen_random_uuid()")}
    )


class Execution(TenantModel, table=True):
    """One run of a workflow. Partitioned by month on its id.

    `state` is all that the run needs to go on: where it stands, the frames of its loops, its variables.
    """

    __tablename__ = "executions"
    __table_args__ = (
        Index("executions_of_workflow", "tenant_id", "workflow_id", "id"),
        Index(
            "executions_living",
            "tenant_id",
            "conversation_id",
            postgresql_where=text("status in ('ready', 'running', 'waiting', 'unknown')"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: UUID = new_key()
    workflow_id: UUID
    version_id: UUID | None = None  # None: a try-out of a draft, whose graph stands in `graph`
    version_number: int | None = None
    graph: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    mode: str = ExecutionMode.LIVE
    status: str = ExecutionStatus.READY
    trigger_kind: str = ""
    trigger_node: str = ""
    state: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    steps: int = 0
    reason: str = ""  # why it failed, was stopped, or what is unknown: a sentence
    failed_node: str = ""
    response: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    number_id: UUID | None = None
    parent_id: UUID | None = None
    replay_of: UUID | None = None
    depth: int = 0
    awaits: str = ""  # "reply", "time", "child" or nothing
    wake_at: datetime | None = moment(default=None)
    leased_by: str | None = None
    leased_until: datetime | None = moment(default=None)
    created_at: datetime = created()
    started_at: datetime | None = moment(default=None)
    ended_at: datetime | None = moment(default=None)


class ExecutionSegment(TenantModel, table=True):
    """The steps that a run took between two commits, in the partition scheme of its execution."""

    __tablename__ = "execution_segments"
    __table_args__ = ({"postgresql_partition_by": "RANGE (execution_id)"},)

    execution_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True)  # the number of the segment's first step
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    created_at: datetime = created()


class ConversationTurn(TenantModel, table=True):
    """Which run has its turn in a conversation: there, one step happens at a time."""

    __tablename__ = "conversation_turns"

    conversation_id: UUID = Field(primary_key=True)
    execution_id: UUID
    leased_until: datetime = moment()
