"""The boundary between tenants, as PostgreSQL keeps it: policies and grants.

Run by the database's owner after every migration, so that a table can not be forgotten; a test then
asks PostgreSQL itself.
"""

from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from aerostic.core.tenancy import AppendOnlyModel, PlatformModel, TenantModel

OF_THIS_TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
OF_THE_PLATFORM = "current_setting('app.scope', true) = 'platform'"


def tables_of(base: type[SQLModel]) -> list[str]:
    """The tables of a kind of row, by name."""
    found = []
    for model in base.__subclasses__():
        if hasattr(model, "__table__"):
            found.append(str(model.__tablename__))
        found += tables_of(model)
    return sorted(set(found))


def secure(owner: Connection, *, app_role: str) -> None:
    """Force a policy on every tenant and platform table, and grant the app's role just what it needs."""
    for table in tables_of(TenantModel):
        _force(owner, table, OF_THIS_TENANT)
    for table in tables_of(PlatformModel):
        _force(owner, table, OF_THE_PLATFORM)
    _grant(owner, app_role)


def _force(owner: Connection, table: str, rule: str) -> None:
    owner.execute(text(f"alter table {table} enable row level security"))
    owner.execute(text(f"alter table {table} force row level security"))
    owner.execute(text(f"drop policy if exists boundary on {table}"))
    owner.execute(text(f"create policy boundary on {table} using ({rule}) with check ({rule})"))


def _grant(owner: Connection, app_role: str) -> None:
    role = '"' + app_role.replace('"', '""') + '"'
    owner.execute(text(f"grant usage on schema public to {role}"))
    for name, is_partition in owner.execute(text(_TABLES)):
        owner.execute(text(f"revoke all on {name} from {role}"))
        if not is_partition and name != "alembic_version":
            owner.execute(text(f"grant select, insert, update, delete on {name} to {role}"))
    for name in tables_of(AppendOnlyModel):
        owner.execute(text(f"revoke update, delete on {name} from {role}"))


_TABLES = """
    select relname, relispartition from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname
"""
