"""Who of an audience is left alone, and why. The words are those of `campaign_recipients.reason`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    and_,
    case,
    column,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    table,
)
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.audiences import rules
from aerostic.domain.audiences.models import DeliveryTrouble
from aerostic.domain.audiences.rules import Rules
from aerostic.domain.contacts.models import Contact, ContactIdentity, IdentityKind

MARKETING = "MARKETING"
ARRIVED = ("delivered", "read", "played")


class Reason(StrEnum):
    """Why someone is not written to. The first that holds is told."""

    BLOCKED = "blocked"
    STOPPED = "stopped_marketing"
    NO_ADDRESS = "no_address"
    UNDELIVERABLE = "undeliverable"
    TOO_OFTEN = "frequency_cap"


WORDS = {
    Reason.BLOCKED: "Blocked by your team",
    Reason.STOPPED: "Said no to marketing",
    Reason.NO_ADDRESS: "No phone number or WhatsApp id",
    Reason.UNDELIVERABLE: "WhatsApp could not deliver to them several times in a row",
    Reason.TOO_OFTEN: "Had as many campaigns lately as your rules allow",
}

# Other features' tables that follow this one; named here, so that nobody imports in a circle.
_conversations = table("conversations", column("tenant_id"), column("id"), column("contact_id"))
_messages = table(
    "messages",
    column("tenant_id"),
    column("conversation_id"),
    column("direction"),
    column("status"),
    column("occurred_at"),
)
_campaigns = table("campaigns", column("tenant_id"), column("id"), column("category"))
_recipients = table(
    "campaign_recipients",
    column("tenant_id"),
    column("campaign_id"),
    column("contact_id"),
    column("state"),
    column("sent_at"),
)


def reason(ctx: Context, category: str) -> ColumnElement[str | None]:
    """Of a row of `contacts`: why it is left out of a campaign of this category, or null."""
    own = rules.of(ctx)
    marketing = category == MARKETING
    return case(
        (col(Contact.is_blocked), Reason.BLOCKED),
        (_stopped() if marketing else false(), Reason.STOPPED),
        (_has_no_address(ctx), Reason.NO_ADDRESS),
        (_is_undeliverable(ctx, own), Reason.UNDELIVERABLE),
        (_had_enough(ctx, own) if marketing else false(), Reason.TOO_OFTEN),
        else_=null(),
    )


def left_out(ctx: Context, contact_ids: Sequence[UUID], category: str) -> dict[UUID, str]:
    """Which of these people are left alone now, and why: erased and merged ones included.

    For the moment before a message is written: someone may have said STOP since the audience was frozen.
    """
    why = reason(ctx, category)
    gone = or_(col(Contact.merged_into_id).is_not(None), col(Contact.erased_at).is_not(None))
    told = case((gone, "erased"), else_=why)
    statement = select(col(Contact.id), told).where(
        col(Contact.tenant_id) == ctx.tenant_id, col(Contact.id).in_(contact_ids)
    )
    return {contact_id: why for contact_id, why in ctx.session.execute(statement) if why}


def _stopped() -> ColumnElement[bool]:
    return col(Contact.marketing_stopped_at).is_not(None)


def _has_no_address(ctx: Context) -> ColumnElement[bool]:
    by_id = exists().where(
        col(ContactIdentity.tenant_id) == ctx.tenant_id,
        col(ContactIdentity.contact_id) == col(Contact.id),
        col(ContactIdentity.kind) == IdentityKind.BSUID,
    )
    return and_(col(Contact.phone).is_(None), ~by_id)


def _is_undeliverable(ctx: Context, own: Rules) -> ColumnElement[bool]:
    """Too many failures in a row, and no sign of life since."""
    if not own.undeliverable_after:
        return false()
    failed_at = col(DeliveryTrouble.last_failed_at)
    return exists().where(
        col(DeliveryTrouble.tenant_id) == ctx.tenant_id,
        col(DeliveryTrouble.contact_id) == col(Contact.id),
        col(DeliveryTrouble.failures) >= own.undeliverable_after,
        func.coalesce(col(Contact.last_inbound_at) < failed_at, literal(True)),
        ~_arrived_since(ctx, failed_at),
    )


def _arrived_since(ctx: Context, failed_at: SQLColumnExpression[datetime]) -> ColumnElement[bool]:
    return (
        select(literal(1))
        .select_from(
            _conversations.join(
                _messages,
                and_(
                    _messages.c.tenant_id == _conversations.c.tenant_id,
                    _messages.c.conversation_id == _conversations.c.id,
                ),
            )
        )
        .where(
            _conversations.c.tenant_id == ctx.tenant_id,
            _conversations.c.contact_id == col(Contact.id),
            _messages.c.occurred_at > failed_at,
            _messages.c.direction == "outbound",
            _messages.c.status.in_(ARRIVED),
        )
        .correlate(Contact, DeliveryTrouble)
        .exists()
    )


def _had_enough(ctx: Context, own: Rules) -> ColumnElement[bool]:
    if not own.most_messages:
        return false()
    had = (
        select(func.count())
        .select_from(
            _recipients.join(
                _campaigns,
                and_(
                    _campaigns.c.tenant_id == _recipients.c.tenant_id,
                    _campaigns.c.id == _recipients.c.campaign_id,
                ),
            )
        )
        .where(
            _recipients.c.tenant_id == ctx.tenant_id,
            _recipients.c.contact_id == col(Contact.id),
            _recipients.c.sent_at >= ctx.now - timedelta(days=own.in_days),
            _recipients.c.state.not_in(("failed", "cancelled", "skipped")),
            _campaigns.c.category == MARKETING,
        )
        .correlate(Contact)
        .scalar_subquery()
    )
    return had >= own.most_messages
