"""Every table belongs to a tenant, to the platform, or to a short list. PostgreSQL itself is asked."""

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

import aerostic.domain  # noqa: F401  (loads every table)
from aerostic.core.permissions import STRANGER
from aerostic.core.row_security import tables_of
from aerostic.core.settings import settings
from aerostic.core.tenancy import PlatformModel, SharedModel, TenantModel, shared_work

# Without row security. Hold nothing private: who exists, who may enter where, and directories of
# ids and digests that lead from something outside to a tenant. Waiting e-mails are sealed.
SHARED = {
    "tenants",
    "users",
    "memberships",
    "user_sessions",
    "refresh_tokens",
    "verification_codes",
    "invitation_directory",
    "number_directory",
    "account_directory",
    "due_work",
    "workflow_directory",
    "oauth_states",
    "google_account_uses",
    "timers",
    "plans",
    "rates",
    "waiting_mails",
}
TABLES = sorted(SQLModel.metadata.tables)
TENANT_TABLES = tables_of(TenantModel)
PLATFORM_TABLES = tables_of(PlatformModel)


def ask(statement: str, **values: object) -> list[tuple[object, ...]]:
    engine = create_engine(settings().database_owner_url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(statement), values)]
    engine.dispose()
    return rows


def test_every_table_is_of_one_kind_and_the_shared_ones_are_listed():
    assert len(TABLES) > 30
    assert set(tables_of(SharedModel)) == SHARED
    assert sorted([*TENANT_TABLES, *PLATFORM_TABLES, *SHARED]) == TABLES


@pytest.mark.parametrize("table", [*TENANT_TABLES, *PLATFORM_TABLES])
def test_row_security_is_forced(table):
    flags = ask(
        "select relrowsecurity, relforcerowsecurity from pg_class where oid = to_regclass(:t)",
        t=table,
    )
    assert flags == [(True, True)]


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_a_tenants_policy_compares_uuid_with_uuid_for_reading_and_writing(table):
    policies = ask("select qual, with_check, cmd from pg_policies where tablename = :t", t=table)
    rule = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
    assert policies == [(rule, rule, "ALL")]


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_keys_start_with_the_tenant_and_foreign_keys_stay_inside_it(table):
    found = SQLModel.metadata.tables[table]
    assert next(iter(found.primary_key.columns)).name == "tenant_id"
    for key in found.foreign_key_constraints:
        if key.referred_table.name not in SHARED:
            assert key.column_keys[0] == "tenant_id", (
                f"{key.name} could point at another tenant's row"
            )
            assert next(iter(key.elements)).column.name == "tenant_id"


def test_the_app_role_owns_nothing_and_can_not_step_around():
    role = "select current_user"
    with shared_work(STRANGER) as ctx:
        (app,) = ctx.session.execute(text(role)).one()
    flags = ask(
        "select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = :r", r=app
    )
    assert flags == [(False, False, False)]
    assert ask("select relname from pg_class where relowner = to_regrole(:r)", r=app) == []
    members = "select 1 from pg_auth_members where member = to_regrole(:r)"
    assert ask(members, r=app) == []


def test_the_app_role_has_no_grant_on_a_partition():
    partitions = ask("select relname from pg_class where relispartition and relkind = 'r'")
    assert len(partitions) >= 15
    granted = ask(
        "select c.relname from pg_class c where c.relispartition and c.relkind = 'r' and "
        "has_table_privilege(:r, c.oid, 'select, insert, update, delete')",
        r="aerostic_app",
    )
    assert granted == []
