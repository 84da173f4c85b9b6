"""How the control door reads a request: JSON objects and figures, or a sentence that says what is wrong."""

import json
from typing import cast

from starlette.requests import Request

from aerostic.simulator.errors import ControlError
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World


def world_of(request: Request) -> World:
    return cast(World, request.app.state.world)


async def read_json(request: Request) -> Json:
    """The JSON object of the body; an empty body is an empty object."""
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise ControlError("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise ControlError("The body must be a JSON object.")
    return body


def figure(body: Json, name: str, *, most: float) -> float:
    given = body.get(name)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= most:
        raise ControlError(f"{name} must be a number above 0, at most {most:g}.")
    return float(given)


def choice(body: Json, name: str) -> bool:
    given = body.get(name)
    if not isinstance(given, bool):
        raise ControlError(f"{name} must be true or false.")
    return given


def on_off(row: Row, names: tuple[str, ...], body: Json) -> Json:
    """The named switches that the body changes."""
    if unknown := sorted(set(body) - set(names)):
        raise ControlError(f"{unknown[0]} can not be changed here; these can: {', '.join(names)}.")
    return {
        name: choice(body, name) for name in names if name in body and bool(row[name]) != body[name]
    }
