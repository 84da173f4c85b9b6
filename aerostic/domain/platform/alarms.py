"""Things that the platform's staff should know of."""

from uuid import UUID

from aerostic.core.permissions import system
from aerostic.core.tenancy import platform_work
from aerostic.domain.platform.models import SecurityEvent


def raise_alarm(
    kind: str,
    *,
    ip: str = "",
    tenant_id: UUID | None = None,
    user_id: UUID | None = None,
    **details: str | int,
) -> None:
    """Record a security event. In a transaction of its own: it stays when the work around it is undone."""
    with platform_work(system("security")) as ctx:
        ctx.session.add(
            SecurityEvent(kind=kind, ip=ip, tenant_id=tenant_id, user_id=user_id, details=details)
        )
