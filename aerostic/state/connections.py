"""Google accounts that workflows use."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.connections import queries, service
from aerostic.state.base import AppState
from aerostic.state.guard import access
from aerostic.state.lists import Events

STATUS_WORDS = {"connected": "Connected", "needs_attention": "Needs attention"}
SERVICES = ("drive", "sheets")


@dataclass(frozen=True)
class ConnectionLine:
    id: str
    email: str
    name: str
    status: str
    status_words: str
    problem: str
    has_drive: bool
    has_sheets: bool
    since: str
    services: str  # what is asked for when it is connected again

    @classmethod
    def of(cls, row: queries.ConnectionRow) -> "ConnectionLine":
        has = {"drive": row.has_drive, "sheets": row.has_sheets}
        return cls(
            id=str(row.id),
            email=row.email,
            name=row.name,
            status=row.status,
            status_words=STATUS_WORDS.get(row.status, row.status),
            problem=row.problem,
            has_drive=row.has_drive,
            has_sheets=row.has_sheets,
            since=row.created_at.isoformat(),
            services=",".join(one for one in SERVICES if has[one]),
        )


NONE = ConnectionLine("", "", "", "", "", "", False, False, "", "")


class Connections(AppState):
    """`asked`: what the dialog would ask Google for. `closing`: the account that is to be let go."""

    connections: list[ConnectionLine] = []
    is_loading: bool = True
    can_connect: bool = True
    is_choosing: bool = False
    is_closing: bool = False
    asked: list[str] = list(SERVICES)
    closing: ConnectionLine = NONE

    @rx.event
    @access(Permission.WORKSPACE_READ)
    async def load(self) -> None:
        await self._read()

    async def _read(self) -> None:
        """Who may not see them has none."""
        self.connections, self.can_connect = await self.call(_seen)
        self.is_loading = False

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    def choose(self) -> None:
        self.asked, self.is_choosing = list(SERVICES), True

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    def ask_for(self, name: str, wanted: bool) -> None:
        """Tick or untick a service."""
        now = {*self.asked, name} if wanted else {*self.asked} - {name}
        self.asked = [one for one in SERVICES if one in now]

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    async def came_back(self, told: dict[str, Any]) -> Events:
        """The window has closed: `{"done": …, "sentence": …}`, as its page or the browser says."""
        self.is_choosing = False
        await self._read()
        sentence = str(told.get("sentence") or "")[:300]
        if told.get("done") is True:
            yield rx.toast.success(sentence)
        elif sentence:
            yield rx.toast.error(sentence)

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    def close(self) -> None:
        self._close()

    def _close(self) -> None:
        self.is_choosing, self.closing = False, NONE

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    def ask_to_disconnect(self, connection_id: str) -> None:
        self.closing = next((one for one in self.connections if one.id == connection_id), NONE)

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    async def disconnect(self) -> Events:
        self.is_closing = True
        yield None
        going = UUID(self.closing.id)
        done, sorry = await self.attempt(self.call(service.disconnect, going))
        self.is_closing = False
        self._close()
        await self._read()
        yield sorry or _said(done)


def _said(done: service.Disconnected | None) -> EventSpec | None:
    if done is None:
        return None
    if done.is_revoked:
        return rx.toast.success(f"{done.email} is disconnected, and Google knows it.")
    if done.is_shared:
        return rx.toast.success(
            f"{done.email} is disconnected here. Another workspace uses it, so it stays allowed at Google."
        )
    return rx.toast.warning(
        f"{done.email} is disconnected here, but Google did not answer. Take the permission back at "
        "myaccount.google.com/permissions as well.",
        duration=15_000,
    )


def _seen(ctx: Context) -> tuple[list[ConnectionLine], bool]:
    if not ctx.actor.may(Permission.CONNECTIONS_READ):
        return [], False
    lines = [ConnectionLine.of(row) for row in queries.connections(ctx)]
    return lines, queries.can_connect(ctx)
