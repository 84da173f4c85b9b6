"""Meta's side of the webhook: bodies as it writes them, signed, posted to the product's own route."""

import asyncio
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Coroutine
from typing import Any

import httpx

SECRET = "app-secret"
Node = dict[str, Any]


def raw(payload: object) -> bytes:
    r"""As Meta writes it: everything above U+007F as `\uXXXX`."""
    return json.dumps(payload, ensure_ascii=True, separators=(",", ":")).encode()


def sign(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def wamid() -> str:
    return f"wamid.{secrets.token_hex(16)}"


def phone() -> str:
    return f"4917{secrets.randbelow(10**9):09d}"


def message(sender: str, node: Node | None = None, **more: Any) -> Node:
    """A message as it stands in `messages[]`; plain text unless told otherwise."""
    body = node or {"type": "text", "text": {"body": "Hello"}}
    return {"from": sender, "id": wamid(), "timestamp": str(int(time.time())), **body, **more}


def status(wamid: str, step: str, **more: Any) -> Node:
    return {
        "id": wamid,
        "status": step,
        "timestamp": str(int(time.time())),
        "recipient_id": "1",
        **more,
    }


def change(place: Any, *, field: str = "messages", **parts: Any) -> Node:
    """A change about the number of a place."""
    metadata = {
        "display_phone_number": "1555000" + place.phone_number_id[-4:],
        "phone_number_id": place.phone_number_id,
    }
    value = {"messaging_product": "whatsapp", "metadata": metadata, **parts}
    return {"field": field, "value": value}


def account_change(field: str, value: Node) -> Node:
    return {"field": field, "value": value}


def delivery(place: Any, *changes: Node) -> Node:
    entry = {"id": place.meta_account_id, "time": int(time.time()), "changes": list(changes)}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def contact(sender: str, name: str = "Ada Lovelace", **more: Any) -> Node:
    return {"profile": {"name": name}, "wa_id": sender, **more}


class Meta:
    """Posts to one `Ingest` on an event loop of its own, as a server would run it."""

    def __init__(self) -> None:
        from backend_api.ingest import Ingest

        async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
            raise AssertionError("only the webhook is asked here")

        self.ingest = Ingest(nothing_else)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        self.run(self.ingest.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """Post exactly these bytes; signed unless headers are given."""
        told = {"x-hub-signature-256": sign(body)} if headers is None else headers
        answer = self.run(self._request("POST", content=body, headers=told))
        self.wait_for_wake()
        return answer

    def wait_for_wake(self) -> None:
        """The workers are told a moment after the answer; a test wants to see it done."""
        while self.ingest._wake_is_planned:
            time.sleep(0.001)
        self.ingest._thread.submit(lambda: None).result(5)

    def deliver(self, payload: object) -> None:
        """Post a delivery and see that it is kept."""
        answer = self.post(raw(payload))
        assert (answer.status_code, answer.text) == (200, "ok")

    def together(self, bodies: list[bytes]) -> list[int]:
        """Post all at once; their answers."""

        async def all_at_once() -> list[int]:
            posts = (
                self._request("POST", content=one, headers={"x-hub-signature-256": sign(one)})
                for one in bodies
            )
            return [answer.status_code for answer in await asyncio.gather(*posts)]

        answers: list[int] = self.run(all_at_once())
        self.wait_for_wake()
        return answers

    def shake_hands(self, **query: str) -> httpx.Response:
        asked = {f"hub.{name}": value for name, value in query.items()}
        return self.run(self._request("GET", params=asked))

    async def _request(self, method: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.ingest)
        async with httpx.AsyncClient(transport=transport, base_url="http://webhooks") as client:
            return await client.request(method, "/webhooks/meta", **options)
