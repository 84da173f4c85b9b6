"""What came before the message that it is about, kept until that message comes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import psycopg

from aerostic.core import bulk
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.integrations.meta.webhooks import Amendment, StatusUpdate

Cursor = psycopg.Cursor[tuple[Any, ...]]

_EVENTS = bulk.columns(id="uuid", meta_message_id="text", kind="text", event="jsonb", digest="text")
_INSERT = bulk.statement(
    """
    insert into parked_events (tenant_id, id, meta_message_id, kind, event, digest, received_at)
    select %b::uuid, given.id, given.meta_message_id, given.kind, given.event, given.digest, now()
    from {given}
    where not exists (
        select 1 from parked_events p where p.tenant_id = %b
        and p.meta_message_id = given.meta_message_id and p.digest = given.digest
    )
""",
    _EVENTS,
)


def park(ctx: Context, events: Sequence[Amendment | StatusUpdate]) -> None:
    """Keep each once, however often it is told."""
    rows = {}
    for event in events:
        written = orjson.dumps(asdict(event))
        digest = hashlib.sha256(written).hexdigest()
        kind = "status" if isinstance(event, StatusUpdate) else event.kind
        rows[digest] = (new_id(), event.wamid, kind, written.decode(), digest)
    if rows:
        arrays = zip(*rows.values(), strict=True)
        bulk.run(ctx.cursor(), _INSERT, ctx.tenant_id, *arrays, ctx.tenant_id)


def take(ctx: Context, wamids: Iterable[str]) -> tuple[list[Amendment], list[StatusUpdate]]:
    """What waited for these messages. It is the caller's now."""
    cursor: Cursor = ctx.cursor()
    cursor.execute(
        "delete from parked_events where tenant_id = %s and meta_message_id = any(%s)"
        " returning kind, event",
        (ctx.tenant_id, list(wamids)),
        prepare=True,
    )
    amendments: list[Amendment] = []
    updates: list[StatusUpdate] = []
    for kind, event in cursor.fetchall():
        event["at"] = datetime.fromisoformat(event["at"])
        if kind == "status":
            event["our_id"] = UUID(event["our_id"]) if event["our_id"] else None
            updates.append(StatusUpdate(**event))
        else:
            amendments.append(Amendment(**event))
    return amendments, updates
