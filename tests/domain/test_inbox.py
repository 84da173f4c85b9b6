"""The inbox, asked and acted upon as its people do, with a rival in the room."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from aerostic.core import clock
from aerostic.core.due_work import DueWork
from aerostic.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from aerostic.core.ids import moment_of
from aerostic.domain.contacts.models import Contact
from aerostic.domain.inbox import presence, queries, search, service
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import ConversationEvent, ConversationStatus, OutboxItem
from aerostic.domain.inbox.presence import Watcher
from aerostic.domain.inbox.schemas import (
    ConversationFilter,
    Failure,
    Mention,
    ReactionView,
    Ticks,
    View,
)
from tests.builders import contact_of, conversation_of, inbound, outbound
from tests.mailbox import mails_to, text_of

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


def test_a_message_shows_its_quote_its_file_its_reactions_and_its_failure(place):
    conversation = conversation_of(place, "Ada")
    asked = inbound(place, conversation, "Which size?\nMedium?", occurred_at=NOON)
    outbound(
        place,
        conversation,
        "Large",
        occurred_at=NOON + timedelta(seconds=1),
        status="failed",
        failure={"code": "131026", "reason": "Not reachable.", "action": "Call them."},
        reply_to_meta_id=f"wamid.{asked.hex}",
        reactions={
            "contact": {"emoji": "👍"},
            "us": {"emoji": "👍", "user_id": str(place.agent_id)},
        },
    )
    with place.work() as ctx:
        answer = queries.thread(ctx, conversation).items[1]
    assert (answer.quoted.id, answer.quoted.author_name) == (asked, "Ada")
    assert answer.quoted.preview == "Which size? Medium?"
    assert answer.failure == Failure("131026", "Not reachable.", "Call them.")
    assert (answer.ticks, answer.can_retry, answer.author_name) == (Ticks.FAILED, True, "Agent")
    assert answer.reactions == [ReactionView("👍", ["Ada", "Agent"], is_ours=True)]


def test_a_quote_of_something_that_we_never_had_says_so(place):
    conversation = conversation_of(place)
    inbound(place, conversation, reply_to_meta_id="wamid.before-our-time")
    with place.work() as ctx:
        quoted = queries.thread(ctx, conversation).items[0].quoted
    assert (quoted.id, quoted.preview) == (None, "An earlier message")


def test_a_removed_message_keeps_its_place_but_not_its_words(place):
    conversation = conversation_of(place)
    inbound(place, conversation, "secret", revoked_at=NOON)
    with place.work() as ctx:
        shown = queries.thread(ctx, conversation).items[0]
    assert (shown.text, shown.content.notice) == ("", "This message was removed.")


# Answering --------------------------------------------------------------------------------------


def rows_of(place, model):
    with place.system_work() as ctx:
        return sorted(ctx.session.exec(select(model)), key=lambda row: row.id)


def lines_of(place, conversation):
    with place.work() as ctx:
        return texts(queries.thread(ctx, conversation))


@pytest.fixture
def conversation(place):
    made = conversation_of(place, "Ada", phone="15550009999")
    inbound(place, made, "Are you open?")
    return made


def test_a_reply_is_queued_once_for_the_contact(place, conversation):
    with place.work("agent") as ctx:
        service.reply(ctx, conversation, Draft.text("Until six", key="k1"))
    with place.work("agent") as ctx:
        service.reply(ctx, conversation, Draft.text("Until six", key="k1"))
    assert [item.recipient for item in rows_of(place, OutboxItem)] == ["15550009999"]
    assert lines_of(place, conversation) == ["Are you open?", "Until six"]


def test_free_text_is_refused_once_the_window_has_closed_and_nothing_is_written(place):
    with place.work("agent") as ctx:
        closed = {"window_closes_at": ctx.now, "last_inbound_at": ctx.now - timedelta(hours=24)}
    made = conversation_of(place, phone="15550009999", **closed)
    sentence = (
        "WhatsApp only allows templates here: the customer last wrote more than 24 hours ago."
    )
    with pytest.raises(Refused, match=sentence), place.work("agent") as ctx:
        service.reply(ctx, made, Draft.text("Hello?"))
    assert rows_of(place, OutboxItem) == []
    assert lines_of(place, made) == []


def test_a_reply_opens_a_closed_conversation_again(place, conversation):
    with place.work("agent") as ctx:
        service.close(ctx, conversation)
    with place.work("agent") as ctx:
        service.reply(ctx, conversation, Draft.text("One more thing"))
    with place.work() as ctx:
        assert queries.conversation(ctx, conversation).row.status == "open"
    assert lines_of(place, conversation)[1:] == [
        "Agent closed this conversation.",
        "One more thing",
        "Agent reopened this conversation.",
    ]


def test_a_rival_can_not_reply_and_nothing_changes(place, rival, conversation):
    with pytest.raises(NotFound), rival.work() as ctx:
        service.reply(ctx, conversation, Draft.text("Hello from next door"))
    assert lines_of(place, conversation) == ["Are you open?"]
    assert rows_of(rival, OutboxItem) == rows_of(place, OutboxItem) == []


def test_a_reaction_is_shown_at_its_message_and_a_second_tap_takes_it_back(place, conversation):
    with place.work() as ctx:
        message = queries.thread(ctx, conversation).items[0].id
    with place.work("agent") as ctx:
        service.react(ctx, message, "👍")
    with place.work() as ctx:
        shown = queries.thread(ctx, conversation).items
        assert [item.reactions for item in shown] == [[ReactionView("👍", ["Agent"], is_ours=True)]]
    with place.work("agent") as ctx:
        service.react(ctx, message, "")
    with place.work() as ctx:
        assert queries.message(ctx, message).reactions == []
    assert [item.body["reaction"]["emoji"] for item in rows_of(place, OutboxItem)] == ["👍", ""]


def test_a_conversation_is_started_once_and_takes_only_templates(place):
    contact = contact_of(place, "Bo", phone="15550008888")
    with place.work("agent") as ctx:
        first = service.start_conversation(ctx, contact, place.number_id).id
    with place.work("agent") as ctx:
        assert service.start_conversation(ctx, contact, place.number_id).id == first
    assert lines_of(place, first) == ["Agent started this conversation."]
    sentence = "the customer has not written to this number yet"
    with pytest.raises(Refused, match=sentence), place.work("agent") as ctx:
        service.reply(ctx, first, Draft.text("Hello"))


# Whose it is ------------------------------------------------------------------------------------


def test_assigning_says_who_and_to_whom(place, conversation):
    for user_id in (place.agent_id, place.agent_id, place.owner_id, None):
        with place.work("agent") as ctx:
            service.assign(ctx, conversation, user_id)
    assert lines_of(place, conversation)[1:] == [
        "Agent took this conversation.",
        "Agent assigned this to Owner.",
        "Agent took the assignment away.",
    ]


def test_only_members_who_may_answer_are_given_a_conversation(place, rival, conversation):
    with pytest.raises(Refused, match="can not answer in this workspace"), place.work() as ctx:
        service.assign(ctx, conversation, rival.agent_id)
    with place.work() as ctx:
        assert queries.conversation(ctx, conversation).row.assignee_id is None
    assert lines_of(place, conversation) == ["Are you open?"]


def test_a_note_calls_upon_members_only(place, rival, conversation, run_jobs):
    with place.work("agent") as ctx:
        service.add_note(ctx, conversation, " Ask the cook ", [place.owner_id])
        note = queries.thread(ctx, conversation).items[-1]
    assert (note.text, note.is_note) == ("Ask the cook", True)
    assert note.mentions == [Mention(place.owner_id, "Owner")]
    with pytest.raises(Refused), place.work("agent") as ctx:
        service.add_note(ctx, conversation, "Psst", [rival.owner_id])
    assert lines_of(place, conversation) == ["Are you open?", "Ask the cook"]
    run_jobs()
    [mail] = mails_to(place.emails["owner"])
    assert "Ask the cook" in text_of(mail)
    assert f"/dashboard/{place.tenant_id}/inbox?c={conversation}" in text_of(mail)
    assert mails_to(rival.emails["owner"]) == mails_to(place.emails["agent"]) == []


def test_whoever_mentions_oneself_gets_no_mail(place, conversation, run_jobs):
    with place.work("owner") as ctx:
        service.add_note(ctx, conversation, "For me, tomorrow", [place.owner_id])
    run_jobs()
    assert mails_to(place.emails["owner"]) == []


def test_a_snooze_wakes_when_it_is_over_and_not_before(place, conversation):
    until = clock.now() + timedelta(hours=1)
    with place.work("agent") as ctx:
        service.snooze(ctx, conversation, until)
    assert due_snoozes(place) == [(conversation, until)]
    with place.system_work() as ctx:
        assert not service.wake_snoozed(ctx, conversation)
    with place.system_work() as ctx:
        assert service.wake_snoozed(replace(ctx, now=until), conversation)
    assert due_snoozes(place) == []
    with place.work() as ctx:
        row = queries.conversation(ctx, conversation).row
    assert (row.status, row.snoozed_until) == ("open", None)
    assert lines_of(place, conversation)[-1] == "The snooze is over."


def test_closing_a_snoozed_conversation_forgets_the_alarm(place, conversation):
    with place.work("agent") as ctx:
        service.snooze(ctx, conversation, ctx.now + timedelta(hours=1))
    with place.work("agent") as ctx:
        service.close(ctx, conversation)
    assert due_snoozes(place) == []
    with place.system_work() as ctx:
        assert not service.wake_snoozed(ctx, conversation)


def test_a_snooze_into_the_past_is_refused(place, conversation):
    with pytest.raises(Invalid, match="still to come"), place.work("agent") as ctx:
        service.snooze(ctx, conversation, ctx.now)
    assert due_snoozes(place) == []


def due_snoozes(place):
    with place.system_work() as ctx:
        wanted = select(DueWork).where(
            DueWork.tenant_id == place.tenant_id, DueWork.kind == "snooze"
        )
        return [(work.ref, work.due_at) for work in ctx.session.exec(wanted)]


def test_reading_takes_the_unread_count_away(place, conversation):
    with place.work("agent") as ctx:
        service.mark_read(ctx, conversation)
    assert listed(place, is_unread=True) == []


# Labels and canned replies ----------------------------------------------------------------------


def test_labels_are_attached_shown_and_filtered_by(place, conversation):
    with place.work("admin") as ctx:
        vip, late = service.create_label(ctx, "VIP").id, service.create_label(ctx, "Late", "red").id
    for chosen in ([vip, late], [late], [late]):
        with place.work("agent") as ctx:
            service.set_labels(ctx, conversation, chosen)
    assert lines_of(place, conversation)[1:] == [
        "Agent added Late, VIP.",
        "Agent removed VIP.",
    ]
    assert (listed(place, label_id=late), listed(place, label_id=vip)) == (["Ada"], [])
    with place.work("admin") as ctx:
        service.delete_label(ctx, late)
    with place.work() as ctx:
        assert queries.conversation(ctx, conversation).row.labels == []


def test_a_label_of_a_rival_does_not_exist(place, rival, conversation):
    with rival.work("admin") as ctx:
        theirs = service.create_label(ctx, "VIP").id
    with pytest.raises(NotFound), place.work() as ctx:
        service.set_labels(ctx, conversation, [theirs])
    assert lines_of(place, conversation) == ["Are you open?"]


def test_two_labels_do_not_share_a_name(place):
    with place.work("admin") as ctx:
        service.create_label(ctx, "VIP")
    with pytest.raises(Conflict, match="There is a label “vip” already"), place.work() as ctx:
        service.create_label(ctx, "vip")
    with place.work() as ctx:
        assert [label.name for label in queries.labels(ctx)] == ["VIP"]


def test_agents_use_labels_and_canned_replies_but_do_not_make_them(place):
    for make in (service.create_label, service.create_canned_reply):
        with pytest.raises(NotAllowed), place.work("agent") as ctx:
            make(ctx, "hours", "We open at nine.")
    with place.work("agent") as ctx:
        assert (queries.labels(ctx), queries.canned_replies(ctx)) == ([], [])


def test_a_canned_reply_is_filled_for_the_contact(place, conversation):
    with place.work("admin") as ctx:
        text = "Hi {{ contact.first_name }}, {{agent.name}} here. {{ contact.table }}{{ nothing }}"
        reply = service.create_canned_reply(ctx, "/Hello", text).id
        ctx.get(Contact, queries.conversation(ctx, conversation).row.contact_id).attributes = {
            "table": "Table 4."
        }
    with place.work("agent") as ctx:
        assert [one.shortcut for one in queries.canned_replies(ctx)] == ["hello"]
        assert queries.canned_text(ctx, reply, conversation) == "Hi Ada, Agent here. Table 4."


def test_a_shortcut_belongs_to_one_reply(place):
    with place.work("admin") as ctx:
        service.create_canned_reply(ctx, "hours", "Nine to six.")
    with pytest.raises(Conflict, match="“/hours” is taken already"), place.work("admin") as ctx:
        service.create_canned_reply(ctx, "/HOURS", "Ten to five.")
    with place.work() as ctx:
        assert [one.text for one in queries.canned_replies(ctx)] == ["Nine to six."]


# Presence ---------------------------------------------------------------------------------------


def test_colleagues_see_who_looks_and_who_types_until_they_leave(place, rival, conversation):
    with place.work("agent") as ctx:
        presence.look(ctx, conversation)
        assert presence.watchers(ctx, conversation) == []
    with place.work("owner") as ctx:
        assert presence.watchers(ctx, conversation) == [Watcher(place.agent_id, "Agent", False)]
    with place.work("agent") as ctx:
        presence.typing(ctx, conversation)
    with place.work("owner") as ctx:
        assert presence.watchers(ctx, conversation) == [Watcher(place.agent_id, "Agent", True)]
        later = replace(ctx, now=ctx.now + timedelta(seconds=presence.TYPING_SECONDS))
        assert presence.watchers(later, conversation) == [Watcher(place.agent_id, "Agent", False)]
        later = replace(ctx, now=ctx.now + timedelta(seconds=presence.LOOKING_SECONDS))
        assert presence.watchers(later, conversation) == []
    with place.work("agent") as ctx:
        presence.leave(ctx, conversation)
    with place.work("owner") as ctx:
        assert presence.watchers(ctx, conversation) == []


def test_a_rival_can_not_look_in(place, rival, conversation):
    for act in (presence.look, presence.leave, presence.typing, presence.watchers):
        with pytest.raises(NotFound), rival.work() as ctx:
            act(ctx, conversation)
    with place.work() as ctx:
        assert presence.watchers(ctx, conversation) == []


# Search -----------------------------------------------------------------------------------------


def found(place, text, after=None):
    with place.work("agent") as ctx:
        return queries.search(ctx, text, after)


def test_search_finds_messages_by_any_part_of_any_case_and_accent(place, rival):
    there = conversation_of(place, "José Peña", phone="34600111222")
    inbound(place, there, "¿Tenéis CAFÉ con leche?")
    inbound(place, there, "100% sure")
    inbound(rival, conversation_of(rival), "café")
    assert [one.excerpt for one in found(place, "cafe leche").messages] == [
        "¿Tenéis CAFÉ con leche?"
    ]
    assert [one.excerpt for one in found(place, "0% s").messages] == ["100% sure"]
    assert found(place, "100_").messages == []
    assert found(place, "tea").messages == []


@pytest.mark.parametrize(
    "before",
    [
        "ﬃ" * 100,  # one letter that is compared as three
        "e\u0301" * 100,  # two that are compared as one
        "İ" * 100,
        "👩\u200d🍳👍🏽 " * 30,
        "ß Straße ½ Ⅷ " * 12,
        "각 " * 60,
    ],
)
def test_an_excerpt_shows_the_found_word_however_long_what_stands_before_it(place, before):
    inbound(place, conversation_of(place), f"{before} Küche offen {'x' * 300}")
    [one] = found(place, "kuche").messages
    at = one.excerpt.index("Küche")
    assert 40 <= at <= 42
    assert one.excerpt[0] == "…"
    assert unicodedata.combining(one.excerpt[1]) == 0


def test_search_finds_contacts_by_the_beginning_of_words_and_by_number(place, rival):
    there = conversation_of(place, "José Peña", phone="34600111222")
    conversation_of(rival, "José Peña")
    for typed in ("jose", "pena jo", "111222", "+34 600"):
        (contact,) = found(place, typed).contacts
        assert (contact.name, contact.conversation_id) == ("José Peña", there)
    assert found(place, "eña").contacts == []


def test_search_looks_through_everything_a_stretch_at_a_time(place, monkeypatch):
    monkeypatch.setattr(search, "STRETCH", 3)
    there = conversation_of(place)
    sent = [inbound(place, there, text) for text in ("needle", *["hay"] * 7)]
    pages = [found(place, "needle")]
    while pages[-1].next_cursor:
        pages.append(found(place, "needle", pages[-1].next_cursor))
    assert [len(page.messages) for page in pages] == [0, 0, 1]
    assert [page.searched_back_to for page in pages] == [
        moment_of(sent[5]),
        moment_of(sent[2]),
        None,
    ]


def test_one_letter_is_too_little_to_search_for(place):
    with pytest.raises(Invalid, match="at least two letters"):
        found(place, " a ")


def test_a_cursor_that_we_did_not_make_is_refused(place):
    with place.work() as ctx:
        for cursor in ("nonsense", "W10", "WyIyMDI2LTExLTIwIiwgIngiXQ", "é"):
            with pytest.raises(Invalid, match="not one of ours"):
                queries.conversations(ctx, after=cursor)
