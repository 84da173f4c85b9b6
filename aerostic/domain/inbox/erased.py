"""Messages of erased people: known when Meta repeats them, by keyed digests of their ids."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from aerostic.core import crypto
from aerostic.core.tenancy import Context
from aerostic.integrations.meta.webhooks import Reading

if TYPE_CHECKING:
    from aerostic.domain.inbox.apply import Received

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


def without(ctx: Context, received: Sequence["Received"]) -> Sequence["Received"]:
    """What came in, but for what is about erased messages. Costs one look where nobody was ever erased."""
    cursor = ctx.cursor()
    has_any = cursor.execute(_HAS_ANY, (ctx.tenant_id,), prepare=True).fetchone()
    if has_any is None or not has_any[0]:
        return received
    wamids = {wamid for each in received for wamid in _named(each.reading)}
    digests = {_digest(ctx.tenant_id, wamid): wamid for wamid in wamids}
    found = cursor.execute(_FIND, (ctx.tenant_id, list(digests)), prepare=True).fetchall()
    erased = {digests[row[0]] for row in found}
    return [replace(each, reading=_but(each.reading, erased)) for each in received]


def _named(reading: Reading) -> list[str]:
    parts = (*reading.written, *reading.amendments, *reading.statuses)
    return [one.wamid for one in parts]


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
