"""A tenant's wallet: opened when it is first looked at, in the platform's currency, with its start credit."""

from dataclasses import dataclass, fields

from sqlalchemy import select as columns
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core import money
from aerostic.core.settings import settings
from aerostic.core.tenancy import Context
from aerostic.domain.billing import postings
from aerostic.domain.billing.ledger import Line, Posting
from aerostic.domain.billing.models import Account, EntryKind, Wallet

START_CREDIT = "start credit"


def currency_of(ctx: Context) -> str:
    """Of the wallet, or the one that it will have."""
    known = select(Wallet.currency).where(Wallet.tenant_id == ctx.tenant_id)
    return ctx.session.exec(known).one_or_none() or settings().wallet_currency


def open_wallet(ctx: Context) -> None:
    """See to it that there is one. Two who come first at once make one, with one start credit."""
    if ctx.session.exec(select(Wallet.currency).where(Wallet.tenant_id == ctx.tenant_id)).first():
        return
    chosen = settings()
    row = {
        "tenant_id": ctx.tenant_id,
        "currency": chosen.wallet_currency,
        **dict.fromkeys(_BALANCES, 0),
        "is_low": False,
        "created_at": ctx.now,
    }
    made = insert(Wallet).values(row).on_conflict_do_nothing().returning(col(Wallet.currency))
    credit = money.micros_of(chosen.start_credit, "AEROSTIC_START_CREDIT")
    if ctx.session.execute(made).first() and credit:
        line = Line(Account.FUNDED, -credit, "start-credit")
        posting = Posting(EntryKind.TOP_UP, [line], "platform", ctx.now, note=START_CREDIT)
        postings.now(ctx, posting)


_BALANCES = (
    "available_micros",
    "held_micros",
    "spent_micros",
    "owed_micros",
    "funded_micros",
    "credit_limit_micros",
)


@dataclass(frozen=True, slots=True)
class WalletView:
    """A wallet as it stands. `available_micros` may be spent, and below it the credit line."""

    currency: str
    available_micros: int
    held_micros: int
    spent_micros: int
    owed_micros: int
    credit_limit_micros: int
    low_balance_micros: int | None
    is_low: bool

    @property
    def spendable_micros(self) -> int:
        return self.available_micros + self.credit_limit_micros - self.owed_micros


def view(ctx: Context) -> WalletView:
    """The wallet, opened if there was none. Read anew: the session may know an older one."""
    open_wallet(ctx)
    facts = columns(*(col(getattr(Wallet, each.name)) for each in fields(WalletView)))
    return WalletView(
        *ctx.session.execute(facts.where(col(Wallet.tenant_id) == ctx.tenant_id)).one()
    )


def lock(ctx: Context) -> None:
    """Be the only one who posts until the commit: what was posted before can be seen now."""
    row = select(Wallet.currency).where(Wallet.tenant_id == ctx.tenant_id).with_for_update()
    ctx.session.exec(row).all()
