"""The operator's second try for webhook deliveries that could not be applied."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import platform_work
from aerostic.domain.deliveries import service
from aerostic.domain.deliveries.models import DeliveryStatus, WebhookDelivery
from aerostic.operations.errors import OperationError

OPERATOR = system("command line", Permission.PLATFORM_DELIVERIES)
AT_MOST = 1000


def replay(ids: Sequence[str]) -> int:
    """Apply these once more, or all that are parked where none is named; return how many."""
    chosen = [_uuid(text) for text in ids] or _parked()
    for delivery_id in chosen:
        with platform_work(OPERATOR) as ctx:
            service.replay(ctx, delivery_id)
    return len(chosen)


def _parked() -> list[UUID]:
    with platform_work(OPERATOR) as ctx:
        parked = select(WebhookDelivery.id).where(WebhookDelivery.status == DeliveryStatus.PARKED)
        oldest = parked.order_by(col(WebhookDelivery.id)).limit(AT_MOST)
        return list(ctx.session.exec(oldest))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise OperationError(f"“{text}” is not the id of a delivery.") from error
