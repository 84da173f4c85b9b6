"""Monthly partitions of the tables that grow for ever, made ahead, by the database's owner.

Each is partitioned on a UUIDv7, whose first 48 bits are the time. A default partition takes what an odd
clock writes. The app's role is granted nothing on a partition: read directly, one would not pass
the policy of its parent.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from aerostic.core.ids import first_id_at

PARTITIONED = {
    "messages": "id",
    "message_events": "message_id",
    "webhook_deliveries": "id",
    "executions": "id",
    "execution_segments": "execution_id",
    "agent_turns": "id",
    "usage_events": "id",
    "charges": "message_id",
}


def make_ahead(owner: Connection, *, today: datetime, months: int = 3) -> list[str]:
    """Make the partitions of last month to `months` ahead that are missing; return their names."""
    made = []
    for parent in PARTITIONED:
        for start, end in _months(today, months):
            name = f"{parent}_{start:%Y_%m}"
            if _make(
                owner,
                parent,
                name,
                f"from ('{first_id_at(start)}') to ('{first_id_at(end)}')",
            ):
                made.append(name)
        if _make(owner, parent, f"{parent}_other", None):
            made.append(f"{parent}_other")
    return made


def missing(connection: Connection, *, today: datetime, months: int = 1) -> list[str]:
    """The partitions that should exist by now and do not: a finding for the operator."""
    expected = [f"{p}_{start:%Y_%m}" for p in PARTITIONED for start, _ in _months(today, months)]
    return [name for name in expected if not _exists(connection, name)]


def _months(today: datetime, ahead: int) -> Iterator[tuple[datetime, datetime]]:
    for offset in range(-1, ahead + 1):
        yield _month(today, offset), _month(today, offset + 1)


def _month(today: datetime, offset: int) -> datetime:
    year, month = divmod(today.year * 12 + today.month - 1 + offset, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def _exists(connection: Connection, name: str) -> bool:
    return bool(connection.scalar(text("select to_regclass(:name) is not null"), {"name": name}))


def _make(owner: Connection, parent: str, name: str, bounds: str | None) -> bool:
    if _exists(owner, name):
        return False
    values = f"for values {bounds}" if bounds else "default"
    owner.execute(text(f"create table {name} partition of {parent} {values}"))
    return True
