"""What the lane's statements share. Each takes the cursor of a `lane_transaction`.

Everyone who locks does so in this order: outbox, messages by id, conversations by id. The row of the lane
itself in `due_work` is the gate of `due_work.wake_lane`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

Cursor = psycopg.AsyncCursor[Any]
Place = tuple[UUID, UUID]  # tenant, number


async def remember(
    cursor: Cursor,
    tenant_id: UUID,
    now: datetime,
    events: Sequence[tuple[UUID, str, dict[str, Any]]],
) -> None:
    if events:
        await cursor.execute(
            "insert into message_events (tenant_id, message_id, status, occurred_at, details, received_at) "
            "select %s, told.id, told.status, %s, told.details, %s "
            "from unnest(%s::uuid[], %s::text[], %s::jsonb[]) as told (id, status, details) "
            "on conflict do nothing",
            (
                tenant_id,
                now,
                now,
                [event[0] for event in events],
                [event[1] for event in events],
                [Jsonb(event[2]) for event in events],
            ),
        )


async def remove(cursor: Cursor, tenant_id: UUID, ids: Sequence[UUID]) -> None:
    if ids:
        await cursor.execute(
            "delete from outbox where tenant_id = %s and id = any(%s)", (tenant_id, list(ids))
        )


async def follow(cursor: Cursor, tenant_id: UUID, ids: Sequence[UUID]) -> None:
    """The list shows the status of a conversation's last message."""
    if ids:
        await cursor.execute(
            "with shown as (select conversations.id, messages.status from conversations "
            "join messages on messages.tenant_id = conversations.tenant_id "
            "and messages.id = conversations.last_message_id and messages.id = any(%(ids)s) "
            "where conversations.tenant_id = %(tenant)s and conversations.id = any(select conversation_id "
            "from messages where tenant_id = %(tenant)s and id = any(%(ids)s)) "
            "order by conversations.id for no key update of conversations) "
            "update conversations set last_message_status = shown.status from shown "
            "where conversations.tenant_id = %(tenant)s and conversations.id = shown.id",
            {"tenant": tenant_id, "ids": list(ids)},
        )
