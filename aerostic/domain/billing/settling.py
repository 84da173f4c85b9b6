"""What became of messages, in money: delivered is captured, what failed goes back. Each at most once.

`told` may be repeated, late, or of messages that cost nothing: the charges' own rows say what is still to do.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg

from aerostic.core import arrays
from aerostic.core.ids import moment_of
from aerostic.core.tenancy import Context
from aerostic.domain.billing import allowances, ledger, postings
from aerostic.domain.billing.ledger import Line, Posting
from aerostic.domain.billing.models import Account, ChargeState, EntryKind


class Outcome(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    FREE = "free"  # delivered, and Meta says that it charges nothing


@dataclass(frozen=True, slots=True)
class Settled:
    message_id: UUID
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Changed:
    """A charge that has just moved. `was`: its state before."""

    message_id: UUID
    was: str
    outcome: str
    micros: int
    number_id: UUID | None
    is_of_allowance: bool


# Who is told twice finds the state moved, and moves nothing.
_MOVE = """
    with due as (
        select c.message_id, c.state as was, told.outcome, c.is_of_allowance
        from charges c
        join unnest(%(ids)s::uuid[], %(outcomes)s::text[]) as told (message_id, outcome)
            on told.message_id = c.message_id
        where c.tenant_id = %(tenant)s and c.message_id between %(first)s and %(last)s
          and (c.state = 'held'
               or (c.state = 'voided' and told.outcome = 'delivered' and not c.is_of_allowance)
               or (c.state = 'free' and c.is_of_allowance and told.outcome in ('failed', 'cancelled')))
        order by c.message_id for update of c)
    update charges c set
        state = case due.outcome when 'delivered' then 'captured' when 'free' then 'free' else 'voided' end,
        why = c.why || case due.outcome when 'free' then ' WhatsApp then said that it is free.' else '' end,
        is_late = due.was = 'voided', settled_at = %(now)s
    from due
    where c.tenant_id = %(tenant)s and c.message_id = due.message_id
      and c.message_id between %(first)s and %(last)s
    returning c.message_id, due.was, due.outcome, c.micros, c.number_id, due.is_of_allowance
"""


def settle(ctx: Context, told: Sequence[Settled]) -> None:
    """Within the transaction that records what was told; the wallet moves with its commit."""
    if not told:
        return
    found = ctx.cursor().execute(_MOVE, _values(ctx.tenant_id, told, ctx.now), prepare=True)
    changed = [_Changed(*row) for row in found.fetchall()]
    allowances.give_back(ctx, _given_back(changed))
    for posting in _postings(changed, ctx.actor.name, ctx.now):
        postings.at_the_end(ctx, posting)


async def settle_in_lane(
    cursor: psycopg.AsyncCursor[Any], tenant_id: UUID, told: Sequence[Settled], now: datetime
) -> set[tuple[str, str]]:
    """The same for a lane, as the last thing of its transaction. Returns what to announce."""
    if not told:
        return set()
    await cursor.execute(_MOVE, _values(tenant_id, told, now), prepare=True)
    changed = [_Changed(*row) for row in await cursor.fetchall()]
    given_back = {place: -count for place, count in _given_back(changed).items()}
    for counted in allowances.values_of(tenant_id, given_back):
        await cursor.execute(allowances.COUNT, counted)
    moved = _postings(changed, "sender", now)
    for posting in moved:
        await cursor.execute(ledger.LOCK, (tenant_id,), prepare=True)
        await cursor.execute(ledger.POST, ledger.values_of(tenant_id, posting), prepare=True)
    return {("wallet", str(tenant_id))} if moved else set()


def _values(tenant_id: UUID, told: Sequence[Settled], now: datetime) -> dict[str, Any]:
    """One word for each message. The bounds leave out the months that none of them is of."""
    by_id = {one.message_id: one.outcome for one in told}
    return {
        "tenant": tenant_id,
        "ids": arrays.encode("uuid", list(by_id)),
        "outcomes": arrays.encode("text", [str(one) for one in by_id.values()]),
        "first": min(by_id),
        "last": max(by_id),
        "now": now,
    }


def _postings(changed: Sequence[_Changed], actor_name: str, now: datetime) -> list[Posting]:
    lines: dict[EntryKind, list[Line]] = defaultdict(list)
    for one in changed:
        if one.micros:
            kind = _kind_of(one)
            lines[kind] += _lines_of(kind, one)
    return [Posting(kind, _summed(those), actor_name, now) for kind, those in sorted(lines.items())]


def _kind_of(one: _Changed) -> EntryKind:
    if one.outcome != Outcome.DELIVERED:
        return EntryKind.VOID
    return EntryKind.LATE if one.was == ChargeState.VOIDED else EntryKind.CAPTURE


def _lines_of(kind: EntryKind, one: _Changed) -> list[Line]:
    """A capture's key serves for the late one too: a message is charged for once, whatever is told."""
    if kind is EntryKind.VOID:
        return [Line(Account.HELD, -one.micros, f"void:{one.message_id}", one.message_id)]
    key = f"capture:{one.message_id}"
    if kind is EntryKind.LATE:
        return [Line(Account.SPENT, one.micros, key, one.message_id)]
    return [
        Line(Account.HELD, -one.micros, key, one.message_id),
        Line(Account.SPENT, one.micros),
    ]


def _summed(lines: Iterable[Line]) -> list[Line]:
    """The other side in one entry, however many messages it is of."""
    alone = [line for line in lines if line.key]
    spent = sum(line.micros for line in lines if not line.key)
    return [*alone, Line(Account.SPENT, spent)] if spent else alone


def _given_back(changed: Iterable[_Changed]) -> allowances.Counts:
    """Free messages that were not delivered."""
    counts: allowances.Counts = defaultdict(int)
    for one in changed:
        if one.is_of_allowance and one.number_id and one.was == ChargeState.FREE:
            counts[one.number_id, allowances.month_of(moment_of(one.message_id))] += 1
    return counts
