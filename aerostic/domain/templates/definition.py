"""A template as it is written here: every component that WhatsApp knows, typed.

`checks.py` says what is wrong with one, `notation.py` turns it into Meta's JSON and back. Anything may be
half written: a draft is kept before it is right. Source: Cloud API reference, template components.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aerostic.core.errors import Invalid

LONGEST = 20_000  # of any text in a draft: far over Meta's limits, which the checks explain
Text = Annotated[str, Field(max_length=LONGEST)]


class Category(StrEnum):
    MARKETING = "MARKETING"
    UTILITY = "UTILITY"
    AUTHENTICATION = "AUTHENTICATION"


class ParameterFormat(StrEnum):
    POSITIONAL = "POSITIONAL"
    NAMED = "NAMED"


class HeaderFormat(StrEnum):
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    DOCUMENT = "DOCUMENT"
    LOCATION = "LOCATION"


FILE_FORMATS = frozenset({HeaderFormat.IMAGE, HeaderFormat.VIDEO, HeaderFormat.DOCUMENT})


class ButtonKind(StrEnum):
    QUICK_REPLY = "QUICK_REPLY"
    URL = "URL"
    PHONE_NUMBER = "PHONE_NUMBER"
    COPY_CODE = "COPY_CODE"
    FLOW = "FLOW"
    CATALOG = "CATALOG"
    VOICE_CALL = "VOICE_CALL"
    OTP = "OTP"


class CodeWay(StrEnum):
    """How the code of an authentication template reaches the app: by the customer's hand or by itself."""

    COPY_CODE = "COPY_CODE"
    ONE_TAP = "ONE_TAP"
    ZERO_TAP = "ZERO_TAP"


class Part(BaseModel):
    """A part of a template. A misspelt name is refused instead of being forgotten."""

    model_config = ConfigDict(extra="forbid")


class Header(Part):
    """`media_id`: our own file, the sample that Meta looks at. `handle`: Meta's name of an uploaded one."""

    format: HeaderFormat = HeaderFormat.TEXT
    text: Text = ""
    examples: dict[str, Text] = Field(default_factory=dict, max_length=100)
    media_id: str = Field("", max_length=100)
    handle: Text = ""


class Body(Part):
    """`examples` by the name of the variable. An authentication template has fixed words and one wish."""

    text: Text = ""
    examples: dict[str, Text] = Field(default_factory=dict, max_length=500)
    add_security_recommendation: bool = False


class Footer(Part):
    """A line of small print, or how long a code is valid."""

    text: Text = ""
    code_expiration_minutes: int | None = None


class App(Part):
    """An Android app that may take a code by itself."""

    package_name: Text = ""
    signature_hash: Text = ""


class Button(Part):
    kind: ButtonKind
    text: Text = ""
    url: Text = ""
    example: Text = ""  # the whole link with its variable filled, or a coupon code
    phone_number: Text = ""
    flow_id: Text = ""
    flow_action: str = Field("", max_length=100)
    navigate_screen: Text = ""
    otp_type: CodeWay = CodeWay.COPY_CODE
    autofill_text: Text = ""
    apps: list[App] = Field(default_factory=list, max_length=20)
    accepts_zero_tap_terms: bool = False
    ttl_minutes: int | None = None


class Offer(Part):
    """A limited-time offer: its words, and whether WhatsApp counts down to its end."""

    text: Text = ""
    has_expiration: bool = True


class Card(Part):
    """One card of a carousel."""

    header: Header = Field(default_factory=lambda: Header(format=HeaderFormat.IMAGE))
    body: Body | None = None
    buttons: list[Button] = Field(default_factory=list, max_length=20)


class Definition(Part):
    """All of a template but its name and language."""

    category: Category = Category.UTILITY
    parameter_format: ParameterFormat = ParameterFormat.POSITIONAL
    header: Header | None = None
    body: Body = Field(default_factory=Body)
    footer: Footer | None = None
    buttons: list[Button] = Field(default_factory=list, max_length=50)
    offer: Offer | None = None
    cards: list[Card] = Field(default_factory=list, max_length=50)
    ttl_seconds: int | None = None

    @property
    def is_code(self) -> bool:
        return self.category is Category.AUTHENTICATION

    @property
    def is_named(self) -> bool:
        return self.parameter_format is ParameterFormat.NAMED


def read(written: dict[str, Any]) -> Definition:
    """What a browser or a caller wrote. Raises Invalid with the place that can not be read."""
    try:
        return Definition.model_validate(written)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(one) for one in first["loc"]) or "template"
        raise Invalid(place, f"This can not be read: {first['msg'].lower()}.") from None


def headers(definition: Definition) -> dict[str, Header]:
    """Every header with its place: `header`, `cards.0.header` …"""
    found = {"header": definition.header} if definition.header else {}
    cards = {f"cards.{at}.header": card.header for at, card in enumerate(definition.cards)}
    return {**found, **cards}
