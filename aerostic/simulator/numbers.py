"""Business numbers and the accounts and portfolios that own them, as rows."""

from aerostic.simulator.errors import ControlError
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World


def find_number(world: World, number_id: str) -> Row | None:
    return world.store.one(
        "SELECT numbers.*, accounts.portfolio_id, accounts.subscribed FROM numbers "
        "JOIN accounts ON accounts.id = numbers.account_id WHERE numbers.id = ?",
        number_id,
    )


def access_number(world: World, number_id: object) -> Row:
    """The number, or a sentence for the control door."""
    number = find_number(world, str(number_id or ""))
    if number is None:
        raise ControlError(f"There is no business number with the id {number_id}.", 404)
    return number


def digits_of(display: str) -> str:
    return "".join(each for each in display if each.isdigit())


def metadata(number: Row) -> Json:
    return {"display_phone_number": digits_of(number["display"]), "phone_number_id": number["id"]}


def on_screen(number: Row) -> Json:
    return {
        "id": number["id"],
        "name": number["verified_name"],
        "display": number["display"],
        "account_id": number["account_id"],
        "status": number["status"],
        "throughput": number["throughput"],
    }
