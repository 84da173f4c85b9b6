"""Group commit of runs: what several have done since the last commit is written together.

A batch is what came while the batch before it was being written, as with deliveries (`deliveries/intake.py`).
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from aerostic.core import clock
from aerostic.core.lanes import LanePool
from aerostic.core.tenancy import SET_SCOPE
from aerostic.domain.automation import saving
from aerostic.domain.automation.runs import Run

log = logging.getLogger(__name__)

WRITERS = 1  # what comes while it writes is the next batch
LARGEST_BATCH = 100
NO_DATABASE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)

Saved = set[UUID]


@dataclass(slots=True, eq=False)
class _Waiting:
    run: Run
    done: asyncio.Future[bool]


@dataclass(eq=False)
class Saver:
    """Writes runs down for one event loop. `holder` is the process, as leases name it."""

    pool: LanePool
    holder: str
    _waiting: list[_Waiting] = field(default_factory=list)
    _writing: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def save(self, run: Run) -> bool:
        """Return when it is committed. False: it is another process's by now, or was cancelled.

        Raises psycopg.Error where the database does not take it.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(run, done))
        if self._writing < WRITERS:
            self._writing += 1
            task = asyncio.create_task(self._write_all())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        is_ours: bool = await done
        if is_ours:
            saving.saved(run)
        return is_ours

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = (
                    self._waiting[:LARGEST_BATCH],
                    self._waiting[LARGEST_BATCH:],
                )
                await self._write(batch)
        finally:
            self._writing -= 1

    async def _write(self, batch: list[_Waiting]) -> None:
        error: BaseException | None = asyncio.CancelledError()
        saved: Saved = set()
        try:
            saved = await self._commit([one.run for one in batch])
            error = None
        except (psycopg.Error, *NO_DATABASE) as refused:
            error = refused
        finally:
            if isinstance(error, psycopg.Error | OSError) and len(batch) > 1:
                await self._one_by_one(batch)
            else:
                _tell(batch, saved, error)

    async def _one_by_one(self, batch: list[_Waiting]) -> None:
        """What the database refuses of one run must not take the others along."""
        for one in batch:
            await self._write([one])

    async def _commit(self, runs: Sequence[Run]) -> Saved:
        by_tenant: dict[UUID, list[Run]] = {}
        for run in runs:
            by_tenant.setdefault(run.tenant_id, []).append(run)
        now = clock.now()
        cursors: list[psycopg.AsyncCursor[Any]] = []
        async with self.pool.connection() as connection, connection.pipeline():
            async with connection.transaction():
                for tenant_id, theirs in by_tenant.items():
                    await connection.execute(SET_SCOPE, (str(tenant_id), ""))
                    for text, values in saving.statements(tenant_id, theirs, self.holder, now):
                        cursor = connection.cursor()
                        await cursor.execute(text.encode(), values, prepare=True)
                        cursors.append(cursor)
            return {row[0] for cursor in cursors for row in await cursor.fetchall()}


def _tell(batch: list[_Waiting], saved: Saved, error: BaseException | None) -> None:
    for one in batch:
        if one.done.done():
            continue
        if error is None:
            one.done.set_result(one.run.id in saved)
        elif isinstance(error, asyncio.CancelledError):
            one.done.cancel()
        else:
            one.done.set_exception(error)
