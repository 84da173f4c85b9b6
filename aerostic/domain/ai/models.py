"""Agents, what they remember, and the log of their turns."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, belongs_to, created, moment, new_key

LOCAL = "local"  # the model that is no language model: see `local.py`


class TurnOutcome(StrEnum):
    """What a turn of a model came to."""

    ANSWERED = "answered"
    CALLED_TOOLS = "called_tools"
    HANDED_OVER = "handed_over"
    FAILED = "failed"
    STOPPED = "stopped"  # a limit


class Agent(TenantModel, table=True):
    """Who answers: its words, its limits, and when it leaves the answer to a person."""

    __tablename__ = "agents"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        Index(
            "agents_answering",
            "tenant_id",
            unique=True,
            postgresql_where=text("is_answering"),
        ),
    )

    id: UUID = new_key()
    name: str
    persona: str = ""
    system_prompt: str = ""
    model: str
    temperature: float = 0.3
    max_turns: int = 10
    tokens_per_run: int = 20_000
    tokens_per_day: int = 500_000
    cost_per_run_micros: int = Field(default=100_000, sa_type=BigInteger)  # of a US dollar
    cost_per_day_micros: int = Field(default=5_000_000, sa_type=BigInteger)
    hand_over_below: float = 0.35  # a confidence from 0 to 1; 0: never for that reason
    hand_over_words: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    welcome: str = ""
    fallback: str = ""
    remembered: int = 12  # messages of a conversation
    answer_schema: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    examples: list[dict[str, str]] = Field(default_factory=list, sa_type=JSONB)
    is_answering: bool = False  # whoever writes to a number in mode AI meets this one
    revision: int = 0
    created_at: datetime = created()
    updated_at: datetime = created()


class AgentKnowledge(TenantModel, table=True):
    """Which bases an agent answers from."""

    __tablename__ = "agent_knowledge"
    __table_args__ = (
        belongs_to("agents", "agent_id", on_delete="CASCADE"),
        belongs_to("knowledge_bases", "base_id", on_delete="CASCADE"),
    )

    agent_id: UUID = Field(primary_key=True)
    base_id: UUID = Field(primary_key=True)


class AgentMemory(TenantModel, table=True):
    """The last things said between an agent and one conversation."""

    __tablename__ = "agent_memories"
    __table_args__ = (belongs_to("agents", "agent_id", on_delete="CASCADE"),)

    agent_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True)  # "conversation:<id>", "trial:<user>", or as a workflow says
    conversation_id: UUID | None = None
    said: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    updated_at: datetime = created()


class StoredValue(TenantModel, table=True):
    """What a workflow keeps from one run to the next, under a name: for the workspace or for one contact."""

    __tablename__ = "stored_values"

    owner: str = Field(primary_key=True)  # "workspace" or "contact:<id>"
    name: str = Field(primary_key=True)
    value: Any = Field(sa_type=JSONB)
    updated_at: datetime = created()


class AgentTurn(TenantModel, table=True):
    """One question to a model and what came of it. Partitioned by month on its id."""

    __tablename__ = "agent_turns"
    __table_args__ = (
        Index("agent_turns_of_agent", "tenant_id", "agent_id", "id"),
        Index("agent_turns_of_conversation", "tenant_id", "conversation_id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: UUID = new_key()
    agent_id: UUID
    run_id: UUID  # an execution, or a trial
    number: int  # of the turn in its run
    is_trial: bool = False
    conversation_id: UUID | None = None
    model: str
    question: str = ""
    answer: str = ""
    calls: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    sources: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    outcome: str
    reason: str = ""
    confidence: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = Field(default=0, sa_type=BigInteger)
    milliseconds: int = 0
    created_at: datetime = created()


class AgentDay(TenantModel, table=True):
    """What an agent has used on a day (UTC): what its daily limits are held against."""

    __tablename__ = "agent_days"
    __table_args__ = (belongs_to("agents", "agent_id", on_delete="CASCADE"),)

    agent_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    turns: int = 0
    tokens: int = Field(default=0, sa_type=BigInteger)
    cost_micros: int = Field(default=0, sa_type=BigInteger)
    stopped_at: datetime | None = moment(default=None)  # when a limit was first met
