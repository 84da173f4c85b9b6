"""Once more to those for whom it failed, and only they are paid for anew, at the price of the first time."""

from aerostic.core.tenancy import Context
from aerostic.domain.billing import charging
from aerostic.domain.billing.models import CampaignHold
from aerostic.domain.campaigns import starting
from aerostic.domain.campaigns.models import Campaign

# WhatsApp may say that it failed, and then that it arrived: who has the message does not get it again.
_AGAIN = """
    with failed as (
        update campaign_recipients r
        set state = 'pending', reason = null, message_id = null, due_at = %(now)s
        where r.tenant_id = %(tenant)s and r.campaign_id = %(campaign)s and r.state = 'failed'
          and not exists (
            select from charges c where c.tenant_id = r.tenant_id and c.message_id = r.message_id
              and c.state = 'captured')
          and not exists (
            select from messages m where m.tenant_id = r.tenant_id and m.id = r.message_id
              and m.failure ? 'contradicted_by')
        returning r.micros)
    select count(*), coalesce(sum(micros), 0) from failed
"""


def retry(ctx: Context, campaign: Campaign) -> int:
    """Let them wait for their turn again; return how many. Raises NotEnough, with nothing changed."""
    given = {"tenant": ctx.tenant_id, "campaign": campaign.id, "now": ctx.now}
    row = ctx.cursor().execute(_AGAIN, given).fetchone()
    count, micros = (int(row[0]), int(row[1])) if row else (0, 0)
    if count:
        _hold(ctx, campaign, micros, count)
        campaign.finished_at = None
        starting.go_on(ctx, campaign)
    return count


def _hold(ctx: Context, campaign: Campaign, micros: int, count: int) -> None:
    """The failures gave back what was theirs: it is set aside anew."""
    hold = ctx.get(CampaignHold, campaign.hold_id) if campaign.hold_id else None
    if hold is not None and hold.released_at is None:
        charging.extend_hold(ctx, hold.id, micros, count)
    else:
        campaign.hold_id = charging.hold_campaign(ctx, campaign.id, micros, count)
