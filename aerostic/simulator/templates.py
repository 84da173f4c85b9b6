"""Message templates: what they may look like, and what a send must bring to fill them."""

import json
import re
from typing import Any

from aerostic.simulator.errors import GraphError
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
HEADER_FORMATS = ("TEXT", "IMAGE", "VIDEO", "GIF", "DOCUMENT", "LOCATION", "PRODUCT")
BUTTON_TYPES = (
    "QUICK_REPLY",
    "URL",
    "PHONE_NUMBER",
    "COPY_CODE",
    "OTP",
    "FLOW",
    "CATALOG",
    "MPM",
    "SPM",
    "VOICE_CALL",
    "CALL_PERMISSION_REQUEST",
    "REQUEST_CONTACT_INFO",
    "APP",
)
COMPONENT_TYPES = ("HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER")
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_MEDIA_HEADERS = {"IMAGE": "image", "VIDEO": "video", "GIF": "video", "DOCUMENT": "document"}


def variables(text: str) -> list[str]:
    """The names of `{{…}}` in order of appearance, each once."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


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


def check_definition(wanted: Json) -> None:
    """Refuse a template that Meta would refuse at once, before any review."""
    for name in ("name", "language", "category", "components"):
        if not wanted.get(name):
            raise GraphError(100, title=f"The parameter {name} is required.")
    for name in ("name", "language", "category"):
        if not isinstance(wanted[name], str):
            raise GraphError(100, f"Param {name} must be a string.")
    _check_options(wanted)
    if not _NAME.fullmatch(wanted["name"]):
        raise _refused(
            "Names may only contain lowercase letters, numbers and underscores.", 2388023
        )
    if str(wanted["category"]).upper() not in CATEGORIES:
        raise GraphError(100, f"Param category must be one of {', '.join(CATEGORIES)}.")
    if not isinstance(wanted["components"], list):
        raise GraphError(100, "Param components must be an array.")
    kinds = [
        _check_component(each, str(wanted["category"]).upper()) for each in wanted["components"]
    ]
    if "BODY" not in kinds:
        raise _refused("A template needs a component of type BODY.", 2388043)
    if len(set(kinds)) < len(kinds):
        raise _refused("Each component type may stand once.", 2388043)


def _check_options(wanted: Json) -> None:
    if wanted.get("parameter_format", "POSITIONAL") not in ("POSITIONAL", "NAMED"):
        raise GraphError(100, "Param parameter_format must be one of POSITIONAL, NAMED.")
    ttl = wanted.get("message_send_ttl_seconds")
    if ttl is not None and (
        isinstance(ttl, bool) or not isinstance(ttl, int) or not 0 < ttl <= 2_592_000
    ):
        raise GraphError(
            100, "Param message_send_ttl_seconds must be a number of seconds up to 30 days."
        )


def _example(component: Json) -> Json:
    example = component.get("example") or {}
    if not isinstance(example, dict):
        raise GraphError(100, "Param example must be an object.")
    return example


def _check_component(component: Any, category: str) -> str:
    if not isinstance(component, dict):
        raise GraphError(100, "Each of components must be an object.")
    kind = str(component.get("type", "")).upper()
    if kind not in COMPONENT_TYPES:
        raise GraphError(100, f"Param components.type must be one of {', '.join(COMPONENT_TYPES)}.")
    if kind == "HEADER":
        _check_header(component)
    elif kind == "BODY" and category != "AUTHENTICATION":
        _check_body(component)
    elif kind == "FOOTER" and len(str(component.get("text", ""))) > 60:
        raise _refused("A footer has at most 60 characters.", 2388040)
    elif kind == "BUTTONS":
        _check_buttons(component)
    return kind


def _check_header(header: Json) -> None:
    shape = str(header.get("format", "")).upper()
    if shape not in HEADER_FORMATS:
        raise GraphError(100, f"Param format must be one of {', '.join(HEADER_FORMATS)}.")
    if shape in _MEDIA_HEADERS and not _example(header).get("header_handle"):
        raise _refused("A media header needs an example with a header_handle.", 2388273)
    if shape == "TEXT":
        text = header.get("text")
        if not isinstance(text, str) or not 1 <= len(text) <= 60:
            raise _refused("A header has 1 to 60 characters.", 2388040)
        if len(variables(text)) > 1:
            raise _refused("A header has at most one variable.", 2388047)


def _check_body(body: Json) -> None:
    text = body.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= 1024:
        raise _refused("A body has 1 to 1024 characters.", 2388040)
    names = variables(text)
    stripped = text.strip()
    if names and (re.match(_VARIABLE, stripped) or re.search(_VARIABLE.pattern + r"$", stripped)):
        raise _refused("Variables can't be at the start or end of the template.", 2388299)
    if re.search(_VARIABLE.pattern + r"\s*" + _VARIABLE.pattern, text):
        raise _refused("Variables can't be next to each other.", 2388299)
    if len(stripped.split()) < 2 * len(_VARIABLE.findall(text)) + 1:
        raise _refused(
            "This template contains too many variable parameters for its length.", 2388293
        )
    example = _example(body)
    if names and not (example.get("body_text") or example.get("body_text_named_params")):
        raise _refused("Variables need an example.", 2388043)
    if all(name.isdigit() for name in names) and names != [
        str(each + 1) for each in range(len(names))
    ]:
        raise _refused("Variables must be {{1}}, {{2}} and so on, in order.", 2388047)


def _check_buttons(component: Json) -> None:
    buttons = component.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 10:
        raise _refused("A template has 1 to 10 buttons.", 2388024)
    for button in buttons:
        if not isinstance(button, dict) or str(button.get("type", "")).upper() not in BUTTON_TYPES:
            raise GraphError(100, f"Param buttons.type must be one of {', '.join(BUTTON_TYPES)}.")
        if len(str(button.get("text", ""))) > 25:
            raise _refused("A button's text has at most 25 characters.", 2388040)


def _refused(sentence: str, subcode: int) -> GraphError:
    return GraphError(
        100,
        sentence,
        subcode=subcode,
        user_title="Message template can't be created",
        user_message=sentence,
    )


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
    for component in json.loads(row["components"]):
        kind = component["type"].upper()
        if kind == "HEADER":
            seen["header"] = _filled_header(component, _parameters(given, "header"))
        elif kind == "BODY":
            text = "{{1}} is your verification code." if is_code else component["text"]
            if is_code and component.get("add_security_recommendation"):
                text += " For your security, do not share this code."
            seen["body"] = _filled_text(
                "body", text, _parameters(given, "body"), row["parameter_format"]
            )
        elif kind == "FOOTER":
            seen["footer"] = component.get("text") or _expiry(component)
        elif kind == "BUTTONS":
            seen["buttons"] = [
                _filled_button(button, at, given) for at, button in enumerate(component["buttons"])
            ]
    _refuse_surplus(seen, given)
    return seen


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
    expected = _MEDIA_HEADERS.get(shape, shape.lower())
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
    return _VARIABLE.sub(lambda found: _spoken(by_name[found.group(1)]), text)


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
        return shown | {"url": _VARIABLE.sub(lambda _: _needed(parameters, position), url)}
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


def media_of(seen: Json) -> list[Json]:
    """The files that a filled template shows."""
    header = seen.get("header") or {}
    return [header[header["type"]]] if header.get("type") in ("image", "video", "document") else []
