"""Migrations run as the database's owner; after them every table gets its policy, grants and partitions."""

from sqlalchemy import Connection, create_engine, make_url, text
from sqlmodel import SQLModel

import aerostic.domain  # noqa: F401  (loads every table)
from aerostic.core import clock, partitions, row_security
from aerostic.core.settings import settings
from alembic import context


def belongs_to_us(connection: Connection) -> object:
    """Partitions are made by `core.partitions`, not by migrations."""
    found = connection.execute(text("select relname from pg_class where relispartition"))
    made = {row.relname for row in found}

    def include(
        _object: object, name: str | None, kind: str, _reflected: bool, _to: object
    ) -> bool:
        return not (kind == "table" and name in made)

    return include


def run() -> None:
    engine = create_engine(settings().database_owner_url)
    with engine.connect() as connection:
        connection.execute(text("set lock_timeout = '5s'"))
        # Two starts at once: the second waits, then finds nothing to do.
        connection.execute(text("select pg_advisory_lock(7305831)"))
        include_object = belongs_to_us(connection)
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            include_object=include_object,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if not _only_looking():
            app_role = make_url(settings().database_url).username or ""
            partitions.make_ahead(connection, today=clock.now())
            row_security.secure(connection, app_role=app_role)
            connection.commit()
    engine.dispose()


def _only_looking() -> bool:
    """`alembic check` and `revision` compare; they must not change."""
    command = getattr(context.config.cmd_opts, "cmd", None)
    return bool(command) and command[0].__name__ in {"check", "revision"}


run()
