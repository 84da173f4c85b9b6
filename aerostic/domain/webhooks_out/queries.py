"""Looking at endpoints and at the log of what they were told. Secrets are never among it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.webhooks_out import events
from aerostic.domain.webhooks_out.events import EventKind
from aerostic.domain.webhooks_out.models import (
    DispatchStatus,
    WebhookDispatch,
    WebhookEndpoint,
    WebhookTry,
)


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint and how it is doing. `waiting` counts what is still to be told, up to a thousand."""

    id: UUID
    url: str
    description: str
    events: tuple[str, ...]
    status: str
    problem: str
    failing_since: datetime | None
    succeeded_at: datetime | None
    both_secrets_until: datetime | None
    created_at: datetime
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class DispatchRow:
    """One event for one endpoint, as the log lists it."""

    id: UUID
    event_id: str
    event: str
    status: str
    tries: int
    last_status: int | None
    problem: str
    is_replay: bool
    created_at: datetime
    delivered_at: datetime | None
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class TryRow:
    """One request and what came back."""

    at: datetime
    milliseconds: int
    request_headers: str
    status: int | None
    answer: str
    problem: str


@dataclass(frozen=True, slots=True)
class DispatchView:
    """An event with its body and every try, the latest first."""

    row: DispatchRow
    endpoint_id: UUID
    body: str
    tries: Sequence[TryRow]


MOST_COUNTED = 1_000
MOST_TRIES = 20


@requires(Permission.WEBHOOKS_MANAGE)
def event_kinds(ctx: Context) -> Sequence[EventKind]:
    """What can be told of."""
    return events.CATALOGUE


@requires(Permission.WEBHOOKS_MANAGE)
def endpoints(ctx: Context) -> list[EndpointRow]:
    """All of them, the oldest first: a workspace has few."""
    mine = col(WebhookEndpoint.tenant_id) == ctx.tenant_id
    rows = ctx.session.exec(select(WebhookEndpoint).where(mine).order_by(col(WebhookEndpoint.id)))
    return [_endpoint(ctx, row) for row in rows]


@requires(Permission.WEBHOOKS_MANAGE)
def endpoint(ctx: Context, endpoint_id: UUID) -> EndpointRow:
    """One of them. Raises NotFound."""
    row = ctx.get(WebhookEndpoint, endpoint_id)
    if row is None:
        raise NotFound("There is no such endpoint.")
    return _endpoint(ctx, row)


@requires(Permission.WEBHOOKS_MANAGE)
def dispatches(
    ctx: Context,
    endpoint_id: UUID,
    *,
    status: DispatchStatus | None = None,
    after: Cursor | None = None,
    limit: int = 50,
) -> Page[DispatchRow]:
    """What an endpoint was told and is to be told, the newest first. Raises NotFound."""
    endpoint(ctx, endpoint_id)
    size = page_size(limit)
    wanted = select(WebhookDispatch).where(
        col(WebhookDispatch.tenant_id) == ctx.tenant_id,
        col(WebhookDispatch.endpoint_id) == endpoint_id,
    )
    if status is not None:
        wanted = wanted.where(col(WebhookDispatch.status) == status)
    if after:
        wanted = wanted.where(col(WebhookDispatch.id) < read_cursor(after, UUID)[0])
    newest = wanted.order_by(col(WebhookDispatch.id).desc()).limit(size + 1)
    rows = [_dispatch(row) for row in ctx.session.exec(newest)]
    has_more = len(rows) > size
    return Page(rows[:size], cursor_of(rows[size - 1].id) if has_more else None)


@requires(Permission.WEBHOOKS_MANAGE)
def dispatch(ctx: Context, dispatch_id: UUID) -> DispatchView:
    """One event with everything that was tried. Raises NotFound."""
    row = ctx.get(WebhookDispatch, dispatch_id)
    if row is None:
        raise NotFound("That is not in the log any more. It is kept for 30 days.")
    tries = select(WebhookTry).where(
        col(WebhookTry.tenant_id) == ctx.tenant_id, col(WebhookTry.dispatch_id) == dispatch_id
    )
    latest = tries.order_by(col(WebhookTry.id).desc()).limit(MOST_TRIES)
    made = [
        TryRow(one.at, one.milliseconds, one.request_headers, one.status, one.answer, one.problem)
        for one in ctx.session.exec(latest)
    ]
    return DispatchView(_dispatch(row), row.endpoint_id, row.body, made)


def _endpoint(ctx: Context, row: WebhookEndpoint) -> EndpointRow:
    until = row.previous_until
    return EndpointRow(
        id=row.id,
        url=row.url,
        description=row.description,
        events=tuple(row.events),
        status=row.status,
        problem=row.problem,
        failing_since=row.failing_since,
        succeeded_at=row.succeeded_at,
        both_secrets_until=until if until and until > ctx.now else None,
        created_at=row.created_at,
        waiting=_waiting(ctx, row.id),
    )


def _waiting(ctx: Context, endpoint_id: UUID) -> int:
    pending = select(col(WebhookDispatch.id)).where(
        col(WebhookDispatch.tenant_id) == ctx.tenant_id,
        col(WebhookDispatch.endpoint_id) == endpoint_id,
        col(WebhookDispatch.status) == DispatchStatus.PENDING,
    )
    some = pending.limit(MOST_COUNTED).subquery()
    return ctx.session.scalar(select(func.count()).select_from(some)) or 0


def _dispatch(row: WebhookDispatch) -> DispatchRow:
    return DispatchRow(
        id=row.id,
        event_id=row.event_id,
        event=row.event,
        status=row.status,
        tries=row.tries,
        last_status=row.last_status,
        problem=row.problem,
        is_replay=row.is_replay,
        created_at=row.created_at,
        delivered_at=row.delivered_at,
        next_try_at=row.next_try_at if row.status == DispatchStatus.PENDING else None,
    )
