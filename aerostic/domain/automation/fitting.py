"""Whether the settings of a node fit its kind, as far as that can be known before a run.

A text with an expression in it may become anything, so what is wrong about it alone is no finding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aerostic.domain.automation import templates
from aerostic.domain.automation.nodes.base import Node

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Misfit:
    """One setting that does not fit. `field` is its path, as `rows.0.name`."""

    field: str
    sentence: str


def misfits(kind: type[Node], config: Mapping[str, Any]) -> Iterator[Misfit]:
    """What the kind's form would mark red: what is missing, what is of the wrong shape, broken Liquid."""
    broken = list(_broken_templates(config, ()))
    yield from broken
    yield from _not_chosen(kind, config)
    try:
        kind.Config.model_validate(config)
    except ValidationError as error:
        told = {one.field for one in broken}
        for one in error.errors(include_url=False, include_input=False):
            path, value = _followed(config, one["loc"])
            field = _written(path)
            if not _may_change(one, value) and field not in told:
                told.add(field)
                yield Misfit(field, _sentence(kind, path, value, one))


def title_of(kind: type[Node], path: Path) -> str:
    """What the form calls a setting: the title of its field."""
    name = str(path[0]) if path else ""
    field = kind.Config.model_fields.get(name)
    if field is None:
        return name
    return field.title or name.replace("_", " ").capitalize()


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in the settings, with where it stands."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from texts(part, (*path, name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from texts(part, (*path, place))


def _not_chosen(kind: type[Node], config: Mapping[str, Any]) -> Iterator[Misfit]:
    """Accounts may be chosen later, while drawing, but nothing works without one."""
    for name, field in kind.Config.model_fields.items():
        extra = field.json_schema_extra
        is_account = isinstance(extra, Mapping) and extra.get("widget") == "connection"
        if is_account and config.get(name) in (None, ""):
            yield Misfit(name, f"“{title_of(kind, (name,))}” is missing.")


def _broken_templates(config: Mapping[str, Any], path: Path) -> Iterator[Misfit]:
    for where, text in texts(config, path):
        if templates.has_expression(text):
            for sentence in templates.check(text):
                yield Misfit(_written(where), sentence)


def _followed(config: Any, location: tuple[str | int, ...]) -> tuple[Path, Any]:
    """Where an error stands in the settings. What pydantic adds to name a choice of types is passed over."""
    path: Path = ()
    value = config
    for part in location:
        if isinstance(value, Mapping) and isinstance(part, str):
            if part in value:
                path, value = (*path, part), value[part]
            elif part == location[-1]:
                path, value = (*path, part), None
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            path, value = (*path, part), value[part]
    return path, value


def _may_change(error: ErrorDetails, value: Any) -> bool:
    if error["type"] in {"missing", "extra_forbidden"}:
        return False
    return templates.has_expression(value)


def _written(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _sentence(kind: type[Node], path: Path, value: Any, error: ErrorDetails) -> str:
    title = title_of(kind, path)
    row = f" (row {path[1] + 1})" if len(path) > 1 and isinstance(path[1], int) else ""
    is_empty = error["type"].endswith("too_short") and value in ("", [])
    if error["type"] == "missing" or is_empty:
        return f"“{title}”{row} is missing."
    if error["type"] == "extra_forbidden":
        return f"“{title}”{row} is no setting of this step."
    said = error["msg"].removeprefix("Value error, ").rstrip(".")
    return f"“{title}”{row} does not fit: {said}." if title else f"{said}."
