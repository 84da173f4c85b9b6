"""Pending deliveries, held by one worker while it applies them.

The rows stay locked until the work is done and are marked in the transaction that held them: a worker
that dies lets go of them, still pending.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.deliveries.models import DeliveryProblem, DeliveryStatus

MOST_BYTES = 8 * 1024 * 1024  # in memory at a time; a single delivery may be 3 MB
MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One part of a delivery that could not be applied, in words."""

    kind: str
    reason: str
    entry: int = 0
    change: int = 0
    tenant_id: UUID | None = None


@dataclass(slots=True)
class Claimed:
    """A delivery in hand. `is_held_up`: something transient kept a part from being applied."""

    id: UUID
    body: bytes
    attempts: int = 0
    problems: list[Problem] = field(default_factory=list)
    is_held_up: bool = False


_LOCK = """
    select id, octet_length(body) from webhook_deliveries
    where status = 'pending' order by id limit %s for update skip locked
"""
_BODIES = """
    select id, body, attempts from webhook_deliveries
    where id = any(%s) and id between %s and %s order by id
"""


def claim(ctx: Context, limit: int) -> list[Claimed]:
    """The oldest pending deliveries that nobody else holds."""
    cursor = ctx.cursor()
    ids = _within_measure(cursor.execute(_LOCK, (limit,), prepare=True).fetchall())
    if not ids:
        return []
    rows = cursor.execute(_BODIES, (ids, ids[0], ids[-1]), prepare=True, binary=True)
    return [Claimed(*row) for row in rows]


def _within_measure(found: Iterable[tuple[UUID, int]]) -> list[UUID]:
    ids: list[UUID] = []
    total = 0
    for delivery_id, size in found:
        total += size
        if ids and total > MOST_BYTES:
            break
        ids.append(delivery_id)
    return ids


_MARK = """
    update webhook_deliveries set status = %s, processed_at = now()
    where id = any(%s) and id between %s and %s
"""
_HOLD_UP = "update webhook_deliveries set attempts = attempts + 1 where id = any(%s)"


def finish(ctx: Context, claimed: Sequence[Claimed]) -> int:
    """Mark what became of them; return how many are finished."""
    for delivery in claimed:
        if delivery.is_held_up and delivery.attempts + 1 >= MOST_ATTEMPTS:
            delivery.is_held_up = False
            reason = f"Something kept it from being applied {MOST_ATTEMPTS} times. Replay it later."
            delivery.problems.append(Problem("held_up", reason))
    finished = [one for one in claimed if not one.is_held_up]
    _mark(ctx, DeliveryStatus.DONE, [one.id for one in finished if not one.problems])
    _mark(ctx, DeliveryStatus.PARKED, [one.id for one in finished if one.problems])
    held_up = [one.id for one in claimed if one.is_held_up]
    if held_up:
        ctx.cursor().execute(_HOLD_UP, (held_up,))
    ctx.session.add_all(_row(one.id, problem) for one in finished for problem in one.problems)
    return len(finished)


def _mark(ctx: Context, status: DeliveryStatus, ids: list[UUID]) -> None:
    if ids:
        ctx.cursor().execute(_MARK, (str(status), ids, min(ids), max(ids)), prepare=True)


def _row(delivery_id: UUID, problem: Problem) -> DeliveryProblem:
    told: dict[str, Any] = {name: getattr(problem, name) for name in Problem.__slots__}
    return DeliveryProblem(id=new_id(), delivery_id=delivery_id, **told)
