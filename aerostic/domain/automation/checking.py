"""What is to be said of a graph in its workspace: the linter's findings, and those that need the database."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.tenancy import Context
from aerostic.domain.automation import linter, references, rules
from aerostic.domain.automation.graph import Graph, PlacedNode
from aerostic.domain.automation.models import Workflow, WorkflowVersion
from aerostic.domain.automation.references import Reference
from aerostic.domain.automation.schemas import Finding, Severity
from aerostic.domain.automation.ways import ways_of
from aerostic.domain.channels.models import ConnectionStatus, NumberMode, PhoneNumber
from aerostic.domain.templates.gaps import gaps
from aerostic.domain.templates.models import Template

SUBWORKFLOW = "logic.subworkflow"
CALLED = "trigger.called"
SEND_TEMPLATE = "send.template"
NUMBERS = "settings"  # the page on which a number says who answers
# Begun by what customers do in conversations that are left to automation.
HEARS_CUSTOMERS = frozenset(
    {
        "trigger.message",
        "trigger.keyword",
        "trigger.choice",
        "trigger.flow_reply",
        "trigger.reaction",
    }
)


def findings(ctx: Context, workflow_id: UUID | None, graph: Graph) -> list[Finding]:
    """Errors first. `workflow_id` is None for a graph that is not kept yet."""
    lost = references.lost(ctx, graph)
    told = {(one.node_id, one.field) for one in lost}
    found = [one for one in linter.look(graph) if (one.node_id, one.field) not in told]
    found += [*lost, *_sub_workflows(ctx, workflow_id, graph)]
    found += [*_gaps_of_templates(ctx, graph), *_not_heard(ctx, graph)]
    return sorted(found, key=lambda one: one.severity is not Severity.ERROR)


def _sub_workflows(ctx: Context, workflow_id: UUID | None, graph: Graph) -> Iterator[Finding]:
    calls = _calls(graph)
    published = _published(ctx, [one.id for one in calls if one.id])
    known = _workflows(ctx, [one.id for one in calls if one.id])
    for one in calls:
        name = rules.name_of(one.node)
        called = known.get(one.id) if one.id else None
        if called is None:  # told already: it does not exist
            continue
        if workflow_id is not None and _comes_back(published, called.id, workflow_id):
            sentence = f"{name}: “{called.name}” calls this workflow again, without an end."
            if called.id == workflow_id:
                sentence = f"{name}: this workflow calls itself, without an end."
            yield Finding(Severity.ERROR, sentence, one.node.id, one.field)
        elif called.published_number is None:
            sentence = f"{name}: “{called.name}” is not published yet, so it can not be called."
            yield Finding(Severity.ERROR, sentence, one.node.id, one.field)
        elif not _can_be_called(published[called.id]):
            sentence = f"{name}: “{called.name}” has no trigger for being called."
            yield Finding(Severity.ERROR, sentence, one.node.id, one.field)


def _calls(graph: Graph) -> list[Reference]:
    return [one for one in references.references_of(graph) if one.node.kind == SUBWORKFLOW]


def _workflows(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, Workflow]:
    statement = select(Workflow).where(
        col(Workflow.tenant_id) == ctx.tenant_id, col(Workflow.id).in_(ids)
    )
    return {one.id: one for one in ctx.session.exec(statement)}


def _comes_back(published: Mapping[UUID, Graph], begin: UUID, wanted: UUID) -> bool:
    """Whether the published versions lead from one workflow to another."""
    ahead, seen = [begin], set[UUID]()
    while ahead:
        at = ahead.pop()
        if at == wanted:
            return True
        if at not in seen:
            seen.add(at)
            ahead += _called(published.get(at, Graph()))
    return False


def _called(graph: Graph) -> list[UUID]:
    return [one.id for one in _calls(graph) if one.id is not None]


def _published(ctx: Context, begin: Sequence[UUID]) -> dict[UUID, Graph]:
    """What is published of these workflows and of all that they call, one layer at a time."""
    found: dict[UUID, Graph] = {}
    ahead = set(begin)
    while ahead:
        statement = (
            select(WorkflowVersion.workflow_id, WorkflowVersion.graph)
            .join(
                Workflow,
                (col(Workflow.tenant_id) == col(WorkflowVersion.tenant_id))
                & (col(Workflow.id) == col(WorkflowVersion.workflow_id))
                & (col(Workflow.published_number) == col(WorkflowVersion.number)),
            )
            .where(col(WorkflowVersion.tenant_id) == ctx.tenant_id, col(Workflow.id).in_(ahead))
        )
        layer = {one: Graph.model_validate(graph) for one, graph in ctx.session.exec(statement)}
        found |= dict.fromkeys(ahead, Graph()) | layer
        ahead = {one for graph in layer.values() for one in _called(graph)} - found.keys()
    return found


def _can_be_called(graph: Graph) -> bool:
    return any(node.kind == CALLED for node in graph.nodes)


# What a template needs ----------------------------------------------------------------------------


def _gaps_of_templates(ctx: Context, graph: Graph) -> Iterator[Finding]:
    """A gap without a value: the message would be refused when it is sent."""
    sending = [node for node in graph.nodes if node.kind == SEND_TEMPLATE]
    reached = ways_of(graph).reached if sending else ()
    for node in sending:
        chosen = _uuid(node.config.get("template"))
        template = ctx.get(Template, chosen) if chosen else None
        if template is None:  # chosen by an expression, or told already
            continue
        severity = Severity.ERROR if node.id in reached else Severity.WARNING
        values = _values(node.config.get("variables"))
        needed = [gap.key for gap in gaps(template)]
        for key in (one for one in needed if not values.get(one, "").strip()):
            sentence = f"{rules.name_of(node)}: “{key}” of the template needs a value."
            yield Finding(severity, sentence, node.id, f"variables.{key}")


def _values(variables: Any) -> Mapping[str, str]:
    """By the names of their gaps, as rows or as an object."""
    if isinstance(variables, Mapping):
        return {str(name): str(value) for name, value in variables.items()}
    rows = variables if isinstance(variables, list) else []
    given = [row for row in rows if isinstance(row, Mapping)]
    return {str(row.get("name", "")): str(row.get("value") or "") for row in given}


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


# Who is heard ---------------------------------------------------------------------------------------


def _not_heard(ctx: Context, graph: Graph) -> Iterator[Finding]:
    """A trigger that waits for customers begins nothing while people or AI answer on its numbers."""
    waiting = [node for node in graph.nodes if node.kind in HEARS_CUSTOMERS]
    if not waiting:
        return
    modes = _modes(ctx)
    for node in waiting:
        listens = _numbers(node) & modes.keys() or set(modes)
        if not any(modes[one] == NumberMode.AUTOMATION for one in listens):
            sentence = f"{rules.name_of(node)}: {_why_not_heard(node, modes)}"
            yield Finding(Severity.WARNING, sentence, node.id, "numbers", NUMBERS)


def _why_not_heard(node: PlacedNode, modes: Mapping[UUID, str]) -> str:
    if not modes:
        return "No number is connected, so messages begin no run yet."
    which = "None of its numbers" if _numbers(node) else "No number"
    return f"{which} leaves its answers to automation, so messages begin no run yet."


def _numbers(node: PlacedNode) -> set[UUID]:
    """Those to which a trigger listens. Empty: all of them."""
    chosen = node.config.get("numbers")
    ids = [_uuid(one) for one in chosen] if isinstance(chosen, list) else []
    return {one for one in ids if one is not None}


def _modes(ctx: Context) -> dict[UUID, str]:
    """Who answers on each connected number."""
    statement = select(PhoneNumber.id, PhoneNumber.mode).where(
        col(PhoneNumber.tenant_id) == ctx.tenant_id,
        col(PhoneNumber.status) == ConnectionStatus.CONNECTED,
    )
    return dict(ctx.session.exec(statement).all())
