"""Questions: each checks its answer, asks again where it does not fit, and has a way out for silence."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from aerostic.core.errors import Invalid
from aerostic.core.tenancy import Context
from aerostic.domain.automation import patterns
from aerostic.domain.automation.nodes.asking import (
    NOT_UNDERSTOOD,
    Asks,
    NotAnAnswer,
    Question,
    said_in,
)
from aerostic.domain.automation.nodes.base import ERROR, TIMEOUT, Outcome, Port, Step
from aerostic.domain.automation.nodes.comparing import number
from aerostic.domain.automation.nodes.fields import (
    Line,
    Part,
    Pattern,
    Text,
    TimeZone,
    saved_as,
    widget,
)
from aerostic.domain.automation.nodes.logic import RowId, port_name, ports_of, rows_of
from aerostic.domain.contacts import fields
from aerostic.domain.inbox.drafts import (
    ROW_DESCRIPTION_LIMIT,
    ROW_TITLE_LIMIT,
    ROWS,
    TITLE_LIMIT,
    Button,
    Draft,
    Header,
    ListRow,
    ListSection,
)


class AskText(Asks):
    kind = "ask.text"
    title = "Ask for a text"
    icon = "message-circle-question"
    summary = "Asks, waits, and keeps what the contact writes."
    again = "Sorry, I did not understand that. Please answer with a text."

    class Config(Question):
        least: int = Field(
            default=1, title="Shortest answer", description="In characters.", ge=1, le=4_000
        )
        most: int = Field(default=1_000, title="Longest answer", ge=1, le=4_096)
        pattern: Pattern = Field(
            default="",
            title="Pattern",
            description="The answer must hold it, such as ^\\d{5}$ for five digits. Empty: any text.",
        )

    @classmethod
    def understood(cls, step: Step, config: Any, message: Mapping[str, Any]) -> str:
        text = said_in(message)
        if not config.least <= len(text) <= config.most:
            raise NotAnAnswer
        if config.pattern and not _fits(config.pattern, text):
            raise NotAnAnswer
        return text


def _fits(pattern: str, text: str) -> bool:
    try:
        return patterns.is_found(pattern, text)
    except patterns.BadPattern:
        return False


_NUMBER = re.compile(r"[-+]?\d[\d.,'’\s]*")


class AskNumber(Asks):
    kind = "ask.number"
    title = "Ask for a number"
    icon = "calculator"
    summary = "Asks, waits, and keeps the number in the answer."
    again = "Sorry, I need a number. Please answer with digits, such as 42."

    class Config(Question):
        least: float | None = Field(default=None, title="Smallest")
        most: float | None = Field(default=None, title="Largest")
        whole: bool = Field(default=False, title="Whole numbers only")

        @field_validator("least", "most", mode="before")
        @classmethod
        def _none(cls, value: Any) -> Any:
            return None if value == "" else value

    @classmethod
    def understood(cls, step: Step, config: Any, message: Mapping[str, Any]) -> int | float:
        found = _NUMBER.findall(said_in(message)[:200])
        value = number(_with_point(found[0])) if len(found) == 1 else None
        if value is None or (config.whole and value != int(value)):
            raise NotAnAnswer
        too_small = config.least is not None and value < config.least
        if too_small or (config.most is not None and value > config.most):
            raise NotAnAnswer
        return int(value) if value == int(value) else value


def _with_point(text: str) -> str:
    """`1.234,5`, `1,234.5` and `1 234,5` are one number; `1,234` is read as a thousand."""
    bare = re.sub(r"[\s'’]", "", text).rstrip(".,")
    if re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+(,\d+)?|[-+]?\d+,\d{1,2}|[-+]?\d+,\d{4,}", bare):
        return bare.replace(".", "").replace(",", ".")
    return bare.replace(",", "")


class AskEmail(Asks):
    kind = "ask.email"
    title = "Ask for an e-mail address"
    icon = "at-sign"
    summary = "Asks, waits, and keeps the e-mail address in the answer."
    again = "Sorry, that is not an e-mail address. Please write it like ada@example.com."

    class Config(Question):
        pass

    @classmethod
    def understood(cls, step: Step, config: Any, message: Mapping[str, Any]) -> str:
        words = [word.strip("<>,;.()") for word in said_in(message)[:1_000].split() if "@" in word]
        try:
            found = fields.email(words[0]) if len(words) == 1 else None
        except Invalid:
            found = None
        if not found:
            raise NotAnAnswer
        return found.lower()


class Earliest(StrEnum):
    ANY = "any"
    TODAY = "today"
    TOMORROW = "tomorrow"


class Order(StrEnum):
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


_YEAR_FIRST = re.compile(r"(\d{4})[-./ ](\d{1,2})[-./ ](\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})[-./ ](\d{1,2})(?:[-./ ](\d{4}|\d{2}))?\.?")
_WORDS = {
    "today": 0,
    "tomorrow": 1,
    "heute": 0,
    "morgen": 1,
    "hoy": 0,
    "mañana": 1,
    "hoje": 0,
    "amanhã": 1,
}


class AskDate(Asks):
    kind = "ask.date"
    title = "Ask for a date"
    icon = "calendar"
    summary = "Asks, waits, and keeps the day in the answer, such as 2026-12-24."
    again = "Sorry, I need a date. Please write it like 24.12.2026."

    class Config(Question):
        order: Order = Field(
            default=Order.DAY_FIRST,
            title="3/4 is",
            description="The third of April (day first), or the fourth of March.",
        )
        earliest: Earliest = Field(default=Earliest.ANY, title="Earliest day")
        days_ahead: int = Field(
            default=0,
            title="At most so many days ahead",
            description="0: as far as they like.",
            ge=0,
            le=3_660,
        )
        time_zone: TimeZone = "UTC"

    @classmethod
    def understood(cls, step: Step, config: Any, message: Mapping[str, Any]) -> str:
        today = step.now.astimezone(ZoneInfo(config.time_zone)).date()
        day = _day(said_in(message)[:100], today, config.order)
        first = today + timedelta(days=config.earliest is Earliest.TOMORROW)
        if config.earliest is not Earliest.ANY and day < first:
            raise NotAnAnswer
        if config.days_ahead and day > today + timedelta(days=config.days_ahead):
            raise NotAnAnswer
        return day.isoformat()


def _day(text: str, today: date, order: Order) -> date:
    word = text.casefold().strip(" .!")
    if word in _WORDS:
        return today + timedelta(days=_WORDS[word])
    try:
        if found := _YEAR_FIRST.search(text):
            return date(*map(int, found.groups()))
        if found := _YEAR_LAST.search(text):
            return _with_year(found, today, order)
        return datetime.fromisoformat(text.strip()).date()
    except ValueError:
        raise NotAnAnswer from None


def _with_year(found: re.Match[str], today: date, order: Order) -> date:
    """Without a year: the next time that it is this day."""
    day, month = (int(found[1]), int(found[2]))[:: 1 if order is Order.DAY_FIRST else -1]
    if found[3]:
        year = int(found[3])
        return date(year + 2000 if year < 100 else year, month, day)
    this_year = date(today.year, month, day)
    return this_year if this_year >= today else date(today.year + 1, month, day)


class Choice(Part):
    id: RowId = ""
    title: Text = Field(
        title="Title",
        description=f"At most {TITLE_LIMIT} characters on a button, {ROW_TITLE_LIMIT} in a list.",
        min_length=1,
        max_length=ROW_TITLE_LIMIT,
    )
    description: Text = Field(
        default="",
        title="Description",
        description="Shown in lists only.",
        max_length=ROW_DESCRIPTION_LIMIT,
    )


class Shown(StrEnum):
    AUTO = "auto"
    BUTTONS = "buttons"
    LIST = "list"


class AskChoice(Asks):
    kind = "ask.choice"
    title = "Ask to choose"
    icon = "list-checks"
    summary = "Asks with buttons or a list; each choice is a way to go on."
    outputs = (NOT_UNDERSTOOD, TIMEOUT, ERROR)
    again = "Please choose one of these."

    class Config(Question):
        choices: list[Choice] = Field(
            title="Choices",
            description="Up to three are buttons, up to ten a list.",
            min_length=1,
            max_length=ROWS,
            json_schema_extra=widget("rows"),
        )
        shown: Shown = Field(default=Shown.AUTO, title="Shown as")
        list_button: Line = Field(
            default="Choose", title="Button of the list", min_length=1, max_length=TITLE_LIMIT
        )
        header: Line = Field(default="", title="Header", max_length=60)
        footer: Line = Field(default="", title="Footer", max_length=60)

    @classmethod
    def outputs_of(cls, config: Mapping[str, Any]) -> tuple[Port, ...]:
        return (*ports_of(rows_of(config, "choices"), "choice"), *cls.outputs)

    @classmethod
    def draft(cls, ctx: Context, config: Any, key: str) -> Draft:
        return _offer(config, config.question, key)

    @classmethod
    def draft_again(cls, ctx: Context, config: Any, key: str) -> Draft:
        return _offer(config, config.retry_text or cls.again, key)

    @classmethod
    def understood(cls, step: Step, config: Any, message: Mapping[str, Any]) -> dict[str, str]:
        for place, choice in enumerate(config.choices, start=1):
            name = port_name(choice.id, "choice", place)
            if _is_chosen(message, name, choice.title, place):
                return {"id": name, "title": choice.title}
        raise NotAnAnswer

    @classmethod
    def goes_on(cls, step: Step, config: Any, answer: Any) -> Outcome:
        output = {"answer": answer["title"], "choice_id": answer["id"]}
        return Outcome(answer["id"], output=output, names=saved_as(config.save_as, answer["title"]))


def _is_chosen(message: Mapping[str, Any], name: str, title: str, place: int) -> bool:
    """Tapped, or typed: the title or its number in the list."""
    if message.get("choice_id"):
        return bool(message["choice_id"] == name)
    typed = said_in(message).casefold().strip(" .)!")
    return typed in {title.casefold().strip(), str(place)}


def _offer(config: Any, text: str, key: str) -> Draft:
    named = [
        (port_name(one.id, "choice", place), one)
        for place, one in enumerate(config.choices, start=1)
    ]
    header = Header(config.header) if config.header else None
    if _as_buttons(config):
        buttons = [Button(name, one.title) for name, one in named]
        return Draft.buttons(text, buttons, header=header, footer=config.footer, key=key)
    rows = [ListRow(name, one.title, one.description) for name, one in named]
    sections = [ListSection(rows)]
    return Draft.list(
        text, config.list_button, sections, header=header, footer=config.footer, key=key
    )


def _as_buttons(config: Any) -> bool:
    if config.shown is not Shown.AUTO:
        return bool(config.shown is Shown.BUTTONS)
    is_short = all(len(one.title) <= TITLE_LIMIT and not one.description for one in config.choices)
    return len(config.choices) <= 3 and is_short
