"""The builder of a segment: groups of conditions, and who they find while one builds."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import AppError
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import queries, service
from aerostic.domain.audiences.filters import Audience, Filter
from aerostic.domain.audiences.schemas import Reach, Someone
from aerostic.domain.audiences.suppression import WORDS
from aerostic.domain.campaigns import queries as campaigns
from aerostic.domain.contacts import queries as contacts
from aerostic.state import segment_lines
from aerostic.state.base import AppState
from aerostic.state.choices import Choice
from aerostic.state.contacts import uuid_of
from aerostic.state.forms import Form
from aerostic.state.guard import access
from aerostic.state.segment_lines import Group, Known

SHOWN = 8
Next = Any  # the event that follows, as Reflex takes it


@dataclass(frozen=True)
class PersonLine:
    """One person of an audience. `why` says why a campaign leaves them alone."""

    id: str
    name: str
    phone: str
    why: str

    @classmethod
    def of(cls, one: Someone) -> "PersonLine":
        return cls(str(one.id), one.name, one.phone, reason_words(one.left_out))


@dataclass(frozen=True)
class LeftOut:
    words: str
    number: str


def reason_words(reason: str) -> str:
    """Why someone is left alone, for people."""
    return next((words for known, words in WORDS.items() if known == reason), "")


def left_out_of(reach: Reach) -> list[LeftOut]:
    """The reasons with how many each, the commonest first."""
    ordered = sorted(reach.left_out.items(), key=lambda one: -one[1])
    return [LeftOut(reason_words(reason), f"{number:,}") for reason, number in ordered]


class SegmentBuilder(Form, AppState):
    id: str = ""
    name: str = ""
    revision: int = 0
    match: str = "all"
    groups: list[Group] = []
    subjects: list[Choice] = []
    sentence: str = ""
    is_deep: bool = False  # made by a program, deeper than the form goes
    is_counting: bool = False
    is_counted: bool = False
    reachable: str = ""
    total: str = ""
    left_out: list[LeftOut] = []
    people: list[PersonLine] = []
    count_problem: str = ""
    _known: Known = Known()

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def load(self) -> Next:
        """A new segment, or the one that the address names."""
        self._clear()
        self._known = await self.call(_known)
        self.subjects = self._known.subjects
        asked = str(self.router.url.query_parameters.get("id", ""))
        self.id, self.name, self.revision, self.is_deep = "", "", 0, False
        self.match, self.groups = "all", [segment_lines.new_group(self._known)]
        self._forget_count()
        if asked:
            _, sorry = await self.attempt(self._open(asked))
            if sorry:
                return sorry
        return SegmentBuilder.recount

    async def _open(self, segment_id: str) -> None:
        view = await self.call(queries.segment, uuid_of(segment_id))
        self.id, self.name, self.revision = str(view.id), view.name, view.revision
        self.sentence = view.words
        shown = segment_lines.groups_of(view.filter, self._known)
        self.is_deep = shown is None
        if shown is not None:
            self.match, self.groups = shown

    # Conditions -----------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_name(self, name: str) -> None:
        self.name = name

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_match(self, match: str) -> Next:
        self.match = "any" if match == "any" else "all"
        return SegmentBuilder.recount

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_group_match(self, group_id: str, match: str) -> Next:
        wanted = "any" if match == "any" else "all"
        self.groups = [
            replace(group, match=wanted) if group.id == group_id else group for group in self.groups
        ]
        return SegmentBuilder.recount

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def add_group(self) -> Next:
        self.groups = [*self.groups, segment_lines.new_group(self._known)]
        return SegmentBuilder.recount

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def add_line(self, group_id: str) -> Next:
        added = segment_lines.new_line(self._known)
        self.groups = [
            replace(group, lines=[*group.lines, added]) if group.id == group_id else group
            for group in self.groups
        ]
        return SegmentBuilder.recount

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def remove_line(self, line_id: str) -> Next:
        """A group without conditions goes with its last one."""
        kept = [
            replace(group, lines=[line for line in group.lines if line.id != line_id])
            for group in self.groups
        ]
        self.groups = [group for group in kept if group.lines]
        return SegmentBuilder.recount

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_subject(self, line_id: str, subject: str) -> Next:
        fresh = segment_lines.new_line(self._known, subject)
        self._change(line_id, lambda line: replace(fresh, id=line.id))
        return SegmentBuilder.recount

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_test(self, line_id: str, test: str) -> Next:
        known = self._known
        self._change(line_id, lambda one: segment_lines.dressed(replace(one, test=test), known))
        return SegmentBuilder.recount

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_value(self, line_id: str, value: str) -> Next:
        self._change(line_id, lambda line: replace(line, value=value[:500]))
        return SegmentBuilder.recount

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    def set_extra(self, line_id: str, extra: str) -> Next:
        self._change(line_id, lambda line: replace(line, extra=extra))
        return SegmentBuilder.recount

    def _change(self, line_id: str, change: Any) -> None:
        self.groups = [
            replace(
                group,
                lines=[change(line) if line.id == line_id else line for line in group.lines],
            )
            for group in self.groups
        ]

    def _tree(self) -> Filter:
        return segment_lines.tree_of(self.match, self.groups, self._known)

    # Who is found ---------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def recount(self) -> AsyncIterator[None]:
        """Count and show some of those whom the conditions find, as they stand."""
        self.count_problem = ""
        try:
            audience = await self._audience()
        except AppError as problem:
            self._forget_count()
            self.count_problem = problem.message
            return
        self.is_counting = True
        yield
        try:
            reach, people = await self.call(_found, audience)
            self._show(reach, people)
        except AppError as problem:
            self._forget_count()
            self.count_problem = problem.message
        finally:
            self.is_counting = False

    async def _audience(self) -> Audience:
        if self.is_deep:
            return Audience(segment_id=UUID(self.id))
        return Audience(filter=self._tree())

    def _show(self, reach: Reach, people: Sequence[Someone]) -> None:
        self.is_counted = True
        self.reachable, self.total = f"{reach.reachable:,}", f"{reach.total:,}"
        self.left_out = left_out_of(reach)
        self.people = [PersonLine.of(one) for one in people]

    def _forget_count(self) -> None:
        self.is_counted, self.reachable, self.total = False, "", ""
        self.left_out, self.people = [], []

    # Saving ---------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.CAMPAIGNS_MANAGE)
    async def save(self) -> list[EventSpec] | None:
        self.is_busy = True
        saved, _ = await self._send(self._save())
        if not saved:
            return None
        there = f"/dashboard/{self._workspace}/campaigns?tab=audiences"
        return [rx.toast.success(f"“{self.name}” is saved."), rx.redirect(there)]

    async def _save(self) -> None:
        if self.is_deep:
            await self.call(
                service.change_segment, UUID(self.id), revision=self.revision, name=self.name
            )
        elif self.id:
            await self.call(
                service.change_segment,
                UUID(self.id),
                revision=self.revision,
                name=self.name,
                tree=self._tree(),
            )
        else:
            await self.call(service.create_segment, self.name, self._tree())


def _known(ctx: Context) -> Known:
    return Known(
        tags=[Choice(str(one.id), one.name) for one in contacts.tags(ctx)],
        lists=[Choice(str(one.id), one.name) for one in queries.lists(ctx, limit=200).items],
        campaigns=[
            Choice(str(one.id), one.name)
            for one in campaigns.campaigns(ctx, limit=100).items
            if one.launched_at
        ],
        fields={
            one.key: (one.label, one.type, list(one.choices)) for one in contacts.attributes(ctx)
        },
    )


def _found(ctx: Context, audience: Audience) -> tuple[Reach, list[Someone]]:
    return queries.reach(ctx, audience), queries.sample(ctx, audience, limit=SHOWN)
