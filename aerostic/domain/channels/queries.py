"""Look at accounts and numbers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import ConnectionStatus, PhoneNumber, WhatsappAccount


@dataclass(frozen=True, slots=True)
class NumberRow:
    id: UUID
    account_id: UUID
    phone_number_id: str
    display_phone_number: str
    verified_name: str
    status: str
    problem: str | None
    quality_rating: str
    messaging_limit: str
    messages_per_second: int
    is_coexistence: bool
    mode: str
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account without its token: that never leaves the database in the clear."""

    id: UUID
    meta_account_id: str
    name: str
    status: str
    problem: str | None
    checked_at: datetime | None
    numbers: tuple[NumberRow, ...]


@requires(Permission.NUMBERS_READ)
def accounts(ctx: Context) -> list[AccountRow]:
    """Every account with its numbers, oldest first. A workspace has a handful."""
    by_account: dict[UUID, list[NumberRow]] = {}
    for number in ctx.session.exec(select(PhoneNumber).order_by(col(PhoneNumber.id))):
        by_account.setdefault(number.account_id, []).append(_row(number))
    rows = ctx.session.exec(select(WhatsappAccount).order_by(col(WhatsappAccount.id)))
    return [
        AccountRow(
            id=row.id,
            meta_account_id=row.meta_account_id,
            name=row.name,
            status=row.status,
            problem=row.problem,
            checked_at=row.checked_at,
            numbers=tuple(by_account.get(row.id, ())),
        )
        for row in rows
    ]


@requires(Permission.NUMBERS_READ)
def numbers(ctx: Context) -> list[NumberRow]:
    """The numbers that are in use, for choosing one."""
    statement = (
        select(PhoneNumber)
        .where(PhoneNumber.status != ConnectionStatus.DISCONNECTED)
        .order_by(col(PhoneNumber.id))
    )
    return [_row(number) for number in ctx.session.exec(statement)]


def _row(number: PhoneNumber) -> NumberRow:
    return NumberRow(**{name: getattr(number, name) for name in NumberRow.__dataclass_fields__})
