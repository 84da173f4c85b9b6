"""The people with phones."""

import secrets

import phonenumbers

from aerostic.simulator import ids
from aerostic.simulator.errors import ControlError
from aerostic.simulator.numbers import digits_of
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World


def country_of(phone: str | None) -> str:
    """ISO country of a number in digits; US where there is none."""
    if not phone:
        return "US"
    try:
        parsed = phonenumbers.parse("+" + phone)
    except phonenumbers.NumberParseException:
        return "US"
    region = phonenumbers.region_code_for_number(
        parsed
    ) or phonenumbers.region_code_for_country_code(parsed.country_code or 1)
    return region if len(region) == 2 and region.isalpha() else "US"


def create_person(
    world: World,
    name: str,
    phone: str | None = None,
    username: str | None = None,
    *,
    made_by: str = "control",
) -> Row:
    """A new person with a phone number, a username or both. Raises `ControlError` where that can not be."""
    phone = digits_of(phone) if phone else None
    if not name.strip():
        raise ControlError("A person needs a name.")
    if phone is None and not username:
        raise ControlError("A person needs a phone number or a username.")
    if phone is not None and not 7 <= len(phone) <= 15:
        raise ControlError("A phone number has 7 to 15 digits, country code first.")
    if phone and world.store.one("SELECT 1 FROM people WHERE phone = ?", phone):
        raise ControlError(f"Someone already has the number +{phone}.", 409)
    if username and world.store.one("SELECT 1 FROM people WHERE username = ?", username):
        raise ControlError(f"Someone already has the username {username}.", 409)
    person_id = world.store.insert(
        "people",
        name=name.strip(),
        phone=phone,
        username=username or None,
        country=country_of(phone),
        # The demo's people stay who they are when the simulator starts over.
        identity_seed=f"{phone or username}"
        if made_by in ("seed", "burst")
        else secrets.token_hex(8),
        made_by=made_by,
    )
    return access_person(world, person_id)


def access_person(world: World, person_id: object) -> Row:
    person = world.store.one("SELECT * FROM people WHERE id = ?", person_id)
    if person is None:
        raise ControlError(f"There is no person with the id {person_id}.", 404)
    return person


def find_by_phone(world: World, phone: str) -> Row | None:
    return world.store.one("SELECT * FROM people WHERE phone = ?", phone)


def find_by_user_id(world: World, user_id: str, portfolio_id: str) -> Row | None:
    """Who has this business-scoped id towards this portfolio, and still has it."""
    return world.store.one(
        "SELECT people.* FROM people JOIN identities ON identities.person_id = people.id "
        "WHERE identities.user_id = ? AND identities.portfolio_id = ? AND identities.is_current",
        user_id,
        portfolio_id,
    )


def user_id(world: World, person: Row, portfolio_id: str) -> str:
    """The id by which this portfolio knows the person, made on first sight."""
    known = ids.business_scoped_user_id(person["country"], person["identity_seed"], portfolio_id)
    world.store.run(
        "INSERT OR IGNORE INTO identities (user_id, person_id, portfolio_id) VALUES (?, ?, ?)",
        known,
        person["id"],
        portfolio_id,
    )
    return known


def contact_node(world: World, person: Row, portfolio_id: str) -> Json:
    """`contacts[]` of a webhook. `wa_id` is absent for someone who shows only a username."""
    profile = {"name": person["name"]}
    if person["username"]:
        profile["username"] = person["username"]
    node: Json = {"profile": profile, "user_id": user_id(world, person, portfolio_id)}
    return node | ({"wa_id": person["phone"]} if person["phone"] else {})


def change_phone(world: World, person: Row, new_phone: str) -> Row:
    """Move to a new number: every portfolio gets a new business-scoped id for them."""
    digits = digits_of(new_phone)
    if not 7 <= len(digits) <= 15:
        raise ControlError("A phone number has 7 to 15 digits, country code first.")
    if find_by_phone(world, digits):
        raise ControlError(f"Someone already has the number +{digits}.", 409)
    with world.store.transaction():
        world.store.run("UPDATE identities SET is_current = 0 WHERE person_id = ?", person["id"])
        world.store.run(
            "UPDATE people SET phone = ?, country = ?, identity_seed = ? WHERE id = ?",
            digits,
            country_of(digits),
            secrets.token_hex(8),
            person["id"],
        )
    return access_person(world, person["id"])


def on_screen(person: Row) -> Json:
    return {
        "id": person["id"],
        "name": person["name"],
        "phone": person["phone"],
        "username": person["username"],
        "is_reachable": bool(person["is_reachable"]),
        "refuses_marketing": bool(person["refuses_marketing"]),
        "has_whatsapp": bool(person["has_whatsapp"]),
    }
