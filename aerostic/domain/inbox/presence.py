"""Who is looking at a conversation, and who is typing in it: in Redis, for half a minute at a time.

Nothing here is worth a row, and nothing fails when Redis does: people are then shown as away.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError

from aerostic.core import queue
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.inbox.access import access_conversation

LOOKING_SECONDS = 40  # a page says that it is still there every 15 to 20
TYPING_SECONDS = 6

log = logging.getLogger(__name__)

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Watcher:
    """Someone with the conversation open."""

    user_id: UUID
    name: str
    is_typing: bool


@requires(Permission.INBOX_READ)
def look(ctx: Context, conversation_id: UUID) -> None:
    """Say that the actor has the conversation open; to be repeated while it is."""
    access_conversation(ctx, conversation_id)
    was = _seen(ctx, conversation_id)
    _put(ctx, conversation_id, typing_until=was["typing_until"] if was else 0.0)
    if was is None:
        ctx.announce("presence", conversation_id)


@requires(Permission.INBOX_READ)
def leave(ctx: Context, conversation_id: UUID) -> None:
    """Say that the actor has turned away."""
    access_conversation(ctx, conversation_id)
    gone = _asked(lambda redis: redis.hdel(_key(ctx, conversation_id), str(ctx.actor.user_id)), 0)
    if gone:
        ctx.announce("presence", conversation_id)


@requires(Permission.INBOX_REPLY)
def typing(ctx: Context, conversation_id: UUID) -> None:
    """Say that the actor is writing; forgotten `TYPING_SECONDS` after the last key."""
    access_conversation(ctx, conversation_id)
    was = _seen(ctx, conversation_id)
    _put(ctx, conversation_id, typing_until=ctx.now.timestamp() + TYPING_SECONDS)
    if was is None or was["typing_until"] <= ctx.now.timestamp():
        ctx.announce("presence", conversation_id)


@requires(Permission.INBOX_READ)
def watchers(ctx: Context, conversation_id: UUID) -> list[Watcher]:
    """Everyone else who has the conversation open, by name."""
    access_conversation(ctx, conversation_id)
    now = ctx.now.timestamp()
    people = {user: json.loads(told) for user, told in _everyone(ctx, conversation_id).items()}
    there = [
        Watcher(UUID(user), seen["name"], seen["typing_until"] > now)
        for user, seen in people.items()
        if seen["until"] > now and user != str(ctx.actor.user_id)
    ]
    return sorted(there, key=lambda watcher: watcher.name)


def _key(ctx: Context, conversation_id: UUID) -> str:
    return f"presence:{ctx.tenant_id}:{conversation_id}"


def _asked(ask: Callable[[Redis], Any], otherwise: R) -> R:
    try:
        return ask(queue.connection())  # type: ignore[no-any-return]
    except RedisError as error:
        log.warning("presence unknown: %s", error)
        return otherwise


def _everyone(ctx: Context, conversation_id: UUID) -> dict[str, str]:
    empty: dict[bytes, bytes] = {}
    told = _asked(lambda redis: redis.hgetall(_key(ctx, conversation_id)), empty)
    return {user.decode(): seen.decode() for user, seen in told.items()}


def _seen(ctx: Context, conversation_id: UUID) -> dict[str, Any] | None:
    """What is known of the actor, unless it has run out."""
    told = _everyone(ctx, conversation_id).get(str(ctx.actor.user_id))
    seen = json.loads(told) if told else None
    return seen if seen and seen["until"] > ctx.now.timestamp() else None


def _put(ctx: Context, conversation_id: UUID, *, typing_until: float) -> None:
    key, user = _key(ctx, conversation_id), str(ctx.actor.user_id)
    until = ctx.now.timestamp() + LOOKING_SECONDS
    told = json.dumps({"name": ctx.actor.name, "until": until, "typing_until": typing_until})

    def write(redis: Redis) -> None:
        pipeline = redis.pipeline(transaction=False)
        pipeline.hset(key, user, told)
        pipeline.expire(key, LOOKING_SECONDS)
        pipeline.execute()

    _asked(write, None)
