"""What a public address leads to is stamped, triggers look back, a workspace decides about its automation."""

import sqlalchemy as sa

from alembic import op

revision = "20261124_runs"
down_revision = "20261123_erasing_and_tags"


def upgrade() -> None:
    op.create_table(
        "automation_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("hand_back_minutes", sa.Integer(), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("automation_settings_pkey")),
    )
    op.add_column(
        "workflow_directory",
        sa.Column("stamp", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
    )
    op.add_column(
        "workflow_triggers", sa.Column("looked_until", sa.DateTime(timezone=True), nullable=True)
    )
