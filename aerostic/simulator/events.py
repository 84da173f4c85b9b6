"""What happens, told to whoever looks at a phone right now."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aerostic.simulator.store import Json

#: A listener that falls this far behind is dropped; its phone reads everything again when it reconnects.
_LONGEST_QUEUE = 2000


class Hub:
    """In memory only: a phone that was closed reads the history instead."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Json | None]] = set()

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Json | None]]:
        """A queue of events, ended by None."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def tell(self, kind: str, **facts: object) -> None:
        for queue in list(self._listeners):
            if queue.qsize() < _LONGEST_QUEUE:
                queue.put_nowait({"kind": kind, **facts})
            else:
                self._end(queue)

    def close(self) -> None:
        for queue in list(self._listeners):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[Json | None]) -> None:
        self._listeners.discard(queue)
        queue.put_nowait(None)
