"""Housekeeping of identity."""

from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity import service


def tidy(**_: object) -> None:
    """Forget sessions and codes that have long been over. Started by the scheduler, once a day."""
    with shared_work(system("housekeeping", Permission.PLATFORM_SECURITY)) as ctx:
        service.tidy(ctx)
