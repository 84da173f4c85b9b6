"""How often something may happen, counted in Redis over a moving window, for all processes together."""

import math
import time
from dataclasses import dataclass
from functools import cache

from limits import RateLimitItem
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter
from redis import Redis

from aerostic.core import queue


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of one more: whether it is within the limit, how many are left, and until when."""

    is_allowed: bool
    left: int
    seconds_to_wait: int


def count_exactly(limit: RateLimitItem, whose: str) -> Counted:
    """Count one, remembering each: for few that matter. Raises RedisError."""
    return _count(MovingWindowRateLimiter(_storage()), limit, whose)


def count_roughly(limit: RateLimitItem, whose: str) -> Counted:
    """Count one, remembering two sums: for many. Raises RedisError."""
    return _count(SlidingWindowCounterRateLimiter(_storage()), limit, whose)


def forget(limit: RateLimitItem, whose: str) -> None:
    """Begin counting anew. Raises RedisError."""
    MovingWindowRateLimiter(_storage()).clear(limit, whose)


def _count(limiter: RateLimiter, limit: RateLimitItem, whose: str) -> Counted:
    is_allowed = limiter.hit(limit, whose)
    window = limiter.get_window_stats(limit, whose)
    wait = max(1, math.ceil(window.reset_time - time.time()))
    return Counted(is_allowed, window.remaining, wait)


def _storage() -> RedisStorage:
    return _storage_on(queue.prompt_connection())


@cache
def _storage_on(connection: Redis) -> RedisStorage:
    return RedisStorage("redis://", connection_pool=connection.connection_pool)
