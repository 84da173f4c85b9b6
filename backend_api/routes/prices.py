"""Money as the platform's staff sees it: the rate card, a workspace's own prices, top-ups and credit line."""

import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.billing import pricing, service
from aerostic.domain.billing.pricing import Effect, PriceRow
from backend_api.deps import PlatformCtx, StaffCtx
from backend_api.routes.wallet import WalletOut

router = APIRouter(prefix="/api/v1", tags=["Platform"])
OF = "/tenants/{tenant_id}"


class PriceIn(BaseModel):
    """From a day on. An empty market is every market; without `micros`, as the rate card says."""

    market: str = Field(examples=["Germany"])
    category: str = Field(examples=["marketing"])
    micros: int | None = Field(ge=0, examples=[90_000])
    valid_from: datetime.date

    def row(self) -> PriceRow:
        return PriceRow(self.market, self.category, self.micros, self.valid_from)


class PriceOut(PriceIn):
    currency: str

    @classmethod
    def of(cls, row: PriceRow) -> "PriceOut":
        return cls.model_validate(row, from_attributes=True)


class EffectOut(BaseModel):
    """Of the last 30 days: what was charged, and what it would have been."""

    market: str
    category: str
    messages: int
    was_micros: int
    would_be_micros: int

    @classmethod
    def of(cls, effect: Effect) -> "EffectOut":
        return cls.model_validate(effect, from_attributes=True)


class CardIn(BaseModel):
    csv: str = Field(
        max_length=2_000_000,
        description="currency,market,category,price,valid_from; all or nothing.",
    )


class CardTaken(BaseModel):
    prices: int


class TopUpIn(BaseModel):
    """The same key again changes nothing."""

    micros: int = Field(gt=0, examples=[50_000_000])
    key: str = Field(min_length=1, max_length=200, examples=["invoice-17"])
    note: str = Field(default="", max_length=500)


class RefundIn(BaseModel):
    """Without `micros`: all that is left of the charge."""

    message_id: UUID
    micros: int | None = Field(default=None, gt=0)
    key: str = Field(min_length=1, max_length=200)
    note: str = Field(default="", max_length=500)


class CreditIn(BaseModel):
    micros: int = Field(ge=0, examples=[100_000_000])
    note: str = Field(default="", max_length=500)


@router.get("/rates")
def rate_card(ctx: PlatformCtx) -> list[PriceOut]:
    """The default rate card, with what is to come."""
    return [PriceOut.of(row) for row in pricing.rate_card(ctx)]


@router.put("/rates")
def import_card(ctx: PlatformCtx, body: CardIn) -> CardTaken:
    """Take in a rate card. A price of the same day takes the place of the one before."""
    return CardTaken(prices=pricing.import_card(ctx, body.csv))


@router.get(f"{OF}/prices")
def own_prices(ctx: StaffCtx) -> list[PriceOut]:
    """A workspace's own prices."""
    return [PriceOut.of(row) for row in pricing.own_prices(ctx)]


@router.put(f"{OF}/prices")
def set_prices(ctx: StaffCtx, body: list[PriceIn]) -> list[PriceOut]:
    """Set prices of a workspace's own. What was held keeps its price."""
    pricing.set_prices(ctx, [one.row() for one in body])
    return [PriceOut.of(row) for row in pricing.own_prices(ctx)]


@router.post(f"{OF}/prices/preview")
def preview(ctx: StaffCtx, body: list[PriceIn]) -> list[EffectOut]:
    """What the last 30 days would have cost at these prices. Changes nothing."""
    return [EffectOut.of(one) for one in pricing.preview(ctx, [one.row() for one in body])]


@router.post(f"{OF}/wallet/top-ups")
def top_up(ctx: StaffCtx, body: TopUpIn) -> WalletOut:
    """Money that came in."""
    return WalletOut.of(service.top_up(ctx, body.micros, key=body.key, note=body.note))


@router.post(f"{OF}/wallet/refunds")
def refund(ctx: StaffCtx, body: RefundIn) -> WalletOut:
    """Give back what a message was charged, or a part of it."""
    return WalletOut.of(
        service.refund(ctx, body.message_id, key=body.key, note=body.note, micros=body.micros)
    )


@router.put(f"{OF}/wallet/credit-line")
def set_credit_line(ctx: StaffCtx, body: CreditIn) -> WalletOut:
    """How far below zero the balance may go."""
    return WalletOut.of(service.set_credit_limit(ctx, body.micros, note=body.note))
