"""Open pages without a browser: sockets that speak Reflex's words and listen, as ninety-nine people would."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

ROOT = "reflex___state____state"
HYDRATE = f"{ROOT}.hydrate_and_load"
PREFIX = "42/_event,"

Heard = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Person:
    """Who has which page open. `cookie` is their session."""

    cookie: str
    path: str


async def open_tab(url: str, person: Person, heard: Heard) -> ClientConnection:
    """Open a page over its socket and keep listening: every message from the server goes to `heard`."""
    token = str(uuid.uuid4())
    address = f"{url.replace('http', 'ws', 1)}/_event/?EIO=4&transport=websocket&token={token}"
    socket = await connect(
        address,
        additional_headers={"Cookie": person.cookie},
        max_size=None,
        compression=None,
        ping_interval=None,
    )
    await socket.recv()
    await socket.send("40/_event,")
    await socket.recv()
    hydrate = {
        "name": HYDRATE,
        "payload": {},
        "router_data": {"pathname": person.path, "asPath": person.path, "query": {}},
        "token": token,
    }
    loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    listening = asyncio.create_task(_listen(socket, heard, loaded))
    _LISTENING.add(listening)
    listening.add_done_callback(_LISTENING.discard)
    await socket.send(PREFIX + json.dumps(["event", hydrate]))
    await asyncio.wait_for(loaded, 60)
    return socket


_LISTENING: set[asyncio.Task[None]] = set()


async def _listen(socket: ClientConnection, heard: Heard, loaded: asyncio.Future[None]) -> None:
    try:
        async for message in socket:
            said = str(message)
            if said == "2":  # engine.io asks whether we are there
                await socket.send("3")
                continue
            heard(said)
            if not loaded.done() and '"is_loading_rx_state_":false' in said:
                loaded.set_result(None)
    except ConnectionClosed:
        return


async def one_after_the_other(
    openings: Sequence[Awaitable[ClientConnection]],
) -> list[ClientConnection]:
    """People come in turn: a hundred at once is another benchmark."""
    return [await opening for opening in openings]
