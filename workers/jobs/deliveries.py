"""Apply what Meta delivered."""

import gc
import time
from functools import cache

from aerostic.core import queue
from aerostic.core.queue import QueueName
from aerostic.core.tenancy import platform_work
from aerostic.domain.deliveries import service

LONGEST = 60.0  # seconds: then another worker's turn, so that a stop is never far away


@cache
def _calm_the_collector() -> None:
    """Batches make many objects and no circles: looking for those took a tenth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def drain(**_: object) -> None:
    """Apply pending deliveries until none is left. `**_`: an older worker survives a newer caller."""
    _calm_the_collector()
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        with platform_work(service.APPLIER) as ctx:
            if service.apply_pending(ctx) == 0:
                return
    queue.start([queue.Job("workers.jobs.deliveries.drain", queue=QueueName.DELIVERIES)])
