"""The list of workflows, and the ways to make one."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import AppError
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.automation import exchange, executions, queries, rules, service
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.schemas import WorkflowFilter, WorkflowRow
from aerostic.domain.automation.starters import Starter, content_of
from aerostic.state.base import AppState
from aerostic.state.guard import access
from aerostic.state.paged import Paged
from aerostic.state.run_words import OUTCOMES

PAGE = 30
Payload = dict[str, Any]


@dataclass(frozen=True)
class Sign:
    """A trigger of a workflow, as its icon and name."""

    icon: str
    title: str


@dataclass(frozen=True)
class WorkflowLine:
    id: str
    name: str
    description: str
    is_enabled: bool
    published: int
    has_changes: bool
    saved_at: str
    saved_by: str
    begins: list[Sign]
    last_run_at: str
    last_run: str
    last_run_colour: str
    failures: int


@dataclass(frozen=True)
class Spot:
    """A step in the picture of a starter, in percent of the picture."""

    icon: str
    title: str
    tone: str
    left: str
    top: str


@dataclass(frozen=True)
class StarterLine:
    key: str
    title: str
    summary: str
    spots: list[Spot]
    lines: str  # the connections, as an SVG path over 100 by 100


class Automation(Paged, AppState):
    """`uploaded` is the text of a file that waits for its import."""

    rows: list[WorkflowLine] = []
    is_loading: bool = True
    text: str = ""
    which: str = "all"
    dialog: str = ""
    starters: list[StarterLine] = []
    chosen: str = ""
    problem: str = ""
    remarks: list[str] = []
    made: str = ""
    is_busy: bool = False

    @rx.var
    def is_narrowed(self) -> bool:
        return bool(self.text) or self.which != "all"

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def load(self) -> None:
        await self.watch()
        self.dialog, self.problem, self.remarks = "", "", []
        self.starters = await self.call(_starters)
        self._from_the_first()
        await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if {kind for kind, _ in changes} & {"workflow", "execution", "everything"}:
            await self._read()

    async def _read(self) -> None:
        wanted = WorkflowFilter(
            text=self.text,
            is_enabled={"on": True, "off": False}.get(self.which),
            is_archived=self.which == "archived",
        )
        self.rows, following = await self.call(_lines, wanted, self._start())
        self._shown(following)
        self.is_loading = False

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def search(self, text: str) -> None:
        self.text = text.strip()
        self._from_the_first()
        await self._read()

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def choose(self, which: str) -> None:
        self.which = which
        self._from_the_first()
        await self._read()

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read()

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read()

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def switch(self, workflow_id: str, is_on: bool) -> EventSpec | None:
        change = service.enable if is_on else service.disable
        _, sorry = await self.attempt(self.call(change, UUID(workflow_id)))
        await self._read()
        return sorry

    # Making one -----------------------------------------------------------------------------------

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    def open_dialog(self, dialog: str) -> None:
        self.dialog, self.problem, self.chosen, self.remarks = dialog, "", "", []

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    def close(self) -> None:
        self.dialog = ""

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    def pick(self, key: str) -> None:
        self.chosen = key

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def create(self, form: Payload) -> EventSpec | None:
        name = str(form.get("name", "")).strip()
        if not name and not self.chosen:
            self.problem = "Give the workflow a name."
            return None
        try:
            made = await self.call(_create, name, self.chosen)
        except AppError as error:
            self.problem = error.message
            return None
        return self._go(made)

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def take_file(self, file: Payload) -> EventSpec | None:
        """Import what was chosen. What has to be looked at is told before the editor opens."""
        self.problem = str(file.get("problem", ""))
        if self.problem:
            return None
        try:
            work = self.call(_import, str(file.get("text", "")), str(file.get("name", "")))
            made, self.remarks = await work
        except AppError as error:
            self.problem = error.message
            return None
        self.made = str(made)
        return None if self.remarks else self._go(made)

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    def open_made(self) -> EventSpec:
        return self._go(UUID(self.made))

    def _go(self, workflow_id: UUID) -> EventSpec:
        self.dialog = ""
        return rx.redirect(f"{self.router.url.path.rstrip('/')}/{workflow_id}")


def _create(ctx: Context, name: str, starter: str) -> UUID:
    return service.create(ctx, name, starter=starter).id


def _import(ctx: Context, text: str, file_name: str) -> tuple[UUID, list[str]]:
    made, remarks = service.import_file(ctx, text.encode("utf-8", "replace"))
    return made.id, list(remarks)


# What a line shows --------------------------------------------------------------------------------


def _lines(
    ctx: Context, wanted: WorkflowFilter, after: str | None
) -> tuple[list[WorkflowLine], str | None]:
    page = queries.workflows(ctx, wanted, after, PAGE)
    figures = executions.figures(
        ctx, [row.id for row in page.items], since=ctx.now - timedelta(days=7)
    )
    return [_line(row, figures.get(row.id)) for row in page.items], page.next_cursor


def _line(row: WorkflowRow, ran: executions.Figures | None) -> WorkflowLine:
    words, colour = OUTCOMES.get(ran.last_status, ("", "gray")) if ran else ("", "gray")
    return WorkflowLine(
        id=str(row.id),
        name=row.name,
        description=row.description,
        is_enabled=row.is_enabled,
        published=row.published_number or 0,
        has_changes=row.has_changes,
        saved_at=row.saved_at.isoformat(),
        saved_by=row.saved_by_name,
        begins=[sign_of(kind) for kind in row.kinds[:4]],
        last_run_at=ran.last_at.isoformat() if ran and ran.last_at else "",
        last_run=words,
        last_run_colour=colour,
        failures=ran.failures if ran else 0,
    )


def sign_of(kind: str) -> Sign:
    found = next((one for one in rules.catalogue() if one.kind == kind), None)
    return Sign(found.icon, found.title) if found else Sign("circle-help", kind)


# The picture of a starter -------------------------------------------------------------------------


def _starters(ctx: Context) -> list[StarterLine]:
    return [_starter(one) for one in queries.starters(ctx)]


def _starter(starter: Starter) -> StarterLine:
    file = exchange.file_of(exchange.document_of(content_of(starter.key)))
    spots, lines = picture(file.graph)
    return StarterLine(starter.key, starter.title, starter.summary, spots, lines)


def picture(graph: Graph) -> tuple[list[Spot], str]:
    """Where its steps stand, scaled to a hundred by a hundred, and what leads where."""
    if not graph.nodes:
        return [], ""
    xs = [node.position.x for node in graph.nodes]
    ys = [node.position.y for node in graph.nodes]
    left, top = min(xs), min(ys)
    wide, high = max(max(xs) - left, 1), max(max(ys) - top, 1)
    at = {
        node.id: (
            8 + 84 * (node.position.x - left) / wide,
            14 + 72 * (node.position.y - top) / high if high > 60 else 50,
        )
        for node in graph.nodes
    }
    kinds = {one.kind: one for one in rules.catalogue()}
    spots = [
        Spot(
            kinds[node.kind].icon if node.kind in kinds else "box",
            rules.name_of(node),
            str(kinds[node.kind].group) if node.kind in kinds else "",
            f"{at[node.id][0]:.1f}%",
            f"{at[node.id][1]:.1f}%",
        )
        for node in graph.nodes
    ]
    ends = [(at[edge.source], at[edge.target]) for edge in graph.edges]
    lines = " ".join(f"M{a[0]:.1f} {a[1]:.1f} L{b[0]:.1f} {b[1]:.1f}" for a, b in ends)
    return spots, lines
