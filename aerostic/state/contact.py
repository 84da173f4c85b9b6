"""One contact, with all that is known of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import AppError
from aerostic.core.pages import Cursor
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.channels import queries as channels
from aerostic.domain.contacts import queries, service
from aerostic.domain.contacts.schemas import (
    AttributeView,
    ContactChanges,
    ContactDetail,
    ContactFilter,
    Selection,
)
from aerostic.domain.dossier import queries as dossiers
from aerostic.domain.dossier import service as dossier
from aerostic.domain.dossier.choosing import Difference as Said
from aerostic.domain.dossier.queries import TimelineItem
from aerostic.domain.inbox import queries as inbox
from aerostic.domain.inbox import service as inbox_service
from aerostic.domain.inbox.schemas import ConversationFilter, ConversationRow
from aerostic.state.base import AppState
from aerostic.state.contacts import TagLine, uuid_of
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access

Events = AsyncIterator[EventSpec | None]
ERASE = "erase"


@dataclass(frozen=True)
class Value:
    """A field of the workspace and what it holds for this person, as text."""

    key: str
    label: str
    type: str
    choices: list[str]
    value: str

    @classmethod
    def of(cls, one: AttributeView, value: object) -> "Value":
        shown = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else value
        text = "" if shown is None else str(shown)
        return cls(one.key, one.label, one.type.value, list(one.choices), text)


@dataclass(frozen=True)
class Person:
    id: str = ""
    name: str = ""
    given_name: str = ""
    profile_name: str = ""
    phone: str = ""
    email: str = ""
    language: str = ""
    country: str = ""
    is_blocked: bool = False
    wants_no_marketing: bool = False
    revision: int = 0
    created_at: str = ""
    last_inbound_at: str = ""

    @classmethod
    def of(cls, detail: ContactDetail) -> "Person":
        return cls(
            id=str(detail.id),
            name=detail.display_name,
            given_name=detail.name,
            profile_name=detail.profile_name,
            phone=detail.phone_display,
            email=detail.email or "",
            language=detail.language or "",
            country=detail.country or "",
            is_blocked=detail.is_blocked,
            wants_no_marketing=detail.marketing_stopped_at is not None,
            revision=detail.revision,
            created_at=detail.created_at.isoformat(),
            last_inbound_at=detail.last_inbound_at.isoformat() if detail.last_inbound_at else "",
        )


@dataclass(frozen=True)
class Talk:
    """A conversation of the person with one of our numbers."""

    id: str
    number: str
    preview: str
    status: str
    unread: int
    at: str

    @classmethod
    def of(cls, row: ConversationRow) -> "Talk":
        return cls(
            str(row.id),
            row.number_name,
            row.preview,
            row.status.value,
            row.unread_count,
            row.last_message_at.isoformat(),
        )


@dataclass(frozen=True)
class Happening:
    id: str
    text: str
    is_note: bool
    actor: str
    at: str
    conversation_id: str

    @classmethod
    def of(cls, item: TimelineItem) -> "Happening":
        return cls(
            str(item.id),
            item.text,
            item.is_note,
            item.actor_name,
            item.occurred_at.isoformat(),
            str(item.conversation_id or ""),
        )


@dataclass(frozen=True)
class Choice:
    id: str
    name: str
    note: str


NO_CHOICE = Choice("", "", "")


@dataclass(frozen=True)
class Difference:
    """A field of which this contact and the one to be merged say different things."""

    field: str
    label: str
    ours: str
    theirs: str

    @classmethod
    def of(cls, one: Said) -> "Difference":
        return cls(one.field, one.label, one.ours, one.theirs)


class ContactPage(Form, AppState):
    person: Person = Person()
    values: list[Value] = []
    tags: list[TagLine] = []
    other_tags: list[TagLine] = []
    talks: list[Talk] = []
    happenings: list[Happening] = []
    numbers: list[Choice] = []
    found: list[Choice] = []
    other: Choice = NO_CHOICE
    differences: list[Difference] = []
    taken: list[str] = []
    is_loading: bool = True
    has_more: bool = False
    missing: str = ""
    dialog: str = ""
    _after: Cursor | None = None

    @rx.event
    @access(Permission.CONTACTS_READ)
    async def load(self) -> None:
        """The person whom the address names."""
        await self.watch()
        self.dialog, self.missing, self.is_loading, self.person = "", "", True, Person()
        try:
            await self._read(uuid_of(self.router.url.path.rstrip("/").rpartition("/")[2]))
        except AppError as error:
            self.missing = error.message
        self.is_loading = False

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if self.person.id and {kind for kind, _ in changes} & {
            "contact",
            "conversation",
            "everything",
        }:
            try:
                await self._read(UUID(self.person.id))
            except AppError as error:
                self.missing = error.message

    async def _read(self, contact_id: UUID) -> None:
        around = await self.call(_around, contact_id)
        detail = around.detail
        self.person = Person.of(detail)
        self.values = [Value.of(one, detail.attributes.get(one.key)) for one in around.fields]
        self.tags = [TagLine.of(tag) for tag in detail.tags]
        carried = {tag.id for tag in detail.tags}
        self.other_tags = [TagLine.of(tag) for tag in around.tags if tag.id not in carried]
        self.talks = [Talk.of(row) for row in around.talks]
        self.happenings = [Happening.of(item) for item in around.timeline.items]
        self._after = around.timeline.next_cursor
        self.has_more = self._after is not None
        self.numbers = around.numbers

    @rx.event
    @access(Permission.CONTACTS_READ)
    async def show_more(self) -> None:
        page = await self.call(dossiers.timeline, UUID(self.person.id), after=self._after)
        self.happenings = [*self.happenings, *(Happening.of(item) for item in page.items)]
        self._after, self.has_more = page.next_cursor, page.next_cursor is not None

    # Changing -------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CONTACTS_READ)
    def open_dialog(self, name: str) -> None:
        self._clear()
        self.dialog, self.found, self.other = name, [], NO_CHOICE

    @rx.event
    @access(Permission.CONTACTS_READ)
    def close(self) -> None:
        self.dialog = ""

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def save(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        changes = ContactChanges(
            name=typed(form, "name"),
            phone=typed(form, "phone"),
            email=typed(form, "email"),
            language=typed(form, "language"),
            country=typed(form, "country"),
            attributes={one.key: _given(form, one.key) for one in self.values},
        )
        person = self.person
        done, _ = await self._send(
            self.call(service.edit, UUID(person.id), changes, revision=person.revision)
        )
        if done:
            self.dialog = ""
            await self._read(UUID(person.id))

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def add_tag(self, tag_id: str) -> None:
        chosen = Selection(ids=(UUID(self.person.id),))
        await self.call(service.tag_contacts, UUID(tag_id), chosen)
        await self._read(UUID(self.person.id))

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def remove_tag(self, tag_id: str) -> None:
        chosen = Selection(ids=(UUID(self.person.id),))
        await self.call(service.untag_contacts, UUID(tag_id), chosen)
        await self._read(UUID(self.person.id))

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def toggle_block(self) -> EventSpec:
        act = dossier.unblock if self.person.is_blocked else dossier.block
        await self.call(act, UUID(self.person.id))
        await self._read(UUID(self.person.id))
        done = "unblocked."
        if self.person.is_blocked:
            done = "blocked. Nothing is sent to them; what they write still comes in."
        return rx.toast.success(f"{self.person.name} is {done}")

    # Writing to them ------------------------------------------------------------------------------

    @rx.event
    @access(Permission.INBOX_REPLY)
    async def write(self, number_id: str) -> EventSpec:
        """Open the conversation with one of our numbers, made if there is none."""
        work = self.call(_start_conversation, UUID(self.person.id), UUID(number_id))
        conversation_id = await work
        return rx.redirect(f"/dashboard/{self._workspace}/inbox?c={conversation_id}")

    # Merging and erasing --------------------------------------------------------------------------

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def find_others(self, text: str) -> None:
        if not text.strip():
            self.found = []
            return
        page = await self.call(queries.contacts, ContactFilter(text.strip()[:500]), limit=8)
        self.found = [
            Choice(str(row.id), row.name, row.phone_display or row.email or "")
            for row in page.items
            if str(row.id) != self.person.id
        ]

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def choose_other(self, contact_id: str) -> None:
        other = next((one for one in self.found if one.id == contact_id), NO_CHOICE)
        work = self.call(dossiers.differences, UUID(self.person.id), uuid_of(other.id))
        self.differences = [Difference.of(one) for one in await work]
        self.other, self.taken = other, []

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    def choose_for(self, field: str, side: str) -> None:
        """Whose word stays in a field of which both say something: `this` or `other`."""
        others = [one for one in self.taken if one != field]
        self.taken = [*others, field] if side == "other" else others

    @rx.event
    @access(Permission.CONTACTS_WRITE)
    async def merge(self) -> EventSpec:
        other, take = self.other, list(self.taken)
        self.dialog = ""
        await self.call(dossier.merge, UUID(self.person.id), UUID(other.id), take=take)
        await self._read(UUID(self.person.id))
        return rx.toast.success(f"{other.name} is a part of this contact now.")

    @rx.event
    @access(Permission.CONTACTS_ERASE)
    async def erase(self, form: dict[str, Any]) -> EventSpec | None:
        if typed(form, "typed").strip().lower() != ERASE:
            self.errors = {"typed": f"Type {ERASE} to confirm."}
            return None
        await self.call(dossier.erase, UUID(self.person.id))
        self.dialog = ""
        return rx.redirect(f"/dashboard/{self._workspace}/contacts")


@dataclass(frozen=True, slots=True)
class _Around:
    detail: ContactDetail
    fields: list[AttributeView]
    tags: list[Any]
    talks: list[ConversationRow]
    timeline: Any
    numbers: list[Choice]


def _around(ctx: Context, contact_id: UUID) -> _Around:
    detail = queries.contact(ctx, contact_id)
    theirs = ConversationFilter(status=None, contact_id=detail.id)
    return _Around(
        detail,
        queries.attributes(ctx),
        queries.tags(ctx),
        inbox.conversations(ctx, theirs, limit=50).items,
        dossiers.timeline(ctx, detail.id),
        [
            Choice(
                str(one.id), one.verified_name or one.display_phone_number, one.display_phone_number
            )
            for one in channels.numbers(ctx)
        ],
    )


def _given(form: dict[str, Any], key: str) -> str | None:
    """What a field of the form holds; a list says `none` where nothing is chosen."""
    value = typed(form, f"attributes.{key}")
    return None if value in ("", "none") else value


def _start_conversation(ctx: Context, contact_id: UUID, number_id: UUID) -> UUID:
    return inbox_service.start_conversation(ctx, contact_id, number_id).id
