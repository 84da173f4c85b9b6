"""Tokens, numbers, templates and uploads: what a product needs to connect and to manage."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.simulator.conftest import (
    ACCOUNT,
    NUMBER,
    OTHER_ACCOUNT,
    OTHER_TOKEN,
    SECRET,
    Receiver,
    Running,
    until,
)

APP_TOKEN = f"4711|{SECRET}"
BODY = {"type": "BODY", "text": "Your table is reserved."}
PLAIN = {"name": "plain_one", "language": "en_US", "category": "UTILITY", "components": [BODY]}


def test_a_code_becomes_a_token_once_and_for_thirty_seconds(simulator: Running) -> None:
    code = simulator.control("POST", "oauth/codes", json={"account_ids": [ACCOUNT]})["code"]
    query = {"client_id": "4711", "client_secret": SECRET, "code": code}
    wrong = simulator.graph(
        "GET", "oauth/access_token", token="", params=query | {"client_secret": "guess"}
    )
    assert simulator.error(wrong)["message"].endswith("Error validating client secret.")
    token = simulator.graph("GET", "oauth/access_token", token="", params=query).json()[
        "access_token"
    ]
    again = simulator.graph("GET", "oauth/access_token", token="", params=query)
    assert simulator.error(again)["error_subcode"] == 36008
    seen = simulator.graph("GET", "debug_token", token=APP_TOKEN, params={"input_token": token})
    described = seen.json()["data"]
    assert described["app_id"] == "4711"
    assert described["is_valid"] is True
    assert {each["scope"]: each["target_ids"] for each in described["granular_scopes"]} == {
        "whatsapp_business_management": [ACCOUNT],
        "whatsapp_business_messaging": [ACCOUNT],
    }
    assert simulator.graph("GET", ACCOUNT, token=token).json()["id"] == ACCOUNT
    assert (
        simulator.error(simulator.graph("GET", OTHER_ACCOUNT, token=token))["error_subcode"] == 33
    )
    late = simulator.control("POST", "oauth/codes", json={"account_ids": [ACCOUNT]})["code"]
    simulator.control("POST", "clock/advance", json={"seconds": 31})
    expired = simulator.graph("GET", "oauth/access_token", token="", params=query | {"code": late})
    assert simulator.error(expired)["error_subcode"] == 36007


def test_debug_token_tells_an_expired_and_an_unknown_token(simulator: Running) -> None:
    simulator.control("POST", "tokens", json={"token": OTHER_TOKEN, "is_expired": True})
    for token in (OTHER_TOKEN, "EAAnothing"):
        answer = simulator.graph(
            "GET", "debug_token", token=APP_TOKEN, params={"input_token": token}
        )
        assert answer.json()["data"]["is_valid"] is False


def test_a_number_shows_the_fields_that_were_asked_for(simulator: Running) -> None:
    fields = (
        "verified_name,display_phone_number,quality_rating,throughput{level},status,name_status"
    )
    shown = simulator.graph("GET", NUMBER, params={"fields": fields}).json()
    assert shown == {
        "verified_name": "Bluebird Café",
        "display_phone_number": "+1 555 000 1001",
        "quality_rating": "GREEN",
        "throughput": {"level": "STANDARD"},
        "status": "CONNECTED",
        "name_status": "APPROVED",
        "id": NUMBER,
    }
    error = simulator.error(simulator.graph("GET", NUMBER, params={"fields": "shoe_size"}))
    assert error["message"] == "(#100) Tried accessing nonexisting field (shoe_size)"


def test_a_new_number_is_verified_then_registered(simulator: Running) -> None:
    wanted = {"cc": "1", "phone_number": "555 000 3001", "verified_name": "Second"}
    number = simulator.graph("POST", f"{ACCOUNT}/phone_numbers", json=wanted).json()["id"]
    pin = {"messaging_product": "whatsapp", "pin": "123456"}
    assert (
        simulator.error(simulator.graph("POST", f"{number}/register", json=pin))["code"] == 133006
    )
    asked = {"code_method": "SMS", "language": "en_US"}
    assert simulator.graph("POST", f"{number}/request_code", json=asked).json() == {"success": True}
    assert (
        simulator.error(simulator.graph("POST", f"{number}/verify_code", json={"code": "1"}))[
            "code"
        ]
        == 136025
    )
    numbers = simulator.control("GET", "numbers")["numbers"]
    code = next(each["verification_code"] for each in numbers if each["id"] == number)
    assert simulator.graph("POST", f"{number}/verify_code", json={"code": code}).status_code == 200
    # Another account's token does not see it.
    simulator.control("POST", "tokens", json={"token": OTHER_TOKEN, "is_expired": False})
    foreign = simulator.graph("POST", f"{number}/register", json=pin, token=OTHER_TOKEN)
    assert simulator.error(foreign)["error_subcode"] == 33
    assert simulator.graph("POST", f"{number}/register", json=pin).json() == {"success": True}
    wrong = simulator.graph("POST", f"{number}/register", json=pin | {"pin": "000000"})
    assert simulator.error(wrong)["code"] == 133005
    assert simulator.graph("POST", f"{number}/deregister").json() == {"success": True}
    text = {
        "messaging_product": "whatsapp",
        "to": "15550009999",
        "type": "text",
        "text": {"body": "x"},
    }
    assert (
        simulator.error(simulator.graph("POST", f"{number}/messages", json=text))["code"] == 133010
    )


def test_templates_come_in_pages_until_there_is_no_next(simulator: Running) -> None:
    names: list[str] = []
    url = f"{simulator.base}/simulator/graph/v25.0/{ACCOUNT}/message_templates?limit=3"
    while url:
        page = simulator.http.get(url, headers={"authorization": "Bearer EAAsim-demo"}).json()
        names += [template["name"] for template in page["data"]]
        url = page.get("paging", {}).get("next", "")
    assert sorted(names) == ["hello_world", "order_ready", "sign_in_code", "weekend_offer"]
    approved = simulator.graph(
        "GET", f"{ACCOUNT}/message_templates", params={"name": "order", "fields": "name"}
    )
    assert [each["name"] for each in approved.json()["data"]] == ["order_ready"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Not Allowed"}, "lowercase"),
        ({"category": "NEWS"}, "category"),
        ({"components": [{"type": "FOOTER", "text": "x"}]}, "BODY"),
        ({"components": [{"type": "BODY", "text": "x" * 1025}]}, "1024"),
        (
            {
                "components": [
                    {"type": "BODY", "text": "{{1}} is here", "example": {"body_text": [["a"]]}}
                ]
            },
            "start or end",
        ),
        ({"components": [{"type": "BODY", "text": "Dear {{1}}, how are you today?"}]}, "example"),
        ({"components": [BODY, {"type": "HEADER", "format": "TEXT", "text": "x" * 61}]}, "60"),
        ({"components": [BODY, {"type": "HEADER", "format": "IMAGE"}]}, "header_handle"),
        (
            {"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "DOORBELL"}]}]},
            "buttons.type",
        ),
        ({"components": [BODY, BODY]}, "once"),
    ],
)
def test_templates_that_are_refused_at_once(
    simulator: Running, change: dict[str, Any], words: str
) -> None:
    answer = simulator.graph("POST", f"{ACCOUNT}/message_templates", json=PLAIN | change)
    assert words in simulator.error(answer)["error_data"]["details"]
    assert len(simulator.control("GET", f"templates?account_id={ACCOUNT}")["templates"]) == 4


def test_a_template_is_reviewed_paused_rated_and_moved(
    simulator: Running, receiver: Receiver
) -> None:
    made = simulator.graph("POST", f"{ACCOUNT}/message_templates", json=PLAIN).json()
    assert made["status"] == "PENDING"
    twice = simulator.graph("POST", f"{ACCOUNT}/message_templates", json=PLAIN)
    assert simulator.error(twice)["error_subcode"] == 2388024
    template = f"templates/{made['id']}"
    simulator.control("POST", f"{template}/reject", json={"reason": "PROMOTIONAL"})
    edited = simulator.graph(
        "POST", made["id"], json={"components": [{"type": "BODY", "text": "Better now."}]}
    )
    assert edited.json()["success"] is True
    simulator.control("POST", f"{template}/approve")
    simulator.control("POST", f"{template}/pause")
    body = {"type": "template", "template": {"name": "plain_one", "language": {"code": "en_US"}}}
    assert simulator.error(simulator.send(body))["code"] == 132015
    assert simulator.graph("POST", f"{made['id']}/unpause").json() == {"success": True}
    simulator.control("POST", f"{template}/rate", json={"quality": "YELLOW"})
    simulator.control("POST", f"{template}/recategorise", json={"category": "MARKETING"})
    updates = until(
        lambda: (
            len(receiver.values("message_template_status_update")) == 3
            and receiver.values("template_category_update")
        )
    )
    assert updates[0]["new_category"] == "MARKETING"
    events = {value["event"]: value for value in receiver.values("message_template_status_update")}
    assert events["REJECTED"]["reason"] == "PROMOTIONAL"
    assert events["PAUSED"]["other_info"]["title"] == "FIRST_PAUSE"
    assert events["APPROVED"]["message_template_id"] == int(made["id"])
    assert receiver.values("message_template_quality_update")[0]["new_quality_score"] == "YELLOW"


def test_a_sample_is_uploaded_in_parts(simulator: Running) -> None:
    params = {"file_name": "a.jpg", "file_length": "10", "file_type": "image/jpeg"}
    session = simulator.graph("POST", "4711/uploads", params=params).json()["id"]
    assert session.startswith("upload:")
    first = simulator.graph("POST", session, content=b"12345", headers={"file_offset": "0"})
    assert first.json()["file_offset"] == 5
    wrong = simulator.graph("POST", session, content=b"12345", headers={"file_offset": "0"})
    assert simulator.error(wrong)["code"] == 100
    last = simulator.graph("POST", session, content=b"67890", headers={"file_offset": "5"})
    assert last.json()["h"]


def test_an_account_can_have_an_address_of_its_own_that_shakes_hands(
    simulator: Running, receiver: Receiver, other_receiver: str
) -> None:
    subscribe = f"{ACCOUNT}/subscribed_apps"
    wanted = {"override_callback_uri": other_receiver, "verify_token": "wrong"}
    assert simulator.error(simulator.graph("POST", subscribe, json=wanted))["code"] == 2200
    wanted["verify_token"] = "right"
    assert simulator.graph("POST", subscribe, json=wanted).json() == {"success": True}
    shown = simulator.graph("GET", subscribe).json()["data"][0]
    assert shown["override_callback_uri"] == other_receiver
    simulator.say({"type": "text", "text": "elsewhere"})
    until(lambda: simulator.control("GET", "webhooks")["counts"] == {"DELIVERED": 1})
    assert receiver.deliveries == []


def test_the_product_is_asked_for_its_challenge(simulator: Running) -> None:
    """The receiver of these tests does not answer challenges."""
    shaken = simulator.control("POST", "handshake")
    assert shaken == {"url": simulator.config.webhook_url, "agrees": False}
    wanted = {"object": "whatsapp_business_account", "verify_token": "verify", "fields": "messages"}
    wanted["callback_url"] = simulator.config.webhook_url
    refused = simulator.graph("POST", "4711/subscriptions", json=wanted, token=APP_TOKEN)
    assert simulator.error(refused)["code"] == 2200


@pytest.fixture
def other_receiver() -> Iterator[str]:
    class Handshake(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            agreed = query["hub.verify_token"] == ["right"]
            self.send_response(200 if agreed else 403)
            self.end_headers()
            self.wfile.write(query["hub.challenge"][0].encode() if agreed else b"")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handshake)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/own"
    server.shutdown()
    server.server_close()
