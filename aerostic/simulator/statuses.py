"""How a message climbs: sent, delivered, read, played; or fails."""

import asyncio
import json
import time
from contextlib import suppress

from aerostic.simulator.errors import webhook_error
from aerostic.simulator.numbers import find_number
from aerostic.simulator.people import access_person, user_id
from aerostic.simulator.pricing import count_delivered, price
from aerostic.simulator.store import Json, Row, dumps
from aerostic.simulator.webhooks import about_number, announce
from aerostic.simulator.world import World

RANK = {"accepted": 0, "sent": 1, "delivered": 2, "read": 3, "played": 4, "failed": 5}
_IDLE_SECONDS = 1.0
_AT_ONCE = 100


def plan(
    world: World,
    message_id: str,
    status: str,
    after_seconds: float,
    errors: list[Json] | None = None,
) -> None:
    """Let this happen to the message later, even over a restart."""
    world.store.insert(
        "steps",
        due_real_at=time.time() + after_seconds,
        message_id=message_id,
        status=status,
        errors=dumps(errors) if errors else None,
    )
    world.steps_changed.set()


def plan_success(world: World, message_id: str) -> None:
    plan(world, message_id, "sent", world.config.sent_after_seconds)
    plan(world, message_id, "delivered", world.config.delivered_after_seconds)


def plan_failure(world: World, message_id: str, code: int, details: str = "") -> None:
    plan(
        world, message_id, "failed", world.config.sent_after_seconds, [webhook_error(code, details)]
    )


def look_at_chat(world: World, number_id: str, person_id: int) -> None:
    """The person reads what has arrived."""
    unread = world.store.all(
        "SELECT id FROM messages WHERE number_id = ? AND person_id = ? AND direction = 'outbound' "
        "AND status = 'delivered' AND type <> 'reaction' ORDER BY position",
        number_id,
        person_id,
    )
    for message in unread:
        plan(world, message["id"], "read", 0)


def become_reachable(world: World, person_id: int) -> None:
    """The phone is on again: what waited arrives."""
    waiting = world.store.all(
        "SELECT id FROM messages WHERE person_id = ? AND direction = 'outbound' AND status = 'sent' "
        "ORDER BY position",
        person_id,
    )
    for message in waiting:
        plan(world, message["id"], "delivered", 0)


async def climb(world: World) -> None:
    """The task that takes the steps when they are due. Until cancelled."""
    while True:
        world.steps_changed.clear()
        if not _take_due_steps(world):
            await _rest(world)
        await asyncio.sleep(0)


async def _rest(world: World) -> None:
    next_due = world.store.one("SELECT min(due_real_at) AS due FROM steps")
    pause = _IDLE_SECONDS
    if (
        next_due is not None
        and next_due["due"] is not None
        and not world.trouble.now.statuses_paused
    ):
        pause = min(pause, max(0.005, next_due["due"] - time.time()))
    with suppress(TimeoutError):
        await asyncio.wait_for(world.steps_changed.wait(), pause)


def _take_due_steps(world: World) -> bool:
    if world.trouble.now.statuses_paused:
        return False
    steps = world.store.all(
        "SELECT * FROM steps WHERE due_real_at <= ? ORDER BY due_real_at, id LIMIT ?",
        time.time(),
        _AT_ONCE,
    )
    with world.store.transaction():
        for step in steps:
            world.store.run("DELETE FROM steps WHERE id = ?", step["id"])
            _take(world, step)
    return bool(steps)


def _take(world: World, step: Row) -> None:
    message = world.store.one("SELECT * FROM messages WHERE id = ?", step["message_id"])
    if message is None or RANK[message["status"]] >= RANK[step["status"]]:
        return
    number, person = (
        find_number(world, message["number_id"]),
        access_person(world, message["person_id"]),
    )
    if number is None or (step["status"] == "delivered" and not person["is_reachable"]):
        return
    errors = json.loads(step["errors"]) if step["errors"] else None
    pricing = _pricing(world, message, number, person, step["status"])
    if step["status"] == "delivered" and pricing:
        count_delivered(world, number["id"], pricing["pricing"]["category"])
    world.store.run(
        "UPDATE messages SET status = ?, errors = ?, pricing = ? WHERE id = ?",
        step["status"],
        step["errors"],
        dumps(pricing) if pricing else None,
        message["id"],
    )
    report = _report(world, message, number, person, step["status"]) | pricing
    report |= {"errors": errors} if errors else {}
    value = about_number(world, number, person, statuses=[report])
    webhook_id = announce(world, number["account_id"], "messages", value)
    _record(world, message["id"], step["status"], webhook_id)
    _show(world, message, step["status"], errors)
    if _is_looked_at(message, person, step["status"]):
        plan(world, message["id"], "read", world.config.read_after_seconds)


def _show(world: World, message: Row, status: str, errors: list[Json] | None) -> None:
    world.hub.tell(
        "status",
        message_id=message["id"],
        status=status,
        errors=errors,
        person_id=message["person_id"],
        number_id=message["number_id"],
    )


def _is_looked_at(message: Row, person: Row, status: str) -> bool:
    """It arrives in a chat that is on the person's screen. A reaction is never read."""
    is_open = person["open_number_id"] == message["number_id"]
    return status == "delivered" and is_open and message["type"] != "reaction"


def _pricing(world: World, message: Row, number: Row, person: Row, status: str) -> Json:
    """Settled when the message is sent and repeated on every later status. A failed one costs nothing."""
    if status == "failed" or message["type"] == "reaction":
        return {}
    if message["pricing"]:
        settled: Json = json.loads(message["pricing"])
        return settled
    content = json.loads(message["content"])
    return price(world, number, person, content.get("category", "service"))


def _report(world: World, message: Row, number: Row, person: Row, status: str) -> Json:
    report: Json = {
        "id": message["id"],
        "status": status,
        "timestamp": str(int(world.clock.now())),
        "recipient_user_id": user_id(world, person, number["portfolio_id"]),
    }
    if person["phone"]:
        report["recipient_id"] = person["phone"]
    if message["callback_data"] is not None:
        report["biz_opaque_callback_data"] = message["callback_data"]
    return report


def _record(world: World, message_id: str, status: str, webhook_id: int | None) -> None:
    world.store.insert(
        "status_events",
        message_id=message_id,
        status=status,
        at=world.clock.now(),
        webhook_id=webhook_id,
    )
