"""Messages of which nothing was heard. WhatsApp keeps one for at most 30 days; then it never arrives."""

from datetime import timedelta

from sqlmodel import col, select

from aerostic.core.ids import first_id_at
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.billing.models import Charge, ChargeState
from aerostic.domain.billing.settling import Outcome, Settled, settle

KEPT_BY_WHATSAPP = timedelta(days=30)
A_DAY_MORE = timedelta(days=1)  # its news may be late
AT_A_TIME = 500


@requires(Permission.MESSAGES_SEND)
def expire(ctx: Context) -> int:
    """Give back what the oldest of them hold; return how many they were. Should one arrive, it is charged."""
    before = first_id_at(ctx.now - KEPT_BY_WHATSAPP - A_DAY_MORE)
    lost = (
        select(Charge.message_id)
        .where(
            col(Charge.tenant_id) == ctx.tenant_id,
            col(Charge.message_id) < before,
            col(Charge.state) == ChargeState.HELD,
        )
        .limit(AT_A_TIME)
    )
    ids = ctx.session.exec(lost).all()
    settle(ctx, [Settled(message_id, Outcome.FAILED) for message_id in ids])
    return len(ids)
