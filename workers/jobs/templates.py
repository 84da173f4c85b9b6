"""Keep templates equal to Meta's."""

from uuid import UUID

from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.templates import service

ACTOR = system("templates", Permission.TEMPLATES_MANAGE)


def sync(*, tenant_id: str, account_id: str, **_: object) -> None:
    """Take over an account's templates. `**_`: an older worker survives a newer caller."""
    with unit_of_work(UUID(tenant_id), ACTOR) as ctx:
        service.sync(ctx, UUID(account_id))
