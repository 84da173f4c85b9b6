"""Workflows that were exported from n8n. What has no equal here becomes a note in its place, and is told."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aerostic.core.errors import Refused
from aerostic.domain.automation import rules
from aerostic.domain.automation.exchange import Imported, WorkflowFile
from aerostic.domain.automation.graph import MOST_NODES, Edge, Graph, Note, PlacedNode, Point
from aerostic.domain.automation.n8n_expressions import Expressions
from aerostic.domain.automation.n8n_kinds import BASE, Made, NoEqual, Source, make
from aerostic.domain.automation.nodes import BY_KIND

STICKY = f"{BASE}stickyNote"
NOTHING = frozenset({f"{BASE}noOp", f"{BASE}merge"})  # paths simply come together here
LONGEST_NAME = 120
SCALE = 1.3  # our steps are wider than n8n's

# From n8n's connections that equip an agent to our ports: of what equips it, and of the agent.
EQUIPMENT = {
    "ai_languageModel": ("model", "model"),
    "ai_memory": ("memory", "memory"),
    "ai_tool": ("tool", "tools"),
}
# What n8n calls the data of a node, where it is not simply its output.
PATHS = {
    "trigger.webhook": "webhookPayload",
    "trigger.called": "input",
    "trigger.manual": "input",
    "trigger.message": "message",
    "logic.loop": "item",
}
PASSED_THROUGH = frozenset({"logic.condition", "logic.switch", "logic.wait", "webhook.respond"})
WITH_BODY = frozenset({"http.request"})


@dataclass(frozen=True, slots=True)
class Link:
    """A connection of n8n, by the names of its ends."""

    source: str
    type: str
    output: int
    target: str
    input: int


@dataclass(slots=True)
class _Import:
    """One file while it is read."""

    given: dict[str, Mapping[str, Any]]  # nodes by name
    links: list[Link]
    ids: dict[str, str] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    nodes: list[PlacedNode] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by node


def is_n8n(document: Any) -> bool:
    """Whether a document looks like an export of n8n."""
    if not isinstance(document, Mapping) or not isinstance(document.get("nodes"), list):
        return False
    return isinstance(document.get("connections"), Mapping) and "file" not in document


def read(document: Mapping[str, Any]) -> Imported:
    """What of a workflow of n8n can be had here. Raises Refused for what is too large or damaged."""
    work = _Import(_nodes(document), list(_links(document["connections"])))
    for place, name in enumerate(work.given, start=1):
        work.ids[name] = f"n{place}"
    for name in _in_order(work):
        _place(work, name)
    edges = list(_edges(work))
    graph, left_out = rules.without_impossible(
        Graph(nodes=_as_given(work), edges=edges, notes=work.notes)
    )
    remarks = [
        *(remark for node in work.given for remark in work.said[node]),
        *dict.fromkeys(f"A connection was left out: {one}" for one in left_out),
    ]
    name = str(document.get("name") or "Workflow from n8n")[:LONGEST_NAME]
    return Imported(WorkflowFile(name=name, graph=graph), tuple(remarks))


def _nodes(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = [one for one in document["nodes"] if isinstance(one, Mapping)]
    if len(found) > MOST_NODES:
        raise Refused(f"That workflow has more than {MOST_NODES} nodes. Split it in n8n first.")
    named = {str(one.get("name")): one for one in found if isinstance(one.get("type"), str)}
    if len(named) != len(document["nodes"]):
        raise Refused("That file of n8n is damaged: a node has no name or no type.")
    return named


def _links(connections: Mapping[str, Any]) -> Iterator[Link]:
    for source, types in connections.items():
        for kind, outputs in types.items() if isinstance(types, Mapping) else ():
            for place, targets in enumerate(outputs) if isinstance(outputs, list) else ():
                for one in targets if isinstance(targets, list) else ():
                    if isinstance(one, Mapping) and isinstance(one.get("node"), str):
                        into = one.get("index")
                        at = into if isinstance(into, int) else 0
                        yield Link(str(source), str(kind), place, one["node"], at)


def _in_order(work: _Import) -> list[str]:
    """What comes before is made first: the paths of what comes after depend on its kind."""
    ordered: dict[str, None] = {}
    waiting = [(name, iter(_before(work, name))) for name in reversed(work.given)]
    entered: set[str] = set()
    while waiting:
        name, before = waiting[-1]
        entered.add(name)
        ahead = next((one for one in before if one not in entered and one in work.given), None)
        if ahead is not None:
            waiting.append((ahead, iter(_before(work, ahead))))
            continue
        waiting.pop()
        ordered.setdefault(name)
    return list(ordered)


def _before(work: _Import, name: str) -> list[str]:
    return [one.source for one in work.links if one.target == name and one.type == "main"]


def _as_given(work: _Import) -> list[PlacedNode]:
    order = {node_id: place for place, node_id in enumerate(work.ids.values())}
    return sorted(work.nodes, key=lambda node: order[node.id])


def _place(work: _Import, name: str) -> None:
    node = work.given[name]
    if node["type"] == STICKY:
        work.notes.append(_sticky(work, name))
    elif node.get("disabled"):
        work.said[name].append(f"“{name}” was switched off in n8n, so it was left out.")
    elif node["type"] not in NOTHING:
        _place_step(work, name)


def _place_step(work: _Import, name: str) -> None:
    node = work.given[name]
    expressions = Expressions(lambda other: _path_of(work, other, name))
    try:
        made = make(_source(work, name, expressions))
        if made.kind not in BY_KIND:
            raise NoEqual("There is no such step here.")
    except NoEqual as reason:
        kind = str(node["type"]).rpartition(".")[2]
        work.said[name].append(f"“{name}” ({kind}) has no equal here. {reason}")
        work.notes.append(_note(work, name, f"n8n: “{name}” ({kind}) has no equal here."))
        return
    work.made[name] = made
    work.said[name] += [f"“{name}”: {remark}" for remark in made.remarks]
    work.said[name] += [
        f"“{name}”: the expression {script[:120]} could not be read. Write it again."
        for script in dict.fromkeys(expressions.unread)
    ]
    work.nodes.append(
        PlacedNode(
            id=work.ids[name],
            kind=made.kind,
            name=_clean(name)[:LONGEST_NAME],
            position=_point(node),
            config=made.config,
            retries=_retries(node),
        )
    )


def _source(work: _Import, name: str, expressions: Expressions) -> Source:
    node = work.given[name]
    version, parameters = node.get("typeVersion"), node.get("parameters")
    return Source(
        name,
        str(node["type"]),
        float(version) if isinstance(version, int | float) else 1.0,
        parameters if isinstance(parameters, Mapping) else {},
        expressions,
        _path_of(work, "", name) or "",
    )


def _path_of(work: _Import, named: str, at: str) -> str | None:
    """Where the data of a node is here; "" names the one before `at`. What only passes on is passed over."""
    seen: set[str] = set()
    name = named or _first(_before(work, at))
    while name is not None and name not in seen:
        seen.add(name)
        made = work.made.get(name)
        if made is not None and made.kind not in PASSED_THROUGH:
            return PATHS.get(made.kind) or _output_path(work.ids[name], made.kind)
        if made is None and not _passes_on(work.given.get(name)):
            return None
        name = _first(_before(work, name))
    return None


def _output_path(node_id: str, kind: str) -> str:
    return f"nodes.{node_id}.output" + (".body" if kind in WITH_BODY else "")


def _passes_on(node: Mapping[str, Any] | None) -> bool:
    return node is not None and (node["type"] in NOTHING or bool(node.get("disabled")))


def _first(names: list[str]) -> str | None:
    return names[0] if names else None


def _edges(work: _Import) -> Iterator[Edge]:
    made: set[tuple[str, str, str, str]] = set()
    for link in work.links:
        for target in _targets(work, link.target, set()):
            ends = _ends(work, link, target)
            if ends is not None and ends not in made:
                made.add(ends)
                source, source_port, into, target_port = ends
                yield Edge(
                    id=f"e{len(made)}",
                    source=source,
                    source_port=source_port,
                    target=into,
                    target_port=target_port,
                )


def _targets(work: _Import, name: str, seen: set[str]) -> Iterator[str]:
    """The step that a connection comes to, through whatever does nothing."""
    if name in work.made:
        yield name
    elif _passes_on(work.given.get(name)) and name not in seen:
        seen.add(name)
        for link in work.links:
            if link.source == name and link.type == "main":
                yield from _targets(work, link.target, seen)


def _ends(work: _Import, link: Link, target: str) -> tuple[str, str, str, str] | None:
    made = work.made.get(link.source)
    if made is None:
        return None
    source, into = work.ids[link.source], work.ids[target]
    if link.type in EQUIPMENT:
        ports = EQUIPMENT[link.type]
        return source, ports[0], into, ports[1]
    if link.type != "main":
        return None
    is_error = link.output == len(made.outputs) and _has_error_output(work.given[link.source])
    if is_error:
        return source, "error", into, "in"
    if link.output >= len(made.outputs):
        return None
    return source, made.outputs[link.output], into, "in"


def _has_error_output(node: Mapping[str, Any]) -> bool:
    return node.get("onError") == "continueErrorOutput"


def _sticky(work: _Import, name: str) -> Note:
    parameters = work.given[name].get("parameters")
    given = parameters if isinstance(parameters, Mapping) else {}
    return Note(
        id=work.ids[name],
        text=_clean(str(given.get("content") or ""))[:4000],
        position=_point(work.given[name]),
        width=_within(given.get("width"), 240, 80, 2000),
        height=_within(given.get("height"), 160, 40, 2000),
    )


def _note(work: _Import, name: str, text: str) -> Note:
    return Note(id=work.ids[name], text=_clean(text), position=_point(work.given[name]))


def _clean(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b-\x1f]", "", text).encode("utf-8", "ignore").decode()


def _point(node: Mapping[str, Any]) -> Point:
    at = node.get("position")
    x, y = at if isinstance(at, list) and len(at) == 2 else (0, 0)
    return Point(x=_within(x, 0, -1e6, 1e6, SCALE), y=_within(y, 0, -1e6, 1e6, SCALE))


def _within(value: Any, otherwise: float, least: float, most: float, scale: float = 1) -> float:
    is_number = isinstance(value, int | float) and abs(value) < 1e9
    found = float(value) * scale if is_number else otherwise
    return round(max(least, min(most, found)))


def _retries(node: Mapping[str, Any]) -> int:
    tries = node.get("maxTries")
    further = tries - 1 if isinstance(tries, int) and not isinstance(tries, bool) else 2
    return max(0, min(5, further)) if node.get("retryOnFail") is True else 0
