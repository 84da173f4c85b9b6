"""How the value of a contact's field is compared: which tests fit its type, and what each is in SQL."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, case, func, or_
from sqlalchemy.types import Numeric
from sqlmodel import col

from aerostic.core.errors import Invalid
from aerostic.domain.audiences.filters import MOST_DAYS, Attribute, Test
from aerostic.domain.contacts.models import AttributeType, Contact, ContactAttribute

Text = ColumnElement[str]

TESTS: dict[AttributeType, tuple[Test, ...]] = {
    AttributeType.TEXT: (Test.IS, Test.CONTAINS, Test.STARTS_WITH, Test.IS_KNOWN),
    AttributeType.NUMBER: (Test.IS, Test.AT_LEAST, Test.AT_MOST, Test.IS_KNOWN),
    AttributeType.DATE: (
        Test.IS,
        Test.BEFORE,
        Test.AFTER,
        Test.IN_LAST_DAYS,
        Test.IN_NEXT_DAYS,
        Test.ANNIVERSARY_IN_DAYS,
        Test.IS_KNOWN,
    ),
    AttributeType.CHOICE: (Test.IS, Test.IS_KNOWN),
    AttributeType.YES_NO: (Test.IS, Test.IS_KNOWN),
}
LONGEST_ANNIVERSARY = 60


def condition(today: date, wanted: Attribute, attribute: ContactAttribute) -> ColumnElement[bool]:
    """Unknown for who has no such value. Raises Invalid where the test or a value does not fit."""
    kind = AttributeType(attribute.type)
    if wanted.test not in TESTS[kind]:
        test = wanted.test.replace("_", " ")
        raise Invalid("filter", f"“{attribute.label}” can not be compared by “{test}”.")
    text: Text = col(Contact.attributes)[wanted.key].astext
    if wanted.test is Test.IS_KNOWN:
        return text.is_not(None)
    if not wanted.values:
        raise Invalid("filter", f"Say what “{attribute.label}” is compared with.")
    return _COMPARES[kind](today, wanted, attribute, text)


def _texts(
    _: date, wanted: Attribute, attribute: ContactAttribute, text: Text
) -> ColumnElement[bool]:
    lowered, values = func.lower(text), [str(value).lower() for value in wanted.values]
    match wanted.test:
        case Test.CONTAINS:
            return or_(*(func.strpos(lowered, value) > 0 for value in values))
        case Test.STARTS_WITH:
            return or_(*(func.starts_with(lowered, value) for value in values))
        case _:
            return lowered.in_(values)


def _numbers(
    _: date, wanted: Attribute, attribute: ContactAttribute, text: Text
) -> ColumnElement[bool]:
    # A field of the same name may have held words before: those are no number.
    is_number = func.jsonb_typeof(col(Contact.attributes)[wanted.key]) == "number"
    number = case((is_number, text)).cast(Numeric)
    values = [_number(attribute, value) for value in wanted.values]
    match wanted.test:
        case Test.AT_LEAST:
            return number >= values[0]
        case Test.AT_MOST:
            return number <= values[0]
        case _:
            return number.in_(values)


def _dates(
    today: date, wanted: Attribute, attribute: ContactAttribute, text: Text
) -> ColumnElement[bool]:
    """Days are kept as `2026-11-30`, whose order as text is their order in time."""
    match wanted.test:
        case Test.BEFORE:
            return text < _day(attribute, wanted.values[0])
        case Test.AFTER:
            return text > _day(attribute, wanted.values[0])
        case Test.IN_LAST_DAYS:
            days = _days(attribute, wanted.values[0])
            return text.between(str(today - timedelta(days=days)), str(today))
        case Test.IN_NEXT_DAYS:
            days = _days(attribute, wanted.values[0])
            return text.between(str(today), str(today + timedelta(days=days)))
        case Test.ANNIVERSARY_IN_DAYS:
            days = min(_days(attribute, wanted.values[0]), LONGEST_ANNIVERSARY)
            coming = [today + timedelta(days=ahead) for ahead in range(days + 1)]
            return func.substr(text, 6).in_(_anniversaries(coming))
        case _:
            return text.in_([_day(attribute, value) for value in wanted.values])


def _anniversaries(days: Sequence[date]) -> list[str]:
    """`MM-DD` of each; who was born on 29 February celebrates on the 28th in other years."""
    found = [f"{day:%m-%d}" for day in days]
    leap = any(day.month == 2 and day.day == 29 for day in days)
    return [*found, "02-29"] if "02-28" in found and not leap and not _is_leap(days) else found


def _is_leap(days: Sequence[date]) -> bool:
    year = days[0].year
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _choices(
    _: date, wanted: Attribute, attribute: ContactAttribute, text: Text
) -> ColumnElement[bool]:
    return text.in_([str(value) for value in wanted.values])


def _yes_no(
    _: date, wanted: Attribute, attribute: ContactAttribute, text: Text
) -> ColumnElement[bool]:
    return text == ("true" if _is_yes(wanted.values[0]) else "false")


def _is_yes(value: object) -> bool:
    return value is True or str(value).lower() in ("true", "yes")


_COMPARES: dict[
    AttributeType,
    Callable[[date, Attribute, ContactAttribute, Text], ColumnElement[bool]],
] = {
    AttributeType.TEXT: _texts,
    AttributeType.NUMBER: _numbers,
    AttributeType.DATE: _dates,
    AttributeType.CHOICE: _choices,
    AttributeType.YES_NO: _yes_no,
}


def _number(attribute: ContactAttribute, value: object) -> float:
    try:
        return float(str(value))
    except ValueError as error:
        raise Invalid("filter", f"“{attribute.label}” is a number; “{value}” is none.") from error


def _day(attribute: ContactAttribute, value: object) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise Invalid(
            "filter", f"“{attribute.label}” is a date. Write the day like 2026-11-30."
        ) from error


def _days(attribute: ContactAttribute, value: object) -> int:
    days = _number(attribute, value)
    if not 0 <= days <= MOST_DAYS:
        raise Invalid("filter", f"“{attribute.label}”: give between 0 and 3,650 days.")
    return int(days)
