"""E-mails that wait to leave."""

import sqlalchemy as sa

from alembic import op

revision = "20261125_mail"
down_revision = "20261125_campaigns"


def upgrade() -> None:
    op.create_table(
        "waiting_mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("waiting_mails_pkey")),
    )
    op.create_index(op.f("waiting_mails_due_at_idx"), "waiting_mails", ["due_at"], unique=False)
