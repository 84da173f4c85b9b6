"""Workflows to start from: files in this folder, in the format of `exchange.py`, in the order of `ORDER`."""

import json
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from aerostic.core.errors import NotFound

ORDER = (
    "welcome",
    "faq-agent",
    "lead-capture",
    "order-status",
    "appointment-reminder",
    "feedback",
)
_HERE = Path(__file__).parent


class Starter(BaseModel):
    """A workflow to start from. `to_fill` says what its author has to choose before it can be published."""

    model_config = ConfigDict(frozen=True)

    key: str
    title: str
    summary: str
    icon: str
    to_fill: tuple[str, ...]


@cache
def starters() -> tuple[Starter, ...]:
    """All of them, as a gallery shows them."""
    return tuple(Starter(key=key, **_document(key)["about"]) for key in ORDER)


def content_of(key: str) -> bytes:
    """The file of a starter, as an export would give it. Raises NotFound."""
    if key not in ORDER:
        raise NotFound("There is no workflow of that name to start from.")
    return json.dumps(_document(key)["workflow"]).encode()


@cache
def _document(key: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((_HERE / f"{key}.json").read_text("utf-8"))
    return found
