"""The workspace's money, over HTTP. Amounts are whole millionths of the wallet's currency."""

import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from aerostic.domain.billing import queries, service, statements
from aerostic.domain.billing.models import Account, ChargeState, EntryKind
from aerostic.domain.billing.queries import EntryFilter, EntryRow, Explained
from aerostic.domain.billing.wallets import WalletView
from backend_api import files
from backend_api.deps import Ctx
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1", tags=["Wallet"])

Since = Annotated[datetime.date, Query(description="The first day, in the workspace's time zone.")]
Until = Annotated[datetime.date, Query(description="The last day, included.")]


class WalletOut(BaseModel):
    """`available_micros` may be spent, and below it the credit line. `held_micros`: for messages under way.

    `owed_micros` is to be paid before anything is available again.
    """

    currency: str = Field(examples=["USD"])
    available_micros: int
    held_micros: int
    spent_micros: int
    owed_micros: int
    credit_limit_micros: int
    low_balance_micros: int | None = Field(
        description="Owners are told once the balance falls below."
    )
    is_low: bool

    @classmethod
    def of(cls, view: WalletView) -> "WalletOut":
        return cls.model_validate(view, from_attributes=True)


class WalletIn(BaseModel):
    low_balance_micros: int | None = Field(
        description="None: nobody is told.", examples=[5_000_000]
    )


class EntryOut(BaseModel):
    """One side of a posting; the entries of a transaction sum to zero.

    `change_micros`: by how much this entry changed what can be spent.
    """

    id: UUID
    transaction_id: UUID
    posted_at: datetime.datetime
    kind: EntryKind
    account: Account
    micros: int
    change_micros: int
    message_id: UUID | None
    refers_to: UUID | None
    note: str
    actor_name: str

    @classmethod
    def of(cls, row: EntryRow) -> "EntryOut":
        return cls.model_validate(row, from_attributes=True)


class ChargeOut(BaseModel):
    """What a message costs, and why. `is_late`: it was delivered after its money had gone back."""

    message_id: UUID
    state: ChargeState
    currency: str
    micros: int
    category: str
    market: str
    price_id: UUID | None
    why: str
    is_late: bool
    campaign_id: UUID | None
    settled_at: datetime.datetime | None
    entries: list[EntryOut]

    @classmethod
    def of(cls, found: Explained) -> "ChargeOut":
        return cls.model_validate(found, from_attributes=True)


@router.get("/wallet")
def wallet(ctx: Ctx) -> WalletOut:
    """The balances as they stand."""
    return WalletOut.of(queries.wallet(ctx))


@router.patch("/wallet")
def change_wallet(ctx: Ctx, body: WalletIn) -> WalletOut:
    """Where the line is below which the owners are told that money runs low."""
    return WalletOut.of(service.set_low_balance(ctx, body.low_balance_micros))


@router.get("/wallet/entries")
def entries(
    ctx: Ctx,
    kind: EntryKind | None = None,
    account: Account | None = None,
    message_id: UUID | None = None,
    postings: Annotated[
        bool, Query(description="Of each posting only the entry that carries its key.")
    ] = False,
    cursor: After = None,
    limit: Limit = 50,
) -> PageOut[EntryOut]:
    """The ledger, newest first."""
    wanted = EntryFilter(kind, account, message_id, postings)
    return PageOut[EntryOut].of(queries.entries(ctx, wanted, cursor, limit), EntryOut.of)


@router.get("/wallet/statement.csv", response_class=FileResponse)
def statement_csv(ctx: Ctx, since: Since, until: Until) -> FileResponse:
    """Each posting of these days, the oldest first. At most 400 days."""
    found, currency = queries.postings(ctx, since, until), queries.wallet(ctx).currency
    return files.written(
        lambda path: statements.write_csv(path, found, currency),
        media_type=files.CSV,
        filename=f"statement-{since}-{until}.csv",
    )


@router.get("/wallet/statement.pdf", response_class=Response)
def statement_pdf(ctx: Ctx, since: Since, until: Until) -> Response:
    """The balances before and after, and what was posted on each day."""
    found = statements.as_pdf(queries.statement(ctx, since, until))
    disposition = {"Content-Disposition": f'attachment; filename="statement-{since}-{until}.pdf"'}
    return Response(found, media_type="application/pdf", headers=disposition)


@router.get("/messages/{message_id}/charge")
def charge(ctx: Ctx, message_id: UUID) -> ChargeOut:
    """What a message costs, why, and how far that is settled."""
    return ChargeOut.of(queries.explain(ctx, message_id))
