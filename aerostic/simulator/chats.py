"""What a phone shows: its chats, and one chat with ticks."""

import json

from aerostic.simulator import people, windows
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

_MOST_PEOPLE = 200


def list_people(world: World, search: str = "") -> list[Json]:
    """The people of the demo and those made by hand first, then whoever was written to, newest first."""
    like = f"%{search}%"
    rows = world.store.all(
        "SELECT * FROM people WHERE name LIKE ? OR phone LIKE ? OR username LIKE ? "
        "ORDER BY made_by IN ('stranger', 'burst'), CASE WHEN made_by IN ('stranger', 'burst') THEN "
        "-id ELSE id END "
        "LIMIT ?",
        like,
        like,
        like,
        _MOST_PEOPLE,
    )
    return [people.on_screen(row) for row in rows]


def list_chats(world: World, person_id: int) -> list[Json]:
    """One line for each business number that the person has a chat with, newest first."""
    rows = world.store.all(
        "SELECT number_id, max(position) AS last, sum(direction = 'outbound' AND status = "
        "'delivered') AS unread "
        "FROM messages WHERE person_id = ? AND type NOT IN ('reaction', 'edit', 'revoke') "
        "AND (direction = 'inbound' OR status IN ('delivered', 'read', 'played')) GROUP BY "
        "number_id ORDER BY last DESC",
        person_id,
    )
    return [_chat(world, row) for row in rows]


def _chat(world: World, row: Row) -> Json:
    last = world.store.all("SELECT * FROM messages WHERE position = ?", row["last"])[0]
    number = world.store.all("SELECT * FROM numbers WHERE id = ?", row["number_id"])[0]
    return {
        "number_id": number["id"],
        "number_name": number["verified_name"],
        "unread": row["unread"],
        "last": on_screen(world, last),
    }


def history(
    world: World, person_id: int, number_id: str, *, before: int | None = None, limit: int = 100
) -> Json:
    """The newest messages that reached this phone, oldest first; `before` pages back by position."""
    rows = world.store.all(
        "SELECT * FROM messages WHERE person_id = ? AND number_id = ? AND position < ? "
        "AND type NOT IN ('reaction', 'edit', 'revoke') ORDER BY position DESC LIMIT ?",
        person_id,
        number_id,
        before or 1 << 62,
        limit + 1,
    )
    shown = rows[:limit][::-1]
    return {
        "messages": [on_screen(world, row) for row in shown],
        "before": shown[0]["position"] if len(rows) > limit else None,
        "window_closes_at": windows.closes_at(world, number_id, person_id),
        "now": world.clock.now(),
    }


def on_screen(world: World, row: Row) -> Json:
    """A message with everything that a bubble needs."""
    reactions = world.store.all(
        "SELECT direction, emoji FROM reactions WHERE message_id = ?", row["id"]
    )
    return {
        "id": row["id"],
        "position": row["position"],
        "number_id": row["number_id"],
        "person_id": row["person_id"],
        "direction": row["direction"],
        "type": row["type"],
        "content": json.loads(row["content"]),
        "context_id": row["context_id"],
        "at": row["at"],
        "status": row["status"],
        "errors": json.loads(row["errors"]) if row["errors"] else None,
        "callback_data": row["callback_data"],
        "pricing": json.loads(row["pricing"]) if row["pricing"] else None,
        "reactions": {each["direction"]: each["emoji"] for each in reactions},
        "is_revoked": bool(row["is_revoked"]),
        "is_edited": bool(row["is_edited"]),
    }
