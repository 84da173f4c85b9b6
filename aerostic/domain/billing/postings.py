"""Postings that wait for the end of their transaction, so that the wallet's row is the last that is locked.

Someone who sends to many people, and Meta's news of as many, lock conversations and messages in orders of
their own. If both took the wallet in between, they could wait for each other in a circle.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction
from sqlmodel import select

from aerostic.core import money
from aerostic.core.errors import Refused
from aerostic.core.settings import settings
from aerostic.core.tenancy import Context, ScopedSession
from aerostic.domain.billing import ledger
from aerostic.domain.billing.ledger import Posting
from aerostic.domain.billing.models import EntryKind, Wallet

_WAITING = "billing.waiting"


class NotEnough(Refused):
    """The wallet does not hold what was to be set aside."""

    code = "not_enough_money"


@dataclass(slots=True)
class _Waiting:
    """What this session has to post, each with the (nested) transaction that wants it."""

    ctx: Context
    postings: list[tuple[SessionTransaction | None, Posting]] = field(default_factory=list)


def at_the_end(ctx: Context, posting: Posting) -> None:
    """Post it with the commit. What is to be held is compared with the balance now, and again then."""
    if not posting.lines:
        return
    if posting.is_strict:
        check(ctx, sum(line.micros for line in posting.lines))
    waiting = ctx.session.info.setdefault(_WAITING, _Waiting(ctx))
    inner = ctx.session.get_nested_transaction() or ctx.session.get_transaction()
    waiting.postings.append((inner, posting))


def now(ctx: Context, posting: Posting) -> ledger.Balance:
    """Post it, and hold the wallet until the commit. Raises NotEnough."""
    values = ledger.values_of(ctx.tenant_id, posting)
    row = ctx.cursor().execute(ledger.POST, values, prepare=True).fetchone()
    if row is None:
        needed, (free, currency) = sum(line.micros for line in posting.lines), _free(ctx)
        raise _not_enough(needed, needed - free, currency)
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
    held = sum(line.micros for _, each in _of(ctx) if each.is_strict for line in each.lines)
    if free - held < micros:
        raise _not_enough(micros, micros - (free - held), currency)


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
        f" {money.shown(missing, currency)}. The page Billing tells an owner how to top it up."
    )


def _of(ctx: Context) -> Sequence[tuple[SessionTransaction | None, Posting]]:
    waiting: _Waiting | None = ctx.session.info.get(_WAITING)
    return waiting.postings if waiting else ()


@event.listens_for(ScopedSession, "before_commit")
def _post(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a part of the work is done; the wallet waits for the whole
    waiting: _Waiting | None = session.info.pop(_WAITING, None)
    if waiting is None:
        return
    for posting in _joined([each for _, each in waiting.postings]):
        now(waiting.ctx, posting)


@event.listens_for(ScopedSession, "after_soft_rollback")
def _drop(session: Session, undone: SessionTransaction) -> None:
    """What an undone part of the work wanted is not wanted any more."""
    waiting: _Waiting | None = session.info.get(_WAITING)
    if waiting is not None:
        waiting.postings = [one for one in waiting.postings if not _is_within(one[0], undone)]


def _is_within(inner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False


def _joined(postings: Sequence[Posting]) -> list[Posting]:
    """One posting for all of a kind: however many messages, the wallet moves once."""
    together: dict[tuple[EntryKind, str], list[Posting]] = defaultdict(list)
    for one in postings:
        together[one.kind, one.note].append(one)
    return [
        replace(same[0], lines=[line for one in same for line in one.lines])
        for same in together.values()
    ]
