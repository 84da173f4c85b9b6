"""What the scheduler starts, and how often. Several schedulers may run: whoever locks a row starts it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core.queue import QueueName
from aerostic.core.tenancy import Context
from aerostic.domain.platform.models import Timer


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A job that starts every so often."""

    name: str
    job: str
    every: timedelta
    queue: QueueName = QueueName.DEFAULT


def prepare(ctx: Context, scheduled: Iterable[Scheduled]) -> None:
    """Give each its row; one that is new is due at once."""
    rows = [{"name": one.name, "next_run_at": ctx.now} for one in scheduled]
    ctx.session.execute(insert(Timer).values(rows).on_conflict_do_nothing())


def take_due(ctx: Context, scheduled: Iterable[Scheduled]) -> list[Scheduled]:
    """Those whose time has come. Their next time is set with this transaction, so each is started once."""
    known = {one.name: one for one in scheduled}
    due = (
        select(Timer)
        .where(col(Timer.next_run_at) <= ctx.now, col(Timer.name).in_(known))
        .with_for_update(skip_locked=True)
    )
    taken = []
    for timer in ctx.session.scalars(due):
        one = known[timer.name]
        timer.last_run_at, timer.next_run_at = ctx.now, ctx.now + one.every
        taken.append(one)
    return taken
