"""The directory of due work: who takes what, for how long. Ids only, so that it needs no tenant."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Index, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, col

from aerostic.core.tenancy import Context, SharedModel, created, moment


class WorkKind(StrEnum):
    LANE = "lane"  # a number with messages to send
    MEDIA = "media"  # a file to fetch from Meta
    IMPORT = "import"  # a file of contacts to take in
    SNOOZE = "snooze"  # a conversation to wake
    SIGNALS = "signals"  # a tenant in which something happened that a workflow may hear; `ref` is the tenant
    RUN = "run"  # an execution to begin or to wake
    SCHEDULE = "schedule"  # a trigger that goes by the clock
    KNOWLEDGE = "knowledge"  # a document to read
    WEBHOOKS = "webhooks"  # an endpoint of another program that has something to hear
    LOW_BALANCE = "low_balance"  # a wallet whose owners are to be told
    CAMPAIGN = "campaign"  # one to plan, to begin or to go on with
    RELEASE = "release"  # a conversation that a person gives back to whoever answers its number


class DueWork(SharedModel, table=True):
    """A directory of work that is due: ids only. Sweepers and lanes claim here with a lease."""

    __tablename__ = "due_work"
    __table_args__ = (Index("due_work_next", "kind", "due_at"),)

    kind: str = Field(primary_key=True)
    tenant_id: UUID = Field(primary_key=True)
    ref: UUID = Field(primary_key=True)
    due_at: datetime = created()
    leased_by: str | None = None
    leased_until: datetime | None = moment(default=None)


Ref = tuple[UUID, UUID]  # tenant, row


def take(
    ctx: Context,
    kind: WorkKind,
    *,
    limit: int,
    lease: timedelta,
    holder: str,
    but: Collection[UUID] = (),
) -> list[Ref]:
    """Work that is due and nobody holds, held by `holder` for a while. Two who ask get different work.

    `but`: what the holder is still at, whatever became of its lease.
    """
    free = or_(col(DueWork.leased_until).is_(None), col(DueWork.leased_until) < ctx.now)
    due = (
        select(col(DueWork.tenant_id), col(DueWork.ref))
        .where(
            col(DueWork.kind) == kind,
            col(DueWork.due_at) <= ctx.now,
            free,
            col(DueWork.ref).not_in(but),
        )
        .order_by(col(DueWork.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = [(tenant_id, ref) for tenant_id, ref in ctx.session.execute(due)]
    for tenant_id, ref in taken:
        held = {"leased_by": holder, "leased_until": ctx.now + lease}
        ctx.session.execute(update(DueWork).where(*_this(kind, tenant_id, ref)).values(held))
    return taken


def waiting(ctx: Context, kind: WorkKind, *, limit: int) -> list[Ref]:
    """Work that is due and nobody holds, taken by nobody: whoever does it takes it then."""
    free = or_(col(DueWork.leased_until).is_(None), col(DueWork.leased_until) < ctx.now)
    due = select(col(DueWork.tenant_id), col(DueWork.ref)).where(
        col(DueWork.kind) == kind, col(DueWork.due_at) <= ctx.now, free
    )
    return [(tenant_id, ref) for tenant_id, ref in ctx.session.execute(due.limit(limit))]


def put(ctx: Context, kind: WorkKind, ref: UUID, *, due_at: datetime) -> None:
    """See to it that it is looked at then, or sooner if that was agreed already."""
    row = {"kind": kind, "tenant_id": ctx.tenant_id, "ref": ref, "due_at": due_at}
    given = insert(DueWork).values(row)
    sooner = {"due_at": func.least(col(DueWork.due_at), given.excluded.due_at)}
    ctx.session.execute(
        given.on_conflict_do_update(index_elements=["kind", "tenant_id", "ref"], set_=sooner)
    )


def settle(ctx: Context, kind: WorkKind, ref: UUID) -> None:
    """It is done, or there is nothing to do."""
    ctx.session.execute(delete(DueWork).where(*_this(kind, ctx.tenant_id, ref)))


def postpone(ctx: Context, kind: WorkKind, ref: UUID, until: datetime) -> None:
    """Not now: whoever looks then may take it."""
    later = {"due_at": until, "leased_by": None, "leased_until": None}
    ctx.session.execute(update(DueWork).where(*_this(kind, ctx.tenant_id, ref)).values(later))


def keep(ctx: Context, kind: WorkKind, ref: UUID, until: datetime) -> None:
    """Whoever is at it stays at it: nobody else takes it so soon."""
    held = {"leased_until": until}
    ctx.session.execute(update(DueWork).where(*_this(kind, ctx.tenant_id, ref)).values(held))


def wake_lane(ctx: Context, number_id: UUID) -> None:
    """See to it that a sender looks at this number's queue after the commit, at once.

    The row is taken with a lock that many writers share and only a lane that wants to rest does not: so
    a lane never rests beside a message that is being written. Writers do not wait for each other.
    """
    this = _this(WorkKind.LANE, ctx.tenant_id, number_id)
    row = {"kind": WorkKind.LANE, "tenant_id": ctx.tenant_id, "ref": number_id}
    while True:
        ctx.session.execute(insert(DueWork).values(**row, due_at=ctx.now).on_conflict_do_nothing())
        due_at = ctx.session.execute(
            select(col(DueWork.due_at)).where(*this).with_for_update(read=True, key_share=True)
        ).scalar_one_or_none()
        if due_at is None:  # the lane went to rest between the two statements
            continue
        if due_at > ctx.now:
            ctx.session.execute(update(DueWork).where(*this).values(due_at=ctx.now))
        break
    ctx.wake("lane", f"{ctx.tenant_id}:{number_id}")


def _this(kind: WorkKind, tenant_id: UUID, ref: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        col(DueWork.kind) == kind,
        col(DueWork.tenant_id) == tenant_id,
        col(DueWork.ref) == ref,
    )
