"""Phone numbers: one form to keep (E.164 digits without the plus), one form to show."""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

from aerostic.core.errors import Invalid

LONGEST = 40
# A spreadsheet wrote 4.91701E+11: the digits that it left out are lost.
_ROUNDED = re.compile(r"\d[.,]\d+[eE]\+?\d+")


class NotAPhone(Invalid):
    """The text is no phone number that could exist."""

    def __init__(self, text: str, *, field: str = "phone") -> None:
        shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
        hint = "Write it with its country code, such as +49 170 1234567."
        super().__init__(field, f"“{shown}” is not a phone number. {hint}")


@dataclass(frozen=True, slots=True)
class Phone:
    """`digits` is what is stored and compared; `country` is ISO 3166, or None for a shared code."""

    digits: str
    country: str | None

    @property
    def display(self) -> str:
        return display(self.digits)


def parse(text: str, *, default_country: str | None = None) -> Phone:
    """Read a number as people write it. With or without "+" is one number. Raises NotAPhone.

    Without a country code the default country is tried first, then the digits as they are.
    """
    cleaned = text.strip()
    is_words = re.search(r"[^\W\d_]{3}", cleaned[:LONGEST]) or _ROUNDED.fullmatch(cleaned[:LONGEST])
    if is_words or not 4 <= len(cleaned) <= LONGEST:
        raise NotAPhone(text)
    readings = [found for found in _readings(cleaned, default_country) if found is not None]
    for is_good in (phonenumbers.is_valid_number, phonenumbers.is_possible_number):
        for number in readings:
            if is_good(number):
                return _phone(number)
    raise NotAPhone(text)


def looks_like_one(text: str) -> bool:
    """Whether a cell of a list holds a number: with at least seven digits, lest a year passes for one."""
    if sum(letter.isdigit() for letter in text[:LONGEST]) < 7:
        return False
    try:
        parse(text)
    except NotAPhone:
        return False
    return True


def _readings(text: str, default_country: str | None) -> list[phonenumbers.PhoneNumber | None]:
    digits = re.sub(r"\D", "", text.replace("(0)", ""))
    if text.startswith(("+", "＋")):
        return [_read("+" + digits, None)]
    if text.startswith("00"):
        return [_read("+" + digits[2:], None), _read(text, default_country)]
    local = [_read(text, default_country)] if default_country else []
    return [*local, _read("+" + digits, None)]


def _read(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _phone(number: phonenumbers.PhoneNumber) -> Phone:
    digits = phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
    country = phonenumbers.region_code_for_number(number)
    return Phone(digits, country if country and country != "001" else _main_country(number))


def _main_country(number: phonenumbers.PhoneNumber) -> str | None:
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return region if len(region) == 2 and region.isalpha() and region != "ZZ" else None


@lru_cache(maxsize=4096)
def country_of(digits: str) -> str | None:
    """The country of stored digits, ISO 3166, or None."""
    number = _read("+" + digits, None)
    return _phone(number).country if number else None


@lru_cache(maxsize=4096)
def display(digits: str) -> str:
    """Stored digits as people read them: `+49 170 1234567`."""
    number = _read("+" + digits, None)
    if number is None:
        return "+" + digits
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def is_country(code: str) -> bool:
    """Whether the code can be a default country (ISO 3166, two capitals)."""
    return code in phonenumbers.SUPPORTED_REGIONS
