"""What a campaign does by itself: one look, one transaction, with the next moment agreed in it.

The campaign's row is held from the first line to the commit. So any number of processes may drive campaigns:
of two at one campaign the second finds what the first left, and a click on pause comes before or after.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlmodel import col

from aerostic.core import due_work, patience
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import AppError
from aerostic.core.tenancy import Context
from aerostic.domain.billing import charging
from aerostic.domain.billing.charging import NotEnough
from aerostic.domain.campaigns import (
    access,
    dispatch,
    expansion,
    limits,
    starting,
    timing,
    watching,
)
from aerostic.domain.campaigns.models import (
    Campaign,
    CampaignRecipient,
    CampaignStatus,
    RecipientState,
)
from aerostic.domain.inbox.models import OutboxItem

AT_ONCE = timedelta(0)
SOON = timedelta(milliseconds=500)
DRAINING = timedelta(seconds=1)
DRAINING_SLOWLY = timedelta(seconds=30)
FOR_MONEY = timedelta(seconds=5)
LIMITED = timedelta(minutes=5)
CANCELLED_AT_A_TIME = 20_000
STUMBLED = (
    "This stands still because of an error of ours. It is tried again every half a minute;"
    " if it stays so, tell whoever runs this platform."
)


def tick(ctx: Context, campaign_id: UUID, *, lease: timedelta | None = None) -> bool:
    """Do what is due of one campaign. True: look again at once; with a `lease` nobody else does meanwhile."""
    patience.limit(ctx, expansion.SLOWEST)
    campaign = ctx.get(Campaign, campaign_id, for_update=True)
    if campaign is None:
        due_work.settle(ctx, WorkKind.CAMPAIGN, campaign_id)
        return False
    ctx.session.refresh(campaign)
    if campaign.problem == STUMBLED:
        campaign.problem = None
    pause = _look(ctx, campaign)
    if pause is None:
        due_work.settle(ctx, WorkKind.CAMPAIGN, campaign.id)
    elif pause == AT_ONCE and lease is not None:
        due_work.keep(ctx, WorkKind.CAMPAIGN, campaign.id, ctx.now + lease)
    else:
        due_work.postpone(ctx, WorkKind.CAMPAIGN, campaign.id, ctx.now + pause)
    return pause == AT_ONCE


def give_up(ctx: Context, campaign_id: UUID, error: AppError) -> None:
    """A rule stood against what a look wanted: a segment is gone, or the wallet was emptied just then.

    Somebody may have cancelled, changed or paused it since the look broke off: that stands.
    """
    campaign = ctx.get(Campaign, campaign_id, for_update=True)
    if campaign is not None and _is_settled(campaign):
        return
    due_work.settle(ctx, WorkKind.CAMPAIGN, campaign_id)
    if campaign is None:
        return
    if campaign.status in (CampaignStatus.DRAFT, CampaignStatus.AWAITING_APPROVAL):
        expansion.forget(ctx, campaign)
        campaign.problem = error.message
        ctx.announce("campaign", campaign.id)
        return
    campaign.is_expanding = False
    if not isinstance(error, NotEnough) or _is_paused_by_hand(campaign):
        watching.pause(ctx, campaign, error.message)
        return
    watching.pause(ctx, campaign, error.message, waits_for_money=True, lacks=error.needed)
    starting.look_at(ctx, campaign, ctx.now + FOR_MONEY)


def _is_settled(campaign: Campaign) -> bool:
    if campaign.status == CampaignStatus.DRAFT:
        return not campaign.is_expanding
    return campaign.status in (CampaignStatus.CANCELLED, CampaignStatus.DONE)


def _is_paused_by_hand(campaign: Campaign) -> bool:
    return campaign.status == CampaignStatus.PAUSED and not watching.waits_for_money(campaign)


def stumble(ctx: Context, campaign_id: UUID) -> None:
    """A look broke off for a reason that is ours; the next one is taken when the lease has ended."""
    campaign = ctx.get(Campaign, campaign_id, for_update=True)
    if campaign is not None:
        _tell(ctx, campaign, STUMBLED)


def _look(ctx: Context, campaign: Campaign) -> timedelta | None:
    """How long until the next look; None: until somebody asks for one."""
    if campaign.is_expanding:
        return _expand(ctx, campaign)
    match campaign.status:
        case CampaignStatus.SCHEDULED:
            return _keep_time(ctx, campaign)
        case CampaignStatus.RUNNING:
            return _send(ctx, campaign)
        case CampaignStatus.CANCELLED:
            return _cancel_some(ctx, campaign)
        case CampaignStatus.PAUSED if watching.waits_for_money(campaign):
            return _wait_for_money(ctx, campaign)
        case _:
            return None


def _expand(ctx: Context, campaign: Campaign) -> timedelta | None:
    if not expansion.step(ctx, campaign):
        return AT_ONCE
    if campaign.status != CampaignStatus.PREPARING:
        return None
    starting.begin_if_affordable(ctx, campaign)
    return AT_ONCE


def _keep_time(ctx: Context, campaign: Campaign) -> timedelta | None:
    due = campaign.next_turn_at or timing.begins_at(timing.read(campaign.timing), ctx.now)
    if due > ctx.now:
        return due - ctx.now
    templates = access.templates_of(ctx, access.variants_of(campaign))
    if words := watching.moved(campaign, templates):
        watching.pause(ctx, campaign, words)
        return None
    if campaign.next_turn_at is None:
        access.check_ready(ctx, campaign)
        starting.prepare(ctx, campaign)
        return AT_ONCE
    starting.next_of_series(ctx, campaign)
    campaign.next_turn_at = timing.next_turn(timing.read(campaign.timing), ctx.now)
    return campaign.next_turn_at - ctx.now if campaign.next_turn_at else None


def _wait_for_money(ctx: Context, campaign: Campaign) -> timedelta:
    """A wallet that was topped up lets it go on by itself."""
    if problem := watching.lacks_money(ctx, campaign):
        _tell(ctx, campaign, problem)
        return FOR_MONEY
    if campaign.launched_at is None and expansion.is_fresh(ctx, campaign):
        starting.begin_if_affordable(ctx, campaign)
        return FOR_MONEY if campaign.status == CampaignStatus.PAUSED else AT_ONCE
    if campaign.launched_at is None:
        starting.count_again(ctx, campaign)
        return AT_ONCE
    starting.go_on(ctx, campaign)
    access.remember(ctx, campaign, "Went on: the wallet was topped up")
    return AT_ONCE


# Sending -------------------------------------------------------------------------------------------


def _send(ctx: Context, campaign: Campaign) -> timedelta | None:
    plan = dispatch.plan_of(ctx, campaign)
    if trouble := watching.trouble(ctx, campaign, list(plan.templates), list(plan.numbers)):
        watching.pause(ctx, campaign, trouble)
        return None
    if problem := watching.lacks_money(ctx, campaign):
        watching.pause(ctx, campaign, problem, waits_for_money=True)
        return FOR_MONEY
    day = limits.day(ctx, campaign)
    is_used_up = day.room == 0
    if is_used_up and _first_due(ctx, campaign) is not None:
        return _limited(ctx, campaign, day)
    campaign.problem = None
    if is_used_up:
        return _rest(ctx, campaign)
    rooms = dispatch.room_of(ctx, plan.numbers)
    allowed = min(_throttle(ctx, campaign), dispatch.MOST if day.room is None else day.room)
    if allowed == 0 or sum(rooms.values()) == 0:
        return SOON
    written = dispatch.write(ctx, plan, rooms, most=allowed)
    if campaign.most_per_minute is not None:
        campaign.allowance -= written.messages
    if written.taken == 0:
        return _rest(ctx, campaign)
    ctx.announce("campaign", campaign.id)
    return AT_ONCE if written.taken == dispatch.MOST else SOON


def _throttle(ctx: Context, campaign: Campaign) -> int:
    """How many its own limit lets out now: what was saved up since the last look, at most ten seconds."""
    if campaign.most_per_minute is None:
        return dispatch.MOST
    a_second = campaign.most_per_minute / 60
    passed = (ctx.now - (campaign.ticked_at or ctx.now)).total_seconds()
    campaign.allowance = min(campaign.allowance + passed * a_second, max(1.0, a_second * 10))
    campaign.ticked_at = ctx.now
    return int(campaign.allowance)


def _limited(ctx: Context, campaign: Campaign, day: limits.Day) -> timedelta:
    """The day's people are used up: the rest goes on by itself as soon as WhatsApp allows more."""
    assert day.limit is not None, "else there is always room"
    until = f" at about {day.next_at:%H:%M} UTC on {day.next_at:%d %B}" if day.next_at else " later"
    words = (
        f"WhatsApp lets this account write to {day.limit:,} people in 24 hours, and they are reached."
        f" The rest goes on by itself{until}."
    )
    _tell(ctx, campaign, words)
    return LIMITED


def _tell(ctx: Context, campaign: Campaign, problem: str) -> None:
    if campaign.problem != problem:
        campaign.problem = problem
        ctx.announce("campaign", campaign.id)


def _rest(ctx: Context, campaign: Campaign) -> timedelta | None:
    """Nobody is due: until the next one is, or until the queues are empty."""
    next_due = _first_due(ctx, campaign)
    if next_due is not None:
        return max(SOON, next_due - ctx.now)
    next_try = _next_try(ctx, campaign)
    if next_try is not None:
        return max(DRAINING, min(next_try - ctx.now, DRAINING_SLOWLY))
    _finish(ctx, campaign)
    return None


def _first_due(ctx: Context, campaign: Campaign) -> datetime | None:
    waiting = (
        select(col(CampaignRecipient.due_at))
        .where(
            col(CampaignRecipient.tenant_id) == ctx.tenant_id,
            col(CampaignRecipient.campaign_id) == campaign.id,
            col(CampaignRecipient.due_at).is_not(None),
        )
        .order_by(col(CampaignRecipient.due_at))
        .limit(1)
    )
    return ctx.session.scalar(waiting)


def _next_try(ctx: Context, campaign: Campaign) -> datetime | None:
    """When something of it that stands in a queue is next tried. None: nothing does."""
    item, recipient = OutboxItem, CampaignRecipient
    waiting = select(func.min(col(item.not_before))).where(
        col(item.tenant_id) == ctx.tenant_id,
        col(item.number_id).in_(campaign.number_ids),
        col(recipient.tenant_id) == ctx.tenant_id,
        col(recipient.message_id) == col(item.id),
        col(recipient.campaign_id) == campaign.id,
    )
    return ctx.session.scalar(waiting)


def _finish(ctx: Context, campaign: Campaign) -> None:
    campaign.status, campaign.finished_at, campaign.problem = CampaignStatus.DONE, ctx.now, None
    if campaign.hold_id is not None:
        charging.release_hold(ctx, campaign.hold_id)
    access.remember(ctx, campaign, "Everyone was written to")


# Cancelling ----------------------------------------------------------------------------------------


def _cancel_some(ctx: Context, campaign: Campaign) -> timedelta | None:
    """Those who were never written to, slice by slice; then the rest of the money is free again."""
    recipient = CampaignRecipient
    some = (
        select(col(recipient.contact_id))
        .where(
            col(recipient.tenant_id) == ctx.tenant_id,
            col(recipient.campaign_id) == campaign.id,
            col(recipient.due_at).is_not(None),
        )
        .limit(CANCELLED_AT_A_TIME)
    )
    those = (
        update(recipient)
        .where(
            col(recipient.tenant_id) == ctx.tenant_id,
            col(recipient.campaign_id) == campaign.id,
            col(recipient.contact_id).in_(some),
        )
        .values(state=RecipientState.CANCELLED, due_at=None)
        .returning(col(recipient.contact_id))
        .execution_options(synchronize_session=False)
    )
    cancelled = len(ctx.session.execute(those).all())
    ctx.announce("campaign", campaign.id)
    if cancelled == CANCELLED_AT_A_TIME:
        return AT_ONCE
    dispatch.take_back(ctx, campaign)
    if campaign.hold_id is not None:
        charging.release_hold(ctx, campaign.hold_id)
    # What is on its way just now may come back into the queue, to be tried again.
    return DRAINING if _next_try(ctx, campaign) is not None else None
