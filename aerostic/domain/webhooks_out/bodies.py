"""What is told of an event: `{"type", "timestamp", "data"}`, with everything around it that we know."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from aerostic.core.tenancy import Context
from aerostic.domain.automation import scope
from aerostic.domain.signals.models import Signal, SignalKind

Json = dict[str, Any]

_MESSAGES = """
    select id, type, text, content, media_id, occurred_at, direction, meta_message_id, failure
    from messages where tenant_id = %s and id = any(%s) and id between %s and %s
"""


def of(ctx: Context, signals: Sequence[Signal]) -> dict[UUID, tuple[str, UUID | None]]:
    """The body for each signal, and the contact whom it tells of. Two statements, however many."""
    around = _around(ctx, signals)
    messages = _messages(ctx, signals)
    made = {}
    for signal in signals:
        parts = around.get(signal.id, {})
        data = {**parts, **_special(signal, messages.get(signal.message_id or signal.id))}
        body = written(signal.kind, signal.created_at, data)
        contact = parts.get("contact")
        made[signal.id] = (body, UUID(contact["id"]) if contact else signal.contact_id)
    return made


def written(kind: str, at: datetime, data: Mapping[str, Any]) -> str:
    """The very text that is signed and sent, in every try the same."""
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps({"type": kind, "timestamp": moment, "data": data}, default=str).decode()


def _around(ctx: Context, signals: Sequence[Signal]) -> dict[UUID, Json]:
    """Workspace, contact, conversation and number of each signal."""
    about = [(one.id, one.conversation_id, one.contact_id, one.number_id) for one in signals]
    columns = [list(column) for column in zip(*about, strict=True)]
    cursor = ctx.cursor()
    cursor.execute(scope.AROUND, (*columns, ctx.tenant_id), prepare=True)
    return {row[0]: scope.around(row[1:]) for row in cursor.fetchall()}


def _messages(ctx: Context, signals: Sequence[Signal]) -> dict[UUID, Json]:
    ids = sorted({one.message_id for one in signals if one.message_id})
    if not ids:
        return {}
    cursor = ctx.cursor()
    cursor.execute(_MESSAGES, (ctx.tenant_id, ids, ids[0], ids[-1]), prepare=True)
    return {row[0]: _message(row) for row in cursor.fetchall()}


def _message(row: tuple[Any, ...]) -> Json:
    message_id, kind, text, content, media_id, at, direction, meta_id, failure = row
    told = scope.message(message_id, kind, text, content or {}, media_id)
    return {
        **told,
        "at": at.astimezone(UTC).isoformat(),
        "direction": direction,
        "meta_message_id": meta_id,
        "failure": failure,
    }


def _special(signal: Signal, message: Json | None) -> Json:
    """What only this kind of event tells."""
    details = {name: value for name, value in signal.details.items() if name != "left"}
    match signal.kind:
        case SignalKind.MESSAGE_RECEIVED:
            return {"message": message}
        case SignalKind.MESSAGE_STATUS:
            return {"message": _status(signal, message)}
        case SignalKind.REACTION_RECEIVED:
            return {"reaction": {**details, "message_id": str(signal.message_id)}}
        case SignalKind.CONTACT_TAGGED:
            return {"tag": {"id": details.get("tag_id"), "name": details.get("tag")}}
        case SignalKind.CONVERSATION_ASSIGNED:
            return {"assignee_id": details.get("user_id") or None}
        case SignalKind.EXECUTION_FAILED:
            return {"execution": details}
    return {}


def _status(signal: Signal, message: Json | None) -> Json:
    """As it was when it was told: later tellings may overtake this one."""
    known = message or {}
    return {
        "id": str(signal.message_id),
        "meta_message_id": known.get("meta_message_id"),
        "type": known.get("type"),
        "status": signal.details.get("status"),
        "failure": known.get("failure") if signal.details.get("status") == "failed" else None,
    }
