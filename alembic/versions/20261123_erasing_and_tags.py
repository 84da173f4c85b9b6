"""Tags in the order of activity; what an erased person leaves no longer names them."""

import sqlalchemy as sa

from alembic import op

revision = "20261123_erasing_and_tags"
down_revision = "20261123_automation"

# The owner sees no rows but those of the tenant that is set.
_FILL = """
    do $$
    declare one uuid;
    begin
        for one in select id from tenants loop
            perform set_config('app.tenant_id', one::text, true);
            update contact_tags t set last_activity_at = c.last_activity_at from contacts c
            where t.tenant_id = one and c.tenant_id = one and c.id = t.contact_id;
        end loop;
        perform set_config('app.tenant_id', '', true);
    end $$
"""
_OF_NEW_TAG = """
    create function contact_tag_activity() returns trigger language plpgsql as $$
    begin
        new.last_activity_at := coalesce(
            (select last_activity_at from contacts where tenant_id = new.tenant_id and id = new.contact_id),
            new.last_activity_at, now());
        return new;
    end $$
"""
_OF_CONTACTS = """
    create function contact_activity_of_tags() returns trigger language plpgsql as $$
    begin
        if not exists (select from contact_tags where tenant_id = (select tenant_id from moved limit 1)) then
            return null;
        end if;
        update contact_tags t set last_activity_at = moved.last_activity_at from moved
        where t.tenant_id = moved.tenant_id and t.contact_id = moved.id
          and t.last_activity_at <> moved.last_activity_at;
        return null;
    end $$
"""


def upgrade() -> None:
    op.create_table(
        "erased_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("erased_keys_pkey")),
    )
    op.create_table(
        "redactions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("redactions_pkey")),
    )
    op.add_column(
        "contact_tags",
        sa.Column(
            "last_activity_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
    )
    op.execute(_FILL)
    op.create_index(
        "contact_tags_by_activity",
        "contact_tags",
        ["tenant_id", "tag_id", "last_activity_at", "contact_id"],
    )
    op.execute(_OF_NEW_TAG)
    op.execute(_OF_CONTACTS)
    op.execute(
        "create trigger activity before insert on contact_tags "
        "for each row execute function contact_tag_activity()"
    )
    op.execute(
        "create trigger activity_of_tags after update on contacts referencing new table as moved "
        "for each statement execute function contact_activity_of_tags()"
    )


def downgrade() -> None:
    op.execute("drop trigger activity_of_tags on contacts")
    op.execute("drop trigger activity on contact_tags")
    op.execute("drop function contact_activity_of_tags()")
    op.execute("drop function contact_tag_activity()")
    op.drop_index("contact_tags_by_activity", table_name="contact_tags")
    op.drop_column("contact_tags", "last_activity_at")
    op.drop_table("redactions")
    op.drop_table("erased_keys")
