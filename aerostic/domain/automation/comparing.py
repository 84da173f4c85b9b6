"""What differs between two graphs of one workflow, as people would say it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aerostic.domain.automation import fitting, rules
from aerostic.domain.automation.graph import Edge, Graph, PlacedNode
from aerostic.domain.automation.nodes import BY_KIND


@dataclass(frozen=True, slots=True)
class NodeRef:
    node_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class SettingChange:
    """`before` or `after` is None where there was, or is, no such setting."""

    field: str
    title: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class NodeChange:
    node: NodeRef
    settings: tuple[SettingChange, ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection, told with the names that its ends have."""

    edge_id: str
    source: str
    source_port: str
    target: str
    target_port: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed. Where things stand on the canvas does not count, only that it `moved`."""

    added: tuple[NodeRef, ...]
    removed: tuple[NodeRef, ...]
    changed: tuple[NodeChange, ...]
    connected: tuple[Connection, ...]
    disconnected: tuple[Connection, ...]
    notes_changed: bool
    moved: bool

    @property
    def is_same(self) -> bool:
        """Whether a run would do the same."""
        return not (
            self.added or self.removed or self.changed or self.connected or self.disconnected
        )


def compare(before: Graph, after: Graph) -> Comparison:
    """A node is the same one by its id; one whose kind differs was removed and another was added."""
    old, new = _nodes(before), _nodes(after)
    both = [one for one in new if one in old]
    return Comparison(
        added=tuple(_ref(new[one]) for one in new if one not in old),
        removed=tuple(_ref(old[one]) for one in old if one not in new),
        changed=tuple(
            NodeChange(_ref(new[one]), changes)
            for one in both
            if (changes := tuple(_settings(old[one], new[one])))
        ),
        connected=_only_in(after, before),
        disconnected=_only_in(before, after),
        notes_changed=before.notes != after.notes,
        moved=any(old[one].position != new[one].position for one in both),
    )


def _nodes(graph: Graph) -> dict[tuple[str, str], PlacedNode]:
    return {(node.id, node.kind): node for node in graph.nodes}


def _ref(node: PlacedNode) -> NodeRef:
    return NodeRef(node.id, node.kind, rules.name_of(node))


def _settings(old: PlacedNode, new: PlacedNode) -> Iterator[SettingChange]:
    if old.name != new.name:
        yield SettingChange("name", "Name", old.name, new.name)
    if old.retries != new.retries:
        yield SettingChange("retries", "Further tries", old.retries, new.retries)
    kind = BY_KIND.get(new.kind)
    for field in sorted({*old.config, *new.config}):
        before, after = old.config.get(field), new.config.get(field)
        if not _is_same(before, after):
            title = fitting.title_of(kind, (field,)) if kind else field
            yield SettingChange(f"config.{field}", title, before, after)


def _is_same(before: Any, after: Any) -> bool:
    """Unlike Python, JSON tells true from 1."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(
            _is_same(part, after[name]) for name, part in before.items()
        )
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_is_same, before, after))
    return isinstance(before, bool) is isinstance(after, bool) and bool(before == after)


def _only_in(graph: Graph, other: Graph) -> tuple[Connection, ...]:
    there = {_ends(edge) for edge in other.edges}
    nodes = {node.id: node for node in graph.nodes}
    return tuple(_connection(edge, nodes) for edge in graph.edges if _ends(edge) not in there)


def _ends(edge: Edge) -> tuple[str, str, str, str]:
    return edge.source, edge.source_port, edge.target, edge.target_port


def _connection(edge: Edge, nodes: Mapping[str, PlacedNode]) -> Connection:
    source, target = nodes.get(edge.source), nodes.get(edge.target)
    return Connection(
        edge.id,
        rules.name_of(source) if source else edge.source,
        edge.source_port,
        rules.name_of(target) if target else edge.target,
        edge.target_port,
    )
