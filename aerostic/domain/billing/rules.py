"""What Meta charges for, as dated data: the rules of a day are the last ones that had begun by then.

When Meta announces others, a line is added here, and what was sent before keeps its own.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

FREE_ENTRY = timedelta(hours=72)  # after someone comes from an ad or a page's button


@dataclass(frozen=True, slots=True)
class Rules:
    """From `since` on. `free_service_messages`: for each number and month; None: without end."""

    since: date
    free_service_messages: int | None
    is_utility_free_in_window: bool
    service_priced_as: str = "utility"


DATED = (
    # Each template is charged for by itself; what is written freely is not.
    Rules(date(2025, 7, 1), free_service_messages=None, is_utility_free_in_window=True),
    # Answers cost what utility costs once the month's thousand are used; no free templates in the window.
    Rules(date(2026, 10, 1), free_service_messages=1000, is_utility_free_in_window=False),
)


def at(moment: datetime) -> Rules:
    """The rules of that day. Before the first ones: the first ones."""
    day = moment.date()
    return next((rules for rules in reversed(DATED) if rules.since <= day), DATED[0])
