"""What a message costs, and that the money for it is set aside before it leaves.

Called by whoever sends, inside their own permission and transaction. Nothing here is asked for by a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import select

from aerostic.core import arrays, money
from aerostic.core.errors import NotFound, Refused
from aerostic.core.tenancy import Context
from aerostic.domain.billing import allowances, markets, postings, prices, rules, wallets
from aerostic.domain.billing.ledger import Line, Posting
from aerostic.domain.billing.models import (
    Account,
    CampaignHold,
    Category,
    Charge,
    ChargeState,
    EntryKind,
    Wallet,
)
from aerostic.domain.billing.postings import NotEnough
from aerostic.domain.billing.prices import Price
from aerostic.domain.billing.settling import Outcome, Settled, settle, settle_in_lane

__all__ = [
    "Cost",
    "NotEnough",
    "Occasion",
    "Outcome",
    "Quote",
    "Recipient",
    "Settled",
    "charge_recipients",
    "cost_of",
    "cover",
    "extend_hold",
    "hold_campaign",
    "hold_message",
    "quotes",
    "release_hold",
    "settle",
    "settle_in_lane",
    "trouble",
]


@dataclass(frozen=True, slots=True)
class Quote:
    """What one message to one recipient costs. With a `problem` it can not be sent, and costs nothing."""

    market: str
    micros: int
    price_id: UUID | None
    why: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and where a message is written: what Meta's price depends on beside its category."""

    number_id: UUID
    window_closes_at: datetime | None
    free_entry_until: datetime | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a message that is being written costs. `is_of_allowance`: one of the month's free ones."""

    state: ChargeState
    category: str
    market: str
    micros: int
    price_id: UUID | None
    why: str
    is_of_allowance: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """A campaign's message, and its share of the campaign's hold."""

    message_id: UUID
    micros: int
    category: str
    market: str
    price_id: UUID | None
    why: str = ""


# Prices -----------------------------------------------------------------------------------------


def quotes(
    ctx: Context,
    category: str,
    recipients: Sequence[str],
    at: datetime,
    *,
    kept: Mapping[str, Quote] | None = None,
) -> list[Quote]:
    """What a message of that category to each of them costs at that moment, in their order.

    `kept`: markets whose price was agreed before, and stands.
    """
    places = [markets.market_of(one) for one in recipients]
    by_market = dict(kept or {})
    unknown = {place for place in places if place} - by_market.keys()
    if unknown:
        by_market |= _looked_up(ctx, category.lower(), unknown, at)
    return [by_market[place] if place else NOWHERE for place in places]


def _looked_up(ctx: Context, category: str, places: set[str], at: datetime) -> dict[str, Quote]:
    currency = wallets.currency_of(ctx)
    found = prices.prices_of(ctx, places, category=category, currency=currency, day=at.date())
    return {place: _quote(place, category, currency, found.get(place)) for place in places}


NOWHERE = Quote(
    "", 0, None, "", "This number belongs to no market that WhatsApp has a price for. Check it."
)


def _quote(market: str, category: str, currency: str, price: Price | None) -> Quote:
    if price is None:
        missing = f"There is no price in {currency} for {category} messages to {market} yet."
        return Quote(market, 0, None, "", f"{missing} Ask whoever runs this platform.")
    whose = "your own price" if price.is_own else "the rate card"
    why = f"{category.capitalize()} to {market}: {money.shown(price.micros, currency)} by {whose}."
    return Quote(market, price.micros, price.id, why)


def cost_of(ctx: Context, occasion: Occasion, *, category: str, recipient: str) -> Cost | None:
    """What one message costs now; None where nothing is counted at all.

    Raises Refused where there is no price, and NotEnough where the wallet lacks it.
    """
    category = category.lower()
    at = rules.at(ctx.now)
    market = markets.market_of(recipient) or ""
    if _is_before(ctx.now, occasion.free_entry_until):
        return _free(category, market, "Free: they came from an ad or a button of your page.")
    if category == Category.SERVICE:
        return _service(ctx, occasion, at, market, recipient)
    is_in_window = _is_before(ctx.now, occasion.window_closes_at)
    if category == Category.UTILITY and at.is_utility_free_in_window and is_in_window:
        return _free(category, market, "Free: utility within 24 hours of their message.")
    return _priced(ctx, category, category, recipient)


def _is_before(now: datetime, until: datetime | None) -> bool:
    return until is not None and now < until


def _free(category: str, market: str, why: str, *, is_of_allowance: bool = False) -> Cost:
    return Cost(ChargeState.FREE, category, market, 0, None, why, is_of_allowance)


def _service(
    ctx: Context, occasion: Occasion, at: rules.Rules, market: str, recipient: str
) -> Cost | None:
    most = at.free_service_messages
    if most is None:
        return None
    if allowances.used(ctx, occasion.number_id) < most:
        why = f"Free: one of the number's {most:,} answers of this month."
        return _free(Category.SERVICE, market, why, is_of_allowance=True)
    return _priced(ctx, Category.SERVICE, at.service_priced_as, recipient)


def _priced(ctx: Context, category: str, priced_as: str, recipient: str) -> Cost:
    (quote,) = quotes(ctx, priced_as, [recipient], ctx.now)
    if quote.problem:
        raise Refused(quote.problem)
    state = ChargeState.HELD if quote.micros else ChargeState.FREE
    cost = Cost(state, category, quote.market, quote.micros, quote.price_id, quote.why)
    postings.check(ctx, quote.micros)
    return cost


# One message ------------------------------------------------------------------------------------


def hold_message(ctx: Context, message_id: UUID, number_id: UUID, cost: Cost | None) -> None:
    """Set aside what a message costs, and write down why. The wallet moves with the commit."""
    if cost is None:
        return
    charge = Charge(
        message_id=message_id,
        number_id=number_id,
        state=cost.state,
        micros=cost.micros,
        category=cost.category,
        market=cost.market,
        price_id=cost.price_id,
        why=cost.why,
        is_of_allowance=cost.is_of_allowance,
    )
    ctx.session.add(charge)
    if cost.is_of_allowance:
        allowances.use(ctx, number_id)
    if cost.micros:
        line = Line(Account.HELD, cost.micros, f"hold:{message_id}", message_id)
        _hold(ctx, line)


def _hold(ctx: Context, line: Line, note: str = "") -> None:
    posting = Posting(EntryKind.HOLD, [line], ctx.actor.name, ctx.now, note=note, is_strict=True)
    postings.at_the_end(ctx, posting)


# Campaigns --------------------------------------------------------------------------------------


def hold_campaign(ctx: Context, campaign_id: UUID, micros: int, count: int) -> UUID:
    """Set aside a whole campaign. Raises NotEnough with the sum that is missing; then nothing is held."""
    wallets.open_wallet(ctx)
    postings.check(ctx, micros)
    hold = CampaignHold(campaign_id=campaign_id)
    ctx.session.add(hold)
    ctx.session.flush()
    _add(ctx, hold, micros, count)
    return hold.id


def extend_hold(ctx: Context, hold_id: UUID, micros: int, count: int) -> None:
    """Set aside more for the same campaign. Refused once it was released."""
    hold = _open_hold(ctx, hold_id)
    _add(ctx, hold, micros, count)


def cover(ctx: Context, hold_id: UUID, micros: int) -> None:
    """See to it that messages of that sum can stand under the hold: what it lacks is set aside too.

    So it is where one of them moved to a dearer market. Raises NotEnough, and Refused once it was released.
    """
    hold = _open_hold(ctx, hold_id)
    ctx.session.refresh(hold)
    missing = hold.assigned_micros + micros - hold.micros
    if missing > 0:
        _add(ctx, hold, missing, 0)


def _add(ctx: Context, hold: CampaignHold, micros: int, count: int) -> None:
    if micros:
        key = f"hold:{hold.id}:{hold.micros}"
        _hold(ctx, Line(Account.HELD, micros, key, refers_to=hold.id), note="Campaign")
    hold.micros += micros
    hold.count += count
    ctx.session.flush()


def _open_hold(ctx: Context, hold_id: UUID) -> CampaignHold:
    hold = ctx.get(CampaignHold, hold_id, for_update=True)
    if hold is None:
        raise NotFound("There is no such hold.")
    if hold.released_at is not None:
        raise Refused("This campaign has ended, and what it had set aside is free again.")
    return hold


_ASSIGN = """
    update campaign_holds set assigned_micros = assigned_micros + %(micros)s,
                              assigned_count = assigned_count + %(count)s
    where tenant_id = %(tenant)s and id = %(hold)s and released_at is null
      and assigned_micros + %(micros)s <= micros
    returning campaign_id
"""
_CHARGES = """
    insert into charges (tenant_id, message_id, number_id, state, micros, category, market, price_id, why,
                         is_of_allowance, is_late, hold_id, campaign_id)
    select %(tenant)s, id, null, case when given.micros > 0 then 'held' else 'free' end, given.micros,
           category, market, price_id, why, false, false, %(hold)s, %(campaign)s
    from unnest(%(ids)s::uuid[], %(amounts)s::int8[], %(categories)s::text[], %(markets)s::text[],
                %(prices)s::uuid[], %(whys)s::text[])
        as given (id, micros, category, market, price_id, why)
"""


def charge_recipients(ctx: Context, hold_id: UUID, rows: Sequence[Recipient]) -> None:
    """Say which messages stand under a campaign's hold, as they are written. Moves no money.

    Refused, with nothing written, where the hold is released or does not cover them.
    """
    if not rows:
        return
    micros = sum(one.micros for one in rows)
    given = {"tenant": ctx.tenant_id, "hold": hold_id, "micros": micros, "count": len(rows)}
    campaign = ctx.cursor().execute(_ASSIGN, given, prepare=True).fetchone()
    if campaign is None:
        raise Refused("What this campaign has set aside does not cover these messages.")
    values = {
        "tenant": ctx.tenant_id,
        "hold": hold_id,
        "campaign": campaign[0],
        "ids": arrays.encode("uuid", [one.message_id for one in rows]),
        "amounts": arrays.encode("int8", [one.micros for one in rows]),
        "categories": arrays.encode("text", [one.category.lower() for one in rows]),
        "markets": arrays.encode("text", [one.market for one in rows]),
        "prices": arrays.encode("uuid", [one.price_id for one in rows]),
        "whys": arrays.encode("text", [one.why for one in rows]),
    }
    ctx.cursor().execute(_CHARGES, values, prepare=True)


def release_hold(ctx: Context, hold_id: UUID) -> int:
    """Free what no message stands under; return how much that was. A second time frees nothing.

    Messages that are on their way keep what is theirs until they are settled.
    """
    hold = ctx.get(CampaignHold, hold_id, for_update=True)
    if hold is None or hold.released_at is not None:
        return 0
    ctx.session.refresh(hold)
    left = hold.micros - hold.assigned_micros
    hold.released_at = ctx.now
    if left:
        line = Line(Account.HELD, -left, f"release:{hold.id}", refers_to=hold.id)
        posting = Posting(EntryKind.VOID, [line], ctx.actor.name, ctx.now, note="Campaign")
        postings.at_the_end(ctx, posting)
    return left


def trouble(ctx: Context, micros: int = 0) -> str:
    """Why nothing more should be sent, or set aside, in a sentence; empty where all is well.

    So it is where a credit line was withdrawn that money is set aside on: what is owed comes first.
    """
    facts = select(Wallet.owed_micros, Wallet.currency).where(Wallet.tenant_id == ctx.tenant_id)
    row = ctx.session.exec(facts).one_or_none()
    if row is None or not row[0]:
        return _lack(ctx, micros)
    return f"Your wallet owes {money.shown(row[0], row[1])}. Top it up, and this goes on."


def _lack(ctx: Context, micros: int) -> str:
    try:
        postings.check(ctx, micros)
    except NotEnough as error:
        return error.message
    return ""
