"""The process that automates: it hears what happened, keeps the clock, and walks runs, many at once.

Any number of it may run. Each looks twice a second and is told at once when there is something.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uvloop
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlmodel import col, select

from aerostic.core import clock, lanes, live
from aerostic.core.due_work import Ref, WorkKind
from aerostic.core.settings import settings
from aerostic.core.tenancy import Context, lane_transaction, unit_of_work
from aerostic.domain.automation import schedules, signals_in, taking
from aerostic.domain.automation.actor import AUTOMATION
from aerostic.domain.automation.runner import Runner
from aerostic.domain.automation.runs import Run
from aerostic.domain.automation.saver import NO_DATABASE
from aerostic.domain.inbox import service as inbox
from aerostic.domain.signals.models import Signal
from aerostic.domain.signals.telling import LANE
from aerostic.domain.webhooks_out.fanning import fan_out
from aerostic.domain.webhooks_out.lane import Lane
from workers.campaigns import Driver

log = logging.getLogger(__name__)

CONNECTIONS = 6
MOST_RUNS = 300  # walked at once
AT_A_TIME = 200
SIGNALS_AT_A_TIME = 500
LOOK_EVERY = 0.5
LEAVE = 12.0  # seconds for what is walked, when told to stop
WAKES = f"{live.WAKE_CHANNEL}{LANE}"
# While one process routes a workspace's signals, nobody else looks; what comes meanwhile is due at once.
ROUTING = timedelta(seconds=10)
BUSY = timedelta(milliseconds=200)  # a conversation in which a run is at work is looked at again

Hearer = Callable[[Context, Sequence[Signal]], None]
OTHERS: tuple[Hearer, ...] = (fan_out,)  # who else is told of every signal, in the same transaction


def main(*, ready: Callable[[], None] = lambda: None) -> None:
    """Automate until told to stop (SIGTERM, SIGINT)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(ready))


async def _serve(ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    pool = lanes.lane_pool(CONNECTIONS, name="automation")
    await pool.open(wait=False)
    redis = Redis.from_url(settings().redis_url, health_check_interval=30, decode_responses=True)
    try:
        await Automation(pool, redis, Runner(pool)).run(stop, ready)
    finally:
        await redis.aclose()
        await pool.close()


@dataclass(eq=False)
class Automation:
    """What this process looks after."""

    pool: lanes.LanePool
    redis: Redis
    runner: Runner
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _due: asyncio.Event = field(default_factory=asyncio.Event)
    _walking: set[asyncio.Task[None]] = field(default_factory=set)
    _routing: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is set; then let what is walked come to its rest, and leave the others."""
        duties = [
            asyncio.create_task(self._duty(duty))
            for duty in (
                self._listen,
                self._keep_hearing,
                self._keep_walking,
                self._keep_the_clock,
                Lane().run,
                Driver().run,
            )
        ]
        ready()
        await stop.wait()
        pending = {*duties}
        while pending:
            for duty in pending:
                duty.cancel()
            _, pending = await asyncio.wait(pending, timeout=1)
        await asyncio.gather(*self._routing, return_exceptions=True)
        await self.runner.close(LEAVE)
        for walk in self._walking:
            walk.cancel()
        await asyncio.gather(*self._walking, return_exceptions=True)

    async def _duty(self, duty: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Go on when PostgreSQL or Redis comes back."""
        while True:
            try:
                await duty()
            except (*NO_DATABASE, RedisError) as error:
                log.warning("%s: %s", type(error).__name__, error)
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        async with self.redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(WAKES)
            async for told in channel.listen():
                about_signals = str(told["data"]).startswith("signals:")
                (self._heard if about_signals else self._due).set()

    # Runs -----------------------------------------------------------------------------------------

    async def _keep_walking(self) -> None:
        while True:
            self._due.clear()
            room = MOST_RUNS - len(self._walking)
            claimed = await self._claim(min(room, AT_A_TIME)) if room > 0 else []
            await self._walk(claimed)
            if len(claimed) < AT_A_TIME:
                await _moment(self._due)

    async def _claim(self, most: int) -> list[Ref]:
        return await taking.claim(self.pool, holder=self.runner.holder, most=most)

    async def _walk(self, claimed: Sequence[Ref]) -> None:
        by_tenant: dict[UUID, list[UUID]] = {}
        for tenant_id, execution_id in claimed:
            by_tenant.setdefault(tenant_id, []).append(execution_id)
        for tenant_id, ids in by_tenant.items():
            for run in await self.runner.take(tenant_id, ids, is_claimed=True):
                self._start(run)

    def _start(self, run: Run) -> None:
        task = asyncio.create_task(self.runner.walk(run))
        self._walking.add(task)
        task.add_done_callback(self._walked)

    def _walked(self, task: asyncio.Task[None]) -> None:
        self._walking.discard(task)
        if len(self._walking) == MOST_RUNS - 1:
            self._due.set()  # there is room again
        if not task.cancelled() and task.exception() is not None:
            log.error("a run broke", exc_info=task.exception())

    # Signals --------------------------------------------------------------------------------------

    async def _keep_hearing(self) -> None:
        while True:
            self._heard.clear()
            for tenant_id, until in await self._tenants():
                task = asyncio.create_task(self._route(tenant_id, until))
                self._routing.add(task)
                task.add_done_callback(self._routed)
            await _moment(self._heard)

    def _routed(self, task: asyncio.Task[None]) -> None:
        self._routing.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # its workspace is looked at again when `ROUTING` is over
            log.error("signals could not be routed", exc_info=error)

    async def _tenants(self) -> list[tuple[UUID, datetime]]:
        now = clock.now()
        async with lane_transaction(self.pool) as cursor:
            await cursor.execute(_TAKE_SIGNALS, (now, AT_A_TIME, now + ROUTING), prepare=True)
            return [(tenant_id, until) for tenant_id, until in await cursor.fetchall()]

    async def _route(self, tenant_id: UUID, until: datetime) -> None:
        """Everything that has happened in a workspace, then leave it unless there is more."""
        left: datetime | None = clock.now()
        while left is not None and left <= clock.now():
            left = await self.runner.in_thread(route, tenant_id)
        async with lane_transaction(self.pool) as cursor:
            if left is None:
                await cursor.execute(_SETTLE_SIGNALS, (tenant_id, until))
            else:
                await cursor.execute(_LEAVE_SIGNALS, (left, tenant_id, until))

    # The clock ------------------------------------------------------------------------------------

    async def _keep_the_clock(self) -> None:
        while True:
            for tenant_id, ref in await self._waiting(WorkKind.SCHEDULE):
                await self.runner.in_thread(_fire, tenant_id, ref)
            for tenant_id, ref in await self._waiting(WorkKind.RELEASE):
                await self.runner.in_thread(_give_back, tenant_id, ref)
            await asyncio.sleep(LOOK_EVERY)

    async def _waiting(self, kind: WorkKind) -> list[Ref]:
        async with lane_transaction(self.pool) as cursor:
            await cursor.execute(_WAITING, (str(kind), clock.now(), AT_A_TIME), prepare=True)
            return [(tenant_id, ref) for tenant_id, ref in await cursor.fetchall()]


_TAKE_SIGNALS = """
    with due as (
        select tenant_id, ref from due_work where kind = 'signals' and due_at <= %s
        order by due_at limit %s for update skip locked
    )
    update due_work d set due_at = %s from due
    where d.kind = 'signals' and d.tenant_id = due.tenant_id and d.ref = due.ref
    returning d.tenant_id, d.due_at
"""
# Whoever tells something meanwhile has set an earlier moment: then the row stays as it is, due at once.
_SETTLE_SIGNALS = "delete from due_work where kind = 'signals' and tenant_id = %s and due_at = %s"
_LEAVE_SIGNALS = (
    "update due_work set due_at = %s where kind = 'signals' and tenant_id = %s and due_at = %s"
)
_WAITING = "select tenant_id, ref from due_work where kind = %s and due_at <= %s limit %s"


async def _moment(event: asyncio.Event) -> None:
    # Not `wait_for`: in Python 3.11 it may swallow that it was cancelled.
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_EVERY):
            await event.wait()


def route(tenant_id: UUID) -> datetime | None:
    """Give the oldest signals of a workspace to who hears them. When to look again; None: never."""
    with unit_of_work(tenant_id, AUTOMATION) as ctx:
        # One at a time for each workspace, so that what happened first is heard first.
        ctx.cursor().execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 7))", (str(tenant_id),)
        )
        oldest = select(Signal).where(col(Signal.tenant_id) == tenant_id).order_by(col(Signal.id))
        signals = list(ctx.session.exec(oldest.limit(SIGNALS_AT_A_TIME)))
        fresh = [one for one in signals if not one.details.get("left")]
        for hearer in OTHERS:
            hearer(ctx, fresh)
        left = signals_in.hear(ctx, signals)
        for one in signals:
            if one.id not in left:
                ctx.session.delete(one)
            elif not one.details.get("left"):
                one.details = {**one.details, "left": True}
        if len(signals) == SIGNALS_AT_A_TIME and len(left) < len(signals):
            return ctx.now
        return ctx.now + BUSY if left else None


def _fire(tenant_id: UUID, trigger_id: UUID) -> None:
    with unit_of_work(tenant_id, AUTOMATION) as ctx:
        schedules.fire(ctx, trigger_id)


def _give_back(tenant_id: UUID, conversation_id: UUID) -> None:
    with unit_of_work(tenant_id, AUTOMATION) as ctx:
        inbox.give_back(ctx, conversation_id)


if __name__ == "__main__":
    main()
