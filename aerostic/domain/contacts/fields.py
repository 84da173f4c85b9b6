"""What may stand in a contact's fields, and how what people type becomes it."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

from aerostic.core.errors import Invalid
from aerostic.domain.contacts import phones
from aerostic.domain.contacts.models import AttributeType, ContactAttribute
from aerostic.domain.contacts.schemas import AttributeValue
from aerostic.domain.contacts.words import fold

LONGEST_NAME = 200
LONGEST_EMAIL = 254
LONGEST_VALUE = 1_000
MOST_CHOICES = 100

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s.,;<>\"]+(\.[^@\s.,;<>\"]+)+")
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{2}|[a-z]{4}|\d{3}))?")
# Kept out of every stored text: PostgreSQL takes no NUL, a screen shows no control characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_YES = {"yes", "y", "true", "1", "x", "ja", "oui", "si", "sim", "sì", "on"}
_NO = {"no", "n", "false", "0", "nein", "non", "nao", "não", "off"}
_DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y")


def clean(text: str) -> str:
    """One line of text as it is kept: no control characters, no doubled or outer spaces."""
    return " ".join(_CONTROL.sub("", text).split())


def short(field: str, text: str, longest: int, what: str) -> str:
    """The cleaned text. Raises Invalid where it is too long, with both lengths."""
    if len(text) > longest:
        text = clean(text)
    if len(text) > longest:
        raise Invalid(field, f"{what} has {len(text):,} characters; at most {longest:,} fit.")
    return clean(text)


def name(text: str) -> str:
    return short("name", text, LONGEST_NAME, "The name")


def email(text: str) -> str | None:
    """The address, or None where the text is empty. Raises Invalid."""
    address = short("email", text, LONGEST_EMAIL, "The e-mail address")
    if not address:
        return None
    if not _EMAIL.fullmatch(address):
        raise Invalid("email", f"“{address}” is not an e-mail address.")
    return address


def language(text: str) -> str | None:
    """`de`, `pt_BR`, as WhatsApp writes them, or None. Raises Invalid."""
    code = clean(text[:20]).casefold()
    if not code:
        return None
    found = _LANGUAGE.fullmatch(code)
    if not found:
        raise Invalid("language", f"“{code}” is not a language code. Write it like en or pt_BR.")
    return found[1] + (f"_{found[2].upper()}" if found[2] else "")


def country(text: str) -> str | None:
    """Two capitals of ISO 3166, or None. Raises Invalid."""
    code = clean(text[:20]).upper()
    if not code:
        return None
    if not phones.is_country(code):
        raise Invalid("country", f"“{code}” is not a country code. Write it like DE or BR.")
    return code


# Attributes -------------------------------------------------------------------------------------


def attribute_key(label: str) -> str:
    """The name by which templates and programs know an attribute: `Date of birth` → `date_of_birth`."""
    key = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")[:40]
    if not key:
        raise Invalid("label", "Give the field a name with at least one letter or digit.")
    return key if key[0].isalpha() else f"field_{key}"


def attributes(
    given: Mapping[str, object], known: Mapping[str, ContactAttribute]
) -> dict[str, AttributeValue | None]:
    """Typed values by key; None empties one. Raises Invalid for an unknown key or a wrong value."""
    return {key: attribute_value(_known(key, known), value) for key, value in given.items()}


def _known(key: str, known: Mapping[str, ContactAttribute]) -> ContactAttribute:
    if key not in known:
        raise Invalid("attributes", f"This workspace keeps no field “{clean(key)[:60]}”.")
    return known[key]


def attribute_value(attribute: ContactAttribute, value: object) -> AttributeValue | None:
    """The value as the attribute's type keeps it. Raises Invalid naming the attribute."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return _READERS[AttributeType(attribute.type)](attribute, value)


def _wrong(attribute: ContactAttribute, value: object, expected: str) -> Invalid:
    shown = clean(str(value)[:60])
    return Invalid(
        f"attributes.{attribute.key}", f"{attribute.label}: “{shown}” is not {expected}."
    )


def _text(attribute: ContactAttribute, value: object) -> AttributeValue:
    return short(f"attributes.{attribute.key}", str(value), LONGEST_VALUE, attribute.label)


def _number(attribute: ContactAttribute, value: object) -> AttributeValue:
    if isinstance(value, bool):
        raise _wrong(attribute, value, "a number")
    if isinstance(value, int | float):
        number: float = value
    else:
        try:
            number = float(_decimal_point(str(value)[:60]))
        except ValueError:
            raise _wrong(attribute, value, "a number") from None
    if not math.isfinite(number) or abs(number) > 1e15:
        raise _wrong(attribute, value, "a number that can be kept")
    return int(number) if number == int(number) else float(number)


def _decimal_point(text: str) -> str:
    """`1.234,5`, `1,234.5` and `1 234,5` are one number; `1,234` is read as a thousand."""
    bare = re.sub(r"[\s'’]", "", text)
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})+(,\d+)?|-?\d+,\d{1,2}|-?\d+,\d{4,}", bare):
        return bare.replace(".", "").replace(",", ".")
    return bare.replace(",", "")


def _date(attribute: ContactAttribute, value: object) -> AttributeValue:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    text = clean(str(value)[:40])
    for pattern in _DATE_FORMATS:
        try:
            return datetime.strptime(text, pattern).date().isoformat()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise _wrong(attribute, value, "a date. Write it like 2026-11-30")


def _choice(attribute: ContactAttribute, value: object) -> AttributeValue:
    wanted = fold(clean(str(value)[:LONGEST_VALUE]))
    for choice in attribute.choices:
        if fold(choice) == wanted:
            return choice
    raise _wrong(attribute, value, f"one of {', '.join(attribute.choices[:8])}")


def _yes_no(attribute: ContactAttribute, value: object) -> AttributeValue:
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word in _YES or word in _NO:
        return word in _YES
    raise _wrong(attribute, value, "yes or no")


_READERS: dict[AttributeType, Callable[[ContactAttribute, object], AttributeValue]] = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.DATE: _date,
    AttributeType.CHOICE: _choice,
    AttributeType.YES_NO: _yes_no,
}


def choices(given: Iterable[str]) -> list[str]:
    """The choices of a field, cleaned, each once. Raises Invalid where there are none or too many."""
    found = list(dict.fromkeys(short("choices", one, 100, "A choice") for one in given))
    found = [choice for choice in found if choice]
    if not 1 <= len(found) <= MOST_CHOICES:
        raise Invalid("choices", f"Give between 1 and {MOST_CHOICES} choices.")
    return found


def without_empty(values: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    return {key: value for key, value in values.items() if value is not None}


def ids(values: Iterable[UUID]) -> list[UUID]:
    """Each id once, in one order: rows that several transactions lock are locked in that order."""
    return sorted(set(values))
