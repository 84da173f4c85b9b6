"""What a message costs a tenant: its own price for the market, category and day, else the rate card's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from aerostic.core.tenancy import Context

EVERY_MARKET = ""


@dataclass(frozen=True, slots=True)
class Price:
    """`is_own`: the tenant's, not the rate card's."""

    market: str
    micros: int
    id: UUID
    is_own: bool


# Of each market: the tenant's last price that had begun, for the market before one for every market. A price
# without an amount hands back to the rate card.
_PRICES = """
    select place, coalesce(own.micros, card.micros),
           case when own.micros is null then card.id else own.id end, own.micros is not null
    from unnest(%(markets)s::text[]) as place
    left join lateral (
        select p.id, p.micros from tenant_prices p
        where p.tenant_id = %(tenant)s and p.market in (place, '') and p.category = %(category)s
          and p.valid_from <= %(day)s
        order by p.market = '', p.valid_from desc limit 1) own on true
    left join lateral (
        select r.id, r.micros from rates r
        where r.currency = %(currency)s and r.market = place and r.category = %(category)s
          and r.valid_from <= %(day)s
        order by r.valid_from desc limit 1) card on true
    where own.micros is not null or card.micros is not null
"""


def prices_of(
    ctx: Context, markets: Collection[str], *, category: str, currency: str, day: date
) -> dict[str, Price]:
    """The prices of those markets that have one, that day."""
    given = {
        "markets": sorted(markets),
        "tenant": ctx.tenant_id,
        "category": category,
        "currency": currency,
        "day": day,
    }
    found = ctx.cursor().execute(_PRICES, given, prepare=True).fetchall()
    return {row[0]: Price(*row) for row in found}
