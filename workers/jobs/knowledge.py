"""Read documents that were put into a knowledge base."""

import logging
from datetime import timedelta
from uuid import UUID

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import AppError
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.knowledge import indexing, service

log = logging.getLogger(__name__)

ACTOR = system("knowledge", Permission.AI_MANAGE)
LEASE = timedelta(minutes=9)  # a job may run ten; should we die, someone else reads it after that


def read(**_: object) -> None:
    """Read every document that is due, one at a time. `**_`: an older worker survives a newer caller."""
    holder = f"knowledge-{new_id()}"
    while True:
        with shared_work(ACTOR) as ctx:
            taken = due_work.take(ctx, WorkKind.KNOWLEDGE, limit=1, lease=LEASE, holder=holder)
        if not taken:
            return
        for tenant_id, document_id in taken:
            _read(tenant_id, document_id)


def _read(tenant_id: UUID, document_id: UUID) -> None:
    with unit_of_work(tenant_id, ACTOR) as ctx:
        work = service.begin_reading(ctx, document_id)
    if work is None:
        return
    try:
        read = indexing.read(work)
    except AppError as error:
        with unit_of_work(tenant_id, ACTOR) as ctx:
            service.fail_reading(ctx, work, error.message)
        return
    with unit_of_work(tenant_id, ACTOR) as ctx:
        service.finish_reading(
            ctx,
            work,
            read.passages,
            read.vectors,
            places=read.places,
            size=read.size,
            kind=read.kind,
            note=read.note,
        )
