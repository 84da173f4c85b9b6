"""Liquid with limits: how `{{ contact.name }}` in a node's settings becomes a value.

Liquid and not Jinja, whose sandbox can be made to eat the machine. The limits count work, not seconds, so
that a template behaves the same on every machine: what it writes, how often it loops, how much each filter
is given. What the scope does not have is empty and named in a warning.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liquid import BoundTemplate, Environment, RenderContext, Undefined
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.filter import with_context

LONGEST_TEMPLATE = 64_000  # characters
LONGEST_TAG = 2_000
MOST_WRITTEN = 256_000  # characters, of all texts of one rendering together
MOST_TURNS = 10_000
MOST_WORK = 30_000  # lookups, filters and what they are given
MOST_ITEMS = 10_000  # of a list that a filter is given or gives
MOST_UNIQUE = 1_000
LARGEST_NUMBER = 10**15
DEEPEST = 40

Scope = Mapping[str, Any]

_SIMPLE = r"[A-Za-z_][\w-]*(?:\.[\w-]+|\[\d{1,6}\])*"
_ALONE = re.compile(rf"\s*\{{\{{-?\s*({_SIMPLE})\s*-?\}}\}}\s*")
_NAMED = re.compile(rf"\{{\{{\s*({_SIMPLE})\s*\}}\}}")
_SEGMENT = re.compile(r"[\w-]+")
_OPENING = re.compile(r"\{\{|\{%")
_UNSUPPORTED = re.compile(r"-?\s*(raw|doc|include|render)\b")
_TAGS = re.compile(r"<[^<>]*>")
_MISSING = object()


class TemplateProblem(Exception):
    """A template can not be read, or asks for too much. The sentence is for who wrote it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Rendered:
    """A value with every expression in it replaced. `warnings` name what the scope does not have."""

    value: Any
    warnings: tuple[str, ...] = ()


def render(value: Any, scope: Scope) -> Rendered:
    """Replace every expression in texts, lists and objects. Raises TemplateProblem.

    A text that is one `{{ expression }}` alone keeps the type of its value.
    """
    return Template(value).render(scope)


class Template:
    """A value that is rendered again and again: what stands where in it is looked up once.

    The parts without an expression are shared by all that it gives, and not to be changed.
    """

    __slots__ = ("_fill", "_value", "_written")

    def __init__(self, value: Any) -> None:
        self._value = value
        self._written = sum(len(text) for text in _texts(value) if not has_expression(text))
        self._fill = _filler(value, 0)

    def render(self, scope: Scope) -> Rendered:
        """As `render`. Raises TemplateProblem."""
        work = _Work()
        work.add(self._written)
        if self._fill is None:
            return Rendered(self._value)
        rendered = self._fill(scope, work)
        return Rendered(rendered, tuple(_warning(path) for path in work.missing))


def has_expression(value: Any) -> bool:
    """Whether something in it is only known when it is rendered."""
    return any("{{" in text or "{%" in text for text in _texts(value))


def paths_in(value: Any) -> set[str]:
    """What it asks of the scope: `contact.name`, `nodes.n1.output[0].id`. Unreadable texts ask nothing."""
    found: set[str] = set()
    for text in _texts(value):
        if alone := _ALONE.fullmatch(text):
            found.add(alone[1])
        elif has_expression(text) and not check(text):
            used = _parsed(text).analyze().globals.values()
            found.update(str(variable) for variables in used for variable in variables)
    return found


def check(text: str) -> list[str]:
    """What is wrong with a template, in sentences; nothing is rendered."""
    if not has_expression(text):
        return []
    try:
        used = _parsed(text).analyze().filters
    except TemplateProblem as problem:
        return [problem.sentence]
    unknown = sorted(name for name in used if name not in _LIQUID.filters)
    return [f"There is no filter “{name}”." for name in unknown]


# Walking ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Work:
    """What one rendering has done so far."""

    written: int = 0
    turns: int = 0
    units: int = 0
    missing: dict[str, None] = field(default_factory=dict)

    def miss(self, path: str) -> None:
        if len(self.missing) < 50:
            self.missing[path] = None

    def add(self, length: int) -> None:
        self.written += length
        if self.written > MOST_WRITTEN:
            raise TemplateProblem(f"This writes more than {MOST_WRITTEN // 1000} kB of text.")

    def write(self, text: str) -> str:
        self.add(len(text))
        return text

    def do(self, units: int = 1) -> None:
        self.units += units
        if self.units > MOST_WORK:
            raise TemplateProblem("This template takes too long. Make it simpler.")

    def turn(self, count: int) -> None:
        self.turns += count
        if self.turns > MOST_TURNS:
            raise TemplateProblem(
                f"The loops of this template turn more than {MOST_TURNS:,} times."
            )


_Fill = Callable[[Scope, _Work], Any]


def _filler(value: Any, depth: int) -> _Fill | None:
    """What makes the value anew from a scope; nothing where it is always the same."""
    if isinstance(value, str):
        return _text_filler(value) if has_expression(value) else None
    if not isinstance(value, Mapping | list | tuple):
        return None
    if depth > DEEPEST:
        return _too_deep
    places = value.items() if isinstance(value, Mapping) else enumerate(value)
    found = ((place, _filler(part, depth + 1)) for place, part in places)
    fills = [(place, fill) for place, fill in found if fill is not None]
    copied = dict if isinstance(value, Mapping) else list
    return partial(_fill_parts, copied, value, fills) if fills else None


def _fill_parts(
    copied: Callable[[Any], Any],
    value: Any,
    fills: list[tuple[Any, _Fill]],
    scope: Scope,
    work: _Work,
) -> Any:
    made = copied(value)
    for place, fill in fills:
        made[place] = fill(scope, work)
    return made


def _too_deep(_scope: Scope, _work: _Work) -> Any:
    raise TemplateProblem(f"This is nested more than {DEEPEST} deep.")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _text_filler(text: str) -> _Fill:
    """Plain names are the commonest: no need of Liquid."""
    if alone := _ALONE.fullmatch(text):
        return partial(_fill_alone, alone[1], _segments(alone[1]))
    if pieces := _pieces(text):
        return partial(_fill_pieces, pieces)
    return lambda scope, work: _rendered(_parsed(text), scope, work)


def _fill_alone(path: str, segments: tuple[str, ...], scope: Scope, work: _Work) -> Any:
    return _counted(_plain(_looked_up(path, segments, scope, work)), work)


def _pieces(text: str) -> tuple[str, ...]:
    """The text between names and the names in turn; nothing where there is more to it than names."""
    pieces = tuple(_NAMED.split(text)) if len(text) <= 4_000 else ()
    return () if has_expression(pieces[::2]) else pieces


def _fill_pieces(pieces: tuple[str, ...], scope: Scope, work: _Work) -> str:
    filled = list(pieces)
    for place in range(1, len(filled), 2):
        path = filled[place]
        filled[place] = written(_looked_up(path, _segments(path), scope, work))
    return work.write("".join(filled))


@lru_cache(maxsize=4_000)
def _segments(path: str) -> tuple[str, ...]:
    return tuple(_SEGMENT.findall(path))


def _looked_up(path: str, segments: tuple[str, ...], scope: Scope, work: _Work) -> Any:
    work.do()
    found: Any = scope
    for segment in segments:
        if type(found) is dict and segment in found:
            found = found[segment]
            continue
        found = _item(found, segment)
        if found is _MISSING:
            work.miss(path)
            return ""
    return found


def part_of(value: Any, path: str) -> Any:
    """The part of a value that `orders[0].total` names; nothing where there is none."""
    for segment in _segments(path):
        value = _item(value, segment)
        if value is _MISSING:
            return None
    return value


def _item(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        if name in holder:
            return holder[name]
        return len(holder) if name == "size" else _MISSING
    if isinstance(holder, list | tuple):
        return _item_of_list(holder, name)
    return len(holder) if name == "size" and isinstance(holder, str) else _MISSING


def _item_of_list(items: list[Any] | tuple[Any, ...], name: str) -> Any:
    if name == "size":
        return len(items)
    place = {"first": 0, "last": -1}.get(name, int(name) if name.isdecimal() else None)
    if place is None or not -len(items) <= place < len(items):
        return _MISSING
    return items[place]


def _rendered(template: BoundTemplate, scope: Scope, work: _Work) -> Any:
    context = _Context(template, globals=scope)
    context.work = work
    try:
        if len(template.nodes) == 1 and isinstance(template.nodes[0], OutputNode):
            value = template.nodes[0].expression.evaluate(context)
            return _counted(_plain(_unless_missing(value, work)), work)
        buffer = template._get_buffer()
        template.render_with_context(context, buffer)
        return work.write(buffer.getvalue())
    except ResourceLimitError as error:
        raise TemplateProblem("This template writes or keeps too much text.") from error
    except LiquidError as error:
        raise TemplateProblem(_sentence(error)) from error
    except (ArithmeticError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise TemplateProblem("A filter of this template can not work with its value.") from error


def _counted(value: Any, work: _Work) -> Any:
    return work.write(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """As JSON knows it. What came straight from the scope is so already."""
    if type(value) in _PLAIN or isinstance(value, str | bool | int | float | dict):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | range):
        if len(value) > MOST_ITEMS:
            raise TemplateProblem(f"A list may have at most {MOST_ITEMS:,} items.")
        return [_plain(part) for part in value]
    return str(value)


_PLAIN = frozenset({type(None), str, bool, int, float, dict})


def _warning(path: str) -> str:
    return f"“{path}” is empty: there is no such value here."


# Liquid -------------------------------------------------------------------------------------------


class _Nothing(Undefined):
    """What the scope does not have: empty, and remembered once it is written."""

    __slots__ = ("path",)

    def __init__(self, name: str, *, hint: str | None = None, **known: Any) -> None:
        super().__init__(name, hint=hint, **known)
        self.path = (hint or name).removesuffix(" is undefined").strip("'")


class _Context(RenderContext):
    """Counts what a template does."""

    __slots__ = ("work",)
    work: _Work

    def get(self, path: list[object], **options: Any) -> object:
        self.work.do()
        return super().get(path, **options)

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        return partial(_limited, super().filter(name, token), name, self.work)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.work.turn(length)


def _limited(
    action: Callable[..., object], name: str, work: _Work, value: Any, *given: Any, **named: Any
) -> object:
    """Apply a filter to what is not too big, and to what it would not make too big."""
    if name != "default":
        value = _unless_missing(value, work)
    work.do(1 + sum(_size(one) for one in (value, *given)))
    if name in {"replace", "replace_first"} and len(given) > 1:
        _check_replacement(str(value), str(given[0]), str(given[1]))
    if name == "join" and isinstance(value, list | tuple):
        between = len(str(given[0])) if given else 1
        _check_length(sum(len(str(one)) + between for one in value))
    if name == "uniq" and isinstance(value, list) and len(value) > MOST_UNIQUE:
        raise TemplateProblem(f"The filter uniq takes at most {MOST_UNIQUE:,} items.")
    made = action(value, *given, **named)
    _size(made)
    return made


def _unless_missing(value: Any, work: _Work) -> Any:
    if isinstance(value, _Nothing):
        work.miss(value.path)
        return ""
    return value


def _size(value: Any) -> int:
    """In units of work. Raises TemplateProblem for what is too big at all."""
    if isinstance(value, str):
        _check_length(len(value))
        return len(value) // 64
    if isinstance(value, list | tuple | range):
        if len(value) > MOST_ITEMS:
            raise TemplateProblem(f"A filter takes lists of at most {MOST_ITEMS:,} items.")
        return len(value) // 8
    if isinstance(value, int | float | Decimal) and abs(float(value)) > LARGEST_NUMBER:
        raise TemplateProblem("A number in this template is too large.")
    return 0


def _check_replacement(text: str, old: str, new: str) -> None:
    _check_length(len(text) + text.count(old) * max(0, len(new) - len(old)))


def _check_length(length: int) -> None:
    if length > MOST_WRITTEN:
        raise TemplateProblem(f"A text in this template is longer than {MOST_WRITTEN // 1000} kB.")


class _WrittenNode(OutputNode):
    """`{{ … }}` inside of a text. A list or an object is written as JSON."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return _write(self.expression.evaluate(context), context, buffer)


class _Written(Output):
    node_class = _WrittenNode


class _EchoNode(EchoNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return _write(self.expression.evaluate(context), context, buffer)


class _Echo(EchoTag):
    node_class = _EchoNode


class _LoopNode(ForNode):
    """Looks how long a range is before Liquid turns it into a list to reverse it."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        _size(self.expression.iterable.evaluate(context))
        return int(super().render_to_output(context, buffer))


class _Loop(ForTag):
    node_class = _LoopNode


def _write(value: Any, context: RenderContext, buffer: Any) -> int:
    assert isinstance(context, _Context)
    context.work.do()
    text = context.work.write(written(_unless_missing(value, context.work)))
    return int(buffer.write(text))


def written(value: Any) -> str:
    """A value as it stands in a text: yes and no as true and false, nothing as nothing, the rest as JSON."""
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    if plain is None:
        return ""
    if type(plain) is int:
        return str(plain)
    return json.dumps(plain, ensure_ascii=False, default=str)


def _as_json(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, default=str)


def _without_tags(value: Any) -> str:
    return _TAGS.sub("", written(value))


@with_context
def _date(value: Any, pattern: str = "%Y-%m-%d", zone: str = "UTC", *, context: _Context) -> str:
    """`{{ now | date: "%H:%M", "Europe/Berlin" }}`. What is no date stays as it is."""
    at = context.scope.get("now") if value in ("now", "today") else value
    found = moment(at)
    if found is None:
        return written(value)
    if len(str(pattern)) > 100:
        raise TemplateProblem("The pattern of a date has at most 100 characters.")
    return found.astimezone(_zone(zone)).strftime(str(pattern))


def moment(value: Any) -> datetime | None:
    """The moment that a text, a number of seconds or a date names. Without a zone it is UTC."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TemplateProblem(
            f"“{name}” is not a time zone. Write it like Europe/Berlin."
        ) from None


class _Environment(Environment):
    context_depth_limit = 20
    block_nesting_limit = 20
    output_stream_limit = 4 * MOST_WRITTEN  # in bytes
    local_namespace_limit = 4 * MOST_WRITTEN


def _environment() -> _Environment:
    made = _Environment(undefined=_Nothing)
    for tag in (_Written, _Echo, _Loop):
        made.add_tag(tag)
    for unused in ("include", "render", "doc", "tablerow"):
        del made.tags[unused]
    for unused in ("safe", "escapejs", "newline_to_br"):
        del made.filters[unused]
    made.add_filter("date", _date)
    made.add_filter("json", _as_json)
    made.add_filter("strip_html", _without_tags)
    return made


_LIQUID = _environment()


def _parsed(text: str) -> BoundTemplate:
    """Raises TemplateProblem. Short texts are read once."""
    return _parsed_once(text) if len(text) <= 4_000 else _parse(text)


@lru_cache(maxsize=2_000)
def _parsed_once(text: str) -> BoundTemplate:
    return _parse(text)


def _parse(text: str) -> BoundTemplate:
    _check_shape(text)
    try:
        return _LIQUID.from_string(text)
    except LiquidError as error:
        raise TemplateProblem(_sentence(error)) from error


def _check_shape(text: str) -> None:
    """Every opening has its end before the next: Liquid's own reader needs the square of the time else."""
    if len(text) > LONGEST_TEMPLATE:
        raise TemplateProblem(f"A text has at most {LONGEST_TEMPLATE:,} characters.")
    place = 0
    while opening := _OPENING.search(text, place):
        ending = "}}" if opening[0] == "{{" else "%}"
        end = text.find(ending, opening.end())
        inside = text[opening.end() : end]
        if end < 0 or _OPENING.search(inside):
            raise TemplateProblem(f"“{opening[0]}” has no “{ending}”.")
        _check_tag(inside)
        place = end + 2


def _check_tag(inside: str) -> None:
    if len(inside) > LONGEST_TAG or " " * 100 in inside:
        raise TemplateProblem(f"An expression has at most {LONGEST_TAG:,} characters.")
    if not inside.strip(" -\n\t"):
        raise TemplateProblem("There is an empty “{{ }}”. Write the name of a value in it.")
    if found := _UNSUPPORTED.match(inside):
        raise TemplateProblem(f"The tag “{found[1]}” can not be used here.")


def _sentence(error: LiquidError) -> str:
    reason = str(error.args[0] if error.args else error).strip().rstrip(".")
    return f"This template can not be read: {reason}."
