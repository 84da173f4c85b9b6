"""Google's partial answers (`fields=nextPageToken,files(id,name)`) and parameters that must be known."""

import re
from typing import Any

from starlette.requests import Request

from aerostic.simulator.google.refusals import Refusal, invalid

Json = dict[str, Any]
Wanted = dict[str, Any]

#: On every address of Google's (“Standard query parameters”).
_STANDARD = {"alt", "fields", "key", "prettyPrint", "quotaUser", "access_token"}
_PART = re.compile(r"[A-Za-z0-9_*]+|[(),/]")


def check_parameters(request: Request, *known: str) -> None:
    """Google refuses a parameter that the method does not have."""
    unknown = sorted(set(request.query_params) - _STANDARD - set(known))
    if unknown:
        said = (
            f'Invalid JSON payload received. Unknown name "{unknown[0]}": '
            "Cannot bind query parameter."
        )
        raise Refusal(400, said, reason="badRequest", location=unknown[0])


def chosen(request: Request, default: str = "*") -> Wanted:
    """What the request wants to see. Raises Refusal."""
    told = request.query_params.get("fields") or default
    parts = _PART.findall(told)
    if "".join(parts) != told.replace(" ", ""):
        raise _wrong(told)
    wanted, rest = _list(parts, told)
    if rest:
        raise _wrong(told)
    return wanted


def _list(parts: list[str], told: str) -> tuple[Wanted, list[str]]:
    wanted: Wanted = {}
    while parts and parts[0] not in "(),/":
        name, *parts = parts
        inner: Wanted = {}
        if parts and parts[0] == "/":
            inner, parts = _list_of_one(parts[1:], told)
        elif parts and parts[0] == "(":
            inner, parts = _list(parts[1:], told)
            if not parts or parts[0] != ")" or not inner:
                raise _wrong(told)
            parts = parts[1:]
        wanted[name] = inner
        if not parts or parts[0] != ",":
            return wanted, parts
        parts = parts[1:]
    raise _wrong(told)


def _list_of_one(parts: list[str], told: str) -> tuple[Wanted, list[str]]:
    if not parts or parts[0] in "(),/":
        raise _wrong(told)
    name, *parts = parts
    return {name: {}}, parts


def _wrong(told: str) -> Refusal:
    return invalid(f"Invalid field selection {told}", "fields")


def pick(value: Any, wanted: Wanted, known: frozenset[str] = frozenset()) -> Any:
    """The parts of a value that are wanted. A name that no such value has is refused."""
    if not wanted or "*" in wanted:
        return value
    if isinstance(value, list):
        return [pick(one, wanted) for one in value]
    if not isinstance(value, dict):
        return value
    if known and (unknown := sorted(set(wanted) - known)):
        raise _wrong(unknown[0])
    return {name: pick(value[name], inner) for name, inner in wanted.items() if name in value}
