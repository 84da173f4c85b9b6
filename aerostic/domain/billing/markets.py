"""In which of Meta's markets a recipient is: by the calling code, or by the country in a business-scoped id.

The list is ours, after Meta's table of countries and regions. What stands in `data/markets.csv`: a country,
its calling codes (the longest that fits wins: +1 809 is not North America), and its market.
"""

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources

DATA = "aerostic.domain.billing.data"
LONGEST_CODE = 4


def market_of(recipient: str) -> str | None:
    """The market of a number (digits only) or of a business-scoped id; None where it is in none."""
    if recipient[:2].isalpha():
        return _by_country().get(recipient[:2].upper())
    codes = _by_code()
    for length in range(LONGEST_CODE, 0, -1):
        if found := codes.get(recipient[:length]):
            return found
    return None


@cache
def names() -> tuple[str, ...]:
    """Every market, by name."""
    return tuple(sorted(set(_by_country().values())))


@cache
def _by_code() -> dict[str, str]:
    return {code: row["market"] for row in _rows() for code in row["calling_codes"].split()}


@cache
def _by_country() -> dict[str, str]:
    return {row["country"]: row["market"] for row in _rows()}


def _rows() -> Iterator[dict[str, str]]:
    text = resources.files(DATA).joinpath("markets.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
