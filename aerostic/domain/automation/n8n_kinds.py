"""What a node of n8n becomes here: its kind, its settings, which of its outputs is which of ours.

Written for the versions that n8n 1.x exports: the newest shape of each node's parameters, and the one before.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aerostic.domain.automation.n8n_expressions import Expressions

Settings = Mapping[str, Any]


class NoEqual(Exception):
    """This node, set as it is, can not be had here. The sentence says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """A node as n8n exports it, with what reads its expressions."""

    name: str
    type: str
    version: float
    parameters: Settings
    expressions: Expressions
    input_path: str  # of what the node before gives: what n8n calls its items

    def text(self, *names: str) -> str:
        return self.expressions.text(self.at(*names))

    def read(self, *names: str) -> Any:
        return self.expressions.read(self.at(*names))

    def at(self, *names: str) -> Any:
        """A parameter inside of others; None where there is none."""
        found: Any = self.parameters
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def rows(self, *names: str) -> list[Mapping[str, Any]]:
        found = self.at(*names)
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


@dataclass(frozen=True, slots=True)
class Made:
    """What it becomes. `outputs` are our ports in the order of n8n's; `remarks` are for its author."""

    kind: str
    config: dict[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ("out",)
    remarks: tuple[str, ...] = ()


def make(source: Source) -> Made:
    """Raises NoEqual."""
    maker = MAKERS.get(source.type)
    if maker is None:
        raise NoEqual("There is no such step here.")
    return maker(source)


def _webhook(source: Source) -> Made:
    remarks = []
    if source.at("authentication") not in (None, "none"):
        remarks.append("choose its secret again: n8n keeps them apart from the file.")
    if source.at("httpMethod") not in (None, "POST"):
        remarks.append("its address takes POST here.")
    return Made("trigger.webhook", remarks=tuple(remarks))


def _plain(kind: str) -> Callable[[Source], Made]:
    return lambda _: Made(kind)


_UNITS = {"minutes": 1, "hours": 60, "days": 1440}


def _schedule(source: Source) -> Made:
    rows = source.rows("rule", "interval") or source.rows("triggerTimes", "item")
    if len(rows) != 1:
        raise NoEqual("It has several times: make a schedule of each.")
    return Made("trigger.schedule", {"cron": _cron(rows[0])})


def _cron(row: Mapping[str, Any]) -> str:
    if expression := row.get("expression") or row.get("cronExpression"):
        parts = str(expression).split()
        return " ".join(parts[-5:])  # n8n may put seconds first
    minute, hour = (
        _whole(row.get("triggerAtMinute", row.get("minute")), 0),
        _whole(row.get("triggerAtHour", row.get("hour")), 0),
    )
    unit = str(row.get("field") or row.get("mode") or "days")
    if unit in {"minutes", "everyMinute"}:
        return f"*/{_whole(row.get('minutesInterval'), 5)} * * * *"
    if unit in {"hours", "everyHour"}:
        return f"{minute} */{_whole(row.get('hoursInterval'), 1)} * * *"
    if unit in {"weeks", "everyWeek"}:
        days = row.get("triggerAtDay")
        chosen = ",".join(str(_whole(day, 1)) for day in days) if isinstance(days, list) else "1"
        return f"{minute} {hour} * * {chosen or '1'}"
    if unit in {"months", "everyMonth"}:
        return f"{minute} {hour} {_whole(row.get('triggerAtDayOfMonth'), 1)} * *"
    if unit in {"days", "everyDay"}:
        return f"{minute} {hour} * * *"
    raise NoEqual(f"A schedule in {unit} can not be had here.")


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


_COMPARISONS = {
    "equal": "equals",
    "equals": "equals",
    "notEqual": "not_equals",
    "notEquals": "not_equals",
    "contains": "contains",
    "notContains": "not_contains",
    "startsWith": "begins",
    "endsWith": "ends",
    "regex": "matches",
    "larger": "greater",
    "gt": "greater",
    "after": "greater",
    "largerEqual": "at_least",
    "gte": "at_least",
    "afterOrEquals": "at_least",
    "smaller": "less",
    "lt": "less",
    "before": "less",
    "smallerEqual": "at_most",
    "lte": "at_most",
    "beforeOrEquals": "at_most",
    "empty": "empty",
    "isEmpty": "empty",
    "notExists": "empty",
    "notEmpty": "not_empty",
    "isNotEmpty": "not_empty",
    "exists": "not_empty",
    "true": "true",
    "false": "false",
}


def _comparison(name: Any) -> str:
    found = _COMPARISONS.get(str(name or "equals"))
    if found is None:
        raise NoEqual(f"It compares with “{name}”, which can not be had here.")
    return found


def _condition(source: Source, row: Mapping[str, Any]) -> dict[str, Any]:
    operator = row.get("operator")
    named = operator.get("operation") if isinstance(operator, Mapping) else row.get("operation")
    value = row.get("leftValue", row.get("value1", ""))
    to = row.get("rightValue", row.get("value2", ""))
    return {
        "value": source.expressions.read(value),
        "compare": _comparison(named),
        "to": source.expressions.read(to),
    }


def _if(source: Source) -> Made:
    rows = source.rows("conditions", "conditions")
    if not rows:
        grouped = source.at("conditions")
        groups = grouped.values() if isinstance(grouped, Mapping) else ()
        rows = [one for group in groups if isinstance(group, list) for one in group]
    any_of = source.at("conditions", "combinator") == "or" or source.at("combineOperation") == "any"
    config = {
        "combine": "any" if any_of else "all",
        "conditions": [_condition(source, one) for one in rows if isinstance(one, Mapping)],
        "match_case": bool(source.at("conditions", "options", "caseSensitive")),
    }
    return Made("logic.condition", config, ("true", "false"))


def _switch(source: Source) -> Made:
    rows = source.rows("rules", "values") or source.rows("rules", "rules")
    asked = [_case_condition(source, row) for row in rows]
    values = [one["value"] for one in asked]
    if any(value != values[0] for value in values):
        raise NoEqual("Its cases look at different values: use conditions.")
    value = values[0] if values and values[0] != "" else source.read("value1") or ""
    cases = [
        {"id": f"case_{place}", "title": _title(row), "compare": one["compare"], "to": one["to"]}
        for place, (row, one) in enumerate(zip(rows, asked, strict=True), start=1)
    ]
    ports = tuple(str(one["id"]) for one in cases)
    return Made("logic.switch", {"value": value, "cases": cases}, (*ports, "else"))


def _case_condition(source: Source, row: Mapping[str, Any]) -> dict[str, Any]:
    nested = row.get("conditions")
    inner = nested.get("conditions") if isinstance(nested, Mapping) else None
    if inner is None:
        return _condition(source, row)
    if not isinstance(inner, list) or len(inner) != 1 or not isinstance(inner[0], Mapping):
        raise NoEqual("One of its cases has several conditions: use conditions.")
    return _condition(source, inner[0])


def _title(row: Mapping[str, Any]) -> str:
    return str(row.get("outputKey") or "")[:60]


def variable_name(name: str) -> str:
    """A name that templates can say: `first name` as `first_name`."""
    made = re.sub(r"\W", "_", name.strip(), flags=re.ASCII)[:60]
    return made if re.match(r"[A-Za-z_]", made) else f"v_{made}"[:60]


def _set(source: Source) -> Made:
    rows = source.rows("assignments", "assignments") or source.rows("fields", "values")
    if not rows:
        groups = source.at("values")
        lists = groups.values() if isinstance(groups, Mapping) else ()
        rows = [one for group in lists if isinstance(group, list) for one in group]
    if not rows:
        raise NoEqual("It is written as JSON or as a script: set its values by name.")
    values = [
        {"name": variable_name(str(row.get("name", ""))), "value": _value(source, row)}
        for row in rows
        if isinstance(row, Mapping)
    ]
    return Made("logic.set", {"values": values})


def _value(source: Source, row: Mapping[str, Any]) -> Any:
    named = ("value", "stringValue", "numberValue", "booleanValue", "arrayValue", "objectValue")
    found = next((row[one] for one in named if one in row), "")
    return source.expressions.read(found)


def _loop(source: Source) -> Made:
    remarks = ["check its list of items: n8n goes through whatever the step before gives."]
    ports = ("done", "each") if source.version >= 3 else ("each", "done")
    items = f"{{{{ {source.input_path} }}}}" if source.input_path else ""
    return Made("logic.loop", {"items": items}, ports, tuple(remarks))


def _wait(source: Source) -> Made:
    way = source.at("resume") or "timeInterval"
    if way == "timeInterval":
        amount, unit = source.at("amount"), str(source.at("unit") or "hours")
        config = {"until": "duration", "amount": 1 if amount is None else amount, "unit": unit}
        return Made("logic.wait", config)
    if way == "specificTime":
        return Made("logic.wait", {"until": "moment", "moment": source.text("dateTime")})
    raise NoEqual("It waits for another program to call back.")


def _stop(source: Source) -> Made:
    return Made("logic.stop", {"as_failure": True, "reason": source.text("errorMessage")[:500]}, ())


def _sub_workflow(source: Source) -> Made:
    chosen = source.at("workflowId")
    named = chosen.get("cachedResultName") if isinstance(chosen, Mapping) else ""
    remark = f"choose the workflow that it runs{f' (there “{named}”)' if named else ''}."
    return Made("logic.subworkflow", {"workflow": f"@workflow/{named or ''}"}, remarks=(remark,))


def _pairs(source: Source, *names: str) -> list[dict[str, str]]:
    return [
        {"name": str(row.get("name", "")), "value": source.expressions.text(row.get("value"))}
        for row in source.rows(*names)
    ]


def _respond(source: Source) -> Made:
    way = source.at("respondWith") or "firstIncomingItem"
    config: dict[str, Any] = {"status": _whole(source.at("options", "responseCode"), 200)}
    if headers := _pairs(source, "options", "responseHeaders", "entries"):
        config["headers"] = headers
    if way == "noData":
        return Made("webhook.respond", config | {"body_type": "none"})
    if way == "text":
        return Made(
            "webhook.respond", config | {"body_type": "text", "body": source.text("responseBody")}
        )
    if way == "json":
        body = _parsed(source.read("responseBody"))
        return Made("webhook.respond", config | {"body_type": "json", "body": body})
    if way in {"firstIncomingItem", "allIncomingItems"}:
        body = f"{{{{ {source.input_path} }}}}" if source.input_path else ""
        return Made("webhook.respond", config | {"body_type": "json", "body": body})
    raise NoEqual(f"It responds with “{way}”, which can not be had here.")


def _http(source: Source) -> Made:
    method = str(source.at("method") or source.at("requestMethod") or "GET").upper()
    config: dict[str, Any] = {"method": method, "url": source.text("url")}
    for ours, names in _PAIRS.items():
        if pairs := next((found for one in names if (found := _pairs(source, *one))), None):
            config[ours] = pairs
    remarks = []
    if source.at("authentication") not in (None, "none"):
        remarks.append("choose the secret to sign in with: n8n keeps them apart from the file.")
    body = _http_body(source)
    if body.get("body_type") == "text" and source.at("specifyBody") == "json":
        named = {"name": "Content-Type", "value": "application/json"}
        config["headers"] = [*config.get("headers", []), named]
    return Made("http.request", config | body, ("out",), tuple(remarks))


_PAIRS = {
    "query": (("queryParameters", "parameters"), ("queryParametersUi", "parameter")),
    "headers": (("headerParameters", "parameters"), ("headerParametersUi", "parameter")),
}


def _http_body(source: Source) -> dict[str, Any]:
    if source.at("sendBody") is False:
        return {}
    if given := source.at("jsonBody") or source.at("bodyParametersJson"):
        return _json_body(source.expressions.read(given))
    rows = _pairs(source, "bodyParameters", "parameters") or _pairs(
        source, "bodyParametersUi", "parameter"
    )
    if source.at("contentType") in {"form-urlencoded", "multipart-form-data"}:
        return {"body_type": "form", "form": rows}
    if text := source.text("body"):
        return {"body_type": "text", "text": text}
    return (
        {"body_type": "json", "json_body": {one["name"]: one["value"] for one in rows}}
        if rows
        else {}
    )


def _json_body(given: Any) -> dict[str, Any]:
    """As an object, so that values are placed safely inside of it; as text where it is none by itself."""
    body = _parsed(given)
    if isinstance(body, str) and not body.startswith("{{"):
        return {"body_type": "text", "text": body}
    return {"body_type": "json", "json_body": body}


def _parsed(given: Any) -> Any:
    """What a text of JSON says; the text itself where an expression stands outside of its quotes."""
    try:
        return json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        return given.strip()


def _agent(source: Source) -> Made:
    instructions = source.text("options", "systemMessage")
    config = {"agent": f"@agent/{source.name}", "message": "{{ message.text }}"}
    if source.at("promptType") == "define" and (text := source.text("text")):
        config["message"] = text
    if instructions:
        config["instructions"] = instructions
    remark = "choose the agent that answers, or make one of this name under AI agents."
    return Made("ai.agent", config, remarks=(remark,))


_GEMINI = (
    "gemini-2.5-flash-lite",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "gemini-3.5-flash-lite",
    "gemini-3.8-flash",
)


def _gemini(source: Source) -> Made:
    named = source.text("modelName").removeprefix("models/")
    model = next((one for one in _GEMINI if named.startswith(one)), "gemini-2.5-flash")
    config: dict[str, Any] = {"model": model}
    temperature = source.at("options", "temperature")
    if isinstance(temperature, int | float) and 0 <= temperature <= 2:
        config["temperature"] = temperature
    remarks = () if named == model else (f"its model is {model} here.",)
    return Made("model.gemini", config, ("model",), remarks)


def _memory(source: Source) -> Made:
    kept = _whole(source.at("contextWindowLength"), 5) * 2  # n8n counts what both sides said as one
    return Made("ai.memory", {"messages": max(0, min(50, kept))}, ("memory",))


_SHEET_ACTIONS = {
    "append": "append",
    "appendOrUpdate": "update",
    "update": "update",
    "read": "read",
    "lookup": "look_up",
}
_CHOOSE_ACCOUNT = "choose the Google account: n8n keeps them apart from the file."


def _sheets(source: Source) -> Made:
    named = str(source.at("operation") or "read")
    action = _SHEET_ACTIONS.get(named)
    if action is None:
        raise NoEqual(f"It does “{named}” with a sheet, which can not be had here.")
    columns = source.at("columns", "value")
    written = columns if isinstance(columns, Mapping) else {}
    filters = source.rows("filtersUI", "values")
    config: dict[str, Any] = {
        "action": "look_up" if action == "read" and filters else action,
        "spreadsheet": _chosen(source, "documentId") or source.text("sheetId"),
        "sheet": _named(source, "sheetName"),
    }
    if written:
        config["values"] = [
            {"name": str(name), "value": source.expressions.text(value)}
            for name, value in written.items()
        ]
    matching = source.at("columns", "matchingColumns")
    if filters:
        config["column"] = source.expressions.text(filters[0].get("lookupColumn"))
        config["equals"] = source.expressions.text(filters[0].get("lookupValue"))
    elif action == "update" and isinstance(matching, list) and matching:
        config["column"] = str(matching[0])
        config["equals"] = source.expressions.text(written.get(matching[0]))
    if named == "appendOrUpdate":
        config["add_if_missing"] = True
    return Made("google.sheets", config, remarks=(_CHOOSE_ACCOUNT,))


_DRIVE_ACTIONS = {
    "upload": "upload",
    "download": "read",
    "share": "share",
    "search": "list",
    "list": "list",
}


def _drive(source: Source) -> Made:
    named = str(source.at("operation") or "upload")
    action = _DRIVE_ACTIONS.get(named)
    if action is None:
        raise NoEqual(f"It does “{named}” with a file, which can not be had here.")
    config: dict[str, Any] = {"action": action}
    if file := _chosen(source, "fileId"):
        config["file"] = file
    if action == "upload":
        config |= {"name": source.text("name") or "file", "folder": _chosen(source, "folderId")}
    if action == "list" and (search := source.text("queryString")):
        config["search"] = search[:200]
    return Made("google.drive", config, remarks=(_CHOOSE_ACCOUNT,))


def _chosen(source: Source, name: str) -> str:
    """n8n keeps what is chosen from a list as an object with its value."""
    given = source.at(name)
    found = given.get("value") if isinstance(given, Mapping) else given
    return source.expressions.text(found)


def _named(source: Source, name: str) -> str:
    given = source.at(name)
    if isinstance(given, Mapping) and given.get("cachedResultName"):
        return str(given["cachedResultName"])[:100]
    found = _chosen(source, name)
    return "" if found.startswith("gid=") or found.isdigit() else found[:100]


Maker = Callable[[Source], Made]
BASE, CHAIN = "n8n-nodes-base.", "@n8n/n8n-nodes-langchain."
MAKERS: dict[str, Maker] = {
    f"{BASE}webhook": _webhook,
    f"{BASE}manualTrigger": _plain("trigger.manual"),
    f"{BASE}start": _plain("trigger.manual"),
    f"{BASE}executeWorkflowTrigger": _plain("trigger.called"),
    f"{BASE}whatsAppTrigger": _plain("trigger.message"),
    f"{CHAIN}chatTrigger": _plain("trigger.message"),
    f"{CHAIN}manualChatTrigger": _plain("trigger.message"),
    f"{BASE}scheduleTrigger": _schedule,
    f"{BASE}cron": _schedule,
    f"{BASE}if": _if,
    f"{BASE}switch": _switch,
    f"{BASE}set": _set,
    f"{BASE}splitInBatches": _loop,
    f"{BASE}wait": _wait,
    f"{BASE}stopAndError": _stop,
    f"{BASE}executeWorkflow": _sub_workflow,
    f"{BASE}respondToWebhook": _respond,
    f"{BASE}httpRequest": _http,
    f"{BASE}httpRequestTool": _http,
    f"{BASE}googleSheets": _sheets,
    f"{BASE}googleSheetsTool": _sheets,
    f"{BASE}googleDrive": _drive,
    f"{BASE}googleDriveTool": _drive,
    f"{CHAIN}agent": _agent,
    f"{CHAIN}lmChatGoogleGemini": _gemini,
    f"{CHAIN}memoryBufferWindow": _memory,
}
