"""Writing the audience down: a row for each person, slice by slice, with who is left out and what it costs.

A slice and how far it came are one transaction: whoever goes on after a crash neither misses nor doubles
anyone. Nothing leaves before the last slice.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, literal, null, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core import bulk, due_work, patience
from aerostic.core.due_work import WorkKind
from aerostic.core.ids import EPOCH
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import compiling, freezing
from aerostic.domain.campaigns import access, people, pricing, splitting, variables
from aerostic.domain.campaigns.models import (
    Campaign,
    CampaignRecipient,
    RecipientState,
    SkipReason,
)
from aerostic.domain.campaigns.people import Person
from aerostic.domain.channels.models import PhoneNumber, WhatsappAccount

AT_A_TIME = 5_000
DELETED_AT_A_TIME = 20_000
FRESH = timedelta(minutes=10)
SLOWEST = 60.0  # seconds for one statement
TOO_SLOW = "Finding the people of this audience takes more than a minute. Make its filter simpler."
LAST = UUID(int=2**128 - 1)


def begin(ctx: Context, campaign: Campaign) -> None:
    """Start from nothing, in the background."""
    campaign.is_expanding, campaign.expanded_until, campaign.expanded_at = True, None, None
    campaign.plan = {"is_clearing": True}
    campaign.priced_at = ctx.now
    due_work.put(ctx, WorkKind.CAMPAIGN, campaign.id, due_at=ctx.now)
    ctx.announce("campaign", campaign.id)


def forget(ctx: Context, campaign: Campaign) -> None:
    """What was written down is of an older version; the next beginning clears it away."""
    campaign.is_expanding, campaign.expanded_until, campaign.expanded_at = False, None, None
    campaign.plan = {}
    due_work.settle(ctx, WorkKind.CAMPAIGN, campaign.id)


def is_fresh(ctx: Context, campaign: Campaign) -> bool:
    """Whether the audience was written down just now: people may have come or said STOP since."""
    return campaign.expanded_at is not None and ctx.now - campaign.expanded_at < FRESH


def step(ctx: Context, campaign: Campaign) -> bool:
    """One slice more. True: that was the last. Raises TooSlow for an audience that can not be found."""
    with patience.at_most(ctx, SLOWEST, else_say=TOO_SLOW):
        return _step(ctx, campaign)


def _step(ctx: Context, campaign: Campaign) -> bool:
    if campaign.plan.get("is_clearing"):
        _clear(ctx, campaign)
        return False
    last = _write(ctx, campaign)
    _reckon(ctx, campaign, last)
    ctx.announce("campaign", campaign.id)
    campaign.expanded_until = last
    if last is not None:
        return False
    campaign.is_expanding, campaign.expanded_at = False, ctx.now
    return True


def delete_all(ctx: Context, campaign: Campaign) -> None:
    while _delete_some(ctx, campaign) == DELETED_AT_A_TIME:
        continue


def portfolio_of(ctx: Context, campaign: Campaign) -> str:
    """Business-scoped ids are those of a portfolio."""
    statement = (
        select(col(WhatsappAccount.portfolio_id))
        .join(PhoneNumber, col(PhoneNumber.account_id) == col(WhatsappAccount.id))
        .where(
            col(PhoneNumber.tenant_id) == ctx.tenant_id,
            col(WhatsappAccount.tenant_id) == ctx.tenant_id,
            col(PhoneNumber.id).in_(campaign.number_ids),
        )
    )
    return ctx.session.scalars(statement).first() or ""


def _clear(ctx: Context, campaign: Campaign) -> None:
    if _delete_some(ctx, campaign) < DELETED_AT_A_TIME:
        members = compiling.members(ctx, access.audience_of(campaign)).subquery()
        total = ctx.session.scalar(select(func.count()).select_from(members)) or 0
        campaign.plan = {"total": total}


def _delete_some(ctx: Context, campaign: Campaign) -> int:
    some = (
        select(col(CampaignRecipient.contact_id))
        .where(
            col(CampaignRecipient.tenant_id) == ctx.tenant_id,
            col(CampaignRecipient.campaign_id) == campaign.id,
        )
        .limit(DELETED_AT_A_TIME)
    )
    gone = (
        delete(CampaignRecipient)
        .where(
            col(CampaignRecipient.tenant_id) == ctx.tenant_id,
            col(CampaignRecipient.campaign_id) == campaign.id,
            col(CampaignRecipient.contact_id).in_(some),
        )
        .returning(col(CampaignRecipient.contact_id))
    )
    return len(ctx.session.execute(gone).all())


def _write(ctx: Context, campaign: Campaign) -> UUID | None:
    """The next people of the audience; returns the last of them, or None where nobody is left."""
    audience, after = access.audience_of(campaign), campaign.expanded_until
    those = freezing.slice_of(
        ctx, audience, category=campaign.category, after=after, limit=AT_A_TIME
    ).cte("those")
    is_left_out = those.c.reason.is_not(None)
    rows = select(
        literal(ctx.tenant_id),
        literal(campaign.id),
        those.c.contact_id,
        case((is_left_out, RecipientState.SKIPPED), else_=RecipientState.PENDING),
        those.c.reason,
        those.c.cells,
        case((is_left_out, null()), else_=literal(ctx.now)),
    )
    names = ["tenant_id", "campaign_id", "contact_id", "state", "reason", "cells", "due_at"]
    written = insert(CampaignRecipient).from_select(names, rows, include_defaults=False)
    # One statement writes them down and says who they are. PostgreSQL 15 knows no max(uuid).
    found = select(func.array_agg(those.c.contact_id)).add_cte(
        written.on_conflict_do_nothing().cte("written")
    )
    return freezing.end_of(ctx.session.scalar(found) or [], limit=AT_A_TIME)


def _reckon(ctx: Context, campaign: Campaign, last: UUID | None) -> None:
    """Of the people just written down: who can not be written to after all, and what the others cost."""
    after = campaign.expanded_until or EPOCH
    portfolio = portfolio_of(ctx, campaign)
    found = people.of_slice(ctx, campaign.id, portfolio, after=after, last=last or LAST)
    out = _left_out(campaign, found)
    there = [one for one in found if one.id not in out]
    quotes = pricing.quotes(ctx, campaign, [one.address or "" for one in there])
    costs: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for one, quote in zip(there, quotes, strict=True):
        if quote.problem:
            out[one.id] = SkipReason.NO_PRICE
            continue
        counts[quote.market] += 1
        costs[quote.market] += quote.micros
    skip(ctx, campaign.id, out)
    _add(ctx, campaign, after, last or LAST, counts, costs)


def _left_out(campaign: Campaign, found: Sequence[Person]) -> dict[UUID, str]:
    variants = access.variants_of(campaign)
    shares = [one.share for one in variants]
    out: dict[UUID, str] = {}
    for one in found:
        if not one.address:
            out[one.id] = SkipReason.NO_ADDRESS
        elif splitting.is_held_out(one.id, campaign.hold_out_percent):
            out[one.id] = SkipReason.HELD_OUT
        else:
            chosen = variants[splitting.variant_of(one.id, shares)]
            if variables.missing(variables.values_of(chosen.variables, one.facts)):
                out[one.id] = SkipReason.VARIABLE_MISSING
    return out


_SKIPPED = bulk.columns(contact_id="uuid", reason="text")
_SKIP = bulk.statement(
    """
    update campaign_recipients r set state = 'skipped', reason = given.reason, due_at = null
    from {given}
    where r.tenant_id = %b and r.campaign_id = %b and r.contact_id = given.contact_id
""",
    _SKIPPED,
)


def skip(ctx: Context, campaign_id: UUID, out: dict[UUID, str]) -> None:
    """These are not written to, each for its reason."""
    if out:
        reasons = [str(reason) for reason in out.values()]
        bulk.run(ctx.cursor(), _SKIP, list(out), reasons, ctx.tenant_id, campaign_id)


def _add(
    ctx: Context,
    campaign: Campaign,
    after: UUID,
    last: UUID,
    counts: Counter[str],
    costs: Counter[str],
) -> None:
    """To the sums of the plan, in the same transaction as the rows."""
    cursor = ctx.cursor()
    cursor.execute(
        "select coalesce(reason, ''), count(*) from campaign_recipients where tenant_id = %s"
        " and campaign_id = %s and contact_id > %s and contact_id <= %s group by 1",
        (ctx.tenant_id, campaign.id, after, last),
        prepare=True,
    )
    by_reason: dict[str, int] = dict(cursor.fetchall())
    known: dict[str, Any] = campaign.plan
    skipped = Counter(known.get("skipped", {}))
    skipped.update({reason: count for reason, count in by_reason.items() if reason})
    campaign.plan = {
        **known,
        "counted": known.get("counted", 0) + sum(by_reason.values()),
        "to_send": known.get("to_send", 0) + counts.total(),
        "micros": known.get("micros", 0) + costs.total(),
        "skipped": dict(skipped),
        "counts": dict(Counter(known.get("counts", {})) + counts),
        "costs": {
            market: known.get("costs", {}).get(market, 0) + costs[market]
            for market in {*known.get("costs", {}), *costs}
        },
    }
