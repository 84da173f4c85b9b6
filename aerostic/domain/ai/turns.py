"""The log of an agent's turns, what each cost, and the limits of a day that they are held against.

Called by the loop, inside the permission of whoever runs it. Each turn is written in a transaction of its
own, so that what was spent is on record even where the run ends badly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core.ids import first_id_at, new_id
from aerostic.core.tenancy import Context
from aerostic.domain.ai.models import AgentDay, AgentTurn, TurnOutcome
from aerostic.domain.ai.persona import Persona
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit
from aerostic.domain.signals.models import AutomationSettings
from aerostic.domain.usage.models import UsageKind
from aerostic.domain.usage.recording import record

LONGEST_KEPT = 8_000


@dataclass(frozen=True, slots=True)
class Spent:
    """By a run so far, or by an agent on a day."""

    tokens: int = 0
    cost_micros: int = 0
    refusal: str = ""  # why the workspace's plan allows no more

    def plus(self, tokens: int, cost_micros: int) -> "Spent":
        return Spent(self.tokens + tokens, self.cost_micros + cost_micros, self.refusal)


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it is written down. `calls`: each with its name, arguments, and what came of it."""

    agent_id: UUID
    run_id: UUID
    number: int
    model: str
    outcome: TurnOutcome
    question: str = ""
    answer: str = ""
    calls: Sequence[Mapping[str, Any]] = ()
    sources: Sequence[Mapping[str, Any]] = ()
    reason: str = ""
    confidence: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = 0
    milliseconds: int = 0
    is_trial: bool = False
    conversation_id: UUID | None = None
    id: UUID = field(default_factory=new_id)


def spent_today(ctx: Context, agent_id: UUID) -> Spent:
    row = ctx.session.get(AgentDay, (ctx.tenant_id, agent_id, ctx.now.date()))
    refusal = plans.refusal(ctx, Limit.TOKENS)
    return Spent(row.tokens, row.cost_micros, refusal) if row else Spent(refusal=refusal)


def write(ctx: Context, turn: Turn) -> None:
    """The turn, its use for the bill, and the day's sums: together or not at all."""
    ctx.session.add(
        AgentTurn(
            id=turn.id,
            agent_id=turn.agent_id,
            run_id=turn.run_id,
            number=turn.number,
            is_trial=turn.is_trial,
            conversation_id=turn.conversation_id,
            model=turn.model,
            question=turn.question[:LONGEST_KEPT],
            answer=turn.answer[:LONGEST_KEPT],
            calls=[dict(one) for one in turn.calls],
            sources=[dict(one) for one in turn.sources],
            outcome=turn.outcome,
            reason=turn.reason[:500],
            confidence=turn.confidence,
            tokens_in=turn.tokens_in,
            tokens_out=turn.tokens_out,
            cost_micros=turn.cost_micros,
            milliseconds=turn.milliseconds,
            created_at=ctx.now,
        )
    )
    if not turn.model:  # nothing was asked: a word of the customer, or a limit
        ctx.announce("agent", turn.agent_id)
        return
    tokens = turn.tokens_in + turn.tokens_out
    record(
        ctx,
        UsageKind.AI_AGENT_CALL,
        tokens,
        ref=turn.id,
        cost_micros=turn.cost_micros,
        model=turn.model,
        is_trial=turn.is_trial,
    )
    _add_to_day(ctx, turn.agent_id, tokens, turn.cost_micros)
    ctx.announce("agent", turn.agent_id)


def _add_to_day(ctx: Context, agent_id: UUID, tokens: int, cost_micros: int) -> None:
    row = {
        "tenant_id": ctx.tenant_id,
        "agent_id": agent_id,
        "day": ctx.now.date(),
        "turns": 1,
        "tokens": tokens,
        "cost_micros": cost_micros,
    }
    statement = insert(AgentDay).values(row)
    added = {
        "turns": col(AgentDay.turns) + 1,
        "tokens": col(AgentDay.tokens) + tokens,
        "cost_micros": col(AgentDay.cost_micros) + cost_micros,
    }
    keys = ["tenant_id", "agent_id", "day"]
    ctx.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=added))


def forget_old(ctx: Context) -> int:
    """Delete the turns that are older than the workspace keeps the log of its runs; return how many.

    What was used stays: bills and figures are made of other rows.
    """
    kept = ctx.session.get(AutomationSettings, ctx.tenant_id) or AutomationSettings()
    before = first_id_at(ctx.now - timedelta(days=kept.keep_days))
    cursor = ctx.cursor().execute(_FORGET, (ctx.tenant_id, before, AT_A_TIME, ctx.tenant_id))
    return cursor.rowcount


AT_A_TIME = 20_000
_FORGET = """
    with old as (
        select id from agent_turns where tenant_id = %s and id < %s order by id limit %s
    )
    delete from agent_turns t using old where t.tenant_id = %s and t.id = old.id
"""


def limit_met(agent: Persona, run: Spent, day: Spent) -> str:
    """Why the agent may not ask its model once more; nothing: it may."""
    if day.refusal:
        return day.refusal
    if run.tokens >= agent.tokens_per_run:
        return f"{agent.name} has used its {agent.tokens_per_run:,} tokens for one run."
    if agent.cost_per_run_micros and run.cost_micros >= agent.cost_per_run_micros:
        return (
            f"{agent.name} has spent what one run may cost ({dollars(agent.cost_per_run_micros)})."
        )
    if day.tokens >= agent.tokens_per_day:
        return f"{agent.name} has used its {agent.tokens_per_day:,} tokens for today."
    if agent.cost_per_day_micros and day.cost_micros >= agent.cost_per_day_micros:
        return f"{agent.name} has spent what a day may cost ({dollars(agent.cost_per_day_micros)})."
    return ""


def dollars(micros: int) -> str:
    """`$0.10`, or as many places as it takes to be true."""
    whole = f"{micros / 1_000_000:.6f}".rstrip("0")
    places = max(2, len(whole.partition(".")[2]))
    return f"${micros / 1_000_000:.{places}f}"
