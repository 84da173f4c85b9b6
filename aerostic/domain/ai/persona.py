"""An agent as the loop needs it: its words and limits, read once, held for one run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from aerostic.core.errors import NotFound
from aerostic.core.tenancy import Context
from aerostic.domain.ai.models import Agent, AgentKnowledge


@dataclass(frozen=True, slots=True)
class Example:
    """A question that customers ask, and the answer to it."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Persona:
    """Everything about an agent that a run needs. Costs in micro-dollars."""

    id: UUID
    name: str
    persona: str
    system_prompt: str
    model: str
    temperature: float
    max_turns: int
    tokens_per_run: int
    tokens_per_day: int
    cost_per_run_micros: int
    cost_per_day_micros: int
    hand_over_below: float
    hand_over_words: tuple[str, ...]
    welcome: str
    fallback: str
    remembered: int
    answer_schema: Mapping[str, Any] | None
    examples: tuple[Example, ...]
    base_ids: tuple[UUID, ...]


def read(ctx: Context, agent_id: UUID) -> Persona:
    """Raises NotFound."""
    agent = ctx.get(Agent, agent_id)
    if agent is None:
        raise NotFound("That agent does not exist any more.")
    return Persona(
        id=agent.id,
        name=agent.name,
        persona=agent.persona,
        system_prompt=agent.system_prompt,
        model=agent.model,
        temperature=agent.temperature,
        max_turns=agent.max_turns,
        tokens_per_run=agent.tokens_per_run,
        tokens_per_day=agent.tokens_per_day,
        cost_per_run_micros=agent.cost_per_run_micros,
        cost_per_day_micros=agent.cost_per_day_micros,
        hand_over_below=agent.hand_over_below,
        hand_over_words=tuple(agent.hand_over_words),
        welcome=agent.welcome,
        fallback=agent.fallback,
        remembered=agent.remembered,
        answer_schema=agent.answer_schema,
        examples=tuple(Example(one["question"], one["answer"]) for one in agent.examples),
        base_ids=tuple(bases_of(ctx, agent.id)),
    )


def bases_of(ctx: Context, agent_id: UUID) -> list[UUID]:
    held = select(col(AgentKnowledge.base_id)).where(
        col(AgentKnowledge.tenant_id) == ctx.tenant_id, col(AgentKnowledge.agent_id) == agent_id
    )
    return list(ctx.session.scalars(held.order_by(col(AgentKnowledge.base_id))))
