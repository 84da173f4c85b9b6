"""What must be filled in before a template can be sent, and how each gap is named.

The one answer for the composer, the campaign wizard and the workflow form. `inbox/template_filling.py` asks
for values under the same names: `body.1`, `body.first_name`, `header.1`, `header.media`, `button.0`,
`offer.expires_at`, and of the cards of a carousel `card.0.media`, `card.0.1`, `card.0.button.1`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aerostic.domain.templates.models import Template

Node = Mapping[str, Any]
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
FILE_HEADERS = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document", "GIF": "video"}


class GapKind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"
    NUMBER = "number"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Gap:
    """A value that a send must bring. `place` is header, body, button, offer or `card.<n>`.

    `name` is `1`, `2` … or a word of the text, the index of a button, or `media` for a header's file.
    """

    place: str
    name: str
    example: str
    kind: GapKind = GapKind.TEXT

    @property
    def key(self) -> str:
        """How a draft names it: `body.1`, `button.0`, `header.media`."""
        return f"{self.place}.{self.name}"

    @property
    def is_file(self) -> bool:
        """The value is the id of an uploaded file."""
        return self.kind in {GapKind.IMAGE, GapKind.VIDEO, GapKind.DOCUMENT}


def gaps(template: Template) -> list[Gap]:
    """Every gap, in the order in which the template shows them. Optional parts are not gaps."""
    if template.category.upper() == "AUTHENTICATION":
        return [Gap("body", "1", "123456")]
    return list(_gaps(template.components, ""))


def _gaps(components: Iterable[Node], card: str) -> Iterable[Gap]:
    for component in components:
        kind = str(component.get("type", "")).upper()
        if kind == "HEADER":
            yield from _header(component, card or "header")
        elif kind == "BODY":
            yield from _text(component, card or "body", "body_text")
        elif kind == "LIMITED_TIME_OFFER":
            yield from _offer(component)
        elif kind == "BUTTONS":
            yield from _buttons(component, f"{card}.button" if card else "button")
        elif kind == "CAROUSEL":
            for index, one in enumerate(_nodes(component.get("cards"))):
                yield from _gaps(_nodes(one.get("components")), f"card.{index}")


def _nodes(value: Any) -> list[Node]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _header(header: Node, place: str) -> Iterable[Gap]:
    shape = str(header.get("format", "TEXT")).upper()
    if shape == "TEXT":
        yield from _text(header, place, "header_text")
    elif shape == "LOCATION":
        yield Gap(place, "latitude", "52.3702", GapKind.NUMBER)
        yield Gap(place, "longitude", "4.8952", GapKind.NUMBER)
    elif shape in FILE_HEADERS:
        yield Gap(place, "media", "", GapKind(FILE_HEADERS[shape]))


def _text(component: Node, place: str, example_key: str) -> Iterable[Gap]:
    known = examples(component, example_key)
    names = dict.fromkeys(VARIABLE.findall(str(component.get("text", ""))))
    for position, name in enumerate(names, start=1):
        yield Gap(place, name, known.get(name, known.get(str(position), "")))


def _offer(component: Node) -> Iterable[Gap]:
    offer = component.get("limited_time_offer")
    if isinstance(offer, Mapping) and offer.get("has_expiration"):
        yield Gap("offer", "expires_at", "", GapKind.MOMENT)


def _buttons(component: Node, place: str) -> Iterable[Gap]:
    for index, button in enumerate(_nodes(component.get("buttons"))):
        if VARIABLE.search(str(button.get("url", ""))) or button.get("type") == "COPY_CODE":
            yield Gap(place, str(index), _first(button.get("example")))


def _first(example: Any) -> str:
    first = example[0] if isinstance(example, list) and example else example
    return str(first or "")


def examples(component: Node, key: str) -> dict[str, str]:
    """Meta gives examples by position (`[["Ada"]]`, or `["Ada"]` of a header) or by name."""
    example = component.get("example")
    if not isinstance(example, Mapping):
        return {}
    named = example.get(f"{key}_named_params")
    if isinstance(named, list):
        return {str(one.get("param_name")): str(one.get("example")) for one in _nodes(named)}
    values = example.get(key)
    if isinstance(values, list) and values and isinstance(values[0], list):
        values = values[0]
    if not isinstance(values, list):
        return {}
    return {str(position): str(value) for position, value in enumerate(values, start=1)}
