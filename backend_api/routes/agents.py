"""AI agents over HTTP: make them, change them, try them out, read what they did and what it cost."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.ai import queries, service, trying
from aerostic.domain.ai.loop import Ended
from aerostic.domain.ai.models import TurnOutcome
from aerostic.domain.ai.queries import AgentDetail, AgentRow, TurnView
from aerostic.domain.ai.service import AgentDraft
from aerostic.integrations.gemini import client as gemini
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1/agents", tags=["AI agents"])

MODELS = ", ".join(f"`{name}`" for name in service.MODEL_NAMES)


class AgentRowOut(BaseModel):
    """An agent and what it used today (UTC). Costs in millionths of a US dollar."""

    id: UUID
    name: str = Field(examples=["Robin"])
    model: str = Field(examples=["gemini-2.5-flash"])
    is_answering: bool = Field(description="Whoever writes to a number in mode AI meets this one.")
    turns_today: int
    tokens_today: int
    cost_today_micros: int
    updated_at: datetime

    @classmethod
    def of(cls, row: AgentRow) -> "AgentRowOut":
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class AgentsOut(BaseModel):
    """All of them: a workspace has at most fifty. Without a key, local answers stand in for Gemini."""

    items: list[AgentRowOut]
    has_gemini_key: bool
    next_cursor: None = None


class ExampleIn(BaseModel):
    question: str = Field(max_length=4_000, examples=["When are you open?"])
    answer: str = Field(max_length=4_000, examples=["From eight to six, Monday to Saturday."])


class AgentOut(AgentRowOut):
    persona: str
    system_prompt: str
    temperature: float
    max_turns: int
    tokens_per_run: int
    tokens_per_day: int
    cost_per_run_micros: int
    cost_per_day_micros: int
    hand_over_below: float
    hand_over_words: list[str]
    welcome: str
    fallback: str
    remembered: int
    answer_schema: dict[str, Any] | None
    examples: list[ExampleIn]
    base_ids: list[UUID]
    revision: int
    created_at: datetime

    @classmethod
    def of_detail(cls, one: AgentDetail) -> "AgentOut":
        same = {name: getattr(one, name) for name in cls.model_fields if hasattr(one, name)}
        row = AgentRowOut.of(one.row).model_dump()
        examples = [ExampleIn(**example) for example in one.examples]
        return cls(**{**row, **same, "examples": examples})


class AgentIn(BaseModel):
    """What is left out stays, or is as the default says. Costs in millionths of a US dollar."""

    name: str | None = Field(None, max_length=1_000, examples=["Robin"])
    persona: str | None = Field(None, examples=["Warm and brief. Says “we”."])
    system_prompt: str | None = Field(None, examples=["You help customers of Bluebird Café."])
    model: str | None = Field(None, examples=["gemini-2.5-flash"], description=MODELS)
    temperature: float | None = Field(None, examples=[0.3])
    max_turns: int | None = Field(None, examples=[10])
    tokens_per_run: int | None = Field(None, examples=[20_000])
    tokens_per_day: int | None = Field(None, examples=[500_000])
    cost_per_run_micros: int | None = Field(None, examples=[100_000])
    cost_per_day_micros: int | None = Field(None, examples=[5_000_000])
    hand_over_below: float | None = Field(None, examples=[0.35])
    hand_over_words: list[str] | None = Field(None, max_length=100, examples=[["human", "agent"]])
    welcome: str | None = Field(None, examples=["Welcome to Bluebird!"])
    fallback: str | None = Field(None, examples=["A colleague will write to you soon."])
    remembered: int | None = Field(None, examples=[12])
    answer_schema: dict[str, Any] | None = Field(
        None, examples=[None], description="A JSON schema; an empty object: words again."
    )
    examples: list[ExampleIn] | None = Field(None, max_length=1_000, examples=[[]])
    base_ids: list[UUID] | None = Field(None, max_length=100, examples=[[]])

    def draft(self) -> AgentDraft:
        given = self.model_dump(exclude_unset=True, exclude={"answer_schema", "revision"})
        schema = self.answer_schema or None
        has_schema = bool(schema) if "answer_schema" in self.model_fields_set else None
        return AgentDraft(**given, answer_schema=schema, has_answer_schema=has_schema)


class AgentNewIn(AgentIn):
    name: str = Field(max_length=1_000, examples=["Robin"])


class AgentChangeIn(AgentIn):
    revision: int | None = Field(
        None, examples=[None], description="As it was read: a later change of another is kept then."
    )


class AnsweringIn(BaseModel):
    answers: bool = True


class TrialIn(BaseModel):
    message: str = Field(min_length=1, max_length=8_000, examples=["When are you open?"])


class SourceOut(BaseModel):
    document: str
    place: str
    url: str


class TrialOut(BaseModel):
    """What the agent answered, and why where it did not. Costs in millionths of a US dollar."""

    ending: str = Field(examples=["answered"])
    text: str
    reason: str
    note: str
    model: str
    confidence: float | None
    sources: list[SourceOut]
    data: Any = None
    turns: int
    tokens: int
    cost_micros: int

    @classmethod
    def of(cls, ended: Ended) -> "TrialOut":
        return cls(
            ending=ended.ending,
            text=ended.text,
            reason=ended.reason,
            note=ended.note,
            model=ended.model,
            confidence=ended.confidence,
            sources=[
                SourceOut(document=one.document, place=one.place, url=one.url)
                for one in ended.sources
            ],
            data=ended.structured,
            turns=ended.turns,
            tokens=ended.tokens,
            cost_micros=ended.cost_micros,
        )


class TurnOut(BaseModel):
    """One question to a model. Costs in millionths of a US dollar."""

    id: UUID
    run_id: UUID
    number: int
    is_trial: bool
    conversation_id: UUID | None
    model: str
    question: str
    answer: str
    calls: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    outcome: TurnOutcome
    reason: str
    confidence: float | None
    tokens_in: int
    tokens_out: int
    cost_micros: int
    milliseconds: int
    created_at: datetime

    @classmethod
    def of(cls, turn: TurnView) -> "TurnOut":
        same = {name: getattr(turn, name) for name in cls.model_fields}
        return cls(**{**same, "calls": list(turn.calls), "sources": list(turn.sources)})


@router.get("")
def agents(ctx: Ctx) -> AgentsOut:
    """All agents, by name."""
    items = [AgentRowOut.of(row) for row in queries.agents(ctx)]
    return AgentsOut(items=items, has_gemini_key=queries.has_key(ctx))


@router.post("", status_code=201)
def create_agent(ctx: Ctx, once: Once, body: AgentNewIn) -> AgentOut:
    """Make an agent. It answers nobody before a workflow uses it, or it is chosen to answer."""
    return once(lambda: _shown(ctx, service.create_agent(ctx, body.draft()).id))


@router.get("/{agent_id}")
def agent(ctx: Ctx, agent_id: UUID) -> AgentOut:
    """One agent, with everything that can be set."""
    return _shown(ctx, agent_id)


@router.patch("/{agent_id}")
def change_agent(ctx: Ctx, agent_id: UUID, body: AgentChangeIn) -> AgentOut:
    """Change what is given. Runs that have begun keep what they began with."""
    service.change_agent(ctx, agent_id, body.draft(), revision=body.revision)
    return _shown(ctx, agent_id)


@router.delete("/{agent_id}", status_code=204)
def delete_agent(ctx: Ctx, agent_id: UUID) -> None:
    """Delete an agent. Workflows that use it end that step with the reason."""
    service.delete_agent(ctx, agent_id)


@router.put("/{agent_id}/answering", status_code=204)
def choose_answering(ctx: Ctx, agent_id: UUID, body: AnsweringIn) -> None:
    """Whoever writes to a number in mode AI meets this agent; or, with `false`, nobody does."""
    service.choose_answering(ctx, agent_id, answers=body.answers)


@router.post("/{agent_id}/trials")
def try_agent(ctx: Ctx, agent_id: UUID, body: TrialIn) -> TrialOut:
    """Ask an agent as a customer would. It remembers your trial until you begin anew, and it costs."""

    async def ask() -> Ended:
        try:
            return await trying.try_out(trying.AskHere(ctx), agent_id, body.message)
        finally:
            await gemini.rest()

    return TrialOut.of(asyncio.run(ask()))


@router.delete("/{agent_id}/trials", status_code=204)
def begin_trial_anew(ctx: Ctx, agent_id: UUID) -> None:
    """Forget your trial's conversation."""
    service.begin_trial_anew(ctx, agent_id)


@router.get("/{agent_id}/turns")
def turns(ctx: Ctx, agent_id: UUID, after: After = None, limit: Limit = 50) -> PageOut[TurnOut]:
    """Every question to a model with its answer, tools, tokens and cost, newest first."""
    return PageOut.of(queries.turns(ctx, agent_id, after=after, limit=limit), TurnOut.of)


def _shown(ctx: Ctx, agent_id: UUID) -> AgentOut:
    return AgentOut.of_detail(queries.agent(ctx, agent_id))
