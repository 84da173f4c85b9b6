"""Cutting an erased person out of what Meta delivered, byte for byte, while the rest of it stays.

The row stays too, and says when something was cut out of it: it can be replayed, and does then what is left.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import col, select

from aerostic.core import crypto
from aerostic.core.ids import first_id_at, new_id
from aerostic.core.permissions import Actor
from aerostic.core.queue import QueueName
from aerostic.core.tenancy import Context, platform_work
from aerostic.domain.channels.models import (
    AccountDirectory,
    NumberDirectory,
    PhoneNumber,
    WhatsappAccount,
)
from aerostic.domain.deliveries.models import Redaction
from aerostic.integrations.meta import webhooks
from aerostic.integrations.meta.webhooks import Unreadable

STRETCH = 5_000  # deliveries that are looked through in one transaction
BEFORE = timedelta(days=1)  # a contact is made a moment after the delivery came
SHORTEST = 6  # anything shorter would be found in what is about others
CUT = "redacted"

_END = "select id from webhook_deliveries where id >= %s order by id limit 1 offset %s"
# A pending one has not been applied: what it says is new.
_MENTIONING = """
    select id, body from webhook_deliveries
    where id >= %s and id < %s and status <> 'pending'
      and exists (select from unnest(%s::bytea[]) known where position(known in body) > 0)
    order by id for update
"""
_WRITE = "update webhook_deliveries set body = %s where id = %s"


def ask(ctx: Context, known_by: Collection[str], *, since: datetime) -> None:
    """Ask for a job that cuts out of raw deliveries whom these numbers, ids and messages name."""
    names = sorted({one for one in known_by if len(one) >= SHORTEST})
    if not names:
        return
    row_id = new_id()
    sealed = crypto.encrypt(orjson.dumps(names).decode(), bound_to=_place(row_id))
    ctx.session.add(Redaction(id=row_id, sealed=sealed, since=since - BEFORE, created_at=ctx.now))
    start(ctx, row_id)


def start(ctx: Context, row_id: UUID) -> None:
    ctx.enqueue(
        "workers.jobs.deliveries.redact", queue_name=QueueName.IMPORTS, redaction_id=str(row_id)
    )


def start_again(ctx: Context, *, older_than: timedelta) -> None:
    """Of those whose job was lost."""
    late = select(Redaction.id).where(
        col(Redaction.tenant_id) == ctx.tenant_id, col(Redaction.created_at) < ctx.now - older_than
    )
    for row_id in ctx.session.exec(late):
        start(ctx, row_id)


def carry_out(ctx: Context, row_id: UUID) -> int:
    """Cut them out of every delivery since they were known; return of how many. Twice does no harm."""
    asked = ctx.get(Redaction, row_id)
    if asked is None:
        return 0
    names = orjson.loads(crypto.decrypt(asked.sealed, bound_to=_place(row_id)))
    known = [orjson.dumps(name) for name in names]
    places = _places_of(ctx)
    first, until = first_id_at(asked.since), new_id()
    ctx.release()  # nothing is held open while many deliveries are read
    count = 0
    while first < until:
        end, cut = _stretch(ctx.actor, first, until, known, places)
        first, count = end, count + cut
    ctx.session.delete(ctx.get(Redaction, row_id))
    return count


def _stretch(
    actor: Actor, first: UUID, until: UUID, known: list[bytes], places: Collection[str]
) -> tuple[UUID, int]:
    """Look through some; return where the next begin, and how many were cut."""
    with platform_work(actor) as ctx:
        cursor = ctx.cursor()
        found = cursor.execute(_END, (first, STRETCH)).fetchone()
        end = min(found[0], until) if found else until
        cut = 0
        for delivery_id, body in cursor.execute(_MENTIONING, (first, end, known)).fetchall():
            left = without(bytes(body), known, places, at=ctx.now)
            if left is not None:
                cursor.execute(_WRITE, (left, delivery_id))
                cut += 1
        return end, cut


def _places_of(ctx: Context) -> set[str]:
    """Meta's ids of the tenant's numbers and accounts: by them a change of a delivery is its.

    Of those that it had connected once as well, unless another workspace has them now.
    """
    numbers = select(PhoneNumber.phone_number_id).where(col(PhoneNumber.tenant_id) == ctx.tenant_id)
    accounts = select(WhatsappAccount.meta_account_id).where(
        col(WhatsappAccount.tenant_id) == ctx.tenant_id
    )
    had = {*ctx.session.exec(numbers), *ctx.session.exec(accounts)}
    elsewhere = (
        select(NumberDirectory.phone_number_id).where(
            col(NumberDirectory.phone_number_id).in_(had),
            col(NumberDirectory.tenant_id) != ctx.tenant_id,
        ),
        select(AccountDirectory.meta_account_id).where(
            col(AccountDirectory.meta_account_id).in_(had),
            col(AccountDirectory.tenant_id) != ctx.tenant_id,
        ),
    )
    return had.difference(*(ctx.session.exec(these) for these in elsewhere))


def _place(row_id: UUID) -> str:
    return f"redactions.sealed.{row_id}"


# The body ---------------------------------------------------------------------------------------


def without(
    body: bytes, known: Collection[bytes], places: Collection[str], *, at: datetime
) -> bytes | None:
    """The delivery without what is about them in the changes of these places. None: there is nothing."""
    try:
        payload = webhooks.parse(body)
    except Unreadable:
        return None
    is_cut = False
    for entry in _nodes(payload.get("entry")):
        for change in _nodes(entry.get("changes")):
            value = change.get("value")
            if _is_of(entry, value, places) and _mentions(value, known):
                change["value"] = _but(value, known)
                is_cut = True
    return orjson.dumps({**payload, CUT: at.isoformat()}) if is_cut else None


def _nodes(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_of(entry: Mapping[str, Any], value: Any, places: Collection[str]) -> bool:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    return str(number) in places if number else str(entry.get("id")) in places


def _but(value: Any, known: Collection[bytes]) -> Any:
    """Of lists the items that do not mention them; of anything else nothing but that it was cut out."""
    if not _mentions(value, known):
        return value
    if isinstance(value, list):
        tried = [_but(item, known) if isinstance(item, list) else item for item in value]
        return [item for item in tried if not _mentions(item, known)]
    if isinstance(value, dict):
        return {name: _but(part, known) for name, part in value.items()}
    return CUT


def _mentions(value: Any, known: Collection[bytes]) -> bool:
    written = orjson.dumps(value)
    return any(one in written for one in known)
