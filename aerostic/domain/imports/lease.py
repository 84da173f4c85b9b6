"""One worker at a time takes a file in: whoever holds the lease in the directory of due work."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, update
from sqlmodel import col

from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.tenancy import Context

LASTS = timedelta(
    seconds=90
)  # many times what a batch takes; a crashed worker's file waits this long


def ask_for(ctx: Context, import_id: UUID) -> None:
    """Put the import into the directory of due work."""
    due = DueWork(kind=WorkKind.IMPORT, tenant_id=ctx.tenant_id, ref=import_id, due_at=ctx.now)
    ctx.session.merge(due)


def take(ctx: Context, import_id: UUID, holder: str) -> bool:
    """Become the one who works on the import; False where it is not due or someone else is."""
    free = or_(
        col(DueWork.leased_until).is_(None),
        col(DueWork.leased_until) < ctx.now,
        col(DueWork.leased_by) == holder,
    )
    return _hold(ctx, import_id, holder, free)


def renew(ctx: Context, import_id: UUID, holder: str) -> bool:
    """Keep it for another while; False where it was lost in between."""
    return _hold(ctx, import_id, holder, col(DueWork.leased_by) == holder)


def let_go(ctx: Context, import_id: UUID) -> None:
    """Someone else may go on at once."""
    free = {"leased_by": None, "leased_until": None, "due_at": ctx.now}
    ctx.session.execute(update(DueWork).where(*_this(ctx, import_id)).values(free))


def settle(ctx: Context, import_id: UUID) -> None:
    """Nothing is due any more."""
    ctx.session.execute(delete(DueWork).where(*_this(ctx, import_id)))


def _hold(ctx: Context, import_id: UUID, holder: str, condition: ColumnElement[bool]) -> bool:
    held = (
        update(DueWork)
        .where(*_this(ctx, import_id), condition)
        .values(leased_by=holder, leased_until=ctx.now + LASTS)
        .returning(col(DueWork.ref))
    )
    return ctx.session.scalar(held) is not None


def _this(ctx: Context, import_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        col(DueWork.kind) == WorkKind.IMPORT,
        col(DueWork.tenant_id) == ctx.tenant_id,
        col(DueWork.ref) == import_id,
    )
