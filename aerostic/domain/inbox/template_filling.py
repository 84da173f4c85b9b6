"""A template with its gaps filled: what Meta is sent, and what the thread shows.

Variables are named by place: `body.1` or `body.first_name`, `header.1`, `header.media` (id of our file),
`header.latitude` and `header.longitude`, `button.0` (rest of a link, a coupon code, or what a quick reply
brings back), `offer.expires_at` (a moment with its zone), and of a carousel's cards `card.0.media`,
`card.0.1`, `card.0.button.0`. Cloud API reference: message templates, components.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from aerostic.core.errors import Invalid
from aerostic.domain.inbox.drafts import BODY_LIMIT, MEDIA_MARK, SMALL_LIMIT
from aerostic.domain.templates.models import Template

Node = dict[str, Any]
GAP = re.compile(r"\{\{\s*(\w+)\s*\}\}")
FILE_HEADERS = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document", "GIF": "video"}
AUTHENTICATION_TEXT = "{{1}} is your verification code."
_BUTTON_PLACE = re.compile(r"^(card\.\d+\.)?button[ .](\d+)(\.\w+)?$")


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
        {_BUTTON_PLACE.sub(r"\1button.\2", name): text for name, text in variables.items()}
    )
    is_named = template.parameter_format.upper() == "NAMED"
    shown: Node = {"name": template.name, "language": {"code": template.language}}
    is_code = template.category.upper() == "AUTHENTICATION"
    components = list(_components(template.components, values, is_named, shown, is_code))
    if surplus := sorted(set(values.given) - values.used):
        raise Invalid(surplus[0], f"The template has no gap “{surplus[0]}”.")
    node: Node = {"name": template.name, "language": {"code": template.language}}
    if components:
        node["components"] = components
    header = values.given.get("header.media")
    return Filled(node, shown, str(shown.pop("body", "")), UUID(header) if header else None)


def _components(
    components: list[Node],
    values: _Values,
    is_named: bool,
    shown: Node,
    is_code: bool,
    card: str = "",
) -> Iterator[Node]:
    """Of the template, or of one `card` of its carousel: all of a card's gaps begin with its place."""
    for component in components:
        kind = str(component.get("type", "")).upper()
        if kind == "HEADER":
            yield from _header(component, values, is_named, shown, card or "header")
        elif kind == "BODY":
            text = str(component.get("text") or (AUTHENTICATION_TEXT if is_code else ""))
            filled, parameters = _text(card or "body", text, values, is_named, BODY_LIMIT)
            shown["body"] = filled
            if parameters:
                yield {"type": "body", "parameters": parameters}
        elif kind == "FOOTER":
            shown["footer"] = component.get("text", "")
        elif kind == "BUTTONS":
            place = f"{card}.button" if card else "button"
            yield from _buttons(component, values, shown, is_code, place)
        elif kind == "LIMITED_TIME_OFFER":
            yield from _offer(component, values, shown)
        elif kind == "CAROUSEL":
            shown["cards"] = []
            yield {"type": "carousel", "cards": list(_cards(component, values, is_named, shown))}


def _cards(component: Node, values: _Values, is_named: bool, shown: Node) -> Iterator[Node]:
    for index, card in enumerate(component.get("cards", [])):
        seen: Node = {}
        parts = card.get("components", [])
        filled = list(_components(parts, values, is_named, seen, False, f"card.{index}"))
        shown["cards"].append(seen)
        yield {"card_index": index, "components": filled}


def _offer(component: Node, values: _Values, shown: Node) -> Iterator[Node]:
    offer = component.get("limited_time_offer") or {}
    shown["offer"] = str(offer.get("text", ""))
    if not offer.get("has_expiration"):
        return
    told = values.needed("offer.expires_at", "the end of its offer")
    try:
        ends = datetime.fromisoformat(told.strip())
    except ValueError:
        ends = None
    if ends is None or ends.tzinfo is None:
        raise Invalid(
            "offer.expires_at", "Write the end of the offer like 2026-12-01T18:00:00+01:00."
        )
    milliseconds = int(ends.timestamp() * 1000)
    node = {
        "type": "limited_time_offer",
        "limited_time_offer": {"expiration_time_ms": milliseconds},
    }
    yield {"type": "limited_time_offer", "parameters": [node]}


def _header(
    component: Node, values: _Values, is_named: bool, shown: Node, place: str
) -> Iterator[Node]:
    shape = str(component.get("format", "TEXT")).upper()
    if shape == "TEXT":
        text = str(component.get("text", ""))
        shown["header"], parameters = _text(place, text, values, is_named, SMALL_LIMIT)
    elif shape == "LOCATION":
        parameters = [_location(values)]
    elif shape in FILE_HEADERS:
        parameters = [_file(FILE_HEADERS[shape], values, place)]
    else:
        raise Invalid(
            "header", f"A header of the kind {shape.lower()} can not be sent from here yet."
        )
    if parameters:
        yield {"type": "header", "parameters": parameters}


def file_kinds(node: Any) -> dict[UUID, str]:
    """Our files in what is sent, and what each is sent as."""
    if isinstance(node, list):
        return {found: kind for one in node for found, kind in file_kinds(one).items()}
    if not isinstance(node, dict):
        return {}
    kind = node.get("type")
    file = node.get(kind) if kind in FILE_HEADERS.values() else None
    if isinstance(file, dict) and str(file.get("id", "")).startswith(MEDIA_MARK):
        return {UUID(file["id"].removeprefix(MEDIA_MARK)): str(kind)}
    return {found: kind for one in node.values() for found, kind in file_kinds(one).items()}


def _file(kind: str, values: _Values, place: str) -> Node:
    field = f"{place}.media"
    media_id = values.needed(field, "the file in its header")
    try:
        UUID(media_id)
    except ValueError:
        raise Invalid(field, "The header's file must be named by its id.") from None
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


def _buttons(
    component: Node, values: _Values, shown: Node, is_code: bool, place: str
) -> Iterator[Node]:
    shown["buttons"] = []
    for index, button in enumerate(component.get("buttons", [])):
        kind = str(button.get("type", "")).upper()
        shown["buttons"].append({"title": str(button.get("text", ""))})
        if parameter := _button(kind, button, f"{place}.{index}", values, is_code):
            sub_type = "url" if kind == "OTP" else kind.lower()
            yield {
                "type": "button",
                "sub_type": sub_type,
                "index": index,
                "parameters": [parameter],
            }


def _button(kind: str, button: Node, place: str, values: _Values, is_code: bool) -> Node | None:
    if kind == "OTP" or (is_code and kind == "URL"):
        return {"type": "text", "text": values.needed("body.1", "the code")}
    if kind == "URL" and GAP.search(str(button.get("url", ""))):
        return {
            "type": "text",
            "text": values.needed(place, f"the link of its button “{button.get('text', '')}”"),
        }
    if kind == "COPY_CODE":
        return {"type": "coupon_code", "coupon_code": values.needed(place, "its coupon code")}
    if kind == "QUICK_REPLY" and (payload := values.perhaps(place)):
        return {"type": "payload", "payload": payload}
    return None
