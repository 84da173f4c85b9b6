"""Workflows as files. The same workflow gives the same bytes, wherever it was imported in between.

No id of a workspace leaves it: a setting that names a label by its id names it in words in the file, as
`@label/vip`, and finds its label again on import, or stays as it is and is told. Nor does a secret.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aerostic.core.errors import Refused, TooLarge
from aerostic.core.tenancy import Context
from aerostic.domain.automation import reading, references, rules, secret_texts
from aerostic.domain.automation.graph import MOST_BYTES, Graph, PlacedNode, as_stored
from aerostic.domain.automation.references import Path, Reference

FORMAT = 1
MARK = "aerostic-workflow"
LARGEST_FILE = 2 * MOST_BYTES


class NotOurs(Refused):
    """A file that is no workflow, or one of a newer version of the product."""

    code = "unknown_file"


class WorkflowFile(BaseModel):
    """What stands in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = MARK
    format: int = FORMAT
    name: str = Field(default="", max_length=120)
    description: str = Field(default="", max_length=500)
    webhook_waits: bool = True
    webhook_rate: int = Field(default=600, ge=1, le=6_000)
    graph: Graph = Graph()


@dataclass(frozen=True, slots=True)
class Imported:
    """A file that was read. `remarks` are sentences about what the person has to look at."""

    file: WorkflowFile
    remarks: tuple[str, ...]


def written(ctx: Context, file: WorkflowFile) -> bytes:
    """The file's bytes, with names for ids and without secrets."""
    names = references.names_of(ctx, references.references_of(file.graph))
    nodes = [_leaving(node, names) for node in file.graph.nodes]
    graph = file.graph.model_copy(update={"nodes": nodes})
    document = file.model_dump(mode="json", exclude={"graph"}) | {"graph": as_stored(graph)}
    for node in document["graph"]["nodes"]:
        node["config"] = _in_order(node["config"])
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def read(ctx: Context, content: bytes) -> Imported:
    """Read one of our files. Raises NotOurs, TooLarge, Impossible."""
    return entering(ctx, file_of(document_of(content)))


def document_of(content: bytes) -> Any:
    """Any JSON, of a size that can be a workflow."""
    if len(content) > LARGEST_FILE:
        raise TooLarge(f"A workflow's file has at most {LARGEST_FILE // 1024} kB.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotOurs("That file is not JSON, so it is no workflow.") from error


def file_of(document: Any) -> WorkflowFile:
    """What stands in a document of ours."""
    if not isinstance(document, Mapping) or document.get("file") != MARK:
        raise NotOurs("That file holds no workflow of Aerostic, nor one of n8n.")
    made_with = document.get("format")
    if isinstance(made_with, int) and made_with > FORMAT:
        raise NotOurs(
            f"That file was made by a newer version of Aerostic: it has format {made_with}, and this "
            f"version reads up to {FORMAT}. Update Aerostic, then import it again."
        )
    graph = reading.graph_of(document.get("graph", {}))
    try:
        return WorkflowFile.model_validate({**document, "graph": graph})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotOurs(f"That file is damaged: {where}: {first['msg']}.") from error


def entering(ctx: Context, file: WorkflowFile) -> Imported:
    """Give each thing that is named in words the id that it has in this workspace."""
    remarks: list[str] = []
    nodes = [_entering(ctx, node, remarks) for node in file.graph.nodes]
    graph = file.graph.model_copy(update={"nodes": nodes})
    return Imported(file.model_copy(update={"graph": graph}), tuple(remarks))


def _leaving(node: PlacedNode, names: Mapping[str, Mapping[Any, str]]) -> PlacedNode:
    config: Any = node.config
    for one in references.references_in(node):
        if one.id is not None:
            name = names.get(one.widget, {}).get(one.id, "")
            config = _replaced(config, one.path, f"@{one.widget}/{name}")
    config, _ = secret_texts.without_secrets(config)
    return node.model_copy(update={"config": config})


def _entering(ctx: Context, node: PlacedNode, remarks: list[str]) -> PlacedNode:
    config: Any = node.config
    for one in references.references_in(node):
        found = _found(ctx, one)
        if found is None:
            remarks.append(_remark(one))
        else:
            config = _replaced(config, one.path, found)
    if _has_removed(config):
        remarks.append(f"{rules.name_of(node)}: a secret was left out of the file. Enter it again.")
    return node.model_copy(update={"config": config})


def _found(ctx: Context, one: Reference) -> str | None:
    """The id of what a setting names, if this workspace has just one such thing."""
    mark = f"@{one.widget}/"
    if not one.value.startswith(mark):
        known = references.names_of(ctx, [one]).get(one.widget, {})
        return one.value if one.id in known else None
    found = references.ids_named(ctx, one.widget, one.value.removeprefix(mark))
    return str(found[0]) if len(found) == 1 else None


def _remark(one: Reference) -> str:
    name = one.value.removeprefix(f"@{one.widget}/") if one.id is None else ""
    said = f"the {one.noun} “{name}”" if name else f"a {one.noun}"
    return f"{rules.name_of(one.node)} names {said}, which this workspace has not. Choose one."


def _replaced(value: Any, path: Path, new: str) -> Any:
    """A copy of the settings with another value at that place."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, list):
        return [
            _replaced(part, rest, new) if at == first else part for at, part in enumerate(value)
        ]
    return {
        name: _replaced(part, rest, new) if name == first else part for name, part in value.items()
    }


def _has_removed(value: Any) -> bool:
    if isinstance(value, str):
        return secret_texts.REMOVED in value
    if isinstance(value, Mapping):
        return any(_has_removed(part) for part in value.values())
    return isinstance(value, list) and any(_has_removed(part) for part in value)


def _in_order(value: Any) -> Any:
    """PostgreSQL keeps the names of an object in an order of its own, so a file has one too."""
    if isinstance(value, Mapping):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(part) for part in value] if isinstance(value, list) else value
