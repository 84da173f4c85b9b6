"""WhatsApp accounts and numbers over HTTP."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.channels import queries, service
from aerostic.domain.channels.models import NumberMode
from aerostic.domain.channels.queries import AccountRow, NumberRow
from aerostic.domain.templates import service as templates
from backend_api.deps import Ctx

router = APIRouter(prefix="/api/v1", tags=["Numbers"])


class NumberOut(BaseModel):
    """A phone number that customers write to. `phone_number_id` is Meta's name for it."""

    id: UUID
    account_id: UUID
    phone_number_id: str = Field(examples=["100000000000001"])
    display_phone_number: str = Field(examples=["+1 555 000 1001"])
    verified_name: str = Field(examples=["Bluebird Café"])
    status: str = Field(examples=["connected"])
    problem: str | None
    quality_rating: str = Field(examples=["GREEN"])
    messaging_limit: str = Field(examples=["TIER_2K"])
    messages_per_second: int = Field(examples=[80])
    is_coexistence: bool
    mode: str = Field(examples=["person"])
    checked_at: datetime | None

    @classmethod
    def of(cls, row: NumberRow) -> "NumberOut":
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class AccountOut(BaseModel):
    """A WhatsApp Business account with its numbers. Its token is never shown."""

    id: UUID
    meta_account_id: str = Field(examples=["200000000000001"])
    name: str
    status: str = Field(examples=["connected"])
    problem: str | None
    checked_at: datetime | None
    numbers: list[NumberOut]

    @classmethod
    def of(cls, row: AccountRow) -> "AccountOut":
        plain = {name: getattr(row, name) for name in cls.model_fields if name != "numbers"}
        return cls(**plain, numbers=[NumberOut.of(number) for number in row.numbers])


class AccountsOut(BaseModel):
    """All of them: a workspace has few."""

    items: list[AccountOut]
    next_cursor: None = None


class ConnectIn(BaseModel):
    """What Meta's dashboard shows, to be pasted here."""

    meta_account_id: str = Field(max_length=100, examples=["200000000000001"])
    phone_number_id: str = Field(max_length=100, examples=["100000000000001"])
    access_token: str = Field(max_length=2_000, examples=["EAA…"])


class ModeIn(BaseModel):
    mode: NumberMode


class SyncedOut(BaseModel):
    """How many templates Meta listed."""

    templates: int


@router.get("/accounts")
def accounts(ctx: Ctx) -> AccountsOut:
    """Every account with its numbers."""
    return AccountsOut(items=[AccountOut.of(row) for row in queries.accounts(ctx)])


@router.post("/accounts/{account_id}/check")
def check_account(ctx: Ctx, account_id: UUID) -> AccountsOut:
    """Ask Meta about the token and the numbers now."""
    service.check_account(ctx, account_id)
    return accounts(ctx)


@router.post("/accounts/{account_id}/templates/sync")
def sync_templates(ctx: Ctx, account_id: UUID) -> SyncedOut:
    """Take over the account's templates from Meta now."""
    return SyncedOut(templates=templates.sync(ctx, account_id))


@router.post("/numbers", status_code=201)
def connect_number(ctx: Ctx, body: ConnectIn) -> AccountsOut:
    """Connect a number, or renew its token. The same again changes nothing, so it takes no key."""
    service.connect_number(ctx, **body.model_dump())
    return accounts(ctx)


@router.put("/numbers/{number_id}/mode", status_code=204)
def set_mode(ctx: Ctx, number_id: UUID, body: ModeIn) -> None:
    """Who answers on the number."""
    service.set_mode(ctx, number_id, body.mode)


@router.delete("/numbers/{number_id}", status_code=204)
def disconnect_number(ctx: Ctx, number_id: UUID) -> None:
    """Stop receiving and sending on the number. Its conversations stay."""
    service.disconnect_number(ctx, number_id)
