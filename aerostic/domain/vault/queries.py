"""Look at secrets: everything about them but their values."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.vault.models import Secret


@dataclass(frozen=True, slots=True)
class SecretView:
    """A secret without its value."""

    id: UUID
    name: str
    hosts: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, secret: Secret) -> "SecretView":
        hosts = tuple(secret.hosts)
        times = (secret.created_at, secret.changed_at, secret.used_at)
        return cls(secret.id, secret.name, hosts, *times)


@requires(Permission.CONNECTIONS_READ)
def secrets(ctx: Context) -> list[SecretView]:
    """All of them, by name."""
    statement = select(Secret).where(col(Secret.tenant_id) == ctx.tenant_id)
    return [SecretView.of(one) for one in ctx.session.exec(statement.order_by(col(Secret.name)))]
