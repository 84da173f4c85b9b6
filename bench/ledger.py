"""One hot wallet: how many postings a second it takes, one by one from eight hands, and in batches of 500.

A posting is what sets money aside for one message: its entry with its key, the other side, and the balance,
under row security, in the statements that the product posts with. Everything is added up afterwards.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg

from aerostic.core import clock, database
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, system
from aerostic.core.tenancy import SET_SCOPE, shared_work, unit_of_work
from aerostic.domain.billing import ledger, service, verifying
from aerostic.domain.billing.ledger import Line, Posting
from aerostic.domain.billing.models import Account, EntryKind
from aerostic.domain.identity.models import Tenant
from bench.figures import Figure, at_least, middle
from bench.stage import MEASURED, on_core, stage

HANDS = 8
BATCH = 500
MICROS = 100
PLENTY = 10**14
GOAL_SINGLE = 2_000.0
GOAL_BATCHES = 30_000.0
ACTOR = system("bench", *Permission)


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """Medians over the turns. The last figure says what the ledger's own check found."""
    turns, seconds = (3, 2.0) if quick else (5, 5.0)
    with stage(), on_core(MEASURED):
        tenant_id = _wallet()
        single = [asyncio.run(_turn(tenant_id, seconds, 1, HANDS)) for _ in range(turns)]
        batches = [asyncio.run(_turn(tenant_id, seconds, BATCH, 2)) for _ in range(turns)]
        with unit_of_work(tenant_id, ACTOR) as ctx:
            found = verifying.verify(ctx)
    yield at_least("ledger", "postings_per_s", middle(single), "/s", GOAL_SINGLE)
    yield at_least("ledger", "batched_postings_per_s", middle(batches), "/s", GOAL_BATCHES)
    yield Figure("ledger", "entries", float(found.entries), "entries")
    wrong = (
        len(found.findings) - 1 + abs(found.sum_micros)
    )  # its holds stand for no message: one finding
    yield Figure("ledger", "findings", float(wrong), "", goal="0", met=wrong == 0)


def _wallet() -> UUID:
    with shared_work(ACTOR) as ctx:
        tenant = Tenant(name="Bench", slug="bench-ledger")
        ctx.session.add(tenant)
    with unit_of_work(tenant.id, ACTOR) as ctx:
        service.top_up(ctx, PLENTY, key="bench")
    return tenant.id


async def _turn(tenant_id: UUID, seconds: float, size: int, hands: int) -> float:
    until = time.perf_counter() + seconds
    began = time.perf_counter()
    done = await asyncio.gather(*(_post(tenant_id, until, size) for _ in range(hands)))
    return sum(done) / (time.perf_counter() - began)


async def _post(tenant_id: UUID, until: float, size: int) -> int:
    """One hand with a connection of its own. The statements of a transaction leave in one go."""
    count = 0
    async with await psycopg.AsyncConnection.connect(
        database.psycopg_url(), autocommit=True
    ) as connection:
        while time.perf_counter() < until:
            async with connection.pipeline(), connection.transaction():
                cursor = connection.cursor()
                await cursor.execute(SET_SCOPE, (str(tenant_id), ""), prepare=True)
                await cursor.execute(ledger.LOCK, (tenant_id,), prepare=True)
                await cursor.execute(ledger.POST, _values(tenant_id, size), prepare=True)
            count += size
    return count


def _values(tenant_id: UUID, size: int) -> dict[str, Any]:
    lines = []
    for _ in range(size):
        message_id = new_id()
        lines.append(Line(Account.HELD, MICROS, f"hold:{message_id}", message_id))
    posting = Posting(EntryKind.HOLD, lines, "bench", clock.now(), is_strict=True)
    return ledger.values_of(tenant_id, posting)
