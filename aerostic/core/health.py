"""Is everything there that a request needs?"""

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from aerostic.core import database, queue


def failing() -> str | None:
    """The name of the first part that does not answer, or None."""
    return _failing_database("select 1") or _failing_redis()


def failing_for_work() -> str | None:
    """As `failing`, and the tables must be there: a process is started before they are made."""
    tables = "select id from tenants limit 1"
    return failing() or (_failing_database(tables) and "database tables")


def _failing_database(statement: str) -> str | None:
    try:
        with database.engine().connect() as connection:
            connection.execute(text(statement))
    except SQLAlchemyError:
        return "database"
    return None


def _failing_redis() -> str | None:
    try:
        queue.prompt_connection().ping()
    except RedisError:
        return "redis"
    return None
