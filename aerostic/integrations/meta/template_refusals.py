"""What Meta refuses about templates, by the subcode of its error, as sentences with the place to look at.

Source: Cloud API error codes, message template creation (2388…) and library (2593…).
"""

from typing import Any

from aerostic.core.errors import Refused


class TemplateRefused(Refused):
    """Meta does not take a template as it is. `place` is a path into its definition; empty: all of it."""

    code = "template_refused"

    def __init__(self, message: str, *, place: str = "", subcode: int = 0) -> None:
        super().__init__(message)
        self.place, self.subcode = place, subcode

    def fields(self) -> list[tuple[str, str]]:
        return [(self.place, self.message)] if self.place else []


LANGUAGE_EXISTS = 2388024
NOT_THERE = 2593002

_SENTENCES: dict[int, tuple[str, str]] = {
    2388019: (
        "",
        "This account has as many templates as Meta allows. Delete some that you do not use.",
    ),
    2388023: (
        "name",
        "A template of this name was deleted not long ago. Meta lets its name be used again 30 days "
        "after; choose another one.",
    ),
    2388024: (
        "language",
        "Meta already has a template of this name in this language. Synchronise to see it here.",
    ),
    2388299: ("body.text", "A variable can not stand at the beginning or end of the text."),
    2593002: ("", "Meta has no such template any more. Synchronise to see what there is."),
    2593085: ("", "Meta lets a template be changed only while it is approved, rejected or paused."),
}


def template_refusal(error: dict[str, Any]) -> TemplateRefused | None:
    """Meta's error as ours, if it is about a template. What Meta itself tells the person comes along."""
    subcode = error.get("error_subcode")
    told = str(error.get("error_user_msg") or "").strip()
    if isinstance(subcode, int) and subcode in _SENTENCES:
        place, sentence = _SENTENCES[subcode]
        return TemplateRefused(_with(sentence, told), place=place, subcode=subcode)
    if isinstance(subcode, int) and subcode // 1000 in {2388, 2593} and told:
        return TemplateRefused(f"Meta refused: {told}", subcode=subcode)
    return None


def _with(sentence: str, told: str) -> str:
    return f"{sentence} Meta says: {told}" if told and told not in sentence else sentence


# Why a review failed, by the reason of the webhook and of the listing.
_REJECTIONS = {
    "ABUSIVE_CONTENT": "Meta found content in it that may threaten, insult or discriminate.",
    "CATEGORY_NOT_AVAILABLE": "Meta does not allow this category for this account.",
    "INCORRECT_CATEGORY": "Its content belongs to another category. Choose that one and submit it again.",
    "INVALID_FORMAT": (
        "Something about its form is wrong: often a variable without clear words around it, a missing "
        "example, or a spelling mistake."
    ),
    "NONE": "",
    "PROMOTIONAL": "It reads like marketing, but was submitted as something else. Choose Marketing.",
    "SCAM": "Meta suspects a fraud in it.",
    "TAG_CONTENT_MISMATCH": (
        "Its words do not fit its category or language. Check both, then submit it again."
    ),
}


def rejection_in_words(reason: str | None) -> str:
    """Meta's reason as a sentence; its own word where it is a new one; nothing for no reason."""
    if not reason:
        return ""
    known = _REJECTIONS.get(reason.upper())
    words = reason.replace("_", " ").lower()
    return known if known is not None else f"Meta's reason: {words}."
