"""Group commit: many requests, one insert, and each waits until its own bytes are on disk.

Nothing is parsed here: whatever Meta signed is kept. A batch is what arrived while the batch before it was
being written, so under load batches grow by themselves and without load nobody waits.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from aerostic.core.ids import new_id
from aerostic.core.lanes import LanePool, lane_pool, platform_statement

log = logging.getLogger(__name__)

FLUSHERS = 2  # one writes while the next one fills
LARGEST_BATCH = 512
LARGEST_BATCH_BYTES = 8 * 1024 * 1024
MOST_WAITING_BYTES = 64 * 1024 * 1024
PATIENCE = 10.0  # seconds; Meta repeats what was not answered

_KEEP = platform_statement(
    "insert into webhook_deliveries (id, body, status, attempts)"
    " select id, body, 'pending', 0"
    " from {allowed}, unnest(%b::uuid[], %b::bytea[]) as kept (id, body)"
    " where allowed.scope is not null"
)


class NotKept(Exception):
    """The bytes are not in the database: whoever sent them must send them again."""


@dataclass(slots=True)
class _Waiting:
    body: bytes
    kept: asyncio.Future[None]


@dataclass
class Intake:
    """Keeps deliveries. Belongs to one event loop; starts itself at the first delivery."""

    on_kept: Callable[[int], None] = lambda count: None
    _pool: LanePool | None = None
    _waiting: list[_Waiting] = field(default_factory=list)
    _waiting_bytes: int = 0
    _idle: list[asyncio.Future[None]] = field(default_factory=list)
    _flushers: list[asyncio.Task[None]] = field(default_factory=list)

    async def keep(self, body: bytes) -> None:
        """Return when the bytes are committed. Raises NotKept."""
        if not self._flushers:
            self._start()
        if self._waiting_bytes > MOST_WAITING_BYTES:
            raise NotKept("the database is slower than Meta")
        waiting = _Waiting(body, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_bytes += len(body)
        if self._idle:
            self._idle.pop().set_result(None)
        await waiting.kept

    async def close(self) -> None:
        """Write what waits, then let go of the connections."""
        while self._waiting:
            await asyncio.gather(*(one.kept for one in self._waiting), return_exceptions=True)
        for flusher in self._flushers:
            flusher.cancel()
        await asyncio.gather(*self._flushers, return_exceptions=True)
        self._flushers.clear()
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    def _start(self) -> None:
        self._pool = lane_pool(FLUSHERS, name="intake")
        self._flushers = [
            asyncio.create_task(self._flush_for_ever(self._pool)) for _ in range(FLUSHERS)
        ]

    async def _flush_for_ever(self, pool: LanePool) -> None:
        await pool.open()
        while True:
            if not self._waiting:
                awake = asyncio.get_running_loop().create_future()
                self._idle.append(awake)
                await awake
            batch = self._take()
            if batch:
                await self._flush(pool, batch)

    def _take(self) -> list[_Waiting]:
        """The oldest that wait, within what one statement should carry."""
        count = size = 0
        for waiting in self._waiting[:LARGEST_BATCH]:
            size += len(waiting.body)
            if count and size > LARGEST_BATCH_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= sum(len(one.body) for one in batch)
        return batch

    async def _flush(self, pool: LanePool, batch: list[_Waiting]) -> None:
        """Write a batch and tell its requests. What fails, fails for them alone."""
        try:
            async with asyncio.timeout(PATIENCE):
                await _write(pool, [one.body for one in batch])
        except (psycopg.Error, PoolTimeout, TimeoutError, OSError) as error:
            log.error("%d deliveries were not kept, Meta will repeat them: %s", len(batch), error)
            for one in batch:
                if not one.kept.done():
                    one.kept.set_exception(NotKept(str(error)))
            return
        for one in batch:
            if not one.kept.done():  # its request may have gone away meanwhile
                one.kept.set_result(None)
        self.on_kept(len(batch))


async def _write(pool: LanePool, bodies: list[bytes]) -> None:
    ids: list[UUID] = [new_id() for _ in bodies]
    async with pool.connection() as connection:
        await connection.execute(cast(Any, _KEEP), (ids, bodies), prepare=True, binary=True)
