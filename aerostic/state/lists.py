"""What a workspace keeps at hand for its inbox: labels, and ready answers."""

from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.domain.inbox import queries, service
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access

Events = AsyncIterator[EventSpec | None]


@dataclass(frozen=True)
class LabelLine:
    id: str
    name: str
    colour: str


@dataclass(frozen=True)
class ReplyLine:
    id: str
    shortcut: str
    text: str


NO_LABEL = LabelLine("", "", "green")
NO_REPLY = ReplyLine("", "", "")


class Lines(Form, mixin=True):
    """A list whose lines are made and changed in a dialog."""

    is_loading: bool = True
    is_editing: bool = False

    async def _saved(self, saving: Coroutine[Any, Any, object]) -> None:
        """The dialog closes once it is done; what is refused stays in it."""
        done, _ = await self._send(saving)
        if done:
            self.is_editing = False
            await self._read()

    async def _read(self) -> None:
        raise NotImplementedError


class Labels(Lines, AppState):
    """`editing` is the label in the dialog: without an id it is a new one."""

    labels: list[LabelLine] = []
    editing: LabelLine = NO_LABEL
    deleting: LabelLine = NO_LABEL

    @rx.event
    @access(Permission.INBOX_READ)
    async def load(self) -> None:
        await self._read()

    async def _read(self) -> None:
        rows = await self.call(queries.labels)
        self.labels = [LabelLine(str(row.id), row.name, row.colour) for row in rows]
        self.is_loading = False

    @rx.event
    @access(Permission.INBOX_MANAGE)
    def edit(self, label_id: str) -> None:
        self._clear()
        self.editing = self._label(label_id)
        self.is_editing = True

    @rx.event
    @access(Permission.INBOX_READ)
    def close(self) -> None:
        self._close()

    def _close(self) -> None:
        self.is_editing, self.deleting = False, NO_LABEL

    @rx.event
    @access(Permission.INBOX_MANAGE)
    async def save(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        name, colour = typed(form, "name"), typed(form, "colour")
        if self.editing.id:
            saving = self.call(
                service.change_label, UUID(self.editing.id), name=name, colour=colour
            )
        else:
            saving = self.call(service.create_label, name, colour)
        await self._saved(saving)

    @rx.event
    @access(Permission.INBOX_MANAGE)
    def ask_to_delete(self, label_id: str) -> None:
        self.deleting = self._label(label_id)

    @rx.event
    @access(Permission.INBOX_MANAGE)
    async def delete(self) -> EventSpec:
        gone = self.deleting
        self._close()
        await self.call(service.delete_label, UUID(gone.id))
        await self._read()
        return rx.toast.success(f"The label “{gone.name}” is gone.")

    def _label(self, label_id: str) -> LabelLine:
        return next((one for one in self.labels if one.id == label_id), NO_LABEL)


class Replies(Lines, AppState):
    """`editing` is the reply in the dialog: without an id it is a new one."""

    replies: list[ReplyLine] = []
    editing: ReplyLine = NO_REPLY
    deleting: ReplyLine = NO_REPLY

    @rx.event
    @access(Permission.INBOX_READ)
    async def load(self) -> None:
        await self._read()

    async def _read(self) -> None:
        rows = await self.call(queries.canned_replies)
        self.replies = [ReplyLine(str(row.id), row.shortcut, row.text) for row in rows]
        self.is_loading = False

    @rx.event
    @access(Permission.INBOX_MANAGE)
    def edit(self, reply_id: str) -> None:
        self._clear()
        self.editing = self._reply(reply_id)
        self.is_editing = True

    @rx.event
    @access(Permission.INBOX_READ)
    def close(self) -> None:
        self._close()

    def _close(self) -> None:
        self.is_editing, self.deleting = False, NO_REPLY

    @rx.event
    @access(Permission.INBOX_MANAGE)
    async def save(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        shortcut, text = typed(form, "shortcut"), typed(form, "text")
        if self.editing.id:
            saving = self.call(
                service.change_canned_reply, UUID(self.editing.id), shortcut=shortcut, text=text
            )
        else:
            saving = self.call(service.create_canned_reply, shortcut, text)
        await self._saved(saving)

    @rx.event
    @access(Permission.INBOX_MANAGE)
    def ask_to_delete(self, reply_id: str) -> None:
        self.deleting = self._reply(reply_id)

    @rx.event
    @access(Permission.INBOX_MANAGE)
    async def delete(self) -> EventSpec:
        gone = self.deleting
        self._close()
        await self.call(service.delete_canned_reply, UUID(gone.id))
        await self._read()
        return rx.toast.success(f"/{gone.shortcut} is gone.")

    def _reply(self, reply_id: str) -> ReplyLine:
        return next((one for one in self.replies if one.id == reply_id), NO_REPLY)
