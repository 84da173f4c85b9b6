"""What a run does: steps in order, loops, sub-workflows, waits, limits; all of it in the log."""

import asyncio
from uuid import UUID

import pytest

from aerostic.core import clock
from aerostic.domain.automation.models import Execution, ExecutionMode
from aerostic.domain.automation.nodes.base import NodeFailed
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
from tests.builders import conversation_of
from tests.waiting import until


def set_to(name: str, value: object) -> tuple[str, dict[str, object]]:
    return ("test.name", {"name": name, "value": value})


def test_steps_follow_one_another_and_know_what_came_before(place):
    graph = chain(
        set_to("who", "{{ input.name }}"),
        set_to("all", "{{ vars.who }} and {{ nodes.n1.output }} of {{ workspace.name }}"),
    )
    run = ran(place, graph, input={"name": "Ada"})
    assert (run.status, run.steps, run.reason) == ("done", 3, "")
    assert outputs(place, run.id) == [
        ("t", "done", {"input": {"name": "Ada"}}),
        ("n1", "done", "Ada"),
        ("n2", "done", "Ada and Ada of Bluebird Café"),
    ]
    assert run.started_at is not None
    assert run.ended_at >= run.started_at


def test_what_is_not_there_is_empty_and_named_in_the_log(place):
    run = ran(place, chain(set_to("x", "Hello {{ contact.nmae }}!")))
    assert run.status == "done"
    told = steps(place, run.id)[1]
    assert told["output"] == "Hello !"
    assert told["warnings"] == ["“contact.nmae” is empty: there is no such value here."]


def test_another_tenant_can_not_walk_it(place, rival):
    execution_id = begun(place, chain(set_to("x", 1)))
    assert walking(lambda runner: runner.run(rival.tenant_id, execution_id)) is None
    assert execution_of(place, execution_id).status == "ready"


def test_a_loop_turns_once_for_each_item_and_then_goes_on(place):
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("loop", "test.loop", {"items": "{{ input.items }}"}),
        ("body", "test.name", {"name": "last", "value": "{{ index }}:{{ item }}"}),
        ("after", "test.name", {"name": "end", "value": "{{ vars.last }}"}),
        leads=["t loop", "loop.each body", "loop.done after"],
    )
    run = ran(place, graph, input={"items": ["a", "b", "c"]})
    said = [one[2] for one in outputs(place, run.id) if one[0] == "body"]
    assert said == ["0:a", "1:b", "2:c"]
    assert outputs(place, run.id)[-1] == ("after", "done", "2:c")


def test_a_connection_back_to_the_loop_is_its_next_turn_and_loops_nest(place):
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("outer", "test.loop", {"items": [1, 2]}),
        ("inner", "test.loop", {"items": ["a", "b"]}),
        ("body", "test.name", {"name": "x", "value": "{{ item }}"}),
        ("back", "test.name", {"name": "y", "value": "{{ item }}"}),
        leads=["t outer", "outer.each inner", "inner.each body", "inner.done back", "back outer"],
    )
    run = ran(place, graph)
    assert run.status == "done"
    taken = [(one[0], one[2]) for one in outputs(place, run.id) if one[0] in {"body", "back"}]
    assert taken == [
        ("body", "a"),
        ("body", "b"),
        ("back", 1),
        ("body", "a"),
        ("body", "b"),
        ("back", 2),
    ]


def test_a_loop_without_an_end_is_stopped_with_its_reason(place):
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("a", "test.name", {}),
        ("b", "test.name", {}),
        leads=["t a", "a b", "b a"],
    )
    run = ran(place, graph)
    assert run.status == "stopped"
    assert run.reason == "The run took 1,000 steps without coming to an end."
    assert run.steps == 1000


def test_what_it_knows_is_limited(place):
    run = ran(place, chain(*(set_to(name, name * 400_000) for name in "abcd")))
    assert run.status == "stopped"
    assert "1,024 kB" in run.reason


def test_a_long_output_is_cut_in_the_log_and_whole_in_the_run(place):
    run = ran(place, chain(set_to("x", "a" * 100_000), set_to("y", "{{ vars.x | size }}")))
    told = steps(place, run.id)
    assert told[1]["truncated"] is True
    assert len(told[1]["output"]) < 3_000
    assert told[2]["output"] == 100_000


def test_a_mistake_of_the_product_ends_the_run_and_says_so(place):
    run = ran(place, chain(("test.broken", {})))
    assert run.status == "failed"
    assert run.failed_node == "n1"
    assert run.reason.startswith("Kind of a test: This step met a mistake in the product itself.")


def test_a_failure_takes_the_error_port_where_it_leads_somewhere(place, monkeypatch):
    async def refuses(_: object) -> None:
        raise NodeFailed("They said no.")

    monkeypatch.setattr(Ask, "asked", staticmethod(refuses))
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("call", "test.call", {}),
        ("after", "test.name", {"value": "{{ error.message }}"}),
        leads=["t call", "call.error after"],
    )
    run = ran(place, graph)
    assert run.status == "done"
    assert outputs(place, run.id)[1:] == [
        ("call", "failed", None),
        ("after", "done", "They said no."),
    ]


def test_a_call_is_tried_again_as_often_as_the_node_says(place, monkeypatch):
    tries: list[object] = []

    async def answers(what: object) -> str:
        tries.append(what)
        if len(tries) < 3:
            raise NodeFailed("Busy.", may_pass=True)
        return "At last"

    monkeypatch.setattr(Ask, "asked", staticmethod(answers))
    graph = chain(("test.call", {"what": 1}))
    graph = graph.model_copy(
        update={"nodes": [graph.nodes[0], graph.nodes[1].model_copy(update={"retries": 2})]}
    )
    run = ran(place, graph)
    told = steps(place, run.id)[1]
    assert (told["status"], told["output"], told["tries"]) == ("done", "At last", 3)


def test_a_change_is_in_the_transaction_of_its_step(place, rival):
    talk = conversation_of(place)
    graph = chain(("test.note", {"text": "Hi {{ contact.name }}"}), set_to("x", 1))
    run = ran(place, graph, conversation_id=talk)
    assert run.status == "done"
    assert notes(place, talk) == ["Hi Ada Lovelace"]
    failed = ran(place, chain(("test.note", {"text": "No", "fails": True})), conversation_id=talk)
    assert (failed.status, failed.reason) == ("failed", "Kind of a test: It was not to be.")
    assert notes(place, talk) == ["Hi Ada Lovelace"]


def test_a_wait_rests_and_goes_on_when_its_time_has_come(place):
    graph = chain(("test.wait", {"seconds": 3600}), set_to("x", "after"))
    run = ran(place, graph)
    assert (run.status, run.awaits) == ("waiting", "time")
    assert run.leased_by is None
    assert walked(place, run.id).status == "waiting"
    with place.system_work() as ctx:
        ctx.get(Execution, run.id).wake_at = clock.now()
    assert walked(place, run.id).status == "done"
    assert outputs(place, run.id) == [
        ("t", "done", {}),
        ("n1", "done", None),
        ("n2", "done", "after"),
    ]


def test_a_sub_workflow_gives_back_its_result(place):
    inner = published(
        place, chain(set_to("sum", "{{ input.a }}{{ input.b }}"), trigger="trigger.called"), "Sum"
    )
    graph = chain(
        ("test.sub", {"workflow_id": str(inner.workflow_id), "given": {"a": "1", "b": "2"}}),
        set_to("x", "{{ nodes.n1.output }}!"),
    )
    run = ran(place, graph)
    assert run.status == "done", run.reason
    assert outputs(place, run.id)[-2:] == [("n1", "done", "12"), ("n2", "done", "12!")]


def test_a_sub_workflow_that_rests_is_awaited(place):
    inner = published(
        place,
        chain(("test.wait", {"seconds": 0.2}), set_to("x", "late"), trigger="trigger.called"),
    )
    run = ran(place, chain(("test.sub", {"workflow_id": str(inner.workflow_id)})))
    assert (run.status, run.awaits) == ("waiting", "child")
    child_id = steps(place, run.id)[1]["output"]["execution_id"]
    child = execution_of(place, UUID(child_id))
    until(lambda: clock.now() >= child.wake_at, what="its time")
    assert walked(place, child.id).status == "done"
    assert execution_of(place, run.id).status == "ready"
    assert walked(place, run.id).status == "done"
    assert outputs(place, run.id)[1] == ("n1", "done", "late")


def test_workflows_that_call_each_other_for_ever_end(place):
    version = published(place, chain(set_to("x", 1), trigger="trigger.called"))
    with place.system_work() as ctx:
        stored = ctx.get(type(version), version.id)
        calls_itself = chain(
            ("test.sub", {"workflow_id": str(version.workflow_id)}), trigger="trigger.called"
        )
        stored.graph = calls_itself.model_dump(mode="json")
    run = ran(place, chain(("test.sub", {"workflow_id": str(version.workflow_id)})))
    assert run.status == "failed"
    assert "5 deep" in run.reason


def test_another_tenants_workflow_can_not_be_called(place, rival):
    theirs = published(rival, chain(set_to("x", 1), trigger="trigger.called"))
    run = ran(place, chain(("test.sub", {"workflow_id": str(theirs.workflow_id)})))
    assert run.status == "failed"
    assert run.reason == "Kind of a test: The workflow to call no longer exists."


def test_a_recorded_run_changes_nothing_and_says_what_it_would_have_done(place, monkeypatch):
    async def must_not(_: object) -> None:
        raise AssertionError("called")

    monkeypatch.setattr(Ask, "asked", staticmethod(must_not))
    talk = conversation_of(place)
    graph = chain(
        ("test.note", {"text": "Hi {{ contact.name }}"}), ("test.call", {"what": 1}), set_to("x", 2)
    )
    run = ran(place, graph, conversation_id=talk, mode=ExecutionMode.RECORDED)
    assert run.status == "done"
    assert notes(place, talk) == []
    assert outputs(place, run.id)[1:] == [
        ("n1", "recorded", {"recorded": {"text": "Hi Ada Lovelace", "fails": False}}),
        ("n2", "recorded", {"recorded": {"what": 1}}),
        ("n3", "done", 2),
    ]


def test_secrets_in_settings_are_hidden_in_the_log(place):
    graph = chain(
        set_to("x", {"Authorization": "Bearer {{ input.key }}", "x-api-key": "k", "plain": "p"})
    )
    run = ran(place, graph, input={"key": "s3cret"})
    given = steps(place, run.id)[1]["input"]["value"]
    assert given == {"Authorization": "•••", "x-api-key": "•••", "plain": "p"}


def test_one_conversation_has_one_step_at_a_time(place, monkeypatch):
    busy = most = 0

    async def counts(_: object) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.05)
        busy -= 1

    monkeypatch.setattr(Ask, "asked", staticmethod(counts))
    talk = conversation_of(place)
    version = published(place, chain(("test.call", {})))
    ids = [begun(place, version, conversation_id=talk) for _ in range(3)]

    async def all_at_once(runner: object) -> None:
        async def until_done(one: object) -> None:
            while await runner.run(place.tenant_id, one) is None:
                await asyncio.sleep(0.02)

        await asyncio.gather(*(until_done(one) for one in ids))

    walking(all_at_once)
    assert most == 1
    assert {execution_of(place, one).status for one in ids} == {"done"}


def test_two_processes_that_take_a_run_walk_it_once(place):
    talk = conversation_of(place)
    execution_id = begun(place, chain(("test.note", {"text": "Once"})), conversation_id=talk)

    async def both(runner: object) -> list[object]:
        return await asyncio.gather(*(runner.run(place.tenant_id, execution_id) for _ in range(4)))

    done = walking(both)
    assert len([one for one in done if one]) == 1
    assert notes(place, talk) == ["Once"]


def test_who_lost_a_run_writes_nothing_more(place, monkeypatch):
    talk = conversation_of(place)
    execution_id = begun(
        place, chain(("test.call", {}), ("test.note", {"text": "No"})), conversation_id=talk
    )

    async def is_taken_over(_: object) -> None:
        with place.system_work() as ctx:
            run = ctx.get(Execution, execution_id)
            run.leased_by = "another"

    monkeypatch.setattr(Ask, "asked", staticmethod(is_taken_over))
    assert walked(place, execution_id).status == "running"
    assert notes(place, talk) == []
    assert [one["node"] for one in steps(place, execution_id)] == ["t"]


@pytest.mark.parametrize("value", ["\0", "\ud800", float("nan"), 2**70])
def test_odd_values_are_kept_as_postgresql_can(place, value, monkeypatch):
    async def answers(_: object) -> object:
        return {"odd": value}

    monkeypatch.setattr(Ask, "asked", staticmethod(answers))
    assert ran(place, chain(("test.call", {}), set_to("x", "{{ apiResponse }}"))).status == "done"
