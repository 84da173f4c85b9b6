"""`POST /automation/webhooks/{workflow_id}`: a workflow answers another program. Outside of any framework.

The run is walked in this very process, and its answer leaves after its rows are committed.
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
import psycopg
from prometheus_client import Counter
from redis.asyncio import Redis

from aerostic.core import lanes, live
from aerostic.core.settings import settings
from aerostic.domain.automation import posts, scope
from aerostic.domain.automation.attempts import Lost
from aerostic.domain.automation.engine import LANE
from aerostic.domain.automation.models import ExecutionStatus
from aerostic.domain.automation.posts import Gate, Target
from aerostic.domain.automation.runner import Finished, Runner
from aerostic.domain.automation.saver import NO_DATABASE
from backend_api import form_posts

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/automation/webhooks/"
LARGEST_BODY = 1024 * 1024
MOST_FIELDS = 1_000  # of a form or a query
CONNECTIONS = 4
PATIENCE = 60.0  # seconds for an answer; then the run goes on and the caller is told so
LEAVE = 10.0

POSTED = Counter(
    "aerostic_automation_posts_total", "Posts to workflows by their answer", ["answer"]
)

log = logging.getLogger(__name__)


@cache
def _counted(status: int) -> Counter:
    return POSTED.labels(str(status))


class Refusal(Exception):
    """The post is answered with a problem (RFC 9457)."""

    def __init__(self, status: int, code: str, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


class Gone(Exception):
    """The caller hung up before the body was complete."""


NOT_FOUND = Refusal(404, "not_found", "There is no workflow at this address.")
NOT_ALLOWED = Refusal(405, "method_not_allowed", "Only POST.", allow="POST")
TOO_LARGE = Refusal(413, "too_large", "A post has at most 1 MB.")
NO_PROOF = Refusal(401, "proof_needed", "This address wants a proof, and there is none.")
WRONG_PROOF = Refusal(403, "wrong_proof", "The proof does not fit.")
TRY_AGAIN = Refusal(503, "unavailable", "Not taken. Please send it again.", **{"retry-after": "1"})
NO_JSON = Refusal(400, "bad_request", "The body is no JSON, although it says so.")
NO_FORM = Refusal(400, "bad_request", "The form can not be read, or has more than 1,000 fields.")


class AutomationWebhooks:
    """Answers posts to workflows and passes everything else on to `app`. Starts when first needed."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._gate: Gate | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PATH):
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.app(scope, self._closing(receive), send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, headers, body = await self._take(scope, receive)
        except Refusal as refusal:
            status, headers, body = _problem(refusal)
        except Gone:
            return
        _counted(status).inc()
        told = [(b"content-length", b"%d" % len(body)), *headers]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body})

    async def _take(
        self, scope: Scope, receive: Receive
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        workflow_id = _workflow_id(scope)
        if scope["method"] != "POST":
            raise NOT_ALLOWED
        headers = _headers(scope)
        body = await _read(receive, headers)
        target, gate = await self._enter(workflow_id)
        proven = target.is_proven(headers, body)
        if not proven:
            raise NO_PROOF if proven is None else WRONG_PROOF
        payload = _payload(scope, headers, body)
        if target.waits:
            return await _walk(gate, target, payload)
        return await _queue(gate, target, payload)

    async def _enter(self, workflow_id: UUID) -> tuple[Target, Gate]:
        gate = await self._opened()
        try:
            entered = await gate.enter(workflow_id)
        except (psycopg.Error, *NO_DATABASE) as error:
            log.warning("a post was not taken: %s", error)
            raise TRY_AGAIN from error
        if entered.target is None:
            raise NOT_FOUND
        if entered.retry_after:
            detail = f"More than {entered.target.rate} posts in a minute. Please slow down."
            later = {"retry-after": str(entered.retry_after)}
            raise Refusal(429, "too_many", detail, **later)
        return entered.target, gate

    async def _opened(self) -> Gate:
        loop = asyncio.get_running_loop()
        if self._gate is None or self._loop is not loop:
            self._loop = loop
            pool = lanes.lane_pool(CONNECTIONS, name="posts")
            redis = Redis.from_url(settings().redis_url, socket_timeout=1, socket_connect_timeout=1)
            self._gate = Gate(pool, redis, Runner(pool))
            await pool.open(wait=False)
        return self._gate

    def _closing(self, receive: Receive) -> Receive:
        """The server's life, with our own end before the application's."""

        async def received() -> MutableMapping[str, Any]:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
            return message

        return received

    async def close(self) -> None:
        """Let what is walked come to its end for a while. A later post starts anew."""
        gate, self._gate = self._gate, None
        if gate is not None:
            await gate.runner.close(LEAVE)
            await gate.close()
            await gate.redis.aclose()
            await gate.pool.close()


# Walking ------------------------------------------------------------------------------------------

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


async def _walk(gate: Gate, target: Target, payload: Mapping[str, Any]) -> Answer:
    run = target.run(payload, status=ExecutionStatus.RUNNING)
    try:
        finished = await gate.runner.answer(run, PATIENCE)
    except Lost as lost:
        raise TRY_AGAIN from lost
    return _answer_of(run.id, finished)


async def _queue(gate: Gate, target: Target, payload: Mapping[str, Any]) -> Answer:
    """Written down; the automation process walks it."""
    run = target.run(payload, status=ExecutionStatus.READY)
    try:
        await posts.keep(gate.runner, run)
    except Lost as lost:
        raise TRY_AGAIN from lost
    work = [(LANE, f"run:{run.tenant_id}:{run.id}")]
    asyncio.get_running_loop().run_in_executor(None, live.wake, work)
    return _summary(202, run.id, ExecutionStatus.READY)


def _answer_of(execution_id: UUID, finished: Finished) -> Answer:
    response = finished.response
    if response is None:
        return _summary(_STATUS.get(finished.status, 202), execution_id, finished.status)
    given = {str(name).lower(): str(value) for name, value in response["headers"].items()}
    body, kind = _written(response["body"])
    if body or "content-type" in given:
        given.setdefault("content-type", kind)
    headers = [(name.encode("latin-1", "replace"), _line(value)) for name, value in given.items()]
    return int(response["status"]), headers, body


# Whoever asked is told that it went wrong, not why: the reason is the workspace's.
_STATUS = {"done": 200, "failed": 500, "stopped": 500, "cancelled": 500, "unknown": 500}


def _summary(status: int, execution_id: UUID, stands: str) -> Answer:
    body = orjson.dumps({"execution_id": str(execution_id), "status": str(stands)})
    return status, [(b"content-type", b"application/json")], body


def _written(value: Any) -> tuple[bytes, str]:
    if value is None:
        return b"", ""
    if isinstance(value, str):
        return value.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS), "application/json"


def _line(value: str) -> bytes:
    return value.replace("\r", "").replace("\n", "").encode("latin-1", "replace")


def _problem(refusal: Refusal) -> Answer:
    body = orjson.dumps(
        {
            "type": "about:blank",
            "title": HTTPStatus(refusal.status).phrase,
            "status": refusal.status,
            "detail": refusal.detail,
            "code": refusal.code,
            "errors": [],
            "request_id": "",
        }
    )
    headers = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    return refusal.status, [(b"content-type", b"application/problem+json"), *headers], body


# Reading ------------------------------------------------------------------------------------------


def _workflow_id(scope: Scope) -> UUID:
    try:
        return UUID(scope["path"][len(PATH) :])
    except ValueError:
        raise NOT_FOUND from None


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def _read(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The whole body. Raises Refusal as soon as it is too large, Gone when the rest never comes."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise TOO_LARGE
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise TOO_LARGE
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _payload(scope_: Scope, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """`webhookPayload`, as templates see it."""
    query = scope_["query_string"].decode("latin-1")
    return {
        "body": _body(headers.get("content-type", ""), body),
        "query": _pairs(query) if query else {},
        "headers": scope.headers(headers),
    }


def _body(content_type: str, body: bytes) -> Any:
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return None
    if kind == "application/x-www-form-urlencoded":
        return _pairs(body.decode("utf-8", "replace"))
    if kind == "multipart/form-data":
        return _form(content_type, body)
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise NO_JSON from None
    return _raw(body)


def _raw(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()


def _form(content_type: str, body: bytes) -> dict[str, Any]:
    try:
        return _gathered(form_posts.pairs(content_type, body))
    except form_posts.NoForm:
        raise NO_FORM from None


def _pairs(text: str) -> dict[str, Any]:
    try:
        return _gathered(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise NO_FORM from None


def _gathered(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands there once has its value, one that stands there often a list."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
