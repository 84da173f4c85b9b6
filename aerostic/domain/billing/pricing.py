"""How prices are set, by the platform's staff: the default rate card, and each tenant's own price book.

A price holds from a day on, until the next of its market and category. What was held keeps its price.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core import money
from aerostic.core.errors import Invalid
from aerostic.core.ids import first_id_at, new_id
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.billing import markets, wallets
from aerostic.domain.billing.models import Category, Rate, TenantPrice
from aerostic.domain.billing.prices import EVERY_MARKET

HEADINGS = ("currency", "market", "category", "price", "valid_from")
MOST_ROWS = 20_000
LOOKED_BACK = timedelta(days=30)
PRICED = (Category.MARKETING, Category.UTILITY, Category.AUTHENTICATION)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price from a day on. `micros` of None, for a tenant: as the rate card says."""

    market: str
    category: str
    micros: int | None
    valid_from: date
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What messages of one market and category were charged, and would be at the new price."""

    market: str
    category: str
    messages: int
    was_micros: int
    would_be_micros: int


# The rate card ----------------------------------------------------------------------------------


@requires(Permission.PLATFORM_PRICES)
def rate_card(ctx: Context) -> list[PriceRow]:
    """Every price of the default rate card, by market, category and day."""
    order = (col(Rate.currency), col(Rate.market), col(Rate.category), col(Rate.valid_from))
    return [
        PriceRow(one.market, one.category, one.micros, one.valid_from, one.currency)
        for one in ctx.session.exec(select(Rate).order_by(*order))
    ]


@requires(Permission.PLATFORM_PRICES)
def import_card(ctx: Context, text: str) -> int:
    """Take in a CSV of `currency,market,category,price,valid_from`; return how many prices it had.

    All or nothing. A price of the same day takes the place of the one before.
    """
    rows = read_csv(text)
    for one in rows:
        if one.micros is None:
            raise Invalid("price", "Each line of a rate card has a price.")
        given = {
            "id": new_id(),
            "currency": one.currency,
            "market": one.market,
            "category": one.category,
            "micros": one.micros,
            "valid_from": one.valid_from,
            "created_at": ctx.now,
        }
        ctx.session.execute(
            insert(Rate)
            .values(given)
            .on_conflict_do_update(
                index_elements=["currency", "market", "category", "valid_from"],
                set_={"micros": one.micros},
            )
        )
    return len(rows)


def write_csv(rows: Iterable[PriceRow]) -> str:
    """As `read_csv` reads it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADINGS)
    for one in rows:
        price = "" if one.micros is None else money.decimal(one.micros)
        writer.writerow((one.currency, one.market, one.category, price, one.valid_from))
    return text.getvalue()


def read_csv(text: str) -> list[PriceRow]:
    """Raises Invalid with the line that is wrong."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    missing = set(HEADINGS) - set(reader.fieldnames or ())
    if missing:
        raise Invalid("file", f"The file lacks the column {', '.join(sorted(missing))}.")
    rows = []
    for number, line in enumerate(reader, start=2):
        if number > MOST_ROWS:
            raise Invalid("file", f"A rate card has at most {MOST_ROWS:,} lines.")
        rows.append(_read_line(number, line))
    return rows


def _read_line(number: int, line: dict[str, str | None]) -> PriceRow:
    found = {name: (line.get(name) or "").strip() for name in HEADINGS}
    try:
        day = date.fromisoformat(found["valid_from"])
        micros = money.micros_of(found["price"]) if found["price"] else None
    except ValueError:
        raise Invalid("file", f"Line {number}: write the day as 2026-11-23.") from None
    except Invalid as error:
        raise Invalid("file", f"Line {number}: {error.message}") from None
    row = PriceRow(found["market"], found["category"], micros, day, found["currency"].upper())
    try:
        _check(row)
    except Invalid as error:
        raise Invalid("file", f"Line {number}: {error.message}") from None
    return row


def _check(row: PriceRow) -> None:
    if row.market not in (EVERY_MARKET, *markets.names()):
        raise Invalid("market", f"There is no market “{row.market}”.")
    if row.category not in PRICED:
        raise Invalid("category", f"A category is one of {', '.join(PRICED)}.")
    if row.micros is not None and row.micros < 0:
        raise Invalid("price", "A price is zero or more.")


# A tenant's own ---------------------------------------------------------------------------------


@requires(Permission.PLATFORM_PRICES)
def own_prices(ctx: Context) -> list[PriceRow]:
    """The tenant's price book, by market, category and day."""
    price = TenantPrice
    found = (
        select(price)
        .where(price.tenant_id == ctx.tenant_id)
        .order_by(col(price.market), col(price.category), col(price.valid_from))
    )
    currency = wallets.currency_of(ctx)
    return [
        PriceRow(one.market, one.category, one.micros, one.valid_from, currency)
        for one in ctx.session.exec(found)
    ]


@requires(Permission.PLATFORM_PRICES)
def set_prices(ctx: Context, rows: Sequence[PriceRow]) -> None:
    """Set prices of this tenant's own. One without an amount hands back to the rate card, from its day on."""
    price = TenantPrice
    for one in rows:
        _check(one)
        if one.market == EVERY_MARKET and one.micros is None:
            raise Invalid("price", "A price for every market has an amount. To undo it, remove it.")
        ctx.session.execute(
            delete(price).where(
                col(price.tenant_id) == ctx.tenant_id,
                col(price.market) == one.market,
                col(price.category) == one.category,
                col(price.valid_from) == one.valid_from,
            )
        )
        ctx.session.add(
            TenantPrice(
                market=one.market,
                category=one.category,
                micros=one.micros,
                valid_from=one.valid_from,
                set_by=ctx.actor.name,
            )
        )
        ctx.session.flush()


@requires(Permission.PLATFORM_PRICES)
def preview(ctx: Context, rows: Sequence[PriceRow]) -> list[Effect]:
    """What the last 30 days would have cost this tenant at these prices, beside what they did."""
    for one in rows:
        _check(one)
    new = {(one.market, one.category): one.micros for one in rows if one.micros is not None}
    given = {"tenant": ctx.tenant_id, "since": first_id_at(ctx.now - LOOKED_BACK)}
    found = ctx.cursor().execute(_CHARGED, given).fetchall()
    return [_effect(new, *row) for row in found]


# What is written freely is priced as utility, once it is charged for.
_CHARGED = """
    select market, case category when 'service' then 'utility' else category end as priced,
           count(*), sum(micros)
    from charges
    where tenant_id = %(tenant)s and message_id >= %(since)s and state = 'captured'
    group by 1, 2 order by 1, 2
"""


def _effect(
    new: dict[tuple[str, str], int], market: str, category: str, messages: int, was: int
) -> Effect:
    price = new.get((market, category), new.get((EVERY_MARKET, category)))
    would_be = int(was) if price is None else messages * price
    return Effect(market, category, messages, int(was), would_be)
