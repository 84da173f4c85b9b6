"""Posts to workflows: answered by the workflow itself, after what it did is committed."""

import asyncio
import hashlib
import hmac
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from redis.asyncio import Redis
from sqlmodel import select

from aerostic.core.ids import new_id
from aerostic.domain.automation import publishing
from aerostic.domain.automation.models import ExecutionSegment, Workflow, WorkflowVersion
from aerostic.domain.automation.posting_rates import PostingRates
from aerostic.domain.usage.models import UsageKind
from aerostic.domain.vault import service as vault
from backend_api.automation_webhooks import AutomationWebhooks
from tests.automation.kinds import (
    Ask,
    chain,
    execution_of,
    outputs,
    published,
    steps,
    test_kinds,  # noqa: F401
)
from tests.automation.living import automating, listening, runs_of, statuses_of
from tests.builders import used
from tests.waiting import until

ECHO = ("test.respond", {"body": "{{ webhookPayload }}"})


class Door:
    """The route on an event loop of its own, as a server runs it."""

    def __init__(self) -> None:
        async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
            raise AssertionError("passed on")

        self.app = AutomationWebhooks(nothing_else)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def post(self, workflow_id: UUID | str, **options: Any) -> httpx.Response:
        return self.do(self._request("POST", workflow_id, options))

    def ask(self, method: str, workflow_id: UUID | str) -> httpx.Response:
        return self.do(self._request(method, workflow_id, {}))

    def answers(self, workflow_id: UUID, bodies: Sequence[Any]) -> list[httpx.Response]:
        async def all_at_once() -> list[httpx.Response]:
            posts = (self._request("POST", workflow_id, {"json": body}) for body in bodies)
            return list(await asyncio.gather(*posts))

        return self.do(all_at_once())

    def together(self, workflow_id: UUID, count: int) -> list[int]:
        return [one.status_code for one in self.answers(workflow_id, [{}] * count)]

    async def _request(
        self, method: str, workflow_id: UUID | str, options: dict[str, Any]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hooks") as client:
            return await client.request(method, f"/automation/webhooks/{workflow_id}", **options)

    def close(self) -> None:
        self.do(self.app.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


def hooked(place, *steps: tuple[str, dict[str, Any]], **config: Any) -> UUID:
    """A workflow that is switched on and begins with a post."""
    graph = chain(*steps)
    trigger = graph.nodes[0].model_copy(update={"kind": "trigger.webhook", "config": config})
    graph = graph.model_copy(update={"nodes": [trigger, *graph.nodes[1:]]})
    return listening(place, graph).workflow_id


def calls(version: WorkflowVersion, a: str) -> tuple[str, dict[str, Any]]:
    return ("test.sub", {"workflow_id": str(version.workflow_id), "given": {"a": a}})


def segments_of(place, execution_id: UUID) -> list[dict[str, Any]]:
    """Every line of a run's log as it was written, also those that a later one replaces."""
    wanted = select(ExecutionSegment).where(ExecutionSegment.execution_id == execution_id)
    with place.system_work() as ctx:
        written = ctx.session.exec(wanted.order_by(ExecutionSegment.position)).all()
        return [step for segment in written for step in segment.steps]


def change(place, workflow_id: UUID, **fields: Any) -> None:
    with place.system_work() as ctx:
        workflow = ctx.get(Workflow, workflow_id)
        for name, value in fields.items():
            setattr(workflow, name, value)


def test_the_workflow_answers_and_its_run_is_kept(door, place):
    workflow_id = hooked(
        place, ("test.respond", {"status": 201, "body": {"sum": "{{ webhookPayload.body.a }}"}})
    )
    answer = door.post(workflow_id, json={"a": 3}, params={"q": "x"})
    assert (answer.status_code, answer.json()) == (201, {"sum": 3})
    assert answer.headers["content-type"] == "application/json"
    (run,) = runs_of(place)
    assert (run.status, run.steps, run.trigger_kind) == ("done", 2, "trigger.webhook")
    assert used(place, UsageKind.WORKFLOW_EXECUTION) == [run.id]
    assert run.response == {"status": 201, "headers": {}, "body": {"sum": 3}}
    assert run.state["given"]["webhookPayload"]["body"] == {"a": 3}
    assert run.state["given"]["webhookPayload"]["query"] == {"q": "x"}


def test_without_a_respond_step_the_answer_says_how_it_went(door, place):
    fine = hooked(place, ("test.name", {}))
    answer = door.post(fine, json={})
    (run,) = runs_of(place)
    assert (answer.status_code, answer.json()) == (
        200,
        {"execution_id": str(run.id), "status": "done"},
    )
    broken = hooked(place, ("test.broken", {}))
    answer = door.post(broken, json={})
    assert answer.status_code == 500
    assert answer.json()["status"] == "failed"
    assert "mistake" not in answer.text
    rests = hooked(place, ("test.wait", {"seconds": 60}))
    assert door.post(rests, json={}).status_code == 202


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        ({"json": {"a": [1, None]}}, {"a": [1, None]}),
        ({"data": {"a": "1", "b": ["2", "3"]}}, {"a": "1", "b": ["2", "3"]}),
        ({"content": "plain ☃", "headers": {"content-type": "text/plain"}}, "plain ☃"),
        ({"content": b"\xff\xfe", "headers": {"content-type": "image/png"}}, "//4="),
        (
            {
                "data": {"name": "Zoë", "size": ["S", "M"], "note": "a\r\n--b"},
                "files": {"cv": ("cv ☃.pdf", b"%PDF\x00\xff", "application/pdf")},
            },
            {
                "name": "Zoë",
                "size": ["S", "M"],
                "note": "a\r\n--b",
                "cv": {"file_name": "cv ☃.pdf", "content_type": "application/pdf", "size": 6},
            },
        ),
        ({}, None),
    ],
)
def test_bodies_are_read_by_their_kind(door, place, sent, body):
    workflow_id = hooked(place, ECHO)
    assert door.post(workflow_id, **sent).json()["body"] == body


def test_secrets_in_headers_are_nowhere_in_the_run(door, place):
    workflow_id = hooked(place, ECHO)
    secret = {"Authorization": "Bearer s3cret", "X-Shop-Token": "s3cret", "X-Plain": "p"}
    told = door.post(workflow_id, json={}, headers=secret).json()["headers"]
    assert (told["authorization"], told["x-shop-token"], told["x-plain"]) == ("•••", "•••", "p")
    (run,) = runs_of(place)
    assert "s3cret" not in str(run.state) + str(steps(place, run.id))


def test_what_can_not_be_taken_is_said(door, place, rival):
    workflow_id = hooked(place, ECHO)
    assert door.post(new_id(), json={}).status_code == 404
    assert door.post("nonsense", json={}).status_code == 404
    assert door.ask("GET", workflow_id).status_code == 405
    json_head = {"content-type": "application/json"}
    assert door.post(workflow_id, content=b"{", headers=json_head).status_code == 400
    assert door.post(workflow_id, content=b"x" * (1024 * 1024 + 1)).status_code == 413
    upload = {"file": ("a.bin", bytes(1024 * 1024), "application/octet-stream")}
    assert door.post(workflow_id, files=upload).status_code == 413
    assert runs_of(place) == []


PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", PART + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", PART),
        ("multipart/form-data; boundary=x", b"no form"),
        ("multipart/form-data; boundary=x", PART.replace(b"name", b"nome") + b"--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 300, PART),
        ("multipart/form-data; boundary=x", PART * 1_001 + b"--x--\r\n"),
        ("application/x-www-form-urlencoded", b"a=1&" * 1_001),
    ],
    ids=["no boundary", "cut", "no form", "no name", "long boundary", "many parts", "many fields"],
)
def test_a_form_that_can_not_be_read_is_refused(door, place, kind, content):
    workflow_id = hooked(place, ECHO)
    answer = door.post(workflow_id, content=content, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert runs_of(place) == []


def test_a_workflow_that_is_switched_off_is_not_there_at_once(door, place):
    workflow_id = hooked(place, ECHO)
    assert door.post(workflow_id, json={}).status_code == 200
    with place.system_work() as ctx:
        publishing.stop_listening(ctx, workflow_id)
    assert door.post(workflow_id, json={}).status_code == 404


def test_a_secret_must_be_known(door, place):
    with place.work() as ctx:
        secret = vault.create(ctx, "Shop", "open sesame").id
    workflow_id = hooked(place, ECHO, secret=str(secret))
    assert door.post(workflow_id, json={}).status_code == 401
    wrong = {"X-Webhook-Secret": "open says me"}
    assert door.post(workflow_id, json={}, headers=wrong).status_code == 403
    assert runs_of(place) == []
    right = {"X-Webhook-Secret": "open sesame"}
    assert door.post(workflow_id, json={}, headers=right).status_code == 200


def test_a_signature_is_over_the_raw_bytes(door, place):
    with place.work() as ctx:
        secret = vault.create(ctx, "Shop", "open sesame").id
    workflow_id = hooked(place, ECHO, secret=str(secret), proof="hmac")
    body = b'{"a":  "\\u00e9"}'
    signed = "sha256=" + hmac.new(b"open sesame", body, hashlib.sha256).hexdigest()
    head = {"content-type": "application/json", "X-Webhook-Signature": signed}
    assert door.post(workflow_id, content=body, headers=head).status_code == 200
    assert door.post(workflow_id, content=body + b" ", headers=head).status_code == 403
    assert len(runs_of(place)) == 1


def test_only_so_many_a_minute(door, place, rival):
    workflow_id, theirs = hooked(place, ECHO), hooked(rival, ECHO)
    change(place, workflow_id, webhook_rate=3)
    answers = door.together(workflow_id, 5)
    assert sorted(answers) == [200, 200, 200, 429, 429]
    refused = door.post(workflow_id, json={})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(runs_of(place)) == 3
    assert door.post(theirs, json={}).status_code == 200


def test_posts_to_another_process_count_as_well(door, place):
    workflow_id = hooked(place, ECHO)
    change(place, workflow_id, webhook_rate=3)
    assert door.together(workflow_id, 3) == [200, 200, 200]
    door.do(door.app.close())
    another = Door()
    assert another.post(workflow_id, json={}).status_code == 429
    another.close()
    assert len(runs_of(place)) == 3


def test_without_redis_posts_are_counted_all_the_same(place):
    posted = {place.tenant_id: 2}

    async def counted():
        async with Redis.from_url("redis://127.0.0.1:1") as nobody:
            rates = PostingRates(nobody)
            found = [await rates.count(posted, {place.tenant_id: 3}) for _ in range(2)]
            await rates.close()
            return [over.get(place.tenant_id, (0, 0))[0] for over in found]

    assert asyncio.run(counted()) == [0, 1]


def test_one_that_calls_another_answers_while_the_automation_process_looks_too(door, place):
    inner = published(
        place,
        chain(
            ("test.wait", {}), ("test.name", {"value": "{{ input.a }}"}), trigger="trigger.called"
        ),
    )
    nested = published(
        place,
        chain(("test.name", {"value": "{{ input.a }}"}), trigger="trigger.called"),
    )
    workflow_id = hooked(
        place,
        calls(nested, "{{ webhookPayload.body.a }}"),
        ("test.respond", {"body": {"said": "{{ nodes.n1.output }}"}}),
        calls(inner, "{{ nodes.n1.output }}"),
    )
    with automating():
        answers = door.answers(workflow_id, [{"a": n} for n in range(12)])
        until(lambda: set(statuses_of(place)) == {"done"}, what="every run", seconds=20)
    assert [(one.status_code, one.json()) for one in answers] == [
        (200, {"said": n}) for n in range(12)
    ]
    runs = runs_of(place)
    assert Counter(run.trigger_kind for run in runs) == {
        "trigger.webhook": 12,
        "trigger.called": 24,
    }
    for run in runs:
        written = segments_of(place, run.id)
        done = [one["number"] for one in written if one["status"] == "done"]
        assert done == list(range(1, run.steps + 1))


def test_one_that_does_not_wait_is_answered_at_once_and_walked_elsewhere(door, place):
    workflow_id = hooked(place, ("test.name", {"value": "{{ webhookPayload.body.a }}"}))
    change(place, workflow_id, webhook_waits=False)
    answer = door.post(workflow_id, json={"a": 7})
    assert (answer.status_code, answer.json()["status"]) == (202, "ready")
    run = execution_of(place, UUID(answer.json()["execution_id"]))
    assert run.status == "ready"
    with automating():
        until(lambda: statuses_of(place) == ["done"], what="the run")
    assert outputs(place, run.id)[1] == ("n1", "done", 7)


def test_what_follows_the_answer_goes_on_after_it(door, place, monkeypatch):
    goes_on = threading.Event()

    async def waits(_: object) -> str:
        while not goes_on.is_set():
            await asyncio.sleep(0.01)
        return "late"

    monkeypatch.setattr(Ask, "asked", staticmethod(waits))
    workflow_id = hooked(place, ("test.respond", {"body": "early"}), ("test.call", {}))
    answer = door.post(workflow_id, json={})
    assert (answer.status_code, answer.text) == (200, "early")
    (run,) = runs_of(place)
    assert (run.status, run.response["body"]) == ("running", "early")
    goes_on.set()
    until(lambda: statuses_of(place) == ["done"], what="the rest of it")


def test_many_at_once_are_each_kept(door, place):
    workflow_id = hooked(place, ("test.call", {"what": 1}), ECHO)
    assert door.together(workflow_id, 60) == [200] * 60
    assert statuses_of(place) == ["done"] * 60
