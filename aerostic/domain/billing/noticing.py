"""Telling the owners that money runs low: once for each time that the balance falls below their line."""

from sqlmodel import col, select

from aerostic.core import due_work, money
from aerostic.core.due_work import WorkKind
from aerostic.core.permissions import Permission, Role, requires
from aerostic.core.tenancy import Context
from aerostic.domain.billing import wallets
from aerostic.domain.identity import mails
from aerostic.domain.identity.models import Membership, Tenant, User


@requires(Permission.BILLING_READ)
def tell_low(ctx: Context) -> int:
    """Write to every owner, unless it was topped up meanwhile; return to how many.

    The mails and the end of the work are of one transaction, so nobody is told twice or not at all.
    """
    due_work.settle(ctx, WorkKind.LOW_BALANCE, ctx.tenant_id)
    wallet, tenant = wallets.view(ctx), ctx.session.get(Tenant, ctx.tenant_id)
    if tenant is None or not wallet.is_low:
        return 0
    owners = (
        select(User)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.tenant_id == ctx.tenant_id, Membership.role == Role.OWNER)
        .where(col(User.disabled_at).is_(None))
    )
    left = money.shown(wallet.available_micros, wallet.currency)
    told = ctx.session.exec(owners).all()
    for user in told:
        mails.wallet_low(ctx, user.email, user.name, tenant=tenant, left=left)
    return len(told)
