"""What a node is: a kind, a form, typed ports, and one way in which it takes effect.

Three ways, because they differ in what a crash may do to them:

* `Instant`: computes and nothing else. Run again after a crash, it gives the same.
* `Change`: writes our own rows, in the transaction that also records the step: exactly once.
* `Call`: asks the outside (HTTP, Google, a model). The engine commits that it is about to call, calls with no
  transaction open, and records the answer: at most once. One that a crash interrupted becomes `unknown`.

A kind is one module of this package with one class, listed in `nodes/__init__.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from aerostic.core.tenancy import Context
from aerostic.domain.automation.graph import PlacedNode, PortType

R = TypeVar("R")

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Group(StrEnum):
    """Where the palette shows a kind."""

    TRIGGER = "Triggers"
    MESSAGE = "Messages"
    ASK = "Questions"
    LOGIC = "Logic"
    PEOPLE = "People"
    DATA = "Data"
    OUTSIDE = "Connections"
    AI = "AI"


@dataclass(frozen=True, slots=True)
class Port:
    """A named place where a connection begins or ends. `many`: several connections may end there."""

    name: str
    title: str
    type: PortType = PortType.FLOW
    many: bool = False


IN = Port("in", "In", many=True)
OUT = Port("out", "Then")
ERROR = Port("error", "On error")
TIMEOUT = Port("timeout", "No answer")
TOOL = Port("tool", "As a tool", PortType.TOOL)


class NodeConfig(BaseModel):
    """The settings of a kind. The editor draws its form from this: field titles, descriptions, types.

    Text may hold Liquid (`{{ contact.name }}`); it is rendered before the configuration is read, and a
    setting that is one expression alone keeps the type of its value.
    `json_schema_extra={"widget": …}` chooses a control: `text`, `multiline`, `secret`, `json`, `rows`,
    `template`, `media`, `workflow`, `connection`, `agent`, `knowledge`, `label`, `member`, `number`, `tag`.
    """

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came in for a run that waited: a message of the contact, or nothing but the time."""

    message: Mapping[str, Any] | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Rest until a moment, or until the contact answers if that is sooner."""

    until: datetime | None = None
    for_reply: bool = False


@dataclass(frozen=True, slots=True)
class Respond:
    """The answer to the webhook that began the run."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


class Outcome(NamedTuple):
    """What a step did, and how the run goes on.

    Through `port`; or it rests (`wait`) and `resume` is asked later; or it ends (`ends`, with `reason`).
    `output` is `nodes.<id>.output`; `names` are further names for templates (`apiResponse`, `vars` …);
    `keep` is the node's own memory for its `resume`; `each` begins a loop over these items.
    """

    port: str = "out"
    output: Any = None
    names: Mapping[str, Any] = NOTHING
    wait: Wait | None = None
    ends: bool = False
    reason: str = ""
    respond: Respond | None = None
    keep: Mapping[str, Any] = NOTHING
    each: list[Any] | None = None
    call_workflow: "SubRun | None" = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubRun:
    """Run another workflow and wait for its end; its result is the output."""

    workflow_id: UUID
    given: Mapping[str, Any]


class NodeFailed(Exception):
    """The step did not do what it should. The sentence is shown on the canvas; the error port is taken if
    it leads somewhere, else the run fails. `may_pass`: worth another try, if the node has tries left."""

    def __init__(self, sentence: str, *, may_pass: bool = False, output: Any = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.may_pass = may_pass
        self.output = output


class Step(NamedTuple):
    """Where a run stands: what a node is told. `scope` is what templates see."""

    tenant_id: UUID
    execution_id: UUID
    workflow_id: UUID
    number: int  # of the step in its run: with the execution a key that is used once
    node: PlacedNode
    scope: Mapping[str, Any]
    now: datetime
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    number_id: UUID | None = None
    depth: int = 0
    kept: Mapping[str, Any] = NOTHING
    equipment: Mapping[str, tuple[PlacedNode, ...]] = NOTHING  # by input port

    @property
    def key(self) -> str:
        """The same for the same step, however often a crash makes us take it."""
        return f"run:{self.execution_id}:{self.number}"


class Outside(Protocol):
    """What a `Call` may use. Nothing of it holds a transaction open."""

    async def ask(self, action: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        """Run a domain function `action(ctx, …)` as the tenant's automation, in a transaction of its own."""
        ...

    def http(self) -> Any:
        """The client that refuses private addresses: `integrations.outside.client.OutsideClient`."""
        ...

    async def use(self, node: PlacedNode, given: Mapping[str, Any]) -> Any:
        """Run another node as a tool, with what the model gave for its parameters; return its output."""
        ...


class Node:
    """One kind. Never instantiated: it has no state of its own."""

    kind: ClassVar[str]
    title: ClassVar[str]
    group: ClassVar[Group]
    icon: ClassVar[str]  # a lucide name
    summary: ClassVar[str]  # one sentence for the palette and the documentation
    Config: ClassVar[type[NodeConfig]]
    inputs: ClassVar[tuple[Port, ...]] = (IN,)
    outputs: ClassVar[tuple[Port, ...]] = (OUT,)
    reads_only: ClassVar[bool] = False  # safe to do in a recorded run too
    needs_conversation: ClassVar[bool] = False  # the linter warns behind a trigger that has none

    @classmethod
    def outputs_of(cls, config: Mapping[str, Any]) -> tuple[Port, ...]:
        """The outputs that a configuration gives, as it stands in the graph, valid or not."""
        return cls.outputs

    @classmethod
    def asks_for_conversation(cls, config: Mapping[str, Any]) -> bool:
        """Whether it can do nothing in a run without a conversation, as it is set in the graph."""
        return cls.needs_conversation


class Trigger(Node):
    """Begins a run. Has no input."""

    inputs = ()
    group = Group.TRIGGER
    event: ClassVar[str]  # what it hears: a kind of signal, or what else begins it

    @classmethod
    def matches(cls, config: Any, event: Mapping[str, Any]) -> bool:
        return True


class Instant(Node):
    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        raise NotImplementedError

    @classmethod
    def resume(cls, step: Step, config: Any, reply: Reply) -> Outcome:
        """After a `wait`. A wait for a time alone goes on by itself."""
        return Outcome("timeout" if reply.timed_out else "out")


class Change(Node):
    prepares: ClassVar[bool] = False

    @classmethod
    async def prepare(cls, step: Step, config: Any, outside: Outside) -> Any:
        """Its settings with what it needs of the outside, asked before the transaction of a kind that
        `prepares`. A crash has it asked again: only what has no effect there."""
        return config

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        raise NotImplementedError

    @classmethod
    def resume(cls, ctx: Context, step: Step, config: Any, reply: Reply) -> Outcome:
        return Outcome("timeout" if reply.timed_out else "out")


class Call(Node):
    outputs: ClassVar[tuple[Port, ...]] = (OUT, ERROR)

    @classmethod
    async def call(cls, step: Step, config: Any, outside: Outside) -> Outcome:
        raise NotImplementedError


class Equipment(Node):
    """Equips an agent and takes no step: a model, a memory, a knowledge base."""

    inputs = ()
    group = Group.AI
