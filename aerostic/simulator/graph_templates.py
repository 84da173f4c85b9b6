"""`/{account}/message_templates` and `/{template}`."""

import json
import sqlite3
from typing import Any

from aerostic.simulator import ids, template_rules, templates
from aerostic.simulator.calls import Call
from aerostic.simulator.errors import GraphError
from aerostic.simulator.paging import page
from aerostic.simulator.store import Json, Row, dumps
from aerostic.simulator.template_rules import refused
from aerostic.simulator.world import World

_MOST_TEMPLATES = 6000
_MOST_EDITS = 10
_DAY_SECONDS = 24 * 3600
_EDITS_COUNT_SECONDS = 30 * _DAY_SECONDS
_NAME_RESTS_SECONDS = 30 * _DAY_SECONDS
_EMPTY = frozenset(
    {
        "correct_category",
        "cta_url_link_tracking_opted_out",
        "degrees_of_freedom_spec",
        "library_template_name",
        "message_send_ttl_seconds",
        "previous_category",
        "sub_category",
    }
)
_FILTERS = ("status", "category", "language", "name")


async def list_templates(call: Call) -> Json:
    """A page of the wanted templates; with `?summary=` also how many there are."""
    rows = call.world.store.all(
        "SELECT * FROM templates WHERE account_id = ? ORDER BY at DESC, id", call.object_id
    )
    asked = {name: call.request.query_params.get(name) for name in _FILTERS}
    wanted = [row for row in rows if all(_fits(row, name, value) for name, value in asked.items())]
    shown = page(call, [_chosen(call, row) for row in wanted])
    if "summary" in call.request.query_params:
        shown["summary"] = {
            "total_count": len(wanted),
            "message_template_count": len(rows),
            "message_template_limit": _MOST_TEMPLATES,
            "are_translations_complete": True,
        }
    return shown


def _chosen(call: Call, row: Row) -> Json:
    everything = templates.as_json(row)
    return call.chosen(everything, tuple(everything), empty=_EMPTY)


def _fits(row: Row, name: str, value: str | None) -> bool:
    if value is None:
        return True
    if name == "name":
        return value in str(row["name"])
    return value.strip('[]"').lower() == str(row[name]).lower()


async def create_template(call: Call) -> Json:
    """A template that waits for review."""
    wanted = _definition(call.world, call.body)
    _check_name_is_free(call, wanted)
    row = store_template(call.world, call.object_id, wanted, status="PENDING")
    return {"id": row["id"], "status": row["status"], "category": row["category"]}


def _definition(world: World, body: Any) -> Json:
    if not isinstance(body, dict):
        raise GraphError(100, "The request body must be a JSON object.")
    template_rules.check_definition(world, body)
    return body


def _check_name_is_free(call: Call, wanted: Json) -> None:
    """The name of an approved template that was deleted rests for 30 days."""
    if call.world.store.one(
        "SELECT 1 FROM resting_names WHERE account_id = ? AND name = ? AND until > ?",
        call.object_id,
        wanted["name"],
        call.world.clock.now(),
    ):
        raise refused(
            "New content can't be added while the existing content is being deleted. Try again in "
            "4 weeks or use another name.",
            2388023,
        )


def store_template(world: World, account_id: str, wanted: Json, *, status: str) -> Row:
    """Keep a checked definition. Raises 100/2388024 where the name already has this language."""
    if (
        world.store.figure("SELECT count(*) FROM templates WHERE account_id = ?", account_id)
        >= _MOST_TEMPLATES
    ):
        raise GraphError(2388019)
    template_id = ids.digits(15)
    try:
        world.store.insert(
            "templates",
            id=template_id,
            account_id=account_id,
            name=wanted["name"],
            language=wanted["language"],
            category=wanted["category"].upper(),
            status=status,
            parameter_format=str(wanted.get("parameter_format", "POSITIONAL")).upper(),
            components=dumps(wanted["components"]),
            ttl_seconds=wanted.get("message_send_ttl_seconds"),
            at=world.clock.now(),
        )
    except sqlite3.IntegrityError:
        sentence = f"There is already {wanted['language']} content for this template."
        raise GraphError(
            100,
            sentence,
            subcode=2388024,
            user_title="Content in This Language Already Exists",
            user_message=sentence,
        ) from None
    return world.store.all("SELECT * FROM templates WHERE id = ?", template_id)[0]


async def delete_templates(call: Call) -> Json:
    """By name (all languages) or by `hsm_id` and name (one)."""
    name, template_id = call.needed("name"), call.value("hsm_id")
    rows = call.world.store.all(
        "SELECT * FROM templates WHERE account_id = ? AND name = ? AND (? IS NULL OR id = ?)",
        call.object_id,
        name,
        template_id,
        template_id,
    )
    if not rows:
        raise GraphError(100, f"There is no template named {name}.", subcode=2593002)
    with call.world.store.transaction():
        for row in rows:
            call.world.store.run("DELETE FROM templates WHERE id = ?", row["id"])
        if not template_id and any(row["status"] == "APPROVED" for row in rows):
            until = call.world.clock.now() + _NAME_RESTS_SECONDS
            resting = {"account_id": call.object_id, "name": name, "until": until}
            call.world.store.insert("resting_names", **resting)
    return {"success": True}


async def show_template(call: Call) -> Json:
    return _chosen(call, call.row())


async def edit_template(call: Call) -> Json:
    """New components or category; goes back to review."""
    row = call.row()
    if row["status"] not in ("APPROVED", "REJECTED", "PAUSED"):
        raise GraphError(
            100, f"A template that is {row['status']} can not be edited.", subcode=2593085
        )
    shown = templates.as_json(row)
    changes = {name: call.value(name) for name in ("components", "category") if call.value(name)}
    ttl = call.value("message_send_ttl_seconds")
    changed = _definition(
        call.world, shown | changes | ({"message_send_ttl_seconds": ttl} if ttl else {})
    )
    edits = _edits_after(call, row, changed)
    call.world.store.run(
        "UPDATE templates SET components = ?, category = ?, ttl_seconds = ?, status = 'PENDING', edits = ? "
        "WHERE id = ?",
        dumps(changed["components"]),
        changed["category"].upper(),
        changed.get("message_send_ttl_seconds"),
        dumps(edits),
        row["id"],
    )
    return {
        "success": True,
        "id": row["id"],
        "name": row["name"],
        "category": changed["category"].upper(),
    }


def _edits_after(call: Call, row: Row, changed: Json) -> list[float]:
    """When it was edited while approved: once a day, ten times in 30 days, never its category."""
    edits: list[float] = json.loads(row["edits"])
    if row["status"] != "APPROVED":
        return edits
    if changed["category"].upper() != row["category"]:
        raise refused("You can't edit the category of an approved template.", 2593085)
    now = call.world.clock.now()
    recent = [at for at in edits if at > now - _EDITS_COUNT_SECONDS]
    if len(recent) >= _MOST_EDITS or any(at > now - _DAY_SECONDS for at in recent):
        raise refused("You can edit an approved template once in 24 hours.", 2593085)
    return [*recent, now]


async def unpause_template(call: Call) -> Json:
    row = call.row()
    if row["status"] != "PAUSED":
        return {"success": False, "reason": "The template is not paused."}
    call.world.store.run("UPDATE templates SET status = 'APPROVED' WHERE id = ?", row["id"])
    return {"success": True}


async def upsert_templates(call: Call) -> Json:
    """Authentication templates in several languages at once."""
    wanted = call.body if isinstance(call.body, dict) else {}
    if str(wanted.get("category", "")).upper() != "AUTHENTICATION":
        raise GraphError(100, "Only authentication templates can be upserted.")
    made: list[Json] = []
    languages = wanted.get("languages") or []
    if not isinstance(languages, list) or not all(isinstance(each, str) for each in languages):
        raise GraphError(100, "Param languages must be a list of strings.")
    if not isinstance(wanted.get("name"), str):
        raise GraphError(100, title="The parameter name is required.")
    for language in languages:
        call.world.store.run(
            "DELETE FROM templates WHERE account_id = ? AND name = ? AND language = ?",
            call.object_id,
            wanted.get("name"),
            language,
        )
        row = store_template(
            call.world,
            call.object_id,
            _definition(call.world, {**wanted, "language": language}),
            status="APPROVED",
        )
        made.append({"id": row["id"], "status": row["status"], "language": language})
    return {"data": made}
