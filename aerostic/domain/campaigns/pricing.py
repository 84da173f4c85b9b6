"""What each recipient costs. The price of a market is looked up once for a campaign, and then it stands."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aerostic.core.tenancy import Context
from aerostic.domain.billing import charging
from aerostic.domain.billing.charging import Quote
from aerostic.domain.campaigns.models import Campaign


def quotes(ctx: Context, campaign: Campaign, addresses: Sequence[str]) -> list[Quote]:
    """What a message to each of them costs, in their order: what was set aside for it keeps its price."""
    assert campaign.priced_at is not None, "set when the audience was written down"
    kept = _kept(campaign)
    found = charging.quotes(ctx, campaign.category, addresses, campaign.priced_at, kept=kept)
    _keep(campaign, {one.market: one for one in found if not one.problem})
    return found


def _kept(campaign: Campaign) -> dict[str, Quote]:
    of_category: Mapping[str, Any] = campaign.plan.get("prices", {}).get(campaign.category, {})
    return {
        market: Quote(market, micros, UUID(price_id) if price_id else None, why)
        for market, (micros, price_id, why) in of_category.items()
    }


def _keep(campaign: Campaign, by_market: Mapping[str, Quote]) -> None:
    known: Mapping[str, Any] = campaign.plan.get("prices", {})
    before = known.get(campaign.category, {})
    if by_market.keys() <= before.keys():
        return
    found = {
        market: [one.micros, str(one.price_id) if one.price_id else None, one.why]
        for market, one in by_market.items()
    }
    prices = {**known, campaign.category: {**found, **before}}
    campaign.plan = {**campaign.plan, "prices": prices}
