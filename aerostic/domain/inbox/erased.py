"""Messages of erased people: known when Meta repeats them, by keyed digests of their ids.

What Meta tells of them is dropped, but for what it means for their cost.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from aerostic.core import crypto
from aerostic.core.tenancy import Context
from aerostic.domain.billing.charging import Outcome, Settled, settle
from aerostic.domain.inbox import ladder, statuses
from aerostic.domain.inbox.models import MessageStatus
from aerostic.integrations.meta.webhooks import Reading

_HAS_ANY = "select exists (select from erased_keys where tenant_id = %s)"
_FIND = "select digest from erased_keys where tenant_id = %s and digest = any(%s)"
_TAKE = "delete from message_keys where tenant_id = %s and key = any(%s)"
_KEEP = """
    insert into erased_keys (tenant_id, digest) select %s, digest from unnest(%s::text[]) digest
    on conflict do nothing
"""


def forget(ctx: Context, wamids: Collection[str]) -> None:
    """Keep digests of these in place of the keys, in which a phone number may be read."""
    cursor = ctx.cursor()
    cursor.execute(_TAKE, (ctx.tenant_id, list(wamids)))
    digests = [_digest(ctx.tenant_id, wamid) for wamid in wamids]
    cursor.execute(_KEEP, (ctx.tenant_id, digests))


def without(ctx: Context, readings: Sequence[Reading]) -> Sequence[Reading]:
    """What came in, but for what is about erased messages: of those only the cost is settled.

    Costs one look where nobody was ever erased.
    """
    cursor = ctx.cursor()
    has_any = cursor.execute(_HAS_ANY, (ctx.tenant_id,), prepare=True).fetchone()
    if has_any is None or not has_any[0]:
        return readings
    wamids = {wamid for reading in readings for wamid in _named(reading)}
    digests = {_digest(ctx.tenant_id, wamid): wamid for wamid in wamids}
    found = cursor.execute(_FIND, (ctx.tenant_id, list(digests)), prepare=True).fetchall()
    erased = {digests[row[0]] for row in found}
    settle(ctx, [one for each in readings for one in _settled(each, erased)])
    return [_but(reading, erased) for reading in readings]


def _settled(reading: Reading, erased: Collection[str]) -> Iterator[Settled]:
    """They are known by the id of ours that travels with them. An arrival is told last: it outweighs."""
    told = [one for one in reading.statuses if one.our_id and one.wamid in erased]
    for one in sorted(told, key=lambda one: one.status in ladder.ARRIVED):
        if one.our_id and one.status in ladder.ARRIVED:
            yield Settled(one.our_id, statuses.outcome_of_arrival(one.pricing))
        elif one.our_id and one.status == MessageStatus.FAILED:
            yield Settled(one.our_id, Outcome.FAILED)


def _named(reading: Reading) -> list[str]:
    written = [one.wamid for one in reading.written]
    changed = [one.wamid for one in reading.amendments]
    return [*written, *changed, *(one.wamid for one in reading.statuses)]


def _but(reading: Reading, erased: Collection[str]) -> Reading:
    if not erased:
        return reading
    return replace(
        reading,
        written=[one for one in reading.written if one.wamid not in erased],
        amendments=[one for one in reading.amendments if one.wamid not in erased],
        statuses=[one for one in reading.statuses if one.wamid not in erased],
    )


def _digest(tenant_id: UUID, wamid: str) -> str:
    return crypto.keyed_digest(wamid, purpose=f"erased message of {tenant_id}")
