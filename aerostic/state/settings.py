"""The settings page: which part is open, and the workspace's own name and region."""

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.domain.tenants import queries, service
from aerostic.state.base import AppState
from aerostic.state.connections import Connections
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access
from aerostic.state.lists import Labels, Replies
from aerostic.state.numbers import Numbers
from aerostic.state.secrets import Secrets
from aerostic.state.webhooks import Webhooks

TABS = (
    "numbers",
    "workspace",
    "labels",
    "replies",
    "consent",
    "secrets",
    "connections",
    "webhooks",
    "profile",
)


class Settings(Form, AppState):
    tab: str = "numbers"
    name: str = ""
    time_zone: str = ""
    default_country: str = ""

    @rx.event
    @access(Permission.WORKSPACE_READ)
    async def load(self) -> None:
        await self.watch()
        wanted = str(self.router.url.query_parameters.get("tab", ""))
        self.tab = wanted if wanted in TABS else "numbers"
        self._clear()
        await self._read()

    @rx.event
    @access(Permission.WORKSPACE_READ)
    def open_tab(self, tab: str) -> None:
        self.tab = tab if tab in TABS else "numbers"

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        """Each part that is concerned reads again."""
        kinds = {kind for kind, _ in changes}
        if kinds & {"number", "everything"}:
            await (await self.get_state(Numbers))._read()
        if kinds & {"label", "everything"}:
            await (await self.get_state(Labels))._read()
        if kinds & {"canned_reply", "everything"}:
            await (await self.get_state(Replies))._read()
        if kinds & {"secret", "everything"}:
            await (await self.get_state(Secrets))._read()
        if kinds & {"connection", "everything"}:
            await (await self.get_state(Connections))._read()
        if kinds & {"webhook_endpoint", "everything"}:
            await (await self.get_state(Webhooks))._read()

    async def _read(self) -> None:
        row = await self.call(queries.workspace)
        self.name, self.time_zone = row.name, row.time_zone
        self.default_country = row.default_country

    @rx.event
    @access(Permission.WORKSPACE_MANAGE)
    async def save(self, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        self.is_busy = True
        yield None
        done, _ = await self._send(self.call(_save, form))
        if done:
            await self._read()
            yield rx.toast.success("Saved.")


def _save(ctx: Any, form: dict[str, Any]) -> None:
    service.rename(ctx, typed(form, "name"))
    service.set_region(
        ctx,
        time_zone=typed(form, "time_zone").strip(),
        default_country=typed(form, "default_country").strip().upper(),
    )
