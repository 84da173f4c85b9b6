"""A sender at work in a thread, towards a stand-in of Meta, and looks at what became of messages."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from redis.asyncio import Redis

from aerostic.core import lanes
from aerostic.core.settings import settings
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Message, OutboxItem
from aerostic.domain.sending.lane import Patience
from aerostic.integrations.meta.client import GraphClient
from tests.conftest import Place
from workers.sender import Sender

HURRY = Patience(lane=5, item=8, turn=5, heal=0.5, stopped=60, linger=0.3, look=0.1, recover=0.2)


@contextmanager
def sending(url: str, patience: Patience = HURRY, *, answer_seconds: float = 5) -> Iterator[None]:
    """A sender serves until the block ends; then it stops as when told by a signal."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        pool = lanes.lane_pool(4, name="sender")
        await pool.open()
        redis = Redis.from_url(settings().redis_url, decode_responses=True)
        async with GraphClient(graph_url=url, answer_seconds=answer_seconds) as client:
            await Sender(pool, client, redis, patience).run(stop, ready.set)
        await redis.aclose()
        await pool.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive()
        loop.close()


def wait_until(claim: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def say(place: Place, conversation_id: UUID, text: str = "Good morning", key: str = "") -> UUID:
    """An agent answers."""
    return send(place, conversation_id, Draft.text(text, key=key))


def send(place: Place, conversation_id: UUID, draft: Draft) -> UUID:
    with place.work("agent") as ctx:
        return inbox.reply(ctx, conversation_id, draft).id


def message_of(place: Place, message_id: UUID) -> Message:
    with place.work() as ctx:
        message = ctx.get(Message, message_id)
        assert message is not None
        return message


def status_of(place: Place, message_id: UUID) -> str:
    return message_of(place, message_id).status


def waiting(place: Place, message_id: UUID) -> OutboxItem | None:
    """Its row in the outbox, while it has one."""
    with place.work() as ctx:
        return ctx.get(OutboxItem, message_id)


def becomes(place: Place, message_id: UUID, status: str) -> None:
    wait_until(lambda: status_of(place, message_id) == status)
