"""Every way in which money comes in, goes back, or is put right. Each once, by its key."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, func, select, update

from aerostic.core import money
from aerostic.core.errors import Conflict, Invalid, Refused
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.billing import postings, wallets
from aerostic.domain.billing.ledger import Line, Posting
from aerostic.domain.billing.models import Account, EntryKind, LedgerEntry, Wallet
from aerostic.domain.billing.wallets import WalletView

LONGEST_KEY = 200
LONGEST_NOTE = 500


@requires(Permission.PLATFORM_PRICES)
def top_up(ctx: Context, micros: int, *, key: str, note: str = "") -> WalletView:
    """Money that came in. The same key again changes nothing."""
    if micros <= 0:
        raise Invalid("amount", "A top-up is more than nothing.")
    line = Line(Account.FUNDED, -micros, _key("top_up", key))
    return _post_once(ctx, EntryKind.TOP_UP, [line], note)


@requires(Permission.PLATFORM_PRICES)
def adjust(ctx: Context, micros: int, *, key: str, note: str) -> WalletView:
    """Put a balance right, up or down, and say why. Down only as far as there is something."""
    if not micros:
        raise Invalid("amount", "An adjustment of nothing changes nothing.")
    if not note.strip():
        raise Invalid("note", "Say why: the note stands in the ledger for good.")
    line = Line(Account.FUNDED, -micros, _key("adjust", key))
    return _post_once(ctx, EntryKind.ADJUST, [line], note, is_strict=micros < 0)


@requires(Permission.PLATFORM_PRICES)
def refund(
    ctx: Context, message_id: UUID, *, key: str, note: str, micros: int | None = None
) -> WalletView:
    """Give back what a message was charged, or a part of it. Never more than that, over all refunds."""
    wallets.lock(ctx)
    entry_key = _key("refund", key)
    if _is_posted(ctx, entry_key, -micros if micros else None, message_id):
        return wallets.view(ctx)
    debit_id, charged = _debit_of(ctx, message_id)
    left = charged - _refunded(ctx, debit_id)
    wanted = left if micros is None else micros
    if wanted <= 0:
        raise Refused("This message was refunded in full already.")
    if wanted > left:
        wallet = wallets.view(ctx)
        raise Refused(
            f"This message was charged {money.shown(charged, wallet.currency)}, of which"
            f" {money.shown(left, wallet.currency)} can still be refunded."
        )
    line = Line(Account.SPENT, -wanted, entry_key, message_id, refers_to=debit_id)
    return _post(ctx, EntryKind.REFUND, [line], note)


@requires(Permission.PLATFORM_PRICES)
def set_credit_limit(ctx: Context, micros: int, *, note: str = "") -> WalletView:
    """How far below zero the balance may go from now on.

    Withdrawn while it is used, what lies below is owed: nothing more is sent until it is paid.
    """
    if not 0 <= micros <= money.MOST:
        raise Invalid("credit_limit", "A credit line is zero or more.")
    wallets.open_wallet(ctx)
    posting = Posting(
        EntryKind.CREDIT, [], ctx.actor.name, ctx.now, note=_note(note), credit_micros=micros
    )
    postings.now(ctx, posting)
    return wallets.view(ctx)


@requires(Permission.BILLING_MANAGE)
def set_low_balance(ctx: Context, micros: int | None) -> WalletView:
    """Tell the owners once the balance falls below this. None: tell nobody."""
    if micros is not None and not 0 < micros <= money.MOST:
        raise Invalid("low_balance", "Write an amount above zero, or nothing for no notice.")
    wallets.open_wallet(ctx)
    wallets.lock(ctx)
    # Who draws the line above the balance knows that it is low: the next crossing is told, not this one.
    is_low = col(Wallet.available_micros) < micros if micros is not None else False
    ctx.session.execute(
        update(Wallet)
        .where(col(Wallet.tenant_id) == ctx.tenant_id)
        .values(low_balance_micros=micros, is_low=is_low)
        .execution_options(synchronize_session=False)
    )
    ctx.announce("wallet", ctx.tenant_id)
    return wallets.view(ctx)


def _post_once(
    ctx: Context, kind: EntryKind, lines: Sequence[Line], note: str, *, is_strict: bool = False
) -> WalletView:
    wallets.open_wallet(ctx)
    wallets.lock(ctx)
    (line,) = lines
    if _is_posted(ctx, line.key or "", line.micros):
        return wallets.view(ctx)
    return _post(ctx, kind, lines, note, is_strict=is_strict)


def _post(
    ctx: Context, kind: EntryKind, lines: Sequence[Line], note: str, *, is_strict: bool = False
) -> WalletView:
    posting = Posting(kind, lines, ctx.actor.name, ctx.now, note=_note(note), is_strict=is_strict)
    postings.now(ctx, posting)
    return wallets.view(ctx)


def _is_posted(ctx: Context, key: str, micros: int | None, message_id: UUID | None = None) -> bool:
    """Whether this was done before. Raises Conflict where the key was used for something else."""
    entry = LedgerEntry
    known = select(entry.micros, entry.message_id).where(
        entry.tenant_id == ctx.tenant_id, entry.key == key
    )
    before = ctx.session.exec(known).one_or_none()
    if before is None:
        return False
    if micros not in (None, before[0]):
        raise Conflict("That key was used for another amount. Use a new one.")
    if message_id != before[1]:
        raise Conflict("That key was used for another message. Use a new one.")
    return True


def _debit_of(ctx: Context, message_id: UUID) -> tuple[UUID, int]:
    """What a message was charged: the entry, and how much."""
    entry = LedgerEntry
    debit = select(entry.id, func.abs(entry.micros)).where(
        entry.tenant_id == ctx.tenant_id, entry.key == f"capture:{message_id}"
    )
    found = ctx.session.exec(debit).one_or_none()
    if found is None:
        raise Refused("This message was not charged for, so there is nothing to refund.")
    return found


def _refunded(ctx: Context, debit_id: UUID) -> int:
    entry = LedgerEntry
    refunds = select(func.sum(entry.micros)).where(
        entry.tenant_id == ctx.tenant_id,
        entry.kind == EntryKind.REFUND,
        entry.account == Account.SPENT,
        entry.refers_to == debit_id,
    )
    return -int(ctx.session.exec(refunds).one() or 0)


def _key(kind: str, key: str) -> str:
    if not key.strip() or len(key) > LONGEST_KEY:
        raise Invalid("key", f"Give a key of 1 to {LONGEST_KEY} characters: twice is once by it.")
    return f"{kind}:{key}"


def _note(note: str) -> str:
    return note.strip()[:LONGEST_NOTE]
