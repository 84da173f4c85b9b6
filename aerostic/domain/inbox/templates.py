"""A template as the composer offers it: its words, and the gaps that must be filled."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aerostic.domain.inbox.schemas import Choice, TemplateParameter, TemplateView
from aerostic.domain.templates.models import Template

_GAP = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_BUTTON_KINDS = {"QUICK_REPLY": "reply", "URL": "url", "PHONE_NUMBER": "phone", "COPY_CODE": "copy"}

Node = Mapping[str, Any]


def template_view(template: Template) -> TemplateView:
    header, body, footer, buttons = (
        _component(template, kind) for kind in ("HEADER", "BODY", "FOOTER", "BUTTONS")
    )
    offered = [one for one in buttons.get("buttons", []) if isinstance(one, Mapping)]
    return TemplateView(
        id=template.id,
        name=template.name,
        language=template.language,
        category=template.category,
        header=str(header.get("text", "")),
        header_format=str(header.get("format", "")),
        body=str(body.get("text", "")),
        footer=str(footer.get("text", "")),
        buttons=[_button(one) for one in offered],
        parameters=[
            *_header_media(header),
            *_gaps("header", header, "header_text"),
            *_gaps("body", body, "body_text"),
            *_button_gaps(offered),
        ],
    )


def _component(template: Template, kind: str) -> Node:
    found = (one for one in template.components if str(one.get("type", "")).upper() == kind)
    return next(found, {})


def _button(node: Node) -> Choice:
    kind = _BUTTON_KINDS.get(str(node.get("type", "")).upper(), "other")
    target = str(node.get("url") or node.get("phone_number") or "")
    return Choice(title=str(node.get("text", "")), kind=kind, target=target)


def _header_media(header: Node) -> Iterable[TemplateParameter]:
    if str(header.get("format", "")).upper() in {"IMAGE", "VIDEO", "DOCUMENT"}:
        yield TemplateParameter("header", "media", "")


def _gaps(place: str, component: Node, example_key: str) -> Iterable[TemplateParameter]:
    examples = _examples(component.get("example"), example_key)
    for position, name in enumerate(dict.fromkeys(_GAP.findall(str(component.get("text", ""))))):
        by_position = examples.get(str(position + 1), "")
        yield TemplateParameter(place, name, examples.get(name, by_position))


def _button_gaps(buttons: Iterable[Node]) -> Iterable[TemplateParameter]:
    for index, button in enumerate(buttons):
        if _GAP.search(str(button.get("url", ""))) or button.get("type") == "COPY_CODE":
            example = button.get("example")
            yield TemplateParameter("button", str(index), _first(example))


def _first(example: Any) -> str:
    first = example[0] if isinstance(example, list) and example else example
    return str(first or "")


def _examples(example: Any, key: str) -> dict[str, str]:
    """Meta gives examples by position (`[["Ada"]]`, or `["Ada"]` of a header) or by name."""
    if not isinstance(example, Mapping):
        return {}
    named = example.get(f"{key}_named_params")
    if isinstance(named, list):
        return {str(one.get("param_name")): str(one.get("example")) for one in named}
    values = example.get(key)
    if isinstance(values, list) and values and isinstance(values[0], list):
        values = values[0]
    if not isinstance(values, list):
        return {}
    return {str(position): str(value) for position, value in enumerate(values, start=1)}
