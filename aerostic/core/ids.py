"""Identifiers. UUIDv7: unique without asking anyone, and ordered by the time of making."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

EPOCH = UUID(int=0)


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562): 48 bits of unix milliseconds, then randomness."""
    return uuid7()


def first_id_at(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond: the bound of a partition or of a search in time."""
    milliseconds = min(max(0, int(moment.timestamp() * 1000)), 2**48 - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (0x2 << 62))


def moment_of(identifier: UUID) -> datetime:
    """When a UUIDv7 was made."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
