"""A person writes to a business: one message, one webhook, in one transaction."""

from aerostic.simulator import ids
from aerostic.simulator.numbers import access_number
from aerostic.simulator.people import user_id
from aerostic.simulator.sending import react
from aerostic.simulator.statuses import look_at_chat
from aerostic.simulator.store import Json, Row, dumps
from aerostic.simulator.webhooks import about_number, announce
from aerostic.simulator.world import World


def write(
    world: World,
    number: Row,
    person: Row,
    kind: str,
    node: Json,
    *,
    context: Json | None = None,
    **extra: object,
) -> str:
    """Put the message into the chat and tell the product.

    `node` is what stands beside `type`. Returns the wamid.
    """
    message_id = ids.message_id(person["phone"] or str(person["id"]))
    at, content = world.clock.now(), {**node, **extra}
    message: Json = {
        **_from(world, number, person),
        **({"context": context} if context else {}),
        "id": message_id,
        "timestamp": str(int(at)),
        **content,
        "type": kind,
    }
    with world.store.transaction():
        world.store.insert(
            "messages",
            id=message_id,
            number_id=number["id"],
            person_id=person["id"],
            direction="inbound",
            type=kind,
            content=dumps(content),
            context_id=(context or {}).get("id"),
            at=at,
            status="sent",
        )
        _change_other(world, kind, node)
        about = None if kind == "system" else person
        announce(
            world,
            number["account_id"],
            "messages",
            about_number(world, number, about, messages=[message]),
            message_id=message_id,
        )
        # Whoever writes has the chat in front of them.
        look_at_chat(world, number["id"], person["id"])
    world.hub.tell("message", message_id=message_id, number_id=number["id"], person_id=person["id"])
    return message_id


def _from(world: World, number: Row, person: Row) -> Json:
    """Who writes, as this business may know them: without a phone number for some."""
    sender = {"from_user_id": user_id(world, person, number["portfolio_id"])}
    return sender | ({"from": person["phone"]} if person["phone"] else {})


def announce_preference(world: World, person: Row, *, refuses: bool) -> None:
    """Tell every business that the person has a chat with that marketing stops or may go on."""
    rows = world.store.all(
        "SELECT DISTINCT number_id FROM messages WHERE person_id = ?", person["id"]
    )
    for row in rows:
        number = access_number(world, row["number_id"])
        preference: Json = {
            **({"wa_id": person["phone"]} if person["phone"] else {}),
            "user_id": user_id(world, person, number["portfolio_id"]),
            "detail": f"User requested to {'stop' if refuses else 'resume'} marketing messages",
            "category": "marketing_messages",
            "value": "stop" if refuses else "resume",
            "timestamp": int(world.clock.now()),
        }
        value = about_number(world, number, person, user_preferences=[preference])
        announce(world, number["account_id"], "user_preferences", value)


def _change_other(world: World, kind: str, node: Json) -> None:
    if kind == "reaction":
        react(world, node["reaction"], "inbound")
    elif kind == "revoke":
        world.store.run(
            "UPDATE messages SET is_revoked = 1 WHERE id = ?", node["revoke"]["original_message_id"]
        )
    elif kind == "edit":
        changed = {key: value for key, value in node["edit"]["message"].items() if key != "type"}
        world.store.run(
            "UPDATE messages SET content = ?, is_edited = 1 WHERE id = ?",
            dumps(changed),
            node["edit"]["original_message_id"],
        )
