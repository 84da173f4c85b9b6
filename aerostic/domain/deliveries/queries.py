"""The delivery log, for the platform's staff: what Meta posted, what became of it, and why not."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.ids import moment_of
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.deliveries.models import DeliveryProblem, DeliveryStatus, WebhookDelivery
from aerostic.domain.tenants.models import Tenant
from aerostic.integrations.meta import webhooks
from aerostic.integrations.meta.webhooks import Unreadable

LONGEST_SHOWN = 65_536


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery in the log. `reason` is its first open problem, in words."""

    id: UUID
    received_at: datetime
    size: int
    status: DeliveryStatus
    attempts: int
    processed_at: datetime | None
    problems: int
    reason: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """Why one change could not be applied. `entry` and `change` count from one, as people do."""

    kind: str
    reason: str
    entry: int
    change: int
    tenant_id: UUID | None
    tenant_name: str
    created_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """A delivery with its content. `fields` are Meta's names of what it tells about."""

    row: DeliveryRow
    fields: list[str]
    body: str
    is_cut: bool
    problems: list[ProblemRow]


@requires(Permission.PLATFORM_DELIVERIES)
def deliveries(
    ctx: Context,
    status: DeliveryStatus | None = None,
    after: Cursor | None = None,
    limit: int = 50,
) -> Page[DeliveryRow]:
    """The log, newest first."""
    size = page_size(limit)
    found = columns(
        col(WebhookDelivery.id),
        func.octet_length(WebhookDelivery.body),
        col(WebhookDelivery.status),
        col(WebhookDelivery.attempts),
        col(WebhookDelivery.processed_at),
    ).order_by(col(WebhookDelivery.id).desc())
    if status is not None:
        found = found.where(col(WebhookDelivery.status) == status)
    if after:
        found = found.where(col(WebhookDelivery.id) < read_cursor(after, UUID)[0])
    listed: list[Facts] = [tuple(row) for row in ctx.session.execute(found.limit(size + 1))]
    problems = _open_problems(ctx, [one[0] for one in listed[:size]])
    rows = [_row(one, problems.get(one[0], [])) for one in listed[:size]]
    return Page(rows, cursor_of(rows[-1].id) if len(listed) > size else None)


@requires(Permission.PLATFORM_DELIVERIES)
def delivery(ctx: Context, delivery_id: UUID) -> DeliveryDetail:
    """One delivery with its body and every problem it had."""
    found = ctx.session.get(WebhookDelivery, delivery_id)
    if found is None:
        raise NotFound("That delivery no longer exists.")
    open_problems = _open_problems(ctx, [delivery_id]).get(delivery_id, [])
    facts = (found.id, len(found.body), found.status, found.attempts, found.processed_at)
    fields, body = _shown(found.body)
    return DeliveryDetail(
        row=_row(facts, open_problems),
        fields=fields,
        body=body[:LONGEST_SHOWN],
        is_cut=len(body) > LONGEST_SHOWN,
        problems=_problems(ctx, delivery_id),
    )


@requires(Permission.PLATFORM_DELIVERIES)
def parked_count(ctx: Context) -> int:
    """How many deliveries wait for someone to look at them."""
    parked = select(func.count()).where(WebhookDelivery.status == DeliveryStatus.PARKED)
    return ctx.session.exec(parked).one()


Facts = tuple[UUID, int, str, int, datetime | None]


def _row(facts: Facts, problems: list[DeliveryProblem]) -> DeliveryRow:
    delivery_id, size, status, attempts, processed_at = facts
    return DeliveryRow(
        id=delivery_id,
        received_at=moment_of(delivery_id),
        size=size,
        status=DeliveryStatus(status),
        attempts=attempts,
        processed_at=processed_at,
        problems=len(problems),
        reason=problems[0].reason if problems else "",
    )


def _open_problems(ctx: Context, ids: list[UUID]) -> dict[UUID, list[DeliveryProblem]]:
    found: dict[UUID, list[DeliveryProblem]] = {}
    statement = select(DeliveryProblem).where(
        col(DeliveryProblem.delivery_id).in_(ids), col(DeliveryProblem.resolved_at).is_(None)
    )
    for problem in ctx.session.exec(statement.order_by(col(DeliveryProblem.id))):
        found.setdefault(problem.delivery_id, []).append(problem)
    return found


def _problems(ctx: Context, delivery_id: UUID) -> list[ProblemRow]:
    statement = (
        select(DeliveryProblem, Tenant.name)
        .join(Tenant, col(Tenant.id) == col(DeliveryProblem.tenant_id), isouter=True)
        .where(DeliveryProblem.delivery_id == delivery_id)
        .order_by(col(DeliveryProblem.id))
    )
    return [
        ProblemRow(
            kind=problem.kind,
            reason=problem.reason,
            entry=problem.entry + 1,
            change=problem.change + 1,
            tenant_id=problem.tenant_id,
            tenant_name=tenant_name or "",
            created_at=problem.created_at,
            resolved_at=problem.resolved_at,
        )
        for problem, tenant_name in ctx.session.exec(statement)
    ]


def _shown(body: bytes) -> tuple[list[str], str]:
    """What it tells about, and its content for people: laid out if it is JSON, else as it is."""
    try:
        parsed = webhooks.parse(body)
    except Unreadable:
        return [], body.decode("utf-8", "backslashreplace")
    laid_out = json.dumps(parsed, indent=2, ensure_ascii=False)
    try:
        fields = dict.fromkeys(change.field for change in webhooks.changes_of(parsed))
    except Unreadable:
        return [], laid_out
    return list(fields), laid_out
