"""Agents: make them, change them, choose who answers, try them out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.ai import memory
from aerostic.domain.ai.loop import MAX_TURNS
from aerostic.domain.ai.memory import MOST_REMEMBERED
from aerostic.domain.ai.models import LOCAL, Agent, AgentKnowledge
from aerostic.domain.knowledge.models import KnowledgeBase
from aerostic.integrations.gemini.client import MODELS

MODEL_NAMES = (*MODELS, LOCAL)
MOST_AGENTS = 50
MOST_EXAMPLES = 200
LARGEST_SCHEMA = 16_000
LONGEST = {
    "name": 80,
    "persona": 2_000,
    "system_prompt": 20_000,
    "welcome": 1_000,
    "fallback": 1_000,
}
# What a figure may be, from and to. Costs in micro-dollars.
RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "max_turns": (1, MAX_TURNS),
    "tokens_per_run": (500, 1_000_000),
    "tokens_per_day": (1_000, 1_000_000_000),
    "cost_per_run_micros": (0, 100_000_000),
    "cost_per_day_micros": (0, 10_000_000_000),
    "hand_over_below": (0, 1),
    "remembered": (0, MOST_REMEMBERED),
}


@dataclass(frozen=True, slots=True)
class AgentDraft:
    """An agent as it is typed. None: left as it is, or as the default says."""

    name: str | None = None
    persona: str | None = None
    system_prompt: str | None = None
    model: str | None = None
    temperature: float | None = None
    max_turns: int | None = None
    tokens_per_run: int | None = None
    tokens_per_day: int | None = None
    cost_per_run_micros: int | None = None
    cost_per_day_micros: int | None = None
    hand_over_below: float | None = None
    hand_over_words: Sequence[str] | None = None
    welcome: str | None = None
    fallback: str | None = None
    remembered: int | None = None
    answer_schema: Mapping[str, Any] | None = None
    has_answer_schema: bool | None = None  # False: answers are words again
    examples: Sequence[Mapping[str, str]] | None = None
    base_ids: Sequence[UUID] | None = None


@requires(Permission.AI_MANAGE)
def create_agent(ctx: Context, draft: AgentDraft) -> Agent:
    """Make an agent. Raises Invalid for a field that can not be, Conflict where the name is taken."""
    held = ctx.session.scalar(select(func.count()).select_from(Agent)) or 0
    if held >= MOST_AGENTS:
        raise Refused(f"A workspace has at most {MOST_AGENTS} agents.")
    agent = Agent(name=_text("name", draft.name or ""), model=MODEL_NAMES[0])
    _fill(agent, draft)
    ctx.session.add(agent)
    return _save(ctx, agent, draft)


@requires(Permission.AI_MANAGE)
def change_agent(
    ctx: Context, agent_id: UUID, draft: AgentDraft, *, revision: int | None = None
) -> Agent:
    """Change what is given. Runs that have begun keep what they began with.

    With a `revision`: raises Conflict where somebody else saved meanwhile.
    """
    agent = _the_agent(ctx, agent_id, for_update=True)
    if revision is not None and revision != agent.revision:
        raise Conflict("Somebody else changed this agent meanwhile. Load the page again.")
    _fill(agent, draft)
    agent.revision += 1
    agent.updated_at = ctx.now
    return _save(ctx, agent, draft)


@requires(Permission.AI_MANAGE)
def delete_agent(ctx: Context, agent_id: UUID) -> None:
    """Delete an agent and what it remembers. The log of its turns stays until it is old."""
    agent = _the_agent(ctx, agent_id, for_update=True)
    ctx.session.delete(agent)
    ctx.announce("agent", agent_id)


@requires(Permission.AI_MANAGE)
def choose_answering(ctx: Context, agent_id: UUID, *, answers: bool = True) -> None:
    """Whoever writes to a number in mode AI meets this agent; no other one."""
    _the_agent(ctx, agent_id, for_update=True)
    others = update(Agent).where(col(Agent.tenant_id) == ctx.tenant_id, col(Agent.is_answering))
    ctx.session.execute(others.values(is_answering=False))
    ctx.session.expire_all()
    _the_agent(ctx, agent_id).is_answering = answers
    ctx.write_unless_taken(Conflict("Somebody else chose an agent at this moment. Try again."))
    ctx.announce("agent", agent_id)


@requires(Permission.AI_MANAGE)
def begin_trial_anew(ctx: Context, agent_id: UUID) -> None:
    """Forget the trial's conversation."""
    _the_agent(ctx, agent_id)
    memory.forget(ctx, agent_id, memory.trial_key(ctx))


def _save(ctx: Context, agent: Agent, draft: AgentDraft) -> Agent:
    ctx.write_unless_taken(Conflict("There is an agent of that name already."))
    if draft.base_ids is not None:
        _set_bases(ctx, agent.id, draft.base_ids)
    ctx.announce("agent", agent.id)
    return agent


def _set_bases(ctx: Context, agent_id: UUID, base_ids: Sequence[UUID]) -> None:
    wanted = list(dict.fromkeys(base_ids))
    known = select(func.count()).where(
        col(KnowledgeBase.tenant_id) == ctx.tenant_id, col(KnowledgeBase.id).in_(wanted)
    )
    if ctx.session.scalar(known) != len(wanted):
        raise NotFound("That knowledge base does not exist.")
    held = delete(AgentKnowledge).where(
        col(AgentKnowledge.tenant_id) == ctx.tenant_id, col(AgentKnowledge.agent_id) == agent_id
    )
    ctx.session.execute(held)
    ctx.session.add_all(AgentKnowledge(agent_id=agent_id, base_id=one) for one in wanted)
    ctx.session.flush()


def _fill(agent: Agent, draft: AgentDraft) -> None:
    """Write what is given over what was there, checked."""
    for one in fields(draft):
        given = getattr(draft, one.name)
        if given is None or one.name in {"base_ids", "has_answer_schema"}:
            continue
        setattr(agent, one.name, _checked(one.name, given))
    if draft.has_answer_schema is False:
        agent.answer_schema = None


def _checked(name: str, given: Any) -> Any:
    if name in LONGEST:
        return _text(name, given)
    if name in RANGES:
        return _figure(name, given)
    if name == "model":
        return _model(given)
    if name == "hand_over_words":
        return _words(given)
    if name == "examples":
        return _examples(given)
    return _schema(given)


def _text(name: str, given: str) -> str:
    plain = " ".join(given.split()) if name == "name" else given.strip()
    if len(plain) > LONGEST[name] or (name == "name" and not plain):
        shown = name.replace("_", " ")
        raise Invalid(
            name,
            f"The {shown} has {'1 to' if name == 'name' else 'at most'} {LONGEST[name]:,} characters.",
        )
    return plain


def _figure(name: str, given: float) -> float:
    least, most = RANGES[name]
    if not least <= given <= most:
        raise Invalid(name, f"This must be between {least:g} and {most:,.10g}.")
    return given


def _model(given: str) -> str:
    if given not in MODEL_NAMES:
        raise Invalid("model", f"Choose one of {', '.join(MODEL_NAMES)}.")
    return given


def _words(given: Sequence[str]) -> list[str]:
    found = [" ".join(one.split())[:60] for one in given]
    return list(dict.fromkeys(one for one in found if one))[:50]


def _examples(given: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    if len(given) > MOST_EXAMPLES:
        raise Invalid("examples", f"At most {MOST_EXAMPLES} examples fit.")
    pairs = [
        {
            "question": str(one.get("question", "")).strip(),
            "answer": str(one.get("answer", "")).strip(),
        }
        for one in given
    ]
    kept = [one for one in pairs if one["question"] or one["answer"]]
    if any(not one["question"] or not one["answer"] for one in kept):
        raise Invalid("examples", "Each example has a question and an answer.")
    if any(len(text) > 2_000 for one in kept for text in one.values()):
        raise Invalid("examples", "A question or answer has at most 2,000 characters.")
    return kept


def _schema(given: Mapping[str, Any]) -> dict[str, Any]:
    schema = dict(given)
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
        raise Invalid(
            "answer_schema", 'This must be a JSON schema: {"type": "object", "properties": {…}}.'
        )
    if len(json.dumps(schema)) > LARGEST_SCHEMA:
        raise Invalid("answer_schema", "The schema is larger than 16 kB.")
    return schema


def _the_agent(ctx: Context, agent_id: UUID, *, for_update: bool = False) -> Agent:
    agent = ctx.get(Agent, agent_id, for_update=for_update)
    if agent is None:
        raise NotFound("That agent does not exist.")
    return agent
