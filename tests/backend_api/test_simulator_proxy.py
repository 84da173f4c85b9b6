"""The way to the simulator: its paths only, loopback only, whole and as it comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from backend_api import simulator_proxy
from backend_api.simulator_proxy import SimulatorProxy

Sent = list[dict[str, Any]]
SEEN = web.AppKey("seen", asyncio.Event)


async def _ours(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _echo(request: web.Request) -> web.Response:
    body = await request.read()
    told = f"{request.method} {request.path_qs} {request.headers.get('cookie', '-')} ".encode()
    return web.Response(status=418, body=told + body, headers={"X-Told": "yes"})


async def _events(request: web.Request) -> web.StreamResponse:
    """One event at once; the second only when the first was seen on the other side."""
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    await answer.write(b"data: first\n\n")
    await request.app[SEEN].wait()
    await answer.write(b"data: second\n\n")
    return answer


@asynccontextmanager
async def _simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    app = web.Application()
    app[SEEN] = asyncio.Event()
    app.router.add_get("/simulator/control/events", _events)
    app.router.add_route("*", "/{_:.*}", _echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    _point_at(monkeypatch, f"http://127.0.0.1:{port}")
    try:
        yield app[SEEN]
    finally:
        await runner.cleanup()


def _point_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(simulator_proxy, "settings", lambda: SimpleNamespace(simulator_url=url))


async def _request(
    proxy: SimulatorProxy,
    path: str,
    *,
    seen: asyncio.Event | None = None,
    method: str = "",
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Sent:
    scope = {
        "type": "http",
        "method": method or ("POST" if "graph" in path else "GET"),
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"a=1",
        "headers": [
            *([(b"content-length", b"5"), (b"cookie", b"secret=1")] if "graph" in path else []),
            *headers,
        ],
    }
    sent: Sent = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"hello"}

    async def send(message: Any) -> None:
        sent.append(message)
        if seen and b"first" in message.get("body", b""):
            seen.set()

    await proxy(scope, receive, send)
    if proxy._client:
        await proxy._client.close()
    return sent


def _body(sent: Sent) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def test_a_request_goes_there_and_back_without_our_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> Sent:
        async with _simulator(monkeypatch):
            return await _request(SimulatorProxy(_ours), "/simulator/graph/v25.0/me")

    sent = asyncio.run(run())
    assert sent[0]["status"] == 418
    assert (b"X-Told", b"yes") in sent[0]["headers"]
    assert _body(sent) == b"POST /simulator/graph/v25.0/me?a=1 - hello"


@pytest.mark.parametrize(
    "headers",
    [
        ((b"origin", b"https://evil.example"), (b"host", b"localhost:3000")),
        ((b"sec-fetch-site", b"cross-site"),),
    ],
)
def test_another_sites_page_changes_nothing_there(
    monkeypatch: pytest.MonkeyPatch, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    async def run(method: str) -> Sent:
        path = "/simulator/graph/v25.0/me"
        async with _simulator(monkeypatch):
            return await _request(SimulatorProxy(_ours), path, method=method, headers=headers)

    for method, status in (("POST", 403), ("DELETE", 403), ("GET", 418)):
        assert asyncio.run(run(method))[0]["status"] == status


def test_events_arrive_as_they_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> Sent:
        async with _simulator(monkeypatch) as seen:
            path = "/simulator/control/events"
            return await asyncio.wait_for(_request(SimulatorProxy(_ours), path, seen=seen), 10)

    assert _body(asyncio.run(run())) == b"data: first\n\ndata: second\n\n"


@pytest.mark.parametrize("path", ["/simulator", "/simulator/other", "/api/v1/me"])
def test_other_paths_stay_here(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    _point_at(monkeypatch, "http://127.0.0.1:1")
    assert asyncio.run(_request(SimulatorProxy(_ours), path))[0]["status"] == 204


@pytest.mark.parametrize("url", ["", "http://169.254.169.254", "http://simulator.test:80"])
def test_only_a_simulator_of_this_machine_is_reached(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    _point_at(monkeypatch, url)
    sent = asyncio.run(_request(SimulatorProxy(_ours), "/simulator/graph/v25.0/me"))
    assert sent[0]["status"] == 204


def test_a_simulator_that_is_down_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    _point_at(monkeypatch, "http://127.0.0.1:1")
    sent = asyncio.run(_request(SimulatorProxy(_ours), "/simulator/graph/v25.0/me"))
    assert sent[0]["status"] == 502
    assert b"Is it running?" in _body(sent)
