"""A campaign on its way to being launched: message, audience, variables, times, and the plan."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core import money
from aerostic.core.errors import AppError, Invalid
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import queries as audiences
from aerostic.domain.audiences.filters import Audience
from aerostic.domain.audiences.schemas import ListView, Reach, SegmentView, Someone
from aerostic.domain.billing import queries as billing
from aerostic.domain.billing.queries import Shortfall
from aerostic.domain.billing.wallets import WalletView
from aerostic.domain.campaigns import queries, reasons, service
from aerostic.domain.campaigns.schemas import (
    CampaignDraft,
    CampaignView,
    PlanView,
    RecipientRow,
    Variant,
)
from aerostic.domain.campaigns.variables import Source
from aerostic.domain.channels import queries as channels
from aerostic.domain.channels.queries import NumberRow
from aerostic.domain.contacts import queries as contacts
from aerostic.domain.contacts.schemas import ContactFilter
from aerostic.domain.templates import queries as templates
from aerostic.domain.templates.models import Template
from aerostic.domain.templates.queries import APPROVED, TemplateFilter
from aerostic.domain.tenants import queries as tenants
from aerostic.state import campaign_lines
from aerostic.state.base import AppState
from aerostic.state.campaign_lines import FIXED, Bubble, GapLine, TemplateLine, When
from aerostic.state.choices import Choice
from aerostic.state.contacts import uuid_of
from aerostic.state.forms import Form
from aerostic.state.guard import access
from aerostic.state.segment import LeftOut, PersonLine, left_out_of

STEPS = ("message", "audience", "variables", "timing", "review")
EDITABLE = ("draft", "awaiting_approval")
SHOWN_TEMPLATES = 30
MISSING_SHOWN = 50
MOST_TEXTS = 4
Next = Any  # the event that follows, as Reflex takes it


@dataclass(frozen=True)
class NumberLine:
    id: str
    phone: str
    name: str
    is_chosen: bool


@dataclass(frozen=True)
class CostLine:
    market: str
    count: str
    amount: str


@dataclass(frozen=True)
class Plan:
    """What launching would do, in words."""

    is_ready: bool = False
    percent: int = 0
    counted: str = ""
    to_send: str = ""
    sends_any: bool = False
    cost: str = ""
    wallet: str = ""
    lacks: str = ""
    rate: str = ""
    finishes_at: str = ""
    missing: int = 0
    over_limit: str = ""
    day_limit: str = ""
    last_day_at: str = ""


class CampaignWizard(Form, AppState):
    id: str = ""
    name: str = ""
    step: str = "message"
    missing_page: str = ""
    is_loading: bool = True
    is_awaiting: bool = False
    # The message
    search: str = ""
    offered: list[TemplateLine] = []
    texts: list[TemplateLine] = []
    shares: list[int] = []
    numbers: list[NumberLine] = []
    # Whom it is for
    audience_kind: str = "everyone"
    has_own_filter: bool = False
    segments: list[Choice] = []
    lists: list[Choice] = []
    segment_id: str = ""
    list_id: str = ""
    is_counting: bool = False
    reachable: str = ""
    total: str = ""
    left_out: list[LeftOut] = []
    people: list[PersonLine] = []
    # What fills the gaps
    gaps: list[GapLine] = []
    sources: list[Choice] = []
    person: PersonLine = PersonLine("", "", "", "")
    person_search: str = ""
    found_people: list[PersonLine] = []
    shown_text: int = 0
    bubble: Bubble = Bubble()
    missing_here: list[str] = []
    # When, and how
    when: When = When()
    zone: str = "UTC"
    most_per_minute: str = ""
    pause_at: str = "30"
    hold_out: str = "0"
    needs_approval: bool = False
    # The plan
    plan: Plan = Plan()
    costs: list[CostLine] = []
    skipped: list[LeftOut] = []
    missing_people: list[PersonLine] = []
    skips_missing: bool = False
    is_testing: bool = False
    _revision: int = 0
    _fields: dict[str, str] = {}
    _columns: dict[str, list[str]] = {}
    _stored: list[dict[str, Source]] = []
    _own_filter: Audience = Audience()

    # Opening --------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def load(self) -> Next:
        """The draft that the address names; one that has left is shown by its own page."""
        await self.watch()
        self.is_loading, self.missing_page, self.step = True, "", "message"
        self.is_testing, self.skips_missing, self.person_search = False, False, ""
        self._clear()
        try:
            here = self.router.url.path.rstrip("/").removesuffix("/edit")
            campaign_id = uuid_of(here.rpartition("/")[2])
            opened = await self.call(_opened, campaign_id)
        except AppError as error:
            self.missing_page, self.is_loading = error.message, False
            return None
        if opened.campaign.status not in EDITABLE:
            return rx.redirect(f"/dashboard/{self._workspace}/campaigns/{campaign_id}")
        await self._show(opened)
        self.is_loading = False
        return CampaignWizard.count

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        ours = ("campaign", self.id) in changes or ("everything", "") in changes
        if ours and self.step == "review" and not self.plan.is_ready:
            await self._read_plan()

    async def _show(self, opened: "Opened") -> None:
        view = opened.campaign
        self.id, self.name, self._revision = str(view.id), view.name, view.revision
        self.is_awaiting = view.status != "draft"
        self._fields, self.zone = opened.fields, opened.zone
        self._columns = {str(one.id): list(one.columns) for one in opened.lists}
        self.segments = [Choice(str(one.id), one.name) for one in opened.segments]
        self.lists = [Choice(str(one.id), one.name) for one in opened.lists]
        self._show_audience(view.audience)
        self._stored = [dict(one.variables) for one in view.variants]
        self.shares, self.search = [one.share for one in view.variants], ""
        await self._choose([str(one.template_id) for one in view.variants])
        self._show_numbers(opened.numbers, view.number_ids)
        self._show_options(view)

    def _show_audience(self, audience: Audience) -> None:
        """Conditions that a program gave have no form here: they are kept as they are, and may be left."""
        self.segment_id = str(audience.segment_id or "")
        self.list_id = str(audience.list_id or "")
        self.has_own_filter, self._own_filter = audience.filter is not None, audience
        if self.has_own_filter:
            self.audience_kind = "filter"
        else:
            self.audience_kind = (
                "list" if self.list_id else "segment" if self.segment_id else "everyone"
            )

    def _show_numbers(self, numbers: Sequence[NumberRow], chosen: Sequence[UUID]) -> None:
        only = len(numbers) == 1
        self.numbers = [
            NumberLine(
                str(one.id),
                one.display_phone_number,
                one.verified_name,
                only or one.id in chosen,
            )
            for one in numbers
        ]

    def _show_options(self, view: CampaignView) -> None:
        self.when = campaign_lines.when_of(view.timing)
        self.most_per_minute = str(view.most_per_minute or "")
        self.pause_at, self.hold_out = (
            str(view.pause_at_failure_percent),
            str(view.hold_out_percent),
        )
        self.needs_approval = view.needs_approval

    # Steps ----------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def go(self, step: str) -> Next:
        """Leave a step: what it says is kept first. The plan is made when everything is said."""
        wanted = step if step in STEPS else "message"
        if not await self._keep(is_last=wanted == "review"):
            return None
        self.step = wanted
        if wanted == "audience":
            return CampaignWizard.count
        if wanted == "variables":
            return await self._show_someone(self.person.id)
        return CampaignWizard.make_plan if wanted == "review" else None

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def rename(self, name: str) -> None:
        self.name = name
        await self._keep()

    async def _keep(self, *, is_last: bool = False) -> bool:
        """Write the draft. Half-filled variables are kept once they are whole."""
        kept, revision = await self._send(self._write(is_last=is_last))
        if kept and revision is not None:
            self._revision = revision
        return kept

    async def _write(self, *, is_last: bool) -> int:
        draft = self._draft(is_last=is_last)
        return await self.call(_save, UUID(self.id), draft, self._revision)

    def _draft(self, *, is_last: bool) -> CampaignDraft:
        return CampaignDraft(
            name=self.name,
            audience=self._audience(),
            variants=self._variants(is_last=is_last),
            number_ids=[UUID(one.id) for one in self.numbers if one.is_chosen],
            timing=campaign_lines.timing_of(self.when, self.zone),
            hold_out_percent=_whole(self.hold_out, "hold_out_percent", "percent to leave out"),
            most_per_minute=_whole(self.most_per_minute, "most_per_minute", "messages a minute")
            or None,
            pause_at_failure_percent=_whole(
                self.pause_at, "pause_at_failure_percent", "percent of failures"
            ),
            needs_approval=self.needs_approval,
        )

    def _audience(self) -> Audience:
        if self.audience_kind == "filter" and self.has_own_filter:
            return self._own_filter
        if self.audience_kind == "segment" and self.segment_id:
            return Audience(segment_id=UUID(self.segment_id))
        if self.audience_kind == "list" and self.list_id:
            return Audience(
                list_id=UUID(self.list_id),
                segment_id=UUID(self.segment_id) if self.segment_id else None,
            )
        if self.audience_kind != "everyone":
            raise Invalid("audience", f"Choose the {self.audience_kind}.")
        return Audience()

    def _variants(self, *, is_last: bool) -> list[Variant]:
        return [
            Variant(UUID(one.id), self._sources(index, is_last=is_last), self.shares[index])
            for index, one in enumerate(self.texts)
        ]

    def _sources(self, variant: int, *, is_last: bool) -> dict[str, Source]:
        lines = [line for line in self.gaps if line.variant == variant]
        if not is_last:
            lines = [one for one in lines if one.source != FIXED or one.text.strip()]
        return {line.key: campaign_lines.source_of(line) for line in lines}

    # The message ----------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def search_templates(self, text: str) -> None:
        self.search = text[:100]
        await self._offer()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def choose_template(self, template_id: str) -> None:
        """Take a text, or give it back; another one beside it is to be compared with."""
        ids = [one.id for one in self.texts]
        if template_id in ids:
            place = ids.index(template_id)
            self.shares = self.shares[:place] + self.shares[place + 1 :]
            self._stored = self._stored[:place] + self._stored[place + 1 :]
            ids.remove(template_id)
        elif len(ids) < MOST_TEXTS:
            ids, self.shares = [*ids, template_id], [*self.shares, 1]
            self._stored = [*self._stored, {}]
        await self._choose(ids)
        await self._keep()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def set_share(self, variant: int, share: str) -> None:
        number = int(share) if share.isdigit() else 1
        self.shares = [number if index == variant else one for index, one in enumerate(self.shares)]
        await self._keep()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def choose_number(self, number_id: str, is_chosen: bool) -> None:
        self.numbers = [
            replace(one, is_chosen=is_chosen) if one.id == number_id else one
            for one in self.numbers
        ]
        await self._keep()

    async def _choose(self, ids: Sequence[str]) -> None:
        chosen = await self.call(_texts, ids)
        self.texts = [TemplateLine.of(one, ids) for one in chosen]
        await self._offer()
        self._fill_gaps(chosen)

    async def _offer(self) -> None:
        """Templates that fit: of the account and the category of the first text that was chosen."""
        first = self.texts[0] if self.texts else None
        wanted = TemplateFilter(
            search=self.search,
            status=APPROVED,
            category=first.category.upper() if first else "",
            account_id=UUID(first.account_id) if first else None,
        )
        page = await self.call(templates.listed, wanted, limit=SHOWN_TEMPLATES)
        ids = [one.id for one in self.texts]
        self.offered = [TemplateLine.of(one, ids) for one in page.items]

    # Whom it is for -------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def choose_audience(self, kind: str) -> Next:
        self.audience_kind = kind if kind in ("segment", "list", "filter") else "everyone"
        if self.audience_kind == "segment" and not self.segment_id and self.segments:
            self.segment_id = self.segments[0].value
        if self.audience_kind == "list" and not self.list_id and self.lists:
            self.list_id, self.segment_id = self.lists[0].value, ""
        return await self._audience_changed()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def choose_segment(self, segment_id: str) -> Next:
        self.segment_id = "" if segment_id == "none" else segment_id
        return await self._audience_changed()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def choose_list(self, list_id: str) -> Next:
        self.list_id = list_id
        return await self._audience_changed()

    async def _audience_changed(self) -> Next:
        self._fill_gaps(await self.call(_texts, [one.id for one in self.texts]))
        await self._keep()
        return CampaignWizard.count

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def count(self) -> AsyncIterator[None]:
        """How many the audience has, and some of them."""
        self.is_counting = True
        yield
        try:
            reach, people = await self.call(_found, self._audience(), self._category())
            self.reachable, self.total = f"{reach.reachable:,}", f"{reach.total:,}"
            self.left_out = left_out_of(reach)
            self.people = [PersonLine.of(one) for one in people]
        except AppError as problem:
            self.reachable, self.total, self.left_out, self.people = "", "", [], []
            self.problem = problem.message
        finally:
            self.is_counting = False

    def _category(self) -> str:
        return self.texts[0].category.upper() if self.texts else "MARKETING"

    # What fills the gaps --------------------------------------------------------------------------

    def _fill_gaps(self, chosen: Sequence[Template]) -> None:
        columns = self._columns.get(self.list_id, []) if self.audience_kind == "list" else []
        self.sources = campaign_lines.sources_of(self._fields, columns)
        offered = {one.value for one in self.sources}
        lines = [
            line
            for index, one in enumerate(chosen)
            for line in campaign_lines.gap_lines(index, one, self._stored[index], self.sources)
        ]
        self.gaps = [one if one.source in offered else replace(one, source=FIXED) for one in lines]

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def set_source(self, variant: int, key: str, source: str) -> Next:
        return await self._change_gap(variant, key, source=source, text="", fallback="")

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def set_text(self, variant: int, key: str, text: str) -> Next:
        return await self._change_gap(variant, key, text=text[:1024])

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def set_fallback(self, variant: int, key: str, text: str) -> Next:
        return await self._change_gap(variant, key, fallback=text[:1024])

    async def _change_gap(self, variant: int, key: str, **changed: str) -> Next:
        self.gaps = [
            replace(one, **changed) if (one.variant, one.key) == (variant, key) else one  # type: ignore[arg-type]
            for one in self.gaps
        ]
        kept = await self._keep()
        self._stored = [self._sources(index, is_last=False) for index in range(len(self.texts))]
        return await self._show_someone(self.person.id) if kept else None

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def upload_file(self, variant: int, key: str) -> EventSpec:
        """Send the file of a header; `uploaded_file` hears of it."""
        ident = f"gap-file-{int(variant)}"
        self._clear()
        self._asked_for = (int(variant), key)
        return rx.call_script(
            f"window.aerostic.upload('{ident}', '/api/v1/media', '{self._workspace}')",
            callback=CampaignWizard.uploaded_file,
        )

    _asked_for: tuple[int, str] = (0, "")

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def uploaded_file(self, answer: dict[str, Any]) -> Next:
        body = answer.get("body") or {}
        if not answer.get("ok"):
            self.problem = str(body.get("detail") or "The file did not arrive. Try again.")
            return None
        return await self._change_gap(*self._asked_for, text=str(body.get("id", "")))

    # One recipient's message ----------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def find_people(self, text: str) -> None:
        """Anyone of the contacts, whether or not they are of the audience."""
        self.person_search = text
        wanted = ContactFilter(text=text)
        page = await self.call(contacts.contacts, wanted, limit=6)
        self.found_people = [
            PersonLine(str(one.id), one.name, one.phone_display, "") for one in page.items
        ]

    async def _show_someone(self, contact_id: str) -> EventSpec | None:
        """What this person would get; without an id, somebody of the audience."""
        if not self.texts:
            return None
        if not contact_id and not self.people:
            _, people = await self.call(_found, self._audience(), self._category())
            self.people = [PersonLine.of(one) for one in people]
        known = [*self.people, *self.found_people, self.person]
        wanted = contact_id or next((one.id for one in self.people if not one.why), "")
        wanted = wanted or (self.people[0].id if self.people else "")
        self.person = next((one for one in known if one.id == wanted), self.person)
        self.shown_text = min(self.shown_text, len(self.texts) - 1)
        return await self._show_bubble(wanted)

    async def _show_bubble(self, contact_id: str) -> EventSpec | None:
        (template,) = await self.call(_texts, [self.texts[self.shown_text].id])
        if not contact_id:
            self.bubble, self.missing_here = campaign_lines.bubble_of(template, {}), []
            return None
        looking = self.call(
            queries.preview, UUID(self.id), uuid_of(contact_id), variant=self.shown_text
        )
        shown, sorry = await self.attempt(looking)
        if shown is not None:
            self.bubble = campaign_lines.bubble_of(template, shown.values)
            labels = {one.key: one.label for one in self.gaps if one.variant == self.shown_text}
            self.missing_here = [labels.get(key, key) for key in shown.missing]
        return sorry

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def another_person(self, step: int) -> EventSpec | None:
        """The next of those who are shown, round and round."""
        ids = [one.id for one in self.people]
        if not ids:
            return None
        here = ids.index(self.person.id) if self.person.id in ids else 0
        return await self._open_person(ids[(here + int(step)) % len(ids)])

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def choose_person(self, contact_id: str) -> EventSpec | None:
        self.person_search = ""
        return await self._open_person(contact_id)

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def show_text(self, variant: int) -> EventSpec | None:
        self.shown_text = int(variant)
        return await self._open_person(self.person.id)

    async def _open_person(self, contact_id: str) -> EventSpec | None:
        known = [*self.people, *self.found_people, self.person]
        self.person = next((one for one in known if one.id == contact_id), self.person)
        return await self._show_bubble(contact_id)

    # When, and how --------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_when(self, part: str, value: str) -> None:
        """One part of the times; kept when the step is left."""
        if part in ("kind", "moment", "quiet_from", "quiet_until", "every", "weekday", "at"):
            self.when = replace(self.when, **{part: value})  # type: ignore[arg-type]

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_their_clock(self, is_on: bool) -> None:
        self.when = replace(self.when, by_their_clock=is_on)

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_quiet(self, is_on: bool) -> None:
        self.when = replace(self.when, is_quiet=is_on)

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_option(self, part: str, value: str) -> None:
        if part == "most_per_minute":
            self.most_per_minute = value
        elif part == "pause_at":
            self.pause_at = value
        elif part == "hold_out":
            self.hold_out = value

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_needs_approval(self, is_on: bool) -> None:
        self.needs_approval = is_on

    # The plan -------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def make_plan(self) -> None:
        """Count what launching would do; `on_change` hears how far it is."""
        self.plan, self.costs, self.skipped, self.missing_people = Plan(), [], [], []
        asked, _ = await self._send(self.call(service.plan, UUID(self.id)))
        if asked:
            await self._read_plan()

    async def _read_plan(self) -> None:
        found = await self.call(_planned, UUID(self.id))
        view, currency = found.view, found.shortfall.currency
        self.plan = _plan_of(found)
        self.costs = [
            CostLine(one.market, f"{one.count:,}", money.shown(one.micros, currency))
            for one in view.costs
        ]
        ordered = sorted(view.skipped.items(), key=lambda one: -one[1])
        self.skipped = [LeftOut(reasons.words_of(why), f"{count:,}") for why, count in ordered]
        self.missing_people = [
            PersonLine(str(one.contact_id), one.name, f"+{one.phone}" if one.phone else "", "")
            for one in found.missing
        ]
        if view.problem:
            self.problem = view.problem

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_skips_missing(self, is_on: bool) -> None:
        self.skips_missing = is_on

    # Sending --------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def ask_for_test(self) -> None:
        self._clear()
        self.is_testing, self.person_search, self.found_people = True, "", []

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def close_test(self) -> None:
        self.is_testing = False

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def send_test(self, contact_id: str) -> EventSpec:
        """One message, to one person, now."""
        sending = self.call(
            service.test_send,
            UUID(self.id),
            uuid_of(contact_id),
            variant=self.shown_text,
            key=f"test:{new_id()}",
        )
        sent, sorry = await self.attempt(sending)
        if sent is None:
            return sorry or rx.toast.error("The test was not sent.")
        self.is_testing = False
        return rx.toast.success("The test is on its way.")

    @rx.event
    @access(Permission.CAMPAIGNS_LAUNCH)
    async def launch(self) -> EventSpec | None:
        """Set it off, or ask for approval. Answers before anybody is written to."""
        self.is_busy = True
        launching = self.call(service.launch, UUID(self.id), skip_missing=self.skips_missing)
        done, _ = await self._send(launching)
        if not done:
            return None
        return rx.redirect(f"/dashboard/{self._workspace}/campaigns/{self.id}")


@dataclass(frozen=True, slots=True)
class Opened:
    """All that the wizard offers."""

    campaign: CampaignView
    numbers: list[NumberRow]
    segments: list[SegmentView]
    lists: list[ListView]
    fields: dict[str, str]
    zone: str


@dataclass(frozen=True, slots=True)
class Planned:
    view: PlanView
    shortfall: Shortfall
    wallet: WalletView | None  # only for those who may see what is in it
    missing: list[RecipientRow]


def _opened(ctx: Context, campaign_id: UUID) -> Opened:
    return Opened(
        campaign=queries.campaign(ctx, campaign_id),
        numbers=channels.numbers(ctx),
        segments=audiences.segments(ctx, limit=200).items,
        lists=[one for one in audiences.lists(ctx, limit=100).items if one.members],
        fields={one.key: one.label for one in contacts.attributes(ctx)},
        zone=tenants.workspace(ctx).time_zone,
    )


def _texts(ctx: Context, ids: Sequence[str]) -> list[Template]:
    return [templates.template(ctx, UUID(one)) for one in ids]


def _save(ctx: Context, campaign_id: UUID, draft: CampaignDraft, revision: int) -> int:
    """A draft that did not change is not written: its plan stays what it was."""
    view = queries.campaign(ctx, campaign_id)
    if _same(view, draft) and view.revision == revision:
        return revision
    return service.update(ctx, campaign_id, draft, revision=revision).revision


def _same(view: CampaignView, draft: CampaignDraft) -> bool:
    stored = CampaignDraft(
        view.name,
        view.audience,
        view.variants,
        view.number_ids,
        view.timing,
        view.hold_out_percent,
        view.most_per_minute,
        view.pause_at_failure_percent,
        view.needs_approval,
    )
    return replace(
        stored, variants=tuple(stored.variants), number_ids=tuple(stored.number_ids)
    ) == (replace(draft, variants=tuple(draft.variants), number_ids=tuple(draft.number_ids)))


def _found(ctx: Context, audience: Audience, category: str) -> tuple[Reach, list[Someone]]:
    return (
        audiences.reach(ctx, audience, category=category),
        audiences.sample(ctx, audience, limit=12, category=category),
    )


def _planned(ctx: Context, campaign_id: UUID) -> Planned:
    view = queries.plan(ctx, campaign_id)
    missing: list[RecipientRow] = []
    if view.missing:
        missing = queries.recipients(
            ctx, campaign_id, reason="variable_missing", limit=MISSING_SHOWN
        ).items
    wallet = billing.wallet(ctx) if ctx.actor.may(Permission.BILLING_READ) else None
    return Planned(view, billing.shortfall(ctx, view.micros), wallet, missing)


def _plan_of(found: Planned) -> Plan:
    view, wallet = found.view, found.wallet
    lacks, currency = found.shortfall.micros, found.shortfall.currency
    return Plan(
        is_ready=view.is_ready,
        percent=100 * view.counted // view.total if view.total else 0,
        counted=f"{view.counted:,}",
        to_send=f"{view.to_send:,}",
        sends_any=view.to_send > 0,
        cost=money.shown(view.micros, currency),
        wallet=money.shown(wallet.available_micros, currency) if wallet else "",
        lacks=money.shown(lacks, currency) if lacks else "",
        rate=f"{view.per_second:,.0f}" if view.per_second >= 1 else f"{view.per_second:.2f}",
        finishes_at=view.finishes_at.isoformat() if view.finishes_at else "",
        missing=view.missing,
        over_limit=f"{view.over_limit:,}" if view.over_limit else "",
        day_limit=f"{view.day_limit:,}" if view.day_limit is not None else "",
        last_day_at=view.last_day_at.isoformat() if view.last_day_at else "",
    )


def _whole(text: str, field: str, what: str) -> int:
    if not text.strip():
        return 0
    try:
        return int(text)
    except ValueError as error:
        raise Invalid(field, f"Give the {what} as a whole number.") from error
