"""`/{account}` and `/{portfolio}`: subscriptions and what was billed."""

import json
from collections import defaultdict

from aerostic.simulator import pricing
from aerostic.simulator.calls import Call
from aerostic.simulator.errors import callback_refused, invalid
from aerostic.simulator.handshake import agrees
from aerostic.simulator.paging import page
from aerostic.simulator.store import Json, Row

_USUAL = ("name", "currency", "timezone_id", "message_template_namespace")
_EMPTY = frozenset({"analytics", "disable_marketing_messages_on_cloud_api", "subscribed_apps"})
_SECONDS = {"HALF_HOUR": 1800, "DAILY": 24 * 3600, "MONTHLY": 30 * 24 * 3600}


def _everything(call: Call, row: Row) -> Json:
    portfolio = call.world.store.all("SELECT * FROM portfolios WHERE id = ?", row["portfolio_id"])[
        0
    ]
    owner: Json = {"id": portfolio["id"], "name": portfolio["name"]}
    return {
        "id": row["id"],
        "name": row["name"],
        "currency": row["currency"],
        "timezone_id": row["timezone_id"],
        "message_template_namespace": f"ns_{row['id']}",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "country": "US",
        "ownership_type": "CLIENT_OWNED",
        "status": "ACTIVE",
        "owner_business_info": owner,
        "owner_business": owner,
        "on_behalf_of_business_info": owner | {"status": "APPROVED", "type": "SELF"},
        "primary_business_location": "US",
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
        "whatsapp_business_manager_messaging_limit": portfolio["messaging_limit"],
        "is_enabled_for_insights": True,
        "auth_international_rate_eligibility": {},
        "marketing_messages_lite_api_status": "ELIGIBLE",
        "marketing_messages_onboarding_status": "ELIGIBLE",
    }


async def show_account(call: Call) -> Json:
    return call.chosen(_everything(call, call.row()), _USUAL, empty=_EMPTY)


async def list_accounts(call: Call) -> Json:
    """The accounts of a portfolio that the token opens."""
    rows = call.world.store.all(
        "SELECT * FROM accounts WHERE portfolio_id = ? ORDER BY id", call.object_id
    )
    return page(
        call,
        [
            call.chosen(_everything(call, row), _USUAL, empty=_EMPTY)
            for row in rows
            if call.access.opens(row["id"])
        ],
    )


async def show_subscriptions(call: Call) -> Json:
    row = call.row()
    if not row["subscribed"]:
        return {"data": []}
    app: Json = {
        "whatsapp_business_api_data": {
            "id": call.world.config.app_id,
            "link": "https://www.facebook.com/games/?app_id=" + call.world.config.app_id,
            "name": "Aerostic (simulated)",
        }
    }
    return {
        "data": [
            app | ({"override_callback_uri": row["callback_url"]} if row["callback_url"] else {})
        ]
    }


async def subscribe(call: Call) -> Json:
    """Webhooks flow from now on, to the account's own address if one is given and answers the handshake."""
    url = call.value("override_callback_uri")
    if url and not await agrees(str(url), str(call.value("verify_token", ""))):
        raise callback_refused()
    call.world.store.run(
        "UPDATE accounts SET subscribed = 1, callback_url = ? WHERE id = ?",
        url or None,
        call.object_id,
    )
    return {"success": True}


async def unsubscribe(call: Call) -> Json:
    call.world.store.run(
        "UPDATE accounts SET subscribed = 0, callback_url = NULL WHERE id = ?", call.object_id
    )
    return {"success": True}


async def pricing_analytics(call: Call) -> Json:
    """Volumes and costs of delivered messages, from this account's own rows."""
    start, end = _moment(call, "start", 0), _moment(call, "end", call.world.clock.now())
    width = _SECONDS.get(str(call.value("granularity", "DAILY")), 24 * 3600)
    dimensions = _names(call.value("dimensions", ""))
    rows = call.world.store.all(
        "SELECT messages.pricing, messages.at, numbers.display, people.country FROM messages "
        "JOIN numbers ON numbers.id = messages.number_id JOIN people ON people.id = messages.person_id "
        "WHERE numbers.account_id = ? AND messages.direction = 'outbound' AND messages.pricing IS NOT NULL "
        "AND messages.status IN ('delivered', 'read', 'played') AND messages.at >= ? AND messages.at < ?",
        call.object_id,
        start,
        end,
    )
    points = [_point(point, dimensions) for point in _summed(rows, width, dimensions).items()]
    return {"data": [{"data_points": points}]}


def _moment(call: Call, name: str, default: float) -> float:
    try:
        return float(call.value(name, default))
    except (TypeError, ValueError):
        raise invalid(f"Param {name} must be a UNIX timestamp.") from None


def _names(asked: object) -> list[str]:
    """A JSON array or a comma list."""
    names = asked if isinstance(asked, list) else str(asked).strip("[]").replace('"', "").split(",")
    return [str(name).strip().upper() for name in names if str(name).strip()]


Key = tuple[int, int, tuple[str, ...]]


def _summed(rows: list[Row], width: int, dimensions: list[str]) -> dict[Key, tuple[int, float]]:
    sums: dict[Key, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for row in rows:
        charged = json.loads(row["pricing"])["pricing"]
        start = int(row["at"] // width * width)
        facts = {
            "PHONE": row["display"],
            "COUNTRY": row["country"],
            "PRICING_TYPE": charged["type"].upper(),
            "PRICING_CATEGORY": charged["category"].upper(),
        }
        key = (start, start + width, tuple(facts.get(name, "") for name in dimensions))
        volume, paid = sums[key]
        cost = pricing.cost(charged["category"], row["country"], charged["billable"])
        sums[key] = (volume + 1, paid + cost)
    return sums


def _point(summed: tuple[Key, tuple[int, float]], dimensions: list[str]) -> Json:
    (start, end, facts), (volume, paid) = summed
    named = {
        {"PHONE": "phone_number"}.get(name, name.lower()): fact
        for name, fact in zip(dimensions, facts, strict=True)
    }
    return {"start": start, "end": end, "volume": volume, "cost": round(paid, 6)} | named
