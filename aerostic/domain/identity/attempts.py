"""How often one may guess: per account, per address, per code. Counted in Redis, in moving windows.

Each attempt is counted before it is looked at, so that a hundred at once do not slip by. Without Redis
nobody can count, and so nobody may guess.
"""

import math
from ipaddress import ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from redis.exceptions import RedisError

from aerostic.core import rates
from aerostic.core.crypto import keyed_digest
from aerostic.core.errors import TooMany, Unavailable

SIGN_INS_PER_ACCOUNT = RateLimitItemPerMinute(10, 15, namespace="sign-in-account")
SIGN_INS_PER_ADDRESS = RateLimitItemPerMinute(60, 15, namespace="sign-in-address")
MAILS_PER_ACCOUNT = RateLimitItemPerHour(5, namespace="mail-account")
MAILS_PER_ADDRESS = RateLimitItemPerHour(30, namespace="mail-address")
TRIES_PER_CODE = RateLimitItemPerHour(5, namespace="code")
TRIES_PER_ADDRESS = RateLimitItemPerHour(60, namespace="code-address")
CHECKS_PER_USER = RateLimitItemPerMinute(10, 15, namespace="user-check")
INVITATIONS_PER_TENANT = RateLimitItemPerHour(100, namespace="invitations")


def count(limit: RateLimitItem, whose: str) -> int:
    """Count one attempt; return how many are left.

    Raises TooMany past the limit, Unavailable where it can not be counted.
    """
    if not whose:  # no address is known: a command line or a test of the domain
        return limit.amount
    try:
        counted = rates.count_exactly(limit, _name(whose))
    except RedisError as error:
        raise paused() from error
    if not counted.is_allowed:
        raise _too_many(counted.seconds_to_wait)
    return counted.left


def forget(limit: RateLimitItem, whose: str) -> None:
    """The attempt was rightful: start counting anew."""
    try:
        rates.forget(limit, _name(whose))
    except RedisError as error:
        raise paused() from error


def network_of(ip: str) -> str:
    """Whom an address counts as: with IPv6 a whole /64, because one household is given that many."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if address.version == 4:
        return ip
    if address.ipv4_mapped:  # as a socket for both kinds names it: not all of IPv4 is one household
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))


def paused() -> Unavailable:
    """Why nobody can sign in without Redis, for the person who tries to."""
    return Unavailable(
        "Signing in is paused while one of our servers restarts. Please try again in a minute."
    )


def _name(whose: str) -> str:
    """Addresses and e-mails do not lie readable in Redis."""
    return keyed_digest(whose, purpose="attempts")


def _too_many(seconds: int) -> TooMany:
    minutes = math.ceil(seconds / 60)
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    return TooMany(f"Too many attempts. Please wait {wait} and try again.", retry_after=seconds)
