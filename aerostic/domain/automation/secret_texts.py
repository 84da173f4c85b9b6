"""Secrets that someone typed into a setting, taken out of what leaves the workspace."""

import re
from collections.abc import Mapping
from typing import Any

from aerostic.domain.automation import scope, templates

REMOVED = "@removed"
NAMED = "@secret/"  # a secret of the vault, by its name

# As in an address (`?token=…`), in JSON (`"api_key": "…"`), in `https://user:password@host`.
_IN_ADDRESS = re.compile(r"([?&;]([\w.\-\[\]]{1,80})=)([^&#;\s\"']+)")
_IN_JSON = re.compile(r'("([\w.\- ]{1,80})"\s*:\s*")((?:[^"\\]|\\.)+)(?=")')
_LOGIN = re.compile(r"(://[^/@:\s]*:)([^/@\s]+)(?=@)")
_NAMES = ("name", "key", "header", "field")


def without_secrets(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Settings as they may leave, and the names of what was taken out. An expression stays."""
    taken: list[str] = []
    return {name: _cleaned(name, part, taken) for name, part in config.items()}, taken


def _cleaned(name: str, value: Any, taken: list[str]) -> Any:
    if isinstance(value, str):
        return _cleaned_text(name, value, taken)
    if isinstance(value, Mapping):
        label = _row_name(value)
        return {
            inner: _cleaned(label if inner == "value" and label else inner, part, taken)
            for inner, part in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(name, part, taken) for part in value]
    return value


def _row_name(row: Mapping[str, Any]) -> str:
    """`{"name": "Authorization", "value": …}` is how forms keep a header."""
    return next((row[one] for one in _NAMES if isinstance(row.get(one), str)), "")


def _cleaned_text(name: str, text: str, taken: list[str]) -> str:
    if templates.has_expression(text) and _names_a_secret(name):
        return text
    if text == REMOVED or text.startswith(NAMED):
        return text
    if _names_a_secret(name) and text:
        taken.append(name)
        return REMOVED
    for pattern in (_IN_ADDRESS, _IN_JSON):
        text = pattern.sub(lambda found: _part(found, taken), text)
    return _LOGIN.sub(lambda found: _login(found, taken), text)


def _part(found: re.Match[str], taken: list[str]) -> str:
    before, name, value = found[1], found[2], found[3]
    if not _names_a_secret(name) or templates.has_expression(value) or value == REMOVED:
        return found[0]
    taken.append(name)
    return before + REMOVED


def _login(found: re.Match[str], taken: list[str]) -> str:
    if templates.has_expression(found[2]) or found[2] == REMOVED:
        return found[0]
    taken.append("password")
    return found[1] + REMOVED


def _names_a_secret(name: str) -> bool:
    """A row's own `key` is the name of something, not a key to something."""
    return name.lower() not in {"key", "keys"} and scope.is_secret(name)
