"""Agents for tests, tools that hang on them, and workflows in which they answer."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from aerostic.core.tenancy import Context
from aerostic.domain.ai import queries, service
from aerostic.domain.ai.queries import TurnView
from aerostic.domain.ai.service import AgentDraft
from aerostic.domain.automation.graph import Edge, Graph, PlacedNode
from aerostic.domain.automation.models import Execution
from aerostic.domain.automation.nodes.base import (
    OUT,
    TOOL,
    Change,
    Group,
    Instant,
    NodeFailed,
    Outcome,
    Port,
    Step,
)
from aerostic.domain.automation.nodes.fields import ToolConfig
from aerostic.domain.contacts.models import Contact
from tests.automation.kinds import begun, steps, walked
from tests.conftest import Place


class LookUp(Instant):
    """What the model filled in, and what the author fixed, come back as they arrived."""

    kind = "test.look_up"
    title, icon, summary, group = "Look up", "dot", "Looks something up.", Group.DATA
    outputs: ClassVar[tuple[Port, ...]] = (OUT, TOOL)

    class Config(ToolConfig):
        order: str = ""
        shop: str = "bluebird"
        url: str = ""

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        if config.order == "none":
            raise NodeFailed("There is no such order.")
        return Outcome(output={"order": config.order, "shop": config.shop, "url": config.url})


class Rename(Change):
    """Names a contact anew: the one that the model chooses, if its author lets it."""

    kind = "test.rename"
    title, icon, summary, group = "Rename", "dot", "Renames a contact.", Group.PEOPLE
    outputs: ClassVar[tuple[Port, ...]] = (OUT, TOOL)

    class Config(ToolConfig):
        contact: str = ""
        name: str = ""

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        contact = ctx.get(Contact, UUID(config.contact))
        if contact is None:
            raise NodeFailed("There is no contact with that id.")
        contact.name = config.name
        return Outcome(output={"name": contact.name})


TOOL_KINDS = (LookUp, Rename)

ORDER: dict[str, Any] = {
    "order": "{{ tool.number }}",
    "tool_description": "The state of an order.",
    "tool_parameters": [{"name": "number", "type": "text", "description": "Of the order."}],
}


def agent_of(place: Place, **draft: Any) -> UUID:
    """An agent that answers whatever it is asked."""
    usual: dict[str, Any] = {"name": "Robin", "hand_over_below": 0.0}
    with place.work("admin") as ctx:
        return service.create_agent(ctx, AgentDraft(**{**usual, **draft})).id


def graph_with(
    agent_id: UUID,
    *tools: tuple[str, str, Mapping[str, Any]],
    equipment: Sequence[tuple[str, Mapping[str, Any]]] = (),
    **config: Any,
) -> Graph:
    """Trigger `t`, then the agent `a`; tools as `(name, kind, config)`, equipment by its kind."""
    placed = [
        PlacedNode(id="t", kind="trigger.test"),
        PlacedNode(id="a", kind="ai.agent", config={"agent": str(agent_id), **config}),
    ]
    edges = [Edge(id="e", source="t", target="a")]
    for at, (name, kind, settings) in enumerate(tools):
        placed.append(PlacedNode(id=f"x{at}", kind=kind, name=name, config=dict(settings)))
        edges.append(_equips(f"x{at}", "tool", "tools"))
    for at, (kind, settings) in enumerate(equipment):
        port = {"model": "model", "ai.memory": "memory", "ai.knowledge": "knowledge"}
        wanted = port.get(kind.partition(".")[0]) or port[kind]
        placed.append(PlacedNode(id=f"q{at}", kind=kind, config=dict(settings)))
        edges.append(_equips(f"q{at}", wanted, wanted))
    return Graph(nodes=placed, edges=edges)


def _equips(source: str, output: str, port: str) -> Edge:
    return Edge(id=f"e-{source}", source=source, source_port=output, target="a", target_port=port)


def asked(place: Place, graph: Graph, text: str, **more: Any) -> tuple[Execution, dict[str, Any]]:
    """A run in which somebody wrote this, and the agent's own step of it."""
    execution_id = begun(place, graph, message={"text": text}, **more)
    run = walked(place, execution_id)
    step = next(one for one in steps(place, execution_id) if one["node"] == "a")
    return run, step


def turns_of(place: Place, agent_id: UUID) -> list[TurnView]:
    """The log, oldest first."""
    with place.work("admin") as ctx:
        return queries.turns(ctx, agent_id).items[::-1]
