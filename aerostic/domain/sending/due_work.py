"""The directory of due work: who takes what, for how long. Ids only, so that it needs no tenant."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.sending.models import DueWork, WorkKind

Ref = tuple[UUID, UUID]  # tenant, row


def take(ctx: Context, kind: WorkKind, *, limit: int, lease: timedelta, holder: str) -> list[Ref]:
    """Work that is due and nobody holds, held by `holder` for a while. Two who ask get different work."""
    free = or_(col(DueWork.leased_until).is_(None), col(DueWork.leased_until) < ctx.now)
    due = (
        select(col(DueWork.tenant_id), col(DueWork.ref))
        .where(col(DueWork.kind) == kind, col(DueWork.due_at) <= ctx.now, free)
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


def settle(ctx: Context, kind: WorkKind, ref: UUID) -> None:
    """It is done, or there is nothing to do."""
    ctx.session.execute(delete(DueWork).where(*_this(kind, ctx.tenant_id, ref)))


def postpone(ctx: Context, kind: WorkKind, ref: UUID, until: datetime) -> None:
    """Not now: whoever looks then may take it."""
    later = {"due_at": until, "leased_by": None, "leased_until": None}
    ctx.session.execute(update(DueWork).where(*_this(kind, ctx.tenant_id, ref)).values(later))


def _this(kind: WorkKind, tenant_id: UUID, ref: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        col(DueWork.kind) == kind,
        col(DueWork.tenant_id) == tenant_id,
        col(DueWork.ref) == ref,
    )
