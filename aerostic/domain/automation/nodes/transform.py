"""Values made into other values without code: a list of typed operations, one after the other."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import orjson
from pydantic import Field

from aerostic.domain.automation import patterns, templates
from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    Group,
    Instant,
    NodeConfig,
    NodeFailed,
    Outcome,
    Step,
)
from aerostic.domain.automation.nodes.comparing import Comparison, compare, number
from aerostic.domain.automation.nodes.fields import (
    Anything,
    Line,
    Paragraphs,
    Part,
    Pattern,
    Text,
    TimeZone,
    Unit,
    VariableName,
    length_of,
    saved_as,
    widget,
)

LONGEST = 256_000
MOST_ITEMS = 10_000
MOST_JSON = 1_000_000


class Renaming(Part):
    old: Text = Field(title="From", min_length=1, max_length=200)
    new: Text = Field(title="To", min_length=1, max_length=200)


class Pick(Part):
    """Of an object, or of each object of a list."""

    do: Literal["pick"] = "pick"
    fields: list[Text] = Field(
        title="Keep only", description="Paths such as id or customer.name.", max_length=100
    )


class Drop(Part):
    do: Literal["drop"] = "drop"
    fields: list[Text] = Field(title="Leave out", max_length=100)


class Rename(Part):
    do: Literal["rename"] = "rename"
    fields: list[Renaming] = Field(title="Names", max_length=100, json_schema_extra=widget("rows"))


class Get(Part):
    do: Literal["get"] = "get"
    path: Text = Field(
        title="Path", description="Such as orders[0].total or items.first.", max_length=500
    )


class Filter(Part):
    do: Literal["filter"] = "filter"
    field: Text = Field(
        default="",
        title="Field",
        description="Of each item. Empty: the item itself.",
        max_length=200,
    )
    compare: Comparison = Field(default=Comparison.EQUALS, title="Is")
    to: Anything = Field(default="", title="Compared with")


class Sort(Part):
    do: Literal["sort"] = "sort"
    field: Text = Field(default="", title="By", max_length=200)
    descending: bool = Field(default=False, title="Largest first")


class Take(Part):
    do: Literal["take"] = "take"
    count: int = Field(default=10, title="How many", ge=1, le=MOST_ITEMS)
    skip: int = Field(default=0, title="Leave out the first", ge=0, le=MOST_ITEMS)


class Join(Part):
    """A list becomes a text; `each` is what is written of an item."""

    do: Literal["join"] = "join"
    separator: str = Field(default=", ", title="Between them", max_length=100)
    field: Text = Field(
        default="",
        title="Field",
        description="Of each item. Empty: the item itself.",
        max_length=200,
    )


class Split(Part):
    do: Literal["split"] = "split"
    separator: str = Field(default=",", title="At", min_length=1, max_length=100)


class Format(Part):
    do: Literal["format"] = "format"
    text: Paragraphs = Field(
        title="Text",
        description="[field] stands for a field of the object; [value] for the value itself.",
        max_length=20_000,
    )


class Case(StrEnum):
    UPPER = "upper"
    LOWER = "lower"
    TITLE = "title"
    TRIM = "trim"
    DIGITS = "digits"


class ChangeCase(Part):
    do: Literal["case"] = "case"
    to: Case = Field(default=Case.TRIM, title="Make it")


class Extract(Part):
    do: Literal["extract"] = "extract"
    pattern: Pattern = Field(
        title="Pattern", description="Its first group, or all that it finds.", min_length=1
    )


class ParseJson(Part):
    do: Literal["parse_json"] = "parse_json"


class ToJson(Part):
    do: Literal["to_json"] = "to_json"


class Reckoning(StrEnum):
    ADD = "add"
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    DIVIDE = "divide"
    ROUND = "round"


class Reckon(Part):
    do: Literal["reckon"] = "reckon"
    how: Reckoning = Field(default=Reckoning.ADD, title="Do")
    by: Anything = Field(
        default=0, title="With", description="For rounding: digits after the point."
    )


class Summing(StrEnum):
    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    SMALLEST = "smallest"
    LARGEST = "largest"


class Sum(Part):
    do: Literal["sum"] = "sum"
    how: Summing = Field(default=Summing.SUM, title="Do")
    field: Text = Field(default="", title="Of the field", max_length=200)


class ShiftDate(Part):
    do: Literal["shift_date"] = "shift_date"
    amount: float = Field(
        default=1,
        title="By",
        description="Less than nothing: into the past.",
        ge=-10_000,
        le=10_000,
    )
    unit: Unit = Field(default=Unit.DAYS, title="Unit")


class FormatDate(Part):
    do: Literal["format_date"] = "format_date"
    pattern: str = Field(
        default="%d.%m.%Y", title="Pattern", description="Such as %d.%m.%Y %H:%M.", max_length=100
    )
    time_zone: TimeZone = "UTC"


class DateDifference(Part):
    do: Literal["date_difference"] = "date_difference"
    until: Line = Field(
        default="", title="Until", description="A date. Empty: now.", max_length=100
    )
    unit: Unit = Field(default=Unit.DAYS, title="In")


Operation = Annotated[
    Pick
    | Drop
    | Rename
    | Get
    | Filter
    | Sort
    | Take
    | Join
    | Split
    | Format
    | ChangeCase
    | Extract
    | ParseJson
    | ToJson
    | Reckon
    | Sum
    | ShiftDate
    | FormatDate
    | DateDifference,
    Field(discriminator="do"),
]


class Transform(Instant):
    kind = "data.transform"
    title = "Transform"
    group = Group.DATA
    icon = "wand-sparkles"
    summary = "Makes a value into another, step by step: pick, rename, filter, join, dates, sums."
    outputs = (OUT, ERROR)

    class Config(NodeConfig):
        value: Anything = Field(
            default="",
            title="Begin with",
            description="Such as {{ apiResponse.body.orders }}.",
        )
        operations: list[Operation] = Field(
            title="Then", min_length=1, max_length=30, json_schema_extra=widget("rows")
        )
        save_as: VariableName = Field(
            default="", title="Keep the result as", description="{{ vars.result }} for result."
        )

    @classmethod
    def run(cls, step: Step, config: Any) -> Outcome:
        value = config.value
        for place, operation in enumerate(config.operations, start=1):
            try:
                value = _DO[operation.do](value, operation, step)
            except NodeFailed as failed:
                raise NodeFailed(f"Operation {place}: {failed.sentence}") from failed
        return Outcome(output=value, names=saved_as(config.save_as, value))


# What each does -----------------------------------------------------------------------------------


def at_path(value: Any, path: str) -> Any:
    """The part of a value that `orders[0].total` names; nothing where there is none."""
    if not path.strip():
        return value
    return templates.part_of(value, path)


def _each(value: Any, change: Callable[[Mapping[str, Any]], Any]) -> Any:
    if isinstance(value, Mapping):
        return change(value)
    return [change(one) for one in _list(value) if isinstance(one, Mapping)]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NodeFailed("this needs a list.")
    if len(value) > MOST_ITEMS:
        raise NodeFailed(f"a list has at most {MOST_ITEMS:,} items here.")
    return value


def _text(value: Any) -> str:
    text = templates.written(value)
    if len(text) > LONGEST:
        raise NodeFailed(f"a text has at most {LONGEST:,} characters here.")
    return text


def _number(value: Any) -> float:
    found = number(value)
    if found is None:
        raise NodeFailed(f"“{templates.written(value)[:60]}” is not a number.")
    return found


def _plain(value: float) -> int | float:
    if abs(value) > 1e15:
        raise NodeFailed("the number is too large.")
    return int(value) if value == int(value) else round(value, 10)


def _moment(value: Any) -> datetime:
    found = templates.moment(value)
    if found is None:
        raise NodeFailed(
            f"“{templates.written(value)[:60]}” is not a date. Write it like 2026-12-24."
        )
    return found


def _pick(value: Any, how: Any, _: Step) -> Any:
    return _each(
        value, lambda one: {path.rpartition(".")[2]: at_path(one, path) for path in how.fields}
    )


def _drop(value: Any, how: Any, _: Step) -> Any:
    return _each(
        value, lambda one: {name: part for name, part in one.items() if name not in how.fields}
    )


def _rename(value: Any, how: Any, _: Step) -> Any:
    names = {one.old: one.new for one in how.fields}
    return _each(value, lambda one: {names.get(name, name): part for name, part in one.items()})


def _filter(value: Any, how: Any, _: Step) -> Any:
    return [one for one in _list(value) if compare(at_path(one, how.field), how.compare, how.to)]


def _sort(value: Any, how: Any, _: Step) -> Any:
    """Numbers before texts, and what has no value at the end."""

    def place(one: Any) -> tuple[int, float, str]:
        part = at_path(one, how.field)
        found = number(part)
        if found is not None:
            return 0, found, ""
        return (2, 0, "") if part in (None, "") else (1, 0, _text(part).casefold())

    return sorted(_list(value), key=place, reverse=how.descending)


def _take(value: Any, how: Any, _: Step) -> Any:
    return _list(value)[how.skip : how.skip + how.count]


def _join(value: Any, how: Any, _: Step) -> Any:
    parts = [_text(at_path(one, how.field)) for one in _list(value)]
    if sum(map(len, parts)) + len(how.separator) * len(parts) > LONGEST:
        raise NodeFailed(f"a text has at most {LONGEST:,} characters here.")
    return how.separator.join(parts)


def _split(value: Any, how: Any, _: Step) -> Any:
    return _list([part.strip() for part in _text(value).split(how.separator)])


def _format(value: Any, how: Any, _: Step) -> Any:
    if isinstance(value, list):
        return [_formatted(one, how.text) for one in _list(value)]
    return _formatted(value, how.text)


def _formatted(value: Any, text: str) -> str:
    """Names in brackets are replaced in one pass, so that a value with brackets stays as it is."""
    pieces, rest = [], text
    while "[" in rest:
        before, _, after = rest.partition("[")
        name, closing, rest = after.partition("]")
        pieces.append(before)
        if not closing:
            return _text("".join(pieces) + "[" + name)
        pieces.append(_text(value if name == "value" else at_path(value, name)))
    return _text("".join(pieces) + rest)


def _case(value: Any, how: Any, _: Step) -> Any:
    text = _text(value)
    if how.to is Case.DIGITS:
        return "".join(sign for sign in text if sign.isascii() and sign.isdigit())
    if how.to is Case.TRIM:
        return " ".join(text.split())
    return {Case.UPPER: text.upper, Case.LOWER: text.lower, Case.TITLE: text.title}[how.to]()


def _extract(value: Any, how: Any, _: Step) -> Any:
    try:
        found = patterns.groups(how.pattern, _text(value))
    except patterns.BadPattern as error:
        raise NodeFailed(str(error)) from error
    if found is None:
        return ""
    return found[1] if len(found) > 1 else found[0]


def _parse_json(value: Any, _how: Any, _: Step) -> Any:
    if not isinstance(value, str):
        return value
    if len(value) > MOST_JSON:
        raise NodeFailed("the text is too long.")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise NodeFailed(f"this is not JSON: {error}.") from error


def _to_json(value: Any, _how: Any, _: Step) -> Any:
    return _text(orjson.dumps(value).decode())


def _reckon(value: Any, how: Any, _: Step) -> Any:
    one, other = _number(value), _number(how.by)
    if how.how is Reckoning.DIVIDE and not other:
        raise NodeFailed("nothing can be divided by zero.")
    if how.how is Reckoning.ROUND:
        return _plain(round(one, max(0, min(10, int(other)))))
    results = {
        Reckoning.ADD: lambda: one + other,
        Reckoning.SUBTRACT: lambda: one - other,
        Reckoning.MULTIPLY: lambda: one * other,
        Reckoning.DIVIDE: lambda: one / other,
    }
    return _plain(results[how.how]())


def _sum(value: Any, how: Any, _: Step) -> Any:
    parts = [at_path(one, how.field) for one in _list(value)]
    if how.how is Summing.COUNT:
        return len([part for part in parts if part not in (None, "")] if how.field else parts)
    numbers = [_number(part) for part in parts if part not in (None, "")]
    if not numbers:
        return 0 if how.how is Summing.SUM else None
    results: dict[Summing, Callable[[], float]] = {
        Summing.SUM: lambda: sum(numbers),
        Summing.AVERAGE: lambda: sum(numbers) / len(numbers),
        Summing.SMALLEST: lambda: min(numbers),
        Summing.LARGEST: lambda: max(numbers),
    }
    return _plain(results[how.how]())


def _shift_date(value: Any, how: Any, _: Step) -> Any:
    try:
        return (_moment(value) + length_of(how.amount, how.unit)).isoformat()
    except OverflowError:
        raise NodeFailed("that date is too far away.") from None


def _format_date(value: Any, how: Any, _: Step) -> Any:
    return _moment(value).astimezone(ZoneInfo(how.time_zone)).strftime(how.pattern)


def _date_difference(value: Any, how: Any, step: Step) -> Any:
    until = _moment(how.until) if how.until.strip() else step.now
    return _plain(round((until - _moment(value)) / timedelta(**{how.unit.value: 1}), 4))


_DO: dict[str, Callable[[Any, Any, Step], Any]] = {
    "pick": _pick,
    "drop": _drop,
    "rename": _rename,
    "get": lambda value, how, _: at_path(value, how.path),
    "filter": _filter,
    "sort": _sort,
    "take": _take,
    "join": _join,
    "split": _split,
    "format": _format,
    "case": _case,
    "extract": _extract,
    "parse_json": _parse_json,
    "to_json": _to_json,
    "reckon": _reckon,
    "sum": _sum,
    "shift_date": _shift_date,
    "format_date": _format_date,
    "date_difference": _date_difference,
}
