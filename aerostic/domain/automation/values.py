"""Values of a run as JSON: what PostgreSQL can keep, and what the log shows."""

from collections.abc import Mapping
from typing import Any

import orjson

LONGEST_SHOWN = 64 * 1024  # bytes of a step's input or output in the log
SHOWN_OF_LONGER = 2_000  # and of what is longer


def as_json(value: Any) -> bytes:
    """JSON as PostgreSQL can keep it: no NUL, no half of an emoji."""
    try:
        made = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a lone surrogate, or a number that JSON has not
        made = orjson.dumps(_storable(value), default=str, option=orjson.OPT_NON_STR_KEYS)
    if b"\\u0000" in made:
        made = orjson.dumps(_storable(orjson.loads(made)))
    return made


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_storable(str(name)): _storable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(part) for part in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value)
    return value


def shown(value: Any) -> tuple[bytes, int]:
    """A value as the log keeps it, and how long it is: what is too long was cut."""
    made = as_json(value)
    if len(made) <= LONGEST_SHOWN:
        return made, len(made)
    return as_json(f"{made[:SHOWN_OF_LONGER].decode(errors='ignore')}…"), len(made)
