"""What the product is told: queued in the same transaction as what happened, signed when it leaves."""

import hashlib
import hmac
import json
import random
import time

from aerostic.simulator.numbers import metadata
from aerostic.simulator.people import contact_node
from aerostic.simulator.store import Json, Row, dumps
from aerostic.simulator.world import World

_chance = random.SystemRandom()
_MERGEABLE = {"messaging_product", "metadata", "contacts", "messages", "statuses"}


def announce(
    world: World, account_id: str, field: str, value: Json, *, message_id: str | None = None
) -> int | None:
    """Queue one change for the product. None where its app is not subscribed to the account, as with Meta."""
    account = world.store.one("SELECT subscribed FROM accounts WHERE id = ?", account_id)
    if account is None or not account["subscribed"]:
        return None
    now = time.time()
    trouble = world.trouble.now
    delay = _chance.uniform(trouble.delay_min_ms, trouble.delay_max_ms) / 1000
    webhook_id = world.store.insert(
        "webhooks",
        account_id=account_id,
        field=field,
        value=dumps(value),
        message_id=message_id,
        created_real_at=now,
        due_real_at=now + delay,
    )
    world.webhooks_changed.set()
    return webhook_id


def about_number(world: World, number: Row, person: Row | None, **parts: object) -> Json:
    """The `value` of field `messages`. System messages name no contact."""
    value: Json = {"messaging_product": "whatsapp", "metadata": metadata(number)}
    if person is not None:
        value["contacts"] = [contact_node(world, person, number["portfolio_id"])]
    return value | parts


def delivery(changes: list[tuple[str, str, Json]], now: float) -> Json:
    """One body from (account, field, value) in order.

    Entries per account, arrays joined where Meta joins them.
    """
    entries: dict[str, list[Json]] = {}
    for account_id, field, value in changes:
        listed = entries.setdefault(account_id, [])
        if not (listed and listed[-1]["field"] == field and _merge(listed[-1]["value"], value)):
            listed.append({"value": value, "field": field})
    return {
        "object": "whatsapp_business_account",
        "entry": [_entry(account_id, listed, now) for account_id, listed in entries.items()],
    }


def _entry(account_id: str, changes: list[Json], now: float) -> Json:
    """One account's share. News about the account itself carries a time; messages have their own."""
    entry: Json = {"id": account_id, "changes": changes}
    if any(change["field"] != "messages" for change in changes):
        entry["time"] = int(now)
    return entry


def _merge(into: Json, value: Json) -> bool:
    """Join messages with messages and statuses with statuses of one number. False where they do not fit."""
    if not (
        into.keys() <= _MERGEABLE
        and value.keys() <= _MERGEABLE
        and into.get("metadata") == value.get("metadata")
    ):
        return False
    kind = "messages" if "messages" in value else "statuses"
    if kind not in into or kind not in value:
        return False
    into[kind] = into[kind] + value[kind]
    seen = [contact["user_id"] for contact in into.get("contacts", [])]
    fresh = [contact for contact in value.get("contacts", []) if contact["user_id"] not in seen]
    if fresh:
        into["contacts"] = into.get("contacts", []) + fresh
    return True


def raw_body(payload: object) -> bytes:
    r"""The bytes that travel and are signed. Meta writes everything above U+007F as `\uXXXX`."""
    return json.dumps(payload, ensure_ascii=True, separators=(",", ":")).encode()


def signature(secret: str, raw: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
