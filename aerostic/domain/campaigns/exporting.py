"""What became of every recipient, as a file that a spreadsheet opens."""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from aerostic.core import money
from aerostic.core.tenancy import Context
from aerostic.domain.campaigns import listing
from aerostic.domain.campaigns.schemas import RecipientRow
from aerostic.domain.contacts.exporting import harmless

AT_A_TIME = 1_000
HEADINGS = (
    "Contact",
    "Name",
    "Phone",
    "State",
    "Reason",
    "Text",
    "Attempts",
    "Message",
    "Price",
    "Market",
    "Sent",
    "Replied",
)


def write(ctx: Context, campaign_id: UUID, path: Path) -> int:
    """Write every recipient, a thousand in memory at a time; return how many."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for row in _rows(ctx, campaign_id):
            writer.writerow(_cells(row))
            count += 1
    return count


def _rows(ctx: Context, campaign_id: UUID) -> Iterator[RecipientRow]:
    after = None
    while True:
        found = listing.some(ctx, campaign_id, after=after, limit=AT_A_TIME)
        yield from found
        if len(found) < AT_A_TIME:
            return
        after = found[-1].contact_id
        ctx.session.expunge_all()  # a million are not kept for the end of the transaction


def _cells(row: RecipientRow) -> list[str]:
    return [
        str(row.contact_id),
        harmless(row.name),
        harmless(f"+{row.phone}") if row.phone else "",
        row.state,
        row.reason_words,
        str(row.variant + 1),
        str(row.attempt),
        str(row.message_id or ""),
        money.decimal(row.micros),
        row.market,
        *map(_moment, (row.sent_at, row.replied_at)),
    ]


def _moment(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""
