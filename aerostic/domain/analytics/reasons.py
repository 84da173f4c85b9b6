"""Why messages failed, by code, in a sentence."""

from aerostic.integrations.meta.errors import (
    DISCONNECTED,
    FILE_LOST,
    HELD_BACK,
    NEVER_LEFT,
    OUTCOME_UNKNOWN,
    RULES,
    Rule,
)

# Codes of our own, where WhatsApp said nothing.
_OURS: dict[str, Rule] = {
    "disconnected": DISCONNECTED,
    "file_lost": FILE_LOST,
    "unknown": OUTCOME_UNKNOWN,
    "unreachable": NEVER_LEFT,
    "held_for_quality_assessment": HELD_BACK,
}


def reason_of(code: str) -> str:
    """A sentence; for a code that nobody knows, one with the code in it."""
    rule = RULES.get(int(code)) if code.lstrip("-").isdigit() else _OURS.get(code)
    if rule is not None:
        return rule.reason
    return f"WhatsApp refused it with code {code}." if code else "WhatsApp gave no reason."
