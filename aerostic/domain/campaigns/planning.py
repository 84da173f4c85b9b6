"""What launching would do: from the rows that were written down, the numbers' rates and WhatsApp's limits."""

import math
from datetime import timedelta

from aerostic.core.tenancy import Context
from aerostic.domain.campaigns import access, limits, timing
from aerostic.domain.campaigns.models import Campaign, SkipReason
from aerostic.domain.campaigns.schemas import MarketCost, PlanView


def view(ctx: Context, campaign: Campaign) -> PlanView:
    """The plan as far as it is counted."""
    known = campaign.plan
    to_send = int(known.get("to_send", 0))
    skipped = {str(reason): int(count) for reason, count in known.get("skipped", {}).items()}
    rate = per_second(ctx, campaign)
    day = limits.day(ctx, campaign)
    over = 0 if day.room is None else max(0, to_send - day.room)
    begin = timing.begins_at(timing.read(campaign.timing), ctx.now)
    seconds = (to_send - over) / rate if rate else None
    return PlanView(
        is_ready=campaign.expanded_at is not None,
        is_counting=campaign.is_expanding,
        counted=int(known.get("counted", 0)),
        total=max(int(known.get("total", 0)), int(known.get("counted", 0))),
        to_send=to_send,
        skipped=skipped,
        missing=skipped.get(SkipReason.VARIABLE_MISSING, 0),
        costs=_costs(campaign),
        micros=int(known.get("micros", 0)),
        per_second=rate,
        finishes_at=None if seconds is None else begin + timedelta(seconds=math.ceil(seconds)),
        day_limit=day.limit,
        used_today=day.used,
        over_limit=over,
        last_day_at=begin + timedelta(days=math.ceil(over / day.limit))
        if over and day.limit
        else None,
        problem=campaign.problem,
    )


def per_second(ctx: Context, campaign: Campaign) -> float:
    """As fast as its numbers may together, or as it was told to at most."""
    rate = float(sum(one.messages_per_second for one in access.numbers_of(ctx, campaign)))
    return rate if campaign.most_per_minute is None else min(rate, campaign.most_per_minute / 60)


def _costs(campaign: Campaign) -> tuple[MarketCost, ...]:
    counts, costs = campaign.plan.get("counts", {}), campaign.plan.get("costs", {})
    found = [MarketCost(market, counts[market], costs.get(market, 0)) for market in counts]
    return tuple(sorted(found, key=lambda one: (-one.micros, one.market)))
