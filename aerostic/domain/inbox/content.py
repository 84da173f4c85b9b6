"""From what WhatsApp calls a message's content to what a page draws. Pure; anything may be missing.

Stored is Meta's own node, of what came in as of what went out, so that nothing of it is lost. The shapes:
`whatsapp business platform / webhooks / messages` and `cloud api / messages` of Meta's documentation.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aerostic.domain.inbox.schemas import (
    Choice,
    Content,
    Location,
    OrderLine,
    Referral,
    Section,
    SharedContact,
)

Node = Mapping[str, Any]

NOTICES = {
    "unsupported": "WhatsApp does not pass this kind of message on. Ask the person to send it another way.",
    "unknown": "This kind of message is not known yet. Its raw content is kept.",
    "request_welcome": "Opened this chat for the first time.",
    "media_placeholder": "A file that is not here yet.",
    "revoke": "This message was removed.",
}


def read(kind: str, stored: Node) -> Content:
    """What to draw for a message of that type."""
    node = stored.get(kind, stored)
    parts: dict[str, Any] = _READERS.get(kind, _nothing)(node) if node else {}
    context = _node(stored, "context")
    return Content(
        **parts,
        referral=_referral(_node(stored, "referral")),
        is_forwarded=bool(context.get("forwarded") or context.get("frequently_forwarded")),
        notice=_notice(kind, node),
    )


def preview(kind: str, text: str) -> str:
    """One line for lists and quotes."""
    if text:
        return " ".join(text.split())[:160]
    return _PREVIEWS.get(kind, "Message")


_PREVIEWS = {
    "image": "Photo",
    "video": "Video",
    "audio": "Voice message",
    "document": "Document",
    "sticker": "Sticker",
    "location": "Location",
    "contacts": "Contact card",
    "order": "Order",
    "template": "Template",
    "interactive": "Buttons",
    "reaction": "Reaction",
    "unsupported": "Unsupported message",
}


def _node(parent: Any, name: str) -> Node:
    found = parent.get(name) if isinstance(parent, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _nodes(parent: Any, name: str) -> list[Node]:
    found = parent.get(name) if isinstance(parent, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _text(node: Node, name: str) -> str:
    value = node.get(name)
    return "" if value is None else str(value)


def _nothing(_: Any) -> dict[str, Any]:
    return {}


def _notice(kind: str, node: Any) -> str:
    if kind == "system":
        return _text(node, "body") if isinstance(node, Mapping) else ""
    return NOTICES.get(kind, "")


def _referral(node: Node) -> Referral | None:
    if not node:
        return None
    return Referral(_text(node, "headline"), _text(node, "body"), _text(node, "source_url"))


def _location(node: Node) -> dict[str, Any]:
    try:
        latitude, longitude = float(node["latitude"]), float(node["longitude"])
    except (KeyError, TypeError, ValueError):
        return {}
    return {"location": Location(latitude, longitude, _text(node, "name"), _text(node, "address"))}


def _contacts(node: Any) -> dict[str, Any]:
    cards = node if isinstance(node, list) else _nodes(node, "contacts")
    return {"people": [_card(card) for card in cards if isinstance(card, Mapping)]}


def _card(card: Node) -> SharedContact:
    return SharedContact(
        name=_text(_node(card, "name"), "formatted_name"),
        phones=[_text(phone, "phone") or _text(phone, "wa_id") for phone in _nodes(card, "phones")],
        emails=[_text(email, "email") for email in _nodes(card, "emails")],
        organisation=_text(_node(card, "org"), "company"),
    )


def _order(node: Node) -> dict[str, Any]:
    lines = [
        OrderLine(
            product=_text(item, "product_retailer_id"),
            quantity=_text(item, "quantity"),
            price=_text(item, "item_price"),
            currency=_text(item, "currency"),
        )
        for item in _nodes(node, "product_items")
    ]
    return {"order": lines}


def _button(node: Node) -> dict[str, Any]:
    return {"chosen": Choice(title=_text(node, "text"), id=_text(node, "payload"))}


def _interactive(node: Node) -> dict[str, Any]:
    for reply in ("button_reply", "list_reply"):
        if chosen := _node(node, reply):
            return {"chosen": _choice(chosen)}
    if form := _node(node, "nfm_reply"):
        return {"entries": _entries(form)}
    return _offered(node)


def _choice(node: Node) -> Choice:
    return Choice(_text(node, "title"), _text(node, "id"), _text(node, "description"))


def _entries(form: Node) -> list[tuple[str, str]]:
    try:
        answers = json.loads(_text(form, "response_json") or "{}")
    except ValueError:
        return []
    if not isinstance(answers, dict):
        return []
    return [(str(name), str(value)) for name, value in answers.items() if name != "flow_token"]


def _offered(node: Node) -> dict[str, Any]:
    """Buttons or a list that we sent."""
    action = _node(node, "action")
    return {
        "header": _text(_node(node, "header"), "text"),
        "footer": _text(_node(node, "footer"), "text"),
        "choices": [_choice(_node(button, "reply")) for button in _nodes(action, "buttons")],
        "list_button": _text(action, "button"),
        "sections": [
            Section(_text(section, "title"), [_choice(row) for row in _nodes(section, "rows")])
            for section in _nodes(action, "sections")
        ],
    }


def _template(node: Node) -> dict[str, Any]:
    return {
        "template_name": _text(node, "name"),
        "template_language": _text(_node(node, "language"), "code"),
        "header": _text(node, "header"),
        "footer": _text(node, "footer"),
        "choices": [_choice(button) for button in _nodes(node, "buttons")],
    }


_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "button": _button,
    "interactive": _interactive,
    "template": _template,
}
