"""From what happened to what each endpoint is told: in the transaction in which the signals are taken.

Each event is written down for each endpoint that wants it, once; so it arrives at least once.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from aerostic.core import bulk, due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import Listener, Signal
from aerostic.domain.webhooks_out import bodies
from aerostic.domain.webhooks_out.models import EndpointStatus, WebhookEndpoint

_DISPATCHES = bulk.columns(
    id="uuid", endpoint_id="uuid", event_id="text", event="text", body="text", contact_id="uuid"
)
_NEW = {
    "status": "'pending'",
    "tries": "0",
    "problem": "''",
    "is_replay": "false",
    "next_try_at": "clock_timestamp()",
    "created_at": "clock_timestamp()",
}
Row = tuple[UUID, UUID, str, str, str, UUID | None]


def fan_out(ctx: Context, signals: Sequence[Signal]) -> None:
    """Write down who is to be told of these signals."""
    endpoints = _active(ctx) if signals else []
    wanted = {event for one in endpoints for event in one.events}
    heard = [one for one in signals if one.kind in wanted]
    if not heard:
        return
    told = bodies.of(ctx, heard)
    rows: list[Row] = []
    for signal in heard:
        body, contact_id = told[signal.id]
        event_id = f"msg_{signal.id.hex}"
        rows += [
            (new_id(), one.id, event_id, signal.kind, body, contact_id)
            for one in endpoints
            if signal.kind in one.events
        ]
    _write(ctx, rows)


def write_one(ctx: Context, endpoint_id: UUID, event: str, event_id: str, body: str) -> UUID:
    """Something for one endpoint, now."""
    row: Row = (new_id(), endpoint_id, event_id, event, body, None)
    _write(ctx, [row])
    return row[0]


def listen(ctx: Context) -> None:
    """Have signals written down while there is an endpoint to tell, and no longer."""
    ctx.session.flush()
    telling.listen(ctx, Listener.WEBHOOKS, wanted=bool(_active(ctx)))


def _write(ctx: Context, rows: Sequence[Row]) -> None:
    bulk.insert(
        ctx.cursor(),
        "webhook_dispatches",
        _DISPATCHES,
        rows,
        tenant_id=ctx.tenant_id,
        constants=_NEW,
    )
    # In one order: two who tell the same endpoints must not wait for each other in a circle.
    for endpoint_id in sorted({row[1] for row in rows}):
        due_work.put(ctx, WorkKind.WEBHOOKS, endpoint_id, due_at=ctx.now)


def _active(ctx: Context) -> list[WebhookEndpoint]:
    return list(
        ctx.session.exec(
            select(WebhookEndpoint).where(
                col(WebhookEndpoint.tenant_id) == ctx.tenant_id,
                col(WebhookEndpoint.status) == EndpointStatus.ACTIVE,
            )
        )
    )
