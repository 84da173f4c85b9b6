"""Other programs are told what happens: signed, at least once, again for a day, and never a rival's."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from aerostic.core import clock, due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.permissions import STRANGER, system
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.automation.models import ExecutionMode
from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.schemas import NewContact
from aerostic.domain.dossier import service as dossier
from aerostic.domain.inbox import service as inbox
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import Signal, SignalKind, SignalListener
from aerostic.domain.signals.telling import Happened
from aerostic.domain.webhooks_out import delivering, signing
from aerostic.domain.webhooks_out.lane import Lane
from aerostic.domain.webhooks_out.models import WebhookDispatch, WebhookEndpoint
from tests.automation.kinds import chain, ran
from tests.builders import conversation_of, inbound, outbound
from tests.clients import member
from tests.conftest import Place
from tests.mailbox import mails_to, text_of
from tests.waiting import until
from tests.webhooks_out.receiver import receiving
from workers.automation import route

HOOKS = "/api/v1/webhook-endpoints"
EVERYTHING = ["message.received", "message.status", "contact.created", "conversation.closed"]


def made(place: Place, url: str, *events: str, **more: Any) -> dict[str, Any]:
    body = {"url": url, "events": list(events) or EVERYTHING, **more}
    answer = member(place).post(HOOKS, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def lane_until(seen: Callable[[], Any], *, what: str = "what is told", seconds: float = 20) -> Any:
    """The lane at work until the test has seen what it waits for."""

    async def worked() -> Any:
        task = asyncio.create_task(Lane().run())
        try:
            return await asyncio.to_thread(lambda: until(seen, what=what, seconds=seconds))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return asyncio.run(worked())


def log_of(place: Place, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (
        member(place).get(f"{HOOKS}/{endpoint['id']}/dispatches").json()["items"]
    )
    return items


def tell(place: Place, *happened: Happened) -> None:
    with place.system_work() as ctx:
        telling.tell(ctx, happened)
    route(place.tenant_id)


def is_due_now(place: Place, endpoint: dict[str, Any]) -> None:
    """As if the pause after a failure were over."""
    with place.system_work() as ctx:
        for one in ctx.session.exec(select(WebhookDispatch)):
            one.next_try_at = clock.now()
        due_work.postpone(ctx, WorkKind.WEBHOOKS, UUID(endpoint["id"]), clock.now())


# What is told


def test_a_message_is_told_signed_and_whole(place, rival, receiver):
    endpoint = made(place, receiver.url, "message.received")
    theirs = made(rival, receiver.url, "message.received")
    talk = conversation_of(place, "Ada", phone="15550001111")
    message = inbound(place, talk, "Is it open?")
    tell(place, Happened(SignalKind.MESSAGE_RECEIVED, talk, message_id=message))
    lane_until(lambda: receiver.posts)
    headers, body = receiver.posts[0]
    told = json.loads(body)
    assert told["type"] == "message.received"
    assert told["data"]["message"]["text"] == "Is it open?"
    assert told["data"]["message"]["id"] == str(message)
    assert told["data"]["contact"]["phone"] == "+15550001111"
    assert told["data"]["conversation"]["id"] == str(talk)
    assert told["data"]["workspace"] == {"name": "Bluebird Café"}
    assert headers["content-type"] == "application/json"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(endpoint["secret"].removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 120
    assert len(receiver.posts) == 1
    assert log_of(rival, theirs) == []


def test_the_signature_is_the_one_of_the_standard():
    """The example of standardwebhooks.com's specification."""
    made = signing.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        '{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_only_what_was_chosen_is_told(place, receiver):
    endpoint = made(place, receiver.url, "conversation.closed")
    talk = conversation_of(place, "Ada")
    with place.work("agent") as ctx:
        contacts.create(ctx, NewContact(name="Bob"))
        inbox.close(ctx, talk)
    route(place.tenant_id)
    lane_until(lambda: receiver.posts)
    assert receiver.events() == ["conversation.closed"]
    assert [one["event"] for one in log_of(place, endpoint)] == ["conversation.closed"]


def test_each_endpoint_is_told_the_same_under_the_same_id(place, receiver):
    made(place, receiver.url, "contact.created")
    made(place, receiver.url + "/second", "contact.created", "message.status")
    with place.work("agent") as ctx:
        contacts.create(ctx, NewContact(name="Bob"))
    route(place.tenant_id)
    lane_until(lambda: len(receiver.posts) == 2)
    (first, one), (second, other) = receiver.posts
    assert first["webhook-id"] == second["webhook-id"]
    assert one == other
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_status_is_told_as_it_was(place, receiver):
    made(place, receiver.url, "message.status")
    talk = conversation_of(place, "Ada")
    message = outbound(place, talk, "Hello", status="read")
    statuses = ("delivered", "read")
    tell(
        place,
        *(
            Happened(SignalKind.MESSAGE_STATUS, talk, message_id=message, details={"status": one})
            for one in statuses
        ),
    )
    lane_until(lambda: len(receiver.posts) == 2)
    found = {one["data"]["message"]["status"] for one in receiver.told()}
    assert found == {"delivered", "read"}


def test_nothing_is_written_down_where_nobody_listens(place, receiver):
    def listeners() -> list[str]:
        with place.system_work() as ctx:
            return [one.listener for one in ctx.session.exec(select(SignalListener))]

    assert listeners() == []
    endpoint = made(place, receiver.url)
    assert listeners() == ["webhooks"]
    owner = member(place)
    owner.post(f"{HOOKS}/{endpoint['id']}/pause")
    assert listeners() == []
    owner.post(f"{HOOKS}/{endpoint['id']}/go-on")
    assert listeners() == ["webhooks"]
    owner.delete(f"{HOOKS}/{endpoint['id']}")
    assert listeners() == []
    with place.work("agent") as ctx:
        contacts.create(ctx, NewContact(name="Bob"))
    with place.system_work() as ctx:
        assert ctx.session.exec(select(Signal)).all() == []


# When it does not work


def test_a_failure_is_repeated_with_the_same_id(place, receiver):
    endpoint = made(place, receiver.url, "contact.created")
    receiver.will_answer(500, body=b"no room")
    tell(place, Happened(SignalKind.CONTACT_CREATED))
    lane_until(lambda: log_of(place, endpoint)[0]["tries"] == 1)
    entry = log_of(place, endpoint)[0]
    assert (entry["status"], entry["last_status"]) == ("pending", 500)
    assert entry["problem"] == "It answered 500."
    assert entry["next_try_at"] is not None
    shown = member(place).get(f"{HOOKS}/{endpoint['id']}").json()
    assert shown["failing_since"] is not None
    assert shown["waiting"] == 1
    is_due_now(place, endpoint)
    lane_until(lambda: log_of(place, endpoint)[0]["status"] == "delivered")
    assert len({headers["webhook-id"] for headers, _ in receiver.posts}) == 1
    shown = member(place).get(f"{HOOKS}/{endpoint['id']}").json()
    assert (shown["failing_since"], shown["waiting"]) == (None, 0)
    detail = member(place).get(f"/api/v1/webhook-dispatches/{entry['id']}").json()
    assert [(one["status"], one["answer"]) for one in detail["tries"]] == [
        (204, ""),
        (500, "no room"),
    ]


def test_the_pauses_make_up_a_day_and_a_wish_for_later_is_heard():
    total = sum(delivering.PAUSES, timedelta())
    assert timedelta(hours=23) < total < timedelta(hours=24)
    assert delivering.pause(1, retry_after=600) == timedelta(seconds=600)
    assert delivering.pause(1, retry_after=10**9) == timedelta(hours=1)
    assert timedelta(seconds=4.5) <= delivering.pause(1) <= timedelta(seconds=5.5)


def test_a_redirect_is_not_followed(place, receiver):
    endpoint = made(place, receiver.url, "contact.created")
    receiver.will_answer(302, location=f"{receiver.url}/elsewhere")
    tell(place, Happened(SignalKind.CONTACT_CREATED))
    lane_until(lambda: log_of(place, endpoint)[0]["tries"] == 1)
    assert log_of(place, endpoint)[0]["problem"] == "It answered 302."
    assert len(receiver.posts) == 1


def test_an_address_inside_is_never_called(place, receiver, monkeypatch):
    endpoint = made(place, receiver.url, "contact.created")
    monkeypatch.setenv("AEROSTIC_OUTSIDE_ALLOW", "")
    settings.cache_clear()
    tell(place, Happened(SignalKind.CONTACT_CREATED))
    lane_until(lambda: log_of(place, endpoint)[0]["tries"] == 1)
    assert "not on the public internet" in log_of(place, endpoint)[0]["problem"]
    assert receiver.posts == []


def fails_for_a_day(place: Place, endpoint: dict[str, Any]) -> None:
    """As it stands after every try but the last."""
    with place.system_work() as ctx:
        row = ctx.get(WebhookEndpoint, UUID(endpoint["id"]))
        assert row
        row.failing_since = clock.now() - timedelta(hours=24)
        for one in ctx.session.exec(select(WebhookDispatch)):
            one.tries = len(delivering.PAUSES)


def test_an_endpoint_that_took_nothing_for_a_day_is_switched_off(place, rival, receiver, run_jobs):
    endpoint = made(place, receiver.url, "contact.created")
    made(rival, receiver.url, "contact.created")
    receiver.will_answer(500)
    tell(place, Happened(SignalKind.CONTACT_CREATED))
    fails_for_a_day(place, endpoint)
    lane_until(lambda: log_of(place, endpoint)[0]["status"] == "failed")
    shown = member(place).get(f"{HOOKS}/{endpoint['id']}").json()
    assert shown["status"] == "disabled"
    assert shown["problem"] == "For a day it took nothing. The last time: It answered 500."
    run_jobs()
    told = mails_to(place.emails["owner"])
    assert [mail["Subject"] for mail in told] == ["A webhook of Bluebird Café was switched off"]
    assert receiver.url in text_of(told[0])
    assert mails_to(place.emails["admin"]) == mails_to(rival.emails["owner"]) == []
    assert member(rival).get(HOOKS).json()["items"][0]["status"] == "active"
    owner = member(place)
    assert owner.post(f"{HOOKS}/{endpoint['id']}/go-on").json()["status"] == "active"
    again = owner.post(f"/api/v1/webhook-dispatches/{log_of(place, endpoint)[0]['id']}/send-again")
    assert again.status_code == 202
    lane_until(lambda: log_of(place, endpoint)[0]["status"] == "delivered")


def test_one_failure_among_successes_disables_nothing(place, receiver):
    endpoint = made(place, receiver.url, "contact.created")
    receiver.will_answer(500)
    tell(place, Happened(SignalKind.CONTACT_CREATED))
    fails_for_a_day(place, endpoint)
    with place.system_work() as ctx:
        row = ctx.get(WebhookEndpoint, UUID(endpoint["id"]))
        assert row
        row.failing_since = clock.now() - timedelta(minutes=5)
    lane_until(lambda: log_of(place, endpoint)[0]["status"] == "failed")
    assert member(place).get(f"{HOOKS}/{endpoint['id']}").json()["status"] == "active"


def test_who_is_gone_is_told_nothing_more(place, receiver):
    endpoint = made(place, receiver.url, "contact.created")
    receiver.will_answer(410)
    tell(place, Happened(SignalKind.CONTACT_CREATED))
    lane_until(lambda: log_of(place, endpoint)[0]["status"] == "failed")
    assert member(place).get(f"{HOOKS}/{endpoint['id']}").json()["status"] == "disabled"


def test_a_slow_endpoint_delays_nobody_else(place, rival, receiver):
    made(place, receiver.url, "contact.created")
    receiver.pause.clear()
    with receiving() as quick:
        made(rival, quick.url, "contact.created")
        tell(place, Happened(SignalKind.CONTACT_CREATED))
        tell(rival, Happened(SignalKind.CONTACT_CREATED))
        lane_until(lambda: quick.posts)
        assert receiver.posts == []
        receiver.pause.set()


def test_what_a_dead_process_held_is_told_by_another(place, receiver):
    endpoint = made(place, receiver.url, "contact.created")
    tell(place, Happened(SignalKind.CONTACT_CREATED))
    with shared_work(STRANGER) as ctx:
        taken = due_work.take(
            ctx, WorkKind.WEBHOOKS, limit=5, lease=timedelta(minutes=3), holder="dead"
        )
    assert taken == [(place.tenant_id, UUID(endpoint["id"]))]
    with unit_of_work(place.tenant_id, system("webhooks")) as ctx:
        assert delivering.claim(ctx, UUID(endpoint["id"]), holder="another") is None
        batch = delivering.claim(ctx, UUID(endpoint["id"]), holder="dead")
        assert batch is not None
    with place.system_work() as ctx:
        due_work.postpone(ctx, WorkKind.WEBHOOKS, UUID(endpoint["id"]), clock.now())
    lane_until(lambda: receiver.posts)
    assert len(receiver.posts) == 1


# People


def test_the_secret_is_shown_once_and_both_sign_for_a_day(place, receiver):
    owner = member(place)
    endpoint = made(place, receiver.url, "contact.created", description="  Our   shop ")
    assert endpoint["description"] == "Our shop"
    assert endpoint["secret"].startswith("whsec_")
    listed = owner.get(HOOKS).text + owner.get(f"{HOOKS}/{endpoint['id']}").text
    assert "whsec_" not in listed
    with place.system_work() as ctx:
        row = ctx.get(WebhookEndpoint, UUID(endpoint["id"]))
        assert row
        assert "whsec_" not in row.secret_sealed
    rotated = owner.post(f"{HOOKS}/{endpoint['id']}/secret").json()
    assert rotated["secret"] != endpoint["secret"]
    assert rotated["both_secrets_until"] is not None
    owner.post(f"{HOOKS}/{endpoint['id']}/test")
    lane_until(lambda: receiver.posts)
    headers, body = receiver.posts[0]
    at = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"].split(" ") == [
        signing.signature(secret, headers["webhook-id"], at, body.decode())
        for secret in (rotated["secret"], endpoint["secret"])
    ]


def test_what_was_told_is_told_again_by_a_person(place, rival, receiver):
    endpoint = made(place, receiver.url, "contact.created")
    tell(place, Happened(SignalKind.CONTACT_CREATED))
    lane_until(lambda: log_of(place, endpoint)[0]["status"] == "delivered")
    entry = log_of(place, endpoint)[0]
    path = f"/api/v1/webhook-dispatches/{entry['id']}"
    assert member(rival).post(f"{path}/send-again").status_code == 404
    assert member(rival).get(path).status_code == 404
    assert member(place).post(f"{path}/send-again").status_code == 202
    lane_until(lambda: len(receiver.posts) == 2)
    first, second = receiver.posts
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert first[1] == second[1]
    assert [one["is_replay"] for one in log_of(place, endpoint)] == [True, False]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://example.com/x"}, "url"),
        ({"url": "https://user:pass@example.com/"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "http://[::1]:80/"}, "url"),
        ({"url": "https://example.com:22/"}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["everything"]}, "events"),
        ({"description": "x" * 300}, "description"),
    ],
)
def test_what_is_no_endpoint_is_refused(place, body, field, monkeypatch):
    monkeypatch.setenv("AEROSTIC_OUTSIDE_ALLOW", "")
    settings.cache_clear()
    whole = {"url": "https://example.com/hook", "events": ["contact.created"], **body}
    answer = member(place).post(HOOKS, json=whole)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert member(place).get(HOOKS).json()["items"] == []


def test_an_admin_may_not(place, receiver):
    assert member(place, "admin").get(HOOKS).status_code == 403


def test_an_erased_person_is_gone_from_the_log_too(place, receiver):
    endpoint = made(place, receiver.url, "contact.created")
    with place.work("agent") as ctx:
        contact = contacts.create(ctx, NewContact(name="Ada"))
    route(place.tenant_id)
    assert len(log_of(place, endpoint)) == 1
    with place.work("owner") as ctx:
        dossier.erase(ctx, contact.id)
    assert log_of(place, endpoint) == []


def test_the_log_is_kept_for_thirty_days(place, receiver):
    endpoint = made(place, receiver.url, "contact.created")
    tell(place, Happened(SignalKind.CONTACT_CREATED), Happened(SignalKind.CONTACT_CREATED))
    with place.system_work() as ctx:
        oldest = ctx.session.exec(select(WebhookDispatch)).all()[0]
        oldest.created_at = clock.now() - timedelta(days=31)
    with place.system_work() as ctx:
        delivering.tidy(ctx)
    assert len(log_of(place, endpoint)) == 1


def test_a_run_that_fails_is_told_and_a_trial_is_not(place, receiver, test_kinds):
    made(place, receiver.url, "execution.failed")
    graph = chain(("test.call", {"what": "x"}), ("google.drive", {}))
    failed = ran(place, graph)
    assert failed.status == "failed"
    ran(place, graph, mode=ExecutionMode.RECORDED)
    ran(place, chain(("test.name", {"value": 1})))
    route(place.tenant_id)
    lane_until(lambda: receiver.posts)
    (told,) = receiver.told()
    assert told["data"]["execution"] == {
        "id": str(failed.id),
        "workflow_id": str(failed.workflow_id),
        "workflow": "Test",
        "reason": "Google Drive: No Google account is chosen for this step.",
        "node": "n2",
    }
