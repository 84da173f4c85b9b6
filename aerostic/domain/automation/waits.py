"""What wakes a run that rests before its time, and what ends it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aerostic.core.tenancy import Context
from aerostic.domain.automation import engine
from aerostic.domain.automation.values import as_json
from aerostic.domain.usage import recording
from aerostic.domain.usage.models import UsageKind


@dataclass(slots=True)
class Talk:
    """What automation is doing in a conversation."""

    waiting: UUID | None = None  # the run that waits for an answer, the newest of them
    since: datetime | None = None
    is_busy: bool = False  # a run is at work here, and may ask something in a moment


_TALKS = """
    select conversation_id, id, status, awaits, (state->'resting'->>'since')::timestamptz
    from executions
    where tenant_id = %s and conversation_id = any(%s)
        and status in ('ready', 'running', 'waiting', 'unknown')
        and mode = 'live' and (status in ('ready', 'running') or awaits = 'reply')
    order by id
"""


def talks(ctx: Context, conversations: Iterable[UUID]) -> dict[UUID, Talk]:
    """What automation is doing in each of these conversations."""
    found = {one: Talk() for one in conversations}
    cursor = ctx.cursor()
    cursor.execute(_TALKS, (ctx.tenant_id, list(found)), prepare=True)
    for conversation_id, execution_id, status, awaits, since in cursor.fetchall():
        talk = found[conversation_id]
        if status == "waiting" and awaits == "reply":
            talk.waiting, talk.since = execution_id, since
        elif status in {"ready", "running"}:
            talk.is_busy = True
    return found


def resume(ctx: Context, execution_id: UUID, message: Mapping[str, Any]) -> bool:
    """Wake a run with the answer that it waits for. False: another has woken it already."""
    cursor = ctx.cursor()
    cursor.execute(
        "update executions set status = 'ready', wake_at = null,"
        " state = state || jsonb_build_object('reply', jsonb_build_object('message', %s::jsonb))"
        " where tenant_id = %s and id = %s and status = 'waiting' and awaits = 'reply' returning id",
        (as_json(message).decode(), ctx.tenant_id, execution_id),
    )
    if cursor.fetchone() is None:
        return False
    engine.look_at(ctx, execution_id)
    return True


TAKEN_OVER = "A person answered in this conversation, so nothing else does."


def end_waiting(ctx: Context, conversation_id: UUID, reason: str = TAKEN_OVER) -> int:
    """End the runs that wait for an answer in a conversation; return how many."""
    cursor = ctx.cursor()
    cursor.execute(
        "update executions set status = 'cancelled', reason = %s, ended_at = %s, wake_at = null,"
        " leased_by = null"
        " where tenant_id = %s and conversation_id = %s and status = 'waiting' and awaits = 'reply'"
        " and mode = 'live' returning id, parent_id",
        (reason, ctx.now, ctx.tenant_id, conversation_id),
    )
    ended = cursor.fetchall()
    over = [execution_id for execution_id, _ in ended]
    recording.record_each(ctx, UsageKind.WORKFLOW_EXECUTION, over)
    forget(ctx, over)
    for execution_id, parent_id in ended:
        ctx.announce("execution", execution_id)
        if parent_id is not None:
            engine.tell_parent(ctx, execution_id, parent_id, status="cancelled", reason=reason)
    return len(ended)


def forget(ctx: Context, ids: list[UUID]) -> None:
    """Nobody needs to look at these any more."""
    cursor = ctx.cursor()
    cursor.execute(
        "delete from due_work where kind = 'run' and tenant_id = %s and ref = any(%s)",
        (ctx.tenant_id, ids),
    )
    cursor.execute(
        "delete from conversation_turns where tenant_id = %s and execution_id = any(%s)",
        (ctx.tenant_id, ids),
    )
