"""Analytics: a stretch of days, beside the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.ai.turns import dollars
from aerostic.domain.analytics import queries
from aerostic.domain.analytics.durations import in_words
from aerostic.domain.analytics.files import Table
from aerostic.domain.analytics.report import (
    AgentRow,
    CampaignRow,
    DayRow,
    FailureRow,
    OutcomeRow,
    PersonRow,
    Report,
    Summary,
    WorkflowRow,
)
from aerostic.state.base import AppState
from aerostic.state.contacts import download, failed_download
from aerostic.state.guard import access

LENGTHS = {"7": 7, "28": 28, "90": 90, "365": 365}
STATUS_WORDS = {
    "queued": "Waiting to leave",
    "sending": "On its way",
    "unknown": "Unknown: WhatsApp's answer was lost",
    "accepted": "Accepted by WhatsApp",
    "sent": "Sent, not delivered yet",
    "delivered": "Delivered, not read yet",
    "read": "Read",
    "played": "Played",
    "failed": "Failed",
    "cancelled": "Cancelled before it left",
}


@dataclass(frozen=True)
class Head:
    """One figure with the one before."""

    name: str
    value: str
    before: str
    hint: str


@dataclass(frozen=True)
class Line:
    """A row of a table, as it is shown."""

    cells: list[str]


class Analytics(AppState):
    length: str = "28"
    first: str = ""
    last: str = ""
    time_zone: str = ""
    counted_at: str = ""
    is_loading: bool = True
    heads: list[Head] = []
    messages: list[dict[str, Any]] = []
    conversations: list[dict[str, Any]] = []
    senders: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    outcomes: list[Line] = []
    failures: list[Line] = []
    times: list[Line] = []
    people: list[Line] = []
    campaigns: list[Line] = []
    workflows: list[Line] = []
    agents: list[Line] = []

    @rx.event
    @access(Permission.ANALYTICS_READ)
    async def load(self) -> None:
        await self.watch()
        if self.length in LENGTHS:
            await self._read_last(LENGTHS[self.length])
        else:
            await self._read()

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        if {kind for kind, _ in changes} & {"metrics", "everything"}:
            await self._read()

    @rx.event
    @access(Permission.ANALYTICS_READ)
    async def show_last(self, length: str | list[str]) -> None:
        """The last so many days, today among them."""
        if str(length) in LENGTHS:
            self.length = str(length)
            await self._read_last(LENGTHS[self.length])

    @rx.event
    @access(Permission.ANALYTICS_READ)
    async def begin_on(self, day: str) -> EventSpec | None:
        return await self._choose(day, self.last)

    @rx.event
    @access(Permission.ANALYTICS_READ)
    async def end_on(self, day: str) -> EventSpec | None:
        return await self._choose(self.first, day)

    @rx.event
    @access(Permission.ANALYTICS_READ)
    def download(self, table: str) -> EventSpec:
        """Let the browser fetch a table of these days as a file."""
        asked = {"table": Table(table).value, "since": self.first, "until": self.last}
        path = f"/api/v1/analytics/csv?{urlencode(asked)}"
        return download(path, self._workspace, Analytics.downloaded)

    @rx.event
    @access(Permission.ANALYTICS_READ)
    def downloaded(self, answer: dict[str, Any]) -> EventSpec | None:
        return failed_download(answer)

    async def _choose(self, first: str, last: str) -> EventSpec | None:
        """Show days of one's own choice. What is half typed changes nothing."""
        try:
            days = date.fromisoformat(first), date.fromisoformat(last)
        except ValueError:
            return None
        found, sorry = await self.attempt(self.call(queries.report, *days))
        if found is not None:
            self.length = ""
            self._show(found)
        return sorry

    async def _read_last(self, many: int) -> None:
        self._show(await self.call(_last, many))

    async def _read(self) -> None:
        if self.length in LENGTHS:
            return await self._read_last(LENGTHS[self.length])
        days = date.fromisoformat(self.first), date.fromisoformat(self.last)
        return self._show(await self.call(queries.report, *days))

    def _show(self, found: Report) -> None:
        self.first, self.last = found.period.first.isoformat(), found.period.last.isoformat()
        self.time_zone = found.time_zone
        self.counted_at = found.counted_at.isoformat() if found.counted_at else ""
        self.heads = _heads(found.now, found.before)
        self.times = _times(found.now, found.before)
        stretches = _stretches(found.days)
        self.messages = [_bar(one, "received", "written") for one in stretches]
        by = ("by_people", "by_automation", "by_campaigns", "by_api")
        self.senders = [_bar(one, *by) for one in stretches]
        self.conversations = [_bar(one, "opened", "closed") for one in stretches]
        self.runs = [_bar(one, "runs") for one in stretches]
        self.outcomes = [_outcome(one) for one in found.outcomes]
        self.failures = [_failure(one) for one in found.failures[:MOST_ROWS]]
        self.people = [_person(one) for one in found.people[:MOST_ROWS]]
        self.campaigns = [_campaign(one) for one in found.campaigns[:MOST_ROWS]]
        self.workflows = [_workflow(one) for one in found.workflows[:MOST_ROWS]]
        self.agents = [_agent(one) for one in found.agents[:MOST_ROWS]]
        self.is_loading = False


MOST_ROWS = 50  # of a table on the screen; its file has all


def _last(ctx: Context, many: int) -> Report:
    today = queries.today(ctx)
    return queries.report(ctx, today - timedelta(days=many - 1), today)


# Days in bars: at most about fifty, of days, weeks or months


@dataclass(frozen=True)
class Stretch:
    label: str
    full: str
    days: tuple[DayRow, ...]


def _stretches(days: Sequence[DayRow]) -> list[Stretch]:
    if len(days) <= 45:
        return [Stretch(f"{one.day:%-d %b}", f"{one.day:%A, %-d %B %Y}", (one,)) for one in days]
    name = _week if len(days) <= 200 else _month
    found: dict[tuple[str, str], list[DayRow]] = {}
    for one in days:
        found.setdefault(name(one.day), []).append(one)
    return [Stretch(label, full, tuple(rows)) for (label, full), rows in found.items()]


def _week(day: date) -> tuple[str, str]:
    monday = day - timedelta(days=day.weekday())
    return f"{monday:%-d %b}", f"Week of {monday:%-d %B %Y}"


def _month(day: date) -> tuple[str, str]:
    return f"{day:%b %y}", f"{day:%B %Y}"


def _bar(stretch: Stretch, *names: str) -> dict[str, Any]:
    values = [sum(getattr(day, name) for day in stretch.days) for name in names]
    return {"label": stretch.label, "full": stretch.full, "values": values}


# Figures in words


def _heads(now: Summary, before: Summary) -> list[Head]:
    return [
        _count("Received", now.received, before.received, "messages from people"),
        _count("Sent", now.written, before.written, "messages, by whomever"),
        Head(
            "Delivered",
            _share(now.delivered, now.tried),
            _share(before.delivered, before.tried),
            f"{now.delivered:,} of {now.tried:,} that left",
        ),
        Head(
            "Read",
            _share(now.read, now.tried),
            _share(before.read, before.tried),
            f"{now.read:,}; many people hide that they read",
        ),
        Head(
            "First response",
            in_words(now.first_response),
            in_words(before.first_response),
            "half were answered within",
        ),
        Head(
            "Resolution",
            in_words(now.resolution),
            in_words(before.resolution),
            "half were closed within",
        ),
        _count("Opened", now.opened, before.opened, "conversations"),
        _count("Closed", now.closed, before.closed, "conversations"),
    ]


def _count(name: str, now: int, before: int, hint: str) -> Head:
    return Head(name, f"{now:,}", f"{before:,}", hint)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _times(now: Summary, before: Summary) -> list[Line]:
    rows = [
        ("First response by a person", "first_response"),
        ("Every answer by a person", "answer"),
        ("Resolution", "resolution"),
    ]
    return [
        Line(
            [
                name,
                in_words(getattr(now, part)),
                in_words(getattr(now, f"{part}_slow")),
                in_words(getattr(before, part)),
                in_words(getattr(before, f"{part}_slow")),
            ]
        )
        for name, part in rows
    ]


def _outcome(row: OutcomeRow) -> Line:
    words = STATUS_WORDS.get(row.status, row.status.capitalize())
    return Line([words, f"{row.many:,}", f"{row.per_mille / 10:.1f} %"])


def _failure(row: FailureRow) -> Line:
    return Line([row.reason, row.code, f"{row.many:,}"])


def _person(row: PersonRow) -> Line:
    return Line(
        [
            row.name,
            f"{row.messages:,}",
            f"{row.answers:,}",
            in_words(row.answer),
            f"{row.first_responses:,}",
            in_words(row.first_response),
            f"{row.closed:,}",
            in_words(row.resolution),
        ]
    )


def _campaign(row: CampaignRow) -> Line:
    return Line(
        [
            row.name,
            f"{row.recipients:,}",
            f"{row.delivered:,} ({_share(row.delivered, row.recipients)})",
            f"{row.read:,} ({_share(row.read, row.recipients)})",
            f"{row.failed:,}",
        ]
    )


def _workflow(row: WorkflowRow) -> Line:
    counts = (row.runs, row.done, row.failed, row.stopped, row.living)
    return Line([row.name, *(f"{one:,}" for one in counts)])


def _agent(row: AgentRow) -> Line:
    counts = (f"{row.turns:,}", f"{row.tokens:,}", dollars(row.cost_micros), f"{row.handed_over:,}")
    return Line([row.name, *counts])
