"""Looking at connected accounts: never at their tokens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.connections.models import GoogleConnection
from aerostic.integrations.google import oauth
from aerostic.integrations.google.oauth import Scope


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A Google account of the workspace, with what it allows."""

    id: UUID
    email: str
    name: str
    status: str
    problem: str
    has_drive: bool
    has_sheets: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: GoogleConnection) -> "ConnectionRow":
        return cls(
            id=row.id,
            email=row.email,
            name=row.name,
            status=row.status,
            problem=row.problem,
            has_drive=Scope.DRIVE in row.scopes,
            has_sheets=Scope.SHEETS in row.scopes,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


@requires(Permission.CONNECTIONS_READ)
def connections(ctx: Context) -> list[ConnectionRow]:
    """All of them, by address: a workspace has few."""
    mine = col(GoogleConnection.tenant_id) == ctx.tenant_id
    rows = ctx.session.exec(
        select(GoogleConnection).where(mine).order_by(col(GoogleConnection.email))
    )
    return [ConnectionRow.of(row) for row in rows]


@requires(Permission.CONNECTIONS_READ)
def can_connect(ctx: Context) -> bool:
    """Whether this installation has a Google client at all."""
    return oauth.is_set_up()
