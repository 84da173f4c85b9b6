"""A statement as a file: each posting as CSV, or the days as a PDF for the books."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from aerostic.core import money
from aerostic.domain.billing.models import EntryKind
from aerostic.domain.billing.queries import Balances, DayTotal, EntryRow, Statement
from aerostic.domain.contacts.exporting import harmless

WORDS = {
    EntryKind.HOLD: "Set aside",
    EntryKind.CAPTURE: "Charged",
    EntryKind.VOID: "Given back",
    EntryKind.LATE: "Charged late",
    EntryKind.TOP_UP: "Top-up",
    EntryKind.REFUND: "Refund",
    EntryKind.ADJUST: "Adjustment",
    EntryKind.CREDIT: "Credit line",
}
HEADINGS = (
    "time",
    "kind",
    "amount",
    "change_of_balance",
    "currency",
    "message",
    "note",
    "by",
    "transaction",
)


def write_csv(path: Path, rows: Iterable[EntryRow], currency: str) -> None:
    """With a heading line; times in UTC, amounts in plain decimals. One row at a time is in memory."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(_cells(row, currency) for row in rows)


def _cells(row: EntryRow, currency: str) -> Sequence[object]:
    return (
        row.posted_at.isoformat(),
        row.kind,
        money.decimal(row.amount_micros),
        money.decimal(row.change_micros),
        currency,
        row.message_id or "",
        harmless(row.note),
        harmless(row.actor_name),
        row.transaction_id,
    )


def as_pdf(statement: Statement) -> bytes:
    """A4, as many pages as the days need."""
    styles = getSampleStyleSheet()
    parts: list[Flowable] = [
        Paragraph("Statement of the wallet", styles["Title"]),
        Paragraph(_escaped(statement.workspace), styles["Heading2"]),
        Paragraph(
            f"{statement.first:%d %B %Y} to {statement.last:%d %B %Y}, days of"
            f" {_escaped(statement.time_zone)}. Amounts in {statement.currency}.",
            styles["Normal"],
        ),
        Spacer(1, 6 * mm),
        _table([("", "Available", "Held"), *_ends(statement)]),
        Spacer(1, 6 * mm),
        _table([("Day", "What", "Postings", "Amount"), *map(_total, statement.totals)])
        if statement.totals
        else Paragraph("Nothing was posted on these days.", styles["Normal"]),
    ]
    body = io.BytesIO()
    title = f"Statement {statement.first} to {statement.last}"
    SimpleDocTemplate(body, pagesize=A4, title=title, author="Aerostic").build(parts)
    return body.getvalue()


def _ends(statement: Statement) -> list[tuple[str, str, str]]:
    return [
        ("Before", *_amounts(statement.opening)),
        ("After", *_amounts(statement.closing)),
    ]


def _amounts(balances: Balances) -> tuple[str, str]:
    return money.amount(balances.available_micros), money.amount(balances.held_micros)


def _total(one: DayTotal) -> tuple[str, str, str, str]:
    return f"{one.day:%d %b %Y}", WORDS[one.kind], f"{one.count:,}", money.amount(one.micros)


def _table(rows: Sequence[Sequence[str]]) -> Table:
    table = Table(rows, repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
                ("LINEBELOW", (0, 0), (-1, 0), 0.75, colors.black),
                ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.lightgrey),
                ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ]
        )
    )
    return table


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
