"""Reactions, edits and removals change a message that is there. What it said before is kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import psycopg

from aerostic.core import bulk
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.words import fold
from aerostic.domain.inbox import content, reactions, reading, statuses
from aerostic.domain.inbox.hearing import Hearing
from aerostic.integrations.meta.webhooks import Amendment

Cursor = psycopg.Cursor[tuple[Any, ...]]

REMOVED = "This message was removed."


@dataclass(slots=True)
class _Changing:
    """A message while it is changed."""

    id: UUID
    conversation_id: UUID
    type: str
    text: str
    content: dict[str, Any]
    reactions: dict[str, Any]
    edited_at: datetime | None
    revoked_at: datetime | None
    amendments: list[Amendment] = field(default_factory=list)


def apply(
    ctx: Context, amendments: Sequence[Amendment], heard: Hearing | None = None
) -> list[Amendment]:
    """Change messages. Return the amendments whose message is not known yet."""
    if not amendments:
        return []
    cursor = ctx.cursor()
    ids = statuses.ids_of(ctx, cursor, {one.wamid for one in amendments})
    messages = _lock(ctx, cursor, ids.values())
    unknown = []
    for one in amendments:
        changing = messages.get(ids.get(one.wamid, UUID(int=0)))
        if changing is None:
            unknown.append(one)
        else:
            changing.amendments.append(one)
    changed = [one for one in messages.values() if one.amendments]
    for changing in changed:
        for amendment in sorted(changing.amendments, key=lambda one: one.at):
            _CHANGES[amendment.kind](changing, amendment)
    if changed:
        _update(ctx, cursor, changed)
    if heard is not None:
        _hear(heard, changed)
    return unknown


def _hear(heard: Hearing, changed: Sequence[_Changing]) -> None:
    """A reaction of the contact's, if it stands."""
    for one in changed:
        theirs = [by for by in one.amendments if by.kind == "reaction" and not by.is_ours]
        emoji = one.reactions.get(reactions.CONTACT, {}).get("emoji", "")
        if theirs and emoji:
            heard.reaction(one.id, one.conversation_id, emoji)


_LOCK = """
    select id, conversation_id, type, text, content, reactions, edited_at, revoked_at from messages
    where tenant_id = %b and id = any(%b::uuid[]) order by id for update
"""


def _lock(ctx: Context, cursor: Cursor, ids: Iterable[UUID]) -> dict[UUID, _Changing]:
    bulk.run(cursor, _LOCK, ctx.tenant_id, ids)
    return {row[0]: _Changing(*row) for row in cursor.fetchall()}


def _react(changing: _Changing, amendment: Amendment) -> None:
    """The newest reaction of each side counts, in whatever order they come."""
    side = reactions.US if amendment.is_ours else reactions.CONTACT
    times = dict(changing.content.get("reacted_at", {}))
    if amendment.at.timestamp() < times.get(side, 0):
        return
    times[side] = int(amendment.at.timestamp())
    changing.content = {**changing.content, "reacted_at": times}
    emoji = amendment.detail.get("emoji")
    shown = emoji[:64] if isinstance(emoji, str) else ""
    changing.reactions = reactions.with_reaction(changing.reactions, side, shown)


def _edit(changing: _Changing, amendment: Amendment) -> None:
    """The newest wording is shown; every earlier one stays in `content.edits`, oldest first."""
    message = amendment.detail.get("message")
    if not isinstance(message, dict):
        return
    kind = str(message.get("type") or changing.type)
    wording = {kind: message[kind]} if kind in message else {}
    edits = [*changing.content.get("edits", [])]
    at = amendment.at.isoformat()
    if any(one.get("replaced_at") == at and one.get("by") == wording for one in edits):
        return
    if changing.edited_at and amendment.at < changing.edited_at:
        return
    before = {key: value for key, value in changing.content.items() if key != "edits"}
    edits.append({"content": before, "type": changing.type, "replaced_at": at, "by": wording})
    changing.content = {**before, **wording, "edits": edits}
    changing.type, changing.edited_at = kind, amendment.at
    changing.text = reading.text_of(kind, changing.content)


def _revoke(changing: _Changing, amendment: Amendment) -> None:
    """Taken back: marked, and no longer found. The words stay in the row, for whoever must answer for it."""
    changing.revoked_at = changing.revoked_at or amendment.at


_CHANGES = {"reaction": _react, "edit": _edit, "revoke": _revoke}

_CHANGED = bulk.columns(
    id="uuid",
    type="text",
    text="text",
    search_text="text",
    content="jsonb",
    reactions="jsonb",
    edited_at="timestamptz",
    revoked_at="timestamptz",
)
_UPDATE = bulk.statement(
    """
    update messages m set type = given.type, text = given.text, search_text = given.search_text,
        content = given.content, reactions = given.reactions,
        edited_at = given.edited_at, revoked_at = given.revoked_at
    from {given}
    where m.tenant_id = %b and m.id = given.id and m.id between %b and %b
""",
    _CHANGED,
)
_SHOW = bulk.statement(
    """
    update conversations c set last_message_preview = given.preview
    from {given}
    where c.tenant_id = %b and c.id = given.conversation_id and c.last_message_id = given.id
""",
    bulk.columns(id="uuid", conversation_id="uuid", preview="text"),
)


def _update(ctx: Context, cursor: Cursor, changed: Sequence[_Changing]) -> None:
    rows = [_row(one) for one in changed]
    ids = [one.id for one in changed]
    bulk.run(cursor, _UPDATE, *zip(*rows, strict=True), ctx.tenant_id, min(ids), max(ids))
    shown = [(one.id, one.conversation_id, _preview(one)) for one in changed]
    bulk.run(cursor, _SHOW, *zip(*shown, strict=True), ctx.tenant_id)
    for one in changed:
        ctx.announce("conversation", one.conversation_id)


def _row(one: _Changing) -> tuple[Any, ...]:
    return (
        one.id,
        one.type,
        one.text,
        "" if one.revoked_at else fold(one.text),
        orjson.dumps(one.content).decode(),
        orjson.dumps(one.reactions).decode(),
        one.edited_at,
        one.revoked_at,
    )


def _preview(one: _Changing) -> str:
    return REMOVED if one.revoked_at else content.preview(one.type, one.text)
