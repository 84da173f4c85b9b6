"""Statements that somebody's own choices make slow: how long one may take, and what is said then."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from aerostic.core.errors import Refused
from aerostic.core.tenancy import Context

_LIMIT = text("select set_config('statement_timeout', cast(:milliseconds as text), true)")


class TooSlow(Refused):
    """What was asked for takes too long. Nothing of the transaction remains."""

    code = "too_slow"


def limit(ctx: Context, seconds: float) -> None:
    """No statement of this transaction takes longer: PostgreSQL ends it."""
    ctx.session.execute(_LIMIT, {"milliseconds": round(seconds * 1_000)})


@contextmanager
def at_most(ctx: Context, seconds: float, *, else_say: str) -> Iterator[None]:
    """Raises TooSlow with those words where one statement of it takes longer."""
    limit(ctx, seconds)
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise TooSlow(else_say) from error
        raise
    except QueryCanceled as error:  # a statement of the transaction's own cursor
        raise TooSlow(else_say) from error
