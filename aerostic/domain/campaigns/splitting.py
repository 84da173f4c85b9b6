"""Who gets which text, and who is left out to compare with: by the contact's id, so always the same. Pure."""

from collections.abc import Sequence
from uuid import UUID


def is_held_out(contact_id: UUID, percent: int) -> bool:
    """The last bytes of a UUIDv7 are random."""
    return int.from_bytes(contact_id.bytes[14:]) % 100 < percent


def variant_of(contact_id: UUID, shares: Sequence[int]) -> int:
    """Which of the texts, by their weights."""
    place = int.from_bytes(contact_id.bytes[11:14]) % sum(shares)
    for variant, share in enumerate(shares):
        place -= share
        if place < 0:
            return variant
    raise AssertionError("the shares sum to more than any place")
