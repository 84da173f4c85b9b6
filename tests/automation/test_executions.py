"""What people do with runs: cancel, go on from a step, replay, compare, decide a doubt, try a draft."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import text

from aerostic.core import clock
from aerostic.core.errors import NotFound, Refused
from aerostic.domain.automation import executions, waits
from aerostic.domain.automation.models import (
    Execution,
    ExecutionMode,
    Workflow,
    WorkflowVersion,
)
from aerostic.domain.automation.nodes.base import NodeFailed
from aerostic.domain.automation.runner import Runner
from aerostic.domain.dossier import service as dossier
from aerostic.domain.usage.models import UsageKind
from tests.automation.kinds import (
    Ask,
    begun,
    chain,
    execution_of,
    graph_of,
    notes,
    outputs,
    published,
    ran,
    steps,
    test_kinds,  # noqa: F401
    walked,
    walking,
)
from tests.builders import contact_of, conversation_of, used

CALL = ("test.call", {"what": "{{ input.what }}"})


def act(place, action, *given, role="admin", **named):
    with place.work(role) as ctx:
        return action(ctx, *given, **named)


def interrupted(place, conversation_id: UUID | None = None) -> UUID:
    """A run whose process died while it called."""
    graph = chain(CALL, ("test.name", {"value": "{{ nodes.n1.output }}"}))
    execution_id = begun(place, graph, input={"what": 1}, conversation_id=conversation_id)

    async def dies(runner: Runner) -> None:
        task = asyncio.create_task(runner.run(place.tenant_id, execution_id))
        while execution_of(place, execution_id).state.get("calling") is None:
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    walking(dies)
    with place.system_work() as ctx:
        ctx.session.execute(
            text("update due_work set leased_until = now() where tenant_id = :t"),
            {"t": place.tenant_id},
        )
    return execution_id


def take_over(place, execution_id: UUID) -> Execution:
    """Another process finds the run when its lease is over."""

    async def takes(runner: Runner) -> None:
        for run in await runner.take(place.tenant_id, [execution_id], is_claimed=True):
            await runner.walk(run)

    walking(takes)
    return execution_of(place, execution_id)


@pytest.fixture
def never(monkeypatch) -> None:
    async def answers(_: object) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(Ask, "asked", staticmethod(answers))


@pytest.fixture
def called(monkeypatch) -> list[object]:
    """What was asked of the outside; it answers the same."""
    asked: list[object] = []

    async def answers(what: object) -> object:
        asked.append(what)
        return what

    monkeypatch.setattr(Ask, "asked", staticmethod(answers))
    return asked


def test_an_interrupted_call_is_unknown_and_a_person_decides(place, rival, never, monkeypatch):
    execution_id = interrupted(place)
    run = take_over(place, execution_id)
    assert (run.status, run.failed_node) == ("unknown", "n1")
    assert run.reason.startswith("Kind of a test: the call was interrupted")
    assert steps(place, execution_id)[-1]["status"] == "unknown"
    with pytest.raises(NotFound):
        act(rival, executions.choose, execution_id, "retry")
    act(place, executions.choose, execution_id, "skip", {"id": 7})
    assert walked(place, execution_id).status == "done"
    assert outputs(place, execution_id)[1:] == [
        ("n1", "skipped", {"id": 7}),
        ("n2", "done", {"id": 7}),
    ]
    with pytest.raises(Refused):
        act(place, executions.choose, execution_id, "retry")


def test_a_doubt_can_be_called_again_or_counted_as_failed(place, never, monkeypatch):
    again, failed = interrupted(place), interrupted(place)
    for one in (again, failed):
        take_over(place, one)
        act(place, executions.choose, one, "retry" if one == again else "fail")

    async def answers(what: object) -> object:
        return what

    monkeypatch.setattr(Ask, "asked", staticmethod(answers))
    assert walked(place, again).status == "done"
    assert outputs(place, again)[1:] == [("n1", "done", 1), ("n2", "done", 1)]
    run = walked(place, failed)
    assert (run.status, run.reason) == (
        "failed",
        "Kind of a test: The call was interrupted, and a person chose to count it as failed.",
    )


def test_a_cancelled_run_is_over_and_so_is_what_it_called(place, rival):
    inner = published(place, chain(("test.wait", {"seconds": 60}), trigger="trigger.called"))
    run = ran(place, chain(("test.sub", {"workflow_id": str(inner.workflow_id)})))
    child = UUID(steps(place, run.id)[1]["output"]["execution_id"])
    with pytest.raises(NotFound):
        act(rival, executions.cancel, run.id)
    act(place, executions.cancel, run.id)
    assert execution_of(place, run.id).status == "cancelled"
    assert execution_of(place, child).status == "cancelled"
    with pytest.raises(Refused, match="over already"):
        act(place, executions.cancel, run.id)
    assert used(place, UsageKind.WORKFLOW_EXECUTION) == [run.id, child]


def test_a_question_is_answered_where_its_conversation_went_in_a_merge(place):
    ada, other = contact_of(place, "Ada", "15550001111"), contact_of(place, "A.", "15550002222")
    mine, theirs = (conversation_of(place, contact_id=one) for one in (ada, other))
    version = published(place, chain(("test.ask", {})))
    execution_id = begun(place, version, conversation_id=theirs)
    assert walked(place, execution_id).status == "waiting"
    with place.work("owner") as ctx:
        dossier.merge(ctx, ada, other)
    with place.system_work() as ctx:
        assert waits.talks(ctx, [mine])[mine].waiting == execution_id
    run = execution_of(place, execution_id)
    assert (run.conversation_id, run.contact_id) == (mine, ada)


def test_a_run_is_used_once_when_it_is_over_however_it_ends(place, rival, never):
    rests = ran(place, chain(("test.wait", {"seconds": 60})))
    doubtful = interrupted(place)
    take_over(place, doubtful)
    assert used(place, UsageKind.WORKFLOW_EXECUTION) == []
    over = [ran(place, chain(("test.name", {}))).id, ran(place, chain(("test.broken", {}))).id]
    act(place, executions.choose, doubtful, "fail")
    walked(place, doubtful)
    assert used(place, UsageKind.WORKFLOW_EXECUTION) == [*over, doubtful]
    assert execution_of(place, rests.id).status == "waiting"
    assert used(rival, UsageKind.WORKFLOW_EXECUTION) == []


def test_a_run_that_is_cancelled_while_it_calls_does_nothing_more(place, monkeypatch):
    talk = conversation_of(place)
    execution_id = begun(
        place, chain(("test.call", {}), ("test.note", {"text": "No"})), conversation_id=talk
    )

    async def is_cancelled(_: object) -> None:
        act(place, executions.cancel, execution_id)

    monkeypatch.setattr(Ask, "asked", staticmethod(is_cancelled))
    assert walked(place, execution_id).status == "cancelled"
    assert notes(place, talk) == []


def test_a_failed_run_goes_on_from_the_step_that_failed(place, called, monkeypatch):
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("loop", "test.loop", {"items": ["a", "b"]}),
        ("call", "test.call", {"what": "{{ item }}"}),
        ("end", "test.name", {"value": "{{ nodes.call.output }}"}),
        leads=["t loop", "loop.each call", "loop.done end"],
    )

    async def fails_at_b(what: object) -> object:
        called.append(what)
        if what == "b":
            raise NodeFailed("Not b.")
        return what

    monkeypatch.setattr(Ask, "asked", staticmethod(fails_at_b))
    run = ran(place, graph)
    assert run.status == "failed"

    async def answers(what: object) -> object:
        called.append(what)
        return what

    monkeypatch.setattr(Ask, "asked", staticmethod(answers))
    again = act(place, executions.retry, run.id, run.steps)
    assert walked(place, again).status == "done"
    assert outputs(place, again) == [("call", "done", "b"), ("end", "done", "b")]
    assert called == ["a", "b", "b"]
    with pytest.raises(Refused, match="inside of a loop"):
        act(place, executions.retry, run.id, 3)


def test_a_retry_knows_what_the_steps_before_it_gave(place, called):
    graph = chain(
        CALL,
        ("test.name", {"name": "x", "value": 2}),
        ("test.name", {"value": "{{ vars.x }}{{ apiResponse }}"}),
    )
    run = ran(place, graph, input={"what": 1})
    again = act(place, executions.retry, run.id, 4)
    assert walked(place, again).status == "done"
    assert outputs(place, again) == [("n3", "done", "21")]
    assert called == [1]


def test_a_replay_on_another_version_changes_nothing_and_is_compared(place, called):
    talk = conversation_of(place)
    version = published(
        place,
        chain(CALL, ("test.note", {"text": "{{ apiResponse }}"}), ("test.name", {"value": 1})),
    )
    run = walked(place, begun(place, version, conversation_id=talk, input={"what": "x"}))
    assert notes(place, talk) == ["x"]
    with place.system_work() as ctx:
        graph = chain(
            CALL, ("test.note", {"text": "{{ apiResponse }}"}), ("test.name", {"value": 2})
        )
        ctx.session.add(
            WorkflowVersion(
                workflow_id=version.workflow_id, number=2, graph=graph.model_dump(mode="json")
            )
        )
    same = act(place, executions.replay, run.id)
    newer = act(place, executions.replay, run.id, 2)
    for one in (same, newer):
        assert walked(place, one).status == "done"
    assert called == ["x"]
    assert notes(place, talk) == ["x"]
    pairs = act(place, executions.comparison, same, run.id)
    assert [one.is_same for one in pairs] == [True] * 4
    pairs = act(place, executions.comparison, newer, run.id)
    assert [one.is_same for one in pairs] == [True, True, True, False]
    assert (pairs[3].before["output"], pairs[3].after["output"]) == (1, 2)


def test_a_replay_does_not_wait_and_takes_the_way_of_the_original(place):
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("wait", "test.wait", {"seconds": 3600}),
        ("end", "test.name", {"value": "end"}),
        leads=["t wait", "wait end"],
    )
    run = ran(place, graph)
    assert run.status == "waiting"
    again = act(place, executions.replay, run.id)
    assert walked(place, again).status == "done"
    assert outputs(place, again)[1:] == [("wait", "recorded", None), ("end", "done", "end")]


def test_a_draft_is_tried_out_for_a_contact_of_this_workspace_only(place, rival):
    mine, theirs = conversation_of(place), conversation_of(rival, "Theirs")
    graph = chain(("test.name", {"value": "{{ contact.name }}"}))
    with place.system_work() as ctx:
        workflow = Workflow(name="Draft", draft=graph.model_dump(mode="json"))
        ctx.session.add(workflow)
    tried = act(
        place,
        executions.try_out,
        workflow.id,
        {"conversation": {"id": str(mine)}},
        mode=ExecutionMode.LIVE,
    )
    assert walked(place, tried).status == "done"
    assert outputs(place, tried)[1] == ("n1", "done", "Ada Lovelace")
    foreign = act(place, executions.try_out, workflow.id, {"conversation": {"id": str(theirs)}})
    assert walked(place, foreign).conversation_id is None
    assert outputs(place, foreign)[1] == ("n1", "done", "")
    with pytest.raises(NotFound):
        act(rival, executions.try_out, workflow.id, {})


def test_runs_are_listed_newest_first_a_page_at_a_time_and_to_nobody_else(place, rival):
    version = published(place, chain(("test.name", {})))
    made = [walked(place, begun(place, version)).id for _ in range(3)]
    page = act(place, executions.executions, limit=2)
    assert [one.id for one in page.items] == [made[2], made[1]]
    rest = act(place, executions.executions, after=page.next_cursor, limit=2)
    assert [one.id for one in rest.items] == [made[0]]
    assert rest.next_cursor is None
    assert act(rival, executions.executions).items == []
    with pytest.raises(NotFound):
        act(rival, executions.execution, made[0])
    found = act(
        place, executions.figures, [version.workflow_id], since=clock.now() - timedelta(days=1)
    )
    assert found[version.workflow_id].last_status == "done"
    assert found[version.workflow_id].failures == 0


def test_what_is_older_than_the_workspace_keeps_is_forgotten(place, rival):
    version = published(place, chain(("test.name", {})))
    old, new = (walked(place, begun(place, version)).id for _ in range(2))
    theirs = walked(rival, begun(rival, chain(("test.name", {})))).id
    act(place, executions.change_settings, keep_days=2)
    for one, owner in ((old, place), (theirs, rival)):
        with owner.system_work() as ctx:
            ctx.get(Execution, one).ended_at = clock.now() - timedelta(days=3)
    for owner in (place, rival):
        with owner.system_work() as ctx:
            executions.forget_old(ctx)
    with place.system_work() as ctx:
        assert ctx.get(Execution, old) is None
        assert ctx.get(Execution, new) is not None
    assert steps(place, old) == []
    assert execution_of(rival, theirs).status == "done"


def test_last_scope_and_example_are_of_the_last_run(place, rival):
    version = published(place, chain(("test.name", {"name": "x", "value": 5})))
    run = walked(place, begun(place, version, input={"a": 1}))
    seen = act(place, executions.last_scope, version.workflow_id)
    assert (seen["input"], seen["vars"], seen["nodes"]["n1"]["output"]) == ({"a": 1}, {"x": 5}, 5)
    example = act(place, executions.example, version.workflow_id)
    assert (example.is_real, example.given["input"], example.at) == (True, {"a": 1}, run.created_at)
