"""What a business sends is checked, climbs its ladder, and costs what Meta would say."""

import sqlite3
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator.conftest import (
    ACCOUNT,
    AMARA,
    AMARA_PHONE,
    LENA,
    NUMBER,
    OTHER_NUMBER,
    Receiver,
    Running,
    until,
)

DAY = 24 * 3600


@pytest.fixture
def open_window(simulator: Running) -> None:
    simulator.say({"type": "text", "text": "Hello"})


@pytest.mark.usefixtures("open_window")
def test_a_text_is_sent_delivered_and_read_once_the_chat_is_open(
    simulator: Running, receiver: Receiver
) -> None:
    answer = simulator.send(
        {"type": "text", "text": {"body": "Hi"}, "biz_opaque_callback_data": "attempt-1"}
    )
    assert answer.json()["messaging_product"] == "whatsapp"
    assert answer.json()["contacts"] == [{"input": AMARA_PHONE, "wa_id": AMARA_PHONE}]
    message_id = answer.json()["messages"][0]["id"]
    assert message_id.startswith("wamid.")
    until(lambda: "delivered" in receiver.status_names(message_id))
    assert simulator.control("GET", f"messages/{message_id}")["status"] == "delivered"
    simulator.control("POST", f"people/{AMARA}/chats/{NUMBER}/open")
    until(lambda: "read" in receiver.status_names(message_id))
    assert sorted(receiver.status_names(message_id)) == ["delivered", "read", "sent"]
    for status in receiver.statuses(message_id):
        assert status["biz_opaque_callback_data"] == "attempt-1"
        assert status["recipient_id"] == AMARA_PHONE
        assert status["pricing"] == {
            "billable": False,
            "pricing_model": "PMP",
            "type": "free_customer_service",
            "category": "service",
        }
        assert "conversation" not in status
    chat = simulator.control("GET", f"people/{AMARA}/chats/{NUMBER}/messages")["messages"]
    assert [each["direction"] for each in chat] == ["inbound", "outbound"]
    until(lambda: _history(simulator, message_id)[-1]["webhook_update_state"] == "DELIVERED")
    events = [event["delivery_status"] for event in _history(simulator, message_id)]
    assert events == ["SENT", "DELIVERED", "READ"]


def _history(simulator: Running, message_id: str) -> list[dict[str, Any]]:
    answer = simulator.graph("GET", f"{NUMBER}/message_history", params={"message_id": message_id})
    events: list[dict[str, Any]] = answer.json()["data"]
    return events


@pytest.mark.usefixtures("open_window")
def test_a_voice_message_is_played(simulator: Running, receiver: Receiver) -> None:
    media_id = _upload(simulator, b"OggS" * 100, "audio/ogg")
    answer = simulator.send({"type": "audio", "audio": {"id": media_id, "voice": True}})
    message_id = answer.json()["messages"][0]["id"]
    until(lambda: "delivered" in receiver.status_names(message_id))
    simulator.control("POST", f"messages/{message_id}/played")
    until(lambda: "played" in receiver.status_names(message_id))


def _upload(simulator: Running, content: bytes, mime_type: str, **more: Any) -> str:
    answer = simulator.graph(
        "POST",
        f"{NUMBER}/media",
        data={"messaging_product": "whatsapp", "type": mime_type},
        files={"file": ("file", content, mime_type)},
        **more,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


@pytest.mark.usefixtures("open_window")
def test_every_message_id_is_different(simulator: Running) -> None:
    sent = [simulator.send_text(str(each)) for each in range(30)]
    said = [simulator.say({"type": "text", "text": str(each)})["id"] for each in range(30)]
    assert len({*sent, *said}) == 60


def test_outside_the_window_a_text_is_accepted_and_then_fails(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.say({"type": "text", "text": "Hello"})
    simulator.control("POST", "clock/advance", json={"seconds": DAY + 1})
    message_id = simulator.send_text()
    failed = until(lambda: receiver.statuses(message_id))[0]
    assert failed["status"] == "failed"
    assert failed["errors"][0]["code"] == 131047
    assert "24 hours" in failed["errors"][0]["error_data"]["details"]
    assert "pricing" not in failed
    again = simulator.say({"type": "text", "text": "Still there?"})
    assert again["at"] > simulator.control("GET", "clock")["now"] - 10
    answered = simulator.send_text()
    until(lambda: "delivered" in receiver.status_names(answered))


def test_a_template_needs_no_window(simulator: Running, receiver: Receiver) -> None:
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    answer = simulator.send({"type": "template", "template": template})
    assert answer.json()["messages"][0]["message_status"] == "accepted"
    message_id = answer.json()["messages"][0]["id"]
    until(lambda: "delivered" in receiver.status_names(message_id))
    pricing = receiver.statuses(message_id)[0]["pricing"]
    assert (pricing["category"], pricing["billable"], pricing["type"]) == (
        "utility",
        True,
        "regular",
    )
    analytics = simulator.graph(
        "GET",
        f"{ACCOUNT}/pricing_analytics",
        params={
            "start": 0,
            "end": 9e9,
            "granularity": "DAILY",
            "dimensions": "PRICING_CATEGORY,COUNTRY",
        },
    ).json()
    point = analytics["data"][0]["data_points"][0]
    assert (point["volume"], point["pricing_category"], point["country"]) == (1, "UTILITY", "NG")
    assert point["cost"] == 0.004


def test_an_answered_ad_click_opens_a_free_entry_point(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.say({"type": "text", "text": "From the ad", "referral": True})
    message_id = simulator.send_text()
    sent = until(lambda: receiver.statuses(message_id))[0]
    assert sent["conversation"]["origin"] == {"type": "referral_conversion"}
    assert sent["pricing"]["type"] == "free_entry_point"


def test_a_stranger_gets_it_unless_strangers_have_no_whatsapp(
    simulator: Running, receiver: Receiver
) -> None:
    template = {
        "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}},
    }
    known = simulator.send(template, to="+31 6 5550 0101").json()["messages"][0]["id"]
    simulator.trouble(strangers_have_whatsapp=False)
    unknown = simulator.send(template, to="+31 6 5550 0102").json()["messages"][0]["id"]
    until(lambda: "delivered" in receiver.status_names(known))
    failed = until(lambda: receiver.statuses(unknown))[0]
    assert failed["errors"][0]["code"] == 131026


def test_a_phone_that_is_off_gets_its_messages_when_it_is_on_again(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.say({"type": "text", "text": "Hello"})
    simulator.control("PATCH", f"people/{AMARA}", json={"is_reachable": False})
    message_id = simulator.send_text()
    until(lambda: receiver.status_names(message_id) == ["sent"])
    simulator.control("PATCH", f"people/{AMARA}", json={"is_reachable": True})
    until(lambda: "delivered" in receiver.status_names(message_id))


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"type": "text"}, 131008, "'text' is mandatory"),
        ({"type": "text", "text": {}}, 131008, "'text.body' is missing"),
        ({"type": "text", "text": {"body": ""}}, 131009, "at least 1 character"),
        ({"type": "text", "text": {"body": "x" * 4097}}, 131009, "at most 4096"),
        ({"type": "text", "text": {"body": "x", "colour": "red"}}, 100, "'colour' on param 'text'"),
        ({"type": "text", "text": {"body": "x"}, "urgent": True}, 100, "Unexpected key 'urgent'"),
        ({"type": "poem"}, 100, "Param 'type' must be one of"),
        ({"type": "image", "image": {}}, 131009, "exactly one of 'id' and 'link'"),
        ({"type": "image", "image": {"link": "ftp://x"}}, 131009, "image.link"),
        ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009, "latitude"),
        ({"type": "contacts", "contacts": []}, 131009, "contacts"),
        (
            {"type": "contacts", "contacts": [{"name": {}}]},
            131008,
            "contacts[0].name.formatted_name",
        ),
        (
            {"type": "reaction", "reaction": {"message_id": "wamid.none", "emoji": "👍"}},
            131009,
            "reaction",
        ),
        (
            {"type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": "x" * 513},
            131009,
            "512",
        ),
        ({"type": "text", "text": {"body": "x"}, "recipient_type": "crowd"}, 100, "recipient_type"),
        ({"type": "interactive", "interactive": {"type": "quiz"}}, 100, "'interactive'"),
        (
            {
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "body": {"text": "?"},
                    "action": {
                        "buttons": [
                            {"type": "reply", "reply": {"id": str(n), "title": str(n)}}
                            for n in range(4)
                        ]
                    },
                },
            },
            131009,
            "at most 3 items",
        ),
        (
            {
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "body": {"text": "?"},
                    "action": {
                        "buttons": [{"type": "reply", "reply": {"id": "a", "title": "x" * 21}}]
                    },
                },
            },
            131009,
            "interactive.action.buttons[0].reply.title",
        ),
        (
            {
                "type": "interactive",
                "interactive": {
                    "type": "list",
                    "body": {"text": "?"},
                    "action": {
                        "button": "b",
                        "sections": [
                            {"rows": [{"id": str(n), "title": str(n)} for n in range(11)]}
                        ],
                    },
                },
            },
            131009,
            "more than 10 rows",
        ),
        (
            {"type": "interactive", "interactive": {"type": "button", "action": {"buttons": []}}},
            131008,
            "interactive.body",
        ),
        ({"type": "template", "template": {"name": "hello_world"}}, 131008, "template.language"),
    ],
)
def test_what_the_schema_refuses(
    simulator: Running, receiver: Receiver, body: dict[str, Any], code: int, words: str
) -> None:
    error = simulator.error(simulator.send(body))
    assert error["code"] == code
    assert words in error["error_data"]["details"]
    assert simulator.control("GET", "webhooks")["counts"] == {}


def test_what_the_top_of_a_request_needs(simulator: Running) -> None:
    text = {"type": "text", "text": {"body": "x"}}
    error = simulator.error(simulator.send(text, to=None))
    assert (error["code"], error["message"]) == (100, "(#100) The parameter to is required.")
    answer = simulator.graph("POST", f"{NUMBER}/messages", json={"to": AMARA_PHONE, **text})
    assert (
        simulator.error(answer)["message"] == "(#100) The parameter messaging_product is required."
    )
    assert simulator.error(simulator.send(text, to="12"))["code"] == 131009
    assert simulator.error(simulator.send(text, to="not a number"))["code"] == 131009
    assert simulator.error(simulator.send(text, to="+1 555 000 1001"))["code"] == 131021
    broken = simulator.graph(
        "POST", f"{NUMBER}/messages", content=b"{", headers={"content-type": "application/json"}
    )
    assert simulator.error(broken)["code"] == 100


def test_who_may_call(simulator: Running) -> None:
    text = {"type": "text", "text": {"body": "x"}}
    assert simulator.error(simulator.send(text, token=""), 401)["code"] == 190
    assert simulator.error(simulator.send(text, token="EAAwrong"), 401)["code"] == 190
    body = {"messaging_product": "whatsapp", "to": AMARA_PHONE, **text}
    for number in (OTHER_NUMBER, "999"):
        error = simulator.error(simulator.graph("POST", f"{number}/messages", json=body))
        assert (error["code"], error["error_subcode"], error["type"]) == (
            100,
            33,
            "GraphMethodException",
        )


def test_an_expired_token_is_refused_until_it_is_restored(simulator: Running) -> None:
    text = {"type": "text", "text": {"body": "x"}}
    simulator.control("POST", "tokens", json={"token": "EAAsim-demo", "is_expired": True})
    error = simulator.error(simulator.send(text), 401)
    assert (error["code"], error["error_subcode"]) == (190, 463)
    simulator.control("POST", "tokens", json={"token": "EAAsim-demo", "is_expired": False})
    assert simulator.send(text).status_code == 200


@pytest.mark.parametrize(("version", "code"), [("v18.0", 2500), ("v19.0", 2635), ("banana", 2500)])
def test_versions_that_are_over_or_never_were(simulator: Running, version: str, code: int) -> None:
    assert simulator.error(simulator.graph("GET", NUMBER, version=version))["code"] == code


def test_a_version_ends_on_its_day(simulator: Running) -> None:
    assert simulator.graph("GET", NUMBER, version="v21.0").status_code == 200
    simulator.control("POST", "clock/advance", json={"seconds": 200 * DAY})
    assert simulator.error(simulator.graph("GET", NUMBER, version="v21.0"))["code"] == 2635


def test_files_that_are_not_there_or_not_ours_or_too_old(simulator: Running) -> None:
    media_id = _upload(simulator, b"\x89PNG" * 50, "image/png")
    body = {
        "messaging_product": "whatsapp",
        "to": AMARA_PHONE,
        "type": "image",
        "image": {"id": media_id},
    }
    assert simulator.graph("POST", f"{NUMBER}/messages", json=body).status_code == 200
    rival = simulator.graph("POST", f"{OTHER_NUMBER}/messages", json=body, token="EAAsim-rival")
    assert simulator.error(rival)["error_subcode"] == 33
    simulator.control("POST", "clock/advance", json={"seconds": 31 * DAY})
    error = simulator.error(simulator.graph("POST", f"{NUMBER}/messages", json=body))
    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert simulator.error(simulator.graph("GET", media_id))["error_subcode"] == 33


def test_a_file_over_its_limit_or_of_no_known_type(simulator: Running) -> None:
    form = {"messaging_product": "whatsapp"}
    big = {"file": ("a.png", b"x" * (5 * 1024 * 1024 + 1), "image/png")}
    odd = {"file": ("a.exe", b"MZ", "application/x-msdownload")}
    assert (
        simulator.error(simulator.graph("POST", f"{NUMBER}/media", data=form, files=big))["code"]
        == 131053
    )
    assert (
        simulator.error(simulator.graph("POST", f"{NUMBER}/media", data=form, files=odd))["code"]
        == 100
    )
    still = {"file": ("a.webp", b"RIFF" + b"x" * (100 * 1024), "image/webp")}
    refused = simulator.graph("POST", f"{NUMBER}/media", data=form, files=still)
    assert simulator.error(refused)["code"] == 131053
    _upload(simulator, b"RIFF....WEBPVP8X....ANIM" + b"x" * (100 * 1024), "image/webp")
    media_id = _upload(simulator, b"%PDF-1.4", "application/pdf")
    assert simulator.graph("DELETE", media_id).json() == {"success": True}
    assert simulator.error(simulator.graph("GET", media_id))["error_subcode"] == 33


def test_a_download_address_lives_for_five_minutes(simulator: Running) -> None:
    url = simulator.graph("GET", _upload(simulator, b"%PDF-1.4", "application/pdf")).json()["url"]
    headers = {"authorization": "Bearer EAAsim-demo"}
    assert simulator.http.get(url, headers=headers).content == b"%PDF-1.4"
    simulator.control("POST", "clock/advance", json={"seconds": 301})
    assert simulator.http.get(url, headers=headers).status_code == 403


def test_read_receipts_and_typing_need_a_message_that_came_in(simulator: Running) -> None:
    said = simulator.say({"type": "text", "text": "Hello"})["id"]
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": said}
    typing = receipt | {"typing_indicator": {"type": "text"}}
    for body in (receipt, typing):
        assert simulator.graph("POST", f"{NUMBER}/messages", json=body).json() == {"success": True}
    assert simulator.control("GET", f"messages/{said}")["status"] == "read"
    sent = simulator.send_text()
    refused = simulator.graph("POST", f"{NUMBER}/messages", json=receipt | {"message_id": sent})
    assert simulator.error(refused)["code"] == 131009


def test_a_code_can_not_go_to_someone_without_a_phone_number(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.say({"type": "text", "text": "Hi"}, person=LENA)
    until(receiver.messages)
    user_id = receiver.messages()[0]["from_user_id"]
    code = [{"type": "text", "text": "123456"}]
    components = [
        {"type": "body", "parameters": code},
        {"type": "button", "sub_type": "url", "index": 0, "parameters": code},
    ]
    template = {"name": "sign_in_code", "language": {"code": "en_US"}, "components": components}
    body = {"type": "template", "template": template}
    refused = simulator.send(body | {"recipient": user_id}, to=None)
    assert simulator.error(refused)["code"] == 131062
    assert simulator.send(body).status_code == 200


def test_a_thousand_service_messages_a_month_are_free(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.say({"type": "text", "text": "Hi"})
    store = sqlite3.connect(simulator.config.database_path)
    month = datetime.now(UTC).strftime("%Y-%m")
    store.execute("INSERT INTO service_months VALUES (?, ?, 1000)", (NUMBER, month))
    store.commit()
    store.close()
    message_id = simulator.send_text()
    pricing = until(lambda: receiver.statuses(message_id))[0]["pricing"]
    assert (pricing["billable"], pricing["type"], pricing["category"]) == (
        True,
        "regular",
        "service",
    )
