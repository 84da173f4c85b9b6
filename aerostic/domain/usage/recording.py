"""How the rest of the domain says that something was used: in the transaction in which it was."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from aerostic.core import bulk
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.usage.models import UsageEvent, UsageKind


def record(
    ctx: Context,
    kind: UsageKind,
    quantity: int,
    *,
    ref: UUID | None = None,
    cost_micros: int = 0,
    **details: Any,
) -> None:
    """Write a use down for ever. `details`: names and figures, nothing about a person."""
    event = UsageEvent(
        id=new_id(),
        kind=kind,
        quantity=quantity,
        cost_micros=cost_micros,
        ref=ref,
        details=details,
        occurred_at=ctx.now,
    )
    ctx.session.add(event)


_EVENTS = bulk.columns(id="uuid", ref="uuid")


def record_each(ctx: Context, kind: UsageKind, refs: Iterable[UUID]) -> None:
    """One use of each of these, in one statement. The lanes write the same in their own statements."""
    rows = [(new_id(), ref) for ref in refs]
    constants = {
        "kind": f"'{kind}'",
        "quantity": "1",
        "cost_micros": "0",
        "details": "'{}'",
        "occurred_at": "now()",
    }
    cursor, of = ctx.cursor(), ctx.tenant_id
    bulk.insert(cursor, "usage_events", _EVENTS, rows, tenant_id=of, constants=constants)
