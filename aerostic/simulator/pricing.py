"""What Meta would charge: per delivered message, with prices of this place's own invention."""

from datetime import UTC, datetime

from aerostic.simulator import ids
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

#: Since 1 October 2026 the first thousand delivered service messages of a number are free each month.
FREE_SERVICE_MESSAGES = 1000
FREE_ENTRY_ANSWER_SECONDS = 24 * 3600
FREE_ENTRY_SECONDS = 72 * 3600

#: Micro-units of a US dollar per delivered message. The product never relies on them; only on `pricing`.
_RATES = {"marketing": 25_000, "utility": 4_000, "authentication": 4_000, "service": 4_000}
_DEARER_COUNTRIES = {"DE": 4.4, "GB": 2.1, "BR": 2.5, "IN": 0.4}


def price(world: World, number: Row, person: Row, category: str) -> Json:
    """`pricing` and, inside a free entry point only, `conversation`."""
    free_until = free_entry_until(world, number["id"], person["id"])
    if free_until is not None:
        marks: Json = {"billable": False, "pricing_model": "PMP", "type": "free_entry_point"}
        return {
            "pricing": marks | {"category": "referral_conversion"},
            "conversation": {
                "id": ids.conversation_id(
                    {"number": number["id"], "person": person["id"], "until": free_until}
                ),
                "expiration_timestamp": str(int(free_until)),
                "origin": {"type": "referral_conversion"},
            },
        }
    is_free = (
        category == "service"
        and _service_messages_this_month(world, number["id"]) < FREE_SERVICE_MESSAGES
    )
    kind = "free_customer_service" if is_free else "regular"
    return {
        "pricing": {
            "billable": not is_free,
            "pricing_model": "PMP",
            "type": kind,
            "category": category,
        }
    }


def free_entry_until(world: World, number_id: str, person_id: int) -> float | None:
    """When the 72 hours end that an ad's click opened and an answer within 24 hours started.

    None outside them.
    """
    entry = world.store.one(
        "SELECT max(at) AS at FROM messages WHERE number_id = ? AND person_id = ? AND direction = 'inbound' "
        "AND json_extract(content, '$.referral') IS NOT NULL",
        number_id,
        person_id,
    )
    if entry is None or entry["at"] is None:
        return None
    answered_at = world.store.figure(
        "SELECT min(at) FROM messages WHERE number_id = ? AND person_id = ? AND direction = 'outbound' "
        "AND at >= ? AND status <> 'failed'",
        number_id,
        person_id,
        entry["at"],
    )
    if not answered_at or answered_at > entry["at"] + FREE_ENTRY_ANSWER_SECONDS:
        return None
    until = answered_at + FREE_ENTRY_SECONDS
    return until if world.clock.now() < until else None


def cost(category: str, country: str, billable: bool) -> float:
    """In dollars."""
    if not billable:
        return 0.0
    return _RATES.get(category, 0) * _DEARER_COUNTRIES.get(country, 1.0) / 1_000_000


def count_delivered(world: World, number_id: str, category: str) -> None:
    """Use up one of the month's free service messages."""
    if category == "service":
        world.store.run(
            "INSERT INTO service_months (number_id, month, delivered) VALUES (?, ?, 1) "
            "ON CONFLICT (number_id, month) DO UPDATE SET delivered = delivered + 1",
            number_id,
            _month(world),
        )


def _service_messages_this_month(world: World, number_id: str) -> float:
    return world.store.figure(
        "SELECT delivered FROM service_months WHERE number_id = ? AND month = ?",
        number_id,
        _month(world),
    )


def _month(world: World) -> str:
    return datetime.fromtimestamp(world.clock.now(), UTC).strftime("%Y-%m")
