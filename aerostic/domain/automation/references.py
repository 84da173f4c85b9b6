"""Settings that name something of the workspace by its id: a label, a template, a connection.

A kind marks such a setting with a widget. From that mark alone we know what no longer exists, and what an
exported file has to name in words, because ids of a workspace mean nothing elsewhere.

Tables are named here and not imported: what a step may name belongs to features that know this one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select
from sqlmodel import SQLModel, col

from aerostic.core.tenancy import Context
from aerostic.domain.automation import rules, templates
from aerostic.domain.automation.graph import Graph, PlacedNode
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.schemas import Finding, Severity
from aerostic.domain.automation.ways import ways_of
from aerostic.domain.identity.models import Membership

Path = tuple[str | int, ...]
MOST_LAYERS = 12  # of a form inside a form


@dataclass(frozen=True, slots=True)
class Source:
    """What people call such a thing, and the table and column in which its name stands."""

    noun: str
    table: str
    name: str = "name"


MEMBER = "member"
SOURCES: Mapping[str, Source] = {
    MEMBER: Source("member", "users"),
    "agent": Source("agent", "agents"),
    "connection": Source("Google account", "google_connections", "email"),
    "knowledge": Source("knowledge base", "knowledge_bases"),
    "label": Source("label", "labels"),
    "media": Source("file", "media", "file_name"),
    "number": Source("number", "phone_numbers", "display_phone_number"),
    "secret": Source("secret", "secrets"),
    "tag": Source("tag", "tags"),
    "template": Source("template", "templates"),
    "workflow": Source("workflow", "workflows"),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One setting that names something by its id, or by a word that stands for one."""

    node: PlacedNode
    path: Path
    widget: str
    value: str

    @property
    def field(self) -> str:
        return ".".join(str(part) for part in self.path)

    @property
    def noun(self) -> str:
        return SOURCES[self.widget].noun

    @property
    def id(self) -> UUID | None:
        try:
            return UUID(self.value)
        except ValueError:
            return None


def references_in(node: PlacedNode) -> Iterator[Reference]:
    """The settings of a node that name something of the workspace. Expressions name nothing yet."""
    if node.kind not in BY_KIND:
        return
    schema = _schema(node.kind)
    told: set[Path] = set()
    for path, widget, value in _marked(schema, schema, node.config, (), 0):
        if path not in told and value and not templates.has_expression(value):
            told.add(path)
            yield Reference(node, path, widget, value)


def references_of(graph: Graph) -> list[Reference]:
    return [one for node in graph.nodes for one in references_in(node)]


def lost(ctx: Context, graph: Graph) -> list[Finding]:
    """What the graph names and the workspace has not (any more)."""
    found = references_of(graph)
    names = names_of(ctx, found)
    reached = ways_of(graph).reached
    return [
        Finding(
            Severity.ERROR if one.node.id in reached else Severity.WARNING,
            f"{rules.name_of(one.node)}: {_said(one)}",
            one.node.id,
            one.field,
        )
        for one in found
        if one.id not in names.get(one.widget, {})
    ]


def names_of(ctx: Context, found: Iterable[Reference]) -> dict[str, dict[UUID | None, str]]:
    """The names of what exists, by widget and id."""
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for one in found:
        if one.id is not None:
            wanted[one.widget].add(one.id)
    return {widget: dict(_names(ctx, widget, ids)) for widget, ids in wanted.items()}


def ids_named(ctx: Context, widget: str, name: str) -> list[UUID]:
    """Whatever has that name. Two are enough to know that it says too little."""
    table = _table(SOURCES[widget])
    if table is None:
        return []
    named = table.c[SOURCES[widget].name] == name
    if widget == MEMBER:
        statement = select(table.c.id).where(named, table.c.id.in_(_members(ctx)))
    else:
        statement = select(table.c.id).where(table.c.tenant_id == ctx.tenant_id, named)
    return list(ctx.session.scalars(statement.limit(2)))


def _names(ctx: Context, widget: str, ids: Collection[UUID]) -> list[tuple[UUID, str]]:
    table = _table(SOURCES[widget])
    if table is None:
        return []
    of_tenant = (
        table.c.id.in_(_members(ctx)) if widget == MEMBER else table.c.tenant_id == ctx.tenant_id
    )
    statement = select(table.c.id, table.c[SOURCES[widget].name])
    found = ctx.session.execute(statement.where(of_tenant, table.c.id.in_(ids)))
    return [(row_id, name) for row_id, name in found]


def _members(ctx: Context) -> Any:
    return select(col(Membership.user_id)).where(col(Membership.tenant_id) == ctx.tenant_id)


def _table(source: Source) -> Table | None:
    return SQLModel.metadata.tables.get(source.table)


def _said(one: Reference) -> str:
    if one.id is None:
        shown = one.value.rpartition("/")[2] or one.value
        return f"there is no {one.noun} “{shown}” in this workspace. Choose one."
    return f"the {one.noun} that it names no longer exists. Choose another."


@cache
def _schema(kind: str) -> Mapping[str, Any]:
    return BY_KIND[kind].Config.model_json_schema()


def _marked(
    schema: Mapping[str, Any], part: Mapping[str, Any], value: Any, path: Path, layer: int
) -> Iterator[tuple[Path, str, str]]:
    """Walk a form and its values side by side: every text, or text in a list, under a widget of ours."""
    if layer > MOST_LAYERS:
        return
    widget = part.get("widget")
    if isinstance(widget, str) and widget in SOURCES:
        yield from _texts(widget, value, path)
        return
    if "$ref" in part:
        inner = schema.get("$defs", {}).get(part["$ref"].rpartition("/")[2], {})
        yield from _marked(schema, inner, value, path, layer + 1)
    for choice in (*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())):
        yield from _marked(schema, choice, value, path, layer + 1)
    if isinstance(value, Mapping):
        for name, inner in part.get("properties", {}).items():
            if name in value:
                yield from _marked(schema, inner, value[name], (*path, name), layer + 1)
    if isinstance(value, list) and isinstance(part.get("items"), Mapping):
        for place, item in enumerate(value):
            yield from _marked(schema, part["items"], item, (*path, place), layer + 1)


def _texts(widget: str, value: Any, path: Path) -> Iterator[tuple[Path, str, str]]:
    if isinstance(value, str):
        yield path, widget, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if isinstance(item, str):
                yield (*path, place), widget, item
