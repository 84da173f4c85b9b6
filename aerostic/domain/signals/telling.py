"""How the rest of the domain tells that something happened. Cheap where nobody listens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core import bulk, due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.signals.models import Listener, SignalKind, SignalListener

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


_SIGNALS = bulk.columns(
    id="uuid",
    kind="text",
    conversation_id="uuid",
    contact_id="uuid",
    number_id="uuid",
    message_id="uuid",
    details="jsonb",
)


def tell(ctx: Context, happened: Iterable[Happened]) -> None:
    """Write down what happened, in this transaction, if anybody of the tenant listens."""
    told = list(happened)
    if told and is_heard(ctx):
        tell_listeners(ctx, told)


def tell_listeners(ctx: Context, told: Sequence[Happened]) -> None:
    """The same for who knows that somebody listens: all in one statement."""
    rows = [
        (
            new_id(),
            str(one.kind),
            one.conversation_id,
            one.contact_id,
            one.number_id,
            one.message_id,
            orjson.dumps(one.details).decode(),
        )
        for one in told
    ]
    constants = {"created_at": "clock_timestamp()"}
    bulk.insert(
        ctx.cursor(), "signals", _SIGNALS, rows, tenant_id=ctx.tenant_id, constants=constants
    )
    due_work.put(ctx, WorkKind.SIGNALS, ctx.tenant_id, due_at=ctx.now)
    ctx.wake(LANE, f"signals:{ctx.tenant_id}")


def is_heard(ctx: Context) -> bool:
    """Whether anybody of the tenant listens."""
    return bool(listeners(ctx))


def listeners(ctx: Context) -> frozenset[str]:
    """Who of the tenant listens."""
    cursor = ctx.cursor()
    cursor.execute(
        "select listener from signal_listeners where tenant_id = %s", (ctx.tenant_id,), prepare=True
    )
    return frozenset(listener for (listener,) in cursor.fetchall())


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
