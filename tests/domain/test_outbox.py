"""What is written before anything leaves, and what is refused before anything is written."""

from datetime import timedelta
from threading import Barrier, Thread
from uuid import UUID

import pytest
from sqlmodel import select

from aerostic.core.due_work import DueWork
from aerostic.core.errors import Invalid, Refused
from aerostic.core.ids import new_id
from aerostic.domain.contacts.models import Contact, ContactIdentity, IdentityKind
from aerostic.domain.inbox import outbox
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Button, Draft, Header, ListRow, ListSection, with_files
from aerostic.domain.inbox.models import Conversation, Message, MessageKey, OutboxItem, Priority
from aerostic.domain.media.models import Media, MediaStatus
from aerostic.domain.sending import service as sending
from aerostic.domain.templates.models import Template


def converse(place, phone: str = "4915112345678", bsuid: str = "") -> UUID:
    """A conversation with a contact who is known by that number, or by that id alone."""
    with place.work() as ctx:
        contact = Contact(name="Ada")
        ctx.session.add(contact)
        ctx.session.flush()
        portfolio = "3" + place.meta_account_id[1:]
        identity = (
            ContactIdentity(
                kind=IdentityKind.BSUID, scope=portfolio, value=bsuid, contact_id=contact.id
            )
            if bsuid
            else ContactIdentity(kind=IdentityKind.PHONE, value=phone, contact_id=contact.id)
        )
        conversation = Conversation(
            contact_id=contact.id,
            number_id=place.number_id,
            last_message_at=ctx.now - timedelta(hours=1),
        )
        ctx.session.add_all([identity, conversation])
        ctx.session.flush()
        return conversation.id


def queue(place, conversation_id: UUID, draft: Draft, role: str = "agent") -> Message:
    with place.work(role) as ctx:
        return outbox.queue(ctx, ctx.get(Conversation, conversation_id), draft)


def written(place) -> tuple[int, int, int]:
    """How many messages, outbox rows and keys there are."""
    with place.work() as ctx:
        return tuple(
            len(ctx.session.exec(select(model)).all())
            for model in (Message, OutboxItem, MessageKey)
        )


def body_of(place, message: Message) -> dict:
    with place.work() as ctx:
        return ctx.get(OutboxItem, message.id).body


def make_media(place, mime_type: str = "image/jpeg", size: int = 1000) -> UUID:
    with place.work() as ctx:
        media = Media(mime_type=mime_type, size=size, status=MediaStatus.STORED, storage_key="x")
        ctx.session.add(media)
        ctx.session.flush()
        return media.id


def make_template(place, components: list, **facts) -> UUID:
    with place.work() as ctx:
        template = Template(
            account_id=place.account_id,
            components=components,
            **{"name": "order_ready", "language": "en", "category": "UTILITY", "status": "APPROVED"}
            | facts,
        )
        ctx.session.add(template)
        ctx.session.flush()
        return template.id


def answered(place, conversation_id: UUID, meta_id: str = "wamid.1") -> UUID:
    """A message in that conversation that Meta knows."""
    with place.work() as ctx:
        conversation = ctx.get(Conversation, conversation_id)
        message = Message(
            conversation_id=conversation.id,
            contact_id=conversation.contact_id,
            number_id=conversation.number_id,
            direction="inbound",
            type="text",
            status="received",
            meta_message_id=meta_id,
        )
        ctx.session.add(message)
        ctx.session.flush()
        return message.id


def test_a_text_is_a_row_before_it_is_a_request(place, rival):
    conversation_id = converse(place)
    message = queue(place, conversation_id, Draft.text("Grüße, José!", key="k1"))
    assert (message.status, message.origin, message.text) == ("queued", "inbox", "Grüße, José!")
    assert message.author_id == place.agent_id
    assert message.search_text == "grusse, jose!"
    assert body_of(place, message) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "4915112345678",
        "type": "text",
        "text": {"body": "Grüße, José!"},
    }
    assert written(place) == (1, 1, 1)
    assert written(rival) == (0, 0, 0)


def test_the_conversation_shows_it_as_its_last_message_and_the_lane_is_due(place):
    conversation_id = converse(place)
    message = queue(place, conversation_id, Draft.text("Hello"))
    with place.work() as ctx:
        conversation = ctx.get(Conversation, conversation_id)
        due = ctx.session.get(DueWork, ("lane", place.tenant_id, place.number_id))
    assert conversation.last_message_id == message.id
    assert conversation.last_message_preview == "Hello"
    assert (conversation.last_message_direction, conversation.last_message_status) == (
        "outbound",
        "queued",
    )
    assert due.leased_by is None


def test_the_same_key_twice_is_one_message(place):
    conversation_id = converse(place)
    first = queue(place, conversation_id, Draft.text("Hello", key="k1"))
    second = queue(place, conversation_id, Draft.text("Hello", key="k1"))
    assert second.id == first.id
    assert written(place) == (1, 1, 1)


def test_two_at_once_with_one_key_are_one_message(place):
    conversation_id, start, seen = converse(place), Barrier(8), []

    def send() -> None:
        start.wait()
        seen.append(queue(place, conversation_id, Draft.text("Hello", key="k1")).id)

    threads = [Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert written(place) == (1, 1, 1)


def test_the_keys_of_two_people_do_not_meet(place):
    conversation_id = converse(place)
    queue(place, conversation_id, Draft.text("Hello", key="k1"), role="agent")
    queue(place, conversation_id, Draft.text("Hello", key="k1"), role="owner")
    assert written(place) == (2, 2, 2)


def test_someone_without_a_phone_number_is_written_to_by_their_id(place):
    message = queue(place, converse(place, bsuid="DE.1349"), Draft.text("Hello"))
    assert body_of(place, message)["recipient"] == "DE.1349"
    assert "to" not in body_of(place, message)


def test_a_reply_names_the_message_that_it_answers(place):
    conversation_id = converse(place)
    message = queue(
        place, conversation_id, Draft.text("Yes", reply_to=answered(place, conversation_id))
    )
    assert body_of(place, message)["context"] == {"message_id": "wamid.1"}
    assert message.reply_to_meta_id == "wamid.1"


def test_a_reaction_is_not_the_conversations_last_message(place):
    conversation_id = converse(place)
    target = answered(place, conversation_id)
    message = queue(place, conversation_id, Draft.reaction(target, "👍"))
    assert body_of(place, message)["reaction"] == {"message_id": "wamid.1", "emoji": "👍"}
    with place.work() as ctx:
        assert ctx.get(Conversation, conversation_id).last_message_id is None


def test_what_has_not_left_can_not_be_answered(place):
    conversation_id = converse(place)
    waiting = queue(place, conversation_id, Draft.text("Hello"))
    with pytest.raises(Refused, match="has not left yet"):
        queue(place, conversation_id, Draft.text("Yes", reply_to=waiting.id))
    assert written(place) == (1, 1, 0)


def test_another_conversations_message_can_not_be_answered(place, rival):
    theirs = answered(rival, converse(rival))
    with pytest.raises(Invalid, match="not in this conversation"):
        queue(place, converse(place), Draft.text("Yes", reply_to=theirs))
    assert written(place) == (0, 0, 0)


def test_a_picture_is_named_by_our_own_id_until_it_leaves(place):
    media_id = make_media(place)
    message = queue(place, converse(place), Draft.media(media_id, "image", caption="The cake"))
    assert message.media_id == media_id
    body = body_of(place, message)
    assert body["image"] == {"id": f"media:{media_id}", "caption": "The cake"}
    assert with_files(body, {media_id: "77"})["image"] == {"id": "77", "caption": "The cake"}


@pytest.mark.parametrize(
    ("mime_type", "size", "kind", "sentence"),
    [
        ("image/gif", 10, "image", "WhatsApp takes jpeg, png here, not image/gif."),
        ("image/png", 5_000_001, "image", "too big: WhatsApp takes 5 MB"),
        ("video/webm", 10, "video", "takes 3gpp, mp4 here"),
        ("image/webp", 500_001, "sticker", "takes 0.5 MB"),
        ("application/pdf", 100_000_001, "document", "takes 100 MB"),
    ],
)
def test_a_file_that_whatsapp_refuses_is_refused_first(place, mime_type, size, kind, sentence):
    media_id = make_media(place, mime_type, size)
    with pytest.raises(Invalid, match=sentence):
        queue(place, converse(place), Draft.media(media_id, kind))
    assert written(place) == (0, 0, 0)


def test_another_tenants_file_does_not_exist(place, rival):
    with pytest.raises(Invalid, match="not here"):
        queue(place, converse(place), Draft.media(make_media(rival), "image"))
    assert written(place) == (0, 0, 0)


def row(number: int, title: str = "Row") -> ListRow:
    return ListRow(f"r{number}", title)


REFUSED = {
    "The message is empty": Draft.text("  "),
    "has 4,097 characters; WhatsApp takes 4,096": Draft.text("a" * 4097),
    "can not be sent": Draft.text("a\x00b"),
    "no caption here": Draft.media(new_id(), "audio", caption="Listen"),
    "The caption has 1,025": Draft.media(new_id(), "image", caption="a" * 1025),
    "A reaction is one emoji": Draft.reaction(new_id(), "well done"),
    "A latitude lies between": Draft.location(91, 0),
    "A longitude lies between": Draft.location(0, -181),
    "between 1 and 257": Draft.contacts([]),
    "needs a name": Draft.contacts([{"phones": [{"phone": "1"}]}]),
    "one to three buttons": Draft.buttons("Pick", [Button(str(n), str(n)) for n in range(4)]),
    "A button's title has 21": Draft.buttons("Pick", [Button("a", "a" * 21)]),
    "Two buttons are the same": Draft.buttons("Pick", [Button("a", "Yes"), Button("b", "Yes")]),
    "The footer has 61": Draft.buttons("Pick", [Button("a", "A")], footer="a" * 61),
    "The header has 61": Draft.buttons("Pick", [Button("a", "A")], header=Header("a" * 61)),
    "one to ten rows": Draft.list("Pick", "Open", [ListSection([row(n) for n in range(11)])]),
    "A row's title has 25": Draft.list("Pick", "Open", [ListSection([row(1, "a" * 25)])]),
    "A section's title is empty": Draft.list(
        "Pick", "Open", [ListSection([row(1)], "One"), ListSection([row(2)])]
    ),
    "The message has 1,025": Draft.list("a" * 1025, "Open", [ListSection([row(1)])]),
    "must start with https": Draft.link("Read", "Open", "javascript:alert(1)"),
    "at most 200": Draft.text("Hello", key="k" * 201),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_metas_limits_hold_before_anything_is_written(place, sentence):
    with pytest.raises(Invalid, match=sentence):
        queue(place, converse(place), REFUSED[sentence])
    assert written(place) == (0, 0, 0)


def test_buttons_a_list_and_a_link_as_meta_spells_them(place):
    conversation_id, media_id = converse(place), make_media(place)
    buttons = Draft.buttons(
        "Pick", [Button("y", "Yes")], header=Header(kind="image", media_id=media_id), footer="Soon"
    )
    assert body_of(place, queue(place, conversation_id, buttons))["interactive"] == {
        "type": "button",
        "header": {"type": "image", "image": {"id": f"media:{media_id}"}},
        "body": {"text": "Pick"},
        "footer": {"text": "Soon"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]},
    }
    rows = Draft.list("Pick", "Open", [ListSection([ListRow("r1", "Tea", "Green")], "Drinks")])
    assert body_of(place, queue(place, conversation_id, rows))["interactive"]["action"] == {
        "button": "Open",
        "sections": [
            {"title": "Drinks", "rows": [{"id": "r1", "title": "Tea", "description": "Green"}]}
        ],
    }
    link = Draft.link("Read", "Open", "https://example.test/a")
    assert body_of(place, queue(place, conversation_id, link))["interactive"]["action"] == {
        "name": "cta_url",
        "parameters": {"display_text": "Open", "url": "https://example.test/a"},
    }


ORDER = [
    {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
    {"type": "BODY", "text": "Hi {{1}}, {{2}} is ready, {{1}}."},
    {"type": "FOOTER", "text": "Bluebird"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "URL", "text": "Track", "url": "https://a.test/{{1}}"},
            {"type": "QUICK_REPLY", "text": "Stop"},
        ],
    },
]
FILLED = {"header.1": "7", "body.1": "Ada", "body.2": "cake", "button.0": "x7"}


def test_a_template_with_its_variables(place):
    message = queue(place, converse(place), Draft.template(make_template(place, ORDER), FILLED))
    assert message.text == "Hi Ada, cake is ready, Ada."
    assert message.content["template"]["header"] == "Order 7"
    assert message.content["template"]["buttons"] == [{"title": "Track"}, {"title": "Stop"}]
    assert body_of(place, message)["template"] == {
        "name": "order_ready",
        "language": {"code": "en"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "7"}]},
            {
                "type": "body",
                "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "cake"}],
            },
            {
                "type": "button",
                "sub_type": "url",
                "index": 0,
                "parameters": [{"type": "text", "text": "x7"}],
            },
        ],
    }


def test_named_variables_and_a_picture_above(place):
    media_id = make_media(place)
    components = [
        {"type": "HEADER", "format": "IMAGE"},
        {"type": "BODY", "text": "Hi {{first_name}}!"},
    ]
    template_id = make_template(place, components, parameter_format="NAMED")
    variables = {"header.media": str(media_id), "body.first_name": "Ada"}
    message = queue(place, converse(place), Draft.template(template_id, variables))
    assert message.media_id == media_id
    assert body_of(place, message)["template"]["components"] == [
        {"type": "header", "parameters": [{"type": "image", "image": {"id": f"media:{media_id}"}}]},
        {
            "type": "body",
            "parameters": [{"type": "text", "text": "Ada", "parameter_name": "first_name"}],
        },
    ]


@pytest.mark.parametrize("missing", FILLED)
def test_a_template_with_a_missing_variable_is_refused(place, missing):
    template_id = make_template(place, ORDER)
    variables = {name: value for name, value in FILLED.items() if name != missing}
    with pytest.raises(Invalid, match="needs a value"):
        queue(place, converse(place), Draft.template(template_id, variables))
    assert written(place) == (0, 0, 0)


def test_a_template_refuses_what_it_has_no_gap_for_and_line_breaks(place):
    template_id, conversation_id = make_template(place, ORDER), converse(place)
    with pytest.raises(Invalid, match=r"has no gap “body\.3”"):
        queue(place, conversation_id, Draft.template(template_id, FILLED | {"body.3": "x"}))
    with pytest.raises(Invalid, match="no line break"):
        queue(place, conversation_id, Draft.template(template_id, FILLED | {"body.1": "a\nb"}))
    assert written(place) == (0, 0, 0)


def test_only_an_approved_template_of_this_number_is_sent(place, rival):
    conversation_id = converse(place)
    paused = make_template(place, ORDER, status="PAUSED")
    with pytest.raises(Refused, match="is paused"):
        queue(place, conversation_id, Draft.template(paused, FILLED))
    with pytest.raises(Invalid, match="no such template"):
        queue(place, conversation_id, Draft.template(make_template(rival, ORDER), FILLED))
    assert written(place) == (0, 0, 0)


def test_who_stopped_marketing_is_sent_none(place):
    conversation_id = converse(place)
    with place.work() as ctx:
        conversation = ctx.get(Conversation, conversation_id)
        ctx.get(Contact, conversation.contact_id).marketing_stopped_at = ctx.now
    template_id = make_template(place, ORDER, category="MARKETING")
    with pytest.raises(Refused, match="stopped marketing"):
        queue(place, conversation_id, Draft.template(template_id, FILLED))
    assert written(place) == (0, 0, 0)


def test_who_stops_marketing_is_not_sent_again_what_failed(place):
    conversation_id = converse(place)
    sent = {
        category: queue(
            place,
            conversation_id,
            Draft.template(
                make_template(place, ORDER, category=category.upper(), name=category), FILLED
            ),
        ).id
        for category in ("marketing", "utility")
    }
    with place.work() as ctx:
        conversation = ctx.get(Conversation, conversation_id)
        ctx.get(Contact, conversation.contact_id).marketing_stopped_at = ctx.now
        for message_id in sent.values():
            ctx.get(Message, message_id).status = "failed"
    with place.work("agent") as ctx, pytest.raises(Refused, match="stopped marketing"):
        sending.resend(ctx, sent["marketing"])
    with place.work("agent") as ctx:
        assert sending.resend(ctx, sent["utility"]).type == "template"


@pytest.mark.parametrize(
    ("category", "priority"),
    [
        ("AUTHENTICATION", Priority.ONE_TIME_CODE),
        ("UTILITY", Priority.UTILITY),
        ("MARKETING", Priority.MARKETING),
    ],
)
def test_a_template_is_as_urgent_as_its_category_also_when_sent_again(place, category, priority):
    conversation_id = converse(place)
    template_id = make_template(place, [{"type": "BODY", "text": "Hello"}], category=category)
    with place.work("agent") as ctx:
        message = inbox.reply(ctx, conversation_id, Draft.template(template_id, {}))
        assert ctx.get(OutboxItem, message.id).priority == priority
        message.status = "failed"
    with place.work("agent") as ctx:
        copy = sending.resend(ctx, message.id)
        assert ctx.get(OutboxItem, copy.id).priority == priority


def test_an_answer_is_more_urgent_than_any_template(place):
    message = queue(place, converse(place), Draft.text("Hello"))
    with place.work() as ctx:
        assert ctx.get(OutboxItem, message.id).priority == Priority.AGENT_REPLY


def test_a_code_needs_a_phone_number(place):
    components = [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]},
    ]
    template_id = make_template(place, components, category="AUTHENTICATION")
    message = queue(place, converse(place), Draft.template(template_id, {"body.1": "123456"}))
    assert [part["type"] for part in body_of(place, message)["template"]["components"]] == [
        "body",
        "button",
    ]
    with pytest.raises(Refused, match="only be sent to a phone number"):
        queue(place, converse(place, bsuid="DE.1"), Draft.template(template_id, {"body.1": "1"}))
    assert written(place) == (1, 1, 0)
