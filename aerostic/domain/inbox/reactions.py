"""Reactions as a message keeps them: one of the contact and one of ours, as WhatsApp has it.

`{"contact": {"emoji": "👍"}, "us": {"emoji": "❤️", "user_id": "…"}}`. Ours has no user when it was given on
the phone. A new one of the same side takes the place of the old; an empty emoji takes it away.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

CONTACT = "contact"
US = "us"


def with_reaction(
    reactions: Mapping[str, Any], who: str, emoji: str, user_id: UUID | None = None
) -> dict[str, Any]:
    """The reactions after `who` (`CONTACT` or `US`) reacted."""
    others = {side: given for side, given in reactions.items() if side != who}
    if not emoji:
        return others
    given = {"emoji": emoji} | ({"user_id": str(user_id)} if user_id else {})
    return others | {who: given}
