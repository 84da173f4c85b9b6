"""What the scheduler starts."""

import logging
from datetime import timedelta

from sqlalchemy import create_engine
from sqlmodel import select

from aerostic.core import clock, due_work, partitions
from aerostic.core.due_work import WorkKind
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.queue import QueueName
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.ai import turns
from aerostic.domain.automation import executions
from aerostic.domain.deliveries import tidying
from aerostic.domain.inbox import service as inbox
from aerostic.domain.tenants.models import Tenant
from aerostic.domain.webhooks_out import delivering as webhooks

log = logging.getLogger(__name__)

SNOOZES = system("snooze", Permission.INBOX_READ, Permission.INBOX_REPLY)
IMPORTS = system("contact import", Permission.CONTACTS_IMPORT)
TIDIER = system("housekeeping", Permission.DELIVERIES_APPLY)
AT_A_TIME = 200


def wake_snoozed(**_: object) -> None:
    """Open conversations whose snooze is over."""
    holder = f"snooze-{new_id()}"
    lease = timedelta(minutes=1)
    while True:
        with shared_work(SNOOZES) as ctx:
            due = due_work.take(ctx, WorkKind.SNOOZE, limit=AT_A_TIME, lease=lease, holder=holder)
        for tenant_id, conversation_id in due:
            with unit_of_work(tenant_id, SNOOZES) as ctx:
                inbox.wake_snoozed(ctx, conversation_id)
                due_work.settle(ctx, WorkKind.SNOOZE, conversation_id)
        if len(due) < AT_A_TIME:
            return


def resume_imports(**_: object) -> None:
    """Start imports anew whose worker is gone. Each takes its own lease, so one at work is left alone."""
    with shared_work(IMPORTS) as ctx:
        for tenant_id, import_id in due_work.waiting(ctx, WorkKind.IMPORT, limit=AT_A_TIME):
            ctx.enqueue(
                "workers.jobs.imports.run",
                queue_name=QueueName.IMPORTS,
                tenant_id=str(tenant_id),
                import_id=str(import_id),
            )


def make_partitions(**_: object) -> None:
    """Make next months' partitions. Without the owner's address, say which are missing."""
    if not settings().database_owner_url:
        with shared_work(TIDIER) as ctx:
            missing = partitions.missing(ctx.session.connection(), today=clock.now())
        if missing:
            log.error("partitions are missing, run `run.py partitions`: %s", ", ".join(missing))
        return
    engine = create_engine(settings().database_owner_url)
    with engine.begin() as owner:
        for name in partitions.make_ahead(owner, today=clock.now()):
            log.info("made the partition %s", name)
    engine.dispose()


def tidy(**_: object) -> None:
    """Forget what has served its purpose, tenant by tenant."""
    with shared_work(TIDIER) as ctx:
        tenants = list(ctx.session.exec(select(Tenant.id)))
    for tenant_id in tenants:
        with unit_of_work(tenant_id, TIDIER) as ctx:
            tidying.tidy(ctx)
        with unit_of_work(tenant_id, TIDIER) as ctx:
            executions.forget_old(ctx)
            turns.forget_old(ctx)
            webhooks.tidy(ctx)
