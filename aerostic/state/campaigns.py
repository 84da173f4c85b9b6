"""The list of campaigns, beside segments and lists."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.domain.campaigns import queries, service
from aerostic.domain.campaigns.schemas import CampaignDraft, CampaignRow
from aerostic.state.audiences import Audiences
from aerostic.state.base import AppState
from aerostic.state.contacts import uuid_of
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access
from aerostic.state.paged import Paged

TABS = ("campaigns", "audiences", "consent")
PAGE = 25
DRAFTS = ("draft",)
STATUS_WORDS = {
    "draft": "Draft",
    "awaiting_approval": "Waits for approval",
    "scheduled": "Scheduled",
    "preparing": "Preparing",
    "running": "Sending",
    "paused": "Paused",
    "done": "Done",
    "cancelled": "Cancelled",
}


@dataclass(frozen=True)
class CampaignLine:
    id: str
    name: str
    status: str
    status_words: str
    template: str
    problem: str
    at: str
    is_draft: bool
    repeats: bool

    @classmethod
    def of(cls, row: CampaignRow) -> "CampaignLine":
        moment = row.launched_at or row.starts_at or row.created_at
        return cls(
            id=str(row.id),
            name=row.name,
            status=row.status,
            status_words=STATUS_WORDS[row.status],
            template=row.template_name,
            problem=row.problem or "",
            at=moment.isoformat(),
            is_draft=row.status in DRAFTS,
            repeats=row.repeats,
        )


class Campaigns(Form, Paged, AppState):
    tab: str = "campaigns"
    rows: list[CampaignLine] = []
    status: str = "all"
    is_loading: bool = True
    is_naming: bool = False

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def load(self) -> None:
        await self.watch()
        asked = str(self.router.url.query_parameters.get("tab", ""))
        self.tab = asked if asked in TABS else "campaigns"
        self.is_naming = False
        self._clear()
        self._from_the_first()
        await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        kinds = {kind for kind, _ in changes}
        if kinds & {"campaign", "everything"} and self.tab == "campaigns":
            await self._read()
        if kinds & {"segment", "list", "import", "everything"} and self.tab == "audiences":
            await self._read()
        if kinds & {"contact", "everything"} and self.tab == "consent":
            await self._read()

    async def _read(self) -> None:
        if self.tab == "campaigns":
            wanted = None if self.status == "all" else self.status
            page = await self.call(
                queries.campaigns, status=wanted, after=self._start(), limit=PAGE
            )
            self.rows = [CampaignLine.of(one) for one in page.items]
            self._shown(page.next_cursor)
            self.is_loading = False
        else:
            audiences = await self.get_state(Audiences)
            await audiences.read()

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def open_tab(self, tab: str) -> EventSpec:
        self.tab = tab if tab in TABS else "campaigns"
        await self._read()
        return rx.call_script(
            f"history.replaceState(history.state, '', location.pathname + '?tab={self.tab}')"
        )

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def show(self, status: str) -> None:
        self.status = status if status in STATUS_WORDS else "all"
        self._from_the_first()
        await self._read()

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read()

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read()

    # A new one ------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def begin(self) -> None:
        self._clear()
        self.is_naming = True

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def close(self) -> None:
        self.is_naming = False

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def create(self, form: dict[str, Any]) -> EventSpec | None:
        self.is_busy = True
        draft = CampaignDraft(typed(form, "name"))
        done, made = await self._send(self.call(service.create, draft))
        if not done or made is None:
            return None
        self.is_naming = False
        return rx.redirect(f"/dashboard/{self._workspace}/campaigns/{made.id}/edit")

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def duplicate(self, campaign_id: str) -> EventSpec | None:
        made, sorry = await self.attempt(self.call(service.duplicate, uuid_of(campaign_id)))
        if made is None:
            return sorry
        return rx.redirect(f"/dashboard/{self._workspace}/campaigns/{made.id}/edit")

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def remove(self, campaign_id: str) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(service.remove, uuid_of(campaign_id)))
        await self._read()
        return sorry
