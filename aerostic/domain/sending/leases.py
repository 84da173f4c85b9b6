"""Which sender serves which number: the lane's row in `due_work`, held for a while."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from aerostic.domain.sending.rows import Cursor, Place

_LEASE = """
    update due_work set leased_by = %(owner)s, leased_until = %(until)s
    where (kind, tenant_id, ref) in (
        select kind, tenant_id, ref from due_work
        where kind = 'lane' and due_at <= %(now)s and (leased_until is null or leased_until < %(now)s)
          and (%(ref)s::uuid is null or ref = %(ref)s)
        order by due_at limit %(most)s for no key update skip locked)
    returning tenant_id, ref
"""


async def lease(
    cursor: Cursor,
    *,
    owner: str,
    now: datetime,
    until: datetime,
    most: int,
    number_id: UUID | None = None,
) -> list[Place]:
    """Take lanes that are due and nobody's, or whose owner is gone. Two never get the same."""
    facts = {"owner": owner, "now": now, "until": until, "most": most, "ref": number_id}
    await cursor.execute(_LEASE, facts)
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def renew(
    cursor: Cursor, *, owner: str, numbers: Collection[UUID], until: datetime
) -> set[UUID]:
    """Keep the lanes of these numbers. Returns those that are still ours."""
    await cursor.execute(
        "update due_work set leased_until = %s "
        "where kind = 'lane' and leased_by = %s and ref = any(%s) returning ref",
        (until, owner, list(numbers)),
    )
    return {row[0] for row in await cursor.fetchall()}


async def hold(cursor: Cursor, place: Place, *, owner: str) -> bool:
    """Lock our lane. False: a message is being written for it now, or it is not ours any more."""
    await cursor.execute(
        "select 1 from due_work where kind = 'lane' and tenant_id = %s and ref = %s and leased_by = %s "
        "for update skip locked",
        (*place, owner),
    )
    return await cursor.fetchone() is not None


# One look into the index for each priority that waits, however many messages do: the index is by priority,
# then by moment. Those on their way are few.
_NEXT_DUE = """
    with recursive waiting (priority, not_before) as (
        (select priority, not_before from outbox
         where tenant_id = %(tenant)s and number_id = %(number)s and state = 'queued'
         order by priority, not_before limit 1)
        union all
        select later.priority, later.not_before from waiting cross join lateral (
            select priority, not_before from outbox
            where tenant_id = %(tenant)s and number_id = %(number)s and state = 'queued'
              and priority > waiting.priority
            order by priority, not_before limit 1) later)
    select least(
        (select min(not_before) from waiting),
        (select min(leased_until) from outbox
         where tenant_id = %(tenant)s and number_id = %(number)s and state = 'sending'))
"""


async def next_due(cursor: Cursor, place: Place) -> datetime | None:
    """When the lane has something to do next: send, or look after what never got an answer."""
    await cursor.execute(_NEXT_DUE, {"tenant": place[0], "number": place[1]})
    row = await cursor.fetchone()
    return row[0] if row else None


async def give_back(cursor: Cursor, place: Place, *, due_at: datetime | None) -> None:
    """Let a lane that we hold rest until then; for good if nothing is due ever."""
    if due_at is None:
        await cursor.execute(
            "delete from due_work where kind = 'lane' and tenant_id = %s and ref = %s", place
        )
    else:
        await cursor.execute(
            "update due_work set due_at = %s, leased_by = null, leased_until = null "
            "where kind = 'lane' and tenant_id = %s and ref = %s",
            (due_at, *place),
        )


async def release(cursor: Cursor, *, owner: str) -> None:
    """Let go of every lane: whoever looks next may take it."""
    await cursor.execute(
        "update due_work set leased_by = null, leased_until = null "
        "where kind = 'lane' and leased_by = %s",
        (owner,),
    )
