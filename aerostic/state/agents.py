"""AI agents: the list of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.ai import queries, service
from aerostic.domain.ai.models import LOCAL
from aerostic.domain.ai.queries import AgentRow
from aerostic.domain.ai.service import AgentDraft
from aerostic.domain.ai.turns import dollars
from aerostic.state.base import AppState
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access

MODEL_WORDS = {
    "gemini-3.5-flash-lite": "Gemini 3.5 Flash-Lite",
    "gemini-3.8-flash": "Gemini 3.8 Flash",
    "gemini-2.5-flash": "Gemini 2.5 Flash (until 1 December 2026)",
    "gemini-2.5-flash-lite": "Gemini 2.5 Flash-Lite",
    "gemini-2.5-pro": "Gemini 2.5 Pro (until 1 December 2026)",
    LOCAL: "Local answers",
}


@dataclass(frozen=True)
class AgentLine:
    id: str
    name: str
    model: str
    is_answering: bool
    turns: str
    tokens: str
    cost: str
    updated_at: str

    @classmethod
    def of(cls, row: AgentRow) -> "AgentLine":
        return cls(
            id=str(row.id),
            name=row.name,
            model=MODEL_WORDS.get(row.model, row.model),
            is_answering=row.is_answering,
            turns=f"{row.turns_today:,}",
            tokens=f"{row.tokens_today:,}",
            cost=dollars(row.cost_today_micros),
            updated_at=row.updated_at.isoformat(),
        )


class Agents(Form, AppState):
    agents: list[AgentLine] = []
    has_key: bool = True
    is_loading: bool = True
    is_creating: bool = False

    @rx.event
    @access(Permission.AI_READ)
    async def load(self) -> None:
        await self.watch()
        self.is_creating = False
        await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if {kind for kind, _ in changes} & {"agent", "everything"}:
            await self._read()

    async def _read(self) -> None:
        rows, self.has_key = await self.call(_listed)
        self.agents = [AgentLine.of(row) for row in rows]
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
    async def create(self, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        self.is_busy = True
        yield None
        draft = AgentDraft(name=typed(form, "name"), persona=typed(form, "persona"))
        done, made = await self._send(self.call(_created, draft))
        if done:
            self.is_creating = False
            yield rx.redirect(f"/dashboard/{self._workspace}/ai/{made}")


def _listed(ctx: Context) -> tuple[list[AgentRow], bool]:
    return queries.agents(ctx), queries.has_key(ctx)


def _created(ctx: Context, draft: AgentDraft) -> str:
    return str(service.create_agent(ctx, draft).id)
