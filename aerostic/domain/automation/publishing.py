"""What an enabled workflow leaves for those who begin runs: its triggers, its address, its hours."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.tenancy import Context
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import (
    Workflow,
    WorkflowDirectory,
    WorkflowTrigger,
    WorkflowVersion,
)
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.base import Trigger
from aerostic.domain.automation.schedules import BY_THE_CLOCK
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import Listener

WEBHOOK = "trigger.webhook"


def start_listening(ctx: Context, workflow: Workflow, version: WorkflowVersion) -> None:
    """From the commit on, this version begins runs; what an earlier one heard is forgotten.

    Who listens goes on listening when a workflow is disabled: runs that wait for an answer still want it.
    """
    stop_listening(ctx, workflow.id)
    triggers = _triggers(workflow.id, version)
    ctx.session.add_all(triggers)
    ctx.session.flush()
    if any(one.kind == WEBHOOK for one in triggers):
        row = {"workflow_id": workflow.id, "tenant_id": ctx.tenant_id}
        ctx.session.execute(insert(WorkflowDirectory).values(row).on_conflict_do_nothing())
    for one in triggers:
        if one.kind in BY_THE_CLOCK:
            # Due at once: whoever takes it reads the clock time in its settings and agrees on the next.
            due_work.put(ctx, WorkKind.SCHEDULE, one.id, due_at=ctx.now)
    telling.listen(ctx, Listener.AUTOMATION, wanted=True)


def stop_listening(ctx: Context, workflow_id: UUID) -> None:
    """Nothing begins a run of this workflow any more. Runs that began go on."""
    of_workflow = (
        col(WorkflowTrigger.tenant_id) == ctx.tenant_id,
        col(WorkflowTrigger.workflow_id) == workflow_id,
    )
    scheduled = select(WorkflowTrigger.id).where(
        *of_workflow, col(WorkflowTrigger.kind).in_(BY_THE_CLOCK)
    )
    for trigger_id in ctx.session.exec(scheduled).all():
        due_work.settle(ctx, WorkKind.SCHEDULE, trigger_id)
    ctx.session.execute(delete(WorkflowTrigger).where(*of_workflow))
    address = delete(WorkflowDirectory).where(col(WorkflowDirectory.workflow_id) == workflow_id)
    ctx.session.execute(address)


def _triggers(workflow_id: UUID, version: WorkflowVersion) -> list[WorkflowTrigger]:
    graph = Graph.model_validate(version.graph)
    return [
        WorkflowTrigger(
            workflow_id=workflow_id,
            version_id=version.id,
            node_id=node.id,
            kind=node.kind,
            config=dict(node.config),
        )
        for node in graph.nodes
        if node.kind in BY_KIND and issubclass(BY_KIND[node.kind], Trigger)
    ]
