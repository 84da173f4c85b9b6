"""`/{number}/messages`, `/marketing_messages` and `/message_history`."""

import asyncio

from aerostic.simulator.calls import Call
from aerostic.simulator.paging import page
from aerostic.simulator.sending import send
from aerostic.simulator.store import Json


class AnswerLost(Exception):
    """The message was accepted, but its answer shall not arrive."""


async def send_message(call: Call) -> Json:
    """Accept or refuse; then, if so ordered, be late with the answer or lose it."""
    answer = send(call.world, call.row(), call.body)
    trouble = call.world.trouble
    if "messages" in answer:
        if trouble.now.response_delay_ms:
            await asyncio.sleep(trouble.now.response_delay_ms / 1000)
        if trouble.next_response_is_dropped():
            raise AnswerLost
    return answer


async def message_history(call: Call) -> Json:
    """Delivery events of one message, with what became of each webhook."""
    rows = call.world.store.all(
        "SELECT status_events.*, webhooks.state FROM status_events "
        "JOIN messages ON messages.id = status_events.message_id "
        "LEFT JOIN webhooks ON webhooks.id = status_events.webhook_id "
        "WHERE messages.number_id = ? AND messages.id = ? ORDER BY status_events.id",
        call.object_id,
        call.needed("message_id"),
    )
    events = [
        {
            "id": str(row["id"]),
            "message_id": row["message_id"],
            "delivery_status": row["status"].upper(),
            "webhook_update_state": "PENDING"
            if row["state"] == "SENDING"
            else row["state"] or "DELIVERED",
            "timestamp": str(int(row["at"])),
        }
        for row in rows
    ]
    return page(call, events)
