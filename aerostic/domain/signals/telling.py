"""How the rest of the domain tells that something happened. Cheap where nobody listens."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.tenancy import Context
from aerostic.domain.signals.models import Listener, Signal, SignalKind, SignalListener

LANE = "automation"


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing to tell."""

    kind: SignalKind
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    number_id: UUID | None = None
    message_id: UUID | None = None
    details: dict[str, Any] = field(default_factory=dict)


def tell(ctx: Context, happened: Iterable[Happened]) -> None:
    """Write down what happened, in this transaction, if anybody of the tenant listens."""
    told = list(happened)
    if not told or not is_heard(ctx):
        return
    ctx.session.add_all(
        Signal(
            kind=one.kind,
            conversation_id=one.conversation_id,
            contact_id=one.contact_id,
            number_id=one.number_id,
            message_id=one.message_id,
            details=one.details,
        )
        for one in told
    )
    due_work.put(ctx, WorkKind.SIGNALS, ctx.tenant_id, due_at=ctx.now)
    ctx.wake(LANE, f"signals:{ctx.tenant_id}")


def is_heard(ctx: Context) -> bool:
    """Whether anybody of the tenant listens."""
    anyone = select(col(SignalListener.listener)).where(
        col(SignalListener.tenant_id) == ctx.tenant_id
    )
    return ctx.session.execute(anyone.limit(1)).first() is not None


def listen(ctx: Context, listener: Listener, *, wanted: bool) -> None:
    """From now on write signals down for this listener, or no longer."""
    if wanted:
        row = {"tenant_id": ctx.tenant_id, "listener": listener}
        ctx.session.execute(insert(SignalListener).values(row).on_conflict_do_nothing())
        return
    this = (
        col(SignalListener.tenant_id) == ctx.tenant_id,
        col(SignalListener.listener) == listener,
    )
    ctx.session.execute(delete(SignalListener).where(*this))
