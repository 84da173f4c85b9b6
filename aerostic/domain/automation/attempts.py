"""A step may go wrong in any way, and must take nobody along: what went wrong, in words for the log."""

import logging
from types import TracebackType

import psycopg
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError

from aerostic.core.errors import AppError
from aerostic.domain.automation.nodes.base import NodeFailed
from aerostic.domain.automation.templates import TemplateProblem

log = logging.getLogger(__name__)

BROKEN = "This step met a mistake in the product itself. It was noted for whoever runs it."
_PASSING = (
    "08",
    "40",
    "53",
    "57",
)  # classes of PostgreSQL's: connection, rollback, resources, operator


class Lost(Exception):
    """The run is another process's by now, was cancelled, or can not be written down now."""


class Attempt:
    """Keeps what was raised inside of it. `failure` is that for the log; `passes` that nobody is at fault."""

    def __init__(self) -> None:
        self.failure: NodeFailed | None = None
        self.passes: Exception | None = None

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if _may_pass(error):
            self.passes = error
        else:
            self.failure = failure_of(error)
        return True


def failure_of(error: Exception) -> NodeFailed:
    """What the log says of it."""
    if isinstance(error, NodeFailed):
        return error
    if isinstance(error, TemplateProblem):
        return NodeFailed(error.sentence)
    if isinstance(error, AppError):
        return NodeFailed(error.message, may_pass=error.status == 503)
    if isinstance(error, TimeoutError):
        return NodeFailed("It took too long.", may_pass=True)
    log.error("a step broke", exc_info=error)
    return NodeFailed(BROKEN)


def _may_pass(error: Exception) -> bool:
    """Whether the database had no time for it, and will have."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, Lost | PoolTimeout):
        return True
    if not isinstance(cause, psycopg.Error):
        return False
    return (cause.sqlstate or "08")[:2] in _PASSING
