"""The database's schema, from the command line: bring it up to date, and refuse unsafe roles."""

import subprocess
import sys
from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from aerostic.core import clock, partitions
from aerostic.core.settings import settings
from aerostic.operations.configuration import ROOT
from aerostic.operations.errors import OperationError
from alembic import command

OLDEST_POSTGRES = 150000


def alembic_config() -> Config:
    return Config(ROOT / "alembic.ini")


def migrate() -> None:
    """Bring the schema up to date, as the owner. Repeatable; two at once wait for each other."""
    check_roles()
    try:
        command.upgrade(alembic_config(), "head")
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()[0]
        if isinstance(error.orig, psycopg.errors.DiskFull):
            said = "the disk is full. Free some space and run the same command again"
        raise OperationError(f"The database could not be brought up to date: {said}.") from error


def is_current() -> bool:
    """Whether the database stands at the newest migration, with partitions for the coming months."""
    newest = set(ScriptDirectory(str(ROOT / "alembic")).get_heads())
    with _connect(settings().database_owner_url, "AEROSTIC_DATABASE_OWNER_URL") as connection:
        known = connection.execute("select to_regclass('public.alembic_version')").fetchone()
        if known is None or known[0] is None:
            return False
        rows = connection.execute("select version_num from alembic_version").fetchall()
    return {row[0] for row in rows} == newest and not _missing_partitions()


def _missing_partitions() -> list[str]:
    owner = create_engine(settings().database_owner_url)
    with owner.connect() as connection:
        missing = partitions.missing(connection, today=clock.now(), months=2)
    owner.dispose()
    return missing


def check_roles() -> None:
    """Row security holds only for a role that it holds for. Raises OperationError otherwise."""
    with _connect(settings().database_url, "AEROSTIC_DATABASE_URL") as connection:
        if connection.info.server_version < OLDEST_POSTGRES:
            raise OperationError(
                f"PostgreSQL {connection.info.server_version // 10000} is too old: 15 or newer is needed."
            )
        row = connection.execute(
            "select r.rolname, r.rolsuper or r.rolbypassrls,"
            " r.oid = d.datdba from pg_roles r, pg_database d"
            " where r.rolname = current_user and d.datname = current_database()"
        ).fetchone()
    assert row is not None
    name, passes_by, owns = row
    if passes_by or owns:
        why = "is a superuser or has BYPASSRLS" if passes_by else "owns the database"
        raise OperationError(
            f"AEROSTIC_DATABASE_URL signs in as “{name}”, which {why}: the boundary between tenants "
            "would not hold. Use a role of its own that owns nothing; docs/operations.md shows how."
        )


def _connect(url: str, setting: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection, or the setting's name and what the server said."""
    try:
        return psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=10)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        raise OperationError(
            f"{setting}: the database can not be reached. It said: {said}"
        ) from error


def migrations_match_models() -> subprocess.CompletedProcess[str]:
    """Alembic's own comparison of tables and models."""
    words = [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), "check"]
    return subprocess.run(words, capture_output=True, text=True, cwd=Path(ROOT), check=False)
