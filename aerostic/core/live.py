"""What changed, announced to open pages: never the data, so that a page reads again through its rights."""

import json
import logging
from collections.abc import Iterable
from uuid import UUID

from redis.exceptions import RedisError

from aerostic.core import queue

CHANNEL = "live:"
WAKE_CHANNEL = "wake:"

log = logging.getLogger(__name__)


def channel_of(tenant_id: UUID) -> str:
    return f"{CHANNEL}{tenant_id}"


def announce(tenant_id: UUID, changes: Iterable[tuple[str, str]]) -> None:
    """Publish `[["conversation", id], …]` to the tenant's pages. Redis gone: pages refresh later."""
    body = json.dumps(sorted(set(changes)))
    try:
        queue.connection().publish(channel_of(tenant_id), body)
    except RedisError as error:
        log.warning("announcement lost: %s", error)


def wake(work: Iterable[tuple[str, str]]) -> None:
    """Publish `(lane, work)` to the processes of each lane. Redis gone: they find it when they next look."""
    for lane, what in sorted(work):
        try:
            queue.connection().publish(f"{WAKE_CHANNEL}{lane}", what)
        except RedisError as error:
            log.warning("wake-up lost: %s", error)
