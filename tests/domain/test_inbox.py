"""The inbox, asked and acted upon as its people do, with a rival in the room."""

from datetime import UTC, datetime, timedelta

import pytest

from aerostic.core import clock
from aerostic.core.errors import NotFound
from aerostic.domain.inbox import queries
from aerostic.domain.inbox.models import ConversationEvent, ConversationStatus
from aerostic.domain.inbox.schemas import ConversationFilter, Ticks, View
from tests.builders import conversation_of, inbound, outbound

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def names(page):
    return [row.contact_name for row in page.items]


def listed(place, role="agent", **filters):
    with place.work(role) as ctx:
        return names(queries.conversations(ctx, ConversationFilter(**filters)))


# The list ---------------------------------------------------------------------------------------


def test_the_list_shows_the_newest_activity_first(place):
    for minute, name in enumerate(["Ada", "Bo", "Cy"]):
        inbound(place, conversation_of(place, name), occurred_at=NOON + timedelta(minutes=minute))
    assert listed(place) == ["Cy", "Bo", "Ada"]


def test_a_line_says_who_what_and_how_far_our_answer_came(place):
    conversation = conversation_of(place, "Ada", phone="15550009999")
    inbound(place, conversation, "Are you open?", occurred_at=NOON)
    outbound(place, conversation, "Until six", occurred_at=NOON, status="delivered")
    with place.work("agent") as ctx:
        row = queries.conversations(ctx).items[0]
    assert (row.contact_name, row.contact_phone) == ("Ada", "+15550009999")
    assert (row.preview, row.preview_is_ours, row.ticks) == ("Until six", True, Ticks.DELIVERED)
    assert (row.unread_count, row.last_message_at) == (1, NOON)


def test_filters_narrow_together(place):
    mine = {"assignee_id": place.agent_id}
    conversation_of(place, "mine", **mine)
    conversation_of(place, "mine, closed", status=ConversationStatus.CLOSED, **mine)
    conversation_of(place, "nobody's")
    conversation_of(place, "admin's, unread", assignee_id=place.admin_id, unread_count=2)
    assert listed(place, view=View.MINE) == ["mine"]
    assert set(listed(place, view=View.MINE, status=None)) == {"mine", "mine, closed"}
    assert listed(place, view=View.UNASSIGNED) == ["nobody's"]
    assert listed(place, is_unread=True) == ["admin's, unread"]
    assert listed(place, is_unread=True, view=View.MINE) == []
    assert listed(place, status=ConversationStatus.CLOSED) == ["mine, closed"]
    assert len(listed(place, number_id=place.number_id)) == 3
    assert listed(place, number_id=place.account_id) == []


def test_pages_follow_each_other_while_new_activity_arrives(place):
    for minute in range(5):
        conversation_of(place, f"c{minute}", last_message_at=NOON + timedelta(minutes=minute))
    with place.work() as ctx:
        first = queries.conversations(ctx, limit=2)
    conversation_of(place, "new")
    with place.work() as ctx:
        second = queries.conversations(ctx, after=first.next_cursor, limit=2)
        third = queries.conversations(ctx, after=second.next_cursor, limit=2)
    assert [names(page) for page in (first, second, third)] == [["c4", "c3"], ["c2", "c1"], ["c0"]]
    assert third.next_cursor is None


def test_counts_agree_with_the_lists_and_stop_at_a_hundred(place):
    for _ in range(3):
        conversation_of(place, "closed", status=ConversationStatus.CLOSED)
    conversation_of(place, "mine", assignee_id=place.agent_id, unread_count=4)
    conversation_of(place, "snoozed", status=ConversationStatus.SNOOZED)
    with place.work("agent") as ctx:
        counts = queries.counts(ctx)
    assert (counts.mine, counts.unassigned, counts.all, counts.unread) == (1, 0, 1, 1)
    assert (counts.snoozed, counts.closed) == (1, 3)


def test_a_rival_sees_nothing_of_it(place, rival):
    conversation = conversation_of(place)
    message = inbound(place, conversation)
    assert listed(rival, "owner", status=None) == []
    with rival.work() as ctx:
        for look in (queries.conversation, queries.thread, queries.sendable_templates):
            with pytest.raises(NotFound):
                look(ctx, conversation)
        with pytest.raises(NotFound):
            queries.message(ctx, message)


# The thread -------------------------------------------------------------------------------------


def texts(page):
    return [item.text for item in page.items]


def test_a_thread_orders_by_metas_time_then_its_order_in_the_delivery(place):
    conversation = conversation_of(place)
    inbound(place, conversation, "third", occurred_at=NOON, position=1)
    inbound(place, conversation, "second", occurred_at=NOON, position=0)
    inbound(place, conversation, "first", occurred_at=NOON - timedelta(seconds=1), position=9)
    with place.work() as ctx:
        assert texts(queries.thread(ctx, conversation)) == ["first", "second", "third"]


def test_events_stand_between_the_messages_that_they_happened_between(place):
    conversation = conversation_of(place)
    inbound(place, conversation, "before", occurred_at=clock.now() - timedelta(seconds=5))
    with place.work() as ctx:
        event = ConversationEvent(conversation_id=conversation, kind="note", text="note")
        ctx.session.add(event)
    inbound(place, conversation, "after", occurred_at=clock.now() + timedelta(seconds=5))
    with place.work() as ctx:
        assert texts(queries.thread(ctx, conversation)) == ["before", "note", "after"]


def test_a_thread_pages_both_ways_without_a_gap_or_a_repeat(place):
    conversation = conversation_of(place)
    start = clock.now().replace(microsecond=0)
    for count in range(6):
        inbound(place, conversation, f"m{count}", occurred_at=start + timedelta(seconds=count // 2))
        with place.work() as ctx:
            note = ConversationEvent(conversation_id=conversation, kind="note", text=f"n{count}")
            ctx.session.add(note)
    with place.work() as ctx:
        whole = queries.thread(ctx, conversation)
        back = walk_back(ctx, conversation)
        forth = walk_forth(ctx, conversation, whole.items[0].id)
    assert len(whole.items) == 12
    assert back == texts(whole)
    assert forth == texts(whole)


def walk_back(ctx, conversation):
    pages = [queries.thread(ctx, conversation, limit=3)]
    while pages[0].next_cursor:
        pages.insert(0, queries.thread(ctx, conversation, pages[0].next_cursor, limit=3))
    return [text for page in pages for text in texts(page)]


def walk_forth(ctx, conversation, first):
    pages = [queries.thread_around(ctx, conversation, first, limit=4)]
    while pages[-1].items:
        pages.append(queries.thread(ctx, conversation, after=pages[-1].newer_cursor, limit=3))
    assert pages[-1].newer_cursor == pages[-2].newer_cursor
    return [text for page in pages for text in texts(page)]
