"""How money is looked at: the wallet, its entries, a statement, and what one message cost and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlmodel import col

from aerostic.core.errors import Invalid, NotFound, Refused
from aerostic.core.ids import first_id_at, moment_of
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.billing import wallets
from aerostic.domain.billing.models import Account, Charge, EntryKind, LedgerEntry
from aerostic.domain.billing.wallets import WalletView
from aerostic.domain.identity.models import Tenant

MOST_DAYS = 400
MOST_LINES = 200_000  # of a statement: more is asked for in parts
AT_A_TIME = 2_000  # lines in memory


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry. `change_micros`: by how much it changed what can be spent."""

    id: UUID
    transaction_id: UUID
    posted_at: datetime
    kind: EntryKind
    account: Account
    micros: int
    change_micros: int
    message_id: UUID | None
    refers_to: UUID | None
    note: str
    actor_name: str

    @property
    def amount_micros(self) -> int:
        return abs(self.micros)


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """`only_postings`: of each posting the entry that carries its key, without the other side."""

    kind: EntryKind | None = None
    account: Account | None = None
    message_id: UUID | None = None
    only_postings: bool = False


@dataclass(frozen=True, slots=True)
class Explained:
    """What one message costs, why, how far that is settled, and the entries that say so."""

    message_id: UUID
    state: str
    currency: str
    micros: int
    category: str
    market: str
    price_id: UUID | None
    why: str
    is_late: bool
    campaign_id: UUID | None
    settled_at: datetime | None
    entries: list[EntryRow]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What the wallet lacks for something, in its currency; zero where it has enough."""

    currency: str
    micros: int


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What was posted of one kind on one day."""

    day: date
    kind: EntryKind
    count: int
    micros: int


@dataclass(frozen=True, slots=True)
class Balances:
    """`available_micros` less what is owed."""

    available_micros: int
    held_micros: int


@dataclass(frozen=True, slots=True)
class Statement:
    """Of whole days in the workspace's time zone, the last one included."""

    workspace: str
    currency: str
    time_zone: str
    first: date
    last: date
    opening: Balances
    closing: Balances
    totals: list[DayTotal]


@requires(Permission.BILLING_READ)
def wallet(ctx: Context) -> WalletView:
    """The wallet as it stands."""
    return wallets.view(ctx)


@requires(Permission.CAMPAIGNS_MANAGE)
def shortfall(ctx: Context, micros: int) -> Shortfall:
    """What is missing to set that much aside: for who plans a campaign and does not see the wallet."""
    found = wallets.view(ctx)
    spendable = found.available_micros + found.credit_limit_micros
    return Shortfall(found.currency, max(0, micros - spendable))


@requires(Permission.BILLING_READ)
def entries(
    ctx: Context, wanted: EntryFilter, after: Cursor | None = None, limit: int = 50
) -> Page[EntryRow]:
    """The ledger, newest first."""
    size, entry = page_size(limit), LedgerEntry
    rows = select(entry).where(*_conditions(ctx, wanted))
    if after:
        (last,) = read_cursor(after, UUID)
        rows = rows.where(col(entry.id) < last)
    found = ctx.session.scalars(rows.order_by(col(entry.id).desc()).limit(size + 1)).all()
    items = [row_of(one) for one in found[:size]]
    return Page(items, cursor_of(items[-1].id) if len(found) > size else None)


def _conditions(ctx: Context, wanted: EntryFilter) -> list[Any]:
    entry = LedgerEntry
    conditions = [col(entry.tenant_id) == ctx.tenant_id]
    if wanted.kind:
        conditions.append(col(entry.kind) == wanted.kind)
    if wanted.account:
        conditions.append(col(entry.account) == wanted.account)
    if wanted.message_id:
        conditions.append(col(entry.message_id) == wanted.message_id)
    if wanted.only_postings:
        conditions.append(col(entry.key).is_not(None))
    return conditions


def row_of(entry: LedgerEntry) -> EntryRow:
    return EntryRow(
        id=entry.id,
        transaction_id=entry.transaction_id,
        posted_at=moment_of(entry.id),
        kind=EntryKind(entry.kind),
        account=Account(entry.account),
        micros=entry.micros,
        change_micros=_change_of(entry),
        message_id=entry.message_id,
        refers_to=entry.refers_to,
        note=entry.note,
        actor_name=entry.actor_name,
    )


def _change_of(entry: LedgerEntry) -> int:
    """A capture takes from what is held: it changes nothing that could be spent."""
    if entry.account in (Account.AVAILABLE, Account.OWED):
        return entry.micros
    return 0 if entry.kind == EntryKind.CAPTURE or not entry.key else -entry.micros


@requires(Permission.BILLING_READ)
def explain(ctx: Context, message_id: UUID) -> Explained:
    """Why a message cost what it did. NotFound for one that is not charged for at all."""
    charge = ctx.get(Charge, message_id)
    if charge is None:
        raise NotFound("This message is not charged for.")
    keys = [f"{kind}:{message_id}" for kind in ("hold", "capture", "void")]
    entry = LedgerEntry
    rows = select(entry).where(col(entry.tenant_id) == ctx.tenant_id, col(entry.key).in_(keys))
    found = ctx.session.scalars(rows.order_by(col(entry.id))).all()
    return Explained(
        message_id,
        charge.state,
        wallets.currency_of(ctx),
        charge.micros,
        charge.category,
        charge.market,
        charge.price_id,
        charge.why,
        charge.is_late,
        charge.campaign_id,
        charge.settled_at,
        [row_of(one) for one in found],
    )


# Statements -------------------------------------------------------------------------------------


@requires(Permission.BILLING_READ)
def statement(ctx: Context, first: date, last: date) -> Statement:
    """What was posted on these days, by day and kind, and the balances before and after."""
    tenant = ctx.session.get(Tenant, ctx.tenant_id)
    if tenant is None:
        raise NotFound("There is no such workspace.")
    start, end = _bounds(tenant, first, last)
    return Statement(
        tenant.name,
        wallets.currency_of(ctx),
        tenant.time_zone,
        first,
        last,
        _balances(ctx, start),
        _balances(ctx, end),
        _totals(ctx, start, end, (first, last, tenant.time_zone)),
    )


@requires(Permission.BILLING_READ)
def postings(ctx: Context, first: date, last: date) -> Iterator[EntryRow]:
    """Each posting of these days, the oldest first, read as they are asked for.

    Raises Refused at once where they are too many.
    """
    tenant = ctx.session.get(Tenant, ctx.tenant_id)
    if tenant is None:
        raise NotFound("There is no such workspace.")
    start, end = _bounds(tenant, first, last)
    entry = LedgerEntry
    rows = (
        select(entry)
        .where(*_conditions(ctx, EntryFilter(only_postings=True)))
        .where(col(entry.id) >= start, col(entry.id) < end)
    )
    ids = rows.with_only_columns(col(entry.id)).limit(MOST_LINES + 1).subquery()
    if (ctx.session.scalar(select(func.count()).select_from(ids)) or 0) > MOST_LINES:
        raise Refused(f"These days have more than {MOST_LINES:,} postings. Choose a shorter time.")
    return _read(ctx, rows.order_by(col(entry.id)))


def _read(ctx: Context, rows: Select[LedgerEntry]) -> Iterator[EntryRow]:
    """A block at a time. What was read is not kept: the session holds its rows weakly."""
    blocks = ctx.session.scalars(rows.execution_options(yield_per=AT_A_TIME)).partitions()
    for block in blocks:
        yield from (row_of(one) for one in block)


def _bounds(tenant: Tenant, first: date, last: date) -> tuple[UUID, UUID]:
    if last < first:
        raise Invalid("until", "The last day comes before the first.")
    if (last - first).days >= MOST_DAYS:
        raise Invalid("until", f"A statement is of at most {MOST_DAYS} days.")
    zone = ZoneInfo(tenant.time_zone)
    start = datetime.combine(first, time(), zone)
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    return first_id_at(start), first_id_at(end)


def _balances(ctx: Context, until: UUID) -> Balances:
    entry = LedgerEntry
    sums = (
        select(col(entry.account), func.sum(col(entry.micros)))
        .where(col(entry.tenant_id) == ctx.tenant_id, col(entry.id) < until)
        .group_by(col(entry.account))
    )
    found = {account: int(micros) for account, micros in ctx.session.execute(sums)}
    free = found.get(Account.AVAILABLE, 0) + found.get(Account.OWED, 0)
    return Balances(free, found.get(Account.HELD, 0))


_TOTALS = """
    select greatest(%(first)s, least(%(last)s, (created_at at time zone %(zone)s)::date)) as day, kind,
           count(*), sum(abs(micros))
    from ledger_entries
    where tenant_id = %(tenant)s and key is not null and id >= %(start)s and id < %(end)s
    group by 1, 2 order by 1, 2
"""


def _totals(ctx: Context, start: UUID, end: UUID, days: tuple[date, date, str]) -> list[DayTotal]:
    """Which day: work that began a moment before midnight may be posted just after it."""
    given: dict[str, Any] = {"tenant": ctx.tenant_id, "start": start, "end": end}
    given |= {"first": days[0], "last": days[1], "zone": days[2]}
    found = ctx.cursor().execute(_TOTALS, given).fetchall()
    return [DayTotal(row[0], EntryKind(row[1]), row[2], int(row[3])) for row in found]
