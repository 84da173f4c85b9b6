"""The graph of a workflow as it travels: between browser, server, file and version. Strict, and small.

What a node's configuration may hold is known to its kind (`nodes/`); here it is an object.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

MOST_NODES = 300
MOST_BYTES = 512 * 1024

NodeId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class PortType(StrEnum):
    """What flows through a connection. `flow` is the run itself; the others equip an agent."""

    FLOW = "flow"
    MODEL = "model"
    TOOL = "tool"
    MEMORY = "memory"
    KNOWLEDGE = "knowledge"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Point(_Strict):
    """Where a node stands on the canvas, in pixels at zoom 1."""

    x: float = Field(default=0, ge=-1e6, le=1e6)
    y: float = Field(default=0, ge=-1e6, le=1e6)


class PlacedNode(_Strict):
    """A node of a graph. `name` is what people call it; empty: the title of its kind."""

    id: NodeId
    kind: str = Field(max_length=64)
    name: str = Field(default="", max_length=120)
    position: Point = Point()
    config: dict[str, JsonValue] = {}
    retries: int = Field(default=0, ge=0, le=5)  # of a call that failed for a reason that may pass


class Edge(_Strict):
    """From an output of one node to an input of another."""

    id: NodeId
    source: NodeId
    source_port: str = Field(default="out", max_length=64)
    target: NodeId
    target_port: str = Field(default="in", max_length=64)


class Note(_Strict):
    """A remark on the canvas."""

    id: NodeId
    text: str = Field(default="", max_length=4000)
    position: Point = Point()
    width: float = Field(default=240, ge=80, le=2000)
    height: float = Field(default=120, ge=40, le=2000)
    colour: str = Field(default="yellow", max_length=16)


class Graph(_Strict):
    """Nodes and what leads from one to another."""

    format: Literal[1] = 1
    nodes: list[PlacedNode] = Field(default=[], max_length=MOST_NODES)
    edges: list[Edge] = Field(default=[], max_length=4 * MOST_NODES)
    notes: list[Note] = Field(default=[], max_length=MOST_NODES)

    def node(self, node_id: str) -> PlacedNode | None:
        return next((one for one in self.nodes if one.id == node_id), None)

    def leaving(self, node_id: str, port: str) -> Edge | None:
        """Where the run goes on from an output, if anywhere."""
        here = (one for one in self.edges if one.source == node_id and one.source_port == port)
        return next(here, None)

    def entering(self, node_id: str, port: str) -> Iterator[Edge]:
        """What is connected to an input: an agent's tools, its model."""
        return (one for one in self.edges if one.target == node_id and one.target_port == port)


def as_stored(graph: Graph) -> dict[str, Any]:
    return graph.model_dump(mode="json")
