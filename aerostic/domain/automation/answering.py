"""In mode AI, the workspace's answering agent answers: as a run of a small workflow that nobody has drawn."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.tenancy import Context
from aerostic.domain.ai.models import Agent
from aerostic.domain.automation import engine, scope
from aerostic.domain.automation.graph import Edge, Graph, PlacedNode, Point
from aerostic.domain.signals.models import Signal

TRIGGER = "trigger.message"
SAID = "{{ nodes.agent.output.text }}"


def answer(ctx: Context, signal: Signal, parts: Mapping[str, Any]) -> bool:
    """Let the answering agent answer this message. False: the workspace has chosen none."""
    chosen = select(Agent.id).where(
        col(Agent.tenant_id) == ctx.tenant_id, col(Agent.is_answering).is_(True)
    )
    agent_id = ctx.session.exec(chosen).first()
    if agent_id is None:
        return False
    engine.begin(
        ctx,
        workflow_id=agent_id,
        graph=graph_of(agent_id),
        trigger_node="message",
        trigger_kind=TRIGGER,
        given={
            "message": parts["message"],
            "trigger": {"kind": TRIGGER, "at": scope.clock(signal.created_at)},
        },
        conversation_id=signal.conversation_id,
        contact_id=signal.contact_id,
        number_id=signal.number_id,
    )
    return True


def graph_of(agent_id: UUID) -> Graph:
    """The agent answers; what it leaves to a person goes to one, with its last words if it has any."""
    placed: dict[str, tuple[str, dict[str, Any]]] = {
        "message": (TRIGGER, {}),
        "agent": ("ai.agent", {"agent": str(agent_id)}),
        "memory": ("ai.memory", {}),
        "answer": ("send.text", {"text": SAID}),
        "farewell": ("send.text", {"text": SAID}),
        "person": ("conversation.hand_off", {}),
    }
    leads = (
        ("message", "out", "agent", "in"),
        ("memory", "memory", "agent", "memory"),
        ("agent", "out", "answer", "in"),
        ("agent", "hand_over", "farewell", "in"),
        ("agent", "error", "person", "in"),
        ("farewell", "out", "person", "in"),
        ("farewell", "error", "person", "in"),  # there was nothing to say
    )
    return Graph(
        nodes=[
            PlacedNode(id=one, kind=kind, config=config, position=Point(x=260 * index))
            for index, (one, (kind, config)) in enumerate(placed.items())
        ],
        edges=[
            Edge(id=f"e{n}", source=a, source_port=b, target=c, target_port=d)
            for n, (a, b, c, d) in enumerate(leads)
        ],
    )
