"""Why someone was not written to, or why it failed, in words."""

from aerostic.domain.audiences.suppression import WORDS as LEFT_ALONE
from aerostic.domain.campaigns.models import SkipReason
from aerostic.integrations.meta.errors import RULES

_OURS: dict[str, str] = {
    **{str(reason): words for reason, words in LEFT_ALONE.items()},
    SkipReason.ERASED: "Erased, or merged into another contact",
    SkipReason.VARIABLE_MISSING: "A variable has no value for them",
    SkipReason.VARIABLE_REFUSED: "WhatsApp takes no message with their values",
    SkipReason.NO_PRICE: "Their number belongs to no market with a price",
    SkipReason.HELD_OUT: "Left out on purpose, to compare with",
    "unreachable": "WhatsApp could not be reached",
    "disconnected": "The number was disconnected",
    "file_lost": "The template's file is not here any more",
}


def words_of(reason: str | None) -> str:
    """A sentence for people; Meta's own code where we know no better."""
    if not reason:
        return ""
    if reason in _OURS:
        return _OURS[reason]
    rule = RULES.get(int(reason)) if reason.isdigit() else None
    return rule.reason if rule else f"WhatsApp refused it ({reason})"
