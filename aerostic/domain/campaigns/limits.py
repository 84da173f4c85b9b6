"""How many new people WhatsApp lets an account write to in 24 hours, and how many it has written to.

Meta counts per business portfolio, so all numbers of one are counted together. What is counted here are
campaigns; single messages to people whose window is shut are few beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core.tenancy import Context
from aerostic.domain.campaigns.models import Campaign, CampaignHour
from aerostic.domain.channels.models import PhoneNumber, WhatsappAccount

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
TIERS = {
    "TIER_50": 50,
    "TIER_250": 250,
    "TIER_1K": 1_000,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
}


@dataclass(frozen=True, slots=True)
class Day:
    """`limit` None: as many as one likes, or Meta has not said. `next_at`: when there is room again."""

    limit: int | None
    used: int
    next_at: datetime | None

    @property
    def room(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def day(ctx: Context, campaign: Campaign) -> Day:
    """The last 24 hours of the portfolio that the campaign sends from."""
    numbers = _numbers_together(ctx, campaign)
    known = [TIERS[one.messaging_limit] for one in numbers if one.messaging_limit in TIERS]
    if not known:
        return Day(None, 0, None)
    hours = (
        select(col(CampaignHour.hour), func.sum(col(CampaignHour.recipients)))
        .where(
            col(CampaignHour.tenant_id) == ctx.tenant_id,
            col(CampaignHour.number_id).in_([one.id for one in numbers]),
            col(CampaignHour.hour) > ctx.now - DAY - HOUR,
        )
        .group_by(col(CampaignHour.hour))
        .order_by(col(CampaignHour.hour))
    )
    found = list(ctx.session.execute(hours))
    used = sum(count for _, count in found)
    next_at = found[0][0] + DAY + HOUR if found else None
    return Day(min(known), used, next_at)


def count(ctx: Context, written: Mapping[UUID, int]) -> None:
    """So many more people, each number's."""
    hour = ctx.now.replace(minute=0, second=0, microsecond=0)
    for number_id, recipients in sorted(written.items()):
        row = {
            "tenant_id": ctx.tenant_id,
            "number_id": number_id,
            "hour": hour,
            "recipients": recipients,
        }
        counted = insert(CampaignHour).values(row)
        ctx.session.execute(
            counted.on_conflict_do_update(
                index_elements=["tenant_id", "number_id", "hour"],
                set_={"recipients": col(CampaignHour.recipients) + recipients},
            )
        )


def _numbers_together(ctx: Context, campaign: Campaign) -> list[PhoneNumber]:
    """The numbers of the same portfolio; where Meta has not told it, of the same account."""
    account = (
        select(WhatsappAccount)
        .join(PhoneNumber, col(PhoneNumber.account_id) == col(WhatsappAccount.id))
        .where(
            col(WhatsappAccount.tenant_id) == ctx.tenant_id,
            col(PhoneNumber.tenant_id) == ctx.tenant_id,
            col(PhoneNumber.id).in_(campaign.number_ids),
        )
        .limit(1)
    )
    ours = ctx.session.scalars(account).first()
    if ours is None:
        return []
    same = col(WhatsappAccount.portfolio_id) == ours.portfolio_id if ours.portfolio_id else None
    accounts = select(col(WhatsappAccount.id)).where(
        col(WhatsappAccount.tenant_id) == ctx.tenant_id,
        col(WhatsappAccount.id) == ours.id
        if same is None
        else or_(col(WhatsappAccount.id) == ours.id, same),
    )
    numbers = select(PhoneNumber).where(
        col(PhoneNumber.tenant_id) == ctx.tenant_id, col(PhoneNumber.account_id).in_(accounts)
    )
    return list(ctx.session.scalars(numbers))
