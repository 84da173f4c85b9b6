"""Every way in which a campaign changes.

What takes long is done in the background (`driving.py`), slice by slice; a verb only decides. Whoever changes
a campaign holds its row, a slice at work included: so a pause, a slice and a second click follow each other.
"""

from uuid import UUID

from sqlmodel import col, delete

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import Conflict, Invalid, Refused
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.audiences import filters
from aerostic.domain.campaigns import (
    access,
    dispatch,
    expansion,
    planning,
    retrying,
    starting,
    variables,
    watching,
)
from aerostic.domain.campaigns.models import Campaign, CampaignEvent, CampaignStatus
from aerostic.domain.campaigns.people import facts_of_contact
from aerostic.domain.campaigns.schemas import CampaignDraft, PlanView
from aerostic.domain.campaigns.timing import Timing
from aerostic.domain.inbox import outbox
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Message, Origin

MOST_VARIANTS = 4
LONGEST_NAME = 120
EDITABLE = (CampaignStatus.DRAFT, CampaignStatus.AWAITING_APPROVAL)
MOVING = (CampaignStatus.PREPARING, CampaignStatus.RUNNING, CampaignStatus.SCHEDULED)


# Writing one -------------------------------------------------------------------------------------


@requires(Permission.CAMPAIGNS_MANAGE)
def create(ctx: Context, draft: CampaignDraft) -> Campaign:
    """A new campaign as a draft. Raises Invalid."""
    campaign = Campaign(name=_name(draft.name), created_by_name=ctx.actor.name, created_at=ctx.now)
    _fill(campaign, draft)
    ctx.session.add(campaign)
    ctx.session.flush()
    access.remember(ctx, campaign, "Created")
    return campaign


@requires(Permission.CAMPAIGNS_MANAGE)
def update(ctx: Context, campaign_id: UUID, draft: CampaignDraft, *, revision: int) -> Campaign:
    """Write a draft anew. What was planned or approved before is not any more.

    Raises Conflict where somebody changed it since `revision`, or it has left.
    """
    campaign = access.changing(ctx, campaign_id, *EDITABLE, verb="changed")
    if campaign.revision != revision:
        raise Conflict("Somebody else changed this campaign meanwhile. Load it again.")
    campaign.name = _name(draft.name)
    _fill(campaign, draft)
    campaign.revision += 1
    campaign.status = CampaignStatus.DRAFT
    campaign.approved_at = campaign.approved_by_name = campaign.problem = None
    expansion.forget(ctx, campaign)
    access.remember(ctx, campaign, "Changed")
    return campaign


@requires(Permission.CAMPAIGNS_MANAGE)
def duplicate(ctx: Context, campaign_id: UUID) -> Campaign:
    """The same as a new draft, without its schedule."""
    earlier = access.the_campaign(ctx, campaign_id)
    copy = starting.copy_of(earlier, f"{earlier.name} (copy)"[:LONGEST_NAME], ctx)
    ctx.session.add(copy)
    ctx.session.flush()
    access.remember(ctx, copy, f"Copied from “{earlier.name}”")
    return copy


@requires(Permission.CAMPAIGNS_MANAGE)
def remove(ctx: Context, campaign_id: UUID) -> None:
    """Delete a draft. What has written to people stays, as their messages do."""
    campaign = access.changing(ctx, campaign_id, *EDITABLE, verb="deleted")
    due_work.settle(ctx, WorkKind.CAMPAIGN, campaign.id)
    expansion.delete_all(ctx, campaign)
    events = delete(CampaignEvent).where(
        col(CampaignEvent.tenant_id) == ctx.tenant_id, col(CampaignEvent.campaign_id) == campaign.id
    )
    ctx.session.execute(events)
    ctx.session.delete(campaign)
    ctx.announce("campaign", campaign_id)


@requires(Permission.CAMPAIGNS_MANAGE)
def plan(ctx: Context, campaign_id: UUID) -> PlanView:
    """What launching would do, from the real audience: counted in the background, ready when it says so.

    Ask again (or listen to `campaign`) until `is_ready`. Raises Invalid or Refused for what is missing.
    """
    campaign = access.changing(ctx, campaign_id, *EDITABLE, verb="planned")
    starting.make_ready(ctx, campaign)
    if not campaign.is_expanding and not expansion.is_fresh(ctx, campaign):
        expansion.begin(ctx, campaign)
    return planning.view(ctx, campaign)


@requires(Permission.CAMPAIGNS_MANAGE)
def test_send(
    ctx: Context,
    campaign_id: UUID,
    contact_id: UUID,
    *,
    variant: int = 0,  # noqa: PT028 - it sends a test, it is none
    key: str = "",  # noqa: PT028
) -> Message:
    """Send one message of it to one contact now, outside of the campaign's count. Costs what it costs."""
    campaign = access.the_campaign(ctx, campaign_id)
    access.check_ready(ctx, campaign)
    variants = access.variants_of(campaign)
    if not 0 <= variant < len(variants):
        raise Invalid("variant", f"This campaign has {len(variants)} texts.")
    chosen = variants[variant]
    facts = facts_of_contact(ctx, contact_id, access.audience_of(campaign))
    values = variables.values_of(chosen.variables, facts)
    conversation = inbox.start_conversation(ctx, contact_id, campaign.number_ids[0])
    draft = Draft.template(chosen.template_id, values, key=key)
    return outbox.queue(ctx, conversation, draft, origin=Origin.INBOX)


# Setting it off ----------------------------------------------------------------------------------


@requires(Permission.CAMPAIGNS_LAUNCH)
def launch(ctx: Context, campaign_id: UUID, *, skip_missing: bool = False) -> Campaign:
    """Set it off: now, or at its time; with approval still needed, after that.

    Answers at once however many it is for: whoever was not counted by a plan of the last minutes is written
    down in the background. Raises Refused with the sum that the wallet lacks, or for the recipients for
    whom a variable is missing, unless `skip_missing`.
    """
    campaign = access.changing(ctx, campaign_id, *EDITABLE, verb="launched")
    starting.make_ready(ctx, campaign)
    campaign.skips_missing = skip_missing
    if not _asks_for_approval(ctx, campaign):
        starting.start(ctx, campaign)
    return campaign


@requires(Permission.CAMPAIGNS_APPROVE)
def approve(ctx: Context, campaign_id: UUID, *, revision: int) -> Campaign:
    """Agree with what somebody wants to send, as it was at `revision`; it is set off.

    Raises Conflict where it was changed since, by a person or by WhatsApp.
    """
    awaiting = CampaignStatus.AWAITING_APPROVAL
    campaign = access.changing(ctx, campaign_id, awaiting, verb="approved")
    if campaign.revision != revision:
        raise Conflict("This campaign was changed meanwhile. Look at it again, then approve it.")
    if access.check_ready(ctx, campaign) != campaign.category:
        raise Conflict(
            "WhatsApp has moved the template to another category meanwhile, which has another price."
            " Plan the campaign again, then approve it."
        )
    campaign.approved_at, campaign.approved_by_name = ctx.now, ctx.actor.name
    access.remember(ctx, campaign, "Approved")
    starting.start(ctx, campaign)
    return campaign


@requires(Permission.CAMPAIGNS_LAUNCH)
def schedule(ctx: Context, campaign_id: UUID, when: Timing) -> Campaign:
    """Choose another time for one that waits, or for what is left of one that is paused.

    What has not begun and needs approval needs it again: it was given for the other time.
    """
    allowed = (*EDITABLE, CampaignStatus.SCHEDULED, CampaignStatus.PAUSED)
    campaign = access.changing(ctx, campaign_id, *allowed, verb="scheduled anew")
    campaign.timing = when.model_dump(mode="json")
    campaign.revision += 1
    access.remember(ctx, campaign, "Scheduled anew")
    if campaign.launched_at is None:
        campaign.approved_at = campaign.approved_by_name = None
        if campaign.status not in EDITABLE and _asks_for_approval(ctx, campaign):
            due_work.settle(ctx, WorkKind.CAMPAIGN, campaign.id)
    if campaign.status == CampaignStatus.SCHEDULED:
        starting.wait(ctx, campaign)
    return campaign


@requires(Permission.CAMPAIGNS_LAUNCH)
def pause(ctx: Context, campaign_id: UUID) -> Campaign:
    """Write to nobody more. What stands in the numbers' queues, a few seconds' worth, still leaves."""
    campaign = access.changing(ctx, campaign_id, *MOVING, verb="paused")
    watching.pause(ctx, campaign, None)
    return campaign


@requires(Permission.CAMPAIGNS_LAUNCH)
def resume(ctx: Context, campaign_id: UUID) -> Campaign:
    """Go on where it stopped."""
    campaign = access.changing(ctx, campaign_id, CampaignStatus.PAUSED, verb="resumed")
    starting.make_ready(ctx, campaign)
    campaign.problem, campaign.paused_at = None, None
    if campaign.launched_at is None:
        starting.start(ctx, campaign)
    else:
        starting.go_on(ctx, campaign)
    access.remember(ctx, campaign, "Resumed")
    return campaign


@requires(Permission.CAMPAIGNS_LAUNCH)
def cancel(ctx: Context, campaign_id: UUID) -> Campaign:
    """End it. What has not left is taken back, and what was set aside for it is free again."""
    allowed = (*MOVING, CampaignStatus.PAUSED, CampaignStatus.AWAITING_APPROVAL)
    campaign = access.changing(ctx, campaign_id, *allowed, verb="cancelled")
    campaign.status, campaign.finished_at, campaign.problem = (
        CampaignStatus.CANCELLED,
        ctx.now,
        None,
    )
    campaign.is_expanding = False
    dispatch.take_back(ctx, campaign)
    due_work.put(ctx, WorkKind.CAMPAIGN, campaign.id, due_at=ctx.now)  # the rest, slice by slice
    due_work.postpone(ctx, WorkKind.CAMPAIGN, campaign.id, ctx.now)
    access.remember(ctx, campaign, "Cancelled")
    return campaign


@requires(Permission.CAMPAIGNS_LAUNCH)
def retry_failed(ctx: Context, campaign_id: UUID) -> int:
    """Write once more to those whom it failed for, and to nobody else; return how many.

    Only they are paid for anew. Who has stopped marketing meanwhile is left out when their turn comes.
    """
    allowed = (CampaignStatus.DONE, CampaignStatus.PAUSED, CampaignStatus.RUNNING)
    campaign = access.changing(ctx, campaign_id, *allowed, verb="retried")
    access.check_ready(ctx, campaign)
    count = retrying.retry(ctx, campaign)
    if count == 0:
        raise Refused("Nobody is left for whom it failed.")
    access.remember(ctx, campaign, f"Retried for {count:,} recipients")
    return count


# Parts -------------------------------------------------------------------------------------------


def _asks_for_approval(ctx: Context, campaign: Campaign) -> bool:
    if not campaign.needs_approval or campaign.approved_at is not None:
        return False
    campaign.status = CampaignStatus.AWAITING_APPROVAL
    access.remember(ctx, campaign, "Asked for approval")
    return True


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned:
        raise Invalid("name", "Give the campaign a name.")
    if len(cleaned) > LONGEST_NAME:
        raise Invalid("name", f"The name has {len(cleaned)} characters; {LONGEST_NAME} fit.")
    return cleaned


def _fill(campaign: Campaign, draft: CampaignDraft) -> None:
    _check_figures(draft)
    if draft.audience.filter is not None:
        filters.check_size(draft.audience.filter)
    campaign.audience = draft.audience.model_dump(mode="json", exclude_none=True)
    campaign.variants = [
        {
            "template_id": str(one.template_id),
            "share": one.share,
            "variables": {place: source.model_dump() for place, source in one.variables.items()},
        }
        for one in draft.variants
    ]
    campaign.number_ids = list(dict.fromkeys(draft.number_ids))
    campaign.timing = draft.timing.model_dump(mode="json")
    campaign.hold_out_percent = draft.hold_out_percent
    campaign.most_per_minute = draft.most_per_minute
    campaign.pause_at_failure_percent = draft.pause_at_failure_percent
    campaign.needs_approval = draft.needs_approval


def _check_figures(draft: CampaignDraft) -> None:
    if len(draft.variants) > MOST_VARIANTS:
        raise Invalid("variants", f"At most {MOST_VARIANTS} texts can be compared.")
    if any(not 1 <= one.share <= 100 for one in draft.variants):
        raise Invalid("variants", "A text's share is a number from 1 to 100.")
    if not 0 <= draft.hold_out_percent <= 90:
        raise Invalid("hold_out_percent", "Between 0 and 90 percent can be left out.")
    if not 1 <= draft.pause_at_failure_percent <= 100:
        raise Invalid("pause_at_failure_percent", "Choose between 1 and 100 percent.")
    if draft.most_per_minute is not None and draft.most_per_minute < 1:
        raise Invalid("most_per_minute", "At least one message a minute.")
