"""What makes a campaign stop by itself, each with its reason."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.billing import charging
from aerostic.domain.campaigns import access, reasons
from aerostic.domain.campaigns.models import (
    Campaign,
    CampaignRecipient,
    CampaignStatus,
    RecipientState,
)
from aerostic.domain.channels.models import ConnectionStatus, PhoneNumber
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit
from aerostic.domain.templates.models import Template

LOOK_EVERY = timedelta(seconds=5)
FEWEST = 50  # answers before a rate of failures says something
LOW = "RED"  # Meta's word for a number whose messages people block and report
_OF_MONEY = ("waits_for_money", "lacks")  # of a plan, while the wallet is too small
TRIED = (
    RecipientState.SENT,
    RecipientState.DELIVERED,
    RecipientState.READ,
    RecipientState.FAILED,
)


def begin(ctx: Context, campaign: Campaign) -> None:
    """From here on: what had failed, and how good the numbers were, when somebody let it go (on)."""
    qualities = {str(one.id): one.quality_rating for one in access.numbers_of(ctx, campaign)}
    known = {name: value for name, value in campaign.plan.items() if name not in _OF_MONEY}
    tried, failed, _ = _counted(ctx, campaign)
    campaign.plan = {**known, "qualities": qualities, "tried": tried, "failed": failed}
    campaign.watched_at = ctx.now


def pause(
    ctx: Context,
    campaign: Campaign,
    problem: str | None,
    *,
    waits_for_money: bool = False,
    lacks: int = 0,
) -> None:
    """Write to nobody more. With a problem: it did so by itself. `lacks`: what could not be set aside."""
    is_known = campaign.status == CampaignStatus.PAUSED and campaign.problem == problem
    campaign.status, campaign.paused_at, campaign.problem = CampaignStatus.PAUSED, ctx.now, problem
    campaign.plan = {**campaign.plan, "waits_for_money": waits_for_money, "lacks": lacks}
    if not is_known:
        access.remember(ctx, campaign, f"Paused: {problem}" if problem else "Paused")


def waits_for_money(campaign: Campaign) -> bool:
    """Whether it goes on by itself once the wallet allows it."""
    return campaign.status == CampaignStatus.PAUSED and bool(campaign.plan.get("waits_for_money"))


def trouble(
    ctx: Context, campaign: Campaign, templates: list[Template], numbers: list[PhoneNumber]
) -> str | None:
    """Why it must stop now, in a sentence."""
    return (
        _templates(templates)
        or moved(campaign, templates)
        or _numbers(numbers)
        or _quality(campaign, numbers)
        or _failures(ctx, campaign)
        or plans.refusal(ctx, Limit.MESSAGES)
    )


def lacks_money(ctx: Context, campaign: Campaign) -> str:
    """What was set aside may have been on a credit line that was withdrawn since, or it needs more."""
    return charging.trouble(ctx, int(campaign.plan.get("lacks", 0)))


def _templates(templates: list[Template]) -> str | None:
    stopped = next((one for one in templates if one.status != access.APPROVED), None)
    if stopped is None:
        return None
    status = stopped.status.lower().replace("_", " ")
    return f"WhatsApp has the template “{stopped.name}” as {status}. Resume when it is approved."


def moved(campaign: Campaign, templates: list[Template]) -> str | None:
    """Meta may move a template to a dearer category, and then other people must be left alone."""
    other = next((one for one in templates if one.category != campaign.category), None)
    if other is None:
        return None
    now, before = other.category.lower(), campaign.category.lower()
    return (
        f"WhatsApp has moved the template “{other.name}” from {before} to {now}."
        f" Resume to send it at the price of {now} messages."
    )


def _numbers(numbers: list[PhoneNumber]) -> str | None:
    if any(one.status == ConnectionStatus.CONNECTED for one in numbers):
        return None
    told = next((one.problem for one in numbers if one.problem), None)
    return f"None of its numbers can send. {told or 'Connect one in the settings.'}"


def _quality(campaign: Campaign, numbers: list[PhoneNumber]) -> str | None:
    before = campaign.plan.get("qualities", {})
    for one in numbers:
        if one.quality_rating == LOW and before.get(str(one.id)) != LOW:
            return (
                f"The quality of {one.display_phone_number} has become low: people block or report it."
                " Look at the text and the audience before you go on."
            )
    return None


def _failures(ctx: Context, campaign: Campaign) -> str | None:
    if campaign.watched_at is not None and ctx.now - campaign.watched_at < LOOK_EVERY:
        return None
    campaign.watched_at = ctx.now
    tried, failed, reason = _counted(ctx, campaign)
    tried -= int(campaign.plan.get("tried", 0))
    failed -= int(campaign.plan.get("failed", 0))
    if tried < FEWEST or failed * 100 <= campaign.pause_at_failure_percent * tried:
        return None
    most = reasons.words_of(reason)
    return f"{failed:,} of {tried:,} messages failed. Most often: {most}"


def _counted(ctx: Context, campaign: Campaign) -> tuple[int, int, str | None]:
    """How many were tried, how many of them failed, and why most of those."""
    statement = (
        select(col(CampaignRecipient.state), col(CampaignRecipient.reason), func.count())
        .where(
            col(CampaignRecipient.tenant_id) == ctx.tenant_id,
            col(CampaignRecipient.campaign_id) == campaign.id,
            col(CampaignRecipient.state).in_(TRIED),
        )
        .group_by(col(CampaignRecipient.state), col(CampaignRecipient.reason))
    )
    found = [tuple(row) for row in ctx.session.execute(statement)]
    failures = {reason: count for state, reason, count in found if state == RecipientState.FAILED}
    commonest = max(failures, key=lambda one: failures[one], default=None)
    return sum(row[2] for row in found), sum(failures.values()), commonest
