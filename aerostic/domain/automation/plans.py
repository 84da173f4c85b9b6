"""A graph made ready to be walked: once per version, kept for all its runs."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from aerostic.domain.automation import scope, templates
from aerostic.domain.automation.graph import Graph, PlacedNode, PortType
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.base import Node, NodeFailed
from aerostic.domain.automation.templates import Template
from aerostic.domain.automation.values import shown

KEPT = 500  # plans in memory


@dataclass(frozen=True, slots=True)
class Place:
    """A node where it stands: what it is, where each of its outputs leads, what equips it."""

    node: PlacedNode
    kind: type[Node]
    title: str
    leads: Mapping[str, str]
    equipment: Mapping[str, tuple[PlacedNode, ...]]
    template: Template  # of its configuration
    settled: Any  # that, where no part of it depends on the run
    shown: tuple[bytes, int] | None  # and that as the log shows it

    def configured(self, seen: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
        """The configuration for this step, with the warnings of its templates.

        Raises TemplateProblem, and NodeFailed for a value that the node can not use.
        """
        if self.settled is not None:
            return self.settled, ()
        rendered = self.template.render(seen)
        return read(self.kind, rendered.value), rendered.warnings


@dataclass(frozen=True, slots=True)
class Plan:
    """The places of a graph by their ids."""

    places: Mapping[str, Place]

    def trigger(self, kind: str) -> str | None:
        """The first trigger of a kind."""
        found = (one.node.id for one in self.places.values() if one.node.kind == kind)
        return next(found, None)


def read(kind: type[Node], value: Any) -> Any:
    """The configuration of a kind. Raises NodeFailed with the first thing that is wrong."""
    try:
        return kind.Config.model_validate(value)
    except ValidationError as error:
        raise NodeFailed(_sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"The setting “{where}” does not fit: {said}." if where else f"{said}."


def plan_of(graph: Graph) -> Plan:
    """Make a graph ready. Nodes of kinds that do not exist here are left out."""
    known = {node.id: node for node in graph.nodes if node.kind in BY_KIND}
    leads: dict[str, dict[str, str]] = {node_id: {} for node_id in known}
    equipment: dict[str, dict[str, tuple[PlacedNode, ...]]] = {node_id: {} for node_id in known}
    for edge in graph.edges:
        if edge.source not in known or edge.target not in known:
            continue
        if _is_flow(known[edge.source], edge.source_port):
            leads[edge.source].setdefault(edge.source_port, edge.target)
        else:
            ports = equipment[edge.target]
            ports[edge.target_port] = (*ports.get(edge.target_port, ()), known[edge.source])
    return Plan(
        {one: _place(node, leads[one], equipment[one]) for one, node in known.items()},
    )


def _is_flow(node: PlacedNode, port: str) -> bool:
    outputs = BY_KIND[node.kind].outputs_of(node.config)
    return all(one.type is PortType.FLOW for one in outputs if one.name == port)


def _place(
    node: PlacedNode, leads: dict[str, str], equipment: dict[str, tuple[PlacedNode, ...]]
) -> Place:
    kind = BY_KIND[node.kind]
    settled = _settled(node, kind)
    in_log = None if settled is None else shown(scope.masked(settled.model_dump(mode="json")))
    template = Template(node.config)
    return Place(node, kind, node.name or kind.title, leads, equipment, template, settled, in_log)


def _settled(node: PlacedNode, kind: type[Node]) -> Any:
    if templates.has_expression(node.config):
        return None
    try:
        return read(kind, node.config)
    except NodeFailed:
        return None  # it fails again, with its reason, where a run comes by


class Plans:
    """The plans that this process has made, the latest used last."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[UUID, Plan] = OrderedDict()

    def get(self, version_id: UUID) -> Plan | None:
        plan = self._kept.get(version_id)
        if plan is not None:
            self._kept.move_to_end(version_id)
        return plan

    def keep(self, version_id: UUID, plan: Plan) -> Plan:
        self._kept[version_id] = plan
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return plan
