"""A template with its gaps filled: what Meta is sent, and what the thread shows.

Variables are named by place: `body.1` or `body.first_name`, `header.1`, `header.media` (id of our file),
`header.latitude` and `header.longitude`, `button.0` (rest of a link, a coupon code, or what a quick reply
brings back). Cloud API reference: message templates, components.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aerostic.core.errors import Invalid
from aerostic.domain.inbox.drafts import BODY_LIMIT, MEDIA_MARK, SMALL_LIMIT
from aerostic.domain.templates.models import Template

Node = dict[str, Any]
GAP = re.compile(r"\{\{\s*(\w+)\s*\}\}")
FILE_HEADERS = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document", "GIF": "video"}
AUTHENTICATION_TEXT = "{{1}} is your verification code."
_BUTTON_PLACE = re.compile(r"^button[ .](\d+)(\.\w+)?$")


@dataclass(frozen=True, slots=True)
class Filled:
    """`node` goes to Meta; `shown` and `text` are what the thread keeps."""

    node: Node
    shown: Node
    text: str
    media_id: UUID | None


@dataclass(slots=True)
class _Values:
    """What was given, and which of it has been asked for."""

    given: Mapping[str, str]
    used: set[str] = field(default_factory=set)

    def needed(self, place: str, gap: str) -> str:
        value = self.perhaps(place)
        if not value.strip():
            raise Invalid(place, f"The template needs a value for {gap}.")
        return value

    def perhaps(self, place: str) -> str:
        self.used.add(place)
        return self.given.get(place, "")


def fill(template: Template, variables: Mapping[str, str]) -> Filled:
    """Raises Invalid for a gap without a value, a value without a gap, and text that Meta refuses."""
    values = _Values(
        {_BUTTON_PLACE.sub(r"button.\1", name): text for name, text in variables.items()}
    )
    is_named = template.parameter_format.upper() == "NAMED"
    shown: Node = {"name": template.name, "language": {"code": template.language}}
    components = list(_components(template, values, is_named, shown))
    if surplus := sorted(set(values.given) - values.used):
        raise Invalid(surplus[0], f"The template has no gap “{surplus[0]}”.")
    node: Node = {"name": template.name, "language": {"code": template.language}}
    if components:
        node["components"] = components
    header = values.given.get("header.media")
    return Filled(node, shown, str(shown.pop("body", "")), UUID(header) if header else None)


def _components(template: Template, values: _Values, is_named: bool, shown: Node) -> Iterator[Node]:
    is_code = template.category.upper() == "AUTHENTICATION"
    for component in template.components:
        kind = str(component.get("type", "")).upper()
        if kind == "HEADER":
            yield from _header(component, values, is_named, shown)
        elif kind == "BODY":
            text = str(component.get("text") or (AUTHENTICATION_TEXT if is_code else ""))
            filled, parameters = _text("body", text, values, is_named, BODY_LIMIT)
            shown["body"] = filled
            if parameters:
                yield {"type": "body", "parameters": parameters}
        elif kind == "FOOTER":
            shown["footer"] = component.get("text", "")
        elif kind == "BUTTONS":
            yield from _buttons(component, values, shown, is_code)


def _header(component: Node, values: _Values, is_named: bool, shown: Node) -> Iterator[Node]:
    shape = str(component.get("format", "TEXT")).upper()
    if shape == "TEXT":
        text = str(component.get("text", ""))
        shown["header"], parameters = _text("header", text, values, is_named, SMALL_LIMIT)
    elif shape == "LOCATION":
        parameters = [_location(values)]
    elif shape in FILE_HEADERS:
        parameters = [_file(FILE_HEADERS[shape], values)]
    else:
        raise Invalid(
            "header", f"A header of the kind {shape.lower()} can not be sent from here yet."
        )
    if parameters:
        yield {"type": "header", "parameters": parameters}


def _file(kind: str, values: _Values) -> Node:
    media_id = values.needed("header.media", "the file in its header")
    try:
        UUID(media_id)
    except ValueError:
        raise Invalid("header.media", "The header's file must be named by its id.") from None
    return {"type": kind, kind: {"id": f"{MEDIA_MARK}{UUID(media_id)}"}}


def _location(values: _Values) -> Node:
    try:
        place: Node = {
            part: float(values.needed(f"header.{part}", f"the {part} in its header"))
            for part in ("latitude", "longitude")
        }
    except ValueError:
        raise Invalid("header.latitude", "Write latitude and longitude as numbers.") from None
    for part in ("name", "address"):
        if text := values.perhaps(f"header.{part}"):
            place[part] = text
    return {"type": "location", "location": place}


def _text(
    place: str, text: str, values: _Values, is_named: bool, most: int
) -> tuple[str, list[Node]]:
    """The filled text, and a parameter for each of its gaps in order."""
    names = list(dict.fromkeys(GAP.findall(text)))
    filled = {
        name: values.needed(f"{place}.{name}", f"{{{{{name}}}}} in its {place}") for name in names
    }
    for name, value in filled.items():
        _check_value(f"{place}.{name}", value)
    whole = GAP.sub(lambda found: filled[found.group(1)], text)
    if len(whole) > most:
        raise Invalid(
            place,
            f"With its values the {place} has {len(whole):,} characters; WhatsApp takes {most:,}.",
        )
    return whole, [_parameter(name, value, is_named) for name, value in filled.items()]


def _parameter(name: str, value: str, is_named: bool) -> Node:
    node = {"type": "text", "text": value}
    return node | {"parameter_name": name} if is_named else node


def _check_value(place: str, value: str) -> None:
    """Meta refuses these inside of a template's text."""
    if any(sign in value for sign in ("\n", "\r", "\t", "\x00")) or "     " in value:
        raise Invalid(place, "A value may hold no line break, tab or long run of spaces.")


def _buttons(component: Node, values: _Values, shown: Node, is_code: bool) -> Iterator[Node]:
    shown["buttons"] = []
    for index, button in enumerate(component.get("buttons", [])):
        kind = str(button.get("type", "")).upper()
        shown["buttons"].append({"title": str(button.get("text", ""))})
        if parameter := _button(kind, button, index, values, is_code):
            sub_type = "url" if kind == "OTP" else kind.lower()
            yield {
                "type": "button",
                "sub_type": sub_type,
                "index": index,
                "parameters": [parameter],
            }


def _button(kind: str, button: Node, index: int, values: _Values, is_code: bool) -> Node | None:
    place = f"button.{index}"
    if kind == "OTP" or (is_code and kind == "URL"):
        return {"type": "text", "text": values.needed("body.1", "the code")}
    if kind == "URL" and GAP.search(str(button.get("url", ""))):
        return {"type": "text", "text": values.needed(place, f"the link of button {index + 1}")}
    if kind == "COPY_CODE":
        return {"type": "coupon_code", "coupon_code": values.needed(place, "its coupon code")}
    if kind == "QUICK_REPLY" and (payload := values.perhaps(place)):
        return {"type": "payload", "payload": payload}
    return None
