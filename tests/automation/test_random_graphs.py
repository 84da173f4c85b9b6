"""Whatever is drawn: the linter says something of it, the server keeps it or refuses it in words, and what
the linter accepts comes to an end or to a rest in the engine, without a mistake of ours."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from aerostic.core import clock, lanes
from aerostic.core.errors import AppError
from aerostic.domain.automation import (
    comparing,
    engine,
    exchange,
    linter,
    reading,
    rules,
    schedules,
    service,
    waits,
)
from aerostic.domain.automation.attempts import BROKEN
from aerostic.domain.automation.exchange import WorkflowFile
from aerostic.domain.automation.graph import Graph, as_stored
from aerostic.domain.automation.models import Execution, ExecutionMode
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.outside import Reach
from aerostic.domain.automation.recorded import steps_of
from aerostic.domain.automation.runner import Runner
from aerostic.integrations.outside import NoAnswer
from tests.automation.drawing import graphs, scribbles, sound_graphs, values
from tests.builders import contact_of, conversation_of, inbound
from tests.conftest import Place, _make_place

EXAMPLES = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
# Without making a failing one smaller: each is a run through the database.
FEW = settings(EXAMPLES, max_examples=30, phases=[Phase.generate])
OVER = {"done", "failed", "stopped"}
GUARDS = ("took 1,000 steps", "knows more than", "at work for more than")


@EXAMPLES
@given(graphs(), graphs())
def test_the_linter_says_something_of_every_graph(graph, other):
    reading.check(graph)
    for one in linter.look(graph):
        assert one.sentence.endswith(".")
        assert not one.node_id or graph.node(one.node_id)
    assert comparing.compare(graph, graph).is_same
    found = comparing.compare(graph, other)
    back = comparing.compare(other, graph)
    assert (found.added, found.connected) == (back.removed, back.disconnected)


@EXAMPLES
@given(scribbles())
def test_what_could_not_be_drawn_is_refused_in_words(document):
    try:
        graph = reading.graph_of(document)
    except AppError:  # and nothing else
        return
    assert list(rules.refusals(graph)) == []
    linter.look(graph)


@EXAMPLES
@given(graphs(), st.data())
def test_a_trigger_that_is_accepted_can_be_asked_about_anything(graph, data):
    trigger = graph.nodes[0]
    assume(
        not any(one.node_id == trigger.id for one in linter.look(graph) if one.severity == "error")
    )
    kind: Any = BY_KIND[trigger.kind]
    config = kind.Config.model_validate(trigger.config)
    names = ("message", "number", "contact", "tag", "reaction", "trigger")
    event = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=3))
    assert kind.matches(config, event) in {True, False}
    if trigger.kind == "trigger.schedule":
        assert schedules.next_time(config.cron, config.time_zone, clock.now()) > clock.now()


class Unplugged(Reach):
    """Whatever is called does not answer."""

    def http(self) -> Any:
        return self

    async def send(self, *_: Any, **__: Any) -> Any:
        raise NoAnswer("Nobody answers.")


@pytest.fixture(scope="module")
def home() -> Place:
    return _make_place()


@pytest.fixture(scope="module")
def talk(home: Place) -> UUID:
    contact = contact_of(home, "Ada", "15550001111")
    conversation = conversation_of(home, contact_id=contact)
    inbound(home, conversation, "Hello")
    return conversation


@FEW
@given(graphs())
def test_the_server_keeps_it_and_its_file_gives_the_same_file(home, graph):
    with home.work() as ctx:
        made = service.create(ctx, "Drawn", graph=as_stored(graph))
        ctx.session.refresh(made)
        first = exchange.written(
            ctx, WorkflowFile(name="x", graph=Graph.model_validate(made.draft))
        )
        again, _ = service.import_file(ctx, first)
        ctx.session.refresh(again)
        second = exchange.written(
            ctx, WorkflowFile(name="x", graph=Graph.model_validate(again.draft))
        )
        assert second == first
        ctx.session.rollback()


GIVEN: Mapping[str, Any] = {
    "message": {"id": "m", "type": "text", "text": "Hello", "body": "Hello"},
    "webhookPayload": {"body": {"list": [1, 2, 3]}, "query": {}, "headers": {}},
    "input": {},
    "trigger": {"kind": "test"},
}
SECONDS = 20
ANSWERS = ("yes", "1", "12.5", "ada@example.com", "tomorrow", "", "x" * 3000)


async def to_its_end(home: Place, talk: UUID, graph: Graph, mode: ExecutionMode) -> Execution:
    """Walk it; let time pass and answers come wherever it rests, a few times."""
    pool = lanes.lane_pool(2, name="automation")
    await pool.open()
    runner = Runner(pool, Unplugged)
    try:
        async with asyncio.timeout(SECONDS):
            execution_id = await asyncio.to_thread(begin, home, talk, graph, mode)
            for answer in ANSWERS:
                await runner.run(home.tenant_id, execution_id)
                if not await asyncio.to_thread(wake, home, execution_id, answer):
                    break
    finally:
        await runner.close()
        await pool.close()
    return read(home, execution_id)


def begin(home: Place, talk: UUID, graph: Graph, mode: ExecutionMode) -> UUID:
    trigger = graph.nodes[0]
    about = {"conversation_id": talk} if "message" in trigger.kind else {}
    with home.system_work() as ctx:
        workflow = service.create(ctx, "Drawn", graph=graph)
        return engine.begin(
            ctx,
            workflow_id=workflow.id,
            graph=graph,
            trigger_node=trigger.id,
            trigger_kind=trigger.kind,
            given=GIVEN,
            mode=mode,
            **about,
        )


def wake(home: Place, execution_id: UUID, answer: str) -> bool:
    """Whether it rested, and goes on."""
    with home.system_work() as ctx:
        run = ctx.get(Execution, execution_id)
        assert run is not None
        if run.status != "waiting":
            return False
        if run.awaits == "reply" and answer:
            return waits.resume(ctx, execution_id, {**GIVEN["message"], "text": answer})
        run.wake_at = ctx.now
        return True


def read(home: Place, execution_id: UUID) -> Execution:
    with home.system_work() as ctx:
        run = ctx.get(Execution, execution_id)
        assert run is not None
        for one in steps_of(ctx, execution_id):
            assert BROKEN not in str(one["error"]), one
        return run


@settings(FEW, max_examples=60)
@given(sound_graphs(), st.sampled_from(ExecutionMode))
def test_what_the_linter_accepts_comes_to_an_end_or_a_rest(home, talk, graph, mode):
    run = asyncio.run(to_its_end(home, talk, graph, mode))
    assert run.status in OVER | {"waiting"}, run.reason
    assert run.status != "stopped" or any(guard in run.reason for guard in GUARDS), run.reason
