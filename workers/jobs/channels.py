"""Ask Meta how accounts and numbers are doing."""

from uuid import UUID

from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.channels import service

ACTOR = system("channels", Permission.NUMBERS_MANAGE)


def check(*, tenant_id: str, account_id: str, **_: object) -> None:
    """Refresh status, quality and limits of an account's numbers."""
    with unit_of_work(UUID(tenant_id), ACTOR) as ctx:
        service.check_account(ctx, UUID(account_id))
