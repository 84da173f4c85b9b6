"""Templates written here, and what became of them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "20261125_templates"
down_revision = "20261125_audiences"


def upgrade() -> None:
    op.create_table(
        "template_events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("is_harm", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["templates.tenant_id", "templates.id"],
            name=op.f("template_events_tenant_id_template_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("template_events_pkey")),
    )
    op.create_index(
        "template_events_of_template",
        "template_events",
        ["tenant_id", "template_id", "id"],
        unique=False,
    )
    op.add_column("messages", sa.Column("template_id", sa.Uuid(), nullable=True))
    op.create_index(
        "messages_of_template",
        "messages",
        ["tenant_id", "template_id", "id"],
        unique=False,
        postgresql_where=sa.text("template_id is not null"),
    )
    op.add_column(
        "templates", sa.Column("draft", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column("templates", sa.Column("ttl_seconds", sa.Integer(), nullable=True))
    op.add_column("templates", sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("templates", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    # Rows that are here already: the default is theirs alone.
    for column in (
        sa.Column(
            "files",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'"),
        ),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("note", sa.String(), nullable=False, server_default=""),
        sa.Column("told_status", sa.String(), nullable=False, server_default=""),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
        ),
    ):
        op.add_column("templates", column)
        op.alter_column("templates", column.name, server_default=None)
