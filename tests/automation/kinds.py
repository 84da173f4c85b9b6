"""Small kinds of nodes, and workflows made of them: what the engine does with them is the test's question."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeVar
from uuid import UUID

import pytest
from pydantic import Field
from sqlmodel import select

from aerostic.core import lanes
from aerostic.core.tenancy import Context
from aerostic.domain.automation import engine, nodes
from aerostic.domain.automation.graph import Edge, Graph, PlacedNode
from aerostic.domain.automation.models import (
    Execution,
    ExecutionMode,
    Workflow,
    WorkflowVersion,
)
from aerostic.domain.automation.nodes.base import (
    OUT,
    Call,
    Change,
    Group,
    Instant,
    Node,
    NodeConfig,
    NodeFailed,
    Outcome,
    Outside,
    Port,
    Reply,
    Respond,
    Step,
    SubRun,
    Trigger,
    Wait,
)
from aerostic.domain.automation.recorded import steps_of
from aerostic.domain.automation.runner import Runner
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.models import Conversation
from tests.conftest import Place

T = TypeVar("T")


class _Kind(Node):
    title = "Kind of a test"
    group = Group.LOGIC
    icon = "dot"
    summary = "For tests."

    class Config(NodeConfig):
        pass


class Start(Trigger):
    kind = "trigger.test"
    title, icon, summary, event = "Start", "dot", "For tests.", "test"

    class Config(NodeConfig):
        pass


class Called(Start):
    kind = "trigger.called"


class Name(_Kind, Instant):
    """Names a value."""

    kind = "test.name"

    class Config(NodeConfig):
        name: str = "x"
        value: Any = None

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        return Outcome(output=config.value, names={"vars": {config.name: config.value}})


class Turns(_Kind, Instant):
    kind = "test.loop"
    outputs = (Port("each", "Each"), Port("done", "Done"))

    class Config(NodeConfig):
        items: list[Any] = Field(default=[])

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        return Outcome(each=config.items)


class Rest(_Kind, Instant):
    kind = "test.wait"

    class Config(NodeConfig):
        seconds: float = 0

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        return Outcome(wait=Wait(until=step.now + timedelta(seconds=config.seconds)))


class Sub(_Kind, Instant):
    kind = "test.sub"

    class Config(NodeConfig):
        workflow_id: UUID
        given: dict[str, Any] = Field(default={})

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        return Outcome(call_workflow=SubRun(config.workflow_id, config.given))


class Answer(_Kind, Instant):
    kind = "test.respond"

    class Config(NodeConfig):
        body: Any = None
        status: int = 200

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        return Outcome(respond=Respond(config.status, body=config.body), output=config.body)


class Broken(_Kind, Instant):
    kind = "test.broken"

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        raise KeyError("a mistake of ours")


class Jot(_Kind, Change):
    """Writes a note into the conversation: once, or not at all."""

    kind = "test.note"

    class Config(NodeConfig):
        text: str
        fails: bool = False

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        assert step.conversation_id is not None
        inbox.add_note(ctx, step.conversation_id, config.text)
        if config.fails:
            raise NodeFailed("It was not to be.")
        return Outcome(output=config.text)


class Question(_Kind, Change):
    """Asks until the answer is `yes`, three times at most."""

    kind = "test.ask"
    outputs = (OUT, Port("timeout", "No answer"))

    class Config(NodeConfig):
        text: str = "Yes?"
        seconds: float = 3600

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        inbox.add_note(ctx, step.conversation_id, config.text)
        until = step.now + timedelta(seconds=config.seconds)
        times = int(step.kept.get("times", 0)) + 1
        return Outcome(wait=Wait(until, for_reply=True), keep={"times": times})

    @classmethod
    def resume(cls, ctx: Context, step: Step, config: Any, reply: Reply) -> Outcome:
        if reply.timed_out:
            return Outcome("timeout")
        assert reply.message is not None
        if reply.message["text"] != "yes" and step.kept["times"] < 3:
            return cls.change(ctx, step, config)
        return Outcome(output=reply.message["text"])


class Ask(_Kind, Call):
    """A call to the outside: to whatever the test has put into `asked`."""

    kind = "test.call"

    class Config(NodeConfig):
        what: Any = None

    @staticmethod
    async def asked(what: Any) -> Any:
        return what

    @classmethod
    async def call(cls, step: Step, config: Any, outside: Outside) -> Outcome:
        output = await cls.asked(config.what)
        return Outcome(output=output, names={"apiResponse": output})


class Look(Ask):
    kind = "test.look"
    reads_only = True


KINDS = (
    Start,
    Called,
    Name,
    Turns,
    Rest,
    Sub,
    Answer,
    Broken,
    Jot,
    Question,
    Ask,
    Look,
)


def known() -> None:
    """For a process of its own: these kinds are there."""
    nodes.BY_KIND.update({one.kind: one for one in KINDS})


@pytest.fixture(autouse=True)
def test_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in KINDS:
        monkeypatch.setitem(nodes.BY_KIND, one.kind, one)


# Workflows ----------------------------------------------------------------------------------------


def graph_of(*placed: tuple[str, str, Mapping[str, Any]], leads: Sequence[str]) -> Graph:
    """`("n1", "test.name", {…})` and `"n1 n2"` or `"n1.each n2"`."""
    return Graph(
        nodes=[PlacedNode(id=one, kind=kind, config=dict(config)) for one, kind, config in placed],
        edges=[_edge(index, lead) for index, lead in enumerate(leads)],
    )


def _edge(index: int, lead: str) -> Edge:
    source, target = lead.split()
    source, _, port = source.partition(".")
    return Edge(id=f"e{index}", source=source, source_port=port or "out", target=target)


def chain(*steps: tuple[str, Mapping[str, Any]], trigger: str = "trigger.test") -> Graph:
    """A trigger `t`, then `n1`, `n2` … one after the other."""
    placed = [("t", trigger, {}), *((f"n{n}", *step) for n, step in enumerate(steps, 1))]
    ids = [one[0] for one in placed]
    return graph_of(*placed, leads=[f"{a} {b}" for a, b in pairwise(ids)])


def published(place: Place, graph: Graph, name: str = "Test") -> WorkflowVersion:
    """A workflow with one version; it listens to nothing."""
    with place.system_work() as ctx:
        workflow = Workflow(
            name=name, draft=graph.model_dump(mode="json"), published_number=1, is_enabled=True
        )
        ctx.session.add(workflow)
        ctx.session.flush()
        version = WorkflowVersion(
            workflow_id=workflow.id, number=1, graph=graph.model_dump(mode="json")
        )
        ctx.session.add(version)
        ctx.session.flush()
    return version


def begun(
    place: Place,
    graph: Graph | WorkflowVersion,
    *,
    conversation_id: UUID | None = None,
    mode: ExecutionMode = ExecutionMode.LIVE,
    **given: Any,
) -> UUID:
    version = graph if isinstance(graph, WorkflowVersion) else published(place, graph)
    with place.system_work() as ctx:
        talk = ctx.get(Conversation, conversation_id) if conversation_id else None
        return engine.begin(
            ctx,
            workflow_id=version.workflow_id,
            version_id=version.id,
            version_number=version.number,
            trigger_node="t",
            given=given,
            mode=mode,
            conversation_id=conversation_id,
            contact_id=talk.contact_id if talk else None,
            number_id=talk.number_id if talk else None,
        )


# Walking ------------------------------------------------------------------------------------------


def walking(act: Callable[[Runner], Awaitable[T]]) -> T:
    """What `act` does with a runner of its own."""

    async def run() -> T:
        pool = lanes.lane_pool(4, name="automation")
        await pool.open()
        runner = Runner(pool)
        try:
            return await act(runner)
        finally:
            await runner.close()
            await pool.close()

    return asyncio.run(run())


def walked(place: Place, execution_id: UUID) -> Execution:
    """The run, after somebody has walked it as far as it goes now."""
    walking(lambda runner: runner.run(place.tenant_id, execution_id))
    return execution_of(place, execution_id)


def ran(place: Place, graph: Graph | WorkflowVersion, **given: Any) -> Execution:
    return walked(place, begun(place, graph, **given))


def execution_of(place: Place, execution_id: UUID) -> Execution:
    with place.system_work() as ctx:
        found = ctx.get(Execution, execution_id)
        assert found is not None
        return found


def steps(place: Place, execution_id: UUID) -> list[dict[str, Any]]:
    with place.system_work() as ctx:
        return steps_of(ctx, execution_id)


def outputs(place: Place, execution_id: UUID) -> list[tuple[str, str, Any]]:
    return [(one["node"], one["status"], one["output"]) for one in steps(place, execution_id)]


def notes(place: Place, conversation_id: UUID) -> list[str]:
    from aerostic.domain.inbox.models import ConversationEvent

    with place.system_work() as ctx:
        wanted = select(ConversationEvent.text).where(
            ConversationEvent.conversation_id == conversation_id, ConversationEvent.kind == "note"
        )
        return list(ctx.session.exec(wanted.order_by(ConversationEvent.id)))
