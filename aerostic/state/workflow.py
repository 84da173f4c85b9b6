"""The editor of one workflow.

The graph itself lives in the browser while it is drawn. Here is what the server last heard of it (never sent
back), what the linter says of that, and whether it was kept.
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import reflex as rx
from pydantic import ValidationError
from reflex_base.event import EventSpec

from aerostic.core import ids
from aerostic.core.errors import AppError, Refused
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.automation import comparing, queries, reading, rules, service
from aerostic.domain.automation.graph import Graph, as_stored
from aerostic.domain.automation.schemas import WorkflowDetail
from aerostic.state.base import AppState
from aerostic.state.contacts import uuid_of
from aerostic.state.flow_choices import FlowChoices
from aerostic.state.guard import access
from aerostic.state.plain import plain
from aerostic.state.runs import Runs

Payload = dict[str, Any]
TABS = ("editor", "runs", "versions")


@dataclass(frozen=True)
class VersionLine:
    number: int
    note: str
    at: str
    by: str
    is_current: bool


@dataclass(frozen=True)
class Difference:
    """One line of a comparison: what happened to which step."""

    sign: str
    text: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class FindingLine:
    severity: str
    node_id: str
    name: str
    sentence: str
    page: str


class WorkflowEditor(AppState):
    """`opened.number` is another each time that the canvas has to take over a graph from the server."""

    name: str = ""
    description: str = ""
    is_enabled: bool = False
    published: int = 0
    has_changes: bool = False
    is_archived: bool = False
    webhook_waits: bool = True
    webhook_rate: int = 600
    has_webhook: bool = False
    is_behind: bool = False
    missing: str = ""
    tab: str = "editor"

    opened: Payload = {}
    ports: dict[str, list[Payload]] = {}
    findings: list[Payload] = []
    saved: Payload = {}
    focus: Payload = {}
    dialog: str = ""

    versions: list[VersionLine] = []
    restored: int = 0
    compared: str = ""
    differences: list[Difference] = []
    note: str = ""
    problem: str = ""
    conflict: str = ""

    _id: str = ""
    _revision: int = 0
    _graph: Payload = {}
    _seq: int = 0
    _is_unsaved: bool = False

    @rx.var
    def errors(self) -> list[FindingLine]:
        """What the linter holds against the draft, with the names of the steps."""
        names = {node["id"]: node for node in self._graph.get("nodes", [])}
        return [
            FindingLine(
                one["severity"],
                one["node_id"],
                _called(names.get(one["node_id"])),
                one["sentence"],
                one["page"],
            )
            for one in self.findings
        ]

    @rx.var
    def unheard(self) -> str:
        """Why messages begin no run of it, if something elsewhere keeps them from that."""
        found = (one["sentence"] for one in self.findings if one["page"])
        return next(found, "")

    @rx.var
    def is_ready(self) -> bool:
        return not any(one["severity"] == "error" for one in self.findings)

    # Opening --------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def load(self) -> None:
        """The workflow that the address names."""
        await self.watch()
        asked = self.router.url.query_parameters
        self.tab = asked.get("tab", "editor") if asked.get("tab") in TABS else "editor"
        self.dialog, self.missing, self.conflict, self.compared = "", "", "", ""
        try:
            workflow_id = uuid_of(self.router.url.path.rstrip("/").rpartition("/")[2])
            detail = await self.call(queries.workflow, workflow_id)
        except AppError as error:
            self._id, self.opened, self.missing = "", {}, error.message
            return
        self._id = str(workflow_id)
        await (await self.get_state(FlowChoices))._read(workflow_id)
        await self._open(detail)
        await (await self.get_state(Runs))._open(self._id, asked.get("run", ""))

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        """Someone switched it, published it or saved it; a run went on."""
        kinds = {kind for kind, _ in changes}
        if self._id and (("workflow", self._id) in changes or "everything" in kinds):
            detail, _ = await self.attempt(self.call(queries.workflow, UUID(self._id)))
            if detail is not None:
                self._describe(detail)
                self.is_behind = detail.revision > self._revision
        if self._id and kinds & {"number", "everything"}:
            await self._hear(self._graph)
        if kinds & {"execution", "everything"}:
            await (await self.get_state(Runs))._follow(changes)

    async def _open(self, detail: WorkflowDetail) -> None:
        """Have the canvas take this graph."""
        self._describe(detail)
        self._revision, self._seq = detail.revision, 0
        graph = as_stored(detail.draft)
        self.opened = {"id": self._id, "number": str(ids.new_id()), "graph": graph}
        self._was_kept(detail)
        await self._hear(graph)

    def _describe(self, detail: WorkflowDetail) -> None:
        row = detail.row
        self.name, self.description = row.name, row.description
        self.is_enabled, self.published = row.is_enabled, row.published_number or 0
        self.has_changes, self.is_archived = row.has_changes, row.is_archived
        self.webhook_waits, self.webhook_rate = detail.webhook_waits, detail.webhook_rate
        self.has_webhook = "trigger.webhook" in row.kinds
        self.versions = [
            VersionLine(
                one.number,
                one.note,
                one.published_at.isoformat(),
                one.published_by_name,
                one.is_current,
            )
            for one in detail.versions
        ]

    # Drawing --------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def commit(self, drawn: Payload) -> None:
        """What was drawn so far, to be looked at by the linter. Nothing is kept."""
        if drawn.get("id") == self._id:
            self._seq, self._is_unsaved = int(drawn.get("seq") or 0), True
            await self._hear(drawn.get("graph"))

    async def _hear(self, graph: Any) -> None:
        try:
            read = _drawn(graph)
            self.findings = plain(await self.call(queries.check, UUID(self._id), read))
        except AppError:
            return  # a save says what is wrong with it
        self._graph = as_stored(read)
        own = {one.kind for one in rules.catalogue() if one.has_own_outputs}
        self.ports = {
            node.id: plain(rules.outputs_of(node)) for node in read.nodes if node.kind in own
        }

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def save(self, drawn: Payload) -> EventSpec | None:
        """Keep the draft. On a stale one, ask what shall count."""
        if drawn.get("id") != self._id:
            return await self._save_elsewhere(drawn)
        await self._hear(drawn.get("graph"))
        self._seq = int(drawn.get("seq") or 0)
        try:
            await self._keep(drawn.get("graph"))
        except service.StaleDraft as stale:
            self.conflict, self.dialog = stale.message, "conflict"
            self._not_saved(stale.message)
        except AppError as error:
            self._not_saved(error.message)
            return rx.toast.error(error.message)
        return None

    async def _keep(self, graph: Any, revision: int | None = None) -> None:
        saving = self._revision if revision is None else revision
        detail = await self.call(_keep, UUID(self._id), graph, saving)
        self._revision = detail.revision
        self._describe(detail)
        self._was_kept(detail)

    def _was_kept(self, detail: WorkflowDetail) -> None:
        self._is_unsaved = self.is_behind = False
        kept = {"id": self._id, "seq": self._seq, "revision": detail.revision}
        self.saved = {**kept, "at": detail.row.saved_at.isoformat()}

    async def _save_elsewhere(self, drawn: Payload) -> EventSpec | None:
        """The last save of a page that was just left for another workflow's."""
        graph, revision = drawn.get("graph"), int(drawn.get("revision") or 0)
        work = self.call(_keep, uuid_of(str(drawn.get("id", ""))), graph, revision)
        _, sorry = await self.attempt(work)
        return sorry

    def _not_saved(self, problem: str) -> None:
        self.saved = {**self.saved, "problem": problem, "tried": self._seq}

    # When someone else saved in between -----------------------------------------------------------

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def take_theirs(self) -> None:
        """Show what was saved in between; what was drawn here is dropped."""
        self._close()
        await self._open(await self.call(queries.workflow, UUID(self._id)))

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def keep_mine(self) -> EventSpec | None:
        """Save over what was saved in between."""
        self._close()
        detail = await self.call(queries.workflow, UUID(self._id))
        _, sorry = await self.attempt(self._keep(self._graph, detail.revision))
        return sorry

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def keep_as_copy(self) -> EventSpec | None:
        """Make a workflow of its own of what was drawn here, and go there."""
        self._close()
        work = self.call(_create_copy, f"{self.name[:100]} (mine)", self._graph)
        made, sorry = await self.attempt(work)
        return sorry if made is None else _go(self.router.url.path, made)

    # Its life -------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.AUTOMATION_READ)
    def open_tab(self, tab: str) -> EventSpec:
        self.tab = tab if tab in TABS else "editor"
        return rx.call_script(
            f"history.replaceState(history.state, '', location.pathname + '?tab={self.tab}')"
        )

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def switch(self, is_on: bool) -> EventSpec | None:
        change = service.enable if is_on else service.disable
        _, sorry = await self.attempt(self.call(change, UUID(self._id)))
        if sorry is None:
            self.is_enabled = is_on
        return sorry

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def change(self, form: Payload) -> None:
        """Its name, what it is for, and how posts to its address are answered."""
        rate = str(form.get("webhook_rate") or self.webhook_rate)
        try:
            await self.call(
                service.edit,
                UUID(self._id),
                name=str(form.get("name", "")),
                description=str(form.get("description", "")),
                webhook_waits=bool(form.get("webhook_waits")) if self.has_webhook else None,
                webhook_rate=int(rate) if rate.isdigit() else 0,
            )
        except AppError as error:
            self.problem = error.message
        else:
            self._close()
            self._describe(await self.call(queries.workflow, UUID(self._id)))

    @rx.event
    @access(Permission.AUTOMATION_READ)
    def open_dialog(self, dialog: str) -> None:
        self.dialog, self.problem, self.note = dialog, "", ""

    @rx.event
    @access(Permission.AUTOMATION_READ)
    def close(self) -> None:
        self._close()

    def _close(self) -> None:
        self.dialog, self.problem, self.conflict = "", "", ""

    @rx.event
    @access(Permission.AUTOMATION_READ)
    def look_at(self, node_id: str) -> None:
        """Show a step on the canvas."""
        self._close()
        self.tab, self.focus = "editor", {"node": node_id, "at": str(ids.new_id())}

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def publish(self, form: Payload) -> EventSpec | None:
        """Freeze what is saved as the next version."""
        if self.saved.get("problem"):
            self.problem = f"Your last changes are not saved: {self.saved['problem']}"
            return None
        note = str(form.get("note", ""))
        try:
            work = self.call(service.publish, UUID(self._id), note, revision=self._revision)
            number = await work
        except service.NotReady as refused:
            self.findings, self.problem = plain(refused.findings), refused.message
            return None
        except AppError as error:
            self.problem = error.message
            return None
        self._close()
        self._describe(await self.call(queries.workflow, UUID(self._id)))
        return rx.toast.success(f"Version {number} is published and runs from now on.")

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def duplicate(self) -> EventSpec | None:
        if self._is_unsaved:
            await self.attempt(self._keep(self._graph))
        made, sorry = await self.attempt(self.call(_duplicate, UUID(self._id)))
        return sorry if made is None else _go(self.router.url.path, made)

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def export(self) -> EventSpec | None:
        """The draft as a file."""
        if self._is_unsaved:
            await self.attempt(self._keep(self._graph))
        content, sorry = await self.attempt(self.call(queries.export, UUID(self._id)))
        if content is None:
            return sorry
        return rx.download(data=content, filename=f"{_file_name(self.name)}.json")

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def archive(self) -> EventSpec | None:
        self._close()
        _, sorry = await self.attempt(self.call(service.archive, UUID(self._id)))
        return sorry or rx.redirect(self.router.url.path.rstrip("/").rpartition("/")[0])

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def unarchive(self) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(service.unarchive, UUID(self._id)))
        return sorry

    # Versions -------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def compare(self, number: int) -> EventSpec | None:
        """What the draft changes about a version."""
        if self.compared == str(number):
            self.compared, self.differences = "", []
            return None
        work = self.call(queries.version, UUID(self._id), number)
        version, sorry = await self.attempt(work)
        if version is not None:
            now = Graph.model_validate(self._graph)
            self.differences = in_words(comparing.compare(version.graph, now))
            self.compared = str(number)
        return sorry

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def ask_to_restore(self, number: int) -> EventSpec | None:
        """Ask first where the draft that is there would be lost."""
        if self._is_unsaved:
            await self.attempt(self._keep(self._graph))
        self.restored = number
        if not self.has_changes:
            return await self._restore()
        self.dialog = "restore"
        return None

    @rx.event
    @access(Permission.AUTOMATION_MANAGE)
    async def restore(self) -> EventSpec | None:
        """Make a version the draft again. The draft that was there is gone, unless published."""
        self._close()
        return await self._restore()

    async def _restore(self) -> EventSpec | None:
        number = self.restored
        work = self.call(service.restore, UUID(self._id), number, revision=self._revision)
        _, sorry = await self.attempt(work)
        if sorry is not None:
            return sorry
        await self._open(await self.call(queries.workflow, UUID(self._id)))
        self.tab, self.compared = "editor", ""
        return rx.toast.success(f"Version {number} is the draft now. What runs has not changed.")


# One transaction for what belongs together -----------------------------------------------------------


def _keep(ctx: Context, workflow_id: UUID, graph: Any, revision: int) -> WorkflowDetail:
    service.save_draft(ctx, workflow_id, _drawn(graph), revision)
    return queries.workflow(ctx, workflow_id)


def _drawn(graph: Any) -> Graph:
    """Connections of an output that a setting has just taken away are left out, as the canvas does."""
    try:
        drawn, _ = rules.without_impossible(Graph.model_validate(graph))
    except (ValidationError, RecursionError) as error:
        raise Refused("That is no workflow. Load the page again.") from error
    return drawn


def _create_copy(ctx: Context, name: str, graph: Any) -> UUID:
    return service.create(ctx, name, graph=reading.graph_of(graph)).id


def _duplicate(ctx: Context, workflow_id: UUID) -> UUID:
    return service.duplicate(ctx, workflow_id).id


def _go(here: str, workflow_id: UUID) -> EventSpec:
    """To another workflow's editor, as a page of its own."""
    folder = here.rstrip("/").rpartition("/")[0]
    return rx.call_script(f"window.location.assign('{folder}/{workflow_id}')")


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60] or "workflow"


def _called(node: Payload | None) -> str:
    if node is None:
        return ""
    kind = next((one for one in rules.catalogue() if one.kind == node["kind"]), None)
    return str(node.get("name") or (kind.title if kind else node["kind"]))


# A comparison, told -----------------------------------------------------------------------------------


def in_words(found: comparing.Comparison) -> list[Difference]:
    """Line by line: what was added, removed, changed, connected."""
    lines = [Difference("+", f"“{one.name}” was added") for one in found.added]
    lines += [Difference("−", f"“{one.name}” was removed") for one in found.removed]
    lines += [
        Difference("~", f"{change.node.name}: {one.title}", _short(one.before), _short(one.after))
        for change in found.changed
        for one in change.settings
    ]
    lines += [Difference("+", f"“{one.source}” leads to “{one.target}”") for one in found.connected]
    lines += [
        Difference("−", f"“{one.source}” no longer leads to “{one.target}”")
        for one in found.disconnected
    ]
    if found.notes_changed:
        lines.append(Difference("~", "The notes on the canvas differ"))
    if found.moved:
        lines.append(Difference("~", "Steps stand elsewhere on the canvas; that changes no run"))
    return lines


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 300 else text[:300] + "…"
