"""Cursor pages as the Graph API gives them: follow `paging.next` until it is absent."""

import base64
from urllib.parse import urlencode

from aerostic.simulator.calls import Call
from aerostic.simulator.errors import GraphError
from aerostic.simulator.store import Json

_USUAL, _MOST = 25, 1000


def page(call: Call, items: list[Json]) -> Json:
    """The asked slice of a complete list."""
    size = _size(call)
    start = _position(call.request.query_params.get("after"))
    shown = items[start : start + size]
    if not shown:
        return {"data": []}
    paging: Json = {"cursors": {"before": _cursor(start), "after": _cursor(start + len(shown))}}
    if start + len(shown) < len(items):
        query = dict(call.request.query_params) | {
            "limit": size,
            "after": _cursor(start + len(shown)),
        }
        query.pop("access_token", None)
        paging["next"] = f"{call.base_url}{call.request.url.path}?{urlencode(query)}"
    return {"data": shown, "paging": paging}


def _size(call: Call) -> int:
    asked = str(call.request.query_params.get("limit", _USUAL))
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked) <= _MOST:
        raise GraphError(100, f"Param limit must be a number from 1 to {_MOST}.")
    return int(asked)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"after:{position}".encode()).decode().rstrip("=")


def _position(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).removeprefix(b"after:")
        )
    except ValueError:
        raise GraphError(100, "Param after is not a cursor of this list.") from None
