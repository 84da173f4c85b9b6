"""Typed comparisons: what a condition and a switch ask."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from aerostic.domain.automation import patterns, templates
from aerostic.domain.automation.nodes.base import NodeFailed
from aerostic.domain.automation.nodes.fields import Anything, Part, widget


class Comparison(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    BEGINS = "begins"
    ENDS = "ends"
    MATCHES = "matches"
    ONE_OF = "one_of"
    GREATER = "greater"
    AT_LEAST = "at_least"
    LESS = "less"
    AT_MOST = "at_most"
    EMPTY = "empty"
    NOT_EMPTY = "not_empty"
    TRUE = "true"
    FALSE = "false"


ALONE = {Comparison.EMPTY, Comparison.NOT_EMPTY, Comparison.TRUE, Comparison.FALSE}


class Condition(Part):
    """A value, how it is compared, and with what."""

    value: Anything = Field(default="", title="Value", description="Such as {{ contact.country }}.")
    compare: Comparison = Field(default=Comparison.EQUALS, title="Is")
    to: Anything = Field(
        default="",
        title="Compared with",
        description="A text, a number, a date, a list, or an expression.",
        json_schema_extra=widget("json", hidden_for=sorted(ALONE)),
    )


def holds(condition: Condition, *, match_case: bool = False) -> bool:
    """Whether it is so. Raises NodeFailed for what can not be compared in that way."""
    return compare(condition.value, condition.compare, condition.to, match_case=match_case)


def compare(value: Any, how: Comparison, to: Any, *, match_case: bool = False) -> bool:
    """Numbers and dates compare as such, also where they stand in a text; the rest compares as text."""
    if how in _ALONE:
        return _ALONE[how](value)
    if how in _ORDERED:
        return _in_order(value, to, _ORDERED[how])
    if how is Comparison.MATCHES:
        return _matches(value, to, match_case)
    if how is Comparison.ONE_OF:
        return any(_equal(value, one, match_case) for one in _items(to))
    return _TEXTUAL[how](value, to, match_case)


def number(value: Any) -> float | None:
    """The number that a value is or that a text holds; yes and no are none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    text = str(value).strip()
    try:
        return float(text) if len(text) <= 40 and text.lower() not in _NO_NUMBERS else None
    except ValueError:
        return None


_NO_NUMBERS = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}
_YES = {"true", "yes", "1", "on"}


def is_empty(value: Any) -> bool:
    """Nothing, an empty text, list or object. Zero and no are something."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, Mapping | list) and not value)


def is_true(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in _YES
    return bool(value)


def _text(value: Any, match_case: bool) -> str:
    text = " ".join(templates.written(value).split())
    return text if match_case else text.casefold()


def _equal(value: Any, to: Any, match_case: bool) -> bool:
    one, other = number(value), number(to)
    if one is not None and other is not None:
        return one == other
    if isinstance(value, Mapping | list) and isinstance(to, Mapping | list):
        return value == to
    return _text(value, match_case) == _text(to, match_case)


def _contains(value: Any, to: Any, match_case: bool) -> bool:
    if isinstance(value, list):
        return any(_equal(one, to, match_case) for one in value)
    if isinstance(value, Mapping):
        return str(to) in value
    return _text(to, match_case) in _text(value, match_case)


def _items(to: Any) -> list[Any]:
    """A list, or what stands between commas."""
    if isinstance(to, list):
        return to
    return [part.strip() for part in templates.written(to).split(",")]


def _in_order(value: Any, to: Any, ask: Callable[[Any, Any], bool]) -> bool:
    if is_empty(value) or is_empty(to):
        return False
    for reader in (number, _moment):
        one, other = reader(value), reader(to)
        if one is not None and other is not None:
            return ask(one, other)
    raise NodeFailed(
        f"“{templates.written(value)[:60]}” and “{templates.written(to)[:60]}” can not be put in order: "
        "they are not both numbers or both dates."
    )


def _moment(value: Any) -> datetime | None:
    return None if isinstance(value, int | float) else templates.moment(value)


def _matches(value: Any, to: Any, match_case: bool) -> bool:
    try:
        return patterns.is_found(
            templates.written(to), templates.written(value), ignore_case=not match_case
        )
    except patterns.BadPattern as error:
        raise NodeFailed(str(error)) from error


_ALONE: dict[Comparison, Callable[[Any], bool]] = {
    Comparison.EMPTY: is_empty,
    Comparison.NOT_EMPTY: lambda value: not is_empty(value),
    Comparison.TRUE: is_true,
    Comparison.FALSE: lambda value: not is_true(value),
}
_ORDERED: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.GREATER: lambda one, other: bool(one > other),
    Comparison.AT_LEAST: lambda one, other: bool(one >= other),
    Comparison.LESS: lambda one, other: bool(one < other),
    Comparison.AT_MOST: lambda one, other: bool(one <= other),
}
_TEXTUAL: dict[Comparison, Callable[[Any, Any, bool], bool]] = {
    Comparison.EQUALS: _equal,
    Comparison.NOT_EQUALS: lambda value, to, case: not _equal(value, to, case),
    Comparison.CONTAINS: _contains,
    Comparison.NOT_CONTAINS: lambda value, to, case: not _contains(value, to, case),
    Comparison.BEGINS: lambda value, to, case: _text(value, case).startswith(_text(to, case)),
    Comparison.ENDS: lambda value, to, case: _text(value, case).endswith(_text(to, case)),
}
