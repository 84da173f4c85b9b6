"""What keeps a workflow from being published, and what its author should know before it runs."""

from collections.abc import Iterator

from aerostic.domain.automation import rules
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.base import Trigger
from aerostic.domain.automation.schemas import Finding, Severity


def look(graph: Graph) -> list[Finding]:
    """Everything that is to be said of a graph: errors first, then in the order of its nodes."""
    found = [*_impossible(graph), *_without_trigger(graph)]
    return sorted(found, key=lambda one: one.severity is not Severity.ERROR)


def _impossible(graph: Graph) -> Iterator[Finding]:
    for edge, reason in rules.refusals(graph):
        yield Finding(Severity.ERROR, reason, edge.source)


def _without_trigger(graph: Graph) -> Iterator[Finding]:
    kinds = (BY_KIND.get(node.kind) for node in graph.nodes)
    if not any(kind and issubclass(kind, Trigger) for kind in kinds):
        yield Finding(Severity.ERROR, "Nothing begins this workflow. Add a trigger.")
