"""Which steps a run can come by, in which order, and where it could go round for ever."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aerostic.domain.automation import rules
from aerostic.domain.automation.graph import Graph, PlacedNode, PortType
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.base import ERROR, Trigger

LOOP = "logic.loop"
IGNORED = frozenset({ERROR.name, "reply"})  # outputs that need not be taken, and mostly are not

Leads = Mapping[str, Mapping[str, str]]  # node, output, node


@dataclass(frozen=True, slots=True)
class Ways:
    """The flow through a graph: connections that equip an agent are in `equips`, node to agents."""

    nodes: Mapping[str, PlacedNode]
    leads: Leads
    equips: Mapping[str, frozenset[str]]
    triggers: tuple[str, ...]
    reached: frozenset[str]  # by a run, or equipping a step that is
    before: Mapping[str, frozenset[str]]  # what a run may have been through when it comes to a node
    in_loops: frozenset[str]  # steps that a run may come by within a loop

    def triggers_of(self, node_id: str) -> list[PlacedNode]:
        """The triggers whose runs may come by; those of its agents for what equips them."""
        before = self.before[node_id] | {node_id}
        return [self.nodes[one] for one in self.triggers if one in before]


def ways_of(graph: Graph) -> Ways:
    nodes = {node.id: node for node in graph.nodes if node.kind in BY_KIND}
    types = {
        node.id: {port.name: port.type for port in rules.outputs_of(node)} for node in graph.nodes
    }
    leads: dict[str, dict[str, str]] = {node_id: {} for node_id in nodes}
    equips: dict[str, set[str]] = {}
    for edge in graph.edges:
        if edge.source not in nodes or edge.target not in nodes:
            continue
        if types[edge.source].get(edge.source_port, PortType.FLOW) is PortType.FLOW:
            leads[edge.source].setdefault(edge.source_port, edge.target)
        else:
            equips.setdefault(edge.source, set()).add(edge.target)
    triggers = tuple(one for one, node in nodes.items() if issubclass(BY_KIND[node.kind], Trigger))
    steps = _reached_from(leads, triggers)
    frozen = {source: frozenset(targets) for source, targets in equips.items()}
    tools = {source for source, targets in equips.items() if targets & steps}
    before = _before(nodes, leads, frozen)
    return Ways(nodes, leads, frozen, triggers, steps | tools, before, _in_loops(nodes, leads))


def rounds(ways: Ways) -> Iterator[frozenset[str]]:
    """The sets of steps that lead to each other: where a run may come by more than once."""
    for found in _strongly_connected(ways.leads):
        if len(found) > 1:
            yield found


def has_exit(ways: Ways, steps: frozenset[str]) -> bool:
    """Whether a run may leave: through an output that leads elsewhere, or nowhere and so to its end.

    What goes wrong and is taken by nobody is no way out, nor is an answer during a wait.
    """
    for step in steps:
        for port in rules.outputs_of(ways.nodes[step]):
            target = ways.leads[step].get(port.name)
            is_ignored = target is None and port.name in IGNORED
            if port.type is PortType.FLOW and not is_ignored and target not in steps:
                return True
    return False


def _in_loops(nodes: Mapping[str, PlacedNode], leads: Leads) -> frozenset[str]:
    loops = (one for one, node in nodes.items() if node.kind == LOOP)
    return _reached_from(leads, [leads[one]["each"] for one in loops if "each" in leads[one]])


def _before(
    nodes: Iterable[str], leads: Leads, equips: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    backwards: dict[str, dict[str, str]] = {one: {} for one in nodes}
    for source, outputs in leads.items():
        for target in outputs.values():
            backwards[target][source] = source
    before = {one: _reached_from(backwards, backwards[one].values()) for one in backwards}
    for tool, agents in equips.items():
        of_agents = (before[agent] for agent in agents if agent in before)
        before[tool] = before[tool].union(*of_agents)
    return before


def _reached_from(leads: Leads, begin: Iterable[str]) -> frozenset[str]:
    reached: set[str] = set()
    ahead = list(begin)
    while ahead:
        node_id = ahead.pop()
        if node_id not in reached:
            reached.add(node_id)
            ahead += leads.get(node_id, {}).values()
    return frozenset(reached)


def _strongly_connected(leads: Leads) -> Iterator[frozenset[str]]:
    """Two nodes belong together when each is reached from the other. Quadratic, for 300 nodes at most."""
    reached = {one: _reached_from(leads, leads[one].values()) for one in leads}
    seen: set[str] = set()
    for one in leads:
        if one not in seen and one in reached[one]:
            together = frozenset(other for other in reached[one] if one in reached[other])
            seen |= together
            yield together
