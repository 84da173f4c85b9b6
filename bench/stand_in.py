"""Meta's side of sending, over real HTTP: takes messages, files and reads, and can be told to misbehave.

For tests in a thread of its own (`with StandIn() as meta`); for benches as a process
(`python -m bench.stand_in --port 8099 --latency 0.05`), which tells at `/figures` what it saw.
"""

import argparse
import asyncio
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
import uvloop
from aiohttp import web

Node = dict[str, Any]


@dataclass(frozen=True)
class Take:
    """Agree, after a while; `message_status` as Meta may give it, `meta_message_id` any if none is given."""

    seconds: float = 0.0
    message_status: str = "accepted"
    meta_message_id: str = ""


@dataclass(frozen=True)
class Refuse:
    """Meta's error envelope."""

    code: int
    status: int = 400
    subcode: int | None = None
    details: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Drop:
    """Read the request, then close the connection without an answer."""


@dataclass(frozen=True)
class Raw:
    """Any answer."""

    status: int
    body: str


Answer = Take | Refuse | Drop | Raw


@dataclass(frozen=True)
class Seen:
    """A request that arrived: when, at which number, under which token, with what."""

    at: float
    number: str
    token: str
    path: str
    body: Node


class StandIn:
    """Remembers everything that it saw. `decide` chooses the answer to each message."""

    def __init__(self, *, latency: float = 0.0, remembers: bool = True) -> None:
        self.latency, self.remembers = latency, remembers
        self.port = 0
        self.messages: list[Seen] = []
        self.reads: list[Seen] = []
        self.files: list[tuple[str, str, bytes]] = []  # id, type, content
        self.times: list[float] = []
        self.numbers: list[str] = []
        self.decide: Callable[[Node], Answer] = lambda _: Take(self.latency)
        self.decide_file: Callable[[], Answer] = Take
        self._loop = uvloop.new_event_loop()
        self._thread: threading.Thread | None = None

    # Running

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._wait_for(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._wait_for(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join()
        self._loop.close()

    def _wait_for(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self, port: int = 0) -> None:
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=4096)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def application(self) -> web.Application:
        application = web.Application(client_max_size=200_000_000)
        application.router.add_post("/{version}/{number}/media", self._take_file)
        for path in ("messages", "marketing_messages"):
            application.router.add_post(f"/{{version}}/{{number}}/{path}", self._take_message)
        application.router.add_get("/{version}/{account}/phone_numbers", self._list_numbers)
        application.router.add_get("/figures", self._tell_figures)
        return application

    # Answering

    async def _take_message(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        body = orjson.loads(await request.read())
        if self.remembers:
            seen = _seen(request, body, at)
            (self.reads if body.get("status") == "read" else self.messages).append(seen)
        else:
            self.times.append(at)
        if body.get("status") == "read":
            return _json({"success": True})
        return await self._answer(request, self.decide(body), lambda told: _taken(body, told))

    async def _take_file(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        made = f"m{secrets.randbelow(10**15)}"
        self.files.append((made, file.content_type, file.file.read()))
        return await self._answer(request, self.decide_file(), lambda _: {"id": made})

    async def _answer(
        self, request: web.Request, answer: Answer, told: Callable[[Take], Node]
    ) -> web.StreamResponse:
        match answer:
            case Drop():
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case Raw(status, text):
                return web.Response(status=status, text=text)
            case Refuse():
                return _refusal(answer)
            case Take(seconds):
                if seconds:
                    await asyncio.sleep(seconds)
                return _json(told(answer))

    async def _list_numbers(self, _request: web.Request) -> web.StreamResponse:
        rows = [{"id": one, "display_phone_number": "+1 555 0100"} for one in self.numbers]
        return _json({"data": rows})

    async def _tell_figures(self, _request: web.Request) -> web.StreamResponse:
        return _json({"times": self.times})


def _seen(request: web.Request, body: Node, at: float) -> Seen:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    path = request.path.rpartition("/")[2]
    return Seen(at, request.match_info["number"], token, path, body)


def _taken(body: Node, answer: Take) -> Node:
    made = answer.meta_message_id or f"wamid.{secrets.token_hex(16)}"
    message = {"id": made, "message_status": answer.message_status}
    if answer.message_status == "accepted":
        del message["message_status"]
    contact = {"input": body.get("to", ""), "wa_id": body.get("to", "")}
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}


def _refusal(answer: Refuse) -> web.Response:
    error: Node = {
        "message": f"(#{answer.code}) Refused",
        "type": "OAuthException",
        "code": answer.code,
        "error_data": {"messaging_product": "whatsapp", "details": answer.details},
        "fbtrace_id": "A",
    }
    if answer.subcode is not None:
        error["error_subcode"] = answer.subcode
    return _json({"error": error}, status=answer.status, headers=answer.headers)


def _json(node: Node, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(node), status=status, content_type="application/json", headers=headers
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--port", type=int, default=0)
    asked.add_argument("--latency", type=float, default=0.05)
    options = asked.parse_args()

    async def serve() -> None:
        stand_in = StandIn(latency=options.latency, remembers=False)
        await stand_in._open(options.port)
        print(stand_in.port, flush=True)
        forever: Awaitable[None] = asyncio.Event().wait()  # type: ignore[assignment]
        await forever

    uvloop.run(serve())


if __name__ == "__main__":
    main()
