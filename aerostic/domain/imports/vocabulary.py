"""Names of countries and languages as lists have them, in the languages that people keep lists in."""

from functools import cache

from babel import Locale

from aerostic.core.errors import Invalid
from aerostic.domain.contacts import fields, phones
from aerostic.domain.contacts.words import fold

_LOCALES = ("en", "de", "fr", "es", "pt", "it", "nl", "tr")


def country(text: str) -> str | None:
    """A country by its code or its name. Raises Invalid."""
    known = _countries().get(fold(fields.clean(text)))
    return known or fields.country(text)


def language(text: str) -> str | None:
    """A language by its code or its name. Raises Invalid."""
    known = _languages().get(fold(fields.clean(text)))
    return known or fields.language(text)


@cache
def _countries() -> dict[str, str]:
    return {
        fold(name): code
        for locale in _LOCALES
        for code, name in Locale(locale).territories.items()
        if phones.is_country(code)
    }


@cache
def _languages() -> dict[str, str]:
    found = {}
    for locale in _LOCALES:
        for code, name in Locale(locale).languages.items():
            try:
                found[fold(name)] = fields.language(code) or ""
            except Invalid:
                continue  # a variant that WhatsApp has no code for
    return found
