"""Graphs for tests, said shortly."""

from typing import Any

from aerostic.domain.automation.graph import Edge, Graph, PlacedNode


def node(node_id: str, kind: str, **config: Any) -> PlacedNode:
    return PlacedNode(id=node_id, kind=kind, config=config)


def edge(source: str, target: str, port: str = "out", into: str = "in") -> Edge:
    """From an output of one node to an input of another."""
    made = f"{source}-{port}-{target}"
    return Edge(id=made[:64], source=source, source_port=port, target=target, target_port=into)


def graph(nodes: list[PlacedNode], edges: list[Edge]) -> Graph:
    return Graph(nodes=nodes, edges=edges)


def greeting(text: str = "Hello {{ contact.name }}!") -> Graph:
    """Answers every message."""
    begin, say = node("begin", "trigger.message"), node("say", "send.text", text=text)
    return graph([begin, say], [edge("begin", "say")])


def drawn(made: Graph) -> dict[str, Any]:
    """As a browser or a program sends it."""
    return made.model_dump(mode="json")
