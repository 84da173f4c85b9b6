"""How fast one session may call, and the `RateLimit-*` headers that tell it."""

import time
from functools import cache

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from aerostic.core import queue
from aerostic.core.errors import TooMany

PER_SESSION = RateLimitItemPerMinute(1200, namespace="api")


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    pool = queue.connection().connection_pool
    return SlidingWindowCounterRateLimiter(RedisStorage("redis://", connection_pool=pool))


def count(request: Request, caller: str) -> None:
    """Count one call. Raises TooMany. Without Redis nothing is counted: work goes on."""
    try:
        allowed = _limiter().hit(PER_SESSION, caller)
        window = _limiter().get_window_stats(PER_SESSION, caller)
    except RedisError:
        return
    wait = max(1, round(window.reset_time - time.time()))
    request.state.rate_limit = {
        "RateLimit-Limit": str(PER_SESSION.amount),
        "RateLimit-Remaining": str(window.remaining),
        "RateLimit-Reset": str(wait),
        "RateLimit-Policy": f"{PER_SESSION.amount};w=60",
    }
    if not allowed:
        raise TooMany("That is too many calls for now. Please slow down.", retry_after=wait)
