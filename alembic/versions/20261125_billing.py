"""Wallets, the ledger, prices, and what each message costs."""

import sqlalchemy as sa

from alembic import op

revision = "20261125_billing"
down_revision = "20261125_mail"


def upgrade() -> None:
    op.create_table(
        "wallets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("available_micros", sa.BigInteger(), nullable=False),
        sa.Column("held_micros", sa.BigInteger(), nullable=False),
        sa.Column("spent_micros", sa.BigInteger(), nullable=False),
        sa.Column("owed_micros", sa.BigInteger(), nullable=False),
        sa.Column("funded_micros", sa.BigInteger(), nullable=False),
        sa.Column("credit_limit_micros", sa.BigInteger(), nullable=False),
        sa.Column("low_balance_micros", sa.BigInteger(), nullable=True),
        sa.Column("is_low", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "available_micros + held_micros + spent_micros - owed_micros = funded_micros",
            name="wallets_sum_to_zero",
        ),
        sa.CheckConstraint(
            "available_micros >= -credit_limit_micros", name="wallets_within_credit"
        ),
        sa.CheckConstraint(
            "held_micros >= 0 and spent_micros >= 0 and owed_micros >= 0 and credit_limit_micros >= 0",
            name="wallets_not_negative",
        ),
        sa.CheckConstraint(
            "owed_micros = 0 or available_micros = -credit_limit_micros",
            name="wallets_pay_debts_first",
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("wallets_pkey")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("refers_to", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("ledger_entries_pkey")),
    )
    op.create_index(
        "ledger_entries_once",
        "ledger_entries",
        ["tenant_id", "key"],
        unique=True,
        postgresql_where=sa.text("key is not null"),
    )
    op.create_table(
        "charges",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("price_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("is_of_allowance", sa.Boolean(), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", name=op.f("charges_pkey")),
        postgresql_partition_by="RANGE (message_id)",
    )
    op.create_index(
        "charges_of_hold",
        "charges",
        ["tenant_id", "hold_id"],
        unique=False,
        postgresql_where=sa.text("hold_id is not null"),
    )
    op.create_table(
        "campaign_holds",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("assigned_micros", sa.BigInteger(), nullable=False),
        sa.Column("assigned_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("assigned_micros <= micros", name="campaign_holds_cover_their_messages"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("campaign_holds_pkey")),
    )
    op.create_index(
        "campaign_holds_of_campaign", "campaign_holds", ["tenant_id", "campaign_id"], unique=False
    )
    op.create_table(
        "service_months",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("number_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number_id"],
            ["phone_numbers.tenant_id", "phone_numbers.id"],
            name=op.f("service_months_tenant_id_number_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "number_id", "month", name=op.f("service_months_pkey")
        ),
    )
    op.create_table(
        "rates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("rates_pkey")),
        sa.UniqueConstraint(
            "currency",
            "market",
            "category",
            "valid_from",
            name=op.f("rates_currency_market_category_valid_from_key"),
        ),
    )
    op.create_table(
        "tenant_prices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("tenant_prices_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "market",
            "category",
            "valid_from",
            name=op.f("tenant_prices_tenant_id_market_category_valid_from_key"),
        ),
    )
    # Written once: the app's role may not change an entry, and this refuses it to everyone else.
    op.execute(
        "create trigger append_only before update or delete on ledger_entries"
        " for each row execute function refuse_change()"
    )
