"""A public client library, written against Meta's own API, finds nothing strange here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pywa.handlers
import pywa.types.templates
from pywa.client import WhatsApp
from pywa.errors import (
    RateLimitHit,
    ReEngagementMessage,
    TemplateNotExists,
    TemplateParamCountMismatch,
    WhatsAppError,
)

from tests.simulator.conftest import (
    ACCOUNT,
    AMARA,
    AMARA_PHONE,
    LENA,
    NUMBER,
    SECRET,
    TOKEN,
    Receiver,
    Running,
    until,
)

# The library re-exports its types without saying so, which a strict type checker does not follow.
types: Any = pywa.types
templates: Any = pywa.types.templates
handlers: Any = pywa.handlers


@pytest.fixture
def client(simulator: Running) -> Iterator[WhatsApp]:
    client = WhatsApp(
        phone_id=NUMBER, token=TOKEN, server=None, waba_id=ACCOUNT, app_id=4711, app_secret=SECRET
    )
    # The library knows only Meta's host; its session is pointed here instead.
    client.api._session.base_url = f"{simulator.base}/simulator/graph/v25.0"
    yield client
    client.api._session.close()


@pytest.fixture
def heard(client: WhatsApp, receiver: Receiver) -> Any:
    """Every update that the library makes of what arrived, validated by its own signature check."""
    updates: list[Any] = []
    client.add_handlers(
        *(
            handler(lambda _, update: updates.append(update))
            for handler in (
                handlers.MessageHandler,
                handlers.CallbackButtonHandler,
                handlers.CallbackSelectionHandler,
                handlers.MessageStatusHandler,
                handlers.EditedMessageHandler,
                handlers.DeletedMessageHandler,
                handlers.TemplateStatusUpdateHandler,
            )
        )
    )
    seen = 0

    def read(kind: type, count: int = 1) -> list[Any]:
        def enough() -> bool:
            nonlocal seen
            for raw, headers in receiver.deliveries[seen:]:
                assert client.webhook_update_validator(raw, headers["x-hub-signature-256"]) is None
                assert client.webhook_update_handler(raw) == ("ok", 200)
                seen += 1
            return sum(isinstance(update, kind) for update in updates) >= count

        until(enough)
        return [update for update in updates if isinstance(update, kind)]

    return read


def test_it_sends_a_text_and_reads_its_statuses(
    simulator: Running, client: WhatsApp, heard: Any
) -> None:
    simulator.say({"type": "text", "text": "Guten Tag ☕"})
    message = heard(types.Message)[0]
    assert message.text == "Guten Tag ☕"
    assert message.from_user.wa_id == AMARA_PHONE
    assert message.from_user.name == "Amara Okafor"
    sent = message.reply("Hello", quote=True, tracker="attempt-7")
    message.mark_as_read()
    message.indicate_typing()
    statuses = heard(types.MessageStatus, 2)
    assert {each.status for each in statuses} == {
        types.MessageStatusType.SENT,
        types.MessageStatusType.DELIVERED,
    }
    assert {each.id for each in statuses} == {sent.id}
    assert {each.tracker for each in statuses} == {"attempt-7"}
    assert statuses[0].pricing.billable is False
    shown = simulator.control("GET", f"messages/{sent.id}")
    assert shown["context_id"] == message.id
    assert simulator.control("GET", f"messages/{message.id}")["status"] == "read"


def test_it_writes_to_someone_without_a_phone_number(
    simulator: Running, client: WhatsApp, heard: Any
) -> None:
    simulator.say({"type": "text", "text": "Hi"}, person=LENA)
    message = heard(types.Message)[0]
    assert message.from_user.wa_id is None
    assert message.from_user.username == "lena.novak"
    sent = message.reply("Hello Lena")
    assert simulator.control("GET", f"messages/{sent.id}")["person_id"] == LENA


def test_it_uploads_sends_fetches_and_deletes_media(
    simulator: Running, client: WhatsApp, heard: Any, tmp_path: Path
) -> None:
    simulator.say({"type": "image", "caption": "Look"})
    message = heard(types.Message)[0]
    assert message.caption == "Look"
    picture = message.image.get_bytes()
    assert picture.startswith(b"\xff\xd8")
    file = tmp_path / "picture.jpg"
    file.write_bytes(picture)
    uploaded = client.upload_media(file)
    described = client.get_media_url(uploaded.id)
    assert described.mime_type == "image/jpeg"
    assert client.get_media_bytes(described.url) == picture
    client.send_image(AMARA_PHONE, uploaded.id, caption="Yours")
    client.send_document(
        AMARA_PHONE, file.read_bytes(), filename="a.pdf", mime_type="application/pdf"
    )
    client.send_location(AMARA_PHONE, 52.5, 13.4, name="Here")
    client.send_contact(
        AMARA_PHONE,
        types.Contact(name=types.Contact.Name(formatted_name="Robin", first_name="Robin")),
    )
    client.send_reaction(AMARA_PHONE, "🔥", message.id)
    assert client.delete_media(uploaded.id)
    with pytest.raises(WhatsAppError) as refused:
        client.send_image(AMARA_PHONE, uploaded.id)
    assert (refused.value.code, refused.value.subcode) == (100, 33)
    assert simulator.control("GET", f"messages/{message.id}")["reactions"] == {"outbound": "🔥"}


def test_it_offers_buttons_and_lists_and_hears_the_taps(
    simulator: Running, client: WhatsApp, heard: Any
) -> None:
    simulator.say({"type": "text", "text": "Hi"})
    asked = client.send_message(
        AMARA_PHONE,
        "Coffee?",
        buttons=[types.Button("Yes", callback_data="yes")],
        footer="Bluebird",
    )
    listed = client.send_message(
        AMARA_PHONE,
        "Size?",
        buttons=types.SectionList(
            "Sizes",
            sections=[
                types.Section("All", [types.SectionRow("Small", "s"), types.SectionRow("Big", "b")])
            ],
        ),
    )
    simulator.say({"type": "button", "message_id": asked.id, "id": "yes"})
    simulator.say({"type": "list", "message_id": listed.id, "id": "b"})
    tapped, chosen = heard(types.CallbackButton)[0], heard(types.CallbackSelection)[0]
    assert (tapped.data, tapped.title, tapped.reply_to_message.id) == ("yes", "Yes", asked.id)
    assert (chosen.data, chosen.title) == ("b", "Big")


def test_it_hears_of_every_kind_of_message(simulator: Running, heard: Any) -> None:
    first = simulator.say({"type": "text", "text": "One"})["id"]
    for wanted in (
        {"type": "audio"},
        {"type": "video"},
        {"type": "document"},
        {"type": "sticker"},
        {"type": "location", "latitude": 1, "longitude": 2},
        {"type": "contacts", "name": "Robin Carter", "phone": "+44 7700 900321"},
        {"type": "order"},
        {"type": "unsupported"},
        {"type": "reaction", "message_id": first, "emoji": "👍"},
    ):
        simulator.say(wanted)
    simulator.say({"type": "edit", "message_id": first, "text": "Two"})
    simulator.say({"type": "revoke", "message_id": first})
    kinds = {message.type for message in heard(types.Message, 10)}
    assert kinds >= {
        types.MessageType.AUDIO,
        types.MessageType.VIDEO,
        types.MessageType.DOCUMENT,
        types.MessageType.STICKER,
        types.MessageType.LOCATION,
        types.MessageType.CONTACTS,
        types.MessageType.ORDER,
        types.MessageType.UNSUPPORTED,
        types.MessageType.REACTION,
    }
    voice = next(each for each in heard(types.Message) if each.type is types.MessageType.AUDIO)
    assert voice.audio.voice is True
    assert heard(types.EditedMessage)[0].original_message_id == first
    assert heard(types.DeletedMessage)[0].original_message_id == first


def test_it_makes_lists_sends_and_deletes_templates(
    simulator: Running, client: WhatsApp, heard: Any
) -> None:
    made = client.create_template(
        templates.Template(
            name="table_reserved",
            language=templates.TemplateLanguage.ENGLISH_US,
            category=templates.TemplateCategory.UTILITY,
            components=[
                templates.BodyText(
                    "Dear {{name}}, your table at {{time}} is reserved for you.",
                    name="Ada",
                    time="10",
                ),
                templates.FooterText(text="Bluebird"),
                templates.Buttons(buttons=[templates.QuickReplyButton(text="Thanks")]),
            ],
            parameter_format=templates.ParamFormat.NAMED,
        )
    )
    params = [
        templates.BodyText.params(name="Amara", time="11:30"),
        templates.QuickReplyButton.params(callback_data="ok", index=0),
    ]
    with pytest.raises(TemplateNotExists):
        client.send_template(
            AMARA_PHONE, "table_reserved", templates.TemplateLanguage.ENGLISH_US, params
        )
    simulator.control("POST", f"templates/{made.id}/approve")
    update = heard(templates.TemplateStatusUpdate)[0]
    assert (str(update.template_id), update.new_status.value) == (made.id, "APPROVED")
    sent = client.send_template(
        AMARA_PHONE, "table_reserved", templates.TemplateLanguage.ENGLISH_US, params
    )
    shown = simulator.control("GET", f"messages/{sent.id}")["content"]["seen"]
    assert shown["body"] == "Dear Amara, your table at 11:30 is reserved for you."
    until(lambda: simulator.control("GET", f"messages/{sent.id}")["status"] == "delivered")
    simulator.say({"type": "button", "message_id": sent.id, "id": "Thanks"})
    assert heard(types.CallbackButton)[0].data == "ok"
    with pytest.raises(TemplateParamCountMismatch):
        client.send_template(
            AMARA_PHONE,
            "table_reserved",
            templates.TemplateLanguage.ENGLISH_US,
            [templates.BodyText.params(name="Amara")],
        )
    assert client.get_template(made.id).name == "table_reserved"
    names = {template.name for template in client.get_templates()}
    assert names == {
        "table_reserved",
        "hello_world",
        "order_ready",
        "weekend_offer",
        "sign_in_code",
    }
    client.delete_template("table_reserved")
    assert len(list(client.get_templates())) == 4


def test_it_sends_the_seeded_templates(simulator: Running, client: WhatsApp) -> None:
    english = templates.TemplateLanguage.ENGLISH_US
    client.send_template(
        AMARA_PHONE, "order_ready", english, [templates.BodyText.params("Amara", "BB-7")]
    )
    offer = [
        templates.HeaderImage.params(image="https://bluebird.example/offer.jpg"),
        templates.BodyText.params("Amara"),
        templates.QuickReplyButton.params(callback_data="y", index=0),
        templates.URLButton.params(url_variable="weekend", index=2),
    ]
    client.send_template(AMARA_PHONE, "weekend_offer", english, offer)
    code = [templates.BodyText.params("123456"), templates.CopyCodeOTPButton.params(otp="123456")]
    sent = client.send_template(AMARA_PHONE, "sign_in_code", english, code)
    shown = simulator.control("GET", f"messages/{sent.id}")["content"]["seen"]
    assert shown["body"].startswith("123456 is your verification code.")
    assert shown["buttons"] == [{"type": "OTP", "text": "Copy code", "code": "123456"}]


def test_it_understands_our_errors(simulator: Running, client: WhatsApp, heard: Any) -> None:
    sent = client.send_message(AMARA_PHONE, "Out of the blue")
    failed = heard(types.MessageStatus)[0]
    assert failed.id == sent.id
    assert isinstance(failed.error, ReEngagementMessage)
    simulator.trouble(failures=[{"code": 130429, "mode": "sync"}])
    with pytest.raises(RateLimitHit):
        client.send_message(AMARA_PHONE, "Too fast")


def test_it_manages_the_number(simulator: Running, client: WhatsApp) -> None:
    number = client.get_business_phone_number()
    assert (number.display_phone_number, number.verified_name) == (
        "+1 555 000 1001",
        "Bluebird Café",
    )
    assert [each.id for each in client.get_business_phone_numbers()] == [NUMBER]
    assert client.get_business_account().name == "Bluebird Café"
    client.update_business_profile(about="Open till late", websites=["https://bluebird.example"])
    assert client.get_business_profile().about == "Open till late"
    assert client.register_phone_number(pin="123456")


def test_the_chat_of_a_person_is_what_was_said(simulator: Running, client: WhatsApp) -> None:
    simulator.say({"type": "text", "text": "One"})
    client.send_message(AMARA_PHONE, "Two")
    chat = simulator.control("GET", f"people/{AMARA}/chats/{NUMBER}/messages")["messages"]
    assert [json.dumps(each["content"]["text"]["body"]) for each in chat] == ['"One"', '"Two"']
