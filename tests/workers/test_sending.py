"""What is queued leaves, once, and every doubt is on the screen."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from redis.asyncio import Redis

from aerostic.core import lanes
from aerostic.core.settings import settings
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Message
from aerostic.domain.sending.lane import Patience
from aerostic.integrations.meta.client import GraphClient
from bench.stand_in import StandIn
from tests.builders import conversation_of
from workers.sender import Sender

HURRY = Patience(lane=5, item=8, turn=5, heal=0.5, stopped=30, linger=0.3, look=0.1, recover=0.2)


@pytest.fixture
def meta() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@contextmanager
def sending(meta: StandIn, patience: Patience = HURRY) -> Iterator[None]:
    """A sender at work, in a thread."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        pool = lanes.lane_pool(4, name="sender")
        await pool.open()
        redis = Redis.from_url(settings().redis_url, decode_responses=True)
        async with GraphClient(graph_url=meta.url) as client:
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


def say(place, conversation_id: UUID, text: str = "Good morning", key: str = "") -> UUID:
    with place.work("agent") as ctx:
        return inbox.reply(ctx, conversation_id, Draft.text(text, key=key)).id


def message_of(place, message_id: UUID) -> Message:
    with place.work() as ctx:
        return ctx.get(Message, message_id)


def status_of(place, message_id: UUID) -> str:
    return message_of(place, message_id).status


def test_a_reply_leaves_with_our_id_and_is_accepted(meta, place, rival):
    conversation = conversation_of(place, phone="4915112345678")
    with sending(meta):
        message_id = say(place, conversation)
        wait_until(lambda: status_of(place, message_id) == "accepted")
    [seen] = meta.messages
    assert seen.number == place.phone_number_id
    assert seen.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "4915112345678",
        "type": "text",
        "text": {"body": "Good morning"},
        "biz_opaque_callback_data": str(message_id),
    }
