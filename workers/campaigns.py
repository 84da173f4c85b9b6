"""What drives campaigns: it plans them, begins them at their time and writes their messages, side by side.

Runs inside the automation process, in threads of its own. Any number of processes may.
"""

import asyncio
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg
from psycopg.errors import QueryCanceled
from sqlalchemy.exc import OperationalError

from aerostic.core import due_work
from aerostic.core.due_work import Ref, WorkKind
from aerostic.core.errors import AppError
from aerostic.core.ids import new_id
from aerostic.core.permissions import system
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.campaigns import driving

log = logging.getLogger(__name__)

ACTOR = system("campaigns")
THREADS = 4
LOOK_EVERY = 0.5  # seconds
LEASE = timedelta(seconds=30)  # another process looks after a campaign whose own is gone
TURN = 20  # looks at one campaign before the others have theirs


class Driver:
    """The campaigns that this process drives."""

    def __init__(self) -> None:
        self._holder = f"campaigns-{new_id()}"
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="campaigns")
        # Of its own: it finds work for the others also while all of them are waiting for something.
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="campaigns-due")
        self._driving: dict[UUID, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Drive until cancelled; a transaction that has begun comes to its end."""
        try:
            while True:
                await self._look_unless_away()
                await asyncio.sleep(LOOK_EVERY)
        finally:
            await asyncio.gather(*self._driving.values(), return_exceptions=True)
            self._threads.shutdown()
            self._looking.shutdown()

    async def _look_unless_away(self) -> None:
        try:
            await self._look()
        except OperationalError as error:
            log.warning("the database does not answer, looking again soon: %s", error)

    async def _look(self) -> None:
        room = THREADS - len(self._driving)
        if room <= 0:
            return
        loop = asyncio.get_running_loop()
        taken = partial(self._take, room, frozenset(self._driving))
        for place in await loop.run_in_executor(self._looking, taken):
            task = asyncio.create_task(self._drive(place))
            self._driving[place[1]] = task
            task.add_done_callback(partial(self._ended, place[1]))

    def _take(self, room: int, driving_now: Collection[UUID]) -> list[Ref]:
        kind, holder = WorkKind.CAMPAIGN, self._holder
        with shared_work(ACTOR) as ctx:
            return due_work.take(ctx, kind, limit=room, lease=LEASE, holder=holder, but=driving_now)

    async def _drive(self, place: Ref) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, drive, *place)

    def _ended(self, campaign_id: UUID, task: asyncio.Task[None]) -> None:
        if self._driving.get(campaign_id) is task:
            del self._driving[campaign_id]
        error = None if task.cancelled() else task.exception()
        if _is_away(error):
            log.warning("a campaign waits for the database: %s", error)
        elif error is not None:  # another look is taken when the lease has ended
            log.error("the campaign %s could not be driven", campaign_id, exc_info=error)


def drive(tenant_id: UUID, campaign_id: UUID) -> None:
    """Look at one campaign, again while it has more to do at once: it stays ours until the last look."""
    for turn in range(TURN):
        lease = LEASE if turn < TURN - 1 else None
        try:
            with unit_of_work(tenant_id, ACTOR) as ctx:
                has_more = driving.tick(ctx, campaign_id, lease=lease)
        except AppError as error:
            with unit_of_work(tenant_id, ACTOR) as ctx:
                driving.give_up(ctx, campaign_id, error)
            return
        except Exception as error:
            if not _is_away(
                error
            ):  # a bug: whoever looks at the campaign is told that it stands still
                with unit_of_work(tenant_id, ACTOR) as ctx:
                    driving.stumble(ctx, campaign_id)
            raise
        if not has_more:
            return


def _is_away(error: BaseException | None) -> bool:
    """The database does not answer, or let another go first: the next look is another matter."""
    told = error.orig if isinstance(error, OperationalError) else error
    return isinstance(told, psycopg.OperationalError) and not isinstance(told, QueryCanceled)
