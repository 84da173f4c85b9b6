"""A rate card to begin with; a campaign's messages name no number where they are charged."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from aerostic.core.ids import new_id
from alembic import op

revision = "20261125_starter_rates"
down_revision = "20261125_billing"

DATA = Path(__file__).parent.parent.parent / "aerostic/domain/billing/data"
CARD = "starter-rates-2026-11-23.csv"  # a later card is a file of its own: this one stays as it is


def upgrade() -> None:
    op.alter_column("charges", "number_id", existing_type=sa.Uuid(), nullable=True)
    rates = sa.table(
        "rates",
        sa.column("id", sa.Uuid()),
        sa.column("currency", sa.String()),
        sa.column("market", sa.String()),
        sa.column("category", sa.String()),
        sa.column("micros", sa.BigInteger()),
        sa.column("valid_from", sa.Date()),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    op.bulk_insert(
        rates, [_rate(row) for row in csv.DictReader((DATA / CARD).read_text().splitlines())]
    )


def _rate(row: dict[str, str]) -> dict[str, object]:
    return {
        "id": new_id(),
        "currency": row["currency"],
        "market": row["market"],
        "category": row["category"],
        "micros": int(Decimal(row["price"]) * 1_000_000),
        "valid_from": date.fromisoformat(row["valid_from"]),
        "created_at": datetime.now(UTC),
    }
