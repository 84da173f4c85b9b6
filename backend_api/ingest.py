"""`/webhooks/meta`, outermost and without a framework: a 200 means that the bytes are committed.

Measured: routing and dependency injection cost more than verifying, keeping and answering together.
"""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

from prometheus_client import Counter, Histogram

from aerostic.core import queue
from aerostic.core.settings import settings
from aerostic.domain.deliveries.alarms import WrongSignatures
from aerostic.domain.deliveries.intake import Intake, NotKept

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/webhooks/meta"
LARGEST_BODY = 3 * 1024 * 1024  # Meta's own limit
WAKE_EVERY = 0.02  # seconds
ENOUGH_WAITING = 4  # jobs: one that has not begun yet will see what was just committed

DRAIN = queue.Job("workers.jobs.deliveries.drain", queue=queue.QueueName.DELIVERIES)

log = logging.getLogger(__name__)

POSTED = Counter("aerostic_webhook_posts_total", "Deliveries of Meta's by their answer", ["answer"])
BATCHES = Histogram(
    "aerostic_webhook_batch_size",
    "Deliveries that were committed together",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
WRITTEN_IN = Histogram(
    "aerostic_webhook_commit_seconds",
    "Time to commit a batch of deliveries",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


class TooLarge(Exception):
    """More bytes than Meta ever sends."""


class Gone(Exception):
    """The caller hung up before the body was complete."""


class Answer:
    """A response that never changes, made once."""

    def __init__(self, status: int, text: str) -> None:
        body = text.encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
        ]
        self._start = {"type": "http.response.start", "status": status, "headers": headers}
        self._body = {"type": "http.response.body", "body": body}
        self._counted = POSTED.labels(str(status))

    async def __call__(self, send: Send) -> None:
        self._counted.inc()
        await send(self._start)
        await send(self._body)


OK = Answer(200, "ok")
UNSIGNED = Answer(401, "X-Hub-Signature-256 is missing.")
FORGED = Answer(403, "X-Hub-Signature-256 does not fit the body.")
NOT_THE_TOKEN = Answer(403, "hub.verify_token is not ours.")
NOT_ALLOWED = Answer(405, "Only GET and POST.")
TOO_LARGE = Answer(413, "A delivery has at most 3 MB.")
TRY_AGAIN = Answer(503, "Not kept. Please send it again.")


class Ingest:
    """Answers Meta itself and passes everything else on to `app`. Starts its flusher when first needed."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._intake = Intake(on_kept=self._kept)
        self._alarms = WrongSignatures()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="wake")
        self._secrets: tuple[bytes, ...] = ()
        self._next_wake = 0.0
        self._wake_is_planned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            if scope["method"] == "POST":
                await self._post(scope, receive, send)
            elif scope["method"] in {"GET", "HEAD"}:
                await _handshake(scope, send)
            else:
                await NOT_ALLOWED(send)
        elif scope["type"] == "lifespan":
            await self.app(scope, self._closing(receive), send)
        else:
            await self.app(scope, receive, send)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        signature, length = _headers(scope)
        if length > LARGEST_BODY:
            return await TOO_LARGE(send)
        if not signature:
            await self._alarms.note("missing_signature", _address(scope))
            return await UNSIGNED(send)
        try:
            body = await _read(receive)
        except TooLarge:
            return await TOO_LARGE(send)
        except Gone:
            return None
        if not self._is_signed(signature, body):
            await self._alarms.note("wrong_signature", _address(scope))
            return await FORGED(send)
        try:
            await self._intake.keep(body)
        except NotKept:
            return await TRY_AGAIN(send)
        return await OK(send)

    def _is_signed(self, signature: bytes, body: bytes) -> bool:
        """Whether one of our apps signed these bytes. Every secret is tried, in constant time."""
        if not self._secrets:
            configured = settings().meta_app_secret
            self._secrets = tuple(one.get_secret_value().encode() for one in configured)
        found = False
        for secret in self._secrets:
            expected = b"sha256=" + hmac.digest(secret, body, "sha256").hex().encode()
            found |= hmac.compare_digest(signature, expected)
        return found

    # Waking the workers: at once, then at most every WAKE_EVERY seconds, and never waiting for Redis.

    def _kept(self, count: int, seconds: float) -> None:
        BATCHES.observe(count)
        WRITTEN_IN.observe(seconds)
        if self._wake_is_planned:
            return
        loop = asyncio.get_running_loop()
        self._wake_is_planned = True
        loop.call_at(max(loop.time(), self._next_wake), self._wake_now, loop)

    def _wake_now(self, loop: asyncio.AbstractEventLoop) -> None:
        self._wake_is_planned = False
        self._next_wake = loop.time() + WAKE_EVERY
        self._thread.submit(_wake_workers)

    def _closing(self, receive: Receive) -> Receive:
        """The server's life, with our own end before the application's."""

        async def received() -> MutableMapping[str, Any]:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
            return message

        return received

    async def close(self) -> None:
        """Commit what waits and let the connections go. A later delivery starts anew."""
        await self._intake.close()
        await self._alarms.close()


def _wake_workers() -> None:
    queue.start_unless_waiting(DRAIN, ENOUGH_WAITING)


def _headers(scope: Scope) -> tuple[bytes, int]:
    signature, length = b"", 0
    for name, value in scope["headers"]:
        if name == b"x-hub-signature-256":
            signature = value
        elif name == b"content-length":
            length = int(value) if value.isdigit() else 0
    return signature, length


async def _read(receive: Receive) -> bytes:
    """The whole body. Raises TooLarge as soon as it is, Gone when the rest never comes."""
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        body: bytes = message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise TooLarge
        return body
    return await _read_in_parts(message, receive)


async def _read_in_parts(message: MutableMapping[str, Any], receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise TooLarge
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


async def _handshake(scope: Scope, send: Send) -> None:
    """Meta asks once, when the address is entered: answer its challenge if it knows our token."""
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    token = asked.get("hub.verify_token", [""])[0]
    ours = settings().meta_verify_token.get_secret_value()
    is_ours = bool(ours) and hmac.compare_digest(token.encode(), ours.encode())
    if asked.get("hub.mode") != ["subscribe"] or not is_ours:
        return await NOT_THE_TOKEN(send)
    return await Answer(200, asked.get("hub.challenge", [""])[0])(send)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
