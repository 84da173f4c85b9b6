"""The process that sends: it leases numbers with something to send and serves many of them at once.

Any number of it may run. Each looks every second and is told at once when a message was queued.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import uvloop
from redis.asyncio import Redis
from redis.exceptions import RedisError

from aerostic.core import clock, lanes, live
from aerostic.core.ids import new_id
from aerostic.core.settings import settings
from aerostic.core.tenancy import lane_transaction
from aerostic.domain.inbox.notices import LANE as NOTICES
from aerostic.domain.sending import leases, notices
from aerostic.domain.sending.lane import NO_DATABASE, Lane, Patience
from aerostic.domain.sending.pace import Pace
from aerostic.domain.sending.rows import Place
from aerostic.integrations.meta.client import GraphClient

log = logging.getLogger(__name__)

LANES = 500
CONNECTIONS = 8
KNOWN_PACES = 2000
MOST_NOTICES = 200
WAKES = f"{live.WAKE_CHANNEL}lane"
NOTICED = f"{live.WAKE_CHANNEL}{NOTICES}"


def main(*, ready: Callable[[], None] = lambda: None, patience: Patience | None = None) -> None:
    """Send until told to stop (SIGTERM, SIGINT); what is in flight is awaited."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(ready, patience or Patience()))


async def _serve(ready: Callable[[], None], patience: Patience) -> None:
    stop = asyncio.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    pool = lanes.lane_pool(CONNECTIONS, name="sender")
    await pool.open(wait=False)
    redis = Redis.from_url(settings().redis_url, health_check_interval=30, decode_responses=True)
    try:
        async with GraphClient() as client:
            await Sender(pool, client, redis, patience).run(stop, ready)
    finally:
        await redis.aclose()
        await pool.close()


class Sender:
    """The lanes that this process serves."""

    def __init__(
        self, pool: lanes.LanePool, client: GraphClient, redis: Redis, patience: Patience
    ) -> None:
        self.pool, self.client, self.redis, self.patience = pool, client, redis, patience
        self.owner = f"sender-{new_id()}"
        self.lanes: dict[UUID, Lane] = {}
        self._paces: dict[UUID, Pace] = {}
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._notices: set[asyncio.Task[bool]] = set()
        self._look = asyncio.Event()

    async def run(self, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is set; then finish what is in flight and let go."""
        duties = [
            asyncio.create_task(self._duty(duty))
            for duty in (self._listen, self._keep_leasing, self._keep_renewing)
        ]
        ready()
        await stop.wait()
        for duty in duties[:2]:
            duty.cancel()
        await self._stop_lanes()
        duties[2].cancel()
        await asyncio.gather(*duties, return_exceptions=True)
        await self._release()

    async def _duty(self, duty: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Go on when PostgreSQL or Redis comes back."""
        while True:
            try:
                await duty()
            except (*NO_DATABASE, RedisError, OSError) as error:
                log.warning("%s: %s", type(error).__name__, error)
                await asyncio.sleep(1)

    # Being told

    async def _listen(self) -> None:
        async with self.redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(WAKES, NOTICED)
            async for told in channel.listen():
                if told["channel"] == WAKES:
                    self._wake(told["data"])
                elif len(self._notices) < MOST_NOTICES:
                    self._notice(told["data"])

    def _wake(self, place: str) -> None:
        """Our lane looks again; one that nobody serves is leased."""
        number = place.partition(":")[2]
        lane = self.lanes.get(UUID(number))
        if lane is None:
            self._look.set()
        else:
            lane.wake()

    def _notice(self, text: str) -> None:
        work = notices.take(text, redis=self.redis, pool=self.pool, client=self.client)
        task = asyncio.create_task(work)
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)

    # Leases

    async def _keep_leasing(self) -> None:
        while True:
            self._look.clear()
            held_until = time.monotonic() + self.patience.lane
            for place in await self._lease():
                await self._start(place, held_until)
            try:
                await asyncio.wait_for(self._look.wait(), self.patience.look)
            except TimeoutError:
                continue

    async def _lease(self) -> list[Place]:
        room = LANES - len(self.lanes)
        if room <= 0:
            return []
        now = clock.now()
        until = now + timedelta(seconds=self.patience.lane)
        async with lane_transaction(self.pool) as cursor:
            return await leases.lease(cursor, owner=self.owner, now=now, until=until, most=room)

    async def _start(self, place: Place, held_until: float) -> None:
        number_id = place[1]
        if (earlier := self._running.get(number_id)) is not None:
            await asyncio.wait({earlier})  # it has given the lane back and is about to end
        pace = self._pace(number_id)
        lane = Lane(
            place, self.owner, self.pool, self.client, pace, self.patience, held_until=held_until
        )
        self.lanes[number_id] = lane
        task = asyncio.create_task(lane.run())
        self._running[number_id] = task
        task.add_done_callback(lambda ended: self._ended(number_id, ended))

    def _pace(self, number_id: UUID) -> Pace:
        """What was learnt of a number outlives its lane."""
        pace = self._paces.pop(number_id, None) or Pace(time.monotonic)
        self._paces[number_id] = pace  # the latest used last
        while len(self._paces) > KNOWN_PACES:
            del self._paces[next(iter(self._paces))]
        return pace

    def _ended(self, number_id: UUID, task: asyncio.Task[None]) -> None:
        if self._running.get(number_id) is task:
            del self._running[number_id], self.lanes[number_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("a lane broke", exc_info=task.exception())

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self.patience.lane / 3)
            held_until = time.monotonic() + self.patience.lane
            until = clock.now() + timedelta(seconds=self.patience.lane)
            async with lane_transaction(self.pool) as cursor:
                served = dict(self.lanes)
                ours = await leases.renew(cursor, owner=self.owner, numbers=served, until=until)
            for number_id, lane in served.items():
                if number_id in ours:
                    lane.held_until = max(lane.held_until, held_until)
                else:
                    lane.stop()

    # The end

    async def _stop_lanes(self) -> None:
        for lane in self.lanes.values():
            lane.stop()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=self.patience.leave + 5)

    async def _release(self) -> None:
        try:
            async with lane_transaction(self.pool) as cursor:
                await leases.release(cursor, owner=self.owner)
        except NO_DATABASE as error:
            log.warning("the lanes could not be given back: %s", error)


if __name__ == "__main__":
    main()
