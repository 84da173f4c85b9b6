"""What Meta would refuse about a template, found before Meta is asked, each as a sentence at its place.

A place is a path into the definition: `name`, `body.text`, `body.examples.1`, `buttons.0.url`,
`cards.1.header.media_id`. Rules: Cloud API reference, template components and template guidelines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aerostic.domain.templates import buttons as button_rules
from aerostic.domain.templates.definition import (
    FILE_FORMATS,
    Body,
    Card,
    Category,
    Definition,
    Header,
    HeaderFormat,
)
from aerostic.domain.templates.languages import LANGUAGES
from aerostic.domain.templates.notation import variables
from aerostic.domain.templates.wording import (
    check_examples,
    check_plain,
    check_surroundings,
    check_variables,
    check_words,
)

NAME = re.compile(r"[a-z0-9_]+")
NAME_LIMIT = 512
HEADER_LIMIT = 60
BODY_LIMIT = 1024
OFFER_BODY_LIMIT = 600
CARD_BODY_LIMIT = 160
FOOTER_LIMIT = 60
OFFER_LIMIT = 16
MOST_CARDS = 10
CODE_MINUTES = range(1, 91)
# How long Meta may try to deliver, in seconds, by category.
LIFETIMES = {
    Category.AUTHENTICATION: (30, 900),
    Category.UTILITY: (30, 43_200),
    Category.MARKETING: (43_200, 2_592_000),
}
_LIFETIME_WORDS = {
    Category.AUTHENTICATION: "30 seconds and 15 minutes",
    Category.UTILITY: "30 seconds and 12 hours",
    Category.MARKETING: "12 hours and 30 days",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that Meta would refuse."""

    place: str
    message: str


Found = Iterator[tuple[str, str]]


def problems(definition: Definition, *, name: str, language: str) -> list[Problem]:
    """All of them, in the order of the form. None: Meta has nothing to refuse at once."""
    found = [*_name(name, language), *_kind_of(definition), *_lifetime(definition)]
    return [Problem(place, message) for place, message in found]


def check_name(name: str) -> str:
    """What is wrong with a name; nothing, if it is right."""
    if not name:
        return "A template needs a name."
    if not NAME.fullmatch(name):
        return "A name may hold small letters a to z, digits and underscores only."
    if len(name) > NAME_LIMIT:
        return f"A name has at most {NAME_LIMIT} characters; this one has {len(name)}."
    return ""


def _name(name: str, language: str) -> Found:
    if wrong := check_name(name):
        yield "name", wrong
    if language not in LANGUAGES:
        yield "language", "Meta knows no such language. Choose one of the list."


def _kind_of(definition: Definition) -> Found:
    if definition.is_code:
        yield from _code(definition)
    elif definition.cards:
        yield from _carousel(definition)
    elif definition.offer:
        yield from _offer(definition)
    else:
        yield from _plain(definition)


def _lifetime(definition: Definition) -> Found:
    if definition.ttl_seconds is None:
        return
    least, most = LIFETIMES[definition.category]
    if not least <= definition.ttl_seconds <= most:
        words = _LIFETIME_WORDS[definition.category]
        yield (
            "ttl_seconds",
            f"For {definition.category.lower()} the time to deliver lies between {words}.",
        )


def _plain(definition: Definition) -> Found:
    if definition.header:
        yield from _header(definition.header, "header", definition.is_named)
    yield from _body(definition, BODY_LIMIT)
    yield from _footer(definition)
    yield from button_rules.problems(definition.buttons, "buttons")


# Header, body, footer


def _header(header: Header, place: str, is_named: bool) -> Found:
    if header.format is HeaderFormat.TEXT:
        yield from _heading(header, place, is_named)
    elif header.format in FILE_FORMATS and not _has_sample(header):
        kind = header.format.value.lower()
        article = "an" if kind == "image" else "a"
        yield (
            f"{place}.media_id",
            f"Add {article} {kind} as a sample: Meta looks at it in its review.",
        )


def _has_sample(header: Header) -> bool:
    """What Meta lists of a template is the address of its sample, which it does not take back."""
    return bool(header.media_id or (header.handle and not header.handle.startswith("http")))


def _heading(header: Header, place: str, is_named: bool) -> Found:
    if not header.text.strip():
        yield f"{place}.text", "Write the heading, or remove it."
        return
    if len(header.text) > HEADER_LIMIT:
        yield (
            f"{place}.text",
            f"A heading has at most {HEADER_LIMIT} characters; this one has {len(header.text)}.",
        )
    if len(variables(header.text)) > 1:
        yield f"{place}.text", "A heading may hold one variable only."
    for wrong in (*check_plain(header.text, "heading"), *check_variables(header.text, is_named)):
        yield f"{place}.text", wrong
    yield from check_examples(header.text, header.examples, f"{place}.examples")


def _body(definition: Definition, most: int) -> Found:
    body = definition.body
    if not body.text.strip():
        yield "body.text", "Write the text of the message."
        return
    if len(body.text) > most:
        yield (
            "body.text",
            f"The text has at most {most:,} characters here; this one has {len(body.text):,}.",
        )
    yield from _running_text(body, "body", definition.is_named)


def _running_text(body: Body, place: str, is_named: bool) -> Found:
    text = body.text
    for wrong in (
        *check_words(text),
        *check_variables(text, is_named),
        *check_surroundings(text),
    ):
        yield f"{place}.text", wrong
    yield from check_examples(text, body.examples, f"{place}.examples")


def _footer(definition: Definition) -> Found:
    if definition.footer is None:
        return
    text = definition.footer.text
    if definition.footer.code_expiration_minutes is not None:
        yield "footer.text", "Only an authentication template says how long a code is valid."
    elif not text.strip():
        yield "footer.text", "Write the footer, or remove it."
    elif len(text) > FOOTER_LIMIT:
        yield (
            "footer.text",
            f"A footer has at most {FOOTER_LIMIT} characters; this one has {len(text)}.",
        )
    if variables(text):
        yield "footer.text", "A footer can not hold variables."
    if "\n" in text:
        yield "footer.text", "A footer is one line."


# Authentication


def _code(definition: Definition) -> Found:
    if definition.header:
        yield "header", "An authentication template has no header."
    if definition.offer or definition.cards:
        yield "category", "An authentication template has neither an offer nor a carousel."
    footer = definition.footer
    if footer and (footer.text or footer.code_expiration_minutes not in CODE_MINUTES):
        yield "footer.code_expiration_minutes", "A code is valid for 1 to 90 minutes."
    yield from button_rules.code_problems(definition.buttons)


# A limited-time offer


def _offer(definition: Definition) -> Found:
    assert definition.offer is not None
    if definition.category is not Category.MARKETING:
        yield "category", "A limited-time offer is marketing."
    text = definition.offer.text
    if not text.strip():
        yield "offer.text", "Say in a few words what the offer is."
    elif len(text) > OFFER_LIMIT:
        yield (
            "offer.text",
            f"The words of an offer have at most {OFFER_LIMIT} characters; these have {len(text)}.",
        )
    if variables(text):
        yield "offer.text", "The words of an offer can not hold variables."
    if definition.header:
        if definition.header.format not in {HeaderFormat.IMAGE, HeaderFormat.VIDEO}:
            yield "header", "The header of an offer is an image or a video."
        yield from _header(definition.header, "header", definition.is_named)
    if definition.footer:
        yield "footer.text", "An offer has no footer."
    yield from _body(definition, OFFER_BODY_LIMIT)
    yield from button_rules.offer_problems(definition.buttons)


# A carousel


def _carousel(definition: Definition) -> Found:
    for part, is_there in (
        ("header", definition.header),
        ("footer.text", definition.footer),
        ("offer.text", definition.offer),
        ("buttons", definition.buttons),
    ):
        if is_there:
            yield part, "Above a carousel stands the text alone: remove this part."
    yield from _body(definition, BODY_LIMIT)
    if not 2 <= len(definition.cards) <= MOST_CARDS:
        yield (
            "cards",
            f"A carousel has 2 to {MOST_CARDS} cards; this one has {len(definition.cards)}.",
        )
    first = definition.cards[0]
    for at, card in enumerate(definition.cards):
        yield from _card(card, f"cards.{at}", definition.is_named)
        yield from _alike(first, card, f"cards.{at}")


def _card(card: Card, place: str, is_named: bool) -> Found:
    if card.header.format not in {HeaderFormat.IMAGE, HeaderFormat.VIDEO}:
        yield f"{place}.header.format", "A card shows an image or a video."
    yield from _header(card.header, f"{place}.header", is_named)
    if card.body is not None:
        text = card.body.text
        if not text.strip():
            yield f"{place}.body.text", "Write the card's text, or remove it from every card."
        elif len(text) > CARD_BODY_LIMIT:
            yield (
                f"{place}.body.text",
                f"A card's text has at most {CARD_BODY_LIMIT} characters; this one has {len(text)}.",
            )
        yield from _running_text(card.body, f"{place}.body", is_named)
    yield from button_rules.card_problems(card.buttons, f"{place}.buttons")


def _alike(first: Card, card: Card, place: str) -> Found:
    if card.header.format is not first.header.format:
        yield f"{place}.header.format", "All cards show the same: images, or videos."
    if (card.body is None) is not (first.body is None):
        yield f"{place}.body.text", "Either every card has a text or none has."
    if [button.kind for button in card.buttons] != [button.kind for button in first.buttons]:
        yield f"{place}.buttons", "All cards have the same kinds of buttons in the same order."
