"""Apply what Meta delivered."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from uuid import UUID

from aerostic.core import queue
from aerostic.core.queue import QueueName
from aerostic.core.tenancy import platform_work, unit_of_work
from aerostic.domain.deliveries import service

LONGEST = 60.0  # seconds: then another worker's turn, so that a stop is never far away
HANDS = 2  # while PostgreSQL writes for one, the other reads the next batch
MANY = 500  # deliveries at once: from there on a second hand pays


@cache
def _calm_the_collector() -> None:
    """Batches make many objects and no circles: looking for those took a tenth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def drain(**_: object) -> None:
    """Apply pending deliveries until none is left. `**_`: an older worker survives a newer caller."""
    _calm_the_collector()
    until = time.monotonic() + LONGEST
    hands = HANDS if _apply_some() >= MANY else 1
    with ThreadPoolExecutor(hands) as together:
        finished = list(together.map(_apply_all, [until] * hands))
    if not all(finished):
        queue.start([queue.Job("workers.jobs.deliveries.drain", queue=QueueName.DELIVERIES)])


def _apply_all(until: float) -> bool:
    """Whether nothing was left before the time was up."""
    while time.monotonic() < until:
        if _apply_some() == 0:
            return True
    return False


def _apply_some() -> int:
    with platform_work(service.APPLIER) as ctx:
        return service.apply_pending(ctx)


def redact(*, tenant_id: str, redaction_id: str, **_: object) -> None:
    """Cut someone who was erased out of what Meta delivered."""
    with unit_of_work(UUID(tenant_id), service.APPLIER) as ctx:
        service.redact(ctx, UUID(redaction_id))
