"""A definition in Meta's JSON, and Meta's JSON as a definition (Cloud API reference, template components)."""

from collections.abc import Mapping, Sequence
from typing import Any

from aerostic.domain.templates import gaps
from aerostic.domain.templates.definition import (
    FILE_FORMATS,
    App,
    Body,
    Button,
    ButtonKind,
    Card,
    Category,
    CodeWay,
    Definition,
    Footer,
    Header,
    HeaderFormat,
    Offer,
    ParameterFormat,
    headers,
)

Node = dict[str, Any]


def variables(text: str) -> list[str]:
    """The names of the variables of a text in order, each once."""
    return list(dict.fromkeys(gaps.VARIABLE.findall(text)))


# To Meta


def components(definition: Definition) -> list[Node]:
    """What Meta is sent. Headers must have their handles by then."""
    is_named = definition.is_named
    parts = [_header(definition.header, is_named)] if definition.header else []
    if definition.offer:
        parts.append(_offer(definition.offer))
    parts.append(_body(definition.body, is_named, definition.is_code))
    if definition.footer:
        parts.append(_footer(definition.footer))
    if definition.buttons:
        parts.append(_buttons(definition.buttons))
    if definition.cards:
        cards = [_card(card, is_named) for card in definition.cards]
        parts.append({"type": "CAROUSEL", "cards": cards})
    return parts


def _header(header: Header, is_named: bool) -> Node:
    node: Node = {"type": "HEADER", "format": header.format.value}
    if header.format is HeaderFormat.TEXT:
        node |= {"text": header.text} | _example(
            "header_text", header.text, header.examples, is_named
        )
    elif header.format in FILE_FORMATS and header.handle:
        node["example"] = {"header_handle": [header.handle]}
    return node


def _example(key: str, text: str, examples: Mapping[str, str], is_named: bool) -> Node:
    names = variables(text)
    if not names:
        return {}
    if is_named:
        named = [{"param_name": name, "example": examples.get(name, "")} for name in names]
        return {"example": {f"{key}_named_params": named}}
    values = [examples.get(name, "") for name in names]
    return {"example": {key: values if key == "header_text" else [values]}}


def _offer(offer: Offer) -> Node:
    told = {"text": offer.text, "has_expiration": offer.has_expiration}
    return {"type": "LIMITED_TIME_OFFER", "limited_time_offer": told}


def _body(body: Body, is_named: bool, is_code: bool) -> Node:
    if is_code:
        return {"type": "BODY", "add_security_recommendation": body.add_security_recommendation}
    example = _example("body_text", body.text, body.examples, is_named)
    return {"type": "BODY", "text": body.text} | example


def _footer(footer: Footer) -> Node:
    if footer.code_expiration_minutes is not None:
        return {"type": "FOOTER", "code_expiration_minutes": footer.code_expiration_minutes}
    return {"type": "FOOTER", "text": footer.text}


def _buttons(buttons: Sequence[Button]) -> Node:
    return {"type": "BUTTONS", "buttons": [_button(button) for button in buttons]}


def _button(button: Button) -> Node:
    node: Node = {"type": button.kind.value, "text": button.text}
    match button.kind:
        case ButtonKind.URL:
            node["url"] = button.url
            if variables(button.url):
                node["example"] = [button.example]
        case ButtonKind.PHONE_NUMBER:
            node["phone_number"] = button.phone_number
        case ButtonKind.COPY_CODE:
            node = {"type": "COPY_CODE", "example": button.example}
        case ButtonKind.FLOW:
            node |= _flow(button)
        case ButtonKind.VOICE_CALL if button.ttl_minutes:
            node["ttl_minutes"] = button.ttl_minutes
        case ButtonKind.OTP:
            node = _code_button(button)
    return node


def _flow(button: Button) -> Node:
    node: Node = {"flow_id": button.flow_id, "flow_action": button.flow_action or "navigate"}
    return node | ({"navigate_screen": button.navigate_screen} if button.navigate_screen else {})


def _code_button(button: Button) -> Node:
    node: Node = {"type": "OTP", "otp_type": button.otp_type.value}
    if button.text:
        node["text"] = button.text
    if button.otp_type is not CodeWay.COPY_CODE:
        node["autofill_text"] = button.autofill_text or "Autofill"
        node["supported_apps"] = [app.model_dump() for app in button.apps]
    if button.otp_type is CodeWay.ZERO_TAP:
        node["zero_tap_terms_accepted"] = button.accepts_zero_tap_terms
    return node


def _card(card: Card, is_named: bool) -> Node:
    parts = [_header(card.header, is_named)]
    if card.body:
        parts.append(_body(card.body, is_named, is_code=False))
    if card.buttons:
        parts.append(_buttons(card.buttons))
    return {"components": parts}


def plain_of(definition: Definition) -> list[Node]:
    """For comparing two definitions: as Meta gets them, but without samples, whose names differ each time."""
    bare = definition.model_copy(deep=True)
    for header in headers(bare).values():
        header.handle = ""
    return components(bare)


# From Meta


def definition(
    category: str,
    parameter_format: str,
    components: Sequence[Node],
    *,
    files: Mapping[str, str] | None = None,
    ttl_seconds: int | None = None,
) -> Definition:
    """Meta's components as we write them. `files` are our own samples by the place of their header."""
    known, ours = {one.value for one in Category}, files or {}
    made = Definition(
        category=Category(category) if category in known else Category.UTILITY,
        parameter_format=(
            ParameterFormat.NAMED
            if parameter_format.upper() == "NAMED"
            else ParameterFormat.POSITIONAL
        ),
        ttl_seconds=ttl_seconds,
    )
    for node in components:
        _take(made, node, ours)
    return made


def strange_parts(components: Sequence[Node]) -> list[str]:
    """Kinds that Meta knows and the builder does not: such a template is edited in WhatsApp Manager."""
    found: list[str] = []
    for node in components:
        kind = _kind(node)
        shape = str(node.get("format", "TEXT")).upper()
        if kind not in _KNOWN:
            found.append(kind)
        elif kind == "HEADER" and shape not in {one.value for one in HeaderFormat}:
            found.append(f"a {shape} header")
        elif kind == "BUTTONS":
            found += [_kind(one) for one in _list(node, "buttons") if _kind(one) not in _BUTTONS]
        elif kind == "CAROUSEL":
            for card in _list(node, "cards"):
                found += strange_parts(_list(card, "components"))
    return list(dict.fromkeys(found))


_KNOWN = frozenset({"HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"})
_BUTTONS = frozenset(kind.value for kind in ButtonKind)


def _kind(node: Node) -> str:
    return str(node.get("type", "")).upper()


def _list(node: Node, name: str) -> list[Node]:
    found = node.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _take(made: Definition, node: Node, files: Mapping[str, str]) -> None:
    match _kind(node):
        case "HEADER":
            made.header = _read_header(node, files.get("header", ""))
        case "BODY":
            made.body = _read_body(node)
        case "FOOTER":
            minutes = node.get("code_expiration_minutes")
            text = str(node.get("text") or "")
            made.footer = Footer(
                text=text, code_expiration_minutes=minutes if isinstance(minutes, int) else None
            )
        case "BUTTONS":
            made.buttons = _read_buttons(node)
        case "LIMITED_TIME_OFFER":
            told = node.get("limited_time_offer")
            told = told if isinstance(told, dict) else {}
            made.offer = Offer(
                text=str(told.get("text") or ""), has_expiration=bool(told.get("has_expiration"))
            )
        case "CAROUSEL":
            made.cards = [
                _read_card(card, files.get(f"cards.{at}.header", ""))
                for at, card in enumerate(_list(node, "cards"))
            ]


def _read_header(node: Node, media_id: str) -> Header:
    shape = str(node.get("format", "TEXT")).upper()
    if shape not in {one.value for one in HeaderFormat}:
        return Header(text=str(node.get("text") or ""))
    example = node.get("example")
    handles = example.get("header_handle") if isinstance(example, dict) else None
    return Header(
        format=HeaderFormat(shape),
        text=str(node.get("text") or ""),
        examples=_by_name(node, "header_text"),
        media_id=media_id,
        handle=str(handles[0]) if isinstance(handles, list) and handles else "",
    )


def _by_name(node: Node, key: str) -> dict[str, str]:
    """Examples under the names of their variables, whichever way Meta listed them."""
    known = gaps.examples(node, key)
    names = variables(str(node.get("text") or ""))
    return {
        name: known.get(name, known.get(str(position), ""))
        for position, name in enumerate(names, start=1)
    }


def _read_body(node: Node) -> Body:
    return Body(
        text=str(node.get("text") or ""),
        examples=_by_name(node, "body_text"),
        add_security_recommendation=node.get("add_security_recommendation") is True,
    )


def _read_buttons(node: Node) -> list[Button]:
    return [_read_button(one) for one in _list(node, "buttons") if _kind(one) in _BUTTONS]


def _read_button(node: Node) -> Button:
    example = node.get("example")
    first = example[0] if isinstance(example, list) and example else example
    way = str(node.get("otp_type") or "").upper()
    minutes = node.get("ttl_minutes")
    return Button(
        kind=ButtonKind(_kind(node)),
        text=str(node.get("text") or ""),
        url=str(node.get("url") or ""),
        example=str(first or ""),
        phone_number=str(node.get("phone_number") or ""),
        flow_id=str(node.get("flow_id") or ""),
        flow_action=str(node.get("flow_action") or "").lower(),
        navigate_screen=str(node.get("navigate_screen") or ""),
        otp_type=CodeWay(way) if way in set(CodeWay) else CodeWay.COPY_CODE,
        autofill_text=str(node.get("autofill_text") or ""),
        apps=[
            App(
                package_name=str(app.get("package_name") or ""),
                signature_hash=str(app.get("signature_hash") or ""),
            )
            for app in _list(node, "supported_apps")
        ],
        accepts_zero_tap_terms=node.get("zero_tap_terms_accepted") is True,
        ttl_minutes=minutes if isinstance(minutes, int) else None,
    )


def _read_card(node: Node, media_id: str) -> Card:
    card = Card()
    for part in _list(node, "components"):
        match _kind(part):
            case "HEADER":
                card.header = _read_header(part, media_id)
            case "BODY":
                card.body = _read_body(part)
            case "BUTTONS":
                card.buttons = _read_buttons(part)
    return card
