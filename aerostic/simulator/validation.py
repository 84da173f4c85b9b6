"""A request that does not fit the schema, said the way Meta says it."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from aerostic.simulator.bodies import MESSAGE_TYPES, OutboundMessage, ReadReceipt
from aerostic.simulator.errors import GraphError, invalid
from aerostic.simulator.store import Json

Shape = TypeVar("Shape", bound=BaseModel)


def check(shape: type[Shape], body: Any) -> Shape:
    """The body as this shape, or Meta's refusal of its first fault."""
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.")
    try:
        return shape.model_validate(body)
    except ValidationError as fault:
        raise _refusal(dict(fault.errors(include_url=False)[0])) from None


def check_message(body: Any) -> OutboundMessage:
    """A message whose addressee is named and whose node matches its type."""
    message = check(OutboundMessage, body)
    if message.to is None and message.recipient is None:
        raise GraphError(100, title="The parameter to is required.")
    if message.recipient_type == "group":
        raise invalid("Groups are not available to this phone number.")
    given = [kind for kind in MESSAGE_TYPES if getattr(message, kind) is not None]
    if message.type not in given:
        raise GraphError(
            131008, f"Parameter '{message.type}' is mandatory for type '{message.type}'"
        )
    if len(given) > 1:
        other = next(kind for kind in given if kind != message.type)
        raise invalid(f"Unexpected key '{other}' for a message of type '{message.type}'.")
    return message


def check_receipt(body: Any) -> ReadReceipt:
    return check(ReadReceipt, body)


def _refusal(fault: Json) -> GraphError:
    """Code 100 for keys and enumerations, 131008 for what is missing inside, 131009 for values."""
    path = [str(part) for part in fault["loc"]]
    name = _dotted(path)
    kind: str = fault["type"]
    if kind == "missing" and len(path) == 1:
        return GraphError(100, title=f"The parameter {name} is required.")
    if kind in ("missing", "union_tag_not_found"):
        return GraphError(131008, f"Parameter '{name}' is missing.")
    if kind == "extra_forbidden":
        owner = _dotted(path[:-1])
        return invalid(f"Unexpected key '{path[-1]}'" + (f" on param '{owner}'." if owner else "."))
    if kind in ("literal_error", "union_tag_invalid"):
        expected = fault["ctx"].get("expected") or fault["ctx"].get("expected_tags")
        return invalid(f"Param '{name}' must be one of {expected}.")
    return GraphError(131009, f"Parameter '{name}': {fault['msg']}.")


def _dotted(path: list[str]) -> str:
    """`interactive.action.buttons[0].reply.title`, without the names of unions that Pydantic adds."""
    written = ""
    for position, part in enumerate(path):
        if position and path[position - 1] == "interactive" and len(path) > position + 1:
            continue
        written += f"[{part}]" if part.isdigit() else f".{part}"
    return written.removeprefix(".")
