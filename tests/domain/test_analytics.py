"""Analytics: every figure from rows, by the workspace's days, and nobody else's."""

import csv
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from aerostic.core.errors import Invalid, NotAllowed
from aerostic.core.ids import first_id_at, new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.ai.models import Agent, AgentTurn
from aerostic.domain.analytics import durations, queries, service
from aerostic.domain.analytics.days import bounds
from aerostic.domain.analytics.files import Table
from aerostic.domain.analytics.report import OutcomeRow, PersonRow, Report
from aerostic.domain.automation.models import Execution, Workflow
from aerostic.domain.identity.models import Tenant
from aerostic.domain.inbox.models import ConversationEvent
from tests.builders import conversation_of, inbound, outbound
from tests.conftest import Place
from workers.jobs import metrics

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
NINE = datetime(2026, 11, 16, 9, tzinfo=UTC)
COUNTER = system("metrics", Permission.METRICS_FOLD)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def said(place: Place, conversation: UUID, at: datetime, **fields: object) -> None:
    inbound(place, conversation, occurred_at=at, **written_at(at), **fields)


def answered(place: Place, conversation: UUID, at: datetime, **fields: object) -> None:
    outbound(place, conversation, occurred_at=at, **written_at(at), **fields)


def written_at(at: datetime) -> dict[str, object]:
    return {"id": UUID(int=first_id_at(at).int + new_id().int % 2**60), "created_at": at}


def closed(place: Place, conversation: UUID, at: datetime, by: UUID | None) -> None:
    event = ConversationEvent(
        conversation_id=conversation, kind="closed", actor_user_id=by, **written_at(at)
    )
    with place.system_work() as ctx:
        ctx.session.add(event)


def count(place: Place, *days: date) -> None:
    for day in days or (MONDAY, TUESDAY):
        with unit_of_work(place.tenant_id, COUNTER) as ctx:
            service.count_day(ctx, day)


def report(place: Place, first: date = MONDAY, last: date = TUESDAY) -> Report:
    with place.work("admin") as ctx:
        return queries.report(ctx, first, last)


def test_messages_are_counted_by_day_and_by_where_they_came_from(place, rival):
    talk = conversation_of(place)
    said(place, talk, NINE)
    said(place, talk, NINE + timedelta(days=1))
    answered(place, talk, NINE + minutes(1))
    answered(place, talk, NINE + minutes(2), origin="automation", author_id=None)
    answered(place, talk, NINE + minutes(3), origin="campaign", author_id=None)
    answered(place, talk, NINE + minutes(4), origin="phone_app", author_id=None)
    said(place, talk, NINE + minutes(5), origin="history")
    said(rival, conversation_of(rival), NINE)
    count(place)
    monday, tuesday = report(place).days
    assert (monday.received, monday.written) == (1, 4)
    assert (monday.by_people, monday.by_automation, monday.by_campaigns, monday.by_api) == (
        1,
        1,
        1,
        0,
    )
    assert (tuesday.received, tuesday.written) == (1, 0)
    assert report(rival).now.received == 0  # nobody has counted there


def test_a_day_counted_again_is_replaced_and_follows_what_changed(place):
    talk = conversation_of(place)
    for status in ("sent", "delivered", "read", "failed", "queued"):
        failure = {"code": "131026", "reason": "", "action": ""} if status == "failed" else None
        answered(place, talk, NINE, status=status, failure=failure)
    count(place)
    count(place)
    now = report(place).now
    assert (now.tried, now.delivered, now.read, now.failed) == (4, 2, 1, 1)
    assert report(place).outcomes[0] == OutcomeRow("delivered", 1, 200)
    (failure_row,) = report(place).failures
    assert (failure_row.code, failure_row.many) == ("131026", 1)
    assert failure_row.reason.endswith(".")
    with place.system_work() as ctx:
        ctx.cursor().execute("update messages set status = 'read' where status = 'sent'")
    count(place)
    assert (report(place).now.read, report(place).now.written) == (2, 5)


def test_first_answers_waits_and_resolutions_are_timed_for_whoever_gave_them(place):
    talk = conversation_of(place)
    said(place, talk, NINE)
    said(place, talk, NINE + minutes(1))
    answered(place, talk, NINE + minutes(5), author_id=place.agent_id)
    said(place, talk, NINE + minutes(10))
    answered(place, talk, NINE + minutes(12.5), author_id=place.admin_id)
    answered(place, talk, NINE + minutes(13), author_id=place.admin_id)
    closed(place, talk, NINE + minutes(60), by=place.agent_id)
    said(place, talk, NINE + minutes(90))
    answered(place, talk, NINE + minutes(90) + timedelta(seconds=42), author_id=place.admin_id)
    count(place)
    found = report(place)
    assert (found.now.opened, found.now.closed) == (2, 1)
    assert (found.now.first_response, found.now.first_response_slow) == (42, 300)
    assert (found.now.answer, found.now.answer_slow) == (120, 300)
    assert found.now.resolution == 3600
    assert found.people == (
        PersonRow("Admin", 3, 2, 42, 1, 42, 0, None),
        PersonRow("Agent", 1, 1, 300, 1, 300, 1, 3600),
    )


def test_an_answer_by_automation_ends_a_wait_and_is_nobodys(place):
    talk = conversation_of(place)
    said(place, talk, NINE)
    answered(place, talk, NINE + minutes(1), origin="automation", author_id=None)
    answered(place, talk, NINE + minutes(3), origin="campaign", author_id=None)
    answered(place, talk, NINE + minutes(30))
    closed(place, talk, NINE + minutes(40), by=None)
    count(place)
    found = report(place)
    assert found.now.answer is None
    assert found.now.first_response == 1800
    assert [(one.name, one.closed) for one in found.people] == [("Agent", 0), ("Automation", 1)]


def test_a_conversation_is_opened_once_until_it_is_closed(place):
    talk, other = conversation_of(place), conversation_of(place, "Bob")
    said(place, talk, NINE - timedelta(days=1))
    said(place, talk, NINE)
    said(place, other, NINE)
    closed(place, other, NINE + minutes(1), by=None)
    said(place, other, NINE + timedelta(days=1))
    said(place, talk, NINE + timedelta(days=1))
    count(place)
    assert [one.opened for one in report(place).days] == [1, 1]


def test_a_day_is_the_workspaces_and_another_zone_counts_all_anew(place):
    talk = conversation_of(place)
    said(place, talk, datetime(2026, 11, 16, 23, 30, tzinfo=UTC))
    count(place)
    assert [one.received for one in report(place).days] == [1, 0]
    with place.system_work() as ctx:
        ctx.session.get_one(Tenant, place.tenant_id).time_zone = "Europe/Berlin"
    with unit_of_work(place.tenant_id, COUNTER) as ctx:
        due = service.due_days(ctx)
    assert {MONDAY, TUESDAY} <= set(due)
    count(place, *due)
    assert [one.received for one in report(place).days] == [0, 1]
    assert report(place).time_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)]
)
def test_a_day_is_as_long_as_the_clocks_say(day, hours):
    first, end = bounds(day, ZoneInfo("Europe/Berlin"))
    assert ((end.int >> 80) - (first.int >> 80)) / 3_600_000 == hours


def test_runs_agents_and_what_they_cost(place):
    with place.system_work() as ctx:
        workflow, agent = Workflow(name="Orders"), Agent(name="Ada", model="local")
        ctx.session.add_all([workflow, agent])
        ctx.session.flush()
        for status in ("done", "done", "failed", "waiting"):
            run = Execution(workflow_id=workflow.id, status=status, **written_at(NINE))
            ctx.session.add(run)
        trial = Execution(workflow_id=workflow.id, mode="recorded", **written_at(NINE))
        turn = AgentTurn(
            agent_id=agent.id,
            run_id=new_id(),
            number=1,
            model="local",
            outcome="handed_over",
            tokens_in=900,
            tokens_out=100,
            cost_micros=250,
            **written_at(NINE),
        )
        ctx.session.add_all([trial, turn])
    count(place)
    found = report(place)
    (row,) = found.workflows
    assert (row.name, row.runs, row.done, row.failed, row.living) == ("Orders", 4, 2, 1, 1)
    (used,) = found.agents
    assert (used.name, used.turns, used.tokens, used.cost_micros, used.handed_over) == (
        "Ada",
        1,
        1000,
        250,
        1,
    )
    assert (found.now.runs_failed, found.now.ai_cost_micros) == (1, 250)
    assert found.days[0].ai_cost_micros == 250


def test_the_days_before_stand_beside_it(place):
    talk = conversation_of(place)
    said(place, talk, NINE)
    said(place, talk, NINE + timedelta(days=1))
    said(place, talk, NINE + timedelta(days=1))
    count(place)
    found = report(place, TUESDAY, TUESDAY)
    assert (found.now.received, found.before.received) == (2, 1)


def test_nothing_is_zero_and_has_no_times(place):
    found = report(place)
    assert (found.now.received, found.now.first_response, found.counted_at) == (0, None, None)
    assert [one.received for one in found.days] == [0, 0]
    assert found.people == found.campaigns == found.workflows == found.agents == ()


def test_a_csv_has_the_tables_rows_and_no_formula(place):
    with place.system_work() as ctx:
        workflow = Workflow(name="=1+1")
        ctx.session.add(workflow)
        ctx.session.flush()
        ctx.session.add(Execution(workflow_id=workflow.id, status="done", **written_at(NINE)))
    count(place)
    with place.work("admin") as ctx:
        text = queries.csv(ctx, Table.WORKFLOWS, MONDAY, TUESDAY)
        days = queries.csv(ctx, Table.DAYS, MONDAY, TUESDAY)
    assert list(csv.reader(text.splitlines())) == [
        ["Workflow", "Runs", "Done", "Failed", "Stopped", "Not ended"],
        ["'=1+1", "1", "1", "0", "0", "0"],
    ]
    assert len(days.splitlines()) == 3


def test_agents_may_not_look_and_periods_make_sense(place):
    with pytest.raises(NotAllowed), place.work("agent") as ctx:
        queries.report(ctx, MONDAY, TUESDAY)
    with place.work("admin") as ctx:
        with pytest.raises(Invalid):
            queries.report(ctx, TUESDAY, MONDAY)
        with pytest.raises(Invalid):
            queries.report(ctx, date(2024, 1, 1), TUESDAY)


def test_a_long_past_is_counted_in_slices_and_none_is_left_out(place):
    talk = conversation_of(place)
    with place.system_work() as ctx:
        now = ctx.now
    said(place, talk, now - timedelta(days=50))
    seen: list[date] = []
    for _ in range(4):
        with place.system_work() as ctx:
            due = service.due_days(ctx)
            seen += due
            if due:
                service.counted(ctx, due, began=ctx.now)
            ctx.cursor().execute(
                "update analytics_progress set due_at = now() where tenant_id = %s",
                (place.tenant_id,),
            )
    assert seen == [now.date() - timedelta(days=back) for back in range(52)]


def test_the_job_counts_what_is_due_then_rests(place, rival):
    talk = conversation_of(place)
    with place.system_work() as ctx:
        today = ctx.now.date()
    inbound(place, talk)
    inbound(rival, conversation_of(rival))
    for one in (place, rival, place):
        metrics.fold_one(one.tenant_id)
    assert report(place, today, today).now.received == 1
    assert report(rival, today, today).now.received == 1
    with unit_of_work(place.tenant_id, COUNTER) as ctx:
        assert service.due_days(ctx) == []


def test_waits_in_words():
    waits = {5: 1, 60: 2, 7500: 1}
    assert [durations.quantile(waits, share) for share in (0.25, 0.5, 0.9)] == [5, 60, 7500]
    assert durations.quantile({}, 0.5) is None
    shown = [durations.in_words(one) for one in (None, 42, 3599, 7200, 7500, 100_800)]
    assert shown == ["–", "42 s", "59 min", "2 h", "2 h 5 min", "1 d 4 h"]
