"""Money, on time: owners whose wallet runs low, and messages of which nothing was heard any more."""

from datetime import timedelta

from sqlmodel import select

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.billing import expiring, noticing
from aerostic.domain.tenants.models import Tenant

ACTOR = system("billing", Permission.BILLING_READ, Permission.MESSAGES_SEND)
AT_A_TIME = 100


def tell_low(**_: object) -> None:
    """Write to the owners of wallets that have just become low. `**_`: as in every job."""
    holder, lease = f"billing-{new_id()}", timedelta(minutes=1)
    while True:
        with shared_work(ACTOR) as ctx:
            due = due_work.take(
                ctx, WorkKind.LOW_BALANCE, limit=AT_A_TIME, lease=lease, holder=holder
            )
        for tenant_id, _tenant in due:
            with unit_of_work(tenant_id, ACTOR) as ctx:
                noticing.tell_low(ctx)
        if len(due) < AT_A_TIME:
            return


def expire(**_: object) -> None:
    """Free what was set aside for messages that WhatsApp has long given up."""
    with shared_work(ACTOR) as ctx:
        tenants = list(ctx.session.exec(select(Tenant.id)))
    for tenant_id in tenants:
        with unit_of_work(tenant_id, ACTOR) as ctx:
            while expiring.expire(ctx):
                ctx.release()
