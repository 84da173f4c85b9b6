"""Plans and subscriptions; a recount of days knows where it goes on."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from alembic import op

revision = "20261125_plans"
down_revision = "20261125_starter_rates"

MADE = datetime(2026, 11, 25, tzinfo=UTC)
LIMITS = ("contacts", "messages", "tokens", "storage_bytes")


def upgrade() -> None:
    op.add_column("analytics_progress", sa.Column("next_day", sa.Date(), nullable=True))
    op.add_column("analytics_progress", sa.Column("last_day", sa.Date(), nullable=True))
    plans = op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=True),
        sa.Column("numbers", sa.Integer(), nullable=True),
        sa.Column("members", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in LIMITS),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("plans_pkey")),
        sa.UniqueConstraint("slug", name=op.f("plans_slug_key")),
    )
    op.create_index(
        "plans_default",
        "plans",
        ["is_default"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_for", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("subscriptions_plan_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("subscriptions_pkey")),
    )
    none = dict.fromkeys(("trial_days", "numbers", "members", *LIMITS))
    op.bulk_insert(
        plans,
        [
            none
            | {
                "id": UUID("01930000-0000-7000-8000-000000000001"),
                "slug": "unlimited",
                "name": "Unlimited",
                "summary": "For a company that runs Aerostic for itself.",
                "position": 2,
                "is_default": True,
                "created_at": MADE,
            },
            {
                "id": UUID("01930000-0000-7000-8000-000000000002"),
                "slug": "trial",
                "name": "Trial",
                "summary": "Everything, in small, for two weeks.",
                "position": 1,
                "is_default": False,
                "trial_days": 14,
                "numbers": 1,
                "members": 5,
                "contacts": 5_000,
                "messages": 2_000,
                "tokens": 500_000,
                "storage_bytes": 100_000_000,
                "created_at": MADE,
            },
        ],
    )
