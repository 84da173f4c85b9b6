"""How long people waited: counts by seconds, their middle, and words for it."""

from collections.abc import Mapping

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def quantile(waits: Mapping[int, int], share: float) -> int | None:
    """The seconds within which that share of all waits ended; None where nobody waited.

    As exact as the counts are kept: to the second below a minute, to the minute below a day.
    """
    total = sum(waits.values())
    reached = 0
    for seconds, many in sorted(waits.items()):
        reached += many
        if reached >= total * share:
            return seconds
    return None


def in_words(seconds: int | None) -> str:
    """`42 s`, `3 min`, `2 h 5 min`, `1 d 4 h`; a dash for what was not."""
    if seconds is None:
        return "–"
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return _two(seconds // HOUR, "h", seconds % HOUR // MINUTE, "min")
    return _two(seconds // DAY, "d", seconds % DAY // HOUR, "h")


def _two(whole: int, of: str, part: int, of_part: str) -> str:
    return f"{whole} {of} {part} {of_part}" if part else f"{whole} {of}"
