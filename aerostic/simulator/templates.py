"""Message templates as the Graph API shows them, and what a send must bring to fill them."""

import json
import re
from typing import Any

from aerostic.simulator.errors import GraphError
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
MEDIA_HEADERS = {"IMAGE": "image", "VIDEO": "video", "GIF": "video", "DOCUMENT": "document"}


def variables(text: str) -> list[str]:
    """The names of `{{…}}` in order of appearance, each once."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def as_json(row: Row) -> Json:
    """A template as the Graph API shows it."""
    return {
        "name": row["name"],
        "parameter_format": row["parameter_format"],
        "components": json.loads(row["components"]),
        "language": row["language"],
        "status": row["status"],
        "category": row["category"],
        "rejected_reason": row["rejected_reason"],
        "quality_score": {"score": row["quality"], "date": int(row["at"])},
        "id": row["id"],
    } | ({"message_send_ttl_seconds": row["ttl_seconds"]} if row["ttl_seconds"] is not None else {})


def find_for_send(world: World, account_id: str, name: str, language: str) -> Row:
    """The approved template, or the error with which Meta refuses this one."""
    row = world.store.one(
        "SELECT * FROM templates WHERE account_id = ? AND name = ? AND language = ?",
        account_id,
        name,
        language,
    )
    if row is None or row["status"] not in ("APPROVED", "PAUSED", "DISABLED"):
        raise GraphError(132001, f"template name ({name}) does not exist in {language}")
    if row["status"] != "APPROVED":
        raise GraphError(132015 if row["status"] == "PAUSED" else 132016)
    return row


def fill(row: Row, given: list[Json]) -> Json:
    """What the recipient sees.

    Raises 132000, 132012 or 131008 where the parameters do not fit the template.
    """
    seen: Json = {"buttons": []}
    is_code = row["category"] == "AUTHENTICATION"
    _fill_components(json.loads(row["components"]), given, seen, row["parameter_format"], is_code)
    _refuse_surplus(seen, given)
    return seen


def _fill_components(
    components: list[Json], given: list[Json], seen: Json, parameter_format: str, is_code: bool
) -> None:
    for component in components:
        kind = component["type"].upper()
        if kind == "HEADER":
            seen["header"] = _filled_header(component, _parameters(given, "header"))
        elif kind == "BODY":
            text = "{{1}} is your verification code." if is_code else component["text"]
            if is_code and component.get("add_security_recommendation"):
                text += " For your security, do not share this code."
            seen["body"] = _filled_text("body", text, _parameters(given, "body"), parameter_format)
        elif kind == "FOOTER":
            seen["footer"] = component.get("text") or _expiry(component)
        elif kind == "BUTTONS":
            seen["buttons"] = [
                _filled_button(button, at, given) for at, button in enumerate(component["buttons"])
            ]
        elif kind == "LIMITED_TIME_OFFER":
            seen["offer"] = _filled_offer(component["limited_time_offer"], given)
        elif kind == "CAROUSEL":
            seen["cards"] = _filled_cards(component["cards"], given, parameter_format)


def _filled_offer(offer: Json, given: list[Json]) -> Json:
    shown: Json = {"text": offer["text"]}
    if not offer.get("has_expiration"):
        return shown
    parameters = _parameters(given, "limited_time_offer")
    ends = parameters[0]["limited_time_offer"].get("expiration_time_ms") if parameters else None
    if isinstance(ends, bool) or not isinstance(ends, int):
        raise GraphError(131008, "limited_time_offer: expiration_time_ms is required")
    return shown | {"expires_at": ends // 1000}


def _filled_cards(cards: list[Json], given: list[Json], parameter_format: str) -> list[Json]:
    told = [card for each in given if each["type"] == "carousel" for card in each["cards"]]
    by_index = {card.get("card_index"): card for card in told if isinstance(card, dict)}
    if set(by_index) != set(range(len(cards))) or len(told) != len(cards):
        raise GraphError(
            132000,
            f"carousel: number of cards ({len(told)}) does not match the expected number ({len(cards)})",
        )
    return [_filled_card(card, by_index[at], parameter_format) for at, card in enumerate(cards)]


def _filled_card(card: Json, told: Json, parameter_format: str) -> Json:
    seen: Json = {"buttons": []}
    given = [lowered for each in told.get("components", []) if (lowered := _lowered(each))]
    _fill_components(card["components"], given, seen, parameter_format, is_code=False)
    _refuse_surplus(seen, given)
    return seen


def _lowered(component: Any) -> Json:
    """Meta reads `HEADER` and `header` alike, and an index as text or as a number."""
    if not isinstance(component, dict):
        raise GraphError(100, "Each of a card's components must be an object.")
    index = component.get("index")
    number = int(index) if isinstance(index, str) and index.isdigit() else index
    return component | {"type": str(component.get("type", "")).lower(), "index": number}


def _expiry(footer: Json) -> str:
    minutes = footer.get("code_expiration_minutes")
    return f"This code expires in {minutes} minutes." if minutes else ""


def _parameters(given: list[Json], kind: str) -> list[Json]:
    return [
        each
        for component in given
        if component["type"] == kind
        for each in component.get("parameters", [])
    ]


def _filled_header(header: Json, parameters: list[Json]) -> Json:
    shape = header["format"].upper()
    if shape == "TEXT":
        return {
            "type": "text",
            "text": _filled_text("header", header["text"], parameters, "POSITIONAL"),
        }
    expected = MEDIA_HEADERS.get(shape, shape.lower())
    if len(parameters) != 1:
        raise _mismatch("header", 1, len(parameters))
    if parameters[0]["type"] != expected:
        raise GraphError(
            132012,
            f"header: Format mismatch, expected {shape}, received {parameters[0]['type'].upper()}",
        )
    return {"type": expected, expected: parameters[0].get(expected)}


def _filled_text(where: str, text: str, parameters: list[Json], parameter_format: str) -> str:
    names = variables(text)
    if len(names) != len(parameters):
        raise _mismatch(where, len(names), len(parameters))
    if parameter_format == "NAMED" and where == "body":
        by_name = {each.get("parameter_name"): each for each in parameters}
        if missing := [name for name in names if name not in by_name]:
            raise GraphError(132000, f"body: parameter {missing[0]} is missing")
    else:
        by_name = dict(zip(names, parameters, strict=True))
    return VARIABLE.sub(lambda found: _spoken(by_name[found.group(1)]), text)


def _spoken(parameter: Json) -> str:
    kind: str = parameter["type"]
    if kind == "text":
        return str(parameter["text"])
    if kind in ("currency", "date_time"):
        return str(parameter[kind].get("fallback_value", ""))
    raise GraphError(132012, f"body: Format mismatch, expected TEXT, received {kind.upper()}")


def _filled_button(button: Json, position: int, given: list[Json]) -> Json:
    kind = button["type"].upper()
    parameters = [
        each
        for component in given
        if component["type"] == "button" and component["index"] == position
        for each in component.get("parameters", [])
    ]
    shown: Json = {
        "type": kind,
        "text": button.get("text") or ("Copy code" if kind in ("OTP", "COPY_CODE") else ""),
    }
    if kind == "QUICK_REPLY":
        return shown | {
            "payload": parameters[0].get("payload", shown["text"]) if parameters else shown["text"]
        }
    if kind == "PHONE_NUMBER":
        return shown | {"phone_number": button.get("phone_number", "")}
    if kind in ("OTP", "COPY_CODE"):
        return shown | {"code": _needed(parameters, position)}
    if kind == "URL":
        url = str(button.get("url", ""))
        return shown | {"url": VARIABLE.sub(lambda _: _needed(parameters, position), url)}
    return shown


def _needed(parameters: list[Json], position: int) -> str:
    if not parameters:
        raise GraphError(
            131008, f"buttons: Button at index {position} of type Url requires a parameter"
        )
    return str(parameters[0].get("text") or parameters[0].get("coupon_code") or "")


def _refuse_surplus(seen: Json, given: list[Json]) -> None:
    if "header" not in seen and (surplus := _parameters(given, "header")):
        raise _mismatch("header", 0, len(surplus))
    for component in given:
        if component["type"] == "button" and component["index"] >= len(seen["buttons"]):
            raise GraphError(132012, f"buttons: there is no button at index {component['index']}")


def _mismatch(where: str, expected: int, received: int) -> GraphError:
    return GraphError(
        132000,
        f"{where}: number of localizable_params ({received}) does not match the expected number of "
        f"params ({expected})",
    )


def media_of(seen: Json) -> list[tuple[str, Json]]:
    """The files that a filled template shows, each with its kind."""
    headers = [part.get("header") or {} for part in (seen, *seen.get("cards", []))]
    return [
        (header["type"], header[header["type"]])
        for header in headers
        if header.get("type") in ("image", "video", "document")
    ]
