"""How the rest of the domain says that something was used: in the transaction in which it was."""

from typing import Any
from uuid import UUID

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
