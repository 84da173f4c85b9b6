"""Fetch files that people sent."""

from datetime import timedelta

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.media import service

ACTOR = system("media", Permission.MEDIA_STORE)
AT_A_TIME = 10
LEASE = timedelta(minutes=5)  # should we die, someone else fetches them after that


def fetch(**_: object) -> None:
    """Fetch every file that is due. `**_`: an older worker survives a newer caller."""
    holder = f"media-{new_id()}"
    while True:
        with shared_work(ACTOR) as ctx:
            taken = due_work.take(ctx, WorkKind.MEDIA, limit=AT_A_TIME, lease=LEASE, holder=holder)
        if not taken:
            return
        for tenant_id, media_id in taken:
            with unit_of_work(tenant_id, ACTOR) as ctx:
                service.fetch(ctx, media_id)
