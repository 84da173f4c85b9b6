"""The only place that asks what time it is."""

from datetime import UTC, date, datetime, timedelta


def now() -> datetime:
    """This moment, aware, UTC, microseconds."""
    return datetime.now(UTC)


def today() -> date:
    """Today's date in UTC."""
    return now().date()


def from_meta(seconds: str | int) -> datetime:
    """Meta sends unix seconds as a string. Raises ValueError for what is no moment."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, OSError, TypeError) as error:
        raise ValueError(f"{seconds!r} is not a moment in time") from error


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
