"""`/{number}`: what it is, registering it, its profile."""

import json
import secrets

from aerostic.simulator import ids
from aerostic.simulator.calls import Call
from aerostic.simulator.errors import GraphError
from aerostic.simulator.numbers import digits_of, find_number
from aerostic.simulator.paging import page
from aerostic.simulator.people import country_of
from aerostic.simulator.store import Json, Row, dumps

_USUAL = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
)
_EMPTY = frozenset(
    {
        "certificate",
        "conversational_automation",
        "eligibility_for_api_business_global_search",
        "is_preverified_number",
        "new_certificate",
        "new_name_status",
        "search_visibility",
        "username",
    }
)
_PROFILE_FIELDS = ("about", "address", "description", "email", "websites", "vertical")
_HIGH_THROUGHPUT = 1000
_TIERS = {
    250: "TIER_250",
    2000: "TIER_2K",
    10_000: "TIER_10K",
    100_000: "TIER_100K",
    -1: "TIER_UNLIMITED",
}


def _everything(call: Call, row: Row) -> Json:
    portfolio = call.world.store.all("SELECT * FROM portfolios WHERE id = ?", row["portfolio_id"])[
        0
    ]
    is_ready = row["status"] == "CONNECTED"
    return {
        "id": row["id"],
        "verified_name": row["verified_name"],
        "display_phone_number": row["display"],
        "quality_rating": row["quality"],
        "quality_score": {"score": row["quality"]},
        "throughput": {"level": "HIGH" if row["throughput"] >= _HIGH_THROUGHPUT else "STANDARD"},
        "status": row["status"],
        "name_status": "APPROVED",
        "code_verification_status": row["verification"],
        "platform_type": "CLOUD_API" if is_ready else "NOT_APPLICABLE",
        "account_mode": "LIVE",
        "is_official_business_account": False,
        "is_pin_enabled": row["pin"] is not None,
        "is_on_biz_app": False,
        "country_code": country_of(digits_of(row["display"])),
        "country_dial_code": digits_of(row["display"].partition(" ")[0]),
        "last_onboarded_time": "2026-01-01T00:00:00+0000",
        "whatsapp_business_manager_messaging_limit": _TIERS.get(
            portfolio["messaging_limit"], "TIER_NOT_SET"
        ),
        "health_status": _health(row, is_ready),
        "webhook_configuration": _callbacks(call, row),
    }


def _health(row: Row, is_ready: bool) -> Json:
    state = "AVAILABLE" if is_ready else "BLOCKED"
    entity: Json = {"entity_type": "PHONE_NUMBER", "id": row["id"], "can_send_message": state}
    return {"can_send_message": state, "entities": [entity]}


def _callbacks(call: Call, row: Row) -> Json:
    account = call.world.store.all("SELECT * FROM accounts WHERE id = ?", row["account_id"])[0]
    callbacks = {
        "phone_number": row["callback_url"],
        "whatsapp_business_account": account["callback_url"],
        "application": call.world.config.webhook_url,
    }
    return {name: url for name, url in callbacks.items() if url}


async def show_number(call: Call) -> Json:
    return call.chosen(_everything(call, call.row()), _USUAL, empty=_EMPTY)


async def list_numbers(call: Call) -> Json:
    rows = call.world.store.all(
        "SELECT id FROM numbers WHERE account_id = ? ORDER BY id", call.object_id
    )
    numbers = [number for row in rows if (number := find_number(call.world, row["id"])) is not None]
    return page(
        call, [call.chosen(_everything(call, number), _USUAL, empty=_EMPTY) for number in numbers]
    )


async def update_number(call: Call) -> Json:
    """Only the webhook override and a new display name can be set here."""
    wanted = call.value("webhook_configuration")
    if isinstance(wanted, dict):
        url = wanted.get("override_callback_uri") or None
        call.world.store.run(
            "UPDATE numbers SET callback_url = ? WHERE id = ?", url, call.object_id
        )
    return {"success": True}


async def create_number(call: Call) -> Json:
    """A number that still has to be verified and registered."""
    display = f"+{call.needed('cc')} {call.needed('phone_number')}"
    if call.world.store.one("SELECT 1 FROM numbers WHERE display = ?", display):
        raise GraphError(100, "This phone number is already in use.", subcode=2388093)
    number_id = ids.digits(15)
    call.world.store.insert(
        "numbers",
        id=number_id,
        account_id=call.object_id,
        display=display,
        verified_name=call.needed("verified_name"),
        status="PENDING",
        verification="NOT_VERIFIED",
        throughput=call.world.config.throughput,
    )
    return {"id": number_id}


async def register(call: Call) -> Json:
    pin = call.needed("pin")
    row = call.row()
    if call.value("messaging_product") != "whatsapp":
        raise GraphError(100, title="The parameter messaging_product is required.")
    if len(pin) != 6 or not pin.isascii() or not pin.isdigit():
        raise GraphError(100, "Param pin must be a string of 6 digits.")
    if row["verification"] != "VERIFIED":
        raise GraphError(133006)
    if row["pin"] is not None and row["pin"] != pin:
        raise GraphError(133005)
    call.world.store.run(
        "UPDATE numbers SET status = 'CONNECTED', pin = ? WHERE id = ?", pin, row["id"]
    )
    return {"success": True}


async def deregister(call: Call) -> Json:
    call.world.store.run(
        "UPDATE numbers SET status = 'DISCONNECTED' WHERE id = ?", call.row()["id"]
    )
    return {"success": True}


async def request_code(call: Call) -> Json:
    """The code shows in `GET /control/numbers`, as it would on the phone that is called."""
    if call.needed("code_method").upper() not in ("SMS", "VOICE"):
        raise GraphError(100, "Param code_method must be one of SMS, VOICE.")
    call.needed("language")
    code = f"{secrets.randbelow(10**6):06d}"
    call.world.store.run("UPDATE numbers SET code = ? WHERE id = ?", code, call.row()["id"])
    return {"success": True}


async def verify_code(call: Call) -> Json:
    row = call.row()
    if row["code"] is None or digits_of(call.needed("code")) != row["code"]:
        raise GraphError(136025)
    call.world.store.run(
        "UPDATE numbers SET verification = 'VERIFIED', code = NULL WHERE id = ?", row["id"]
    )
    return {"success": True}


async def show_profile(call: Call) -> Json:
    profile = json.loads(call.row()["profile"])
    asked = call.request.query_params.get("fields")
    names = asked.split(",") if asked else list(profile)
    shown = {name: profile[name] for name in names if name in profile}
    return {"data": [{"messaging_product": "whatsapp"} | shown]}


async def update_profile(call: Call) -> Json:
    row, wanted = call.row(), call.body if isinstance(call.body, dict) else {}
    known = {*_PROFILE_FIELDS, "messaging_product", "profile_picture_handle"}
    if unknown := sorted(set(wanted) - known):
        raise GraphError(100, f"Unexpected key '{unknown[0]}'.")
    profile = json.loads(row["profile"]) | {
        name: wanted[name] for name in _PROFILE_FIELDS if name in wanted
    }
    call.world.store.run("UPDATE numbers SET profile = ? WHERE id = ?", dumps(profile), row["id"])
    return {"success": True}
