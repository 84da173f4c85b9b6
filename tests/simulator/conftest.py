"""The simulator on a loopback port, with a product made of a list beside it. No database server is needed."""

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from aerostic.simulator.app import create_app
from aerostic.simulator.config import SimulatorConfig

SECRET = "secret-of-the-tests"
NUMBER, OTHER_NUMBER = "100000000000001", "100000000000002"
ACCOUNT, OTHER_ACCOUNT = "200000000000001", "200000000000002"
TOKEN, OTHER_TOKEN = "EAAsim-demo", "EAAsim-rival"
AMARA, LENA = 1, 6
AMARA_PHONE = "2348035550142"


def until(look: Callable[[], Any], seconds: float = 10) -> Any:
    """What `look` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)
    return seen


@dataclass
class Receiver:
    """Stands where the product stands: keeps each raw body and answers as told."""

    url: str = ""
    answer: int = 200
    deliveries: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    refused: int = 0

    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for raw, _ in list(self.deliveries)]

    def values(self, name: str = "messages") -> list[dict[str, Any]]:
        return [
            change["value"]
            for payload in self.payloads()
            for entry in payload["entry"]
            for change in entry["changes"]
            if change["field"] == name
        ]

    def messages(self) -> list[dict[str, Any]]:
        return [message for value in self.values() for message in value.get("messages", [])]

    def statuses(self, message_id: str | None = None) -> list[dict[str, Any]]:
        found = [status for value in self.values() for status in value.get("statuses", [])]
        return [status for status in found if message_id in (None, status["id"])]

    def status_names(self, message_id: str) -> list[str]:
        return [status["status"] for status in self.statuses(message_id)]


class _Receiving(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        if self.receiver.answer == 200:
            self.receiver.deliveries.append((raw, {k.lower(): v for k, v in self.headers.items()}))
        else:
            self.receiver.refused += 1
        self.send_response(self.receiver.answer)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Receiving", (_Receiving,), {"receiver": receiver})
    )
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/meta"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()


@dataclass
class Running:
    """A simulator that runs, and the ways to speak with it."""

    config: SimulatorConfig
    base: str
    stop: Callable[[], None]
    http: httpx.Client

    def graph(
        self, method: str, path: str, *, token: str = TOKEN, version: str = "v25.0", **more: Any
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        url = f"{self.base}/simulator/graph/{version}/{path}"
        return self.http.request(method, url, headers=headers, **more)

    def control(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(method, f"{self.base}/simulator/control/{path}", **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def send(
        self, body: dict[str, Any], *, to: str | None = AMARA_PHONE, **more: Any
    ) -> httpx.Response:
        addressed = {"to": to} if to else {}
        whole = {"messaging_product": "whatsapp", **addressed, **body}
        return self.graph("POST", f"{NUMBER}/messages", json=whole, **more)

    def send_text(self, text: str = "Hello", **more: Any) -> str:
        answer = self.send({"type": "text", "text": {"body": text}}, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["messages"][0]["id"])

    def say(
        self, wanted: dict[str, Any], person: int = AMARA, number: str = NUMBER
    ) -> dict[str, Any]:
        path = f"people/{person}/chats/{number}/messages"
        said: dict[str, Any] = self.control("POST", path, json=wanted)
        return said

    def trouble(self, **switches: Any) -> None:
        self.control("POST", "trouble", json=switches)

    def error(self, answer: httpx.Response, status: int = 400) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        error: dict[str, Any] = answer.json()["error"]
        assert error["fbtrace_id"]
        return error


def start(data_dir: Path, webhook_url: str, **settings: Any) -> Running:
    """Run the application in a thread until `stop` is called."""
    quick: dict[str, Any] = {
        "sent_after_seconds": 0.01,
        "delivered_after_seconds": 0.03,
        "read_after_seconds": 0.02,
        "retry_first_seconds": 0.05,
        "retry_longest_seconds": 0.2,
    }
    config = SimulatorConfig(
        data_dir=data_dir,
        app_id="4711",
        app_secret=SECRET,
        verify_token="verify",
        webhook_url=webhook_url,
        **(quick | settings),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(config), log_level="critical", timeout_graceful_shutdown=1, lifespan="on"
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    client = httpx.Client(timeout=20)

    def stop() -> None:
        client.close()
        server.should_exit = True
        thread.join(10)
        listening.close()

    return Running(config, f"http://127.0.0.1:{port}", stop, client)


@pytest.fixture
def simulator(tmp_path: Path, receiver: Receiver) -> Iterator[Running]:
    running = start(tmp_path / "simulator", receiver.url)
    yield running
    running.stop()


def signature(raw: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
