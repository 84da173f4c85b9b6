"""Ready answers: how a shortcut is spelled, and how the gaps of a text are filled. Pure."""

import re
from collections.abc import Mapping

from aerostic.core.errors import Invalid

LONGEST_TEXT = 4096  # of a WhatsApp text message

_SHORTCUT = re.compile(r"[\w-]{1,40}")
_GAP = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def shortcut_of(typed: str) -> str:
    """`/Opening-Hours` and `opening-hours` are one shortcut. Raises Invalid."""
    shortcut = typed.strip().removeprefix("/").casefold()
    if not _SHORTCUT.fullmatch(shortcut):
        raise Invalid("shortcut", "A shortcut has 1 to 40 letters, digits, hyphens or underscores.")
    return shortcut


def text_of(typed: str) -> str:
    """Raises Invalid for an empty text, or one longer than a message may be."""
    text = typed.strip()
    if not text:
        raise Invalid("text", "Write the text of the reply.")
    if len(text) > LONGEST_TEXT or "\x00" in text:
        raise Invalid("text", f"A message has at most {LONGEST_TEXT:,} characters.")
    return text


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with `{{ contact.name }}` and the like filled in. An unknown name is left empty."""
    return _GAP.sub(lambda gap: values.get(gap[1], ""), text)
