"""Passes what belongs to the simulator's own process on to it, from under `/simulator/`."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from aerostic.core.settings import settings
from backend_api.security import SAFE_METHODS, is_of_another_site

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIXES = ("/simulator/graph/", "/simulator/control/", "/simulator/google/")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Of the connection, not of the message (RFC 9110 section 7.6.1), and the name that we are called by.
NOT_PASSED_ON = {
    b"host",
    b"connection",
    b"keep-alive",
    b"transfer-encoding",
    b"upgrade",
    b"te",
    b"trailer",
    b"proxy-authorization",
    b"proxy-connection",
    b"cookie",
}


class SimulatorProxy:
    """Streams both ways, events included. Does nothing where no simulator is set or it is not on loopback."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._client: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = scope["type"] == "http" and scope["path"].startswith(PREFIXES)
        if not (wanted and _simulator()):
            await self.app(scope, receive, send)
            return
        if scope["method"] not in SAFE_METHODS and is_of_another_site(scope):
            await _say(send, 403, b"This request came from another site's page.")
            return
        try:
            await self._pass_on(scope, receive, send)
        except aiohttp.ClientConnectionError:
            await _say(send, 502, b"The simulator does not answer. Is it running?")

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._session().request(
            scope["method"],
            _simulator() + _target(scope),
            headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in scope["headers"]
                if name not in NOT_PASSED_ON
            ],
            data=_body(receive) if _has_body(scope) else None,
            allow_redirects=False,
        ) as answer:
            await _answer(answer, send)

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            forever = aiohttp.ClientTimeout(total=None, sock_connect=5)
            self._client = aiohttp.ClientSession(timeout=forever, auto_decompress=False)
        return self._client


def _simulator() -> str:
    url = settings().simulator_url
    return url if urlsplit(url).hostname in LOOPBACK else ""


def _target(scope: Scope) -> str:
    raw = scope.get("raw_path") or scope["path"].encode()
    path = str(raw.decode("latin-1")).partition("?")[0]
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        part = await receive()
        yield part.get("body", b"")
        more = part.get("more_body", False)


async def _answer(answer: aiohttp.ClientResponse, send: Send) -> None:
    headers = [pair for pair in answer.raw_headers if pair[0].lower() not in NOT_PASSED_ON]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for part in answer.content.iter_any():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _say(send: Send, status: int, sentence: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence})
