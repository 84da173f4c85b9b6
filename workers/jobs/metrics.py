"""Add up what was used, and count the days, for every workspace in turn."""

import random
import time
from uuid import UUID

from sqlmodel import select

from aerostic.core import clock
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.analytics import service as analytics
from aerostic.domain.tenants.models import Tenant
from aerostic.domain.usage import folding

ACTOR = system("metrics", Permission.METRICS_FOLD)
LONGEST_RUN = 300.0  # seconds: a job of ours may run 600


def fold(**_: object) -> None:
    """`**_`: an older worker survives a newer caller."""
    stop_at = time.monotonic() + LONGEST_RUN
    with shared_work(ACTOR) as ctx:
        tenants = list(ctx.session.exec(select(Tenant.id)))
    random.shuffle(tenants)  # so that nobody is always behind those who take long
    for tenant_id in tenants:
        if time.monotonic() < stop_at:
            fold_one(tenant_id)


def fold_one(tenant_id: UUID, **_: object) -> None:
    """One workspace's: what was used since the last time, and its days that are due."""
    with unit_of_work(tenant_id, ACTOR) as ctx:
        folding.fold(ctx)
    began = clock.now()
    with unit_of_work(tenant_id, ACTOR) as ctx:
        due = analytics.due_days(ctx)
    for day in due:
        with unit_of_work(tenant_id, ACTOR) as ctx:
            analytics.count_day(ctx, day)
    if due:
        with unit_of_work(tenant_id, ACTOR) as ctx:
            analytics.counted(ctx, due, began=began)
