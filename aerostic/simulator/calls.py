"""One request to the Graph API, read once."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request

from aerostic.simulator.access import Access
from aerostic.simulator.errors import GraphError, missing_object
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

_LARGEST_JSON = 4 * 1024 * 1024


@dataclass
class Call:
    """What a handler gets: who asks, for which object, with which values."""

    world: World
    request: Request
    access: Access
    version: str
    object_id: str
    edge: str
    #: The row of the number, account, template or file that `object_id` names.
    target: Row | None
    body: Any
    file: UploadFile | None

    def value(self, name: str, default: Any = None) -> Any:
        """From the body or, failing that, from the query: Meta reads both."""
        if isinstance(self.body, dict) and name in self.body:
            return self.body[name]
        return self.request.query_params.get(name, default)

    def needed(self, name: str) -> str:
        given = self.value(name)
        if given in (None, ""):
            raise GraphError(100, title=f"The parameter {name} is required.")
        return str(given)

    def row(self) -> Row:
        if self.target is None:
            raise missing_object(self.object_id, self.verb)
        return self.target

    @property
    def verb(self) -> str:
        return self.request.method.lower()

    @property
    def base_url(self) -> str:
        return self.world.config.public_base_url or str(self.request.base_url).rstrip("/")

    def chosen(
        self, everything: Json, default: tuple[str, ...], *, empty: frozenset[str] = frozenset()
    ) -> Json:
        """The fields of `?fields=a,b{c},d`, or the usual ones; always with the id.

        A field in `empty` exists but has no value here: it is left out, as Meta leaves it out.
        """
        asked = self.request.query_params.get("fields")
        names = _field_names(asked) if asked else list(default)
        if unknown := [name for name in names if name not in everything and name not in empty]:
            raise GraphError(100, title=f"Tried accessing nonexisting field ({unknown[0]})")
        return {name: everything[name] for name in names if name in everything} | {
            "id": everything["id"]
        }


def _field_names(asked: str) -> list[str]:
    """Names at the top level: what stands in braces or brackets belongs to the name before."""
    names, depth, name = [], 0, ""
    for character in asked + ",":
        if character in "{(":
            depth += 1
        elif character in "})":
            depth -= 1
        elif character == "," and depth == 0:
            names.append(name.partition(".")[0].strip())
            name = ""
        elif depth == 0:
            name += character
    return [each for each in names if each]


async def read_body(request: Request) -> tuple[Any, UploadFile | None]:
    """JSON, a form or a multipart upload, as the content type says."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await request.form()
        files = [each for each in form.values() if isinstance(each, UploadFile)]
        return {name: each for name, each in form.items() if isinstance(each, str)}, files[
            0
        ] if files else None
    raw = await request.body()
    if not raw or request.headers.get("file_offset") is not None:
        return {}, None
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode("utf-8", "replace"))), None
    if len(raw) > _LARGEST_JSON:
        raise GraphError(100, "The request body is too large.")
    try:
        return json.loads(raw), None
    except ValueError:
        raise GraphError(100, "The request body is not valid JSON.") from None
