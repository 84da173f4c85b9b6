"""How fast one session may call, and the `RateLimit-*` headers that tell it."""

from fastapi import Request
from limits import RateLimitItemPerMinute
from redis.exceptions import RedisError

from aerostic.core import rates
from aerostic.core.errors import TooMany

PER_SESSION = RateLimitItemPerMinute(1200, namespace="api")


def count(request: Request, caller: str) -> None:
    """Count one call. Raises TooMany. Without Redis nothing is counted: work goes on."""
    try:
        counted = rates.count_roughly(PER_SESSION, caller)
    except RedisError:
        return
    request.state.rate_limit = {
        "RateLimit-Limit": str(PER_SESSION.amount),
        "RateLimit-Remaining": str(counted.left),
        "RateLimit-Reset": str(counted.seconds_to_wait),
        "RateLimit-Policy": f"{PER_SESSION.amount};w=60",
    }
    if not counted.is_allowed:
        sentence = "That is too many calls for now. Please slow down."
        raise TooMany(sentence, retry_after=counted.seconds_to_wait)
