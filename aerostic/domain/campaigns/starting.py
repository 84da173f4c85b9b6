"""From a decision to the first message: wait for its time, write the audience down, set the money aside."""

from datetime import datetime

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import Refused
from aerostic.core.tenancy import Context
from aerostic.domain.billing import charging
from aerostic.domain.billing.charging import NotEnough
from aerostic.domain.campaigns import access, expansion, timing, watching
from aerostic.domain.campaigns.models import Campaign, CampaignStatus, SkipReason
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit


def start(ctx: Context, campaign: Campaign) -> None:
    """At its time, or now. Raises Refused, with nothing changed, for what stands against it now."""
    if not wait(ctx, campaign):
        prepare(ctx, campaign)


def make_ready(ctx: Context, campaign: Campaign) -> None:
    """Somebody lets it go as its template is now: of another category it costs and reaches differently.

    Raises Invalid or Refused for what is missing.
    """
    category = access.check_ready(ctx, campaign)
    if campaign.category == category:
        return
    campaign.category, campaign.priced_at = category, ctx.now
    if campaign.launched_at is None:
        expansion.forget(ctx, campaign)


def wait(ctx: Context, campaign: Campaign) -> bool:
    """Let it rest until its time, if that lies ahead. False: it is now."""
    when = timing.read(campaign.timing)
    campaign.next_turn_at = timing.next_turn(when, ctx.now)
    begins_at = campaign.next_turn_at or timing.begins_at(when, ctx.now)
    campaign.starts_at = when.starts_at or begins_at
    if begins_at <= ctx.now:
        if campaign.status == CampaignStatus.SCHEDULED:
            look_at(ctx, campaign, ctx.now)
        return False
    campaign.status = CampaignStatus.SCHEDULED
    look_at(ctx, campaign, begins_at)
    access.remember(ctx, campaign, "Scheduled")
    return True


def prepare(ctx: Context, campaign: Campaign) -> None:
    """Begin at once where the audience was written down just now, else when that is done."""
    if expansion.is_fresh(ctx, campaign):
        begin(ctx, campaign)
        return
    campaign.status = CampaignStatus.PREPARING
    if not campaign.is_expanding:
        expansion.begin(ctx, campaign)
    access.remember(ctx, campaign, "Launched")


def count_again(ctx: Context, campaign: Campaign) -> None:
    """The money is there; of the audience not all was written down, or people have come and gone since."""
    access.check_ready(ctx, campaign)
    campaign.status, campaign.problem, campaign.paused_at = CampaignStatus.PREPARING, None, None
    expansion.begin(ctx, campaign)
    access.remember(ctx, campaign, "Went on: the audience is counted again")


def begin(ctx: Context, campaign: Campaign) -> None:
    """Set the money aside and send. Raises Refused, with nothing changed."""
    _check_missing(campaign)
    count = int(campaign.plan.get("to_send", 0))
    if count == 0:
        raise Refused("Nobody is left to write to: everyone of the audience is left out.")
    plans.check(ctx, Limit.MESSAGES, adding=count)
    micros = int(campaign.plan.get("micros", 0))
    campaign.hold_id = charging.hold_campaign(ctx, campaign.id, micros, count)
    campaign.launched_at = ctx.now
    access.remember(ctx, campaign, "Sending began")
    go_on(ctx, campaign)


def begin_if_affordable(ctx: Context, campaign: Campaign) -> None:
    """In the background, where nobody is there to be told: what stands against it becomes its problem."""
    try:
        begin(ctx, campaign)
    except NotEnough as error:
        lacks = error.needed
        watching.pause(ctx, campaign, error.message, waits_for_money=True, lacks=lacks)
    except Refused as error:
        campaign.status, campaign.problem = CampaignStatus.DRAFT, error.message
        access.remember(ctx, campaign, f"Not launched: {error.message}")


def go_on(ctx: Context, campaign: Campaign) -> None:
    """Write to whoever is due from now on; failures are counted from here."""
    campaign.status, campaign.problem, campaign.paused_at = CampaignStatus.RUNNING, None, None
    campaign.ticked_at, campaign.allowance = ctx.now, 0.0
    watching.begin(ctx, campaign)
    look_at(ctx, campaign, ctx.now)
    ctx.announce("campaign", campaign.id)


def look_at(ctx: Context, campaign: Campaign, at: datetime) -> None:
    """Whoever drives campaigns looks then, whatever was agreed before."""
    due_work.put(ctx, WorkKind.CAMPAIGN, campaign.id, due_at=at)
    due_work.postpone(ctx, WorkKind.CAMPAIGN, campaign.id, at)


def next_of_series(ctx: Context, series: Campaign) -> Campaign:
    """One turn of a repeating campaign, a campaign of its own."""
    turn = copy_of(series, f"{series.name}, {ctx.now:%d %B %Y}", ctx)
    turn.series_id, turn.skips_missing = series.id, True
    turn.approved_at, turn.approved_by_name = series.approved_at, series.approved_by_name
    ctx.session.add(turn)
    ctx.session.flush()
    try:
        access.check_ready(ctx, turn)
    except Refused as error:
        watching.pause(ctx, turn, error.message)
    else:
        prepare(ctx, turn)
    return turn


def copy_of(campaign: Campaign, name: str, ctx: Context) -> Campaign:
    """The same choices, nothing of what was done with them. Its time is now; quiet hours stay."""
    when = timing.read(campaign.timing)
    now = when.model_copy(update={"starts_at": None, "local_time": None, "cron": None})
    return Campaign(
        name=name,
        category=campaign.category,
        audience=campaign.audience,
        variants=campaign.variants,
        hold_out_percent=campaign.hold_out_percent,
        number_ids=list(campaign.number_ids),
        timing=now.model_dump(mode="json"),
        most_per_minute=campaign.most_per_minute,
        pause_at_failure_percent=campaign.pause_at_failure_percent,
        needs_approval=campaign.needs_approval,
        created_by_name=ctx.actor.name,
        created_at=ctx.now,
    )


def _check_missing(campaign: Campaign) -> None:
    missing = int(campaign.plan.get("skipped", {}).get(SkipReason.VARIABLE_MISSING, 0))
    if missing and not campaign.skips_missing:
        who = "one recipient" if missing == 1 else f"{missing:,} recipients"
        raise Refused(
            f"A variable has no value for {who}. Give it a fallback, or launch without them."
        )
