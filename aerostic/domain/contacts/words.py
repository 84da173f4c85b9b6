"""Words that find a contact: folded, so that "jose" finds José, and kept as rows to search by prefix.

Every run of four or more digits of a phone number is the beginning of one of its suffixes, so storing
the suffixes finds a number by any part of it.
"""

import re
import unicodedata
from collections.abc import Iterable

LONGEST_WORD = 64
MOST_WORDS = 80
LONGEST_TEXT = 500  # of each field: what lies behind it is kept, but not searched
SHORTEST_DIGITS = 4
MOST_SEARCHED = 6

_WORD = re.compile(r"\w+")
_LOOKS_LIKE_A_PHONE = re.compile(r"[+\d][\d\s().\-/]*")
_TRUNK_ZERO = re.compile(r"\(0\)")
# Letters that Unicode does not take apart into a plain one and an accent.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
# Scripts that put no spaces between words: found from any character on.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def fold(text: str) -> str:
    """The text as it is compared: small letters, no accents, compatibility forms made plain."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", bare.casefold().translate(_PLAIN))


def words_of(
    name: str = "",
    profile_name: str = "",
    email: str | None = None,
    phone: str | None = None,
    identities: Iterable[str] = (),
) -> list[str]:
    """The words of one contact, without repetition: at most MOST_WORDS of at most LONGEST_WORD characters.

    `identities` are bare values: numbers, user names, business-scoped ids.
    """
    found: dict[str, None] = {}
    for digits in (phone or "", *identities):
        found.update(dict.fromkeys(_digits_words(digits)))
    for text in (name, profile_name, *identities):
        found.update(dict.fromkeys(_text_words(text)))
    found.update(dict.fromkeys(_email_words(email or "")))
    return list(found)[:MOST_WORDS]


def searched_words(text: str) -> list[str]:
    """What a person typed, as prefixes that must all be found."""
    typed = text[:LONGEST_TEXT].strip()
    if _LOOKS_LIKE_A_PHONE.fullmatch(typed):
        digits = re.sub(r"\D", "", _TRUNK_ZERO.sub("", typed)).lstrip("0")
        return [digits] if digits else []
    if "@" in typed and " " not in typed:
        return [fold(typed)[:LONGEST_WORD]]
    return list(dict.fromkeys(_tokens(typed)))[:MOST_SEARCHED]


def _digits_words(value: str) -> list[str]:
    if not (value.isascii() and value.isdigit()):
        return []
    value = value[:LONGEST_WORD]
    return [value[start:] for start in range(max(1, len(value) - SHORTEST_DIGITS + 1))]


def _text_words(text: str) -> list[str]:
    words = []
    for word in _tokens(text[:LONGEST_TEXT]):
        words.append(word)
        if _UNSPACED.search(word):
            words += [word[start:] for start in range(1, min(len(word), 16))]
    return words


def _email_words(email: str) -> list[str]:
    whole = fold(email[:LONGEST_TEXT])
    if not whole:
        return []
    domain = whole.partition("@")[2]
    return [word[:LONGEST_WORD] for word in (whole, domain) if word] + _tokens(whole)


def _tokens(text: str) -> list[str]:
    """Words, and bits without letters (an emoji) as they are."""
    tokens = []
    for bit in fold(text).split():
        tokens += _WORD.findall(bit) or [_storable(bit)]
    return [token[:LONGEST_WORD] for token in tokens if token]


def _storable(bit: str) -> str:
    return "".join(c for c in bit if c != "\x00" and not "\ud800" <= c <= "\udfff")
