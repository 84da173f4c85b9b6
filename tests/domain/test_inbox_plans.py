"""Lists and threads walk their indexes: asked of PostgreSQL, with the statements that the product sends."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import event

from aerostic.core import clock, database
from aerostic.domain.inbox import queries, search
from aerostic.domain.inbox.models import ConversationStatus
from aerostic.domain.inbox.schemas import ConversationFilter, View
from bench import fill
from tests.conftest import Place, _make_place

WATCHED = ("conversations", "messages")
COUNT = 20_000


@pytest.fixture(scope="module")
def crowd() -> tuple[Place, list]:
    place = _make_place("Crowd")
    with place.system_work() as ctx:
        made = fill.conversations(
            ctx,
            place.number_id,
            COUNT,
            agents=[place.owner_id, place.admin_id, place.agent_id, place.agent_id],
            until=clock.now(),
        )
        fill.messages(ctx, place.number_id, COUNT, among=made[:200], until=clock.now())
    owner = os.environ["AEROSTIC_DATABASE_OWNER_URL"]
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("analyze conversations, messages")
    return place, made


@contextmanager
def plans_of(ctx) -> Iterator[list[dict]]:
    """The plans of every statement on a watched table that is sent inside."""
    sent: list[tuple[str, dict]] = []
    plans: list[dict] = []

    def note(_connection, _cursor, statement, parameters, *_):
        if any(f"FROM {table} " in statement.replace("\n", " ") for table in WATCHED):
            sent.append((statement, parameters))

    event.listen(database.engine(), "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(database.engine(), "before_cursor_execute", note)
    for statement, parameters in sent:
        told = ctx.cursor().execute("explain (format json) " + statement, parameters).fetchone()
        plans.append(told[0][0]["Plan"])


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def scanned_whole(plans: list[dict]) -> list[str]:
    """Tables that some plan reads from end to end. An empty partition costs nothing to read."""
    return [
        node["Relation Name"]
        for plan in plans
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan"
        and node["Relation Name"].startswith(WATCHED)
        and node["Total Cost"] > 20
    ]


def rows_expected(plans: list[dict]) -> float:
    return max(plan["Plan Rows"] for plan in plans)


FILTERS = [
    ConversationFilter(),
    ConversationFilter(status=None),
    ConversationFilter(View.MINE),
    ConversationFilter(View.MINE, status=None),
    ConversationFilter(View.UNASSIGNED),
    ConversationFilter(View.UNASSIGNED, is_unread=True),
    ConversationFilter(is_unread=True),
    ConversationFilter(status=ConversationStatus.SNOOZED),
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_page_of_conversations_walks_an_index(crowd, wanted):
    place, _ = crowd
    with place.work("agent") as ctx:
        first = queries.conversations(ctx, wanted)
        assert len(first.items) == 50
        with plans_of(ctx) as plans:
            second = queries.conversations(ctx, wanted, first.next_cursor)
        assert len(second.items) == 50
        assert plans
        assert scanned_whole(plans) == []
        assert rows_expected(plans) <= 51


def test_a_page_of_a_number_walks_an_index(crowd):
    place, _ = crowd
    with place.work("agent") as ctx, plans_of(ctx) as plans:
        page = queries.conversations(ctx, ConversationFilter(number_id=place.number_id))
    assert len(page.items) == 50
    assert scanned_whole(plans) == []


def test_counts_stop_at_a_hundred_and_scan_nothing_whole(crowd):
    place, _ = crowd
    with place.work("agent") as ctx:
        with plans_of(ctx) as plans:
            counts = queries.counts(ctx)
        assert plans
        assert scanned_whole(plans) == []
    assert (counts.mine, counts.all, counts.closed) == (100, 100, 100)


def test_a_thread_walks_its_index_both_ways(crowd):
    place, made = crowd
    with place.work("agent") as ctx:
        with plans_of(ctx) as plans:
            last = queries.thread(ctx, made[0])
            queries.thread(ctx, made[0], last.next_cursor)
            queries.thread(ctx, made[0], after=last.newer_cursor)
        assert len(last.items) == 50
        assert len(plans) >= 3
        assert scanned_whole(plans) == []


def test_search_reads_one_stretch_of_messages_by_id(crowd, monkeypatch):
    monkeypatch.setattr(search, "STRETCH", 1_000)
    place, _ = crowd
    with place.work("agent") as ctx:
        with plans_of(ctx) as plans:
            page = queries.search(ctx, "no such word")
        assert page.messages == []
        assert page.next_cursor
        assert scanned_whole(plans) == []


def test_these_tests_would_notice_a_whole_scan(crowd):
    place, _ = crowd
    with place.work("agent") as ctx:
        told = ctx.cursor().execute(
            "explain (format json) select * from conversations where last_message_preview = 'x'"
        )
        assert json.dumps(scanned_whole([told.fetchone()[0][0]["Plan"]])) == '["conversations"]'
