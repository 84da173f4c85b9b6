"""What came in for one tenant becomes rows: in bulk, each once, in whatever order it came.

Called inside the tenant's transaction. Two workers never apply for one tenant at the same time: the second
waits at the lock, which spares every race between them and costs nothing across tenants.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from aerostic.core.tenancy import Context
from aerostic.domain.inbox import (
    amendments,
    arrivals,
    erased,
    hearing,
    parked,
    people,
    statuses,
    wishes,
)
from aerostic.domain.inbox.arrivals import Arrival
from aerostic.integrations.meta.webhooks import Reading


@dataclass(frozen=True, slots=True)
class Received:
    """One change about one of the tenant's numbers. `scope` is the portfolio of the number's account."""

    delivery_id: UUID
    number_id: UUID
    scope: str
    reading: Reading


def apply(ctx: Context, received: Sequence[Received]) -> int:
    """Apply everything; return how many messages are new.

    What is about messages that are there goes first: the sender too locks messages before conversations.
    """
    readings = erased.without(ctx, [each.reading for each in received])
    received = [replace(each, reading=kept) for each, kept in zip(received, readings, strict=True)]
    changes = [one for each in received for one in each.reading.amendments]
    updates = [one for each in received for one in each.reading.statuses]
    told = [one.wamid for one in updates]
    heard = hearing.hearing(ctx)
    updates = statuses.apply(ctx, updates, heard)
    changes = amendments.apply(ctx, changes, heard)
    new = arrivals.take_in(ctx, _arrivals(received), _news(ctx, received), heard)
    wishes.hear(ctx, new)
    known = {one.written.wamid for one in new} | set(told)
    if known:
        waiting = parked.take(ctx, known)
        changes = amendments.apply(ctx, [*waiting[0], *changes], heard)
        updates = statuses.apply(ctx, [*waiting[1], *updates], heard)
    parked.park(ctx, [*changes, *updates])
    hearing.tell(ctx, heard)
    return len(new)


def lock(ctx: Context) -> None:
    """Be the only one who applies for this tenant until the transaction ends."""
    key = ctx.tenant_id.int & (2**63 - 1)
    ctx.cursor().execute("select pg_advisory_xact_lock(%s)", (key,))


def _arrivals(received: Iterable[Received]) -> list[Arrival]:
    """Each message with its place in its delivery."""
    places: dict[UUID, int] = {}
    found = []
    for each in received:
        for written in each.reading.written:
            place = places.get(each.delivery_id, 0)
            places[each.delivery_id] = place + 1
            found.append(Arrival(written, each.number_id, each.scope, place))
    return found


def _news(ctx: Context, received: Iterable[Received]) -> list[people.Sighting]:
    """People who have further names without having written."""
    return [
        people.Sighting(person, each.scope, ctx.now, is_news=True)
        for each in received
        for person in each.reading.people
    ]
