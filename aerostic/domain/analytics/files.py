"""The tables of analytics as CSV: what the page shows, in plain numbers, for a spreadsheet."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

from aerostic.domain.analytics.report import Report
from aerostic.domain.contacts.exporting import harmless


class Table(StrEnum):
    DAYS = "days"
    OUTCOMES = "outcomes"
    FAILURES = "failures"
    PEOPLE = "people"
    CAMPAIGNS = "campaigns"
    WORKFLOWS = "workflows"
    AGENTS = "agents"


Row = Sequence[Any]


def write(report: Report, table: Table) -> str:
    """With a heading line. Times are in seconds, money in US dollars."""
    headings, rows = _TABLES[table]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([_cell(one) for one in row] for row in rows(report))
    return text.getvalue()


def _cell(value: object) -> str:
    return harmless(value) if isinstance(value, str) else "" if value is None else str(value)


def _dollars(micros: int) -> str:
    return f"{micros / 1_000_000:.6f}"


def _days(report: Report) -> Iterable[Row]:
    return (
        (
            one.day,
            one.received,
            one.written,
            one.by_people,
            one.by_automation,
            one.by_campaigns,
            one.by_api,
            one.delivered,
            one.read,
            one.failed,
            one.opened,
            one.closed,
            one.runs,
            _dollars(one.ai_cost_micros),
        )
        for one in report.days
    )


def _people(report: Report) -> Iterable[Row]:
    return (
        (
            one.name,
            one.messages,
            one.answers,
            one.answer,
            one.first_responses,
            one.first_response,
            one.closed,
            one.resolution,
        )
        for one in report.people
    )


def _campaigns(report: Report) -> Iterable[Row]:
    return (
        (one.name, one.recipients, one.delivered, one.read, one.failed) for one in report.campaigns
    )


def _workflows(report: Report) -> Iterable[Row]:
    return (
        (one.name, one.runs, one.done, one.failed, one.stopped, one.living)
        for one in report.workflows
    )


def _agents(report: Report) -> Iterable[Row]:
    return (
        (one.name, one.turns, one.tokens, _dollars(one.cost_micros), one.handed_over)
        for one in report.agents
    )


_TABLES: dict[Table, tuple[Row, Callable[[Report], Iterable[Row]]]] = {
    Table.DAYS: (
        (
            "Day",
            "Received",
            "Sent",
            "By people",
            "By automation",
            "By campaigns",
            "By API",
            "Delivered",
            "Read",
            "Failed",
            "Conversations opened",
            "Conversations closed",
            "Workflow runs",
            "AI cost (USD)",
        ),
        _days,
    ),
    Table.OUTCOMES: (
        ("Status", "Messages", "Share (%)"),
        lambda report: ((one.status, one.many, one.per_mille / 10) for one in report.outcomes),
    ),
    Table.FAILURES: (
        ("Code", "Reason", "Messages"),
        lambda report: ((one.code, one.reason, one.many) for one in report.failures),
    ),
    Table.PEOPLE: (
        (
            "Name",
            "Messages",
            "Answers",
            "Median answer (s)",
            "First responses",
            "Median first response (s)",
            "Closed",
            "Median resolution (s)",
        ),
        _people,
    ),
    Table.CAMPAIGNS: (("Campaign", "Recipients", "Delivered", "Read", "Failed"), _campaigns),
    Table.WORKFLOWS: (
        ("Workflow", "Runs", "Done", "Failed", "Stopped", "Not ended"),
        _workflows,
    ),
    Table.AGENTS: (("Agent", "Turns", "Tokens", "Cost (USD)", "Handed over"), _agents),
}
