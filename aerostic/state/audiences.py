"""Segments, lists, and what people said about marketing."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import queries, service
from aerostic.domain.audiences.models import ConsentSource, Decision
from aerostic.domain.audiences.schemas import ConsentView, ListView, SegmentView
from aerostic.domain.contacts.models import ImportStatus
from aerostic.domain.imports import mapping
from aerostic.domain.imports import queries as imports
from aerostic.domain.imports import service as import_service
from aerostic.domain.imports.service import ImportOptions
from aerostic.state.base import AppState
from aerostic.state.contact_import import Column, Target, target_after
from aerostic.state.contacts import download, failed_download, uuid_of
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access

SHOWN_CONSENTS = 30
_TARGET_NAMES = {mapping.IGNORE: "Only a variable", mapping.PHONE: "Phone number"}
_SOURCES = {
    ConsentSource.KEYWORD: "wrote it",
    ConsentSource.WHATSAPP: "in WhatsApp's settings",
    ConsentSource.REFUSAL: "WhatsApp refused a message",
    ConsentSource.MEMBER: "noted by a teammate",
    ConsentSource.PROGRAM: "told by a program",
}


@dataclass(frozen=True)
class SegmentLine:
    id: str
    name: str
    words: str
    problem: str
    by: str
    changed_at: str

    @classmethod
    def of(cls, view: SegmentView) -> "SegmentLine":
        return cls(
            str(view.id),
            view.name,
            view.words,
            view.problem,
            view.created_by_name,
            view.updated_at.isoformat(),
        )


@dataclass(frozen=True)
class ListLine:
    id: str
    name: str
    members: str
    status: str
    percent: int
    refused: int
    columns: str
    import_id: str
    at: str

    @classmethod
    def of(cls, view: ListView) -> "ListLine":
        return cls(
            id=str(view.id),
            name=view.name,
            members=f"{view.members:,}",
            status=view.status.value,
            percent=100 * view.rows_done // view.rows_total if view.rows_total else 0,
            refused=view.rows_refused,
            columns=", ".join(view.columns),
            import_id=str(view.import_id),
            at=view.created_at.isoformat(),
        )


@dataclass(frozen=True)
class ConsentLine:
    contact_id: str
    name: str
    stops: bool
    how: str
    at: str

    @classmethod
    def of(cls, view: ConsentView) -> "ConsentLine":
        how = f"wrote “{view.word}”" if view.word else _SOURCES[view.source]
        stops = view.decision is Decision.STOPPED
        return cls(
            str(view.contact_id), view.contact_name, stops, how, view.occurred_at.isoformat()
        )


@dataclass(frozen=True)
class Forgotten:
    """What is about to be deleted."""

    id: str = ""
    name: str = ""
    kind: str = ""


class Audiences(Form, AppState):
    segments: list[SegmentLine] = []
    lists: list[ListLine] = []
    consents: list[ConsentLine] = []
    is_loading: bool = True
    forgetting: Forgotten = Forgotten()
    # A list on its way in
    list_step: str = ""  # nothing, file, columns
    list_id: str = ""
    list_name: str = ""
    columns: list[Column] = []
    targets: list[Target] = []
    rows_total: str = ""
    is_uploading: bool = False

    async def read(self) -> None:
        """Read everything again; called by the page whose part this is."""
        segments, lists, consents = await self.call(_everything)
        self.segments = [SegmentLine.of(one) for one in segments]
        self.lists = [ListLine.of(one) for one in lists]
        self.consents = [ConsentLine.of(one) for one in consents]
        self.is_loading = False

    # Deleting -------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def ask_to_forget(self, kind: str, ref: str, name: str) -> None:
        self.forgetting = Forgotten(ref, name, kind)

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def keep(self) -> None:
        self.forgetting = Forgotten()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def forget(self) -> EventSpec | None:
        kind, ref = self.forgetting.kind, uuid_of(self.forgetting.id)
        act = service.delete_segment if kind == "segment" else service.delete_list
        self.forgetting = Forgotten()
        _, sorry = await self.attempt(self.call(act, ref))
        await self.read()
        return sorry

    # A list out of a file -------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def new_list(self) -> None:
        self._clear()
        self.list_step, self.list_id, self.list_name = "file", "", ""
        self.columns, self.is_uploading = [], False

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def close_list(self) -> None:
        """A file whose columns were not settled is not kept."""
        left, self.list_step = self.list_id if self.list_step == "columns" else "", ""
        if left:
            await self.call(_drop, UUID(left))
            await self.read()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def upload(self) -> EventSpec:
        """Send the chosen file to the API; `uploaded` hears of it."""
        self._clear()
        self.is_uploading = True
        return rx.call_script(
            f"window.aerostic.upload('list-file', '/api/v1/contact-lists', '{self._workspace}')",
            callback=Audiences.uploaded,
        )

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def uploaded(self, answer: dict[str, Any]) -> None:
        self.is_uploading = False
        body = answer.get("body") or {}
        if not answer.get("ok"):
            lost = "The file did not arrive. Check your connection, then try again."
            self.problem = str(body.get("detail") or lost)
            return
        self.list_id, self.list_name = str(body.get("id", "")), str(body.get("name", ""))
        await self._show_columns(uuid_of(self.list_id))

    async def _show_columns(self, list_id: UUID) -> None:
        view, file, preview = await self.call(_file, list_id)
        self.rows_total = f"{file.rows_total:,}"
        self.targets = [
            Target(one, _TARGET_NAMES.get(one, one.replace("_", " ").capitalize()))
            for one in (mapping.IGNORE, mapping.PHONE, "name", "first_name", "last_name")
        ]
        offered = {one.value for one in self.targets}
        self.columns = [
            Column(index, name, target if target in offered else mapping.IGNORE, sample)
            for index, (name, target, sample) in enumerate(
                zip(view.columns, file.targets, _samples(preview, len(view.columns)), strict=True)
            )
        ]
        self.list_step = "columns"

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def choose_target(self, index: int, target: str) -> None:
        """A target is one column's: whichever had it before becomes only a variable."""
        self.columns = [
            Column(one.index, one.name, target_after(one, index, target), one.sample)
            for one in self.columns
        ]

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def start_list(self, form: dict[str, Any]) -> None:
        self.is_busy = True
        targets = [one.target for one in self.columns]
        name, country = typed(form, "name"), typed(form, "default_country")
        list_id = uuid_of(self.list_id)
        done, _ = await self._send(self.call(_start, list_id, name, targets, country))
        if done:
            self.list_step = ""
            await self.read()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def download_report(self, import_id: str) -> EventSpec:
        path = f"/api/v1/contact-imports/{uuid_of(import_id)}/report"
        return download(path, self._workspace, Audiences.downloaded)

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def downloaded(self, answer: dict[str, Any]) -> EventSpec | None:
        return failed_download(answer)


def _everything(
    ctx: Context,
) -> tuple[list[SegmentView], list[ListView], list[ConsentView]]:
    return (
        queries.segments(ctx, limit=200).items,
        [one for one in queries.lists(ctx, limit=100).items if _is_kept(one)],
        queries.consents(ctx, limit=SHOWN_CONSENTS).items,
    )


def _is_kept(view: ListView) -> bool:
    """A file whose columns nobody settled is no list yet."""
    return view.status is not ImportStatus.UPLOADED


def _file(ctx: Context, list_id: UUID) -> tuple[ListView, imports.ImportView, list[list[str]]]:
    view = queries.contact_list(ctx, list_id)
    file = imports.contact_import(ctx, view.import_id)
    return view, file, imports.preview(ctx, view.import_id)


def _start(ctx: Context, list_id: UUID, name: str, targets: list[str], country: str) -> None:
    view = queries.contact_list(ctx, list_id)
    if name.strip() and name.strip() != view.name:
        service.rename_list(ctx, list_id, name)
    import_service.start(ctx, view.import_id, targets, ImportOptions(default_country=country))


def _drop(ctx: Context, list_id: UUID) -> None:
    view = queries.contact_list(ctx, list_id)
    import_service.cancel(ctx, view.import_id)
    service.delete_list(ctx, list_id)


def _samples(preview: list[list[str]], width: int) -> list[str]:
    return [
        ", ".join([row[index] for row in preview if index < len(row) and row[index]][:3])[:120]
        for index in range(width)
    ]
