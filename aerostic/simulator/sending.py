"""A business sends: the checks in Meta's order, then a message that climbs by itself."""

from typing import Any

from aerostic.simulator import ids, media, templates, windows
from aerostic.simulator.bodies import MEDIA_TYPES, OutboundMessage
from aerostic.simulator.errors import GraphError, missing_object
from aerostic.simulator.numbers import digits_of
from aerostic.simulator.people import (
    access_person,
    create_person,
    find_by_phone,
    find_by_user_id,
    user_id,
)
from aerostic.simulator.statuses import plan_failure, plan_success
from aerostic.simulator.store import Json, Row, dumps
from aerostic.simulator.validation import check_message, check_receipt
from aerostic.simulator.world import World

TYPING_SECONDS = 25


def send(world: World, number: Row, body: Any) -> Json:
    """Meta's answer to `POST /{number}/messages`. Raises `GraphError`."""
    _check_number(number)
    if isinstance(body, dict) and "status" in body:
        return _receipt(world, number, body)
    world.limits.spend_throughput(number["id"], number["throughput"])
    message = check_message(body)
    person = _recipient(world, number, message)
    if world.trouble.now.pair_limit:
        world.limits.spend_pair(number["id"], person["id"])
    if failure := world.trouble.next_failure("sync"):
        raise GraphError(failure.code, "Ordered by the trouble switch of the simulator.")
    with world.store.transaction():
        content = _content(world, number, message)
        message_id = _accept(world, number, person, message, content)
        _settle(world, number, person, message_id, content)
    return _answer(world, number, person, message, message_id)


def _check_number(number: Row) -> None:
    if number["status"] != "CONNECTED":
        raise GraphError(133010)


def _receipt(world: World, number: Row, body: Json) -> Json:
    """Two blue ticks for the person, for this message and all before it; perhaps also "typing…"."""
    receipt = check_receipt(body)
    message = world.store.one(
        "SELECT * FROM messages WHERE id = ? AND number_id = ? AND direction = 'inbound'",
        receipt.message_id,
        number["id"],
    )
    if message is None:
        raise GraphError(
            131009, "Parameter 'message_id' is not the id of a message that was received."
        )
    world.store.run(
        "UPDATE messages SET status = 'read' WHERE number_id = ? AND person_id = ? AND direction = 'inbound' "
        "AND position <= ? AND status <> 'read'",
        number["id"],
        message["person_id"],
        message["position"],
    )
    chat = {"number_id": number["id"], "person_id": message["person_id"]}
    world.hub.tell("read", message_id=message["id"], **chat)
    if receipt.typing_indicator is not None:
        world.hub.tell("typing", seconds=TYPING_SECONDS, **chat)
    return {"success": True}


def _recipient(world: World, number: Row, message: OutboundMessage) -> Row:
    """Whom it goes to. A phone number wins over a business-scoped id when both are given."""
    if message.to is not None and message.to[2:3] != ".":
        return _by_phone(world, number, message.to)
    wanted = message.to or message.recipient or ""
    person = find_by_user_id(world, wanted, number["portfolio_id"])
    if person is None:
        raise GraphError(
            131009, "Parameter 'recipient' is not a business-scoped user id of this portfolio."
        )
    return person


def _by_phone(world: World, number: Row, to: str) -> Row:
    digits = digits_of(to)
    if not 7 <= len(digits) <= 15 or to.strip(" +-().0123456789"):
        raise GraphError(131009, "Parameter 'to' is not a phone number in E.164 form.")
    if digits == digits_of(number["display"]):
        raise GraphError(131021)
    person = find_by_phone(world, digits)
    return person or _stranger(world, digits)


def _stranger(world: World, digits: str) -> Row:
    """Nobody here has this number, so someone does from now on; with WhatsApp if the switch says so."""
    person = create_person(world, "+" + digits, digits, made_by="stranger")
    if world.trouble.now.strangers_have_whatsapp:
        return person
    world.store.run("UPDATE people SET has_whatsapp = 0 WHERE id = ?", person["id"])
    return access_person(world, person["id"])


def _content(world: World, number: Row, message: OutboundMessage) -> Json:
    """What is kept of the message, with a template filled in and every file checked."""
    content = message.content()
    if message.type in MEDIA_TYPES:
        _check_file(world, number, content[message.type], message.type)
    if message.type == "interactive":
        header = content["interactive"].get("header") or {}
        if header.get("type") in MEDIA_TYPES:
            _check_file(world, number, header[header["type"]], header["type"])
    if message.template is not None:
        content |= _filled_template(world, number, message)
    if message.reaction is not None:
        _check_reaction(world, number, message.reaction.message_id)
    return content


def _filled_template(world: World, number: Row, message: OutboundMessage) -> Json:
    wanted = message.content()["template"]
    row = templates.find_for_send(
        world, number["account_id"], wanted["name"], wanted["language"]["code"]
    )
    if row["category"] == "AUTHENTICATION" and message.to is None:
        raise GraphError(131062)
    seen = templates.fill(row, wanted["components"])
    for kind, file in templates.media_of(seen):
        _check_file(world, number, file, kind)
    return {"seen": seen, "category": row["category"].lower()}


def _check_file(world: World, number: Row, file: Json, kind: str) -> None:
    """The id of a file that exists, belongs to this account and fits the message's type."""
    if "id" not in file:
        return
    row = media.find(world, file["id"])
    owner = row and world.store.one("SELECT account_id FROM numbers WHERE id = ?", row["number_id"])
    if row is None or owner is None or owner["account_id"] != number["account_id"]:
        raise missing_object(file["id"])
    limit = media.LIMITS.get(media.bare_type(row["mime_type"]))
    if kind != "document" and (limit is None or limit.kind != kind):
        raise GraphError(131053, f"Media of type {row['mime_type']} can not be sent as {kind}.")


def _check_reaction(world: World, number: Row, message_id: str) -> None:
    if not world.store.one(
        "SELECT 1 FROM messages WHERE id = ? AND number_id = ?", message_id, number["id"]
    ):
        raise GraphError(
            131009, "Parameter 'reaction.message_id' is not the id of a message of this number."
        )


def _accept(world: World, number: Row, person: Row, message: OutboundMessage, content: Json) -> str:
    message_id = ids.message_id(person["phone"] or str(person["id"]))
    at = world.clock.now()
    world.store.insert(
        "messages",
        id=message_id,
        number_id=number["id"],
        person_id=person["id"],
        direction="outbound",
        type=message.type,
        content=dumps(content),
        context_id=message.context.message_id if message.context else None,
        at=at,
        status="accepted",
        callback_data=message.biz_opaque_callback_data,
        addressed_to=message.to or message.recipient,
    )
    return message_id


def _settle(world: World, number: Row, person: Row, message_id: str, content: Json) -> None:
    """Decide how it will go on, and show it to the phone if it arrives."""
    if failure := world.trouble.next_failure("async"):
        plan_failure(
            world, message_id, failure.code, "Ordered by the trouble switch of the simulator."
        )
        return
    code = _reason_to_fail(world, number, person, content)
    if code is not None:
        plan_failure(world, message_id, code)
        return
    if "reaction" in content:
        react(world, content["reaction"], "outbound")
    plan_success(world, message_id)
    world.hub.tell("message", message_id=message_id, number_id=number["id"], person_id=person["id"])


def _reason_to_fail(world: World, number: Row, person: Row, content: Json) -> int | None:
    """What Meta finds only after it has accepted the message."""
    is_template = "template" in content
    if not person["has_whatsapp"]:
        return 131026
    is_open = windows.is_open(world, number["id"], person["id"])
    if not is_template and not is_open:
        return 131047
    if content.get("category") == "marketing" and person["refuses_marketing"]:
        return 131050
    if is_template and not is_open and _tier_is_full(world, number, person):
        return 131048
    return None


def _tier_is_full(world: World, number: Row, person: Row) -> bool:
    """Whether the portfolio wrote to as many different people today as it may, this one not among them."""
    portfolio = world.store.all("SELECT * FROM portfolios WHERE id = ?", number["portfolio_id"])[0]
    if portfolio["messaging_limit"] < 0:
        return False
    others = world.store.figure(
        "SELECT count(DISTINCT messages.person_id) FROM messages JOIN numbers ON numbers.id = "
        "messages.number_id "
        "JOIN accounts ON accounts.id = numbers.account_id WHERE accounts.portfolio_id = ? "
        "AND messages.direction = 'outbound' AND messages.type = 'template' AND messages.status <> 'failed' "
        "AND messages.at > ? AND messages.person_id <> ?",
        number["portfolio_id"],
        world.clock.now() - windows.WINDOW_SECONDS,
        person["id"],
    )
    return others >= float(portfolio["messaging_limit"])


def react(world: World, reaction: Json, direction: str) -> None:
    """Put, change or (with an empty emoji) take back one side's reaction."""
    if reaction.get("emoji"):
        world.store.run(
            "INSERT INTO reactions (message_id, direction, emoji) VALUES (?, ?, ?) "
            "ON CONFLICT (message_id, direction) DO UPDATE SET emoji = excluded.emoji",
            reaction["message_id"],
            direction,
            reaction["emoji"],
        )
    else:
        world.store.run(
            "DELETE FROM reactions WHERE message_id = ? AND direction = ?",
            reaction["message_id"],
            direction,
        )


def _answer(
    world: World, number: Row, person: Row, message: OutboundMessage, message_id: str
) -> Json:
    contact: Json = {"input": message.to or message.recipient}
    if message.to and person["phone"]:
        contact["wa_id"] = person["phone"]
    else:
        contact["user_id"] = user_id(world, person, number["portfolio_id"])
    sent: Json = {"id": message_id}
    if message.type == "template":
        sent["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}
