"""Group commit of runs: what several have done since the last commit is written together.

A batch is what came while the batch before it was being written, as with deliveries (`deliveries/intake.py`).
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from aerostic.core import clock
from aerostic.core.pipes import Pipe
from aerostic.domain.automation import saving
from aerostic.domain.automation.runs import Run

log = logging.getLogger(__name__)

LARGEST_BATCH = 100
NO_DATABASE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)

Saved = set[bytes]  # ids


@dataclass(slots=True, eq=False)
class _Waiting:
    run: Run
    done: asyncio.Future[bool]


@dataclass(eq=False)
class Saver:
    """Writes runs down for one event loop. `holder` is the process, as leases name it."""

    holder: str
    _waiting: list[_Waiting] = field(default_factory=list)
    _is_writing: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _pipe: Pipe = field(default_factory=lambda: Pipe(name="automation"))

    async def save(self, run: Run) -> bool:
        """Return when it is committed. False: it is another process's by now, or was cancelled.

        Raises psycopg.Error where the database does not take it.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(run, done))
        if not self._is_writing:
            self._is_writing = True
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
            self._is_writing = False

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
        written = await self._pipe.run(
            [
                (tenant_id, saving.statements(tenant_id, theirs, self.holder, now))
                for tenant_id, theirs in by_tenant.items()
            ]
        )
        return {one for rows in written for one in rows}

    async def close(self) -> None:
        """Let go of the connection, once nobody saves any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pipe.close()


def _tell(batch: list[_Waiting], saved: Saved, error: BaseException | None) -> None:
    for one in batch:
        if one.done.done():
            continue
        if error is None:
            one.done.set_result(one.run.id.bytes in saved)
        elif isinstance(error, asyncio.CancelledError):
            one.done.cancel()
        else:
            one.done.set_exception(error)
