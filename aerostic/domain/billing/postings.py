"""Postings of a transaction: with its commit, all of a kind as one; or now, where nothing else is locked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import select

from aerostic.core import money
from aerostic.core.errors import Refused
from aerostic.core.settings import settings
from aerostic.core.tenancy import Context
from aerostic.domain.billing import endings, ledger
from aerostic.domain.billing.ledger import Posting
from aerostic.domain.billing.models import EntryKind, Wallet


class NotEnough(Refused):
    """The wallet does not hold what was to be set aside: `needed` micros."""

    code = "not_enough_money"

    def __init__(self, message: str, *, needed: int = 0) -> None:
        super().__init__(message)
        self.needed = needed


class _Later(endings.Ending):
    """A posting that waits for the commit, the last thing of it."""

    rank = 1

    def __init__(self, posting: Posting) -> None:
        self.posting = posting

    @classmethod
    def end(cls, ctx: Context, waiting: list[Any]) -> None:
        for posting in _joined([one.posting for one in waiting]):
            now(ctx, posting)


def at_the_end(ctx: Context, posting: Posting) -> None:
    """Post it with the commit. What is to be held is compared with the balance now, and again then."""
    if not posting.lines:
        return
    if posting.is_strict:
        check(ctx, _needed(posting))
    endings.add(ctx, _Later(posting))


def now(ctx: Context, posting: Posting) -> ledger.Balance:
    """Post it, and hold the wallet until the commit. Raises NotEnough."""
    cursor = ctx.cursor()
    cursor.execute(ledger.LOCK, (ctx.tenant_id,), prepare=True)
    values = ledger.values_of(ctx.tenant_id, posting)
    row = cursor.execute(ledger.POST, values, prepare=True).fetchone()
    if row is None:
        free, currency = _free(ctx)
        raise _not_enough(_needed(posting), _needed(posting) - free, currency)
    ctx.announce("wallet", ctx.tenant_id)
    balance = ledger.Balance(*row)
    if balance.has_become_low:
        ctx.enqueue("workers.jobs.billing.tell_low")
    return balance


def check(ctx: Context, micros: int) -> None:
    """Raise NotEnough unless that much more can be set aside, as far as can be seen now."""
    if not micros:
        return
    free, currency = _free(ctx)
    waiting = [one.posting for one in endings.of(ctx, _Later)]
    free -= sum(_needed(posting) for posting in waiting if posting.is_strict)
    if free < micros:
        raise _not_enough(micros, micros - free, currency)


def _needed(posting: Posting) -> int:
    return sum(line.micros for line in posting.lines)


def _free(ctx: Context) -> tuple[int, str]:
    """What can be spent, credit line included. Columns, not the row: a session keeps a row as it was."""
    wallet = Wallet
    facts = select(
        wallet.available_micros - wallet.owed_micros + wallet.credit_limit_micros, wallet.currency
    ).where(wallet.tenant_id == ctx.tenant_id)
    return ctx.session.exec(facts).one_or_none() or (0, settings().wallet_currency)


def _not_enough(needed: int, missing: int, currency: str) -> NotEnough:
    return NotEnough(
        f"This costs {money.shown(needed, currency)}, and your wallet lacks"
        f" {money.shown(missing, currency)}. The page Billing tells an owner how to top it up.",
        needed=needed,
    )


def _joined(postings: Sequence[Posting]) -> list[Posting]:
    """However many messages, the wallet moves once for each kind. What gives back comes first."""
    together: dict[tuple[EntryKind, str], list[Posting]] = defaultdict(list)
    for one in sorted(postings, key=lambda one: one.is_strict):
        together[one.kind, one.note].append(one)
    return [
        replace(same[0], lines=[line for one in same for line in one.lines])
        for same in together.values()
    ]
