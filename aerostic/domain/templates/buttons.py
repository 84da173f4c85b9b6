"""What Meta refuses about buttons: how many of which kind, in which order, with which words."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from aerostic.domain.templates.definition import App, Button, ButtonKind, CodeWay
from aerostic.domain.templates.gaps import VARIABLE
from aerostic.domain.templates.notation import variables
from aerostic.domain.templates.wording import check_plain

MOST = 10
MOST_ON_CARD = 2
MOST_OF = {
    ButtonKind.URL: (2, "two links"),
    ButtonKind.PHONE_NUMBER: (1, "one call button"),
    ButtonKind.COPY_CODE: (1, "one coupon code"),
    ButtonKind.FLOW: (1, "one form"),
    ButtonKind.VOICE_CALL: (1, "one WhatsApp call button"),
    ButtonKind.CATALOG: (1, "one catalogue button"),
}
TEXT_LIMIT = 25
URL_LIMIT = 2000
CODE_LIMIT = 15
MOST_APPS = 5
ON_CARDS = frozenset({ButtonKind.QUICK_REPLY, ButtonKind.URL, ButtonKind.PHONE_NUMBER})
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,18}")
_PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")
_HASH = re.compile(r"[A-Za-z0-9+/=]{11}")

Found = Iterator[tuple[str, str]]


def problems(buttons: Sequence[Button], place: str) -> Found:
    """Of an ordinary template."""
    if len(buttons) > MOST:
        yield place, f"A template has at most {MOST} buttons; this one has {len(buttons)}."
    yield from _counts(buttons, place)
    if not _are_grouped(buttons):
        yield (
            place,
            "Put the quick replies together: other buttons stand before or after all of them.",
        )
    if any(one.kind is ButtonKind.CATALOG for one in buttons) and len(buttons) > 1:
        yield place, "A catalogue button stands alone."
    yield from _each(buttons, place)


def card_problems(buttons: Sequence[Button], place: str) -> Found:
    """Of one card of a carousel."""
    if not 1 <= len(buttons) <= MOST_ON_CARD:
        yield place, f"A card has one or {MOST_ON_CARD} buttons."
    for at, button in enumerate(buttons):
        if button.kind not in ON_CARDS:
            yield f"{place}.{at}.kind", "A card may have quick replies, links and call buttons."
    yield from _each(buttons, place)


def offer_problems(buttons: Sequence[Button]) -> Found:
    """Of a limited-time offer: a link, and before it perhaps a code."""
    kinds = [button.kind for button in buttons]
    if kinds not in ([ButtonKind.URL], [ButtonKind.COPY_CODE, ButtonKind.URL]):
        yield (
            "buttons",
            "An offer has a link, and before it a coupon code if there is one: nothing else.",
        )
    yield from _each(buttons, "buttons")


def code_problems(buttons: Sequence[Button]) -> Found:
    """Of an authentication template."""
    if [button.kind for button in buttons] != [ButtonKind.OTP]:
        yield (
            "buttons",
            "An authentication template has exactly one button: the one that takes the code.",
        )
        return
    button = buttons[0]
    yield from _short(button.text, "buttons.0.text", needed=False)
    if button.otp_type is CodeWay.COPY_CODE:
        return
    yield from _short(button.autofill_text, "buttons.0.autofill_text", needed=False)
    if not 1 <= len(button.apps) <= MOST_APPS:
        yield "buttons.0.apps", f"Name 1 to {MOST_APPS} Android apps that may take the code."
    for at, app in enumerate(button.apps):
        yield from _app(app, f"buttons.0.apps.{at}")
    if button.otp_type is CodeWay.ZERO_TAP and not button.accepts_zero_tap_terms:
        yield (
            "buttons.0.accepts_zero_tap_terms",
            "Zero-tap needs your agreement to WhatsApp's terms for it.",
        )


def _app(app: App, place: str) -> Found:
    if not _PACKAGE.fullmatch(app.package_name) or len(app.package_name) > 224:
        yield f"{place}.package_name", "A package name looks like com.example.shop."
    if not _HASH.fullmatch(app.signature_hash):
        yield f"{place}.signature_hash", "A signing key hash has exactly 11 characters."


def _counts(buttons: Sequence[Button], place: str) -> Found:
    for kind, count in Counter(button.kind for button in buttons).items():
        most, words = MOST_OF.get(kind, (MOST, ""))
        if count > most and words:
            yield place, f"A template may have {words} at most."


def _are_grouped(buttons: Sequence[Button]) -> bool:
    """Whether the quick replies stand in one row."""
    marks = "".join("q" if one.kind is ButtonKind.QUICK_REPLY else "-" for one in buttons)
    return "-" not in marks.strip("-")


def _each(buttons: Sequence[Button], place: str) -> Found:
    seen: set[str] = set()
    for at, button in enumerate(buttons):
        here = f"{place}.{at}"
        if button.kind is ButtonKind.OTP:
            yield f"{here}.kind", "Only an authentication template has a button that takes a code."
            continue
        if button.kind is not ButtonKind.COPY_CODE:  # its words are WhatsApp's own
            yield from _short(button.text, f"{here}.text", needed=True)
            if button.text.strip() and button.text in seen:
                yield f"{here}.text", "Two buttons can not have the same words."
            seen.add(button.text)
        yield from _target(button, here)


def _short(text: str, place: str, *, needed: bool) -> Found:
    if needed and not text.strip():
        yield place, "Write what the button says."
    if len(text) > TEXT_LIMIT:
        yield place, f"A button says at most {TEXT_LIMIT} characters; this one has {len(text)}."
    if variables(text):
        yield place, "The words of a button can not hold variables."
    for wrong in check_plain(text, "button"):
        yield place, wrong


def _target(button: Button, place: str) -> Found:
    match button.kind:
        case ButtonKind.URL:
            yield from _link(button, place)
        case ButtonKind.PHONE_NUMBER if not _PHONE.fullmatch(button.phone_number):
            yield (
                f"{place}.phone_number",
                "Write the number with its country code, such as +49 30 1234567.",
            )
        case ButtonKind.COPY_CODE:
            if not button.example.strip():
                yield f"{place}.example", "Give an example of a coupon code."
            elif len(button.example) > CODE_LIMIT:
                yield f"{place}.example", f"A coupon code has at most {CODE_LIMIT} characters."
        case ButtonKind.FLOW if not button.flow_id.strip().isdigit():
            yield (
                f"{place}.flow_id",
                "Name the form by its id: digits, as WhatsApp Manager shows them.",
            )


def _link(button: Button, place: str) -> Found:
    url = button.url.strip()
    bare = VARIABLE.sub("", url)
    if not re.fullmatch(r"https?://[^\s/]+\.[^\s]+", bare):
        yield f"{place}.url", "A link is a whole address, such as https://example.com/menu."
    elif len(url) > URL_LIMIT:
        yield f"{place}.url", f"A link has at most {URL_LIMIT:,} characters."
    elif re.match(r"https?://(www\.)?(wa\.me|whatsapp\.com|api\.whatsapp\.com)(/|$)", bare):
        yield (
            f"{place}.url",
            "Meta takes no links to WhatsApp itself here. Use a call or reply button.",
        )
    names = VARIABLE.findall(url)
    if len(names) > 1 or (names and not re.search(VARIABLE.pattern + r"$", url)):
        yield f"{place}.url", "A link may have one variable, at its very end."
    if names and names[0] != "1":
        yield f"{place}.url", "The variable of a link is written {{1}}."
    elif names and not _is_example_of(button.example, url):
        yield (
            f"{place}.example",
            "Give the whole link as an example, with something in the variable's place.",
        )


def _is_example_of(example: str, url: str) -> bool:
    begin = VARIABLE.split(url)[0]
    return example.startswith(begin) and len(example.strip()) > len(begin)
