"""The canvas refuses what the server refuses, in the same words, and has a picture for every kind."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from aerostic.domain.automation import rules
from aerostic.domain.automation.graph import Edge, Graph, PlacedNode, as_stored
from aerostic.state.plain import plain

FLOW = Path(__file__).parents[2] / "aerostic" / "components" / "flow"
NODE = Path(sys.executable).with_name("node")
ASK = """
import { learnSentences, refusal } from %s;
const { cases, kinds, sentences } = JSON.parse(await new Promise((done) => {
  let text = "";
  process.stdin.on("data", (part) => (text += part));
  process.stdin.on("end", () => done(text));
}));
learnSentences(sentences);
const said = cases.map(({ graph, edge, ports }) => refusal(graph, edge, kinds, ports));
console.log(JSON.stringify(said));
"""


def test_browser_and_server_refuse_the_same_connections_with_the_same_words() -> None:
    luck = random.Random(7)
    cases = [_case(luck) for _ in range(1_500)]
    expected = [rules.refusal(graph, edge) for graph, edge in cases]
    said = _in_the_browser([_told(graph, edge) for graph, edge in cases])
    assert said == expected
    assert len({one for one in expected if one}) > 100
    assert None in expected


def test_every_kind_has_a_picture() -> None:
    drawn = (FLOW / "signs.jsx").read_text("utf-8").partition("const DRAWN")[2].partition("};")[0]
    names = set(re.findall(r"\w+", drawn))
    assert {_drawn_as(one.icon) for one in rules.catalogue()} - names == set()


def _case(luck: random.Random) -> tuple[Graph, Edge]:
    """Some steps, some connections that can be, and one more that may or may not."""
    kinds = luck.choices([one.kind for one in rules.catalogue()], k=5)
    kinds[0] = luck.choice(["ai.agent", "http.request", "logic.condition"])
    nodes = [PlacedNode(id=f"n{at}", kind=kind) for at, kind in enumerate(kinds)]
    edges = [_edge(luck, nodes, f"e{at}") for at in range(luck.randint(0, 8))]
    graph, _ = rules.without_impossible(Graph(nodes=nodes, edges=edges))
    return graph, _edge(luck, nodes, "new")


def _edge(luck: random.Random, nodes: list[PlacedNode], name: str) -> Edge:
    source, target = luck.choice(nodes), luck.choice(nodes)
    outputs = [port.name for port in rules.outputs_of(source)] or ["out"]
    inputs = [port.name for port in rules.inputs_of(target)] or ["in"]
    return Edge(
        id=name,
        source=luck.choice([source.id] * 20 + ["gone"]),
        source_port=luck.choice([*outputs * 4, "gone"]),
        target=target.id,
        target_port=luck.choice([*inputs * 4, "gone"]),
    )


def _told(graph: Graph, edge: Edge) -> dict[str, Any]:
    """As React Flow names the ends of a connection."""
    return {
        "graph": as_stored(graph),
        "edge": {
            "id": edge.id,
            "source": edge.source,
            "sourceHandle": edge.source_port,
            "target": edge.target,
            "targetHandle": edge.target_port,
        },
        "ports": {node.id: plain(rules.outputs_of(node)) for node in graph.nodes},
    }


def _in_the_browser(cases: list[dict[str, Any]]) -> list[str | None]:
    told = {
        "cases": cases,
        "kinds": {one.kind: plain(one) for one in rules.catalogue()},
        "sentences": rules.SENTENCES,
    }
    script = ASK % json.dumps((FLOW / "rules.js").as_uri())
    asked = [str(NODE), "--no-warnings", "--input-type=module", "--eval", script]
    answer = subprocess.run(asked, input=json.dumps(told), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    found: list[str | None] = json.loads(answer.stdout)
    return found


def _drawn_as(icon: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in icon.split("-"))
