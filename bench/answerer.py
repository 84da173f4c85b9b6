"""A server that gives the same answer at once, so that what calls it is measured and not the server.

`python -m bench.answerer PORT`
"""

import asyncio
import re
import sys
from typing import cast

import uvloop

ANSWER = b'{"messages":[{"id":"wamid.1"}],"status":"shipped"}'
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\nconnection: keep-alive\r\n\r\n%s" % (len(ANSWER), ANSWER)
)


class Answerer(asyncio.Protocol):
    """Reads a request to its end, answers, and waits for the next."""

    def __init__(self) -> None:
        self._read = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (size := self._whole()) is not None and self._transport is not None:
            self._read = self._read[size:]
            self._transport.write(_RESPONSE)

    def _whole(self) -> int | None:
        """How long the first request is, once all of it is here."""
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            return None
        told = _LENGTH.search(self._read, 0, end)
        size = end + 4 + (int(told[1]) if told else 0)
        return size if len(self._read) >= size else None


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answerer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
