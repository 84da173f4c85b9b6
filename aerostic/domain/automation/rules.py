"""Which connections can be, and what the canvas is drawn from.

The browser draws by the same rules: it has the catalogue and `SENTENCES`. The server asks again at every
save, import and publication.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from aerostic.core.errors import Invalid
from aerostic.domain.automation.graph import Edge, Graph, PlacedNode, PortType
from aerostic.domain.automation.nodes import BY_KIND, NODES
from aerostic.domain.automation.nodes.base import Equipment, Group, Node, Port, Trigger

A_TYPE = {
    PortType.FLOW: "a step",
    PortType.MODEL: "a model",
    PortType.TOOL: "a tool",
    PortType.MEMORY: "a memory",
    PortType.KNOWLEDGE: "a knowledge base",
}

SENTENCES = {
    "no_source": "The step that this connection begins at is not there.",
    "no_target": "The step that this connection leads to is not there.",
    "itself": "A step can not lead to itself.",
    "no_output": "“{source}” has no output of that name.",
    "trigger": "“{target}” begins a run: nothing can lead to it.",
    "equipment": "“{target}” equips an agent: nothing leads to it.",
    "no_input": "“{target}” has no input of that name.",
    "wrong_type": "“{port}” of “{target}” takes {wanted}, and this is {given}.",
    "twice": "That connection is there already.",
    "output_taken": "“{port}” of “{source}” leads somewhere already. Remove that connection first.",
    "input_taken": "“{port}” of “{target}” is taken already. Remove that connection first.",
    "tool_is_step": "“{source}” is a step of the run, so it can not be an agent's tool as well.",
    "step_is_tool": "“{node}” is an agent's tool, so it can not be a step of the run as well.",
}


class Impossible(Invalid):
    """A graph that could not have been drawn here. `edge_id` names the connection, if it is one."""

    code = "impossible_graph"

    def __init__(self, message: str, *, edge_id: str = "") -> None:
        super().__init__("graph", message)
        self.edge_id = edge_id


@dataclass(frozen=True, slots=True)
class KindView:
    """A kind as the palette, the canvas and the form see it. `schema` is the JSON schema of its settings."""

    kind: str
    title: str
    group: Group
    icon: str
    summary: str
    schema: dict[str, Any]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    has_own_outputs: bool  # they depend on the settings: ask `outputs_of`
    is_trigger: bool
    is_equipment: bool
    needs_conversation: bool


@cache
def catalogue() -> list[KindView]:
    """Every kind, in the order of the palette."""
    return [_view(kind) for kind in NODES]


def _view(kind: type[Node]) -> KindView:
    return KindView(
        kind=kind.kind,
        title=kind.title,
        group=kind.group,
        icon=kind.icon,
        summary=kind.summary,
        schema=kind.Config.model_json_schema(),
        inputs=kind.inputs,
        outputs=kind.outputs,
        has_own_outputs=kind.outputs_of.__func__ is not Node.outputs_of.__func__,  # type: ignore[attr-defined]
        is_trigger=issubclass(kind, Trigger),
        is_equipment=issubclass(kind, Equipment),
        needs_conversation=kind.needs_conversation,
    )


def name_of(node: PlacedNode) -> str:
    """What people call a node: the name that they gave, else the title of its kind."""
    kind = BY_KIND.get(node.kind)
    return node.name or (kind.title if kind else node.kind)


def outputs_of(node: PlacedNode) -> tuple[Port, ...]:
    """The outputs that a node has with its settings as they stand."""
    kind = BY_KIND.get(node.kind)
    return kind.outputs_of(node.config) if kind else ()


def inputs_of(node: PlacedNode) -> tuple[Port, ...]:
    kind = BY_KIND.get(node.kind)
    return kind.inputs if kind else ()


def refusal(graph: Graph, edge: Edge) -> str | None:
    """Why this connection can not be added to the graph; None: it can."""
    others = [one for one in graph.edges if one.id != edge.id]
    return _Wiring(graph.nodes, others).refusal(edge)


def refusals(graph: Graph) -> Iterator[tuple[Edge, str]]:
    """The connections that can not be, each beside the ones before it, with the reason."""
    wiring = _Wiring(graph.nodes)
    for edge in graph.edges:
        reason = wiring.refusal(edge)
        if reason:
            yield edge, reason
        else:
            wiring.add(edge)


def without_impossible(graph: Graph) -> tuple[Graph, list[str]]:
    """The graph without the connections that can not be, and why each was left out."""
    refused = {id(edge): reason for edge, reason in refusals(graph)}
    kept = [edge for edge in graph.edges if id(edge) not in refused]
    return graph.model_copy(update={"edges": kept}), list(refused.values())


def check(graph: Graph) -> None:
    """Raise Impossible unless the graph could have been drawn here. It may well be unfinished."""
    _check_ids([*(node.id for node in graph.nodes), *(note.id for note in graph.notes)])
    _check_ids(edge.id for edge in graph.edges)
    for node in graph.nodes:
        if node.kind not in BY_KIND:
            raise Impossible(f"There is no kind of step called “{node.kind}” here.")
    for edge, reason in refusals(graph):
        raise Impossible(reason, edge_id=edge.id)


def _check_ids(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise Impossible(f"Two things in this workflow have the id “{one}”.")
        seen.add(one)


class _Wiring:
    """The connections so far, indexed, so that checking a large graph stays quick."""

    def __init__(self, nodes: Iterable[PlacedNode], edges: Iterable[Edge] = ()) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._outputs: dict[str, dict[str, Port]] = {}
        self._leaving: set[tuple[str, str]] = set()
        self._entering: set[tuple[str, str]] = set()
        self._pairs: set[tuple[str, str, str, str]] = set()
        self._steps: set[str] = set()
        self._tools: set[str] = set()
        for edge in edges:
            self.add(edge)

    def add(self, edge: Edge) -> None:
        self._leaving.add((edge.source, edge.source_port))
        self._entering.add((edge.target, edge.target_port))
        self._pairs.add(_pair(edge))
        output = self._ports_of(edge.source).get(edge.source_port)
        if output is None:
            return
        if output.type is PortType.TOOL:
            self._tools.add(edge.source)
        if output.type is PortType.FLOW:
            self._steps |= {edge.source, edge.target}

    def refusal(self, edge: Edge) -> str | None:
        source, target = self._nodes.get(edge.source), self._nodes.get(edge.target)
        if source is None:
            return SENTENCES["no_source"]
        if target is None:
            return SENTENCES["no_target"]
        names = {"source": name_of(source), "target": name_of(target)}
        if source.id == target.id:
            return SENTENCES["itself"]
        output = self._ports_of(source.id).get(edge.source_port)
        if output is None:
            return _say("no_output", names)
        entry = _input(target, edge.target_port)
        if entry is None:
            return _say(_why_no_input(target), names)
        return self._refusal_between(edge, output, entry, names)

    def _refusal_between(
        self, edge: Edge, output: Port, entry: Port, names: dict[str, str]
    ) -> str | None:
        if output.type is not entry.type:
            types = {"wanted": A_TYPE[entry.type], "given": A_TYPE[output.type]}
            return _say("wrong_type", names | types | {"port": entry.title})
        if _pair(edge) in self._pairs:
            return SENTENCES["twice"]
        is_flow = output.type is PortType.FLOW
        if is_flow and (edge.source, edge.source_port) in self._leaving:
            return _say("output_taken", names | {"port": output.title})
        if not entry.many and (edge.target, edge.target_port) in self._entering:
            return _say("input_taken", names | {"port": entry.title})
        if output.type is PortType.TOOL and edge.source in self._steps:
            return _say("tool_is_step", names)
        return self._refusal_of_tools(edge, names) if is_flow else None

    def _refusal_of_tools(self, edge: Edge, names: dict[str, str]) -> str | None:
        for node_id, name in ((edge.source, names["source"]), (edge.target, names["target"])):
            if node_id in self._tools:
                return _say("step_is_tool", {"node": name})
        return None

    def _ports_of(self, node_id: str) -> dict[str, Port]:
        if node_id not in self._outputs:
            node = self._nodes.get(node_id)
            found = outputs_of(node) if node else ()
            self._outputs[node_id] = {port.name: port for port in found}
        return self._outputs[node_id]


def _pair(edge: Edge) -> tuple[str, str, str, str]:
    return edge.source, edge.source_port, edge.target, edge.target_port


def _input(node: PlacedNode, name: str) -> Port | None:
    return next((port for port in inputs_of(node) if port.name == name), None)


def _why_no_input(node: PlacedNode) -> str:
    kind = BY_KIND.get(node.kind)
    if kind and issubclass(kind, Trigger):
        return "trigger"
    return "equipment" if kind and issubclass(kind, Equipment) else "no_input"


def _say(which: str, names: dict[str, str]) -> str:
    return SENTENCES[which].format_map(names)
