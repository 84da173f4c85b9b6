"""What Meta refuses about a template at once, before anybody reviews it."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from aerostic.simulator.errors import GraphError
from aerostic.simulator.store import Json
from aerostic.simulator.templates import MEDIA_HEADERS, VARIABLE, variables
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
LIFETIMES = {
    "AUTHENTICATION": (30, 900),
    "UTILITY": (30, 43_200),
    "MARKETING": (43_200, 2_592_000),
}
_MOST_OF = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "FLOW": 1, "CATALOG": 1, "VOICE_CALL": 1}
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_LONE_BRACE = re.compile(r"[{}]")


def check_definition(world: World, wanted: Json) -> None:
    """Refuse a template that Meta would refuse at once, before any review."""
    for name in ("name", "language", "category", "components"):
        if not wanted.get(name):
            raise GraphError(100, title=f"The parameter {name} is required.")
    for name in ("name", "language", "category"):
        if not isinstance(wanted[name], str):
            raise GraphError(100, f"Param {name} must be a string.")
    category = wanted["category"].upper()
    if category not in CATEGORIES:
        raise GraphError(100, f"Param category must be one of {', '.join(CATEGORIES)}.")
    _check_options(wanted, category)
    if not _NAME.fullmatch(wanted["name"]):
        raise refused("Names may only contain lowercase letters, numbers and underscores.", 2388023)
    if not _LANGUAGE.fullmatch(wanted["language"]):
        raise GraphError(100, f"Param language must be a supported language: {wanted['language']}.")
    if not isinstance(wanted["components"], list):
        raise GraphError(100, "Param components must be an array.")
    is_named = wanted.get("parameter_format", "POSITIONAL") == "NAMED"
    _Rules(world, category, is_named).check(wanted["components"])


def _check_options(wanted: Json, category: str) -> None:
    if wanted.get("parameter_format", "POSITIONAL") not in ("POSITIONAL", "NAMED"):
        raise GraphError(100, "Param parameter_format must be one of POSITIONAL, NAMED.")
    ttl = wanted.get("message_send_ttl_seconds")
    least, most = LIFETIMES[category]
    if ttl is not None and (
        isinstance(ttl, bool) or not isinstance(ttl, int) or not least <= ttl <= most
    ):
        raise GraphError(
            100,
            f"Param message_send_ttl_seconds must be a number of seconds from {least} to {most}"
            f" for {category}: at most 30 days for any category.",
        )


class _Rules:
    """The rules for one definition."""

    def __init__(self, world: World, category: str, is_named: bool) -> None:
        self.world, self.category, self.is_named = world, category, is_named

    def check(self, components: Sequence[Any]) -> None:
        kinds = [self._component(each) for each in components]
        if "BODY" not in kinds:
            raise refused("A template needs a component of type BODY.", 2388043)
        if len(set(kinds)) < len(kinds):
            raise refused("Each component type may stand once.", 2388043)
        if self.category == "AUTHENTICATION":
            _check_code(components, kinds)
        elif any(each.get("type") == "OTP" for each in _buttons_of(components)):
            raise refused("OTP buttons belong to authentication templates.", 2388094)
        if "CAROUSEL" in kinds and set(kinds) != {"BODY", "CAROUSEL"}:
            raise refused("Beside a carousel a template has a body only.", 2388043)
        if "LIMITED_TIME_OFFER" in kinds:
            self._offer(components, kinds)

    def _component(self, component: Any) -> str:
        if not isinstance(component, dict):
            raise GraphError(100, "Each of components must be an object.")
        kind = str(component.get("type", "")).upper()
        if kind not in COMPONENT_TYPES:
            words = ", ".join(COMPONENT_TYPES)
            raise GraphError(100, f"Param components.type must be one of {words}.")
        if kind == "HEADER":
            self.header(component)
        elif kind == "BODY" and self.category != "AUTHENTICATION":
            self.body(component, 1024)
        elif kind == "FOOTER":
            _check_footer(component)
        elif kind == "BUTTONS":
            _check_buttons(component, 10)
        elif kind == "CAROUSEL":
            self._carousel(component)
        return kind

    def header(self, header: Json) -> None:
        shape = str(header.get("format", "")).upper()
        if shape not in HEADER_FORMATS:
            raise GraphError(100, f"Param format must be one of {', '.join(HEADER_FORMATS)}.")
        if shape in MEDIA_HEADERS:
            self._sample(shape, _example(header).get("header_handle"))
        if shape != "TEXT":
            return
        text = header.get("text")
        if not isinstance(text, str) or not 1 <= len(text) <= 60:
            raise refused("A header has 1 to 60 characters.", 2388040)
        if "\n" in text or re.search(r"[*_~`]", VARIABLE.sub("", text)):
            raise refused("A header has no line breaks and no formatting.", 2388047)
        if len(variables(text)) > 1:
            raise refused("A header has at most one variable.", 2388047)
        self._names(text)
        self._examples(header, text, "header_text")

    def _sample(self, shape: str, handles: Any) -> None:
        if not isinstance(handles, list) or not handles:
            raise refused("A media header needs an example with a header_handle.", 2388273)
        upload = self.world.store.one("SELECT * FROM uploads WHERE handle = ?", str(handles[0]))
        if upload is None:
            raise refused("The header_handle is not one of an upload of this app.", 2388273)
        wanted = {"IMAGE": "image/", "VIDEO": "video/", "GIF": "video/"}.get(
            shape, "application/pdf"
        )
        if not upload["mime_type"].startswith(wanted):
            raise refused(f"A file of type {upload['mime_type']} is no {shape} header.", 2388273)

    def body(self, body: Json, most: int) -> None:
        text = body.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > most:
            raise refused(f"A body has 1 to {most} characters.", 2388040)
        stripped = text.strip()
        if re.match(VARIABLE, stripped) or re.search(VARIABLE.pattern + r"$", stripped):
            raise refused("Variables can't be at the start or end of the template.", 2388299)
        if re.search(VARIABLE.pattern + r"\s*" + VARIABLE.pattern, text):
            raise refused("Variables can't be next to each other.", 2388299)
        words = VARIABLE.sub(" ", stripped).split()
        count = len(VARIABLE.findall(text))
        if count and len(words) < 2 * count + 1:
            raise refused(
                "This template contains too many variable parameters for its length.", 2388293
            )
        self._names(text)
        self._examples(body, text, "body_text")

    def _names(self, text: str) -> None:
        names = variables(text)
        if _LONE_BRACE.search(VARIABLE.sub("", text)):
            raise refused("The format of the variables is not correct.", 2388072)
        if self.is_named and any(not re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names):
            raise refused("Named variables have small letters, digits and underscores.", 2388072)
        if not self.is_named and names != [str(at + 1) for at in range(len(names))]:
            raise refused("Variables must be {{1}}, {{2}} and so on, in order.", 2388047)

    def _examples(self, component: Json, text: str, key: str) -> None:
        names, example = variables(text), _example(component)
        if not names:
            return
        if self.is_named:
            told = example.get(f"{key}_named_params")
            rows = told if isinstance(told, list) else []
            given = [each.get("example") for each in rows if isinstance(each, dict)]
        else:
            told = example.get(key)
            values = told if isinstance(told, list) else []
            given = values[0] if values and isinstance(values[0], list) else values
        if len(given) != len(names) or not all(isinstance(each, str) and each for each in given):
            raise refused("Variables need an example.", 2388043)

    def _offer(self, components: Sequence[Json], kinds: list[str]) -> None:
        if self.category != "MARKETING":
            raise refused("A limited-time offer belongs to a marketing template.", 2388043)
        if "FOOTER" in kinds:
            raise refused("A limited-time offer has no footer.", 2388043)
        offer = _of_kind(components, "LIMITED_TIME_OFFER").get("limited_time_offer")
        text = offer.get("text") if isinstance(offer, dict) else None
        if not isinstance(text, str) or not 1 <= len(text) <= 16:
            raise refused("The text of a limited-time offer has 1 to 16 characters.", 2388040)
        header = _of_kind(components, "HEADER")
        if header and str(header.get("format")).upper() not in ("IMAGE", "VIDEO"):
            raise refused("The header of a limited-time offer is an image or a video.", 2388047)
        self.body(_of_kind(components, "BODY"), 600)
        types = [str(each.get("type")).upper() for each in _buttons_of(components)]
        if types not in (["URL"], ["COPY_CODE", "URL"]):
            raise refused("A limited-time offer has a code button and a URL button.", 2388094)

    def _carousel(self, component: Json) -> None:
        cards = component.get("cards")
        if not isinstance(cards, list) or not 2 <= len(cards) <= 10:
            raise refused("A carousel has 2 to 10 cards.", 2388043)
        if len({self._card(card) for card in cards}) != 1:
            raise refused("All cards of a carousel have the same components.", 2388043)

    def _card(self, card: Any) -> tuple[Any, ...]:
        """Refuse a card, or say of what it is made."""
        parts = card.get("components") if isinstance(card, dict) else None
        if not isinstance(parts, list) or not all(isinstance(each, dict) for each in parts):
            raise GraphError(100, "Each of cards needs an array of components.")
        kinds = [str(part.get("type", "")).upper() for part in parts]
        if not {"HEADER", "BUTTONS"} <= set(kinds) <= {"HEADER", "BODY", "BUTTONS"}:
            raise refused("A card has a header, perhaps a body, and buttons.", 2388043)
        header = _of_kind(parts, "HEADER")
        shape = str(header.get("format", "")).upper()
        if shape not in ("IMAGE", "VIDEO"):
            raise refused("The header of a card is an image or a video.", 2388047)
        self.header(header)
        if "BODY" in kinds:
            self.body(_of_kind(parts, "BODY"), 160)
        _check_buttons(_of_kind(parts, "BUTTONS"), 2)
        types = tuple(str(each.get("type")).upper() for each in _buttons_of(parts))
        if not set(types) <= {"QUICK_REPLY", "URL", "PHONE_NUMBER"}:
            raise refused("A card has quick replies, URL and phone buttons.", 2388094)
        return shape, "BODY" in kinds, types


def _of_kind(components: Sequence[Json], kind: str) -> Json:
    found = (each for each in components if str(each.get("type", "")).upper() == kind)
    return next(found, {})


def _buttons_of(components: Sequence[Json]) -> list[Json]:
    buttons = _of_kind(components, "BUTTONS").get("buttons")
    return buttons if isinstance(buttons, list) else []


def _example(component: Json) -> Json:
    example = component.get("example") or {}
    if not isinstance(example, dict):
        raise GraphError(100, "Param example must be an object.")
    return example


def _check_footer(footer: Json) -> None:
    text = str(footer.get("text", ""))
    if len(text) > 60:
        raise refused("A footer has at most 60 characters.", 2388040)
    if variables(text):
        raise refused("A footer has no variables.", 2388073)


def _check_code(components: Sequence[Json], kinds: list[str]) -> None:
    if not set(kinds) <= {"BODY", "FOOTER", "BUTTONS"}:
        raise refused("An authentication template has a body, a footer and a button only.", 2388043)
    if _of_kind(components, "BODY").get("text"):
        raise refused("The text of an authentication template is fixed.", 2388072)
    minutes = _of_kind(components, "FOOTER").get("code_expiration_minutes", 1)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 90:
        raise refused("code_expiration_minutes is a number from 1 to 90.", 2388073)
    buttons = _buttons_of(components)
    if [str(each.get("type")).upper() for each in buttons] != ["OTP"]:
        raise refused("An authentication template has one OTP button.", 2388094)
    way = str(buttons[0].get("otp_type", "")).upper()
    if way not in ("COPY_CODE", "ONE_TAP", "ZERO_TAP"):
        raise GraphError(100, "Param otp_type must be one of COPY_CODE, ONE_TAP, ZERO_TAP.")
    if way != "COPY_CODE" and not buttons[0].get("supported_apps"):
        raise refused("One-tap and zero-tap buttons need supported_apps.", 2388094)
    if way == "ZERO_TAP" and buttons[0].get("zero_tap_terms_accepted") is not True:
        raise refused("Zero-tap needs zero_tap_terms_accepted.", 2388094)


def _check_buttons(component: Json, most: int) -> None:
    buttons = component.get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= most:
        raise refused(f"A template has 1 to {most} buttons.", 2388024)
    types = [_check_button(button) for button in buttons]
    for kind, count in Counter(types).items():
        if count > _MOST_OF.get(kind, most):
            raise refused(f"At most {_MOST_OF[kind]} buttons of type {kind}.", 2388094)
    marks = "".join("q" if kind == "QUICK_REPLY" else "-" for kind in types)
    if "-" in marks.strip("-"):
        raise refused("Quick reply buttons must be grouped together.", 2388094)
    texts = [button["text"] for button in buttons if button.get("text")]
    if len(set(texts)) < len(texts):
        raise refused("Buttons can't have the same text.", 2388094)


def _check_button(button: Any) -> str:
    kind = str(button.get("type", "")).upper() if isinstance(button, dict) else ""
    if kind not in BUTTON_TYPES:
        raise GraphError(100, f"Param buttons.type must be one of {', '.join(BUTTON_TYPES)}.")
    text = str(button.get("text", ""))
    if len(text) > 25:
        raise refused("A button's text has at most 25 characters.", 2388040)
    if not text and kind not in ("OTP", "COPY_CODE"):
        raise refused("A button needs a text.", 2388043)
    if variables(text) or "\n" in text:
        raise refused("A button's text has no variables and no line breaks.", 2388047)
    if kind == "URL":
        _check_url(button)
    elif kind == "PHONE_NUMBER" and not re.fullmatch(
        r"\+?[0-9 ()-]{5,20}", str(button.get("phone_number", ""))
    ):
        raise refused("A phone button needs a phone_number.", 2388043)
    elif kind == "COPY_CODE" and not 1 <= len(_first(button.get("example"))) <= 15:
        raise refused("A code button needs an example of 1 to 15 characters.", 2388043)
    elif kind == "FLOW" and not button.get("flow_id"):
        raise refused("A flow button needs a flow_id.", 2388043)
    return kind


def _check_url(button: Json) -> None:
    url = str(button.get("url", ""))
    if not re.match(r"https?://[^\s/]+\.[^\s]", url) or len(url) > 2000:
        raise refused("A URL button needs a valid url of at most 2000 characters.", 2388043)
    names = VARIABLE.findall(url)
    if names and (len(names) > 1 or not url.endswith("}}")):
        raise refused("A url has at most one variable, at its end.", 2388047)
    if names and not _first(button.get("example")):
        raise refused("A url with a variable needs an example.", 2388043)


def _first(example: Any) -> str:
    first = example[0] if isinstance(example, list) and example else example
    return first if isinstance(first, str) else ""


def refused(sentence: str, subcode: int) -> GraphError:
    return GraphError(
        100,
        sentence,
        subcode=subcode,
        user_title="Message template can't be created",
        user_message=sentence,
    )
