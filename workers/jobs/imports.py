"""Take a file of contacts in, a batch a transaction, from wherever the last worker came to."""

import time
from itertools import islice
from uuid import UUID

from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.imports import files, service

ACTOR = system("contact import", Permission.CONTACTS_IMPORT)
# A job of ours may run 600 s; the next one goes on where this one stops.
LONGEST_RUN = 400.0


def run(*, tenant_id: str, import_id: str, **_: object) -> None:
    """Take in the rest of a file. Does nothing where another worker is at it or it has ended."""
    tenant, ref, holder = UUID(tenant_id), UUID(import_id), f"worker-{new_id()}"
    with unit_of_work(tenant, ACTOR) as ctx:
        wanted = service.begin(ctx, ref, holder=holder)
    if wanted is None:
        return
    if _take_rows(tenant, ref, holder, key=wanted.storage_key, start=wanted.rows_done):
        with unit_of_work(tenant, ACTOR) as ctx:
            service.finish(ctx, ref, holder=holder)


def _take_rows(tenant: UUID, ref: UUID, holder: str, *, key: str, start: int) -> bool:
    """False where this worker has lost the import or it was cancelled."""
    stop_at = time.monotonic() + LONGEST_RUN
    if not files.is_there(key):
        return True
    rows = files.read(key, start=start)
    while time.monotonic() < stop_at and (batch := list(islice(rows, service.BATCH))):
        with unit_of_work(tenant, ACTOR) as ctx:
            if not service.take_batch(ctx, ref, batch, start=start, holder=holder):
                return False
        start += len(batch)
    return True
