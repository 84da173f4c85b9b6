"""Campaigns and their recipients, which follow their messages."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "20261125_campaigns"
down_revision = "20261125_usage"

_JSON = postgresql.JSONB(astext_type=sa.Text())
_MOMENT = sa.DateTime(timezone=True)

# Whoever changes a message, its recipient follows in the same transaction. By message, not by contact: of
# someone who is written to again, the first message counts no longer.
_FOLLOW = """
    create function campaign_recipient_follows() returns trigger language plpgsql as $$
    begin
        update campaign_recipients set
            state = case new.status
                when 'accepted' then 'sent' when 'played' then 'read' else new.status end,
            reason = case new.status
                when 'failed' then coalesce(new.failure ->> 'code', 'failed') end
        where tenant_id = new.tenant_id and message_id = new.id;
        return null;
    end $$
"""
_FOLLOWING = """
    create trigger campaign_recipient after update of status on messages for each row
    when (new.origin = 'campaign' and new.status is distinct from old.status
        and new.status not in ('queued', 'sending')
        and not (old.status = 'accepted' and new.status = 'sent'))
    execute function campaign_recipient_follows()
"""


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("audience", _JSON, nullable=False),
        sa.Column("variants", _JSON, nullable=False),
        sa.Column("hold_out_percent", sa.Integer(), nullable=False),
        sa.Column("number_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("timing", _JSON, nullable=False),
        sa.Column("most_per_minute", sa.Integer(), nullable=True),
        sa.Column("pause_at_failure_percent", sa.Integer(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("approved_by_name", sa.String(), nullable=True),
        sa.Column("approved_at", _MOMENT, nullable=True),
        sa.Column("is_expanding", sa.Boolean(), nullable=False),
        sa.Column("expanded_until", sa.Uuid(), nullable=True),
        sa.Column("expanded_at", _MOMENT, nullable=True),
        sa.Column("plan", _JSON, nullable=False),
        sa.Column("skips_missing", sa.Boolean(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("priced_at", _MOMENT, nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("allowance", sa.Float(), nullable=False),
        sa.Column("ticked_at", _MOMENT, nullable=True),
        sa.Column("watched_at", _MOMENT, nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("next_turn_at", _MOMENT, nullable=True),
        sa.Column("created_by_name", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("starts_at", _MOMENT, nullable=True),
        sa.Column("launched_at", _MOMENT, nullable=True),
        sa.Column("paused_at", _MOMENT, nullable=True),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("campaigns_pkey")),
    )
    op.create_index("campaigns_newest", "campaigns", ["tenant_id", "id"])
    op.create_index("campaigns_of_series", "campaigns", ["tenant_id", "series_id", "id"])
    _make_recipients()
    op.create_table(
        "campaign_responses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "campaign_id", "contact_id", "kind", name=op.f("campaign_responses_pkey")
        ),
    )
    op.create_table(
        "campaign_hours",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("number_id", sa.Uuid(), nullable=False),
        sa.Column("hour", _MOMENT, nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("campaign_hours_tenant_id_number_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "number_id", "hour", name=op.f("campaign_hours_pkey")),
    )
    op.create_table(
        "campaign_events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "campaign_id"],
            ["campaigns.tenant_id", "campaigns.id"],
            name=op.f("campaign_events_tenant_id_campaign_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("campaign_events_pkey")),
    )
    op.create_index(
        "campaign_events_of_campaign", "campaign_events", ["tenant_id", "campaign_id", "id"]
    )
    op.execute(_FOLLOW)
    op.execute(_FOLLOWING)


def _make_recipients() -> None:
    op.create_table(
        "campaign_recipients",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("cells", _JSON, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("variant", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("attempt", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("number_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("market", sa.String(), server_default="", nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint(
            "tenant_id", "campaign_id", "contact_id", name=op.f("campaign_recipients_pkey")
        ),
        # Room for a recipient's next states beside the first, so that indexes are left alone.
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "campaign_recipients_due",
        "campaign_recipients",
        ["tenant_id", "campaign_id", "due_at", "contact_id"],
        postgresql_where=sa.text("due_at is not null"),
    )
    op.create_index(
        "campaign_recipients_of_contact", "campaign_recipients", ["tenant_id", "contact_id"]
    )
    op.create_index(
        "campaign_recipients_of_message",
        "campaign_recipients",
        ["tenant_id", "message_id"],
        postgresql_where=sa.text("message_id is not null"),
    )


def downgrade() -> None:
    op.execute("drop trigger campaign_recipient on messages")
    op.execute("drop function campaign_recipient_follows()")
    for name in (
        "campaign_events",
        "campaign_hours",
        "campaign_responses",
        "campaign_recipients",
        "campaigns",
    ):
        op.drop_table(name)
