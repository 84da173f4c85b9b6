"""Segments, lists and consent."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "20261125_audiences"
down_revision = "20261124_connections"


def upgrade() -> None:
    op.create_table(
        "audience_rules",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("stop_words", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("start_words", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("stop_answer", sa.String(), nullable=False),
        sa.Column("start_answer", sa.String(), nullable=False),
        sa.Column("most_messages", sa.Integer(), nullable=False),
        sa.Column("in_days", sa.Integer(), nullable=False),
        sa.Column("undeliverable_after", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("audience_rules_pkey")),
    )
    op.create_table(
        "consent_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("consent_entries_pkey")),
    )
    op.create_index(
        "consent_entries_of_contact",
        "consent_entries",
        ["tenant_id", "contact_id", "id"],
        unique=False,
    )
    op.create_table(
        "delivery_troubles",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "contact_id", name=op.f("delivery_troubles_pkey")),
    )
    op.create_table(
        "segments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("segments_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("segments_tenant_id_name_key")),
    )
    op.create_table(
        "contact_lists",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("columns", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["contact_imports.tenant_id", "contact_imports.id"],
            name=op.f("contact_lists_tenant_id_import_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("contact_lists_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("contact_lists_tenant_id_name_key")),
    )
    op.create_table(
        "list_members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "list_id"],
            ["contact_lists.tenant_id", "contact_lists.id"],
            name=op.f("list_members_tenant_id_list_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "list_id", "contact_id", name=op.f("list_members_pkey")
        ),
    )
    op.create_index(
        "list_members_of_contact", "list_members", ["tenant_id", "contact_id"], unique=False
    )
    op.add_column(
        "contacts", sa.Column("marketing_agreed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute(
        "create trigger append_only before update or delete on consent_entries"
        " for each row execute function refuse_change()"
    )
