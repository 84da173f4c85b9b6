"""Knowledge bases: the list of them, and one with its documents and a box to try a search."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import AppError
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.knowledge import embedding, queries, service
from aerostic.domain.knowledge.queries import BaseView, DocumentView
from aerostic.domain.knowledge.searching import Found
from aerostic.state.base import AppState
from aerostic.state.contacts import uuid_of
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access
from aerostic.state.paged import Paged

PAGE = 25
Events = AsyncIterator[EventSpec | None]
STATUS_WORDS = {
    "queued": "Waiting",
    "reading": "Being read",
    "ready": "Ready",
    "failed": "Not read",
}


@dataclass(frozen=True)
class BaseLine:
    id: str = ""
    name: str = ""
    description: str = ""
    documents: str = ""
    passages: str = ""
    unread: int = 0
    failed: int = 0

    @classmethod
    def of(cls, view: BaseView) -> "BaseLine":
        return cls(
            id=str(view.id),
            name=view.name,
            description=view.description,
            documents=f"{view.documents:,}",
            passages=f"{view.passages:,}",
            unread=view.unread,
            failed=view.failed,
        )


@dataclass(frozen=True)
class DocumentLine:
    id: str = ""
    name: str = ""
    kind: str = ""
    url: str = ""
    size: str = ""
    status: str = ""
    status_words: str = ""
    problem: str = ""
    passages: str = ""
    by_meaning: bool = False
    at: str = ""

    @classmethod
    def of(cls, view: DocumentView) -> "DocumentLine":
        return cls(
            id=str(view.id),
            name=view.name,
            kind=view.kind.upper(),
            url=view.url,
            size=_size(view.size),
            status=view.status.value,
            status_words=STATUS_WORDS[view.status],
            problem=view.problem or view.note,
            passages=f"{view.passages:,}",
            by_meaning=view.embedded > 0,
            at=(view.read_at or view.created_at).isoformat(),
        )


@dataclass(frozen=True)
class FoundLine:
    source: str
    url: str
    text: str
    score: str

    @classmethod
    def of(cls, found: Found) -> "FoundLine":
        return cls(found.source, found.url, found.text, f"{found.score:.0%}")


def _size(size: int) -> str:
    return f"{size / 1_048_576:.1f} MB" if size >= 1_048_576 else f"{max(1, size // 1024)} kB"


class Knowledge(Form, AppState):
    bases: list[BaseLine] = []
    is_loading: bool = True
    is_creating: bool = False

    @rx.event
    @access(Permission.AI_READ)
    async def load(self) -> None:
        await self.watch()
        self.is_creating = False
        await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if {kind for kind, _ in changes} & {"knowledge", "everything"}:
            await self._read()

    async def _read(self) -> None:
        self.bases = [BaseLine.of(view) for view in await self.call(queries.bases)]
        self.is_loading = False

    @rx.event
    @access(Permission.AI_MANAGE)
    def begin(self) -> None:
        self._clear()
        self.is_creating = True

    @rx.event
    @access(Permission.AI_READ)
    def close(self) -> None:
        self.is_creating = False

    @rx.event
    @access(Permission.AI_MANAGE)
    async def create(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        making = self.call(_created, typed(form, "name"), typed(form, "description"))
        done, made = await self._send(making)
        if done:
            self.is_creating = False
            yield rx.redirect(f"/dashboard/{self._workspace}/knowledge/{made}")


class KnowledgePage(Paged, Form, AppState):
    base: BaseLine = BaseLine()
    documents: list[DocumentLine] = []
    deleting: DocumentLine = DocumentLine()
    dialog: str = ""  # "rename", "page", "delete" or nothing
    found: list[FoundLine] = []
    searched: str = ""
    is_searching: bool = False
    is_uploading: bool = False
    is_loading: bool = True
    missing: str = ""

    @rx.event
    @access(Permission.AI_READ)
    async def load(self) -> None:
        """The base that the address names."""
        await self.watch()
        self.base, self.is_loading, self.missing, self.dialog = BaseLine(), True, "", ""
        self.found, self.searched, self.is_uploading = [], "", False
        self.deleting = DocumentLine()
        self._clear()
        self._from_the_first()
        try:
            await self._read(uuid_of(self.router.url.path.rstrip("/").rpartition("/")[2]))
        except AppError as error:
            self.missing = error.message
        self.is_loading = False

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        ours = ("knowledge", self.base.id) in changes
        if self.base.id and (ours or ("everything", "") in changes):
            await self._read(UUID(self.base.id))

    async def _read(self, base_id: UUID) -> None:
        view = await self.call(queries.base, base_id)
        page = await self.call(queries.documents, base_id, after=self._start(), limit=PAGE)
        self.base = BaseLine.of(view)
        self.documents = [DocumentLine.of(one) for one in page.items]
        self._shown(page.next_cursor)

    @rx.event
    @access(Permission.AI_MANAGE)
    def open_dialog(self, dialog: str) -> None:
        self._clear()
        self.dialog = dialog

    @rx.event
    @access(Permission.AI_READ)
    def close(self) -> None:
        self.dialog, self.deleting = "", DocumentLine()

    @rx.event
    @access(Permission.AI_MANAGE)
    async def rename(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        base_id = UUID(self.base.id)
        changing = self.call(
            service.change_base,
            base_id,
            name=typed(form, "name"),
            description=typed(form, "description"),
        )
        done, _ = await self._send(changing)
        if done:
            self.dialog = ""
            await self._read(base_id)

    @rx.event
    @access(Permission.AI_MANAGE)
    async def delete_base(self) -> EventSpec:
        self.dialog = ""
        await self.call(service.delete_base, UUID(self.base.id))
        return rx.redirect(f"/dashboard/{self._workspace}/knowledge")

    # Documents

    @rx.event
    @access(Permission.AI_MANAGE)
    def upload(self) -> EventSpec:
        """Send the chosen file to the API; `uploaded` hears of it."""
        self._clear()
        self.is_uploading = True
        place = f"/api/v1/knowledge/{UUID(self.base.id)}/documents"
        return rx.call_script(
            f"window.aerostic.upload('knowledge-file', '{place}', '{self._workspace}')",
            callback=KnowledgePage.uploaded,
        )

    @rx.event
    @access(Permission.AI_MANAGE)
    async def uploaded(self, answer: dict[str, Any]) -> None:
        self.is_uploading = False
        body = answer.get("body") or {}
        if not answer.get("ok"):
            lost = "The file did not arrive. Check your connection, then try again."
            self.problem = str(body.get("detail") or lost)
        await self._read(UUID(self.base.id))

    @rx.event
    @access(Permission.AI_MANAGE)
    async def add_page(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        base_id = UUID(self.base.id)
        done, _ = await self._send(self.call(service.add_page, base_id, typed(form, "url")))
        if done:
            self.dialog = ""
            await self._read(base_id)

    @rx.event
    @access(Permission.AI_MANAGE)
    async def read_again(self, document_id: str) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(service.read_again, UUID(document_id)))
        await self._read(UUID(self.base.id))
        return sorry

    @rx.event
    @access(Permission.AI_MANAGE)
    def ask_to_delete(self, document_id: str) -> None:
        found = (one for one in self.documents if one.id == document_id)
        self.deleting = next(found, DocumentLine())

    @rx.event
    @access(Permission.AI_MANAGE)
    async def delete(self) -> EventSpec | None:
        gone, self.deleting = self.deleting, DocumentLine()
        _, sorry = await self.attempt(self.call(service.delete_document, UUID(gone.id)))
        await self._read(UUID(self.base.id))
        return sorry or rx.toast.success(f"“{gone.name}” is gone.")

    @rx.event
    @access(Permission.AI_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read(UUID(self.base.id))

    @rx.event
    @access(Permission.AI_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read(UUID(self.base.id))

    # Trying a search

    @rx.event
    @access(Permission.AI_READ)
    async def search(self, form: dict[str, Any]) -> Events:
        question = typed(form, "question").strip()
        if not question:
            return
        self.is_searching = True
        yield None
        base_id = UUID(self.base.id)
        vector = await embedding.vector_of(question)
        finding = self.call(queries.search, [base_id], question, vector=vector)
        found, sorry = await self.attempt(finding)
        self.found = [FoundLine.of(one) for one in found or []]
        self.searched, self.is_searching = question, False
        yield sorry


def _created(ctx: Context, name: str, description: str) -> str:
    return str(service.create_base(ctx, name, description).id)
