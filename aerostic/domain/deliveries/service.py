"""Deliveries of Meta's on their way to the tenants whose they are."""

from uuid import UUID

from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.permissions import Permission, requires, system
from aerostic.core.queue import QueueName
from aerostic.core.tenancy import Context, unit_of_work
from aerostic.domain.deliveries import claiming, redacting, routing, shares
from aerostic.domain.deliveries.claiming import Claimed
from aerostic.domain.deliveries.models import (
    DeliveryProblem,
    DeliveryShare,
    DeliveryStatus,
    WebhookDelivery,
)

LARGEST_BATCH = 2_000

APPLIER = system("deliveries", Permission.DELIVERIES_APPLY)


@requires(Permission.DELIVERIES_APPLY)
def apply_pending(ctx: Context, limit: int = LARGEST_BATCH) -> int:
    """Apply the oldest pending deliveries, each tenant's share in a transaction of its own.

    `ctx` is the platform's and holds the deliveries until it ends, so whoever calls does nothing else in it.
    Returns how many are finished: 0 when there is nothing that could be.
    """
    claimed = claiming.claim(ctx, limit)
    if not claimed:
        return 0
    for tenant_id, parts in routing.route(ctx, claimed).items():
        shares.apply_share(ctx.actor, tenant_id, parts)
    return claiming.finish(ctx, claimed)


@requires(Permission.PLATFORM_DELIVERIES)
def replay(ctx: Context, delivery_id: UUID) -> None:
    """Apply a delivery once more, as if it had just come. What it has done already is not done again."""
    delivery = ctx.session.get(WebhookDelivery, delivery_id)
    if delivery is None:
        raise NotFound("That delivery no longer exists.")
    for tenant_id in routing.route(ctx, [Claimed(delivery_id, delivery.body)]):
        with unit_of_work(tenant_id, APPLIER) as theirs:
            share = theirs.session.get(DeliveryShare, (tenant_id, delivery_id))
            if share is not None:
                theirs.session.delete(share)
    problems = select(DeliveryProblem).where(
        DeliveryProblem.delivery_id == delivery_id, col(DeliveryProblem.resolved_at).is_(None)
    )
    for problem in ctx.session.exec(problems):
        problem.resolved_at = ctx.now
    delivery.status, delivery.attempts, delivery.processed_at = DeliveryStatus.PENDING, 0, None
    ctx.enqueue("workers.jobs.deliveries.drain", queue_name=QueueName.DELIVERIES)


@requires(Permission.DELIVERIES_APPLY)
def redact(ctx: Context, redaction_id: UUID) -> int:
    """Cut someone who was erased out of the raw deliveries of this tenant; return of how many."""
    return redacting.carry_out(ctx, redaction_id)
