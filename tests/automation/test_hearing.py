"""What happens begins and wakes runs: in order, each once, and exactly one answers."""

from datetime import timedelta

import pytest
from sqlmodel import select, text

from aerostic.core import clock
from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import shared_work
from aerostic.domain.automation import publishing, schedules
from aerostic.domain.automation.models import WorkflowTrigger
from aerostic.domain.channels.models import NumberMode
from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.models import Tag
from aerostic.domain.contacts.schemas import NewContact
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Conversation
from aerostic.domain.usage.models import UsageKind
from tests.automation.kinds import (
    chain,
    execution_of,
    graph_of,
    notes,
    outputs,
    steps,
    test_kinds,  # noqa: F401
)
from tests.automation.living import (
    answered_by,
    automating,
    due_of,
    listening,
    runs_of,
    signals_of,
    statuses_of,
    writes,
)
from tests.builders import contact_of, conversation_of, outbound, used
from tests.meta import Meta, change, delivery, message, status
from tests.waiting import until
from workers import automation

REPLY = ("test.note", {"text": "You said {{ message.text }}"})


@pytest.fixture(autouse=True)
def nothing_is_due() -> None:
    """The process looks for work over all tenants: what earlier tests left undone is not this test's."""
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(text("delete from due_work"))


def text_of(sender: str, said: str) -> dict[str, object]:
    return message(sender, {"type": "text", "text": {"body": said}})


def on_keyword(word: str, *steps: tuple[str, dict[str, object]]):
    graph = chain(*steps)
    trigger = graph.nodes[0].model_copy(
        update={"kind": "trigger.keyword", "config": {"keywords": [word]}}
    )
    return graph.model_copy(update={"nodes": [trigger, *graph.nodes[1:]]})


def on(kind: str, *steps: tuple[str, dict[str, object]], **config: object):
    graph = chain(*steps)
    trigger = graph.nodes[0].model_copy(update={"kind": kind, "config": config})
    return graph.model_copy(update={"nodes": [trigger, *graph.nodes[1:]]})


def settled(place) -> bool:
    return not signals_of(place) and not due_of(place, "signals")


def test_a_message_of_metas_begins_a_run_once_and_its_statuses_never_do(place, rival, run_jobs):
    meta = Meta()
    answered_by(place, NumberMode.AUTOMATION)
    version = listening(place, on_keyword("menu", REPLY))
    theirs = listening(rival, on_keyword("menu", REPLY))
    with automating():
        said = delivery(place, change(place, messages=[text_of("15550001111", "the menu please")]))
        meta.deliver(said)
        meta.deliver(said)
        run_jobs()
        until(lambda: statuses_of(place, version) == ["done"], what="the run")
        sent = outbound(place, runs_of(place, version)[0].conversation_id, "the menu")
        read = status(f"wamid.{sent.hex}", "read")
        meta.deliver(delivery(place, change(place, statuses=[read])))
        run_jobs()
        until(lambda: settled(place), what="all signals to be heard")
    assert statuses_of(place, version) == ["done"]
    run = runs_of(place, version)[0]
    assert notes(place, run.conversation_id) == ["You said the menu please"]
    assert run.trigger_kind == "trigger.keyword"
    assert runs_of(rival, theirs) == []
    meta.close()


def test_of_two_workflows_that_fit_the_older_answers_and_only_that(place):
    talk = conversation_of(place)
    answered_by(place, NumberMode.AUTOMATION)
    older = listening(place, on("trigger.message", REPLY), "Older")
    newer = listening(place, on_keyword("hello", REPLY), "Newer")
    with automating():
        writes(place, talk, "hello")
        until(lambda: statuses_of(place) == ["done"], what="the run")
        until(lambda: settled(place), what="the signal to be heard")
    assert statuses_of(place, older) == ["done"]
    assert statuses_of(place, newer) == []


@pytest.mark.parametrize("mode", [NumberMode.PERSON, NumberMode.PAUSED, NumberMode.AI])
def test_where_automation_does_not_answer_nothing_begins(place, mode):
    talk = conversation_of(place)
    answered_by(place, mode)
    version = listening(place, on("trigger.message", REPLY))
    with automating():
        writes(place, talk)
        until(lambda: settled(place), what="the signal to be heard")
    assert runs_of(place, version) == []


def test_the_conversation_overrules_its_number(place):
    talk, other = conversation_of(place, "Ada"), conversation_of(place, "Grace")
    answered_by(place, NumberMode.AUTOMATION)
    version = listening(place, on("trigger.message", REPLY))
    with place.work("agent") as ctx:
        inbox.set_mode(ctx, talk, NumberMode.PERSON)
    with automating():
        writes(place, talk)
        writes(place, other)
        until(lambda: statuses_of(place, version) == ["done"], what="the other's run")
        until(lambda: settled(place), what="the signals to be heard")
    assert [run.conversation_id for run in runs_of(place, version)] == [other]


def test_an_answer_wakes_the_run_that_asked_and_begins_no_other(place):
    talk = conversation_of(place)
    answered_by(place, NumberMode.AUTOMATION)
    asks = listening(place, on_keyword("start", ("test.ask", {"text": "Sure?"}), REPLY))
    other = listening(place, on("trigger.message", REPLY))
    with automating():
        writes(place, talk, "start")
        until(lambda: statuses_of(place, asks) == ["waiting"], what="the question")
        writes(place, talk, "yes")
        until(lambda: statuses_of(place, asks) == ["done"], what="the end")
    assert runs_of(place, other) == []
    assert notes(place, talk) == ["Sure?", "You said yes"]
    assert [one["status"] for one in steps(place, runs_of(place, asks)[0].id)] == ["done"] * 3


def test_two_answers_at_once_wake_it_once(place):
    talk = conversation_of(place)
    answered_by(place, NumberMode.AUTOMATION)
    version = listening(
        place,
        on_keyword("start", ("test.ask", {"text": "One?"}), ("test.ask", {"text": "Two?"})),
    )
    with automating():
        writes(place, talk, "start")
        until(lambda: statuses_of(place, version) == ["waiting"], what="the question")
    writes(place, talk, "yes")
    writes(place, talk, "yes")
    with automating():
        until(lambda: notes(place, talk) == ["One?", "Two?"], what="the second question")
        until(lambda: settled(place), what="both answers to be heard")
    # The second was written before the second question: it answers nothing.
    assert statuses_of(place, version) == ["waiting"]
    assert notes(place, talk) == ["One?", "Two?"]


def test_a_wrong_answer_is_asked_for_again_and_silence_takes_its_port(place):
    talk = conversation_of(place)
    answered_by(place, NumberMode.AUTOMATION)
    graph = graph_of(
        ("t", "trigger.keyword", {"keywords": ["start"]}),
        ("ask", "test.ask", {"text": "Sure?", "seconds": 1}),
        ("late", "test.note", {"text": "Too late"}),
        leads=["t ask", "ask.timeout late"],
    )
    version = listening(place, graph)
    with automating():
        writes(place, talk, "start")
        until(lambda: statuses_of(place, version) == ["waiting"], what="the question")
        writes(place, talk, "perhaps")
        until(lambda: statuses_of(place, version) == ["done"], what="the silence")
    assert notes(place, talk) == ["Sure?", "Sure?", "Too late"]


def test_a_persons_answer_takes_the_conversation_over_until_it_is_given_back(place):
    talk = conversation_of(place, phone="15550001111")
    answered_by(place, NumberMode.AUTOMATION)
    version = listening(place, on_keyword("start", ("test.ask", {"text": "Sure?"}), REPLY))
    with automating():
        writes(place, talk, "start")
        until(lambda: statuses_of(place, version) == ["waiting"], what="the question")
        with place.work("agent") as ctx:
            inbox.reply(ctx, talk, Draft.text("Let me help"))
        until(lambda: statuses_of(place, version) == ["cancelled"], what="the run's end")
        writes(place, talk, "yes")
        writes(place, talk, "start")
        until(lambda: settled(place), what="the signals to be heard")
        assert statuses_of(place, version) == ["cancelled"]
        (run,) = runs_of(place, version)
        assert run.reason.startswith("A person answered")
        assert used(place, UsageKind.WORKFLOW_EXECUTION) == [run.id]
        with place.system_work() as ctx:
            assert ctx.get(Conversation, talk).mode == "person"
            ctx.session.execute(
                text(
                    "update due_work set due_at = now() where tenant_id = :t and kind = 'release'"
                ),
                {"t": place.tenant_id},
            )
        until(lambda: not due_of(place, "release"), what="it to be given back")
        writes(place, talk, "start")
        until(lambda: statuses_of(place, version) == ["cancelled", "waiting"], what="the next")
    with place.system_work() as ctx:
        assert ctx.get(Conversation, talk).mode is None


def test_an_answer_on_the_phone_takes_over_as_well(place, run_jobs):
    meta = Meta()
    answered_by(place, NumberMode.AUTOMATION)
    version = listening(place, on("trigger.message", REPLY))
    with automating():
        meta.deliver(delivery(place, change(place, messages=[text_of("15550001111", "Hi")])))
        run_jobs()
        until(lambda: statuses_of(place, version) == ["done"], what="the run")
        echo = {**text_of("1555000", "It is me, on my phone"), "to": "15550001111"}
        change_ = change(place, field="smb_message_echoes", message_echoes=[echo])
        meta.deliver(delivery(place, change_))
        run_jobs()
        until(lambda: settled(place), what="the echo to be heard")
        meta.deliver(delivery(place, change(place, messages=[text_of("15550001111", "And now?")])))
        run_jobs()
        until(lambda: settled(place), what="the answer to be heard")
    assert statuses_of(place, version) == ["done"]
    talk = runs_of(place, version)[0].conversation_id
    with place.system_work() as ctx:
        assert ctx.get(Conversation, talk).mode == "person"
    meta.close()


def test_a_run_in_progress_keeps_its_version(place):
    talk = conversation_of(place)
    answered_by(place, NumberMode.AUTOMATION)
    first = listening(
        place, on_keyword("start", ("test.ask", {}), ("test.note", {"text": "Version one"}))
    )
    with automating():
        writes(place, talk, "start")
        until(lambda: statuses_of(place, first) == ["waiting"], what="the question")
        with place.system_work() as ctx:
            from aerostic.domain.automation.models import Workflow, WorkflowVersion

            workflow = ctx.get(Workflow, first.workflow_id)
            graph = on_keyword("start", ("test.note", {"text": "Version two"}))
            second = WorkflowVersion(
                workflow_id=workflow.id, number=2, graph=graph.model_dump(mode="json")
            )
            ctx.session.add(second)
            workflow.published_number = 2
            ctx.session.flush()
            publishing.start_listening(ctx, workflow, second)
        writes(place, talk, "yes")
        until(lambda: statuses_of(place, first) == ["done"], what="the old one's end")
        writes(place, talk, "start")
        until(lambda: statuses_of(place, first) == ["done", "done"], what="the new one's")
    assert notes(place, talk) == ["Yes?", "Version one", "Version two"]
    assert [run.version_number for run in runs_of(place, first)] == [1, 2]


def test_a_new_contact_and_a_tag_begin_every_workflow_that_hears_them(place, rival):
    contact = contact_of(place, "Ada", "15550001111")
    with place.system_work() as ctx:
        gold, silver = Tag(name="gold"), Tag(name="silver")
        ctx.session.add_all([gold, silver])
    one = listening(place, on("trigger.tag_added", ("test.name", {}), tags=[str(gold.id)]))
    two = listening(place, on("trigger.tag_added", ("test.name", {"value": "{{ trigger.kind }}"})))
    new = listening(
        place, on("trigger.contact_created", ("test.name", {"value": "{{ contact.name }}"}))
    )
    with automating():
        with place.work("agent") as ctx:
            contacts.tag_contacts(ctx, silver.id, _only(contact))
            contacts.tag_contacts(ctx, gold.id, _only(contact))
            contacts.tag_contacts(ctx, gold.id, _only(contact))
            contacts.create(ctx, NewContact(name="Grace"))
        until(lambda: statuses_of(place, two) == ["done", "done"], what="the runs of two tags")
        until(lambda: statuses_of(place, new) == ["done"], what="the run of a new contact")
        until(lambda: settled(place), what="the signals to be heard")
    assert statuses_of(place, one) == ["done"]
    assert outputs(place, runs_of(place, new)[0].id)[1] == ("n1", "done", "Grace")
    assert runs_of(rival) == []


def _only(contact_id):
    from aerostic.domain.contacts.schemas import Selection

    return Selection(ids=[contact_id])


def test_a_message_that_comes_while_a_run_is_at_work_waits_for_it(place):
    talk = conversation_of(place)
    answered_by(place, NumberMode.AUTOMATION)
    version = listening(place, on("trigger.message", REPLY))
    writes(place, talk, "one")
    writes(place, talk, "two")
    assert automation.route(place.tenant_id) is not None
    assert statuses_of(place, version) == ["ready"]
    assert signals_of(place) == 1
    with automating():
        until(lambda: statuses_of(place, version) == ["done", "done"], what="both")
    assert notes(place, talk) == ["You said one", "You said two"]


# The clock


def test_a_schedule_begins_once_at_its_time_by_however_many(place):
    version = listening(place, on("trigger.schedule", ("test.name", {}), cron="* * * * *"))
    with place.system_work() as ctx:
        trigger = ctx.session.exec(select(WorkflowTrigger.id)).one()
    with place.system_work() as ctx:
        assert schedules.fire(ctx, trigger) == 0  # the first look only agrees on a time
    (due_at,) = due_of(place, "schedule")
    assert clock.now() < due_at <= clock.now() + timedelta(minutes=1)
    assert (due_at.second, due_at.microsecond) == (0, 0)
    with place.system_work() as ctx:
        ctx.session.execute(
            text("update due_work set due_at = now() - interval '3 hours' where tenant_id = :t"),
            {"t": place.tenant_id},
        )
    with place.system_work() as one, place.system_work() as other:
        assert [schedules.fire(one, trigger), schedules.fire(other, trigger)] == [1, 0]
    with automating():
        until(lambda: statuses_of(place, version) == ["done"], what="the run")
    assert due_of(place, "schedule")[0] > clock.now()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-03-28T08:00:00+00:00", "2026-03-29T07:00:00+00:00"),  # summer time begins that night
        ("2026-10-24T07:30:00+00:00", "2026-10-25T08:00:00+00:00"),  # and ends
    ],
)
def test_nine_in_the_morning_is_nine_by_the_clocks_of_its_zone(after, expected):
    from datetime import datetime

    found = schedules.next_time("0 9 * * *", "Europe/Berlin", datetime.fromisoformat(after))
    assert found.isoformat() == expected


def test_a_silence_begins_one_run_and_an_answer_none(place):
    answered_by(place, NumberMode.AUTOMATION)
    silent, answered, old = (conversation_of(place, name) for name in ("A", "B", "C"))
    version = listening(
        place,
        on("trigger.no_reply", ("test.note", {"text": "Still there?"}), amount=1, unit="hours"),
    )
    with place.system_work() as ctx:
        trigger = ctx.session.exec(select(WorkflowTrigger)).one()
        trigger.looked_until = clock.now() - timedelta(minutes=2)
    an_hour_ago = clock.now() - timedelta(hours=1, seconds=30)
    outbound(place, silent, occurred_at=an_hour_ago)
    outbound(place, answered, occurred_at=an_hour_ago)
    outbound(place, old, occurred_at=an_hour_ago - timedelta(hours=1))
    from tests.builders import inbound

    inbound(place, answered, "Here", occurred_at=an_hour_ago + timedelta(seconds=5))
    with automating():
        until(lambda: statuses_of(place, version) == ["done"], what="the reminder")
    assert [run.conversation_id for run in runs_of(place, version)] == [silent]
    # The reminder was a message of ours: an hour later, that silence begins nothing.
    outbound(place, silent, occurred_at=an_hour_ago)
    with place.system_work() as ctx:
        trigger = ctx.session.exec(select(WorkflowTrigger)).one()
        trigger.looked_until = clock.now() - timedelta(minutes=2)
        ctx.session.flush()
        ctx.session.execute(
            text("update due_work set due_at = now() where tenant_id = :t"), {"t": place.tenant_id}
        )
        assert schedules.fire(ctx, trigger.id) == 0


def test_where_nobody_listens_nothing_is_written_down(place):
    with place.work("agent") as ctx:
        contacts.create(ctx, NewContact(name="Grace"))
    assert signals_of(place) == 0
    assert due_of(place, "signals") == []


def test_a_crashed_holders_run_is_taken_over_when_its_lease_is_over(place):
    version = listening(place, on("trigger.contact_created", ("test.name", {})))
    with place.work("agent") as ctx:
        contacts.create(ctx, NewContact(name="Grace"))
    assert automation.route(place.tenant_id) is None
    with place.system_work() as ctx:
        for statement in (
            "update executions set status = 'running', leased_by = 'gone' where tenant_id = :t",
            "update due_work set leased_by = 'gone', leased_until = now() + interval '2 s'"
            " where tenant_id = :t and kind = 'run'",
        ):
            ctx.session.execute(text(statement), {"t": place.tenant_id})
    with automating():
        until(lambda: statuses_of(place, version) == ["done"], what="the take-over")
    run = execution_of(place, runs_of(place, version)[0].id)
    assert run.steps == 2
