"""What a person reads of a message that came in: for the thread, the list and the search. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

Node = Mapping[str, Any]

LONGEST_TEXT = 65_536


def text_of(kind: str, content: Node) -> str:
    """The words of a message; empty where it has none of its own, as a sticker."""
    node = content.get(kind)
    if node is None:
        return ""
    return _READERS.get(kind, _nothing)(node)[:LONGEST_TEXT]


def _nothing(_: Any) -> str:
    return ""


def _field(node: Any, *names: str) -> str:
    """The first of these that says something."""
    for name in names:
        value = node.get(name) if isinstance(node, Mapping) else None
        if value:
            return str(value)
    return ""


def _at(node: Any, name: str) -> Any:
    return node.get(name) if isinstance(node, Mapping) else None


def _objects(nodes: Any) -> list[Node]:
    return [one for one in nodes if isinstance(one, Mapping)] if isinstance(nodes, list) else []


def _body(node: Any) -> str:
    return _field(node, "body")


def _media(node: Any) -> str:
    return _field(node, "caption", "filename")


def _location(node: Any) -> str:
    parts = [_field(node, "name"), _field(node, "address")]
    named = ", ".join(part for part in parts if part)
    return named or f"{_field(node, 'latitude') or '0'}, {_field(node, 'longitude') or '0'}"


def _contacts(nodes: Any) -> str:
    names = (_field(_at(card, "name"), "formatted_name", "first_name") for card in _objects(nodes))
    return ", ".join(name for name in names if name)


def _interactive(node: Any) -> str:
    for reply in ("button_reply", "list_reply"):
        if title := _field(_at(node, reply), "title"):
            return title
    if _at(node, "nfm_reply"):
        return _field(_at(node, "nfm_reply"), "body") or "Sent a form"
    answer = _field(_at(node, "call_permission_reply"), "response")
    return _CALL_ANSWERS.get(answer, "")


_CALL_ANSWERS = {"accept": "Calls are allowed", "reject": "Calls are not allowed"}


def _order(node: Any) -> str:
    lines = [
        f"{_field(item, 'quantity')} × {_field(item, 'product_retailer_id')}"
        for item in _objects(_at(node, "product_items"))
    ]
    return "\n".join(part for part in (_field(node, "text"), ", ".join(lines)) if part)


_READERS: dict[str, Callable[[Any], str]] = {
    "text": _body,
    "image": _media,
    "video": _media,
    "audio": _media,
    "document": _media,
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": lambda node: _field(node, "text", "payload"),
    "order": _order,
    "system": _body,
}
