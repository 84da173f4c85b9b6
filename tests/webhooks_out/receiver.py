"""Another company's program: it takes what it is told, checks the signature, and answers as the test says."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """`answers` are given in turn, then 204."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    pause: threading.Event = field(default_factory=threading.Event)

    def will_answer(self, *statuses: int, body: bytes = b"", **headers: str) -> None:
        self.answers += [(status, headers, body) for status in statuses]

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in list(self.posts)]

    def events(self) -> list[str]:
        return [one["type"] for one in self.told()]


class _Receiving(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.receiver.pause.wait(20)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.posts.append((headers, body))
        answers = self.receiver.answers
        status, more, said = answers.pop(0) if answers else (204, {}, b"")
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.pause.set()
    handler = type("Receiving", (_Receiving,), {"receiver": receiver})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield receiver
    receiver.pause.set()
    server.shutdown()
    server.server_close()
