"""Patterns that a workflow's author writes. RE2 needs linear time, whatever the pattern and the text."""

from functools import lru_cache
from typing import Any

import re2

LONGEST_PATTERN = 500
LONGEST_TEXT = 10_000  # of what is looked at
MEMORY = 1 << 20


class BadPattern(ValueError):
    """The text is no pattern; the message says why."""


def check(pattern: str) -> str:
    """The pattern itself. Raises BadPattern."""
    _compiled(pattern, ignore_case=True)
    return pattern


def is_found(pattern: str, text: str, *, ignore_case: bool = True) -> bool:
    """Whether the pattern stands anywhere in the text. Raises BadPattern."""
    return _compiled(pattern, ignore_case=ignore_case).search(text[:LONGEST_TEXT]) is not None


def groups(pattern: str, text: str, *, ignore_case: bool = True) -> list[str] | None:
    """What the pattern found and each of its groups; None where it stands nowhere. Raises BadPattern."""
    found = _compiled(pattern, ignore_case=ignore_case).search(text[:LONGEST_TEXT])
    return None if found is None else [found.group(0), *(one or "" for one in found.groups())]


@lru_cache(maxsize=1_000)
def _compiled(pattern: str, *, ignore_case: bool) -> Any:
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"A pattern has at most {LONGEST_PATTERN} characters.")
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.max_mem = MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadPattern(f"This is not a pattern: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    given = error.args[0] if error.args else "it can not be read"
    return given.decode(errors="replace") if isinstance(given, bytes) else str(given)
