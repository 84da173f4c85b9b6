"""What is queued leaves, once, and every doubt is on the screen."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from aerostic.core.errors import Conflict, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.settings import settings
from aerostic.domain.channels import service as channels
from aerostic.domain.channels.models import PhoneNumber, WhatsappAccount
from aerostic.domain.contacts.models import Contact
from aerostic.domain.inbox import outbox, queries, statuses
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Conversation, Message, MessageEvent, MessageKey
from aerostic.domain.inbox.schemas import Shown
from aerostic.domain.media import service as media
from aerostic.domain.media.models import Media
from aerostic.domain.sending import service
from aerostic.domain.templates.models import Template
from aerostic.domain.usage.models import UsageKind
from aerostic.integrations.meta.webhooks import StatusUpdate
from bench.stand_in import Drop, Raw, Refuse, StandIn, Take
from tests.builders import conversation_of, inbound, used
from tests.meta import Meta, change, delivery, status, wamid
from tests.workers.sending import (
    becomes,
    message_of,
    say,
    send,
    sending,
    status_of,
    wait_until,
    waiting,
)

PHONE = "4915112345678"


@pytest.fixture
def graph() -> Iterator[StandIn]:
    """Meta's side of sending."""
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def conversation(place) -> UUID:
    return conversation_of(place, phone=PHONE)


def texts(graph: StandIn) -> list[str]:
    return [seen.body["text"]["body"] for seen in graph.messages]


def number_of(place) -> PhoneNumber:
    with place.work() as ctx:
        return ctx.get(PhoneNumber, place.number_id)


def template_of(place, category: str = "UTILITY", **facts) -> UUID:
    with place.system_work() as ctx:
        template = Template(
            account_id=place.account_id,
            name="order_update",
            language="en",
            category=category,
            status="APPROVED",
            components=[{"type": "BODY", "text": "Your order {{1}} has left."}],
            **facts,
        )
        ctx.session.add(template)
        ctx.session.flush()
        return template.id


def broadcast(place, conversation_id: UUID, template_id: UUID) -> UUID:
    """A template to somebody. Marketing leaves behind everything else."""
    with place.system_work() as ctx:
        draft = Draft.template(template_id, {"body.1": "7"})
        conversation = ctx.get(Conversation, conversation_id)
        return outbox.queue(ctx, conversation, draft).id


# What leaves ------------------------------------------------------------------------------------


def test_a_reply_leaves_with_our_id_and_is_accepted(graph, place, rival, conversation):
    theirs = conversation_of(rival, phone="4915199999999")
    with sending(graph.url):
        message_id = say(place, conversation)
        becomes(place, message_id, "accepted")
        becomes(rival, say(rival, theirs), "accepted")
    assert used(place, UsageKind.OUTGOING_MESSAGE) == [message_id]
    assert len(used(rival, UsageKind.OUTGOING_MESSAGE)) == 1
    seen, other = graph.messages
    assert (seen.number, other.number) == (place.phone_number_id, rival.phone_number_id)
    assert seen.token.startswith("token-of-")
    assert seen.token != other.token
    assert seen.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": PHONE,
        "type": "text",
        "text": {"body": "Good morning"},
        "biz_opaque_callback_data": str(message_id),
    }
    message = message_of(place, message_id)
    assert waiting(place, message_id) is None
    with place.work() as ctx:
        key = ctx.session.get(MessageKey, (place.tenant_id, message.meta_message_id))
        assert key.message_id == message_id
        assert ctx.get(Conversation, conversation).last_message_status == "accepted"


def test_what_was_queued_while_no_sender_ran_leaves_when_one_does(graph, place, conversation):
    message_id = say(place, conversation)
    assert graph.messages == []
    with sending(graph.url):
        becomes(place, message_id, "accepted")


def test_a_double_click_sends_one_message(graph, place, conversation):
    with sending(graph.url):
        first = say(place, conversation, key="k1")
        second = say(place, conversation, key="k1")
        becomes(place, first, "accepted")
        becomes(place, say(place, conversation, "Bye"), "accepted")
    assert first == second
    assert texts(graph) == ["Good morning", "Bye"]


def test_one_person_reads_in_the_order_of_writing(graph, place, conversation):
    slow = iter([Take(0.2), *[Take()] * 30])
    graph.decide = lambda _: next(slow)
    sent = [say(place, conversation, str(number)) for number in range(20)]
    with sending(graph.url):
        becomes(place, sent[-1], "accepted")
    assert texts(graph) == [str(number) for number in range(20)]


def test_a_retried_message_is_not_overtaken(graph, place, conversation):
    first = iter([Refuse(131000, status=500), *[Take()] * 30])
    graph.decide = lambda _: next(first)
    sent = [say(place, conversation, str(number)) for number in range(4)]
    with sending(graph.url):
        becomes(place, sent[-1], "accepted")
    assert texts(graph) == ["0", "0", "1", "2", "3"]


def test_an_answer_to_a_person_leaves_before_marketing(graph, place, conversation):
    template_id = template_of(place, "MARKETING")
    people = [conversation_of(place, f"P{n}", phone=f"49152000000{n:02}") for n in range(30)]
    waiting_ones = [broadcast(place, one, template_id) for one in people]
    reply_id = say(place, conversation)
    with sending(graph.url):
        for message_id in waiting_ones:
            becomes(place, message_id, "accepted")
    assert graph.messages[0].body["biz_opaque_callback_data"] == str(reply_id)
    assert len(graph.messages) == 31


def test_a_file_is_given_to_meta_once_and_named_in_each_message(graph, place, conversation):
    with place.work("agent") as ctx:
        stored = media.store_upload(
            ctx, [b"\x89PNG\r\n\x1a\n..."], file_name="a.png", mime_type="image/png"
        )
        media_id = stored.id
    with sending(graph.url):
        sent = [send(place, conversation, Draft.media(media_id, "image", caption=c)) for c in "ab"]
        for message_id in sent:
            becomes(place, message_id, "accepted")
    [(meta_id, mime_type, content)] = graph.files
    assert (mime_type, content) == ("image/png", b"\x89PNG\r\n\x1a\n...")
    assert [seen.body["image"] for seen in graph.messages] == [
        {"id": meta_id, "caption": "a"},
        {"id": meta_id, "caption": "b"},
    ]
    with place.work() as ctx:
        assert ctx.get(Media, media_id).meta_media_id == meta_id


def test_a_file_that_meta_has_forgotten_is_given_once_more(graph, place, conversation):
    with place.work("agent") as ctx:
        stored = media.store_upload(
            ctx, [b"%PDF-1.4 x"], file_name="a.pdf", mime_type="application/pdf"
        )
        stored.meta_media_id, stored.number_id = "gone", place.number_id
        stored.meta_uploaded_at = ctx.now - timedelta(days=20)
        media_id = stored.id
    graph.decide = lambda body: (
        Refuse(100, subcode=33) if body["document"]["id"] == "gone" else Take()
    )
    with sending(graph.url):
        message_id = send(place, conversation, Draft.media(media_id, "document", file_name="a.pdf"))
        becomes(place, message_id, "accepted")
    [(meta_id, _, _)] = graph.files
    assert [seen.body["document"]["id"] for seen in graph.messages] == ["gone", meta_id]


def test_a_file_that_is_gone_from_disk_fails_with_a_sentence(graph, place, conversation):
    with place.work("agent") as ctx:
        stored = media.store_upload(
            ctx, [b"%PDF-1.4 y" + new_id().bytes], file_name="a.pdf", mime_type="application/pdf"
        )
        media_id = stored.id
        stored.storage_key = "nowhere"
    with sending(graph.url):
        message_id = send(place, conversation, Draft.media(media_id, "document"))
        becomes(place, message_id, "failed")
    assert message_of(place, message_id).failure["reason"] == "The file of this message is gone."
    assert used(place, UsageKind.OUTGOING_MESSAGE) == []
    assert graph.messages == []


def test_a_template_leaves_with_its_values(graph, place, conversation):
    with sending(graph.url):
        draft = Draft.template(template_of(place), {"body.1": "7"})
        becomes(place, send(place, conversation, draft), "accepted")
    [seen] = graph.messages
    assert len(used(place, UsageKind.OUTGOING_MESSAGE)) == 1
    assert seen.body["template"] == {
        "name": "order_update",
        "language": {"code": "en"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "7"}]}],
    }


def test_blue_ticks_and_typing_reach_meta_once(graph, place, conversation):
    inbound(place, conversation, meta_message_id="wamid.of-theirs")
    with sending(graph.url):
        becomes(place, say(place, conversation), "accepted")  # the sender listens by now
        for _ in range(3):
            with place.work("agent") as ctx:
                inbox.mark_read(ctx, conversation)
            with place.work("agent") as ctx:
                inbox.typing(ctx, conversation)
        wait_until(lambda: len(graph.reads) == 2)
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.of-theirs"}
    typing = read | {"typing_indicator": {"type": "text"}}
    assert sorted((seen.body for seen in graph.reads), key=len) == [read, typing]


# What Meta refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (131026, "WhatsApp can not deliver to this person."),
        (131047, "More than 24 hours have passed since the customer last wrote."),
        (100, "WhatsApp did not accept the content of this message."),
        (987654, "WhatsApp refused the message: Because"),
    ],
)
def test_a_refusal_for_good_is_told_in_a_sentence(graph, place, conversation, code, sentence):
    graph.decide = lambda _: Refuse(code, details="Because")
    with sending(graph.url):
        message_id = say(place, conversation)
        becomes(place, message_id, "failed")
    message = message_of(place, message_id)
    assert message.failure["reason"].startswith(sentence)
    assert message.failure["code"] == str(code)
    assert waiting(place, message_id) is None
    assert len(graph.messages) == 1
    with place.work() as ctx:
        assert ctx.get(Conversation, conversation).last_message_status == "failed"


def test_a_passing_problem_is_tried_again(graph, place, conversation):
    answers = iter([Refuse(131016, status=500), Take()])
    graph.decide = lambda _: next(answers)
    with sending(graph.url):
        message_id = say(place, conversation)
        becomes(place, message_id, "accepted")
    assert len(graph.messages) == 2
    assert message_of(place, message_id).failure is None


def test_the_pair_limit_delays_one_recipient_and_nobody_else(graph, place, conversation):
    answers = iter([Refuse(131056)])
    graph.decide = lambda body: next(answers, Take()) if body["to"] == PHONE else Take()
    others = [conversation_of(place, f"P{n}", phone=f"49152000000{n:02}") for n in range(10)]
    with sending(graph.url):
        late = say(place, conversation, "late")
        wait_until(lambda: len(graph.messages) == 1)
        for message_id in [say(place, one) for one in others]:
            becomes(place, message_id, "accepted")
        assert status_of(place, late) == "queued"
        becomes(place, late, "accepted")
    times = [seen.at for seen in graph.messages if seen.body["to"] == PHONE]
    assert len(times) == 2
    assert times[1] - times[0] >= 4


def test_a_dead_token_stops_the_number_and_checking_it_lets_all_leave(
    graph, place, rival, conversation, monkeypatch
):
    monkeypatch.setenv("AEROSTIC_META_GRAPH_URL", graph.url)
    settings.cache_clear()
    graph.numbers = [place.phone_number_id]
    graph.decide = lambda _: Refuse(190, status=401)
    theirs = conversation_of(rival, phone=PHONE)
    with sending(graph.url):
        sent = [say(place, conversation, str(n)) for n in range(5)]
        wait_until(lambda: number_of(place).status == "needs_attention")
        wait_until(lambda: {status_of(place, one) for one in sent} == {"queued"})
        tried = len(graph.messages)
        later = say(place, conversation, "later")
        graph.decide = lambda _: Take()
        becomes(rival, say(rival, theirs), "accepted")
        assert len(graph.messages) == tried + 1
        assert status_of(place, later) == "queued"
        assert number_of(place).problem.startswith("Meta no longer accepts the access token")
        with place.work() as ctx:
            channels.check_account(ctx, place.account_id)
        for message_id in [*sent, later]:
            becomes(place, message_id, "accepted")
    mine = [one for one in graph.messages[tried:] if one.number == place.phone_number_id]
    assert [one.body["text"]["body"] for one in mine] == ["0", "1", "2", "3", "4", "later"]
    with place.work() as ctx:
        assert ctx.get(WhatsappAccount, place.account_id).status == "connected"
    settings.cache_clear()


def test_what_waits_at_a_disconnected_number_fails_with_a_sentence(graph, place, conversation):
    message_id = say(place, conversation)
    with place.system_work() as ctx:
        ctx.get(PhoneNumber, place.number_id).status = "disconnected"
    with sending(graph.url):
        becomes(place, message_id, "failed")
    told = message_of(place, message_id).failure
    assert told["reason"] == "The number was disconnected before this message left."
    assert graph.messages == []


def test_a_stopped_template_fails_what_waits_with_it_and_nothing_else(graph, place, conversation):
    template_id = template_of(place)
    people = [conversation_of(place, f"P{n}", phone=f"49152000000{n:02}") for n in range(60)]
    sent = [broadcast(place, one, template_id) for one in people]
    graph.decide = lambda body: Refuse(132015) if body["type"] == "template" else Take(0.05)
    with sending(graph.url):
        for message_id in sent:
            becomes(place, message_id, "failed")
        becomes(place, say(place, conversation), "accepted")
    with place.work() as ctx:
        assert ctx.get(Template, template_id).status == "PAUSED"
    assert len(graph.messages) < 60


def test_a_person_who_stopped_marketing_is_remembered(graph, place, conversation):
    graph.decide = lambda _: Refuse(131050)
    template_id = template_of(place, "MARKETING")
    with sending(graph.url):
        becomes(place, broadcast(place, conversation, template_id), "failed")
    with place.work() as ctx:
        contact_id = ctx.get(Conversation, conversation).contact_id
        assert ctx.get(Contact, contact_id).marketing_stopped_at is not None
    with pytest.raises(Refused, match="stopped marketing"):
        broadcast(place, conversation, template_id)


def test_marketing_goes_the_way_that_meta_asks_for(graph, place, conversation):
    refusals = iter([Refuse(131063)])
    graph.decide = lambda _: next(refusals, Take())
    template_id = template_of(place, "MARKETING")
    with sending(graph.url):
        becomes(place, broadcast(place, conversation, template_id), "accepted")
    assert [seen.path for seen in graph.messages] == ["messages", "marketing_messages"]


def test_a_second_request_for_one_message_keeps_to_the_rate_too(graph, place, conversation):
    with place.system_work() as ctx:
        ctx.get(PhoneNumber, place.number_id).messages_per_second = 1
    refusals = iter([Refuse(131063)])
    graph.decide = lambda _: next(refusals, Take())
    template_id = template_of(place, "MARKETING")
    with sending(graph.url):
        becomes(place, broadcast(place, conversation, template_id), "accepted")
    first, second = graph.messages
    assert second.at - first.at >= 0.99


def test_a_message_that_meta_holds_back_is_not_shown_as_sent(graph, place, conversation):
    graph.decide = lambda _: Take(message_status="held_for_quality_assessment")
    with sending(graph.url):
        message_id = say(place, conversation)
        wait_until(lambda: waiting(place, message_id) is None)
    message = message_of(place, message_id)
    assert message.status == "sending"
    assert message.failure["reason"].startswith("WhatsApp holds this message back")
    assert message.meta_message_id.startswith("wamid.")
    assert used(place, UsageKind.OUTGOING_MESSAGE) == [message_id]


# Reactions --------------------------------------------------------------------------------------


def react(place, target: UUID, emoji: str, role: str = "agent") -> UUID:
    with place.work(role) as ctx:
        return inbox.react(ctx, target, emoji).id


def reactions_of(place, message_id: UUID) -> dict[str, dict[str, str]]:
    return message_of(place, message_id).reactions


def told(place, conversation: UUID) -> list[str]:
    with place.work() as ctx:
        page = queries.thread(ctx, conversation, shown=Shown.EVENTS)
        return [item.text for item in page.items]


@pytest.fixture
def theirs(place, conversation) -> UUID:
    """A message of the contact, with a reaction of their own."""
    return inbound(place, conversation, reactions={"contact": {"emoji": "🎉"}})


def test_a_reaction_that_arrived_stays_as_it_was_shown(graph, place, conversation, theirs):
    with sending(graph.url):
        becomes(place, react(place, theirs, "👍"), "accepted")
    given = {"emoji": "👍", "user_id": str(place.agent_id)}
    assert reactions_of(place, theirs) == {"contact": {"emoji": "🎉"}, "us": given}
    with place.work() as ctx:
        [shown] = queries.thread(ctx, conversation).items
    assert [one.emoji for one in shown.reactions] == ["🎉", "👍"]


def test_a_reaction_that_failed_gives_way_to_the_earlier_one_and_says_so(
    graph, place, rival, conversation, theirs
):
    elsewhere = inbound(rival, conversation_of(rival, phone=PHONE))
    with sending(graph.url):
        becomes(place, react(place, theirs, "👍"), "accepted")
        graph.decide = lambda _: Refuse(131026)
        becomes(place, react(place, theirs, "❤️", "owner"), "failed")
        becomes(place, react(place, theirs, ""), "failed")
        becomes(rival, react(rival, elsewhere, "👍"), "failed")
    kept = {"emoji": "👍", "user_id": str(place.agent_id)}
    assert reactions_of(place, theirs) == {"contact": {"emoji": "🎉"}, "us": kept}
    assert reactions_of(rival, elsewhere) == {}
    lost, kept_on = told(place, conversation)
    assert lost.startswith(
        "The reaction ❤️ did not arrive. WhatsApp can not deliver to this person."
    )
    assert kept_on.startswith("A reaction could not be taken back. WhatsApp can not deliver")


def test_reactions_that_fail_together_leave_none(graph, place, conversation, theirs):
    sent = [react(place, theirs, emoji) for emoji in "👍🔥"]
    graph.decide = lambda _: Refuse(131026)
    with sending(graph.url):
        for message_id in sent:
            becomes(place, message_id, "failed")
    assert reactions_of(place, theirs) == {"contact": {"emoji": "🎉"}}


def test_a_reaction_that_failed_does_not_undo_a_later_one(graph, place, conversation, theirs):
    graph.decide = lambda body: Refuse(131026) if body["reaction"]["emoji"] == "👍" else Take()
    first, second = react(place, theirs, "👍"), react(place, theirs, "🔥", "owner")
    with sending(graph.url):
        becomes(place, first, "failed")
        becomes(place, second, "accepted")
    assert reactions_of(place, theirs)["us"] == {"emoji": "🔥", "user_id": str(place.owner_id)}


def test_a_reaction_that_meta_refuses_later_is_taken_back_too(
    graph, place, conversation, theirs, run_jobs
):
    with sending(graph.url):
        message_id = react(place, theirs, "👍")
        becomes(place, message_id, "accepted")
    name = message_of(place, message_id).meta_message_id
    webhooks = Meta()
    refusal = status(name, "failed", errors=[{"code": 131026, "title": "Undeliverable"}])
    webhooks.deliver(delivery(place, change(place, statuses=[refusal])))
    run_jobs()
    webhooks.close()
    assert reactions_of(place, theirs) == {"contact": {"emoji": "🎉"}}
    assert len(told(place, conversation)) == 1


def test_a_reaction_that_waits_can_be_taken_back(place, conversation, theirs):
    message_id = react(place, theirs, "👍")
    with place.work("agent") as ctx:
        service.cancel(ctx, message_id)
    assert reactions_of(place, theirs) == {"contact": {"emoji": "🎉"}}
    with place.work("agent") as ctx, pytest.raises(Refused, match="React once more"):
        service.resend(ctx, message_id)


# What nobody knows ------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Drop(), Raw(502, "<html>"), Raw(200, "{}"), Take(30)])
def test_a_lost_answer_becomes_a_question_and_is_not_sent_again(graph, place, conversation, answer):
    graph.decide = lambda _: answer
    with sending(graph.url, answer_seconds=1):
        message_id = say(place, conversation)
        becomes(place, message_id, "unknown")
    assert len(graph.messages) == 1
    assert waiting(place, message_id) is None
    assert message_of(place, message_id).failure["reason"].startswith("Nobody knows whether")


def test_a_status_heals_a_message_whose_answer_was_lost(graph, place, conversation, run_jobs):
    graph.decide = lambda _: Drop()
    theirs = wamid()
    webhooks = Meta()
    with sending(graph.url):
        message_id = say(place, conversation)
        becomes(place, message_id, "unknown")
        told = status(theirs, "delivered", biz_opaque_callback_data=str(message_id))
        webhooks.deliver(delivery(place, change(place, statuses=[told])))
        run_jobs()
    webhooks.close()
    message = message_of(place, message_id)
    assert (message.status, message.meta_message_id) == ("delivered", theirs)
    assert message.failure is None
    assert used(place, UsageKind.OUTGOING_MESSAGE) == [message_id]
    assert len(graph.messages) == 1


def test_a_status_before_the_answer_is_kept(graph, place, conversation, run_jobs):
    graph.decide = lambda _: Take(1.0)
    theirs = wamid()
    webhooks = Meta()
    with sending(graph.url):
        message_id = say(place, conversation)
        wait_until(lambda: len(graph.messages) == 1)
        told = status(theirs, "delivered", biz_opaque_callback_data=str(message_id))
        webhooks.deliver(delivery(place, change(place, statuses=[told])))
        run_jobs()
        assert status_of(place, message_id) == "delivered"
    webhooks.close()
    assert status_of(place, message_id) == "delivered"
    with place.work() as ctx:
        events = select(MessageEvent.status).where(MessageEvent.message_id == message_id)
        assert set(ctx.session.exec(events)) == {"delivered", "accepted"}
    assert used(place, UsageKind.OUTGOING_MESSAGE) == [message_id]
    assert len(graph.messages) == 1


def test_meta_out_of_reach_loses_nothing(place, conversation):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with sending(nobody):
        message_id = say(place, conversation)
        wait_until(lambda: (row := waiting(place, message_id)) is not None and row.attempts == 2)
    assert status_of(place, message_id) == "queued"
    with StandIn() as graph, sending(graph.url):
        becomes(place, message_id, "accepted")
        assert len(graph.messages) == 1


def test_being_told_to_stop_waits_for_what_is_in_flight(graph, place, conversation):
    graph.decide = lambda _: Take(1.0)
    with sending(graph.url):
        message_id = say(place, conversation)
        wait_until(lambda: len(graph.messages) == 1)
    assert status_of(place, message_id) == "accepted"


# What people decide -----------------------------------------------------------------------------


@pytest.fixture
def doubtful(graph, place, conversation) -> UUID:
    """A message of which nobody knows whether it arrived."""
    graph.decide = lambda _: Drop()
    with sending(graph.url):
        message_id = say(place, conversation)
        becomes(place, message_id, "unknown")
    graph.decide = lambda _: Take()
    return message_id


def test_a_doubtful_message_is_sent_again_once_whoever_asks(graph, place, doubtful):
    with place.work("agent") as ctx:
        first = service.resend(ctx, doubtful).id
    with place.work("owner") as ctx:
        second = service.resend(ctx, doubtful).id
    assert first == second != doubtful
    with sending(graph.url):
        becomes(place, first, "accepted")
    assert texts(graph) == ["Good morning", "Good morning"]
    assert message_of(place, doubtful).status == "unknown"


def test_what_is_told_of_a_message_meanwhile_does_not_make_it_be_sent_again_twice(place, doubtful):
    with place.work("agent") as ctx:
        first = service.resend(ctx, doubtful).id
    with place.system_work() as ctx:
        news = StatusUpdate(wamid(), "failed", ctx.now, doubtful, [{"code": 131026}], None, None)
        assert statuses.apply(ctx, [news]) == []
    with place.work("owner") as ctx:
        assert service.resend(ctx, doubtful).id == first


def test_a_doubtful_message_can_be_given_up(place, conversation, doubtful):
    with place.work("agent") as ctx:
        service.give_up(ctx, doubtful)
    assert status_of(place, doubtful) == "failed"
    with place.work() as ctx:
        assert ctx.get(Conversation, conversation).last_message_status == "failed"
    with place.work("agent") as ctx, pytest.raises(Conflict):
        service.give_up(ctx, doubtful)


def test_a_waiting_message_can_be_taken_back(graph, place, conversation):
    message_id, other = say(place, conversation), say(place, conversation, "Stays")
    with place.work("agent") as ctx:
        service.cancel(ctx, message_id)
    with place.work("agent") as ctx:
        service.cancel(ctx, message_id)  # a double click
    with sending(graph.url):
        becomes(place, other, "accepted")
    assert texts(graph) == ["Stays"]
    assert status_of(place, message_id) == "cancelled"
    with place.work("agent") as ctx, pytest.raises(Refused, match="has left already"):
        service.cancel(ctx, other)


def test_what_is_sent_again_keeps_to_the_window(place, conversation, doubtful):
    with place.system_work() as ctx:
        ctx.get(Conversation, conversation).window_closes_at = ctx.now
    with place.work("agent") as ctx, pytest.raises(Refused, match="only allows templates"):
        service.resend(ctx, doubtful)
    with place.work() as ctx:
        assert len(ctx.session.exec(select(Message)).all()) == 1


def test_another_workspace_can_decide_nothing(place, rival, doubtful):
    for decide in (service.resend, service.give_up, service.cancel):
        with rival.work() as ctx, pytest.raises(NotFound):
            decide(ctx, doubtful)
    assert status_of(place, doubtful) == "unknown"
