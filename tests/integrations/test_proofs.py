"""Which app a token belongs to is found out, once, and each request proves that app's secret."""

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from aerostic.core.errors import Refused as RefusedByMeta
from aerostic.core.settings import settings
from aerostic.integrations.meta.client import Accepted, Access, GraphClient, SendResult
from aerostic.integrations.meta.management import Management
from aerostic.integrations.meta.media import MediaClient

TOKEN = "token-of-the-second-app"
TAKEN = {"messages": [{"id": "wamid.1"}], "id": "200", "name": "Bluebird"}
REFUSAL = {
    "error": {
        "message": "Invalid appsecret_proof provided in the API argument",
        "type": "GraphMethodException",
        "code": 100,
    }
}


def proof_with(secret: str) -> str:
    return hmac.new(secret.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()


class Graph(ThreadingHTTPServer):
    """Meta, of whom the token belongs to one app. `asked` are the proofs, "" for none."""

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.secret, self.asked = secret, []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Door(BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proof = parse_qs(urlsplit(self.path).query).get("appsecret_proof", [""])[0]
        self.server.asked.append(proof)
        is_right = proof in ("", proof_with(self.server.secret))
        body = json.dumps(TAKEN if is_right else REFUSAL).encode()
        self.send_response(200 if is_right else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def configured(monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("AEROSTIC_META_APP_SECRET", "first,second")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def graph(monkeypatch, configured, request) -> Iterator[Graph]:
    with Graph(getattr(request, "param", "second")) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("AEROSTIC_META_GRAPH_URL", server.url)
        settings.cache_clear()
        yield server
        server.shutdown()


def send(url: str, times: int) -> list[SendResult]:
    async def run() -> list[SendResult]:
        async with GraphClient(graph_url=url) as client:
            access = Access("100", TOKEN, "v25.0")
            return [await client.send(access, {"type": "text"}) for _ in range(times)]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()


def test_the_secret_of_the_tokens_app_is_found_and_remembered(graph):
    assert send(graph.url, 2) == [Accepted("wamid.1")] * 2
    assert graph.asked == [proof_with("first"), proof_with("second"), proof_with("second")]


@pytest.mark.parametrize("graph", ["of an app that is not configured"], indirect=True)
def test_a_token_of_another_app_is_used_without_a_proof(graph):
    assert send(graph.url, 2) == [Accepted("wamid.1")] * 2
    assert graph.asked == [proof_with("first"), proof_with("second"), "", ""]


def test_management_proves_it_too(graph):
    with Management(TOKEN) as meta:
        assert meta.account("200")["name"] == "Bluebird"
        assert meta.account("200")["name"] == "Bluebird"
    assert graph.asked == [proof_with("first"), proof_with("second"), proof_with("second")]


def test_fetching_a_file_proves_it_too(graph):
    with MediaClient(TOKEN) as meta:
        meta.find("300", phone_number_id="100")
        meta.find("300")
    assert graph.asked == [proof_with("first"), proof_with("second"), proof_with("second")]


def test_another_refusal_is_told_as_it_is(graph, monkeypatch):
    monkeypatch.setitem(REFUSAL["error"], "message", "Unsupported get request")
    with Management(TOKEN) as meta, pytest.raises(RefusedByMeta, match="knows no such id"):
        meta.account("200")
    assert graph.asked == [proof_with("first")]
