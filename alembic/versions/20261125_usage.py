"""Use and work, added up by day: the sums, and how far they go."""

import sqlalchemy as sa

from alembic import op

revision = "20261125_usage"
down_revision = "20261125_templates"


def upgrade() -> None:
    # Every event that is there gets this migration's transaction, and so is folded once like any other.
    op.add_column(
        "usage_events",
        sa.Column(
            "written_in",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
    )
    op.create_index(
        "usage_events_by_transaction", "usage_events", ["tenant_id", "written_in"], unique=False
    )
    op.create_table(
        "usage_watermarks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("next_transaction", sa.BigInteger(), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=False),
        sa.Column("folded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("usage_watermarks_pkey")),
    )
    op.create_table(
        "tenant_daily_metrics",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "metric", "day", "key", name=op.f("tenant_daily_metrics_pkey")
        ),
    )
    op.create_table(
        "analytics_progress",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recounted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("analytics_progress_pkey")),
    )
