"""The lane that tells other programs: many endpoints at once, each held by one process.

A slow endpoint delays nobody else: it has a task of its own, and a few requests under way at a time.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.exc import OperationalError

from aerostic.core import clock, due_work
from aerostic.core.due_work import Ref, WorkKind
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context, shared_work, unit_of_work
from aerostic.domain.webhooks_out import delivering, signing
from aerostic.domain.webhooks_out.delivering import ACTOR, EXCERPT, Batch, Post, Posted
from aerostic.integrations.outside import OutsideClient, OutsideProblem, Request

R = TypeVar("R")
InThread = Callable[..., Coroutine[Any, Any, Any]]

log = logging.getLogger(__name__)

ENDPOINTS = 100  # told at once
TOGETHER = 8  # requests to one endpoint
SECONDS = 15.0
LOOK_EVERY = 0.5
LEAVE = 5.0  # seconds for what is under way, when told to stop
MOST_OF_AN_ANSWER = 64_000  # bytes: more is not read, and the answer counts as unreadable


class Lane:
    """What this process tells. `in_thread(function, …)` runs a function off the event loop."""

    def __init__(self, in_thread: InThread = asyncio.to_thread) -> None:
        self._in_thread = in_thread
        self._holder = f"webhooks-{new_id()}"
        self._serving: dict[UUID, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Tell until cancelled; then what is under way may come to its end."""
        async with OutsideClient() as client:
            try:
                while True:
                    await self._look_unless_away(client)
                    await asyncio.sleep(LOOK_EVERY)
            finally:
                await self._leave()

    async def _look_unless_away(self, client: OutsideClient) -> None:
        try:
            await self._look(client)
        except OperationalError as error:
            log.warning("the database does not answer, looking again soon: %s", error)

    async def _look(self, client: OutsideClient) -> None:
        room = ENDPOINTS - len(self._serving)
        for tenant_id, endpoint_id in await self._in_thread(self._take, room) if room else []:
            task = asyncio.create_task(self._serve(client, tenant_id, endpoint_id))
            self._serving[endpoint_id] = task
            task.add_done_callback(partial(self._ended, endpoint_id))

    def _take(self, room: int) -> list[Ref]:
        with shared_work(ACTOR) as ctx:
            return due_work.take(
                ctx, WorkKind.WEBHOOKS, limit=room, lease=delivering.LEASE, holder=self._holder
            )

    def _ended(self, endpoint_id: UUID, task: asyncio.Task[None]) -> None:
        if self._serving.get(endpoint_id) is task:
            del self._serving[endpoint_id]
        error = None if task.cancelled() else task.exception()
        if error is not None:  # another look is taken when the lease has ended
            log.error("an endpoint could not be told", exc_info=error)

    async def _serve(self, client: OutsideClient, tenant_id: UUID, endpoint_id: UUID) -> None:
        """Everything that one endpoint is to be told now."""
        while True:
            batch = await self._work(tenant_id, delivering.claim, endpoint_id, holder=self._holder)
            if batch is None:
                return
            posted = await _tell(client, batch)
            await self._work(tenant_id, delivering.record, endpoint_id, posted)

    async def _work(
        self, tenant_id: UUID, action: Callable[..., R], *args: Any, **kwargs: Any
    ) -> R:
        def worked() -> R:
            with unit_of_work(tenant_id, ACTOR) as ctx:
                return action(ctx, *args, **kwargs)

        done: R = await self._in_thread(worked)
        return done

    async def _leave(self) -> None:
        tasks = list(self._serving.values())
        if tasks:
            await asyncio.wait(tasks, timeout=LEAVE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await asyncio.to_thread(self._give_back)
        except OperationalError as error:
            log.warning("the endpoints could not be given back: %s", error)

    def _give_back(self) -> None:
        with shared_work(ACTOR) as ctx:
            _give_back(ctx, self._holder)


def _give_back(ctx: Context, holder: str) -> None:
    ctx.cursor().execute(
        "update due_work set leased_by = null, leased_until = null where kind = %s and leased_by = %s",
        (str(WorkKind.WEBHOOKS), holder),
    )


async def _tell(client: OutsideClient, batch: Batch) -> list[Posted]:
    room = asyncio.Semaphore(TOGETHER)

    async def one(post: Post) -> Posted:
        async with room:
            return await _post(client, batch, post)

    return list(await asyncio.gather(*(one(post) for post in batch.posts)))


async def _post(client: OutsideClient, batch: Batch, post: Post) -> Posted:
    at, began = clock.now(), time.perf_counter()
    signed = signing.headers(batch.secrets, post.event_id, post.body, at=at)
    headers = {"Content-Type": "application/json", **signed}
    request = Request(
        batch.url,
        "POST",
        headers,
        post.body.encode(),
        seconds=SECONDS,
        follows=False,  # a redirect is an error of whoever configured the address
        most_bytes=MOST_OF_AN_ANSWER,
    )
    status, answer, problem, retry_after = None, "", "", None
    try:
        came = await client.send(request)
        status, answer = came.status, came.text[:EXCERPT]
        problem = "" if came.is_success else f"It answered {came.status}."
        retry_after = _seconds(came.headers.get("retry-after", ""))
    except OutsideProblem as error:
        problem = error.sentence
    return Posted(
        dispatch_id=post.dispatch_id,
        at=at,
        milliseconds=round((time.perf_counter() - began) * 1000),
        headers=_shown(headers),
        status=status,
        answer=answer,
        problem=problem,
        retry_after=retry_after,
    )


def _shown(headers: dict[str, str]) -> str:
    """For the log. A signature opens nothing, so it may stand there."""
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _seconds(told: str) -> float | None:
    return float(told) if told.isdigit() else None
