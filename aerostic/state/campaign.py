"""One campaign on its way: how far it has come, why some did not get it, and what can be done."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core import clock, money
from aerostic.core.errors import AppError
from aerostic.core.pages import Cursor
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import queries as audiences
from aerostic.domain.billing import wallets
from aerostic.domain.campaigns import queries, service
from aerostic.domain.campaigns.schemas import (
    CampaignView,
    EventRow,
    Funnel,
    PlanView,
    ReasonCount,
    RecipientRow,
    VariantFunnel,
)
from aerostic.domain.contacts import phones
from aerostic.domain.templates import queries as templates
from aerostic.state.base import AppState
from aerostic.state.campaigns import STATUS_WORDS
from aerostic.state.contacts import download, failed_download, uuid_of
from aerostic.state.guard import access
from aerostic.state.paged import Paged

PAGE = 25
STATE_WORDS = {
    "pending": "Waits",
    "queued": "In the queue",
    "sent": "Sent",
    "delivered": "Delivered",
    "read": "Read",
    "failed": "Failed",
    "unknown": "Not known",
    "skipped": "Left out",
    "cancelled": "Taken back",
}
REST = timedelta(seconds=1.5)


@dataclass(frozen=True)
class Stage:
    """A bar of the funnel."""

    label: str
    number: str
    percent: int
    share: str


@dataclass(frozen=True)
class ReasonLine:
    state: str
    reason: str
    words: str
    number: str


@dataclass(frozen=True)
class RecipientLine:
    id: str
    name: str
    phone: str
    state: str
    state_words: str
    why: str
    cost: str
    at: str
    replied: bool


@dataclass(frozen=True)
class TextLine:
    name: str
    sent: str
    read: str
    replied: str


@dataclass(frozen=True)
class EventLine:
    words: str
    by: str
    at: str


@dataclass(frozen=True)
class Head:
    """What the campaign is, in words."""

    id: str = ""
    name: str = ""
    status: str = ""
    status_words: str = ""
    problem: str = ""
    template: str = ""
    audience: str = ""
    by: str = ""
    starts_at: str = ""
    launched_at: str = ""
    finished_at: str = ""
    next_turn_at: str = ""
    cost: str = ""
    percent: int = 0
    done: str = ""
    of: str = ""
    left: str = ""
    finishes_at: str = ""
    is_draft: bool = False
    can_retry: bool = False
    failed: int = 0
    revision: int = 0


class CampaignPage(Paged, AppState):
    head: Head = Head()
    missing: str = ""
    is_loading: bool = True
    stages: list[Stage] = []
    reasons: list[ReasonLine] = []
    texts: list[TextLine] = []
    events: list[EventLine] = []
    recipients: list[RecipientLine] = []
    state: str = "all"
    reason: str = ""
    reason_words: str = ""
    asking: str = ""  # cancel or retry
    is_stale: bool = False  # something changed since; read again at the next tick
    _read_at: datetime | None = None

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def load(self) -> EventSpec | None:
        await self.watch()
        self.head, self.is_loading, self.missing = Head(), True, ""
        self.state, self.reason, self.reason_words, self.asking = "all", "", "", ""
        self._from_the_first()
        try:
            here = self.router.url.path.rstrip("/").rpartition("/")[2]
            await self._read(uuid_of(here))
            await self._read_recipients()
        except AppError as error:
            self.missing = error.message
        self.is_loading = False
        if self.head.is_draft:
            return rx.redirect(f"/dashboard/{self._workspace}/campaigns/{self.head.id}/edit")
        return None

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        ours = ("campaign", self.head.id) in changes or ("everything", "") in changes
        # Statuses climb with their messages, and people read and answer long after the last one left.
        climbs = self.head.launched_at and any(kind == "conversation" for kind, _ in changes)
        if not self.head.id or not (ours or climbs):
            return
        # A thousand statuses a second: its rows are counted every few seconds, not ten times in one.
        if self._read_at is not None and clock.now() - self._read_at < REST:
            self.is_stale = True
            return
        await self._read_again()

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def tick(self, _: str) -> None:
        """The page asks every other second while there is something that it has not shown."""
        if self.is_stale:
            await self._read_again()

    async def _read_again(self) -> None:
        await self._read(UUID(self.head.id))
        await self._read_recipients()

    async def _read(self, campaign_id: UUID) -> None:
        found = await self.call(_progress, campaign_id)
        self.is_stale, self._read_at = False, clock.now()
        self.head = _head_of(found)
        self.stages = _stages_of(found.funnel)
        self.reasons = [
            ReasonLine(one.state, one.reason, one.words, f"{one.count:,}") for one in found.reasons
        ]
        self.texts = [_text_of(one) for one in found.variants] if len(found.variants) > 1 else []
        self.events = [
            EventLine(one.words, one.actor_name, one.created_at.isoformat()) for one in found.events
        ]

    async def _read_recipients(self) -> None:
        page, currency = await self.call(
            _recipients,
            UUID(self.head.id),
            state=None if self.state == "all" else self.state,
            reason=self.reason or None,
            after=self._start(),
        )
        self.recipients = [_line_of(one, currency) for one in page.items]
        self._shown(page.next_cursor)

    # Looking closer -------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def show(self, state: str) -> None:
        """Recipients of one state."""
        self.state = state if state in STATE_WORDS else "all"
        self.reason, self.reason_words = "", ""
        self._from_the_first()
        await self._read_recipients()

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def show_reason(self, reason: str, words: str) -> None:
        """Recipients for whom it ended for one reason."""
        self.state, self.reason, self.reason_words = "all", reason, words
        self._from_the_first()
        await self._read_recipients()

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read_recipients()

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read_recipients()

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    def export(self) -> EventSpec:
        """Everyone of it, and what became of them, as CSV."""
        path = f"/api/v1/campaigns/{self.head.id}/recipients/export"
        return download(path, self._workspace, CampaignPage.downloaded)

    @rx.event
    @access(Permission.CAMPAIGNS_READ)
    def downloaded(self, answer: dict[str, Any]) -> EventSpec | None:
        return failed_download(answer)

    # Acts -----------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_LAUNCH)
    async def pause(self) -> EventSpec | None:
        return await self._act(service.pause)

    @rx.event
    @access(Permission.CAMPAIGNS_LAUNCH)
    async def resume(self) -> EventSpec | None:
        return await self._act(service.resume)

    @rx.event
    @access(Permission.CAMPAIGNS_APPROVE)
    async def approve(self) -> EventSpec | None:
        return await self._act(service.approve, revision=self.head.revision)

    @rx.event
    @access(Permission.CAMPAIGNS_LAUNCH)
    def ask(self, act: str) -> None:
        self.asking = act if act in ("cancel", "retry") else ""

    @rx.event
    @access(Permission.CAMPAIGNS_LAUNCH)
    async def cancel(self) -> EventSpec | None:
        self.asking = ""
        return await self._act(service.cancel)

    @rx.event
    @access(Permission.CAMPAIGNS_LAUNCH)
    async def retry(self) -> EventSpec | None:
        self.asking = ""
        return await self._act(service.retry_failed)

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def duplicate(self) -> EventSpec | None:
        made, sorry = await self.attempt(self.call(service.duplicate, UUID(self.head.id)))
        if made is None:
            return sorry
        return rx.redirect(f"/dashboard/{self._workspace}/campaigns/{made.id}/edit")

    async def _act(self, act: Any, **given: int) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(act, UUID(self.head.id), **given))
        await self._read_again()
        return sorry


@dataclass(frozen=True, slots=True)
class Progress:
    """All that the page shows, read in one transaction."""

    campaign: CampaignView
    funnel: Funnel
    plan: PlanView
    audience: str
    template: str
    currency: str
    reasons: list[ReasonCount] = field(default_factory=list)
    variants: list[VariantFunnel] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)


def _progress(ctx: Context, campaign_id: UUID) -> Progress:
    view = queries.campaign(ctx, campaign_id)
    names = [templates.template(ctx, one.template_id).name for one in view.variants]
    return Progress(
        campaign=view,
        funnel=queries.funnel(ctx, campaign_id),
        plan=queries.plan(ctx, campaign_id),
        audience=audiences.audience_in_words(ctx, view.audience),
        template=" · ".join(names),
        currency=wallets.currency_of(ctx),
        reasons=queries.why_not(ctx, campaign_id),
        variants=queries.variants(ctx, campaign_id),
        events=queries.events(ctx, campaign_id),
    )


def _recipients(
    ctx: Context,
    campaign_id: UUID,
    *,
    state: str | None,
    reason: str | None,
    after: Cursor | None,
) -> tuple[Any, str]:
    page = queries.recipients(ctx, campaign_id, state=state, reason=reason, after=after, limit=PAGE)
    return page, wallets.currency_of(ctx)


def _head_of(found: Progress) -> Head:
    view, funnel = found.campaign, found.funnel
    to_write = funnel.audience - funnel.skipped
    left = funnel.pending + funnel.queued
    done = to_write - left
    return Head(
        id=str(view.id),
        name=view.name,
        status=view.status,
        status_words=STATUS_WORDS[view.status],
        problem=view.problem or "",
        template=found.template,
        audience=found.audience,
        by=view.created_by_name,
        starts_at=_iso(view.starts_at),
        launched_at=_iso(view.launched_at),
        finished_at=_iso(view.finished_at),
        next_turn_at=_iso(view.next_turn_at),
        cost=money.shown(found.plan.micros, found.currency),
        percent=100 * done // to_write if to_write else 0,
        done=f"{done:,}",
        of=f"{to_write:,}",
        left=f"{left:,}",
        finishes_at=_finishes_at(found, left),
        is_draft=view.status == "draft",
        can_retry=funnel.failed > 0 and view.status in ("done", "paused", "running"),
        failed=funnel.failed,
        revision=view.revision,
    )


def _finishes_at(found: Progress, left: int) -> str:
    """While it runs: when the rest will have left, at its speed."""
    if found.campaign.status != "running" or not left or not found.plan.per_second:
        return ""
    return (clock.now() + timedelta(seconds=left / found.plan.per_second)).isoformat()


def _iso(moment: Any) -> str:
    return moment.isoformat() if moment else ""


def _stages_of(funnel: Funnel) -> list[Stage]:
    """Each stage beside those to whom it was written."""
    whole = funnel.audience - funnel.skipped
    counts = (
        ("To write to", whole),
        ("Sent", funnel.sent),
        ("Delivered", funnel.delivered),
        ("Read", funnel.read),
        ("Answered", funnel.replied),
    )
    return [
        Stage(label, f"{count:,}", 100 * count // whole if whole else 0, _share(count, whole))
        for label, count in counts
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %".replace(".0 %", " %") if whole else "–"


def _text_of(one: VariantFunnel) -> TextLine:
    sent = one.funnel.sent
    return TextLine(
        one.template_name,
        f"{sent:,}",
        _share(one.funnel.read, sent),
        _share(one.funnel.replied, sent),
    )


def _line_of(one: RecipientRow, currency: str) -> RecipientLine:
    return RecipientLine(
        id=str(one.contact_id),
        name=one.name,
        phone=phones.display(one.phone) if one.phone else "",
        state=one.state,
        state_words=STATE_WORDS[one.state],
        why=one.reason_words,
        cost=money.shown(one.micros, currency) if one.micros else "",
        at=_iso(one.sent_at),
        replied=one.replied_at is not None,
    )
