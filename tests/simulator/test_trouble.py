"""The bad days of the outside world, on demand."""

import json
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.simulator.conftest import (
    ACCOUNT,
    AMARA,
    AMARA_PHONE,
    NUMBER,
    OTHER_ACCOUNT,
    OTHER_NUMBER,
    Receiver,
    Running,
    signature,
    start,
    until,
)

TEMPLATE = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}


def test_duplicates_are_the_same_bytes_again(simulator: Running, receiver: Receiver) -> None:
    simulator.trouble(duplicates=4)
    simulator.say({"type": "text", "text": "Hello"})
    until(lambda: len(receiver.deliveries) == 5)
    assert len({raw for raw, _ in receiver.deliveries}) == 1


def test_reordered_updates_arrive_in_reverse_and_batched(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.trouble(reorder=True, batch_size=100)
    for each in range(10):
        simulator.say({"type": "text", "text": str(each)})
    simulator.say({"type": "text", "text": "rival"}, number=OTHER_NUMBER)
    until(lambda: len(receiver.messages()) == 11)
    bodies = [message["text"]["body"] for message in receiver.messages()]
    assert bodies != [*map(str, range(10)), "rival"]
    assert Counter(bodies) == Counter([*map(str, range(10)), "rival"])
    assert len(receiver.deliveries) < 11
    for payload in receiver.payloads():
        assert {entry["id"] for entry in payload["entry"]} <= {ACCOUNT, OTHER_ACCOUNT}
    assert all(
        headers["x-hub-signature-256"] == signature(raw) for raw, headers in receiver.deliveries
    )


def test_a_delay_holds_updates_back(simulator: Running, receiver: Receiver) -> None:
    simulator.trouble(delay_min_ms=60_000, delay_max_ms=60_000)
    simulator.say({"type": "text", "text": "late"})
    simulator.trouble(delay_min_ms=0, delay_max_ms=0)
    simulator.say({"type": "text", "text": "early"})
    until(receiver.messages)
    assert [message["text"]["body"] for message in receiver.messages()] == ["early"]
    assert simulator.control("GET", "webhooks")["counts"]["PENDING"] == 1


def test_nothing_is_lost_while_the_product_is_down(simulator: Running, receiver: Receiver) -> None:
    receiver.answer = 503
    for each in range(5):
        simulator.say({"type": "text", "text": str(each)})
    until(lambda: receiver.refused >= 10)
    assert receiver.deliveries == []
    receiver.answer = 200
    until(lambda: len(receiver.messages()) == 5)
    assert sorted(message["text"]["body"] for message in receiver.messages()) == list("01234")
    until(lambda: simulator.control("GET", "webhooks")["counts"] == {"DELIVERED": 5})


def test_a_restart_keeps_people_chats_files_and_what_was_not_delivered(
    tmp_path: Path, receiver: Receiver
) -> None:
    first = start(tmp_path, receiver.url)
    receiver.answer = 500
    said = first.say({"type": "image"})
    person = first.control("POST", "people", json={"name": "Nora", "phone": "+47 401 55 501"})
    first.control("POST", "clock/advance", json={"seconds": 3600})
    first.trouble(batch_size=7)
    until(lambda: receiver.refused)
    first.stop()
    receiver.answer = 200
    second = start(tmp_path, receiver.url)
    until(lambda: [message["id"] for message in receiver.messages()] == [said["id"]])
    assert second.control("GET", f"people/{person['id']}")["phone"] == "4740155501"
    assert second.control("GET", "clock")["offset_seconds"] == 3600
    assert second.control("GET", "trouble")["batch_size"] == 7
    chat = second.control("GET", f"people/{AMARA}/chats/{NUMBER}/messages")["messages"]
    assert [each["id"] for each in chat] == [said["id"]]
    media_id = said["content"]["image"]["id"]
    file = second.http.get(f"{second.base}/simulator/control/media/{media_id}")
    assert file.content.startswith(b"\xff\xd8")
    second.control("POST", "reset")
    assert second.control("GET", "clock")["offset_seconds"] == 0
    assert len(second.control("GET", "people")["people"]) == 6
    second.stop()


def test_ordered_failures_at_once_and_later(simulator: Running, receiver: Receiver) -> None:
    ordered = [{"code": 131016, "count": 2, "mode": "sync"}, {"code": 131049, "mode": "async"}]
    simulator.trouble(failures=ordered)
    for _ in range(2):
        assert simulator.error(simulator.send(TEMPLATE), 503)["code"] == 131016
    message_id = simulator.send(TEMPLATE).json()["messages"][0]["id"]
    failed = until(lambda: receiver.statuses(message_id))[0]
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131049)
    last = simulator.send(TEMPLATE).json()["messages"][0]["id"]
    until(lambda: "delivered" in receiver.status_names(last))
    assert simulator.control("GET", "trouble")["failures"] == []


def test_a_lost_answer_leaves_a_message_that_its_statuses_explain(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.trouble(drop_responses=1)
    with pytest.raises(httpx.TransportError):
        simulator.send(TEMPLATE | {"biz_opaque_callback_data": "attempt-9"})
    status = until(receiver.statuses)[0]
    assert status["biz_opaque_callback_data"] == "attempt-9"
    assert simulator.send(TEMPLATE).status_code == 200


def test_statuses_can_overtake_the_answer(simulator: Running, receiver: Receiver) -> None:
    simulator.trouble(response_delay_ms=600)
    message_id = simulator.send(TEMPLATE).json()["messages"][0]["id"]
    assert sorted(receiver.status_names(message_id)) == ["delivered", "sent"]


def test_paused_statuses_wait_for_their_release(simulator: Running, receiver: Receiver) -> None:
    simulator.trouble(statuses_paused=True)
    message_id = simulator.send(TEMPLATE).json()["messages"][0]["id"]
    simulator.say({"type": "text", "text": "meanwhile"})
    until(receiver.messages)
    assert receiver.statuses() == []
    simulator.trouble(statuses_paused=False)
    until(lambda: sorted(receiver.status_names(message_id)) == ["delivered", "sent"])


def test_the_throughput_of_a_number(simulator: Running) -> None:
    simulator.control("PATCH", f"numbers/{NUMBER}", json={"throughput": 2})
    simulator.trouble(pair_limit=False)
    codes = [simulator.send(TEMPLATE).status_code for _ in range(4)]
    assert codes[:2] == [200, 200]
    assert 429 in codes
    answer = simulator.send(TEMPLATE, token="EAAsim-rival")
    assert answer.status_code == 400
    simulator.control("PATCH", f"numbers/{NUMBER}", json={"throughput": 1000})
    shown = simulator.graph("GET", NUMBER, params={"fields": "throughput"}).json()
    assert shown["throughput"] == {"level": "HIGH"}


def test_the_pair_limit_holds_back_one_recipient_only(simulator: Running) -> None:
    simulator.control("PATCH", f"numbers/{NUMBER}", json={"throughput": 1000})
    answers = [simulator.send(TEMPLATE) for _ in range(46)]
    assert [answer.status_code for answer in answers[:45]] == [200] * 45
    assert simulator.error(answers[45], 429)["code"] == 131056
    assert simulator.send(TEMPLATE, to="+81 90 5550 0123").status_code == 200
    simulator.trouble(pair_limit=False)
    assert simulator.send(TEMPLATE).status_code == 200


def test_the_messaging_limit_counts_people_outside_a_window(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.control("PATCH", "portfolios/300000000000001", json={"messaging_limit": 250})
    until(lambda: receiver.values("business_capability_update"))
    value = receiver.values("business_capability_update")[0]
    assert value["max_daily_conversations_per_business"] == 250
    simulator.control("PATCH", f"numbers/{NUMBER}", json={"throughput": 1000})
    for each in range(250):
        assert simulator.send(TEMPLATE, to=f"3165550{each:04d}").status_code == 200
    over = simulator.send(TEMPLATE, to="31655509999").json()["messages"][0]["id"]
    failed = until(lambda: receiver.statuses(over))[0]
    assert failed["errors"][0]["code"] == 131048


def test_marketing_to_someone_who_stopped_it_fails(simulator: Running, receiver: Receiver) -> None:
    simulator.say({"type": "text", "text": "No more offers"})
    simulator.control("PATCH", f"people/{AMARA}", json={"refuses_marketing": True})
    preference = until(lambda: receiver.values("user_preferences"))[0]["user_preferences"][0]
    assert (preference["value"], preference["wa_id"]) == ("stop", AMARA_PHONE)
    link = {"type": "image", "image": {"link": "https://bluebird.example/a.jpg"}}
    suffix = [{"type": "text", "text": "x"}]
    components = [
        {"type": "header", "parameters": [link]},
        {"type": "body", "parameters": [{"type": "text", "text": "Amara"}]},
        {"type": "button", "sub_type": "url", "index": 2, "parameters": suffix},
    ]
    template = {"name": "weekend_offer", "language": {"code": "en_US"}, "components": components}
    answer = simulator.send({"type": "template", "template": template})
    failed = until(lambda: receiver.statuses(answer.json()["messages"][0]["id"]))[0]
    assert failed["errors"][0]["code"] == 131050


def test_an_account_without_subscription_is_silent(simulator: Running, receiver: Receiver) -> None:
    assert simulator.graph("DELETE", f"{ACCOUNT}/subscribed_apps").json() == {"success": True}
    simulator.say({"type": "text", "text": "unheard"})
    assert simulator.graph("POST", f"{ACCOUNT}/subscribed_apps").json() == {"success": True}
    simulator.say({"type": "text", "text": "heard"})
    until(receiver.messages)
    assert [message["text"]["body"] for message in receiver.messages()] == ["heard"]


def test_any_body_can_be_sent_signed_or_not(simulator: Running, receiver: Receiver) -> None:
    payload = {"object": "whatsapp_business_account", "entry": []}
    answer = simulator.control("POST", "webhooks", json={"payload": payload})
    assert answer["status"] == 200
    simulator.control("POST", "webhooks", json={"raw_base64": "bm90IGpzb24=", "sign": False})
    (signed, headers), (raw, bare) = receiver.deliveries
    assert json.loads(signed) == payload
    assert headers["x-hub-signature-256"] == signature(signed)
    assert raw == b"not json"
    assert "x-hub-signature-256" not in bare


def test_a_burst_is_bounded_and_complete(simulator: Running, receiver: Receiver) -> None:
    burst = {"count": 300, "people": 20, "phone_number_id": NUMBER, "text": "No {n}", "rate": 2000}
    simulator.trouble(batch_size=50)
    simulator.control("POST", "burst", json=burst)
    until(lambda: len(receiver.messages()) == 300)
    assert len({message["id"] for message in receiver.messages()}) == 300
    assert len({message["from"] for message in receiver.messages()}) == 20
    url = f"{simulator.base}/simulator/control/burst"
    refused = simulator.http.post(url, json=burst | {"count": 10**9})
    assert refused.json() == {"error": "count must be a whole number from 1 to 100000."}


def test_switches_are_checked_in_words(simulator: Running) -> None:
    url = f"{simulator.base}/simulator/control/trouble"
    for wanted, sentence in (
        ({"banana": 1}, "There is no switch named 'banana'."),
        ({"duplicates": -1}, "duplicates must be a whole number from 0 to 20."),
        ({"reorder": "yes"}, "reorder must be true or false."),
        ({"failures": [{"code": 42}]}, "Meta's error table has no code 42"),
    ):
        answer = simulator.http.post(url, json=wanted)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(sentence)
    assert simulator.control("GET", "trouble")["duplicates"] == 0


def test_a_phone_sees_events_as_they_happen(simulator: Running) -> None:
    seen: list[str] = []
    url = f"{simulator.base}/simulator/control/events?person_id={AMARA}"
    with httpx.stream("GET", url, timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        simulator.say({"type": "text", "text": "Hello"})
        simulator.send_text()
        for line in lines:
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                seen.append(event.get("status") or event["kind"])
            if seen[-1:] == ["delivered"] and seen.count("message") == 2 and "sent" in seen:
                break
    assert seen[0] == "message"
    assert AMARA_PHONE not in seen
