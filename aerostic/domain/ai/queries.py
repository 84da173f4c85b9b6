"""Agents as they are looked at, with what they used, and the log of their turns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from aerostic.core.errors import NotFound
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.settings import settings
from aerostic.core.tenancy import Context
from aerostic.domain.ai import persona
from aerostic.domain.ai.models import Agent, AgentDay, AgentTurn, TurnOutcome


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent in a list, with what it used today (UTC). Costs in micro-dollars."""

    id: UUID
    name: str
    model: str
    is_answering: bool
    updated_at: datetime
    turns_today: int
    tokens_today: int
    cost_today_micros: int


@dataclass(frozen=True, slots=True)
class AgentDetail:
    """An agent with everything that can be set, and what it used today."""

    row: AgentRow
    persona: str
    system_prompt: str
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
    examples: tuple[Mapping[str, str], ...]
    base_ids: tuple[UUID, ...]
    revision: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TurnView:
    """One line of the log. Costs in micro-dollars."""

    id: UUID
    run_id: UUID
    number: int
    is_trial: bool
    conversation_id: UUID | None
    model: str
    question: str
    answer: str
    calls: tuple[Mapping[str, Any], ...]
    sources: tuple[Mapping[str, Any], ...]
    outcome: TurnOutcome
    reason: str
    confidence: float | None
    tokens_in: int
    tokens_out: int
    cost_micros: int
    milliseconds: int
    created_at: datetime


@requires(Permission.AI_READ)
def has_key(ctx: Context) -> bool:
    """Whether the operator has set a Gemini key: without one, the local answerer replies for every agent."""
    return bool(settings().gemini_api_key.get_secret_value())


@requires(Permission.AI_READ)
def agents(ctx: Context) -> list[AgentRow]:
    """All of them, by name: a workspace has at most fifty."""
    today = col(AgentDay.day) == ctx.now.date()
    found = (
        select(Agent, AgentDay)
        .outerjoin(
            AgentDay,
            (col(AgentDay.tenant_id) == col(Agent.tenant_id))
            & (col(AgentDay.agent_id) == col(Agent.id))
            & today,
        )
        .where(col(Agent.tenant_id) == ctx.tenant_id)
        .order_by(col(Agent.name))
    )
    return [_row(agent, day) for agent, day in ctx.session.execute(found)]


@requires(Permission.AI_READ)
def agent(ctx: Context, agent_id: UUID) -> AgentDetail:
    """One of them. Raises NotFound."""
    found = ctx.get(Agent, agent_id)
    if found is None:
        raise NotFound("That agent does not exist.")
    day = ctx.session.get(AgentDay, (ctx.tenant_id, agent_id, ctx.now.date()))
    same = {
        name: getattr(found, name)
        for name in AgentDetail.__dataclass_fields__
        if name not in {"row", "hand_over_words", "examples", "base_ids"}
    }
    return AgentDetail(
        row=_row(found, day),
        hand_over_words=tuple(found.hand_over_words),
        examples=tuple(found.examples),
        base_ids=tuple(persona.bases_of(ctx, agent_id)),
        **same,
    )


@requires(Permission.AI_READ)
def turns(
    ctx: Context, agent_id: UUID, *, after: Cursor | None = None, limit: int = 50
) -> Page[TurnView]:
    """An agent's turns, newest first. Raises NotFound."""
    if ctx.get(Agent, agent_id) is None:
        raise NotFound("That agent does not exist.")
    size = page_size(limit)
    wanted = select(AgentTurn).where(
        col(AgentTurn.tenant_id) == ctx.tenant_id, col(AgentTurn.agent_id) == agent_id
    )
    if after:
        (last,) = read_cursor(after, UUID)
        wanted = wanted.where(col(AgentTurn.id) < last)
    newest = wanted.order_by(col(AgentTurn.id).desc()).limit(size + 1)
    found = [_turn(row) for row in ctx.session.scalars(newest)]
    is_more = len(found) > size
    return Page(found[:size], cursor_of(found[size - 1].id) if is_more else None)


def _row(agent: Agent, day: AgentDay | None) -> AgentRow:
    return AgentRow(
        id=agent.id,
        name=agent.name,
        model=agent.model,
        is_answering=agent.is_answering,
        updated_at=agent.updated_at,
        turns_today=day.turns if day else 0,
        tokens_today=day.tokens if day else 0,
        cost_today_micros=day.cost_micros if day else 0,
    )


def _turn(row: AgentTurn) -> TurnView:
    same = {
        name: getattr(row, name)
        for name in TurnView.__dataclass_fields__
        if name not in {"calls", "sources", "outcome"}
    }
    return TurnView(
        calls=tuple(row.calls), sources=tuple(row.sources), outcome=TurnOutcome(row.outcome), **same
    )
