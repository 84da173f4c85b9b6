"""A file of contacts on its way in: upload, columns, progress, and what was refused."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import queries as contacts
from aerostic.domain.contacts.models import ImportStatus
from aerostic.domain.imports import mapping, queries, service
from aerostic.domain.imports.queries import ImportView
from aerostic.domain.imports.service import ImportOptions
from aerostic.state.base import AppState
from aerostic.state.contacts import TagLine, download, failed_download, uuid_of
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access

SHOWN_REFUSALS = 50
_TARGET_NAMES = {
    mapping.IGNORE: "Leave out",
    "phone": "Phone number",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail",
}


@dataclass(frozen=True)
class Target:
    value: str
    label: str


@dataclass(frozen=True)
class Column:
    """A column of the file, what it becomes, and its first cells that are not empty."""

    index: int
    name: str
    target: str
    sample: str


@dataclass(frozen=True)
class Refused:
    row: int
    reason: str
    cells: str


@dataclass(frozen=True)
class Progress:
    id: str = ""
    file_name: str = ""
    about: str = ""
    status: str = ""
    percent: int = 0
    total: int = 0
    done: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    problem: str = ""
    at: str = ""

    @classmethod
    def of(cls, view: ImportView) -> "Progress":
        return cls(
            id=str(view.id),
            file_name=view.file_name,
            about=", ".join(part for part in (view.kind, view.encoding) if part),
            status=view.status.value,
            percent=view.percent,
            total=view.rows_total,
            done=view.rows_done,
            created=view.rows_created,
            updated=view.rows_updated,
            unchanged=view.rows_unchanged,
            refused=view.rows_refused,
            problem=view.problem or "",
            at=view.created_at.isoformat(),
        )


class ImportWizard(Form, AppState):
    progress: Progress = Progress()
    step: str = "upload"
    columns: list[Column] = []
    preview: list[list[str]] = []
    targets: list[Target] = []
    tags: list[TagLine] = []
    refusals: list[Refused] = []
    recent: list[Progress] = []
    is_uploading: bool = False

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    async def load(self) -> EventSpec | None:
        """Begin, or go on where the address says: an import runs whether or not someone looks."""
        await self.watch()
        self._clear()
        self.is_uploading = False
        asked = str(self.router.url.query_parameters.get("id", ""))
        if asked:
            _, sorry = await self.attempt(self._open(asked))
            return sorry
        await self._begin()
        return None

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        kinds = {kind for kind, _ in changes}
        ours = ("import", self.progress.id) in changes or "everything" in kinds
        if self.progress.id and ours:
            self._show(await self.call(queries.contact_import, UUID(self.progress.id)))
            await self._read_refusals()
        elif "import" in kinds and self.step == "upload":
            await self._begin()

    async def _begin(self) -> None:
        page = await self.call(queries.imports, limit=5)
        self.progress, self.step = Progress(), "upload"
        self.recent = [Progress.of(view) for view in page.items]

    async def _open(self, import_id: str) -> None:
        view, preview, fields, tags = await self.call(_opened, uuid_of(import_id))
        self.preview = preview[:5]
        self.tags = [TagLine.of(tag) for tag in tags]
        self.targets = [
            *(Target(one, _TARGET_NAMES.get(one, one.capitalize())) for one in mapping.TARGETS),
            *(Target(mapping.ATTRIBUTE + one.key, one.label) for one in fields),
        ]
        self.columns = [
            Column(index, name, target, _sample(preview, index))
            for index, (name, target) in enumerate(zip(view.columns, view.targets, strict=True))
        ]
        self._show(view)
        await self._read_refusals()

    def _show(self, view: ImportView) -> None:
        self.progress = Progress.of(view)
        is_waiting = view.status is ImportStatus.UPLOADED
        is_ended = view.finished_at is not None
        self.step = "map" if is_waiting else "done" if is_ended else "run"

    async def _read_refusals(self) -> None:
        if self.step != "done" or not self.progress.refused:
            self.refusals = []
            return
        found = await self.call(queries.refusals, UUID(self.progress.id), limit=SHOWN_REFUSALS)
        self.refusals = [
            Refused(one.row_number, one.reason, " · ".join(filter(None, one.cells))[:200])
            for one in found
        ]

    # Steps ----------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    def upload(self) -> EventSpec:
        """Send the chosen file to the API; `uploaded` hears of it."""
        self._clear()
        self.is_uploading = True
        return rx.call_script(
            f"window.aerostic.upload('import-file', '/api/v1/contact-imports', '{self._workspace}')",
            callback=ImportWizard.uploaded,
        )

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    async def uploaded(self, answer: dict[str, Any]) -> EventSpec | None:
        self.is_uploading = False
        body = answer.get("body") or {}
        if not answer.get("ok"):
            lost = "The file did not arrive. Check your connection, then try again."
            self.problem = str(body.get("detail") or lost)
            return None
        import_id = str(body.get("id", ""))
        await self._open(import_id)
        return _address(import_id)

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    def choose_target(self, index: int, target: str) -> None:
        """A target is one column's: whichever had it before is left out."""
        self.columns = [
            Column(one.index, one.name, target_after(one, index, target), one.sample)
            for one in self.columns
        ]

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    async def start(self, form: dict[str, Any]) -> None:
        tag_id = typed(form, "tag")
        options = ImportOptions(
            default_country=typed(form, "default_country"),
            updates=typed(form, "updates") != "keep",
            tag_ids=(UUID(tag_id),) if tag_id and tag_id != "none" else (),
        )
        targets = [one.target for one in self.columns]
        import_id = UUID(self.progress.id)
        done, _ = await self._send(self.call(service.start, import_id, targets, options))
        if done:
            self._show(await self.call(queries.contact_import, import_id))

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    async def cancel(self) -> None:
        import_id = UUID(self.progress.id)
        await self.call(service.cancel, import_id)
        self._show(await self.call(queries.contact_import, import_id))
        await self._read_refusals()

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    async def again(self) -> EventSpec:
        self._clear()
        await self._begin()
        return _address("")

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    async def open_recent(self, import_id: str) -> EventSpec:
        await self._open(import_id)
        return _address(import_id)

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    def download_report(self) -> EventSpec:
        path = f"/api/v1/contact-imports/{self.progress.id}/report"
        return download(path, self._workspace, ImportWizard.downloaded)

    @rx.event
    @access(Permission.CONTACTS_IMPORT)
    def downloaded(self, answer: dict[str, Any]) -> EventSpec | None:
        return failed_download(answer)


def target_after(column: Column, index: int, target: str) -> str:
    if column.index == index:
        return target
    return mapping.IGNORE if column.target == target else column.target


def _address(import_id: str) -> EventSpec:
    """Show in the address which import this is, so that it can be left and found again."""
    query = f"?id={import_id}" if import_id else ""
    return rx.call_script(f"history.replaceState(history.state, '', location.pathname + '{query}')")


def _opened(ctx: Context, import_id: UUID) -> tuple[ImportView, list[list[str]], Any, Any]:
    return (
        queries.contact_import(ctx, import_id),
        queries.preview(ctx, import_id),
        contacts.attributes(ctx),
        contacts.tags(ctx),
    )


def _sample(preview: list[list[str]], index: int) -> str:
    cells = [row[index] for row in preview if index < len(row) and row[index]]
    return ", ".join(cells[:3])[:120]
