"""What drives campaigns: it plans them, begins them at their time and writes their messages, side by side.

Runs inside the automation process, in threads of its own. Any number of processes may.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import UUID

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
        for place in await loop.run_in_executor(self._threads, self._take, room):
            task = asyncio.create_task(self._drive(place))
            self._driving[place[1]] = task
            task.add_done_callback(partial(self._ended, place[1]))

    def _take(self, room: int) -> list[Ref]:
        with shared_work(ACTOR) as ctx:
            return due_work.take(
                ctx, WorkKind.CAMPAIGN, limit=room, lease=LEASE, holder=self._holder
            )

    async def _drive(self, place: Ref) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, drive, *place)

    def _ended(self, campaign_id: UUID, task: asyncio.Task[None]) -> None:
        if self._driving.get(campaign_id) is task:
            del self._driving[campaign_id]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, OperationalError):
            log.warning("a campaign waits for the database: %s", error)
        elif error is not None:  # another look is taken when the lease has ended
            log.error("a campaign could not be driven", exc_info=error)


def drive(tenant_id: UUID, campaign_id: UUID) -> None:
    """Look at one campaign, again while it has more to do at once."""
    for _ in range(TURN):
        try:
            with unit_of_work(tenant_id, ACTOR) as ctx:
                has_more = driving.tick(ctx, campaign_id)
        except AppError as error:
            with unit_of_work(tenant_id, ACTOR) as ctx:
                driving.give_up(ctx, campaign_id, error)
            return
        if not has_more:
            return
