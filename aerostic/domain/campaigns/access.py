"""How the verbs reach a campaign, and what they leave in its history."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.core.tenancy import Context
from aerostic.domain.audiences.filters import Audience
from aerostic.domain.campaigns import variables
from aerostic.domain.campaigns.models import Campaign, CampaignEvent, CampaignStatus
from aerostic.domain.campaigns.schemas import Variant
from aerostic.domain.channels.models import ConnectionStatus, PhoneNumber
from aerostic.domain.templates.models import Template

APPROVED = "APPROVED"


def the_campaign(ctx: Context, campaign_id: UUID, *, for_update: bool = False) -> Campaign:
    """Raises NotFound."""
    found = ctx.get(Campaign, campaign_id, for_update=for_update)
    if found is None:
        raise NotFound("That campaign no longer exists.")
    return found


def changing(ctx: Context, campaign_id: UUID, *allowed: CampaignStatus, verb: str) -> Campaign:
    """The campaign, ours alone until the commit. Raises Conflict where its status does not allow it."""
    campaign = the_campaign(ctx, campaign_id, for_update=True)
    if campaign.status not in allowed:
        status = campaign.status.replace("_", " ")
        raise Conflict(f"This campaign is {status}; it can not be {verb} now.")
    return campaign


def remember(ctx: Context, campaign: Campaign, words: str) -> None:
    """Keep in the campaign's history what happened, and tell open pages."""
    event = CampaignEvent(
        campaign_id=campaign.id, words=words, actor_name=ctx.actor.name, created_at=ctx.now
    )
    ctx.session.add(event)
    ctx.announce("campaign", campaign.id)


def variants_of(campaign: Campaign) -> list[Variant]:
    """What it sends, as it is worked with."""
    return [
        Variant(UUID(one["template_id"]), variables.read(one["variables"]), int(one["share"]))
        for one in campaign.variants
    ]


def audience_of(campaign: Campaign) -> Audience:
    return Audience.model_validate(campaign.audience)


def templates_of(ctx: Context, variants: Iterable[Variant]) -> list[Template]:
    """The templates of the variants in their order. Raises Invalid for one that is not there."""
    found = [ctx.get(Template, one.template_id) for one in variants]
    if None in found:
        raise Invalid("variants", "One of the templates no longer exists. Choose another.")
    return [one for one in found if one is not None]


def numbers_of(ctx: Context, campaign: Campaign) -> list[PhoneNumber]:
    """The numbers it sends from, in a steady order."""
    statement = select(PhoneNumber).where(
        col(PhoneNumber.tenant_id) == ctx.tenant_id, col(PhoneNumber.id).in_(campaign.number_ids)
    )
    return list(ctx.session.exec(statement.order_by(col(PhoneNumber.id))))


def check_ready(ctx: Context, campaign: Campaign) -> str:
    """Meta's category of what it would send: whoever lets it go decides whether that is taken over.

    Raises Invalid or Refused, with a sentence, for what is missing before it can be sent.
    """
    variants = variants_of(campaign)
    if not variants:
        raise Invalid("variants", "Choose the template to send.")
    templates = templates_of(ctx, variants)
    for variant, template in zip(variants, templates, strict=True):
        check_template(template)
        variables.check(template, variant.variables)
    if len({(one.account_id, one.category) for one in templates}) > 1:
        raise Invalid(
            "variants",
            "Templates to compare must be of one account and one category: else the price differs.",
        )
    _check_numbers(ctx, campaign, templates[0])
    return templates[0].category


def check_template(template: Template) -> None:
    if template.status != APPROVED:
        status = template.status.lower().replace("_", " ")
        raise Refused(
            f"The template “{template.name}” is {status}. Only approved ones can be sent."
        )


def _check_numbers(ctx: Context, campaign: Campaign, template: Template) -> None:
    numbers = numbers_of(ctx, campaign)
    if not numbers or len(numbers) < len(set(campaign.number_ids)):
        raise Invalid("number_ids", "Choose the numbers to send from.")
    for number in numbers:
        if number.account_id != template.account_id:
            raise Invalid(
                "number_ids",
                f"{number.display_phone_number} belongs to another account than the template.",
            )
        if number.status == ConnectionStatus.DISCONNECTED:
            raise Refused(
                f"{number.display_phone_number} is disconnected. Connect it again in the settings."
            )
