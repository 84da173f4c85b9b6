"""Meta's reviewers: what they decide about a template, and the webhook that says so."""

from aerostic.simulator.errors import ControlError
from aerostic.simulator.store import Json, Row
from aerostic.simulator.template_rules import CATEGORIES
from aerostic.simulator.templates import as_json
from aerostic.simulator.webhooks import announce
from aerostic.simulator.world import World

#: What the control door calls a decision → the status it leads to and the event of the webhook.
DECISIONS = {
    "approve": ("APPROVED", "APPROVED"),
    "reject": ("REJECTED", "REJECTED"),
    "pause": ("PAUSED", "PAUSED"),
    "reinstate": ("APPROVED", "REINSTATED"),
    "disable": ("DISABLED", "DISABLED"),
    "flag": ("APPROVED", "FLAGGED"),
    "appeal": ("IN_APPEAL", "IN_APPEAL"),
}
QUALITIES = ("GREEN", "YELLOW", "RED", "UNKNOWN")


def access_template(world: World, template_id: str) -> Row:
    row = world.store.one("SELECT * FROM templates WHERE id = ?", template_id)
    if row is None:
        raise ControlError(f"There is no template with the id {template_id}.", 404)
    return row


def decide(world: World, template_id: str, decision: str, reason: str = "") -> Json:
    """Approve, reject, pause …; the product hears of it by `message_template_status_update`."""
    row = access_template(world, template_id)
    if decision not in DECISIONS:
        raise ControlError(
            f"There is no decision {decision!r}. There are: {', '.join(DECISIONS)}.", 404
        )
    status, event = DECISIONS[decision]
    reason = reason or ("INVALID_FORMAT" if decision == "reject" else "NONE")
    with world.store.transaction():
        world.store.run(
            "UPDATE templates SET status = ?, rejected_reason = ? WHERE id = ?",
            status,
            reason if status == "REJECTED" else "NONE",
            template_id,
        )
        value = _named(row) | {
            "event": event,
            "reason": reason,
            "message_template_category": row["category"],
        }
        announce(
            world,
            row["account_id"],
            "message_template_status_update",
            value | _details(event, reason),
        )
    return as_json(access_template(world, template_id))


def _details(event: str, reason: str) -> Json:
    if event == "PAUSED":
        return {
            "other_info": {
                "title": "FIRST_PAUSE",
                "description": "Paused for 3 hours because of low quality.",
            }
        }
    if event == "REJECTED":
        return {
            "rejection_info": {
                "reason": reason,
                "recommendation": "Change the content and submit it again.",
            }
        }
    return {}


def _named(row: Row) -> Json:
    """Template ids are numbers in webhooks, strings elsewhere."""
    return {
        "message_template_id": int(row["id"]),
        "message_template_name": row["name"],
        "message_template_language": row["language"],
    }


def rate(world: World, template_id: str, quality: str) -> Json:
    row = access_template(world, template_id)
    if quality not in QUALITIES:
        raise ControlError(f"A quality is one of {', '.join(QUALITIES)}.")
    value = _named(row) | {"previous_quality_score": row["quality"], "new_quality_score": quality}
    with world.store.transaction():
        world.store.run("UPDATE templates SET quality = ? WHERE id = ?", quality, template_id)
        announce(world, row["account_id"], "message_template_quality_update", value)
    return as_json(access_template(world, template_id))


def recategorise(world: World, template_id: str, category: str) -> Json:
    row = access_template(world, template_id)
    if category not in CATEGORIES:
        raise ControlError(f"A category is one of {', '.join(CATEGORIES)}.")
    value = _named(row) | {"previous_category": row["category"], "new_category": category}
    with world.store.transaction():
        world.store.run("UPDATE templates SET category = ? WHERE id = ?", category, template_id)
        announce(world, row["account_id"], "template_category_update", value)
    return as_json(access_template(world, template_id))
