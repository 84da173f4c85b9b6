"""A browser tab reduced to its socket: it may say anything, as an attacker's would."""

import json
import time
import uuid
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import ClientConnection, connect

ROOT = "reflex___state____state"
HYDRATE = f"{ROOT}.hydrate_and_load"
MARKER = f"{ROOT}.set_is_hydrated"
PREFIX = "42/_event,"


class Tab:
    """engine.io 4 over a websocket, in the words of Reflex's own client."""

    def __init__(
        self, url: str, path: str, *, cookie: str = "", token: str = "", origin: str = ""
    ) -> None:
        self.path = path
        self.token = token or str(uuid.uuid4())
        self.new_token = ""
        self._markers = 0
        address = (
            f"{url.replace('http', 'ws', 1)}/_event/?EIO=4&transport=websocket&token={self.token}"
        )
        headers = {"Cookie": cookie} if cookie else {}
        self._open = ExitStack()
        opening = connect(
            address,
            additional_headers=headers,
            origin=origin or None,  # type: ignore[arg-type]
            max_size=None,
            compression=None,
            ping_interval=None,
        )
        self._socket: ClientConnection = self._open.enter_context(opening)
        self._socket.recv(10)
        self._socket.send("40/_event,")
        first = str(self._socket.recv(10))
        if first.startswith(PREFIX):  # a new token comes before the acknowledgement
            self.new_token = json.loads(first[len(PREFIX) :])[1]

    def hydrate(self) -> str:
        """Everything that the page is sent when it opens, page-load handlers included."""
        return self.call(HYDRATE)

    def hydrated(self) -> "Tab":
        """As a page that has opened: the tree is its person's from here on."""
        self.hydrate()
        return self

    def call(self, name: str, payload: dict[str, Any] | None = None, *, path: str = "") -> str:
        """Send an event and return all that came back until it had been dealt with."""
        self._send(name, payload or {}, path or self.path)
        return self._until_dealt_with(path or self.path)

    def call_quickly(self, name: str) -> str:
        """Send an event that is answered with a message of its own, and return that."""
        self._send(name, {}, self.path)
        heard = ""
        while '"events":[{' not in heard:
            heard += self._receive(10)
        return heard

    def hear(self, words: str, *, seconds: float = 5.0) -> str:
        """Wait without asking until a message contains `words`; return all that came."""
        heard = ""
        deadline = time.monotonic() + seconds
        while words not in heard:
            heard += self._receive(max(0.01, deadline - time.monotonic()))
        return heard

    def close(self) -> None:
        self._open.close()

    def _send(self, name: str, payload: dict[str, Any], path: str) -> None:
        event = {
            "name": name,
            "payload": payload,
            "router_data": {"pathname": path, "asPath": path, "query": {}},
            "token": self.new_token or self.token,
        }
        self._socket.send(PREFIX + json.dumps(["event", event]))

    def _until_dealt_with(self, path: str) -> str:
        """Events of a tab take turns. Two rounds: a page load queues handlers behind the first."""
        heard = ""
        for _ in range(2):
            self._markers += 1
            value = bool(self._markers % 2)
            self._send(MARKER, {"value": value}, path)
            ours = f'"is_hydrated_rx_state_":{json.dumps(value)}'
            while ours not in heard and "location.reload" not in heard:
                heard += self._receive(10)
            heard += self._drain()
        return heard

    def _drain(self) -> str:
        heard = ""
        while True:
            try:
                heard += self._receive(0.15)
            except TimeoutError:
                return heard

    def _receive(self, seconds: float) -> str:
        message = str(self._socket.recv(seconds))
        if message == "2":
            self._socket.send("3")
            return ""
        if not message.startswith(PREFIX):
            return ""
        said = json.loads(message[len(PREFIX) :])
        if said[0] == "new_token":
            self.new_token = said[1]
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
