"""Endpoints of other programs, and the log of what they were told."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.webhooks_out import events, queries, service
from aerostic.state.base import AppState
from aerostic.state.forms import typed
from aerostic.state.guard import access
from aerostic.state.lists import Events, Lines

STATUS_WORDS = {"active": "Active", "paused": "Paused", "disabled": "Switched off"}
SENT_WORDS = {"pending": "Waiting", "delivered": "Delivered", "failed": "Failed"}
EVENT_PREFIX = "event:"  # of the tick boxes' names
TITLES = {str(one.name): one.title for one in events.CATALOGUE} | {events.TEST: "Test"}
PAGE = 25


@dataclass(frozen=True)
class EventChoice:
    """Something that can be told of, as the dialog offers it."""

    name: str
    title: str
    when: str


CHOICES = [EventChoice(str(one.name), one.title, one.when) for one in events.CATALOGUE]


@dataclass(frozen=True)
class EndpointLine:
    id: str
    url: str
    description: str
    events: list[str]
    event_titles: str
    status: str
    status_words: str
    problem: str
    failing_since: str
    succeeded_at: str
    both_until: str
    waiting: int

    @classmethod
    def of(cls, row: queries.EndpointRow) -> "EndpointLine":
        return cls(
            id=str(row.id),
            url=row.url,
            description=row.description,
            events=list(row.events),
            event_titles=", ".join(TITLES.get(one, one) for one in row.events),
            status=row.status,
            status_words=STATUS_WORDS.get(row.status, row.status),
            problem=row.problem,
            failing_since=row.failing_since.isoformat() if row.failing_since else "",
            succeeded_at=row.succeeded_at.isoformat() if row.succeeded_at else "",
            both_until=row.both_secrets_until.isoformat() if row.both_secrets_until else "",
            waiting=row.waiting,
        )


@dataclass(frozen=True)
class SentLine:
    """An event in the log."""

    id: str
    title: str
    event: str
    status: str
    status_words: str
    tries: int
    answer: str
    at: str
    is_replay: bool

    @classmethod
    def of(cls, row: queries.DispatchRow) -> "SentLine":
        return cls(
            id=str(row.id),
            title=TITLES.get(row.event, row.event),
            event=row.event,
            status=row.status,
            status_words=SENT_WORDS.get(row.status, row.status),
            tries=row.tries,
            answer=row.problem or (f"It answered {row.last_status}." if row.last_status else ""),
            at=row.created_at.isoformat(),
            is_replay=row.is_replay,
        )


@dataclass(frozen=True)
class TryLine:
    at: str
    words: str
    milliseconds: int
    headers: str
    answer: str

    @classmethod
    def of(cls, row: queries.TryRow) -> "TryLine":
        return cls(
            at=row.at.isoformat(),
            words=row.problem or f"It answered {row.status}.",
            milliseconds=row.milliseconds,
            headers=row.request_headers,
            answer=row.answer,
        )


NO_ENDPOINT = EndpointLine("", "", "", [], "", "", "", "", "", "", "", 0)
NO_ENTRY = SentLine("", "", "", "", "", 0, "", "", False)


class Webhooks(Lines, AppState):
    """`editing`: in the dialog, without an id a new one. `logged`: whose log is open."""

    endpoints: list[EndpointLine] = []
    choices: list[EventChoice] = CHOICES
    editing: EndpointLine = NO_ENDPOINT
    deleting: EndpointLine = NO_ENDPOINT
    rotating: EndpointLine = NO_ENDPOINT
    logged: EndpointLine = NO_ENDPOINT
    secret: str = ""
    log: list[SentLine] = []
    has_more: bool = False
    entry: SentLine = NO_ENTRY
    body: str = ""
    tries: list[TryLine] = []
    _shown: int = PAGE

    @rx.event
    @access(Permission.WORKSPACE_READ)
    async def load(self) -> None:
        self._close()
        await self._read()

    async def _read(self) -> None:
        """Who may not see them has none."""
        self.endpoints = await self.call(_lines)
        self.is_loading = False
        if self.logged.id:
            self.logged = self._endpoint(self.logged.id)
            await self._read_log()

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    def edit(self, endpoint_id: str) -> None:
        self._clear()
        self.editing = self._endpoint(endpoint_id)
        self.is_editing = True

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    def close(self) -> None:
        self._close()

    def _close(self) -> None:
        self.is_editing, self.secret = False, ""
        self.deleting = self.rotating = NO_ENDPOINT
        self._close_log()

    def _close_log(self) -> None:
        self.logged, self.log, self.has_more = NO_ENDPOINT, [], False
        self.entry, self.body, self.tries = NO_ENTRY, "", []

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def save(self, form: dict[str, Any]) -> Events:
        """A new one shows its secret, this once."""
        self.is_busy = True
        yield None
        done, secret = await self._send(self.call(_save, self.editing.id, form))
        if done:
            self.is_editing, self.secret = False, secret or ""
            await self._read()

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def switch(self, endpoint_id: str, is_on: bool) -> EventSpec | None:
        """Pause it, or go on."""
        act = service.go_on if is_on else service.pause
        _, sorry = await self.attempt(self.call(act, UUID(endpoint_id)))
        await self._read()
        return sorry

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def send_test(self, endpoint_id: str) -> EventSpec:
        _, sorry = await self.attempt(self.call(service.send_test, UUID(endpoint_id)))
        await self._read()
        return sorry or rx.toast.success("A test is on its way. The log shows how it went.")

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    def ask_to_rotate(self, endpoint_id: str) -> None:
        self.rotating = self._endpoint(endpoint_id)

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def rotate(self) -> EventSpec | None:
        made, sorry = await self.attempt(self.call(service.rotate_secret, UUID(self.rotating.id)))
        self.rotating = NO_ENDPOINT
        self.secret = made.secret if made else ""
        await self._read()
        return sorry

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    def ask_to_delete(self, endpoint_id: str) -> None:
        self.deleting = self._endpoint(endpoint_id)

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def delete(self) -> EventSpec:
        gone = UUID(self.deleting.id)
        self._close()
        _, sorry = await self.attempt(self.call(service.delete, gone))
        await self._read()
        return sorry or rx.toast.success("The endpoint is gone.")

    # The log

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def open_log(self, endpoint_id: str) -> None:
        self._close()
        self.logged, self._shown = self._endpoint(endpoint_id), PAGE
        await self._read_log()

    async def _read_log(self) -> None:
        if not self.logged.id:
            return
        page = await self.call(queries.dispatches, UUID(self.logged.id), limit=self._shown)
        self.log = [SentLine.of(row) for row in page.items]
        self.has_more = page.next_cursor is not None and self._shown < 2 * PAGE
        if self.entry.id:
            await self._read_entry(self.entry.id)

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def show_more(self) -> None:
        self._shown = 2 * PAGE
        await self._read_log()

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def open_entry(self, dispatch_id: str) -> None:
        await self._read_entry(dispatch_id)

    async def _read_entry(self, dispatch_id: str) -> None:
        view = await self.call(queries.dispatch, UUID(dispatch_id))
        self.entry, self.body = SentLine.of(view.row), view.body
        self.tries = [TryLine.of(one) for one in view.tries]

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    def close_entry(self) -> None:
        self.entry, self.body, self.tries = NO_ENTRY, "", []

    @rx.event
    @access(Permission.WEBHOOKS_MANAGE)
    async def send_again(self, dispatch_id: str) -> EventSpec:
        _, sorry = await self.attempt(self.call(service.send_again, UUID(dispatch_id)))
        self.entry, self.body, self.tries = NO_ENTRY, "", []
        await self._read_log()
        return sorry or rx.toast.success("It is on its way again.")

    def _endpoint(self, endpoint_id: str) -> EndpointLine:
        return next((one for one in self.endpoints if one.id == endpoint_id), NO_ENDPOINT)


def _lines(ctx: Context) -> list[EndpointLine]:
    if not ctx.actor.may(Permission.WEBHOOKS_MANAGE):
        return []
    return [EndpointLine.of(row) for row in queries.endpoints(ctx)]


def _save(ctx: Context, endpoint_id: str, form: dict[str, Any]) -> str:
    """The secret of a new one; nothing for one that is there."""
    url, description = typed(form, "url"), typed(form, "description")
    wanted = [
        name.removeprefix(EVENT_PREFIX)
        for name, value in form.items()
        if name.startswith(EVENT_PREFIX) and value
    ]
    if not endpoint_id:
        return service.create(ctx, url, wanted, description=description).secret
    service.change(ctx, UUID(endpoint_id), url=url, wanted=wanted, description=description)
    return ""
