"""Connections to PostgreSQL. Only `core` opens them; everyone else is handed a context."""

from functools import cache

import psycopg
from sqlalchemy import Engine, create_engine

from aerostic.core import arrays
from aerostic.core.settings import settings

APP_ROLE = "aerostic_app"

arrays.register(psycopg.adapters)  # before any engine copies them


@cache
def engine() -> Engine:
    """The pool of this process, as the app's role: not the owner, no way around row security."""
    return create_engine(
        settings().database_url,
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=True,  # a restart of PostgreSQL costs no one an error
        hide_parameters=True,  # errors are logged: what people wrote and their hashes are not
        connect_args={"application_name": "aerostic"},
    )


def psycopg_url() -> str:
    """The app role's address as libpq spells it, for the asynchronous lanes."""
    return settings().database_url.replace("postgresql+psycopg://", "postgresql://", 1)


def forget_connections() -> None:
    """In a forked child: drop the parent's connections without closing them for the parent."""
    engine().dispose(close=False)
