"""Group commit: many requests, one insert, and each waits until its own bytes are on disk.

Nothing is parsed here: whatever Meta signed is kept. A batch is what arrived while the batch before it was
being written, so under load batches grow by themselves and without load nobody waits.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from aerostic.core.ids import new_id
from aerostic.core.lanes import Line, bytea_array, platform_statement, uuid_array

log = logging.getLogger(__name__)

FLUSHERS = 3  # while one writes, the next ones fill
LARGEST_BATCH = 512
LARGEST_BATCH_BYTES = 8 * 1024 * 1024
MOST_WAITING_BYTES = 64 * 1024 * 1024
PATIENCE = 10.0  # seconds; Meta repeats what was not answered

_KEEP = platform_statement(
    "insert into webhook_deliveries (id, body, status, attempts)"
    " select id, body, 'pending', 0"
    " from {allowed}, unnest($1::uuid[], $2::bytea[]) as kept (id, body)"
    " where allowed.scope is not null"
)


class NotKept(Exception):
    """The bytes are not in the database: whoever sent them must send them again."""


@dataclass(slots=True, eq=False)
class _Waiting:
    body: bytes
    kept: asyncio.Future[None]


def _nobody_asks(_count: int, _seconds: float) -> None:
    return None


@dataclass(eq=False)
class Intake:
    """Keeps deliveries. Belongs to one event loop; starts itself at the first delivery.

    `on_kept` is told of each batch: how many, and in how many seconds they were written.
    """

    on_kept: Callable[[int, float], None] = _nobody_asks
    _waiting: list[_Waiting] = field(default_factory=list)
    _waiting_bytes: int = 0
    _idle: list[asyncio.Future[None]] = field(default_factory=list)
    _flushers: list[asyncio.Task[None]] = field(default_factory=list)

    async def keep(self, body: bytes) -> None:
        """Return when the bytes are committed. Raises NotKept."""
        while len(self._flushers) < FLUSHERS:
            self._start_flusher()
        if self._waiting_bytes > MOST_WAITING_BYTES:
            raise NotKept("the database is slower than Meta")
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(body, kept))
        self._waiting_bytes += len(body)
        if self._idle:
            self._idle.pop().set_result(None)
        await kept

    async def close(self) -> None:
        """Write what waits, then let go of the connections."""
        while self._waiting:
            await asyncio.gather(*(one.kept for one in self._waiting), return_exceptions=True)
        for flusher in list(self._flushers):
            flusher.cancel()
        await asyncio.gather(*list(self._flushers), return_exceptions=True)
        self._flushers.clear()
        self._idle.clear()

    def _start_flusher(self) -> None:
        flusher = asyncio.create_task(self._flush_for_ever())
        self._flushers.append(flusher)
        flusher.add_done_callback(self._ended)

    def _ended(self, flusher: asyncio.Task[None]) -> None:
        """One that met a bug is replaced at the next delivery; nobody waits for it in vain."""
        if flusher in self._flushers:
            self._flushers.remove(flusher)
        if not flusher.cancelled() and flusher.exception() is not None:
            log.error("a flusher ended", exc_info=flusher.exception())

    async def _flush_for_ever(self) -> None:
        line = Line(_KEEP, name="intake")
        try:
            while True:
                if not self._waiting:
                    await self._sleep()
                if batch := self._take():
                    await self._flush(line, batch)
        finally:
            await line.close()

    async def _sleep(self) -> None:
        awake = asyncio.get_running_loop().create_future()
        self._idle.append(awake)
        await awake

    def _take(self) -> list[_Waiting]:
        """The oldest that wait, within what one statement should carry."""
        count = size = 0
        for waiting in self._waiting[:LARGEST_BATCH]:
            size += len(waiting.body)
            if count and size > LARGEST_BATCH_BYTES:
                size -= len(waiting.body)
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= size
        return batch

    async def _flush(self, line: Line, batch: list[_Waiting]) -> None:
        """Write a batch and tell its requests. What fails, fails for them alone."""
        began = time.perf_counter()
        refusal: NotKept | None = NotKept("writing was cut off")
        try:
            async with asyncio.timeout(PATIENCE):
                await write(line, [one.body for one in batch])
            refusal = None
        except (psycopg.Error, TimeoutError, OSError) as error:
            log.error("%d deliveries were not kept, Meta will repeat them: %s", len(batch), error)
            refusal = NotKept(str(error))
        finally:
            _tell(batch, refusal)
        if refusal is None:
            self.on_kept(len(batch), time.perf_counter() - began)


def _tell(batch: list[_Waiting], refusal: NotKept | None) -> None:
    for one in batch:
        if one.kept.done():  # its request has gone away meanwhile
            continue
        if refusal is None:
            one.kept.set_result(None)
        else:
            one.kept.set_exception(refusal)


async def write(line: Line, bodies: list[bytes]) -> None:
    """Commit these bytes as deliveries of this moment."""
    await line.run(uuid_array(new_id() for _ in bodies), bytea_array(bodies))
