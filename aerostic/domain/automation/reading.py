"""From what a browser, a program or a file hands in to a graph, or a sentence that says why not."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from aerostic.core.errors import Invalid, TooLarge
from aerostic.domain.automation import rules
from aerostic.domain.automation.graph import MOST_BYTES, Graph, as_stored

MOST_LAYERS = 40

Drawn = Graph | Mapping[str, Any]  # read already, or as a browser or a program hands it in


def graph_of(given: Drawn) -> Graph:
    """Read and check a graph. Raises Impossible, Invalid or TooLarge, never anything else."""
    if isinstance(given, Graph):
        check(given)
        return given
    _check_depth(given)
    try:
        graph = Graph.model_validate(given)
    except ValidationError as error:
        raise rules.Impossible(_sentence(error)) from error
    check(graph)
    return graph


def check(graph: Graph) -> None:
    """Raise unless the graph can be kept: connections that can be, text that PostgreSQL can store."""
    for node in graph.nodes:
        _check_depth(node.config)
    try:
        text = json.dumps(as_stored(graph), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except ValueError as error:  # nan, a half of an emoji, a number of thousands of digits
        raise Invalid(
            "graph", "A setting holds a number or a text that can not be kept."
        ) from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise Invalid("graph", "A setting holds a character that can not be kept (NUL).")
    if size > MOST_BYTES:
        raise TooLarge(f"A workflow may have {MOST_BYTES // 1024} kB. Split it into several.")
    rules.check(graph)


def _check_depth(given: Any) -> None:
    """Without recursion, so that what is nested without end is refused and not stumbled over."""
    layer = [given]
    for _ in range(MOST_LAYERS):
        layer = [inner for one in layer for inner in _inside(one)]
        if not layer:
            return
    raise rules.Impossible(f"That is nested in more than {MOST_LAYERS} layers.")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"That is no workflow: {where}: {first['msg']}."
