"""What a person can do in a chat, each as the webhook node that Meta makes of it."""

import base64
import binascii
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aerostic.simulator import media
from aerostic.simulator.errors import ControlError, webhook_error
from aerostic.simulator.inbound import write
from aerostic.simulator.numbers import digits_of
from aerostic.simulator.people import access_person, change_phone, user_id
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

_SAMPLES = Path(__file__).parent / "samples"
#: A built-in file of each kind, for whoever has none at hand.
SAMPLES = {
    "image": ("picture.jpg", "image/jpeg"),
    "audio": ("voice.ogg", "audio/ogg; codecs=opus"),
    "video": ("clip.mp4", "video/mp4"),
    "document": ("menu.pdf", "application/pdf"),
    "sticker": ("sticker.webp", "image/webp"),
}
_TYPICAL = {kind: mime_type for kind, (_, mime_type) in SAMPLES.items()}
_MOST_TEXT = 65_536

Writer = Callable[[World, Row, Row, Json], str]


def say(world: World, number: Row, person: Row, wanted: Json) -> str:
    """Let the person do what `wanted["type"]` names. Returns the wamid. Raises `ControlError` in words."""
    writer = WRITERS.get(str(wanted.get("type")))
    if writer is None:
        raise ControlError(
            f"A person can not send {wanted.get('type')!r}. They can send: {', '.join(WRITERS)}."
        )
    return writer(world, number, person, wanted)


def _text(world: World, number: Row, person: Row, wanted: Json) -> str:
    body = wanted.get("text")
    if not isinstance(body, str) or not body:
        raise ControlError("A text needs a text.")
    if len(body) > _MOST_TEXT:
        raise ControlError(f"A text has at most {_MOST_TEXT} characters.")
    extra = {"referral": _referral(wanted["referral"])} if wanted.get("referral") else {}
    node = {"text": {"body": body}}
    return write(
        world, number, person, "text", node, context=_context(world, number, wanted), **extra
    )


def _referral(wanted: Any) -> Json:
    """A click on an ad that opens a chat. `true` stands for a made-up ad."""
    given = wanted if isinstance(wanted, dict) else {}
    return {
        "source_url": "https://fb.me/1a2b3c4d5",
        "source_id": "120200000000000001",
        "source_type": "ad",
        "headline": "Freshly roasted, round the corner",
        "body": "Chat with us and get your first coffee free",
        "media_type": "image",
        "image_url": "https://bluebird.example/ad.jpg",
        "ctwa_clid": "ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LEkR7JwFF4XvnO2E4",
        "welcome_message": {"text": "Hi! How can we help?"},
    } | given


def _context(world: World, number: Row, wanted: Json) -> Json | None:
    """`context` of a reply or a forward.

    Raises `ControlError` where the message replied to is not in this chat.
    """
    context: Json = {}
    if wanted.get("reply_to"):
        original = access_message(world, wanted["reply_to"])
        is_own = original["direction"] == "inbound"
        author = (
            access_person(world, original["person_id"])["phone"]
            if is_own
            else digits_of(number["display"])
        )
        context = {"id": original["id"]} | ({"from": author} if author else {})
    for mark in ("forwarded", "frequently_forwarded"):
        if wanted.get(mark):
            context[mark] = True
    return context or None


def access_message(world: World, message_id: object) -> Row:
    message = world.store.one("SELECT * FROM messages WHERE id = ?", str(message_id))
    if message is None:
        raise ControlError(f"There is no message with the id {message_id}.", 404)
    return message


def _file(world: World, number: Row, person: Row, wanted: Json) -> str:
    """A picture, voice note, video, document or sticker: bytes in Base64, a stored file, or the sample."""
    kind = wanted["type"]
    row = _stored_file(world, number, kind, wanted)
    node = media.inbound_node(world, row)
    if kind in ("image", "video", "document") and wanted.get("caption"):
        node["caption"] = str(wanted["caption"])
    if kind == "document":
        node["filename"] = row["filename"] or "document"
    if kind == "audio":
        node["voice"] = bool(wanted.get("voice", True))
    if kind == "sticker":
        node["animated"] = bool(wanted.get("animated", False))
    return write(world, number, person, kind, {kind: node}, context=_context(world, number, wanted))


def _stored_file(world: World, number: Row, kind: str, wanted: Json) -> Row:
    if wanted.get("media_id"):
        row = media.find(world, str(wanted["media_id"]))
        if row is None:
            raise ControlError(f"There is no file with the id {wanted['media_id']}.", 404)
        return row
    if wanted.get("data"):
        try:
            content = base64.b64decode(str(wanted["data"]), validate=True)
        except (binascii.Error, ValueError):
            raise ControlError("data must be a file in Base64.") from None
        name = str(wanted["filename"])[:240] if wanted.get("filename") else None
        mime_type = str(wanted.get("mime_type") or _TYPICAL[kind])
    else:
        name, mime_type = SAMPLES[kind]
        content = (_SAMPLES / name).read_bytes()
    return media.keep(world, number["id"], content, mime_type, name, origin="person")


def _location(world: World, number: Row, person: Row, wanted: Json) -> str:
    try:
        node: Json = {
            "latitude": float(wanted["latitude"]),
            "longitude": float(wanted["longitude"]),
        }
    except (KeyError, TypeError, ValueError):
        raise ControlError("A location needs a latitude and a longitude.") from None
    node |= {name: str(wanted[name]) for name in ("name", "address", "url") if wanted.get(name)}
    return write(
        world,
        number,
        person,
        "location",
        {"location": node},
        context=_context(world, number, wanted),
    )


def _contacts(world: World, number: Row, person: Row, wanted: Json) -> str:
    """Full cards in Meta's shape under `contacts`, or just a `name` and a `phone`."""
    cards = wanted.get("contacts")
    if not cards:
        name, phone = str(wanted.get("name", "")), str(wanted.get("phone", ""))
        if not name or not digits_of(phone):
            raise ControlError("A contact card needs a name and a phone.")
        number_of_card = {"phone": phone, "wa_id": digits_of(phone), "type": "CELL"}
        first = name.split()[0]
        cards = [
            {"name": {"formatted_name": name, "first_name": first}, "phones": [number_of_card]}
        ]
    return write(
        world,
        number,
        person,
        "contacts",
        {"contacts": cards},
        context=_context(world, number, wanted),
    )


def _reaction(world: World, number: Row, person: Row, wanted: Json) -> str:
    """An empty emoji takes the reaction back; then Meta leaves the key out."""
    message = access_message(world, wanted.get("message_id"))
    emoji = str(wanted.get("emoji", ""))
    node = {"message_id": message["id"]} | ({"emoji": emoji} if emoji else {})
    return write(world, number, person, "reaction", {"reaction": node})


def _button(world: World, number: Row, person: Row, wanted: Json) -> str:
    """A tap on a button of a message: interactive reply, or quick reply of a template."""
    message = access_message(world, wanted.get("message_id"))
    content = json.loads(message["content"])
    context = _tapped(number, message)
    if message["type"] == "template":
        seen = content["seen"]
        parts = (seen, *seen.get("cards", []))
        button = _quick_reply([one for part in parts for one in part["buttons"]], wanted)
        node: Json = {"button": {"payload": button["payload"], "text": button["text"]}}
        return write(world, number, person, "button", node, context=context)
    buttons = content.get("interactive", {}).get("action", {}).get("buttons", [])
    chosen = next(
        (each["reply"] for each in buttons if each["reply"]["id"] == wanted.get("id")), None
    )
    if chosen is None:
        raise ControlError(f"That message has no button with the id {wanted.get('id')!r}.", 404)
    reply: Json = {
        "type": "button_reply",
        "button_reply": {"id": chosen["id"], "title": chosen["title"]},
    }
    return write(world, number, person, "interactive", {"interactive": reply}, context=context)


def _quick_reply(buttons: list[Json], wanted: Json) -> Json:
    for position, button in enumerate(buttons):
        if button["type"] == "QUICK_REPLY" and wanted.get("id") in (
            button["payload"],
            button["text"],
            str(position),
        ):
            return button
    raise ControlError(f"That template has no quick reply {wanted.get('id')!r}.", 404)


def _tapped(number: Row, message: Row) -> Json:
    return {"from": digits_of(number["display"]), "id": message["id"]}


def _list_row(world: World, number: Row, person: Row, wanted: Json) -> str:
    message = access_message(world, wanted.get("message_id"))
    sections = (
        json.loads(message["content"]).get("interactive", {}).get("action", {}).get("sections", [])
    )
    rows = [row for section in sections for row in section.get("rows", [])]
    chosen = next((row for row in rows if row["id"] == wanted.get("id")), None)
    if chosen is None:
        raise ControlError(f"That list has no row with the id {wanted.get('id')!r}.", 404)
    reply = {name: chosen[name] for name in ("id", "title", "description") if chosen.get(name)}
    node: Json = {"interactive": {"type": "list_reply", "list_reply": reply}}
    return write(world, number, person, "interactive", node, context=_tapped(number, message))


def _flow(world: World, number: Row, person: Row, wanted: Json) -> str:
    """The answers of a filled flow, with the token that the business gave it."""
    message = access_message(world, wanted.get("message_id"))
    action = json.loads(message["content"]).get("interactive", {}).get("action", {})
    answers = dict(wanted.get("answers") or {})
    if token := action.get("parameters", {}).get("flow_token"):
        answers["flow_token"] = token
    nfm: Json = {
        "response_json": json.dumps(answers),
        "body": "Sent",
        "name": wanted.get("name", "flow"),
    }
    node: Json = {"interactive": {"type": "nfm_reply", "nfm_reply": nfm}}
    return write(world, number, person, "interactive", node, context=_tapped(number, message))


def _edit(world: World, number: Row, person: Row, wanted: Json) -> str:
    message = _own(world, person, wanted)
    if message["type"] != "text" or not wanted.get("text"):
        raise ControlError("Only a text can be edited, and it needs a new text.")
    node: Json = {
        "edit": {
            "original_message_id": message["id"],
            "message": {"type": "text", "text": {"body": str(wanted["text"])}},
        }
    }
    return write(world, number, person, "edit", node)


def _revoke(world: World, number: Row, person: Row, wanted: Json) -> str:
    message = _own(world, person, wanted)
    return write(
        world, number, person, "revoke", {"revoke": {"original_message_id": message["id"]}}
    )


def _own(world: World, person: Row, wanted: Json) -> Row:
    message = access_message(world, wanted.get("message_id"))
    if message["direction"] != "inbound" or message["person_id"] != person["id"]:
        raise ControlError("Only one's own messages can be changed.")
    return message


def _unsupported(world: World, number: Row, person: Row, wanted: Json) -> str:
    node: Json = {
        "errors": [webhook_error(131051)],
        "unsupported": {"type": str(wanted.get("kind", "poll_update"))},
    }
    return write(world, number, person, "unsupported", node)


def _order(world: World, number: Row, person: Row, wanted: Json) -> str:
    items = wanted.get("items") or [
        {"product_retailer_id": "beans-250", "quantity": 2, "item_price": 9.5, "currency": "USD"}
    ]
    node: Json = {
        "order": {
            "catalog_id": str(wanted.get("catalog_id", "194836987003835")),
            "text": str(wanted.get("text", "")),
            "product_items": items,
        }
    }
    return write(world, number, person, "order", node)


def _changed_number(world: World, number: Row, person: Row, wanted: Json) -> str:
    """The person moves to a new phone number; the business learns it from a system message."""
    old_user_id, old_phone = user_id(world, person, number["portfolio_id"]), person["phone"]
    moved = change_phone(world, person, str(wanted.get("phone", "")))
    node: Json = {
        "system": {
            "body": f"User {person['name']} changed from {old_phone or old_user_id} to {moved['phone']}",
            "type": "user_changed_number",
            "wa_id": moved["phone"],
            "user_id": user_id(world, moved, number["portfolio_id"]),
        }
    }
    # Meta sends the notice from the old number, so the row from before the change is the sender.
    return write(world, number, person, "system", node)


def _welcome(world: World, number: Row, person: Row, wanted: Json) -> str:
    return write(world, number, person, "request_welcome", {})


WRITERS: dict[str, Writer] = {
    "text": _text,
    "image": _file,
    "audio": _file,
    "video": _file,
    "document": _file,
    "sticker": _file,
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "button": _button,
    "list": _list_row,
    "flow": _flow,
    "edit": _edit,
    "revoke": _revoke,
    "unsupported": _unsupported,
    "order": _order,
    "changed_number": _changed_number,
    "request_welcome": _welcome,
}
