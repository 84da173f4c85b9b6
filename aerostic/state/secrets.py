"""Secrets that workflows use. What is shown of one is never its value."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.vault import queries, service
from aerostic.state.base import AppState
from aerostic.state.forms import typed
from aerostic.state.guard import access
from aerostic.state.lists import Events, Lines


@dataclass(frozen=True)
class SecretLine:
    id: str
    name: str
    hosts: str
    changed_at: str
    used_at: str


NO_SECRET = SecretLine("", "", "", "", "")


class Secrets(Lines, AppState):
    """`editing` is the secret in the dialog: without an id it is a new one."""

    secrets: list[SecretLine] = []
    editing: SecretLine = NO_SECRET
    deleting: SecretLine = NO_SECRET

    @rx.event
    @access(Permission.WORKSPACE_READ)
    async def load(self) -> None:
        await self._read()

    async def _read(self) -> None:
        """Who may not see them has none."""
        self.secrets = await self.call(_lines)
        self.is_loading = False

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    def edit(self, secret_id: str) -> None:
        self._clear()
        self.editing = self._secret(secret_id)
        self.is_editing = True

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    def close(self) -> None:
        self._close()

    def _close(self) -> None:
        self.is_editing, self.deleting = False, NO_SECRET

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    async def save(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        await self._saved(self.call(_save, self.editing.id, form))

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    def ask_to_delete(self, secret_id: str) -> None:
        self.deleting = self._secret(secret_id)

    @rx.event
    @access(Permission.CONNECTIONS_MANAGE)
    async def delete(self) -> EventSpec:
        gone = self.deleting
        self._close()
        await self.call(service.delete, UUID(gone.id))
        await self._read()
        return rx.toast.success(f"The secret “{gone.name}” is gone.")

    def _secret(self, secret_id: str) -> SecretLine:
        return next((one for one in self.secrets if one.id == secret_id), NO_SECRET)


def _lines(ctx: Context) -> list[SecretLine]:
    if not ctx.actor.may(Permission.CONNECTIONS_READ):
        return []
    return [
        SecretLine(
            str(row.id),
            row.name,
            ", ".join(row.hosts),
            row.changed_at.isoformat(),
            row.used_at.isoformat() if row.used_at else "",
        )
        for row in queries.secrets(ctx)
    ]


def _save(ctx: Context, secret_id: str, form: dict[str, Any]) -> None:
    """A secret that is there keeps its value where none is typed."""
    name, value = typed(form, "name"), typed(form, "value")
    hosts = typed(form, "hosts").replace(",", " ").split()
    if not secret_id:
        service.create(ctx, name, value, hosts=hosts)
        return
    given = value if value.strip() else service.KEEP
    service.change(ctx, UUID(secret_id), name=name, value=given, hosts=hosts)
