"""How often an address may be posted to: over a moving minute, for all processes together.

Each process counts, and tells Redis a few times a second, so that most posts wait for nobody. Processes learn
of one another's posts that much later: together they may let in what comes meanwhile. Without Redis each
counts for itself.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
TOLD_AFTER = 0.1  # seconds
FRESH = 0.3  # seconds for which what Redis said is believed
KNOWN = 1_000  # addresses in memory

TooMany = tuple[int, int]  # how many posts are, and in how many seconds there may be some again


@dataclass(slots=True)
class _Count:
    """Of one address and minute: what Redis last said of all posts, and what it was not told of ours."""

    window: int
    before: int = 0  # in the minute before
    told: int = 0
    untold: int = 0
    asked_at: float = 0

    def weight(self, into: float) -> int:
        """What counts now: of the minute before, less and less."""
        return int(self.before * (1 - into / WINDOW) + self.told + self.untold)


@dataclass(eq=False)
class PostingRates:
    """Belongs to one event loop."""

    redis: Redis
    _counts: OrderedDict[UUID, _Count] = field(default_factory=OrderedDict)
    _telling: asyncio.Task[None] | None = None
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def count(
        self, posts: Mapping[UUID, int], rates: Mapping[UUID, int]
    ) -> dict[UUID, TooMany]:
        """Count posts by their address; return those of which there are more than the rate a minute."""
        window, into = divmod(time.time(), WINDOW)
        for workflow_id in rates:
            self._add(workflow_id, int(window), posts[workflow_id])
        oldest = time.monotonic() - FRESH
        if any(self._counts[workflow_id].asked_at < oldest for workflow_id in rates):
            await self._tell(rates)
        elif self._telling is None:
            self._telling = asyncio.create_task(self._tell_later())
        over = {one: self._counts[one].weight(into) - rate for one, rate in rates.items()}
        wait = max(1, round(WINDOW - into))
        return {one: (count, wait) for one, count in over.items() if count > 0}

    def _add(self, workflow_id: UUID, window: int, posts: int) -> None:
        known = self._counts.get(workflow_id)
        if known is None or known.window != window:
            is_next = known is not None and known.window == window - 1
            before = known.told + known.untold if known is not None and is_next else 0
            known = self._counts[workflow_id] = _Count(window, before)
        self._counts.move_to_end(workflow_id)
        known.untold += posts

    async def _tell_later(self) -> None:
        await asyncio.sleep(TOLD_AFTER)
        self._telling = None
        await self._tell([one for one, count in self._counts.items() if count.untold])
        while len(self._counts) > KNOWN:
            self._counts.popitem(last=False)

    async def _tell(self, ids: Iterable[UUID]) -> None:
        async with self._one_at_a_time:
            counts = {one: self._counts[one] for one in ids if one in self._counts}
            told = {one: count.untold for one, count in counts.items()}
            try:
                said = await self._exchange(counts)
            except RedisError as error:
                log.warning("posts are counted without Redis: %s", error)
                said = {}
            for one, count in counts.items():
                count.asked_at = time.monotonic()
                if one in said:
                    count.untold -= told[one]
                    count.told, before = said[one]
                    count.before = max(count.before, before)

    async def _exchange(self, counts: Mapping[UUID, _Count]) -> dict[UUID, tuple[int, int]]:
        """Add what was not told; get what all processes posted, in this minute and the one before."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for workflow_id, count in counts.items():
                now, before = (f"posts:{workflow_id}:{count.window - n}" for n in (0, 1))
                pipe.incrby(now, count.untold)
                pipe.expire(now, 2 * WINDOW)
                pipe.get(before)
            told = await pipe.execute()
        return {
            one: (int(told[3 * place]), int(told[3 * place + 2] or 0))
            for place, one in enumerate(counts)
        }

    async def close(self) -> None:
        """Tell what was not told yet."""
        telling, self._telling = self._telling, None
        if telling is not None:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        await self._tell([one for one, count in self._counts.items() if count.untold])
