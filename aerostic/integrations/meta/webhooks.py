"""What Meta posts, read into plain values. No table is known here, nothing is decided.

Every array is an array: entries, changes, messages, statuses, echoes, threads. Whatever has a shape that
Meta's documentation does not have raises Unreadable with a sentence for the delivery log.
Source: WhatsApp Business Platform, webhooks reference (November 2026).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from aerostic.core import clock

Node = dict[str, Any]

LONGEST_ID = 512
LONGEST_NAME = 256
MEDIA_TYPES = frozenset({"image", "video", "audio", "document", "sticker"})
# Told by Meta about a chat, not written by the person: no unread count, no window.
NOTICE_TYPES = frozenset({"system", "request_welcome"})
CHANGES_TO_OTHERS = frozenset({"reaction", "edit", "revoke"})

_DIGITS = re.compile(r"\D+")


class Unreadable(ValueError):
    """A delivery, or a part of it, that is not what Meta documents. The text says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """One `changes[]` element and where it stood in its delivery."""

    entry: int
    index: int
    field: str
    account_id: str
    value: Node

    @property
    def phone_number_id(self) -> str:
        """The number that it is about, as the metadata or a history chunk says; empty if about an account."""
        return _text(_node(self.value, "metadata"), "phone_number_id")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone at the other end, by every name that came along. Either `phone` or `user_id` is there."""

    phone: str = ""
    user_id: str = ""
    name: str = ""
    username: str = ""
    former_phone: str = ""
    former_user_id: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """One message as it will stand in the thread."""

    wamid: str
    at: datetime
    type: str
    content: Node
    person: Person
    is_ours: bool = False
    is_history: bool = False
    status: str = "received"
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """A reaction, edit or removal: changes the message `wamid`."""

    kind: str
    wamid: str
    at: datetime
    is_ours: bool
    detail: Node


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One step of a message of ours. `our_id` is what we sent along, if it is ours to read."""

    wamid: str
    status: str
    at: datetime
    our_id: UUID | None
    errors: list[Node]
    pricing: Node | None
    conversation: Node | None


@dataclass(slots=True)
class Reading:
    """All that one change says about conversations."""

    written: list[Written] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    statuses: list[StatusUpdate] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)  # known under further names now


def parse(body: bytes) -> Node:
    """The JSON of a delivery. Raises Unreadable."""
    try:
        found = orjson.loads(body)
        if b"\\u0000" in body:
            found = _storable(found)
    except orjson.JSONDecodeError:
        found = _storable(_parse_leniently(body))
    if not isinstance(found, dict):
        raise Unreadable("The delivery is JSON but no object, so it is not one of Meta's.")
    return found


def _parse_leniently(body: bytes) -> Any:
    """Half an emoji at the end of a cut name is no valid Unicode, but no reason to lose a message."""
    try:
        return json.loads(body.decode("utf-8", "replace"), parse_constant=str)
    except (ValueError, RecursionError):
        raise Unreadable("The delivery is not JSON.") from None


def _storable(value: Any) -> Any:
    """Without what PostgreSQL can not store: NUL, and halves of surrogate pairs."""
    if isinstance(value, str):
        return (
            value.encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
            .replace("\x00", "\ufffd")
        )
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value


def changes_of(delivery: Node) -> list[Change]:
    """Every change of every entry. Raises Unreadable for what is not Meta's envelope."""
    if delivery.get("object") != "whatsapp_business_account":
        raise Unreadable("The delivery is not about a WhatsApp Business account.")
    entries = delivery.get("entry")
    if not isinstance(entries, list):
        raise Unreadable("The delivery has no list of entries.")
    return [
        _change(at, entry, index, change)
        for at, entry in enumerate(entries)
        for index, change in enumerate(_list_of(entry, "changes"))
    ]


def _list_of(parent: Any, name: str) -> list[Any]:
    found = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(found, list):
        raise Unreadable(f"An entry of the delivery has no list of {name}.")
    return found


def _change(at: int, entry: Node, index: int, change: Any) -> Change:
    if not isinstance(change, dict) or not isinstance(change.get("value"), dict):
        raise Unreadable(f"Change {index + 1} of entry {at + 1} has no value.")
    name = change.get("field")
    if not isinstance(name, str) or not name:
        raise Unreadable(f"Change {index + 1} of entry {at + 1} does not say which field it is.")
    return Change(at, index, name, str(entry.get("id") or ""), change["value"])


# What a change says


def read(change: Change) -> Reading:
    """Everything about conversations in a change of any of these fields. Raises Unreadable."""
    reading = Reading()
    value, ours = (
        change.value,
        _digits(_text(_node(change.value, "metadata"), "display_phone_number")),
    )
    people = _people(value)
    for message in _nodes(value, "messages"):
        is_history = change.field == "history"
        _read_message(reading, value, message, people, ours=ours, is_history=is_history)
    for echo in _nodes(value, "message_echoes"):
        _read_message(reading, value, echo, people, ours=ours, is_echo=True)
    for status in _nodes(value, "statuses"):
        reading.statuses.append(_read_status(status))
    for chunk in _nodes(value, "history"):
        _read_history(reading, value, chunk, ours)
    for update in _nodes(value, "user_id_update"):
        reading.people.append(_read_user_id_update(update))
    return reading


def _read_message(
    reading: Reading,
    value: Node,
    message: Node,
    people: dict[str, Node],
    *,
    ours: str,
    is_echo: bool = False,
    is_history: bool = False,
    other: str = "",
) -> None:
    is_ours = is_echo or bool(ours and _digits(_text(message, "from")) == ours)
    kind = _text(message, "type") or "unknown"
    if kind in CHANGES_TO_OTHERS:
        reading.amendments.append(_read_amendment(message, kind, is_ours=is_ours))
        return
    person = _recipient(message, people, other) if is_ours else _author(message, people, other)
    status = _text(_node(message, "history_context"), "status").lower()
    context = _node(message, "context")
    reading.written.append(
        Written(
            wamid=_id(message),
            at=_moment(message),
            type=kind,
            content=_content(kind, message, value),
            person=person,
            is_ours=is_ours,
            is_history=is_history,
            status=_HISTORY_STATUS.get(status, "sent") if is_ours else "received",
            reply_to=_text(context, "id")[:LONGEST_ID],
        )
    )


_HISTORY_STATUS = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "played",
    "error": "failed",
    "failed": "failed",
}


def _read_history(reading: Reading, value: Node, chunk: Node, ours: str) -> None:
    for thread in _nodes(chunk, "threads"):
        other = _text(thread, "id")
        for message in _nodes(thread, "messages"):
            _read_message(reading, value, message, {}, ours=ours, is_history=True, other=other)


def _content(kind: str, message: Node, value: Node) -> Node:
    """Meta's own node under its own name, and what stands around it."""
    content: Node = {}
    if kind in message:
        content[kind] = message[kind]
    for name in ("context", "referral", "identity", "errors", "unsupported", "group_id"):
        if name in message:
            content[name] = message[name]
    if kind not in message:
        content["errors"] = message.get("errors") or value.get("errors") or []
        if kind not in _KNOWN_TYPES or kind in {"unsupported", "unknown"}:
            content["raw"] = message
    return content


_KNOWN_TYPES = MEDIA_TYPES | {
    "text",
    "location",
    "contacts",
    "interactive",
    "button",
    "order",
    "system",
    "unsupported",
    "request_welcome",
    "media_placeholder",
}


def _read_amendment(message: Node, kind: str, *, is_ours: bool) -> Amendment:
    node = _node(message, kind)
    target = node.get("message_id") if kind == "reaction" else node.get("original_message_id")
    if not isinstance(target, str) or not target:
        raise Unreadable(f"A message of type {kind} does not say which message it changes.")
    return Amendment(kind, target[:LONGEST_ID], _moment(message), is_ours, node)


def _read_status(status: Node) -> StatusUpdate:
    return StatusUpdate(
        wamid=_id(status),
        status=_text(status, "status"),
        at=_moment(status),
        our_id=_our_id(_text(status, "biz_opaque_callback_data")),
        errors=_nodes(status, "errors"),
        pricing=_node(status, "pricing") or None,
        conversation=_node(status, "conversation") or None,
    )


def _our_id(told: str) -> UUID | None:
    """Our message's id, if that is what was sent along: other programs may use the same number."""
    try:
        return UUID(told) if len(told) == 36 else None
    except ValueError:
        return None


# People


def _people(value: Node) -> dict[str, Node]:
    """`contacts[]` by each of their names."""
    found: dict[str, Node] = {}
    for contact in _nodes(value, "contacts"):
        for name in ("wa_id", "user_id"):
            if key := _text(contact, name):
                found[key] = contact
    return found


def _author(message: Node, people: dict[str, Node], other: str) -> Person:
    phone, user_id = _text(message, "from") or other, _text(message, "from_user_id")
    about = people.get(user_id) or people.get(phone) or {}
    if not (phone or user_id) and len({id(one) for one in people.values()}) == 1:
        about = next(iter(people.values()))
    person = _person(
        phone=phone or _text(about, "wa_id"),
        user_id=user_id or _text(about, "user_id"),
        about=about,
    )
    return (
        _renamed(person, _node(message, "system")) if _text(message, "type") == "system" else person
    )


def _recipient(message: Node, people: dict[str, Node], other: str) -> Person:
    phone = _text(message, "to") or other
    user_id = _text(message, "to_user_id") or _text(message, "recipient_user_id")
    about = people.get(user_id) or people.get(phone) or {}
    return _person(phone=phone, user_id=user_id or _text(about, "user_id"), about=about)


def _person(*, phone: str, user_id: str, about: Node, former_user_id: str = "") -> Person:
    if not user_id and not phone.lstrip("+").isdigit() and "." in phone:
        phone, user_id = "", phone  # a thread of the history may be named by a business-scoped id
    digits = _digits(phone)
    if not digits and not user_id:
        raise Unreadable("A message names neither the phone number nor the user id of its person.")
    if len(digits) > 32 or len(user_id) > LONGEST_ID:
        raise Unreadable(
            "The phone number or user id of a message is longer than such a thing can be."
        )
    profile = _node(about, "profile")
    return Person(
        phone=digits,
        user_id=user_id,
        name=_text(profile, "name").strip()[:LONGEST_NAME],
        username=_text(profile, "username").strip()[:LONGEST_NAME],
        former_user_id=former_user_id,
    )


def _renamed(person: Person, system: Node) -> Person:
    """A person who changed number or user id: one person, under the old names and the new."""
    phone = _digits(_text(system, "wa_id") or _text(system, "new_wa_id"))
    user_id = _text(system, "user_id")
    return Person(
        phone=phone or person.phone,
        user_id=user_id or person.user_id,
        name=person.name,
        username=person.username,
        former_phone=person.phone if phone and phone != person.phone else "",
        former_user_id=person.user_id if user_id and user_id != person.user_id else "",
    )


def _read_user_id_update(update: Node) -> Person:
    ids = update.get("user_id")
    before = _text(ids, "previous") if isinstance(ids, dict) else _text(update, "previous_user_id")
    after = _text(ids, "current") if isinstance(ids, dict) else _text(update, "user_id")
    return _person(phone=_text(update, "wa_id"), user_id=after, about={}, former_user_id=before)


def read_preferences(value: Node) -> list[tuple[Person, Node]]:
    """`user_preferences`: who wants to hear what, with Meta's node."""
    people = _people(value)
    updates = _nodes(value, "user_preferences") or ([value] if "category" in value else [])
    return [
        (
            _person(
                phone=_text(one, "wa_id"),
                user_id=_text(one, "user_id"),
                about=people.get(_text(one, "user_id")) or people.get(_text(one, "wa_id")) or {},
            ),
            one,
        )
        for one in updates
    ]


# Small readings


def _node(parent: Any, name: str) -> Node:
    found = parent.get(name) if isinstance(parent, Mapping) else None
    return found if isinstance(found, dict) else {}


def _nodes(parent: Node, name: str) -> list[Node]:
    """A list of objects; absent is empty, anything else is not Meta's."""
    found = parent.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Unreadable(f"“{name}” is not a list.")
    return list(_objects(found, name))


def _objects(found: list[Any], name: str) -> Iterator[Node]:
    for one in found:
        if not isinstance(one, dict):
            raise Unreadable(f"“{name}” holds something that is no object.")
        yield one


def _text(parent: Mapping[str, Any], name: str) -> str:
    found = parent.get(name)
    return found if isinstance(found, str) else "" if found is None else str(found)


def _digits(text: str) -> str:
    return text if text.isdigit() and text.isascii() else _DIGITS.sub("", text)


def _id(message: Node) -> str:
    found = message.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_ID:
        raise Unreadable("A message or status has no id that could be one of Meta's.")
    return found


def _moment(message: Node) -> datetime:
    try:
        return clock.from_meta(message["timestamp"])
    except (KeyError, ValueError):
        raise Unreadable("A message or status does not say when it was.") from None
