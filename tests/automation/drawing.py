"""Random graphs: of every kind there is, with settings that fit, nearly fit, or do not fit at all."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from aerostic.domain.automation import linter, rules
from aerostic.domain.automation.graph import Edge, Graph, PlacedNode
from aerostic.domain.automation.nodes import BY_KIND, NODES
from aerostic.domain.automation.schemas import Severity

NOBODY = str(UUID(int=7))
TEXTS = (
    "",
    "a",
    "Hello {{ contact.name }}",
    "{{ message.text }}",
    "{{ nodes.n1.output }}",
    "{{ vars.answer | upcase }}",
    "{{ webhookPayload.body.list }}",
    "{{ item }}",
    "{% for one in vars.list %}{{ one }}{% endfor %}",
    "{% for i in (1..9999999) %}{{ i }}{% endfor %}",
    "{{ 'x' | times: 2 }}",
    "{{ contact",
    "{% if %}",
    "0",
    "12",
    "-1",
    "true",
    "name",
    "15550001111",
    "2026-12-24T18:00",
    "Europe/Berlin",
    "https://shop.example/",
    "(a+)+$",
    "* * * * *",
    "ada@example.com",
    "ünï🚀",
    "\n",
    NOBODY,
    "@tag/gold",
    "x" * 5000,
)
texts = st.sampled_from(TEXTS) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
MOSTLY = 29  # of thirty settings fit


def fitting(
    schema: dict[str, Any], whole: dict[str, Any], depth: int = 0
) -> st.SearchStrategy[Any]:
    """What a JSON schema asks for, and now and then something else."""
    return st.integers(0, 29).flatmap(
        lambda drawn: _exactly(schema, whole, depth) if drawn < MOSTLY else values
    )


def _exactly(schema: dict[str, Any], whole: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if depth > 5:
        return st.none()
    if "$ref" in schema:
        return _exactly(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, depth + 1)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of([_exactly(one, whole, depth + 1) for one in schema[choice]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    return _of_type(schema, whole, depth)


def _of_type(schema: dict[str, Any], whole: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, whole, depth)
    if kind == "array":
        least, most = schema.get("minItems", 0), min(schema.get("maxItems", 4), 4)
        items = fitting(schema.get("items", {}), whole, depth + 1)
        return st.lists(items, min_size=least, max_size=max(least, most))
    if kind in {"integer", "number"}:
        least = int(schema.get("minimum", schema.get("exclusiveMinimum", -5)))
        return st.integers(least, min(least + 20, int(schema.get("maximum", least + 20))))
    if kind == "boolean":
        return st.booleans()
    if kind == "null":
        return st.none()
    if kind == "string" and schema.get("format") == "uuid":
        return st.just(NOBODY)
    return texts if kind == "string" else values


def _object(schema: dict[str, Any], whole: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    needed = schema.get("required", [])
    parts = {
        name: fitting(part, whole, depth + 1) for name, part in schema.get("properties", {}).items()
    }
    return st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in needed},
        optional={name: part for name, part in parts.items() if name not in needed},
    )


SCHEMAS = {kind.kind: kind.Config.model_json_schema() for kind in NODES}


@st.composite
def placed(draw: st.DrawFn, node_id: str, kinds: list[str]) -> PlacedNode:
    kind = draw(st.sampled_from(kinds))
    config = draw(_exactly(SCHEMAS[kind], SCHEMAS[kind], 0))
    return PlacedNode(id=node_id, kind=kind, config=config, retries=draw(st.integers(0, 1)))


TRIGGERS = [kind for kind in SCHEMAS if kind.startswith("trigger.")]
STEPS = [kind for kind in SCHEMAS if kind not in TRIGGERS]


@st.composite
def graphs(draw: st.DrawFn, *, most: int = 10) -> Graph:
    """Any graph that could be drawn: a trigger, a row of steps, and more connections wherever they can be."""
    nodes = [draw(placed("n0", TRIGGERS))]
    nodes += [draw(placed(f"n{i}", STEPS)) for i in range(1, draw(st.integers(2, most)))]
    if draw(st.integers(0, 3)) == 0:
        nodes.append(draw(placed("late", TRIGGERS)))
    graph = Graph(nodes=nodes)
    for i in range(1, len(nodes)):
        graph = _connected(graph, nodes[i - 1].id, nodes[i].id, i, draw(st.integers(0, 2)))
    for i in range(draw(st.integers(0, 2 * len(nodes)))):
        source, target = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        graph = _connected(graph, source.id, target.id, 100 + i, draw(st.integers(0, 9)))
    return graph


@st.composite
def sound_graphs(draw: st.DrawFn) -> Graph:
    """One that the linter accepts: whatever it finds fault with is left out, and the gap closed."""
    graph = draw(graphs())
    while wrong := _faulty(graph):
        graph = _without(graph, wrong)
    return graph


def _faulty(graph: Graph) -> str:
    """The id of a node that can not stay."""
    found = [one for one in linter.look(graph) if one.severity is Severity.ERROR]
    return found[0].node_id if found else ""


def _without(graph: Graph, node_id: str) -> Graph:
    """What led to the node leads to where it led. A trigger gives way to the plainest one."""
    if node_id == "n0":
        plain = PlacedNode(id="n0", kind="trigger.message")
        nodes = [plain if one.id == "n0" else one for one in graph.nodes]
        return rules.without_impossible(graph.model_copy(update={"nodes": nodes}))[0]
    onward = next((one.target for one in graph.edges if one.source == node_id), "")
    edges = [
        one.model_copy(update={"target": onward}) if one.target == node_id else one
        for one in graph.edges
        if one.source != node_id
    ]
    nodes = [one for one in graph.nodes if one.id != node_id]
    closed = [one for one in edges if one.target]
    return rules.without_impossible(Graph(nodes=nodes, edges=closed))[0]


def _connected(graph: Graph, source: str, target: str, number: int, port: int = 0) -> Graph:
    """With a connection more, if there can be one."""
    at, to = graph.node(source), graph.node(target)
    assert at is not None
    assert to is not None
    outputs = rules.outputs_of(at)
    if not outputs:
        return graph
    output = outputs[port % len(outputs)]
    entry = next((one for one in rules.inputs_of(to) if one.type is output.type), None)
    made = Edge(
        id=f"e{number}",
        source=source,
        source_port=output.name,
        target=target,
        target_port=entry.name if entry else "in",
    )
    if rules.refusal(graph, made) is not None:
        return graph
    return graph.model_copy(update={"edges": [*graph.edges, made]})


@st.composite
def scribbles(draw: st.DrawFn) -> dict[str, Any]:
    """What nobody could have drawn: any ids, kinds, ports and settings."""
    ids = st.sampled_from(["a", "b", "c", "", "a b", "x" * 65])
    kinds = st.sampled_from([*BY_KIND, "send.pigeon", ""])
    ports = st.sampled_from(["in", "out", "error", "model", "tools", "true", "", "else"])
    nodes = st.fixed_dictionaries(
        {"id": ids, "kind": kinds, "config": st.dictionaries(texts, values, max_size=3)}
    )
    edges = st.fixed_dictionaries(
        {"id": ids, "source": ids, "target": ids, "source_port": ports, "target_port": ports}
    )
    made: dict[str, Any] = {
        "nodes": draw(st.lists(nodes, max_size=4)),
        "edges": draw(st.lists(edges, max_size=4)),
    }
    if draw(st.booleans()):
        made[draw(texts)] = draw(values)
    return made
