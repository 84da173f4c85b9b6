"""One template: its builder, where it stands at Meta, its other languages, and what happened to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core import clock
from aerostic.core.errors import AppError
from aerostic.core.permissions import Permission
from aerostic.domain.templates import definition as definitions
from aerostic.domain.templates import queries, service
from aerostic.domain.templates.checks import Problem
from aerostic.domain.templates.models import Template
from aerostic.domain.templates.queries import HistoryLine, TemplateDetail
from aerostic.state.base import AppState
from aerostic.state.contacts import uuid_of
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access
from aerostic.state.plain import plain
from aerostic.state.template_words import (
    QUALITIES,
    category_words,
    language_words,
    status_colour,
    status_words,
)
from aerostic.state.templates import VariantLine

Events = AsyncIterator[EventSpec | None]


@dataclass(frozen=True)
class TemplateHead:
    id: str = ""
    name: str = ""
    language: str = ""
    language_words: str = ""
    account: str = ""
    category: str = ""
    status: str = ""
    status_words: str = ""
    colour: str = "gray"
    quality: str = ""
    note: str = ""
    why_not_written: str = ""
    uses: str = ""
    last_use: str = ""
    is_draft: bool = True
    is_submitted: bool = False
    is_approved: bool = False
    is_deleted: bool = False
    has_changes: bool = False

    @classmethod
    def of(cls, found: TemplateDetail) -> "TemplateHead":
        row = found.template
        return cls(
            id=str(row.id),
            name=row.name,
            language=row.language,
            language_words=language_words(row.language),
            account=found.account_name,
            category=category_words(row.category),
            status=row.status,
            status_words=status_words(row.status),
            colour=status_colour(row.status),
            quality=QUALITIES.get(row.quality, ""),
            note=row.note,
            why_not_written=found.why_not_written,
            uses=f"{found.uses.recent:,}",
            last_use=found.uses.last_at.isoformat() if found.uses.last_at else "",
            is_draft=row.status == "DRAFT",
            is_submitted=bool(row.meta_template_id),
            is_approved=row.status == "APPROVED",
            is_deleted=row.status == "DELETED",
            has_changes=row.draft is not None and bool(row.meta_template_id),
        )


@dataclass(frozen=True)
class EventLine:
    words: str
    actor: str
    at: str
    is_harm: bool

    @classmethod
    def of(cls, line: HistoryLine) -> "EventLine":
        return cls(line.words, line.actor_name, line.created_at.isoformat(), line.is_harm)


class TemplatePage(Form, AppState):
    head: TemplateHead = TemplateHead()
    opened: dict[str, Any] = {"number": 0, "definition": {}}
    problems: list[dict[str, Any]] = []
    saved: dict[str, Any] = {"at": "", "problem": ""}
    siblings: list[VariantLine] = []
    history: list[EventLine] = []
    is_loading: bool = True
    missing: str = ""
    is_copying: bool = False
    is_deleting: bool = False
    deletes_all: bool = False
    _revision: int = 0

    @rx.event
    @access(Permission.TEMPLATES_READ)
    async def load(self) -> None:
        """The template that the address names."""
        await self.watch()
        self.head, self.is_loading, self.missing = TemplateHead(), True, ""
        self.is_copying = self.is_deleting = self.deletes_all = self.is_busy = False
        self.saved = {"at": "", "problem": ""}
        self._clear()
        try:
            await self._open(uuid_of(self.router.url.path.rstrip("/").rpartition("/")[2]))
        except AppError as error:
            self.missing = error.message
        self.is_loading = False

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        """What Meta decides shows at once; what is being written stays."""
        ours = ("template", self.head.id) in changes
        if self.head.id and (ours or ("everything", "") in changes):
            found, _ = await self.attempt(self.call(queries.detail, UUID(self.head.id)))
            if found:
                self._show(found)

    async def _open(self, template_id: UUID) -> None:
        found = await self.call(queries.detail, template_id)
        self._show(found)
        self._revision = found.template.revision
        written = found.definition.model_dump(mode="json")
        self.opened = {"number": self.opened["number"] + 1, "definition": written}

    def _show(self, found: TemplateDetail) -> None:
        self.head = TemplateHead.of(found)
        self._tell(found.problems)
        self.siblings = [
            VariantLine(
                id=str(one.id),
                language=language_words(one.language),
                status=status_words(one.status),
                colour=status_colour(one.status),
                has_draft=one.has_draft,
            )
            for one in found.siblings
        ]
        self.history = [EventLine.of(line) for line in found.history]

    def _tell(self, problems: list[Problem]) -> None:
        self.problems = plain(problems)

    # Writing

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    async def write(self, told: dict[str, Any]) -> None:
        await self._write(told)

    async def _write(self, told: dict[str, Any]) -> bool:
        """Keep what the builder holds. False: it was not kept, and the builder says why."""
        template_id = UUID(self.head.id)
        try:
            definition = definitions.read(dict(told.get("definition") or {}))
            row: Template = await self.call(
                service.write, template_id, definition, revision=self._revision
            )
            self._tell(await self.call(queries.problems, template_id, definition))
        except AppError as error:
            self.saved = {"at": clock.now().isoformat(), "problem": error.message}
            return False
        self._revision = row.revision
        self.saved = {"at": clock.now().isoformat(), "problem": ""}
        return True

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    async def submit(self, told: dict[str, Any]) -> Events:
        self.is_busy, self.problem = True, ""
        yield None
        if await self._write(told):
            yield await self._submit()
        self.is_busy = False

    async def _submit(self) -> EventSpec:
        template_id = UUID(self.head.id)
        try:
            await self.call(service.submit, template_id)
        except AppError as error:
            self.problem = error.message
            self.problems = [
                {"place": place, "message": message} for place, message in error.fields()
            ] or self.problems
            return rx.toast.error(error.message)
        await self._open(template_id)
        return rx.toast.success("Submitted. Meta answers in a few minutes, at times in a day.")

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    async def reload(self) -> None:
        """Take what is kept on the server in place of what stands in the builder."""
        self.saved = {"at": "", "problem": ""}
        await self._open(UUID(self.head.id))

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    async def discard(self) -> EventSpec | None:
        template_id = UUID(self.head.id)
        _, sorry = await self.attempt(self.call(service.discard, template_id))
        if not sorry:
            await self._open(template_id)
        return sorry

    # Copies and the end

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    def begin_copy(self) -> None:
        self._clear()
        self.is_copying = True

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    def close(self) -> None:
        self.is_copying = self.is_deleting = False

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    async def duplicate(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        copying = self.call(
            service.duplicate,
            UUID(self.head.id),
            name=typed(form, "name").strip(),
            language=typed(form, "language"),
        )
        done, made = await self._send(copying)
        if done and made:
            self.is_copying = False
            yield rx.redirect(f"/dashboard/{self._workspace}/templates/{made.id}")

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    def ask_to_delete(self) -> None:
        self._clear()
        self.is_deleting, self.deletes_all = True, False

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    def choose_all(self, is_on: bool) -> None:
        self.deletes_all = is_on

    @rx.event
    @access(Permission.TEMPLATES_MANAGE)
    async def delete(self) -> Events:
        self.is_busy = True
        yield None
        deleting = self.call(service.delete, UUID(self.head.id), all_languages=self.deletes_all)
        _, sorry = await self.attempt(deleting)
        self.is_busy = self.is_deleting = False
        yield sorry or rx.redirect(f"/dashboard/{self._workspace}/templates")
