"""The list of contacts: searched, narrowed by tag, many marked at once."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import Invalid
from aerostic.core.pages import Cursor, Page
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import queries, service
from aerostic.domain.contacts.exporting import ExportFormat
from aerostic.domain.contacts.models import AttributeType
from aerostic.domain.contacts.schemas import (
    AttributeView,
    ContactFilter,
    ContactRow,
    NewContact,
    Selection,
    TagView,
)
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access

PAGE = 50
MOST_ROWS = 200
Events = AsyncIterator[EventSpec | None]


@dataclass(frozen=True)
class TagLine:
    id: str
    name: str
    colour: str

    @classmethod
    def of(cls, tag: TagView) -> "TagLine":
        return cls(str(tag.id), tag.name, tag.colour)


@dataclass(frozen=True)
class FieldLine:
    """A field that the workspace keeps. `choices` is what a list offers."""

    id: str
    key: str
    label: str
    type: str
    choices: list[str]

    @classmethod
    def of(cls, one: AttributeView) -> "FieldLine":
        return cls(str(one.id), one.key, one.label, one.type.value, list(one.choices))


NO_TAG = TagLine("", "", "gray")
NO_FIELD = FieldLine("", "", "", "", [])


@dataclass(frozen=True)
class ContactLine:
    id: str
    name: str
    phone: str
    email: str
    is_blocked: bool
    active_at: str
    tags: list[TagLine]

    @classmethod
    def of(cls, row: ContactRow) -> "ContactLine":
        return cls(
            id=str(row.id),
            name=row.name,
            phone=row.phone_display,
            email=row.email or "",
            is_blocked=row.is_blocked,
            active_at=row.last_activity_at.isoformat(),
            tags=[TagLine.of(tag) for tag in row.tags],
        )


class Contacts(Form, AppState):
    """`selected` are ids on the screen; `is_everything`: all that the filter shows, seen or not."""

    rows: list[ContactLine] = []
    total: str = ""
    has_more: bool = False
    text: str = ""
    tag_id: str = ""
    tags: list[TagLine] = []
    fields: list[FieldLine] = []
    selected: list[str] = []
    is_everything: bool = False
    is_loading: bool = True
    is_adding: bool = False
    is_arranging: bool = False
    leaving_tag: TagLine = NO_TAG
    leaving_field: FieldLine = NO_FIELD
    _after: Cursor | None = None

    @rx.var
    def is_narrowed(self) -> bool:
        return bool(self.text or self.tag_id)

    @rx.var
    def can_load_more(self) -> bool:
        return self.has_more and len(self.rows) < MOST_ROWS

    @rx.var
    def chosen(self) -> str:
        """How many are selected, in words."""
        if self.is_everything:
            return f"All {self.total} selected"
        return f"{len(self.selected)} selected"

    @rx.event
    @access(Permission.CONTACTS_READ)
    async def load(self) -> None:
        await self.watch()
        self.selected, self.is_everything = [], False
        await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if {kind for kind, _ in changes} & {"contact", "everything"}:
            await self._read()

    async def _read(self) -> None:
        shown = max(PAGE, min(len(self.rows), MOST_ROWS))
        page, count, tags, fields = await self.call(_list, self._filter(), shown)
        self.rows = [ContactLine.of(row) for row in page.items]
        self.total = count
        self.tags = [TagLine.of(tag) for tag in tags]
        self.fields = [FieldLine.of(one) for one in fields]
        self._after, self.has_more = page.next_cursor, page.next_cursor is not None
        self.is_loading = False

    def _filter(self) -> ContactFilter:
        return ContactFilter(self.text, (UUID(self.tag_id),) if self.tag_id else ())

    @rx.event
    @access(Permission.CONTACTS_READ)
    async def show_more(self) -> None:
        page = await self.call(queries.contacts, self._filter(), after=self._after)
        self.rows = [*self.rows, *(ContactLine.of(row) for row in page.items)]
        self._after, self.has_more = page.next_cursor, page.next_cursor is not None

    @rx.event
    @access(Permission.CONTACTS_READ)
    async def search(self, text: str) -> None:
        self.text = text.strip()[:500]
        await self._start()

    @rx.event
    @access(Permission.CONTACTS_READ)
    async def choose_tag(self, tag_id: str) -> None:
        self.tag_id = "" if tag_id == "any" else tag_id
        await self._start()

    async def _start(self) -> None:
        self.rows, self.selected, self.is_everything = [], [], False
        await self._read()

    # Many at once ---------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    def toggle(self, contact_id: str) -> None:
        self.is_everything = False
        if contact_id in self.selected:
            self.selected = [one for one in self.selected if one != contact_id]
        else:
            self.selected = [*self.selected, contact_id]

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    def select_shown(self) -> None:
        self.selected = [row.id for row in self.rows]

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    def select_everything(self) -> None:
        self.selected = [row.id for row in self.rows]
        self.is_everything = True

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    def select_nothing(self) -> None:
        self.selected, self.is_everything = [], False

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def tag_selected(self, tag_id: str) -> EventSpec:
        count = await self.call(service.tag_contacts, UUID(tag_id), self._selection())
        return await self._marked(f"{_contacts(count)} got the tag.")

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def untag_selected(self, tag_id: str) -> EventSpec:
        count = await self.call(service.untag_contacts, UUID(tag_id), self._selection())
        return await self._marked(f"{_contacts(count)} lost the tag.")

    def _selection(self) -> Selection:
        if self.is_everything:
            return Selection(everything_in=self._filter())
        return Selection(ids=tuple(UUID(one) for one in self.selected))

    async def _marked(self, words: str) -> EventSpec:
        self.selected, self.is_everything = [], False
        await self._read()
        return rx.toast.success(words)

    # A new person ---------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    def begin_adding(self) -> None:
        self._clear()
        self.is_adding = True

    @rx.event
    @access(Permission.CONTACTS_READ)
    def close(self) -> None:
        self.is_adding, self.is_arranging = False, False

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def create(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        new = NewContact(
            name=typed(form, "name"), phone=typed(form, "phone"), email=typed(form, "email")
        )
        done, contact_id = await self._send(self.call(_create, new))
        if done:
            self.is_adding = False
            await self._read()
            yield rx.redirect(f"/dashboard/{self._workspace}/contacts/{contact_id}")

    # Tags and fields ------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    def begin_arranging(self) -> None:
        self._clear()
        self.is_arranging = True

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def create_tag(self, form: dict[str, Any]) -> None:
        name, colour = typed(form, "tag"), typed(form, "colour") or "gray"
        done, _ = await self._send(self.call(service.create_tag, name, colour=colour))
        if done:
            await self._read()

    @rx.event
    @access(Permission.CONTACTS_READ)
    def keep(self) -> None:
        self.leaving_tag, self.leaving_field = NO_TAG, NO_FIELD

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    def ask_to_delete_tag(self, tag_id: str) -> None:
        self.leaving_tag = next((one for one in self.tags if one.id == tag_id), NO_TAG)

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def delete_tag(self) -> None:
        tag_id, self.leaving_tag = self.leaving_tag.id, NO_TAG
        await self.call(service.delete_tag, UUID(tag_id))
        self.tag_id = "" if tag_id == self.tag_id else self.tag_id
        await self._read()

    @rx.event
    @access(Permission.INBOX_MANAGE)
    async def define_field(self, form: dict[str, Any]) -> None:
        kind = AttributeType(typed(form, "type") or AttributeType.TEXT)
        choices = [one for one in typed(form, "choices").split(",") if one.strip()]
        work = self.call(service.define_attribute, typed(form, "label"), kind, choices=choices)
        done, _ = await self._send(work)
        if done:
            await self._read()

    @rx.event
    @access(Permission.INBOX_MANAGE)
    def ask_to_delete_field(self, field_id: str) -> None:
        self.leaving_field = next((one for one in self.fields if one.id == field_id), NO_FIELD)

    @rx.event
    @access(Permission.INBOX_MANAGE)
    async def delete_field(self) -> None:
        field_id, self.leaving_field = self.leaving_field.id, NO_FIELD
        await self.call(service.delete_attribute, UUID(field_id))
        await self._read()

    @rx.event
    @access(Permission.CONTACTS_EXPORT)
    def export(self, kind: str) -> EventSpec:
        """Let the browser fetch what the filter shows as a file."""
        asked = {"format": ExportFormat(kind).value, "text": self.text}
        if self.tag_id:
            asked["tag_id"] = self.tag_id
        path = f"/api/v1/contacts/export?{urlencode(asked)}"
        return download(path, self._workspace, Contacts.downloaded)

    @rx.event
    @access(Permission.CONTACTS_EXPORT)
    def downloaded(self, answer: dict[str, Any]) -> EventSpec | None:
        """The browser has fetched a file, or was refused it."""
        return failed_download(answer)


def download(path: str, workspace: str, heard: Any) -> EventSpec:
    """Fetch a file with the workspace named, which a plain link can not do."""
    script = f"window.aerosticContacts.download({json.dumps(path)}, {json.dumps(workspace)})"
    return rx.call_script(script, callback=heard)


def failed_download(answer: dict[str, Any]) -> EventSpec | None:
    """Why a file did not come, from what the server said."""
    if answer.get("ok"):
        return None
    detail = str(answer.get("detail") or "The file could not be fetched. Please try again.")
    return rx.toast.error(detail)


def _list(
    ctx: Context, wanted: ContactFilter, shown: int
) -> tuple[Page[ContactRow], str, list[TagView], list[AttributeView]]:
    return (
        queries.contacts(ctx, wanted, limit=shown),
        queries.count(ctx, wanted).in_words(),
        queries.tags(ctx),
        queries.attributes(ctx),
    )


def _create(ctx: Context, new: NewContact) -> UUID:
    return service.create(ctx, new).id


def _contacts(count: int) -> str:
    return "1 contact" if count == 1 else f"{count:,} contacts"


def uuid_of(text: str) -> UUID:
    """An id of an address. Raises Invalid for what is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(
            "id", "That address leads nowhere. Open the contact from the list."
        ) from error
