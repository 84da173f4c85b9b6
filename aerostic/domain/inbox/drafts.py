"""What someone wants to send, before it is a message: made, checked against WhatsApp's limits, and spelled
as the Graph API wants it.

A file is named by the id of our own `media` row, written `media:<id>` where Meta expects its id; the
sender puts Meta's id in its place when the message leaves. Limits: Cloud API reference, messages.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from aerostic.core.errors import Invalid

Node = dict[str, Any]

TEXT_LIMIT = 4096
BODY_LIMIT = 1024
CAPTION_LIMIT = 1024
SMALL_LIMIT = 60  # headers and footers
TITLE_LIMIT = 20  # buttons
ROW_TITLE_LIMIT, ROW_DESCRIPTION_LIMIT, ROWS = 24, 72, 10
PRODUCTS = 30
MEDIA_KINDS = ("image", "video", "audio", "document", "sticker")
CAPTIONED = ("image", "video", "document")
HEADER_KINDS = ("image", "video", "document")

# Business-scoped user ids stand in for phone numbers: `US.13491208655302741918`, `US.ENT.…`.
BSUID = re.compile(r"^[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}$")
MEDIA_MARK = "media:"


@dataclass(frozen=True, slots=True)
class Button:
    """A reply button: `id` comes back when it is tapped."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class ListRow:
    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ListSection:
    """Rows under a title. The title may be left out where a list has one section only."""

    rows: Sequence[ListRow]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Above the text of an interactive message: a short text, or a file of ours."""

    text: str = ""
    kind: str = "text"
    media_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be sent. `key` is made where it was written: the same key twice is one message.

    `reply_to` and `target_id` (of a reaction) are ids of our messages; their names at Meta are looked up
    when the draft is queued.
    """

    type: str
    node: Any = field(default_factory=dict)
    shown: str = ""  # what a thread, a list and a search show of it
    key: str = ""
    reply_to: UUID | None = None
    media_id: UUID | None = None
    target_id: UUID | None = None
    template_id: UUID | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    # Making one -----------------------------------------------------------------------------------

    @classmethod
    def text(
        cls, body: str, *, key: str = "", reply_to: UUID | None = None, preview_url: bool = False
    ) -> Self:
        node: Node = {"body": body} | ({"preview_url": True} if preview_url else {})
        return cls("text", node, body, key, reply_to)

    @classmethod
    def media(
        cls,
        media_id: UUID,
        kind: str,
        *,
        caption: str = "",
        file_name: str = "",
        is_voice: bool = False,
        key: str = "",
        reply_to: UUID | None = None,
    ) -> Self:
        """An image, video, audio (`is_voice` for a voice note), document or sticker."""
        node: Node = {"id": f"{MEDIA_MARK}{media_id}"}
        if caption:
            node["caption"] = caption
        if file_name and kind == "document":
            node["filename"] = file_name
        if is_voice and kind == "audio":
            node["voice"] = True
        return cls(kind, node, caption, key, reply_to, media_id)

    @classmethod
    def reaction(cls, message_id: UUID, emoji: str, *, key: str = "") -> Self:
        """React to a message; an empty emoji takes the reaction back."""
        return cls("reaction", {"emoji": emoji}, emoji, key, target_id=message_id)

    @classmethod
    def location(
        cls,
        latitude: float,
        longitude: float,
        *,
        name: str = "",
        address: str = "",
        key: str = "",
        reply_to: UUID | None = None,
    ) -> Self:
        node: Node = {"latitude": latitude, "longitude": longitude}
        node |= {part: text for part, text in (("name", name), ("address", address)) if text}
        return cls("location", node, name or address, key, reply_to)

    @classmethod
    def contacts(
        cls, cards: Sequence[Node], *, key: str = "", reply_to: UUID | None = None
    ) -> Self:
        """Contact cards in Meta's shape: `{"name": {"formatted_name": …}, "phones": [{"phone": …}]}`."""
        names = [_inner(card, "name", "formatted_name") for card in cards]
        return cls("contacts", list(cards), ", ".join(filter(None, names)), key, reply_to)

    @classmethod
    def buttons(
        cls,
        body: str,
        buttons: Sequence[Button],
        *,
        header: Header | None = None,
        footer: str = "",
        key: str = "",
        reply_to: UUID | None = None,
    ) -> Self:
        replies = [
            {"type": "reply", "reply": {"id": one.id, "title": one.title}} for one in buttons
        ]
        node = _interactive("button", body, {"buttons": replies}, header, footer)
        return cls("interactive", node, body, key, reply_to, header.media_id if header else None)

    @classmethod
    def list(
        cls,
        body: str,
        button: str,
        sections: Sequence[ListSection],
        *,
        header: Header | None = None,
        footer: str = "",
        key: str = "",
        reply_to: UUID | None = None,
    ) -> Self:
        """A list behind `button`: at most ten rows in all."""
        action = {"button": button, "sections": [_section(section) for section in sections]}
        node = _interactive("list", body, action, header, footer)
        return cls("interactive", node, body, key, reply_to)

    @classmethod
    def link(
        cls,
        body: str,
        label: str,
        url: str,
        *,
        header: Header | None = None,
        footer: str = "",
        key: str = "",
        reply_to: UUID | None = None,
    ) -> Self:
        """One button that opens a web page (`cta_url`)."""
        action = {"name": "cta_url", "parameters": {"display_text": label, "url": url}}
        node = _interactive("cta_url", body, action, header, footer)
        return cls("interactive", node, body, key, reply_to, header.media_id if header else None)

    @classmethod
    def flow(
        cls,
        body: str,
        label: str,
        flow_id: str,
        *,
        token: str = "",
        screen: str = "",
        values: Mapping[str, Any] | None = None,
        is_draft: bool = False,
        header: Header | None = None,
        footer: str = "",
        key: str = "",
    ) -> Self:
        """A WhatsApp Flow (a form) behind a button. `token` comes back with the answers.

        With a `screen` it opens there, filled with `values`; without one our endpoint at Meta is asked.
        """
        parameters: Node = {
            "flow_message_version": "3",
            "flow_id": flow_id,
            "flow_cta": label,
            "flow_action": "navigate" if screen else "data_exchange",
            "mode": "draft" if is_draft else "published",
        }
        if token:
            parameters["flow_token"] = token
        if screen:
            given = {"data": dict(values)} if values else {}
            parameters["flow_action_payload"] = {"screen": screen} | given
        action = {"name": "flow", "parameters": parameters}
        node = _interactive("flow", body, action, header, footer)
        return cls("interactive", node, body, key, None, header.media_id if header else None)

    @classmethod
    def product(
        cls, catalog_id: str, product: str, *, body: str = "", footer: str = "", key: str = ""
    ) -> Self:
        """One product of a catalogue, by the id that the shop gave it."""
        action = {"catalog_id": catalog_id, "product_retailer_id": product}
        node = _interactive("product", body, action, None, footer)
        if not body:
            del node["body"]
        return cls("interactive", node, body or product, key)

    @classmethod
    def products(
        cls,
        catalog_id: str,
        sections: Mapping[str, Sequence[str]],
        *,
        header: str,
        body: str,
        footer: str = "",
        key: str = "",
    ) -> Self:
        """Up to thirty products of a catalogue, in titled sections."""
        parts = [
            {"title": title, "product_items": [{"product_retailer_id": one} for one in products]}
            for title, products in sections.items()
        ]
        action = {"catalog_id": catalog_id, "sections": parts}
        node = _interactive("product_list", body, action, Header(header), footer)
        return cls("interactive", node, body, key)

    @classmethod
    def catalogue(cls, body: str, *, thumbnail: str = "", footer: str = "", key: str = "") -> Self:
        """A button that opens the whole catalogue; its picture is that of one product."""
        action: Node = {"name": "catalog_message"}
        if thumbnail:
            action["parameters"] = {"thumbnail_product_retailer_id": thumbnail}
        return cls(
            "interactive", _interactive("catalog_message", body, action, None, footer), body, key
        )

    @classmethod
    def template(
        cls,
        template_id: UUID,
        variables: Mapping[str, str] | None = None,
        *,
        key: str = "",
        reply_to: UUID | None = None,
    ) -> Self:
        """A template with its gaps filled: `{"body.1": …, "body.name": …, "header.1": …, "button.0": …}`.

        `header.media` holds the id of our file where the header is a picture, a video or a document.
        """
        return cls(
            "template",
            key=key,
            reply_to=reply_to,
            template_id=template_id,
            variables=variables or {},
        )

    # Looking at it --------------------------------------------------------------------------------

    @property
    def is_free_form(self) -> bool:
        """Whether WhatsApp takes it only within 24 hours of the customer's last message."""
        return self.type != "template"

    def validate(self) -> None:
        """Raise Invalid, with a sentence, for what WhatsApp would refuse. Writes and asks nothing."""
        _CHECKS[self.type](self)
        if len(self.key) > 200:
            raise Invalid("key", "A key has at most 200 characters.")


def envelope(recipient: str, kind: str, node: Any, reply_to_meta_id: str | None = None) -> Node:
    """Meta's frame around a node. A business-scoped id goes in `recipient`, a phone number in `to`."""
    body: Node = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    body["recipient" if BSUID.match(recipient) else "to"] = recipient
    if reply_to_meta_id:
        body["context"] = {"message_id": reply_to_meta_id}
    return body | {"type": kind, kind: node}


def files_of(body: Any) -> set[UUID]:
    """Our files that a body names, wherever it names them."""
    if isinstance(body, str):
        return {UUID(body.removeprefix(MEDIA_MARK))} if body.startswith(MEDIA_MARK) else set()
    if isinstance(body, dict):
        # Only `id` names a file: a person may well write "media:…" in a text.
        named = files_of(body["id"]) if isinstance(body.get("id"), str) else set()
        return named.union(*(files_of(part) for part in body.values() if not isinstance(part, str)))
    if isinstance(body, list):
        return set().union(*(files_of(part) for part in body if not isinstance(part, str)))
    return set()


def with_files(body: Any, meta_ids: Mapping[UUID, str]) -> Any:
    """The body with Meta's id in place of each of ours."""
    if isinstance(body, list):
        return [with_files(part, meta_ids) for part in body]
    if not isinstance(body, dict):
        return body
    changed = {name: with_files(part, meta_ids) for name, part in body.items()}
    for ours in files_of({"id": body["id"]}) if isinstance(body.get("id"), str) else ():
        changed["id"] = meta_ids[ours]
    return changed


# Checks ------------------------------------------------------------------------------------------


def _interactive(kind: str, body: str, action: Node, header: Header | None, footer: str) -> Node:
    node: Node = {"type": kind, "body": {"text": body}, "action": action}
    if header is not None:
        node["header"] = _header(header)
    if footer:
        node["footer"] = {"text": footer}
    return node


def _header(header: Header) -> Node:
    if header.media_id is None:
        return {"type": "text", "text": header.text}
    return {"type": header.kind, header.kind: {"id": f"{MEDIA_MARK}{header.media_id}"}}


def _section(section: ListSection) -> Node:
    rows = [
        {"id": row.id, "title": row.title}
        | ({"description": row.description} if row.description else {})
        for row in section.rows
    ]
    return ({"title": section.title} if section.title else {}) | {"rows": rows}


def _inner(node: Any, *path: str) -> str:
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return str(node or "")


def check_length(field_name: str, what: str, text: str, most: int, *, least: int = 1) -> None:
    """Raise Invalid unless the text has between `least` and `most` characters."""
    if len(text.strip()) < least:
        raise Invalid(field_name, f"{what} is empty.")
    if len(text) > most:
        raise Invalid(field_name, f"{what} has {len(text):,} characters; WhatsApp takes {most:,}.")
    if "\x00" in text:
        raise Invalid(field_name, f"{what} contains a character that can not be sent.")


def _check_text(draft: Draft) -> None:
    check_length("text", "The message", draft.node["body"], TEXT_LIMIT)


def _check_media(draft: Draft) -> None:
    caption = draft.node.get("caption", "")
    if caption and draft.type not in CAPTIONED:
        raise Invalid(
            "caption", "WhatsApp shows no caption here. Send the text as its own message."
        )
    check_length("caption", "The caption", caption, CAPTION_LIMIT, least=0)
    check_length("file_name", "The file name", draft.node.get("filename", ""), 240, least=0)


def _check_reaction(draft: Draft) -> None:
    emoji = draft.node["emoji"]
    if len(emoji) > 16 or any(char.isalpha() or char.isspace() for char in emoji):
        raise Invalid("emoji", "A reaction is one emoji.")


def _check_location(draft: Draft) -> None:
    if not -90 <= draft.node["latitude"] <= 90:
        raise Invalid("latitude", "A latitude lies between -90 and 90.")
    if not -180 <= draft.node["longitude"] <= 180:
        raise Invalid("longitude", "A longitude lies between -180 and 180.")
    for part in ("name", "address"):
        check_length(part, f"The {part}", draft.node.get(part, ""), 1000, least=0)


def _check_contacts(draft: Draft) -> None:
    if not 1 <= len(draft.node) <= 257:
        raise Invalid("contacts", "Send between 1 and 257 contact cards.")
    for card in draft.node:
        if not _inner(card, "name", "formatted_name"):
            raise Invalid("contacts", "Each contact card needs a name.")


def _check_interactive(draft: Draft) -> None:
    node = draft.node
    if node["type"] != "product" or "body" in node:
        check_length("text", "The message", node["body"]["text"], BODY_LIMIT)
    check_length("footer", "The footer", _inner(node, "footer", "text"), SMALL_LIMIT, least=0)
    _check_header(node)
    _ACTIONS[node["type"]](node["action"])


def _check_header(node: Node) -> None:
    header = node.get("header")
    if header is None:
        return
    if header["type"] == "text":
        check_length("header", "The header", header["text"], SMALL_LIMIT)
    elif header["type"] not in HEADER_KINDS:
        raise Invalid("header", "A header is a text, a picture, a video or a document.")
    elif node["type"] in {"list", "product_list"}:
        raise Invalid("header", "The header of a list is a text.")


def _check_buttons(action: Node) -> None:
    replies = [button["reply"] for button in action["buttons"]]
    if not 1 <= len(replies) <= 3:
        raise Invalid("buttons", "WhatsApp shows one to three buttons.")
    for reply in replies:
        check_length("buttons", "A button's title", reply["title"], TITLE_LIMIT)
        check_length("buttons", "A button's id", reply["id"], 256)
    _check_distinct("buttons", "buttons", [reply["id"] for reply in replies])
    _check_distinct("buttons", "buttons", [reply["title"] for reply in replies])


def _check_list(action: Node) -> None:
    check_length("button", "The list's button", action["button"], TITLE_LIMIT)
    sections = action["sections"]
    rows = [row for section in sections for row in section["rows"]]
    if not 1 <= len(rows) <= ROWS or not all(section["rows"] for section in sections):
        raise Invalid("sections", "A list has one to ten rows, and no empty section.")
    for section in sections:
        least = 1 if len(sections) > 1 else 0
        title = section.get("title", "")
        check_length("sections", "A section's title", title, ROW_TITLE_LIMIT, least=least)
    for row in rows:
        check_length("sections", "A row's title", row["title"], ROW_TITLE_LIMIT)
        check_length("sections", "A row's id", row["id"], 200)
        description = row.get("description", "")
        check_length("sections", "A description", description, ROW_DESCRIPTION_LIMIT, least=0)
    _check_distinct("sections", "rows", [row["id"] for row in rows])


def _check_link(action: Node) -> None:
    parameters = action["parameters"]
    check_length("button", "The button's label", parameters["display_text"], TITLE_LIMIT)
    check_length("url", "The address", parameters["url"], 2000)
    if not re.match(r"https?://[^\s/]+", parameters["url"]):
        raise Invalid("url", "The address must start with https:// or http://.")


def _check_flow(action: Node) -> None:
    parameters = action["parameters"]
    check_length("label", "The button's label", parameters["flow_cta"], TITLE_LIMIT)
    if not parameters["flow_id"].isdecimal() or len(parameters["flow_id"]) > 40:
        raise Invalid("flow_id", "The id of a WhatsApp Flow is a number, as Meta shows it.")
    check_length("token", "The token", parameters.get("flow_token", ""), 200, least=0)
    screen = parameters.get("flow_action_payload", {}).get("screen", "")
    check_length("screen", "The screen's name", screen, 80, least=0)


def _check_product(action: Node) -> None:
    check_length("catalog_id", "The catalogue's id", action["catalog_id"], 100)
    check_length("product", "The product's id", action["product_retailer_id"], 100)


def _check_products(action: Node) -> None:
    check_length("catalog_id", "The catalogue's id", action["catalog_id"], 100)
    sections = action["sections"]
    products = [one["product_retailer_id"] for part in sections for one in part["product_items"]]
    if not 1 <= len(sections) <= 10 or not all(part["product_items"] for part in sections):
        raise Invalid("sections", "A list of products has one to ten sections, and no empty one.")
    if len(products) > PRODUCTS:
        raise Invalid("sections", f"A list has at most {PRODUCTS} products.")
    for part in sections:
        check_length("sections", "A section's title", part["title"], ROW_TITLE_LIMIT)
    for product in products:
        check_length("sections", "A product's id", product, 100)


def _check_catalogue(action: Node) -> None:
    thumbnail = action.get("parameters", {}).get("thumbnail_product_retailer_id", "")
    check_length("thumbnail", "The product's id", thumbnail, 100, least=0)


def _check_distinct(field_name: str, what: str, values: Sequence[str]) -> None:
    if len(set(values)) < len(values):
        raise Invalid(field_name, f"Two {what} are the same. Each needs its own id and title.")


def _check_template(draft: Draft) -> None:
    for name, value in draft.variables.items():
        check_length(name, "A variable", value, TEXT_LIMIT, least=0)


_CHECKS = {
    "text": _check_text,
    "reaction": _check_reaction,
    "location": _check_location,
    "contacts": _check_contacts,
    "interactive": _check_interactive,
    "template": _check_template,
    **dict.fromkeys(MEDIA_KINDS, _check_media),
}

_ACTIONS = {
    "button": _check_buttons,
    "list": _check_list,
    "cta_url": _check_link,
    "flow": _check_flow,
    "product": _check_product,
    "product_list": _check_products,
    "catalog_message": _check_catalogue,
}
