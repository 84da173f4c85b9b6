"""What people do with their phones reaches the product as Meta would tell it."""

import json
from typing import Any

import pytest

from tests.simulator.conftest import (
    ACCOUNT,
    AMARA,
    AMARA_PHONE,
    LENA,
    NUMBER,
    Receiver,
    Running,
    signature,
    until,
)


def test_a_text_arrives_signed_over_its_raw_bytes(simulator: Running, receiver: Receiver) -> None:
    said = simulator.say({"type": "text", "text": "Grüße ☕️ 你好"})
    until(receiver.messages)
    raw, headers = receiver.deliveries[0]
    assert headers["x-hub-signature-256"] == signature(raw)
    assert rb"\u4f60\u597d" in raw
    assert raw.isascii()
    payload = json.loads(raw)
    assert payload["object"] == "whatsapp_business_account"
    assert payload["entry"][0]["id"] == ACCOUNT
    value = payload["entry"][0]["changes"][0]["value"]
    assert value["metadata"] == {"display_phone_number": "15550001001", "phone_number_id": NUMBER}
    assert value["contacts"][0]["profile"]["name"] == "Amara Okafor"
    assert value["contacts"][0]["wa_id"] == AMARA_PHONE
    message = value["messages"][0]
    assert message["text"] == {"body": "Grüße ☕️ 你好"}
    assert message["from"] == AMARA_PHONE
    assert message["from_user_id"] == value["contacts"][0]["user_id"]
    assert message["id"] == said["id"]
    assert message["timestamp"].isdigit()


def test_someone_without_a_phone_number_has_only_a_business_scoped_id(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.say({"type": "text", "text": "Hi"}, person=LENA)
    until(receiver.messages)
    contact, message = receiver.values()[0]["contacts"][0], receiver.messages()[0]
    assert "wa_id" not in contact
    assert "from" not in message
    assert contact["profile"] == {"name": "Lena Novak", "username": "lena.novak"}
    answer = simulator.send(
        {"recipient": contact["user_id"], "type": "text", "text": {"body": "Hello Lena"}}, to=None
    )
    assert answer.json()["contacts"] == [
        {"input": contact["user_id"], "user_id": contact["user_id"]}
    ]
    message_id = answer.json()["messages"][0]["id"]
    until(lambda: "delivered" in receiver.status_names(message_id))


@pytest.mark.parametrize("kind", ["image", "audio", "video", "document", "sticker"])
def test_a_file_is_named_by_id_and_can_be_fetched_with_a_token(
    simulator: Running, receiver: Receiver, kind: str
) -> None:
    simulator.say({"type": kind})
    message = until(receiver.messages)[0]
    node = message[kind]
    shown = simulator.graph("GET", node["id"]).json()
    assert shown["mime_type"] == node["mime_type"]
    fetched = simulator.http.get(shown["url"], headers={"authorization": "Bearer EAAsim-demo"})
    assert len(fetched.content) == shown["file_size"] > 500
    assert simulator.http.get(shown["url"]).status_code == 401
    rival = simulator.http.get(shown["url"], headers={"authorization": "Bearer EAAsim-rival"})
    assert rival.status_code == 404


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            {"type": "location", "latitude": 52.5, "longitude": 13.4, "name": "Café"},
            {"location": {"latitude": 52.5, "longitude": 13.4, "name": "Café"}},
        ),
        (
            {"type": "contacts", "name": "Ada Lovelace", "phone": "+44 20 7946 0000"},
            {
                "contacts": [
                    {
                        "name": {"formatted_name": "Ada Lovelace", "first_name": "Ada"},
                        "phones": [
                            {"phone": "+44 20 7946 0000", "wa_id": "442079460000", "type": "CELL"}
                        ],
                    }
                ]
            },
        ),
        (
            {"type": "order", "items": [{"product_retailer_id": "a", "quantity": 1}]},
            {
                "order": {
                    "catalog_id": "194836987003835",
                    "text": "",
                    "product_items": [{"product_retailer_id": "a", "quantity": 1}],
                }
            },
        ),
        ({"type": "unsupported"}, {"unsupported": {"type": "poll_update"}}),
        ({"type": "request_welcome"}, {"type": "request_welcome"}),
    ],
)
def test_other_kinds(
    simulator: Running, receiver: Receiver, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    simulator.say(wanted)
    message = until(receiver.messages)[0]
    assert {name: message[name] for name in expected} == expected


def test_replies_reactions_edits_and_revocations_name_the_message(
    simulator: Running, receiver: Receiver
) -> None:
    first = simulator.say({"type": "text", "text": "Fisrt"})["id"]
    simulator.say({"type": "text", "text": "Second", "reply_to": first})
    simulator.say({"type": "reaction", "message_id": first, "emoji": "👍"})
    simulator.say({"type": "reaction", "message_id": first, "emoji": ""})
    simulator.say({"type": "edit", "message_id": first, "text": "First"})
    simulator.say({"type": "revoke", "message_id": first})
    until(lambda: len(receiver.messages()) == 6)
    by_type: dict[str, list[dict[str, Any]]] = {}
    for message in receiver.messages():
        by_type.setdefault(message["type"], []).append(message)
    reply = next(each for each in by_type["text"] if each["text"]["body"] == "Second")
    assert reply["context"] == {"id": first, "from": AMARA_PHONE}
    reactions = sorted((each["reaction"] for each in by_type["reaction"]), key=len)
    assert reactions == [{"message_id": first}, {"message_id": first, "emoji": "👍"}]
    assert by_type["edit"][0]["edit"]["message"] == {"type": "text", "text": {"body": "First"}}
    assert by_type["revoke"][0]["revoke"] == {"original_message_id": first}
    shown = simulator.control("GET", f"messages/{first}")
    assert (shown["is_edited"], shown["is_revoked"], shown["reactions"]) == (True, True, {})


def test_taps_on_buttons_lists_flows_and_templates(simulator: Running, receiver: Receiver) -> None:
    simulator.say({"type": "text", "text": "Hi"})
    buttons = _interactive(
        simulator,
        {
            "type": "button",
            "body": {"text": "Coffee?"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]},
        },
    )
    rows = [{"id": "s", "title": "Small", "description": "0.2 l"}, {"id": "l", "title": "Large"}]
    listed = _interactive(
        simulator,
        {
            "type": "list",
            "body": {"text": "Which?"},
            "action": {"button": "Sizes", "sections": [{"title": "Sizes", "rows": rows}]},
        },
    )
    flow = _interactive(
        simulator,
        {
            "type": "flow",
            "body": {"text": "Book"},
            "action": {
                "name": "flow",
                "parameters": {
                    "flow_message_version": "3",
                    "flow_id": "1",
                    "flow_token": "token-1",
                    "flow_cta": "Book",
                },
            },
        },
    )
    offer = _offer(simulator)
    simulator.say({"type": "button", "message_id": buttons, "id": "yes"})
    simulator.say({"type": "list", "message_id": listed, "id": "s"})
    simulator.say({"type": "flow", "message_id": flow, "answers": {"day": "Monday"}})
    simulator.say({"type": "button", "message_id": offer, "id": "Yes, please"})
    until(lambda: len(receiver.messages()) == 5)
    taps = {each["context"]["id"]: each for each in receiver.messages() if "context" in each}
    assert taps[buttons]["interactive"] == {
        "type": "button_reply",
        "button_reply": {"id": "yes", "title": "Yes"},
    }
    assert taps[listed]["interactive"]["list_reply"] == rows[0]
    nfm = taps[flow]["interactive"]["nfm_reply"]
    assert json.loads(nfm["response_json"]) == {"day": "Monday", "flow_token": "token-1"}
    assert taps[offer]["type"] == "button"
    assert taps[offer]["button"] == {"payload": "yes-payload", "text": "Yes, please"}


def _interactive(simulator: Running, node: dict[str, Any]) -> str:
    answer = simulator.send({"type": "interactive", "interactive": node})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["messages"][0]["id"])


def _offer(simulator: Running) -> str:
    components = [
        {
            "type": "header",
            "parameters": [{"type": "image", "image": {"link": "https://bluebird.example/a.jpg"}}],
        },
        {"type": "body", "parameters": [{"type": "text", "text": "Amara"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "yes-payload"}],
        },
        {
            "type": "button",
            "sub_type": "url",
            "index": "2",
            "parameters": [{"type": "text", "text": "weekend"}],
        },
    ]
    template = {"name": "weekend_offer", "language": {"code": "en_US"}, "components": components}
    answer = simulator.send({"type": "template", "template": template})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["messages"][0]["id"])


def test_a_changed_number_is_a_system_message_without_contacts_and_a_new_id(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.say({"type": "text", "text": "Old number"})
    simulator.say({"type": "changed_number", "phone": "+234 803 555 0999"})
    simulator.say({"type": "text", "text": "New number"})
    until(lambda: len(receiver.messages()) == 3)
    kinds = {each["type"]: each for each in receiver.messages()}
    value = next(value for value in receiver.values() if value["messages"][0]["type"] == "system")
    assert "contacts" not in value
    assert kinds["system"]["system"]["wa_id"] == "2348035550999"
    assert kinds["system"]["from"] == AMARA_PHONE
    assert kinds["system"]["system"]["user_id"] != kinds["system"]["from_user_id"]


def test_a_click_on_an_ad_carries_its_referral(simulator: Running, receiver: Receiver) -> None:
    simulator.say({"type": "text", "text": "Free coffee?", "referral": True})
    referral = until(receiver.messages)[0]["referral"]
    assert referral["source_type"] == "ad"
    assert referral["ctwa_clid"]


def test_the_control_door_says_what_is_wrong(simulator: Running, receiver: Receiver) -> None:
    path = f"people/{AMARA}/chats/{NUMBER}/messages"
    for wanted, sentence in (
        ({"type": "poem"}, "A person can not send 'poem'."),
        ({"type": "text"}, "A text needs a text."),
        ({"type": "button", "message_id": "nope"}, "There is no message with the id nope."),
        ({"type": "location", "latitude": "north"}, "A location needs a latitude and a longitude."),
    ):
        answer = simulator.http.post(f"{simulator.base}/simulator/control/{path}", json=wanted)
        assert answer.status_code in (400, 404)
        assert answer.json()["error"].startswith(sentence)
    assert simulator.control("GET", "webhooks")["counts"] == {}
    assert receiver.deliveries == []


def test_a_page_sent_as_a_document_does_not_open_as_a_page(simulator: Running) -> None:
    path = f"people/{AMARA}/chats/{NUMBER}/messages"
    file = {"file": ("a.html", b"<script>alert(1)</script>", "text/html")}
    said = simulator.control("POST", path, data={"type": "document"}, files=file)
    media_id = said["content"]["document"]["id"]
    shown = simulator.http.get(f"{simulator.base}/simulator/control/media/{media_id}")
    assert shown.headers["content-type"] == "application/octet-stream"
    assert shown.headers["x-content-type-options"] == "nosniff"
