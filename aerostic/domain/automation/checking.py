"""What is to be said of a graph in its workspace: the linter's findings, and those that need the database."""

from collections.abc import Iterator
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.tenancy import Context
from aerostic.domain.automation import linter, references, rules
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import Workflow, WorkflowVersion
from aerostic.domain.automation.references import Reference
from aerostic.domain.automation.schemas import Finding, Severity

SUBWORKFLOW = "logic.subworkflow"
CALLED = "trigger.called"


def findings(ctx: Context, workflow_id: UUID | None, graph: Graph) -> list[Finding]:
    """Errors first. `workflow_id` is None for a graph that is not kept yet."""
    lost = references.lost(ctx, graph)
    told = {(one.node_id, one.field) for one in lost}
    found = [one for one in linter.look(graph) if (one.node_id, one.field) not in told]
    found += [*lost, *_sub_workflows(ctx, workflow_id, graph)]
    return sorted(found, key=lambda one: one.severity is not Severity.ERROR)


def _sub_workflows(ctx: Context, workflow_id: UUID | None, graph: Graph) -> Iterator[Finding]:
    for one in _calls(graph):
        name = rules.name_of(one.node)
        called = ctx.get(Workflow, one.id) if one.id else None
        if called is None:  # told already: it does not exist
            continue
        if workflow_id is not None and _comes_back(ctx, called.id, workflow_id):
            sentence = f"{name}: “{called.name}” calls this workflow again, without an end."
            if called.id == workflow_id:
                sentence = f"{name}: this workflow calls itself, without an end."
            yield Finding(Severity.ERROR, sentence, one.node.id, one.field)
        elif called.published_number is None:
            sentence = f"{name}: “{called.name}” is not published yet, so it can not be called."
            yield Finding(Severity.ERROR, sentence, one.node.id, one.field)
        elif not _can_be_called(_published(ctx, called.id)):
            sentence = f"{name}: “{called.name}” has no trigger for being called."
            yield Finding(Severity.ERROR, sentence, one.node.id, one.field)


def _calls(graph: Graph) -> list[Reference]:
    return [one for one in references.references_of(graph) if one.node.kind == SUBWORKFLOW]


def _comes_back(ctx: Context, begin: UUID, wanted: UUID) -> bool:
    """Whether the published versions lead from one workflow to another."""
    ahead, seen = [begin], set[UUID]()
    while ahead:
        at = ahead.pop()
        if at == wanted:
            return True
        if at not in seen:
            seen.add(at)
            graph = _published(ctx, at)
            ahead += [one.id for one in _calls(graph) if one.id is not None]
    return False


def _published(ctx: Context, workflow_id: UUID) -> Graph:
    statement = select(WorkflowVersion.graph).where(
        col(WorkflowVersion.tenant_id) == ctx.tenant_id,
        col(WorkflowVersion.workflow_id) == workflow_id,
        col(WorkflowVersion.number)
        == select(Workflow.published_number)
        .where(col(Workflow.tenant_id) == ctx.tenant_id, col(Workflow.id) == workflow_id)
        .scalar_subquery(),
    )
    return Graph.model_validate(ctx.session.exec(statement).first() or {})


def _can_be_called(graph: Graph) -> bool:
    return any(node.kind == CALLED for node in graph.nodes)
