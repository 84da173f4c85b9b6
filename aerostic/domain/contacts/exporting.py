"""Contacts as a file that a spreadsheet opens, and that an import of ours reads back.

Nothing in it can run: a spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and
what a stranger calls himself on WhatsApp stands in these cells.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import select
from sqlmodel import col

from aerostic.core.errors import Refused
from aerostic.core.tenancy import Context
from aerostic.domain.contacts import finding
from aerostic.domain.contacts.access import attributes_by_key
from aerostic.domain.contacts.models import Contact, ContactAttribute, ContactTag, Tag
from aerostic.domain.contacts.schemas import ContactFilter

AT_A_TIME = 1_000
MOST_SHEET_ROWS = 1_048_575  # below the headings: what one sheet of Excel holds
HEADINGS = ("Name", "Phone", "Email", "Language", "Country", "Tags", "WhatsApp name", "Blocked")
TIMES = ("Added", "Last active")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ExportFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


def write(ctx: Context, wanted: ContactFilter, path: Path, kind: ExportFormat) -> int:
    """Write the contacts that a filter shows, a thousand in memory at a time; return how many."""
    attributes = attributes_by_key(ctx)
    headings = [*HEADINGS, *(one.label for one in attributes.values()), *TIMES]
    rows = _rows(ctx, wanted, attributes)
    if kind is ExportFormat.XLSX:
        return _write_sheet(path, headings, rows)
    return _write_csv(path, headings, rows)


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet calculates."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _rows(
    ctx: Context, wanted: ContactFilter, attributes: Mapping[str, ContactAttribute]
) -> Iterator[list[str]]:
    """Walked by id, so that each page starts where the one before ended."""
    tags = {tag.id: tag.name for tag in ctx.session.scalars(select(Tag))}
    last = None
    while True:
        statement = select(Contact).where(*finding.conditions(ctx, wanted))
        if last is not None:
            statement = statement.where(col(Contact.id) > last)
        found = ctx.session.scalars(statement.order_by(col(Contact.id)).limit(AT_A_TIME)).all()
        tags_of = _tags_of(ctx, found, tags)
        for contact in found:
            yield _row(contact, tags_of.get(contact.id, []), attributes)
        if len(found) < AT_A_TIME:
            return
        last = found[-1].id
        ctx.session.expunge_all()  # a million contacts are not kept for the end of the transaction


def _tags_of(
    ctx: Context, contacts: Sequence[Contact], names: Mapping[Any, str]
) -> dict[Any, list[str]]:
    statement = select(col(ContactTag.contact_id), col(ContactTag.tag_id)).where(
        col(ContactTag.tenant_id) == ctx.tenant_id,
        col(ContactTag.contact_id).in_([one.id for one in contacts]),
    )
    found: dict[Any, list[str]] = {}
    for contact_id, tag_id in ctx.session.execute(statement):
        found.setdefault(contact_id, []).append(names[tag_id])
    return found


def _row(
    contact: Contact, tags: Sequence[str], attributes: Mapping[str, ContactAttribute]
) -> list[str]:
    return [
        harmless(contact.name),
        f"+{contact.phone}" if contact.phone else "",  # a plus and digits: no harm in that
        harmless(contact.email or ""),
        contact.language or "",
        contact.country or "",
        harmless(", ".join(sorted(tags))),
        harmless(contact.profile_name),
        "yes" if contact.is_blocked else "no",
        *(harmless(_shown(contact.attributes.get(key))) for key in attributes),
        contact.created_at.isoformat(" ", "seconds"),
        contact.last_activity_at.isoformat(" ", "seconds"),
    ]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _write_csv(path: Path, headings: Sequence[str], rows: Iterator[list[str]]) -> int:
    count = 0
    with path.open(
        "w", encoding="utf-8-sig", newline=""
    ) as out:  # the mark tells Excel that it is UTF-8
        writer = csv.writer(out)
        writer.writerow([harmless(heading) for heading in headings])
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _write_sheet(path: Path, headings: Sequence[str], rows: Iterator[list[str]]) -> int:
    count = 0
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("Contacts")
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, heading)
        for count, row in enumerate(rows, start=1):
            if count > MOST_SHEET_ROWS:
                raise Refused("More contacts than one sheet holds. Export them as CSV instead.")
            for column, cell in enumerate(row):
                sheet.write_string(count, column, cell)
    return count
