"""Recipients as lists and files show them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.campaigns import reasons
from aerostic.domain.campaigns.models import CampaignRecipient, CampaignResponse
from aerostic.domain.campaigns.schemas import RecipientRow
from aerostic.domain.contacts import naming
from aerostic.domain.contacts.models import Contact

REPLIED = "replied"


def some(
    ctx: Context,
    campaign_id: UUID,
    *,
    state: str | None = None,
    reason: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[RecipientRow]:
    """Some recipients, after a contact."""
    statement = _recipients(ctx, campaign_id)
    if state:
        statement = statement.where(col(CampaignRecipient.state) == state)
    if reason:
        statement = statement.where(col(CampaignRecipient.reason) == reason)
    if after:
        statement = statement.where(col(CampaignRecipient.contact_id) > after)
    found = ctx.session.execute(statement.order_by(col(CampaignRecipient.contact_id)).limit(limit))
    return [_recipient(*row) for row in found]


def _recipients(ctx: Context, campaign_id: UUID) -> Select[CampaignRecipient, Contact, datetime]:
    replied = aliased(CampaignResponse)
    person = and_(
        col(Contact.tenant_id) == col(CampaignRecipient.tenant_id),
        col(Contact.id) == col(CampaignRecipient.contact_id),
    )
    answer = and_(
        col(replied.tenant_id) == ctx.tenant_id,
        col(replied.campaign_id) == campaign_id,
        col(replied.contact_id) == col(CampaignRecipient.contact_id),
        col(replied.kind) == REPLIED,
    )
    return (
        select(CampaignRecipient, Contact, col(replied.at))
        .join(Contact, person)
        .outerjoin(replied, answer)
        .where(*of_campaign(ctx, campaign_id))
    )


def _recipient(
    one: CampaignRecipient,
    contact: Contact,
    replied_at: datetime | None,
) -> RecipientRow:
    return RecipientRow(
        contact_id=one.contact_id,
        name=naming.display_name(contact.name, contact.profile_name, contact.phone),
        phone=contact.phone,
        state=one.state,
        reason=one.reason,
        reason_words=reasons.words_of(one.reason),
        variant=one.variant,
        attempt=one.attempt,
        number_id=one.number_id,
        message_id=one.message_id,
        micros=one.micros if one.message_id else 0,
        market=one.market,
        sent_at=one.sent_at,
        replied_at=replied_at,
    )


def of_campaign(ctx: Context, campaign_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """Rows of recipients of one campaign."""
    return (
        col(CampaignRecipient.tenant_id) == ctx.tenant_id,
        col(CampaignRecipient.campaign_id) == campaign_id,
    )
