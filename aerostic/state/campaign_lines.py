"""A campaign's draft as its wizard shows it: gaps with what fills them, times as people write them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from aerostic.core.errors import Invalid
from aerostic.domain.campaigns import timing
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.campaigns.variables import CONTACT_FIELDS, Source, SourceKind
from aerostic.domain.templates.gaps import VARIABLE, Gap, gaps
from aerostic.domain.templates.models import Template
from aerostic.state.choices import Choice

FIXED = "text"
MEDIA_WORDS = {"IMAGE": "Picture", "VIDEO": "Video", "DOCUMENT": "Document", "GIF": "Animation"}
PLACES = {"header": "Header", "body": "Text", "button": "Button", "offer": "Offer"}
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
# What a gap of this name most likely means.
_LIKELY = {"name": "contact:name", "first_name": "contact:first_name", "1": "contact:first_name"}


@dataclass(frozen=True)
class TemplateLine:
    """An approved template to choose from. `share`: its weight where texts are compared."""

    id: str = ""
    name: str = ""
    language: str = ""
    category: str = ""
    body: str = ""
    account_id: str = ""
    is_chosen: bool = False

    @classmethod
    def of(cls, one: Template, chosen: Sequence[str]) -> "TemplateLine":
        return cls(
            id=str(one.id),
            name=one.name,
            language=one.language,
            category=one.category.capitalize(),
            body=part_of(one, "BODY"),
            account_id=str(one.account_id),
            is_chosen=str(one.id) in chosen,
        )


@dataclass(frozen=True)
class GapLine:
    """A gap of one text, and what fills it: `text`, `contact:…`, `attribute:…` or `column:…`."""

    variant: int = 0
    key: str = ""
    label: str = ""
    example: str = ""
    is_file: bool = False
    accept: str = ""
    source: str = FIXED
    text: str = ""
    fallback: str = ""
    template: str = ""


@dataclass(frozen=True)
class Button:
    label: str
    icon: str


@dataclass(frozen=True)
class Bubble:
    """A message as a phone shows it. `media` names what stands above it."""

    media: str = ""
    media_url: str = ""
    header: str = ""
    body: str = ""
    footer: str = ""
    buttons: list[Button] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)


def part_of(template: Template, kind: str) -> str:
    """The text of a part of the template as it is written, or nothing."""
    found = next((one for one in template.components if one.get("type") == kind), {})
    return str(found.get("text") or "")


# What fills the gaps ----------------------------------------------------------------------------


def sources_of(fields: Mapping[str, str], columns: Sequence[str]) -> list[Choice]:
    """Everything that a gap can be filled with."""
    return [
        Choice(FIXED, "The same text for everyone"),
        *(Choice(f"contact:{key}", label) for key, label in CONTACT_FIELDS.items()),
        *(Choice(f"attribute:{key}", label) for key, label in fields.items()),
        *(Choice(f"column:{column}", f"{column} (of the list)") for column in columns),
    ]


def gap_lines(
    variant: int, template: Template, known: Mapping[str, Source], offered: Sequence[Choice]
) -> list[GapLine]:
    """The gaps of a text with what fills them so far; the likely source where nothing does yet."""
    return [
        _gap_line(variant, template, gap, known.get(gap.key), offered) for gap in gaps(template)
    ]


def _gap_line(
    variant: int, template: Template, gap: Gap, source: Source | None, offered: Sequence[Choice]
) -> GapLine:
    place = PLACES.get(gap.place, gap.place.replace(".", " ").capitalize())
    label = f"{place}: the file" if gap.is_file else f"{place}: {{{{{gap.name}}}}}"
    chosen, text, fallback = _filled(source) if source else (_likely(gap, offered), "", "")
    return GapLine(
        variant=variant,
        key=gap.key,
        label=f"Link of button {int(gap.name) + 1}" if gap.place == "button" else label,
        example=gap.example,
        is_file=gap.is_file,
        accept={"image": "image/jpeg,image/png", "video": "video/mp4"}.get(gap.kind.value, ""),
        source=FIXED if gap.is_file else chosen,
        text=text,
        fallback=fallback,
        template=template.name,
    )


def _filled(source: Source) -> tuple[str, str, str]:
    if source.kind is SourceKind.TEXT:
        return FIXED, source.key, ""
    return f"{source.kind}:{source.key}", "", source.fallback


def _likely(gap: Gap, offered: Sequence[Choice]) -> str:
    """A column or field of the gap's own name first, then what such names usually mean."""
    if gap.place not in ("body", "header"):
        return FIXED
    named = [
        one.value for one in offered if one.value.partition(":")[2].lower() == gap.name.lower()
    ]
    return named[-1] if named else _LIKELY.get(gap.name.lower(), FIXED)


def source_of(line: GapLine) -> Source:
    """What is stored for a gap. Raises Invalid where nothing fills it yet."""
    if line.source != FIXED:
        kind, _, key = line.source.partition(":")
        return Source(kind=SourceKind(kind), key=key, fallback=line.fallback.strip())
    if not line.text.strip():
        missing = "Choose its file." if line.is_file else "Write its text, or choose a field."
        raise Invalid("variables", f"{line.label} of “{line.template}” is empty. {missing}")
    return Source(kind=SourceKind.TEXT, key=line.text.strip())


# The message on a phone -------------------------------------------------------------------------


def bubble_of(template: Template, values: Mapping[str, str]) -> Bubble:
    """The template with these values; a gap without one stays visible."""
    found: dict[str, str] = {}
    buttons: list[Button] = []
    cards: list[str] = []
    for part in template.components:
        kind = str(part.get("type", "")).upper()
        if kind == "HEADER" and str(part.get("format", "TEXT")).upper() != "TEXT":
            shape = str(part["format"]).upper()
            found["media"] = MEDIA_WORDS.get(shape, "Place")
            given = values.get("header.media", "")
            found["media_url"] = f"/media/{given}" if given and shape == "IMAGE" else ""
        elif kind in ("HEADER", "BODY", "FOOTER"):
            found[kind.lower()] = _with_values(str(part.get("text") or ""), kind.lower(), values)
        elif kind == "BUTTONS":
            buttons = [_button(one) for one in part.get("buttons", [])]
        elif kind == "CAROUSEL":
            cards = [_card(index, one, values) for index, one in enumerate(part.get("cards", []))]
    return Bubble(**found, buttons=buttons, cards=cards)


def _with_values(text: str, place: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda gap: values.get(f"{place}.{gap[1]}") or gap[0], text)


def _button(button: Mapping[str, object]) -> Button:
    icons = {"URL": "external-link", "PHONE_NUMBER": "phone", "COPY_CODE": "copy"}
    return Button(
        str(button.get("text") or "Copy the code"), icons.get(str(button["type"]), "reply")
    )


def _card(index: int, card: Mapping[str, object], values: Mapping[str, str]) -> str:
    parts = card.get("components")
    for part in parts if isinstance(parts, list) else []:
        if str(part.get("type", "")).upper() == "BODY":
            return _with_values(str(part.get("text") or ""), f"card.{index}", values)
    return f"Card {index + 1}"


# When -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class When:
    """Times as the form writes them, by the workspace's clock. `kind`: now, at, repeat."""

    kind: str = "now"
    moment: str = ""  # 2026-11-30T10:00
    by_their_clock: bool = False
    is_quiet: bool = False
    quiet_from: str = "21:00"
    quiet_until: str = "08:00"
    every: str = "week"  # day, week, month, or other: what a program wrote
    weekday: str = "1"
    at: str = "10:00"
    cron: str = ""


def when_of(stored: Timing) -> When:
    """How the form shows stored times."""
    zone = ZoneInfo(stored.time_zone)
    start = stored.starts_at.astimezone(zone) if stored.starts_at else None
    every, weekday, at = _read_cron(stored.cron or "0 10 * * 1")
    clock = stored.local_time or (start and f"{start:%H:%M}") or ""
    return When(
        kind="repeat" if stored.cron else "at" if start else "now",
        moment=f"{start:%Y-%m-%d}T{clock}" if start else "",
        by_their_clock=bool(stored.local_time),
        is_quiet=bool(stored.quiet_from),
        quiet_from=stored.quiet_from or "21:00",
        quiet_until=stored.quiet_until or "08:00",
        every=every,
        weekday=weekday,
        at=at,
        cron=stored.cron or "",
    )


def timing_of(when: When, zone: str) -> Timing:
    """What is stored. Raises Invalid."""
    chosen: dict[str, object] = {"time_zone": zone}
    if when.is_quiet:
        chosen |= {"quiet_from": when.quiet_from, "quiet_until": when.quiet_until}
    if when.kind == "at":
        start = _moment(when.moment, zone)
        chosen["starts_at"] = start
        if when.by_their_clock:
            chosen["local_time"] = f"{start:%H:%M}"
    elif when.kind == "repeat":
        chosen["cron"] = _cron(when)
    return timing.read(chosen)


def _moment(text: str, zone: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise Invalid("timing", "Choose the day and the hour.") from error


def _cron(when: When) -> str:
    if when.every == "other" and when.cron:
        return when.cron
    hour, _, minute = when.at.partition(":")
    if not (hour.isdigit() and minute.isdigit()):
        raise Invalid("timing", "Choose the hour.")
    day, weekday = ("1", "*") if when.every == "month" else ("*", "*")
    if when.every == "week":
        weekday = when.weekday
    return f"{int(minute)} {int(hour)} {day} * {weekday}"


def _read_cron(cron: str) -> tuple[str, str, str]:
    """Every what, on which weekday, at what hour."""
    minute, hour, day, month, weekday = cron.split()
    is_plain = minute.isdigit() and hour.isdigit() and month == "*"
    at = f"{int(hour):02}:{int(minute):02}" if is_plain else "10:00"
    if is_plain and (day, weekday) == ("*", "*"):
        return "day", "1", at
    if is_plain and day == "*" and weekday.isdigit():
        return "week", str(int(weekday) % 7), at
    if is_plain and (day, weekday) == ("1", "*"):
        return "month", "1", at
    return "other", "1", at
