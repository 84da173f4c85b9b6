"""Connections for the hot lanes: asynchronous, few, and as the app's role.

A lane either opens `tenancy.lane_transaction`, or, where a single statement is the whole transaction,
joins the platform's scope into it: the scope is set by the statement itself, for its own duration, which
saves three of four round trips.
"""

from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from aerostic.core import database

LanePool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]

# A policy is checked for each row after the row was made, so after this has been evaluated.
_PLATFORM = "(select set_config('app.scope', 'platform', true) as scope) as allowed"


def platform_statement(text: str) -> str:
    """The text with `{allowed}`, one row, as the platform's scope; it must read `allowed.scope`."""
    return text.replace("{allowed}", _PLATFORM)


def lane_pool(size: int, *, name: str) -> LanePool:
    """A pool of `size` connections, not open yet. Each statement commits unless told otherwise."""
    return AsyncConnectionPool(
        database.psycopg_url(),
        min_size=size,
        max_size=size,
        open=False,
        name=name,
        timeout=5,
        kwargs={"autocommit": True, "application_name": f"aerostic {name}"},
    )
