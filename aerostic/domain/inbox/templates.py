"""A template as the composer offers it: its words, and the gaps that must be filled."""

from collections.abc import Mapping
from typing import Any

from aerostic.domain.inbox.schemas import Choice, TemplateParameter, TemplateView
from aerostic.domain.templates.gaps import gaps
from aerostic.domain.templates.models import Template

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
            TemplateParameter(gap.place, gap.name, gap.example, gap.kind) for gap in gaps(template)
        ],
    )


def _component(template: Template, kind: str) -> Node:
    found = (one for one in template.components if str(one.get("type", "")).upper() == kind)
    return next(found, {})


def _button(node: Node) -> Choice:
    kind = _BUTTON_KINDS.get(str(node.get("type", "")).upper(), "other")
    target = str(node.get("url") or node.get("phone_number") or "")
    return Choice(title=str(node.get("text", "")), kind=kind, target=target)
