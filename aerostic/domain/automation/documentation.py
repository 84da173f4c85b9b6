"""The pages about nodes, written from the nodes themselves: one a kind, and one that lists them."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from aerostic.domain.automation.examples import EXAMPLES
from aerostic.domain.automation.graph import PortType
from aerostic.domain.automation.nodes import NODES
from aerostic.domain.automation.nodes.base import (
    Call,
    Change,
    Equipment,
    Group,
    Instant,
    Node,
    Port,
    Trigger,
)
from aerostic.domain.automation.templates import LONGEST_TEMPLATE, MOST_TURNS, MOST_WRITTEN

Schema = Mapping[str, Any]

COMMAND = "python3 run.py describe-nodes"
MARK = f"<!-- Written by `{COMMAND}` from the code. Change it there. -->"

_EFFECTS = {
    Trigger: "Begins a run.",
    Instant: "Computes and nothing else. After a crash it is taken again and gives the same.",
    Change: "Writes rows of this product in the transaction that records the step: exactly once.",
    Call: "Calls the outside at most once. A call that a crash interrupted is shown as unknown, and a person"
    " chooses what to do.",
    Equipment: "Equips an agent and takes no step of its own.",
}
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "array": "list",
    "object": "object",
    "null": "nothing",
}


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    made = {f"{kind.kind}.md": page(kind) for kind in NODES}
    return {"README.md": contents(), **made}


def contents() -> str:
    """The page that lists the kinds and says how values are written."""
    lines = ["# Nodes", "", MARK, "", _INTRODUCTION.strip(), ""]
    order = list(Group)
    kinds = sorted(NODES, key=lambda one: order.index(one.group))
    for group, members in groupby(kinds, key=lambda one: one.group):
        lines += [f"## {group.value}", "", "| node | what it does |", "|---|---|"]
        lines += [
            f"| [{one.title}]({one.kind}.md) `{one.kind}` | {one.summary} |" for one in members
        ]
        lines.append("")
    return "\n".join(lines)


def page(kind: type[Node]) -> str:
    """The page of one kind."""
    parts = [
        [f"# {kind.title}", "", MARK, "", f"`{kind.kind}` · {kind.group.value}", "", kind.summary],
        [_effect(kind)],
        ["## Connections", "", *_connections(kind)],
        ["## Settings", "", *_settings(kind)],
        ["## Example", "", "```json", _example(kind), "```"],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _effect(kind: type[Node]) -> str:
    said = next(sentence for one, sentence in _EFFECTS.items() if issubclass(kind, one))
    return f"{said} It needs a conversation." if kind.needs_conversation else said


def _connections(kind: type[Node]) -> Iterator[str]:
    outputs = kind.outputs_of(example_of(kind))
    if not kind.inputs and not outputs:
        yield "None."
        return
    yield "| | name | title | takes or gives |"
    yield "|---|---|---|---|"
    for side, ports in (("in", kind.inputs), ("out", outputs)):
        for port in ports:
            yield f"| {side} | `{port.name}` | {port.title} | {_flow(port)} |"


def _flow(port: Port) -> str:
    many = ", several" if port.many and port.type is not PortType.FLOW else ""
    return ("the run" if port.type is PortType.FLOW else str(port.type.value)) + many


def _settings(kind: type[Node]) -> Iterator[str]:
    schema = kind.Config.model_json_schema()
    properties = schema.get("properties", {})
    if not properties:
        yield "None."
        return
    yield from _table(schema, schema)
    for name, inner in schema.get("$defs", {}).items():
        if "properties" in inner:
            yield ""
            yield f"**{_spaced(name)}**"
            yield ""
            yield from _table(inner, schema)


def _table(owner: Schema, root: Schema) -> Iterator[str]:
    yield "| setting | title | what it takes | default | |"
    yield "|---|---|---|---|---|"
    required = set(owner.get("required", ()))
    for name, field in owner["properties"].items():
        default = "needed" if name in required else _cell(field.get("default"))
        title, about = field.get("title", _spaced(name)), field.get("description", "")
        yield f"| `{name}` | {title} | {_type(field, root)} | {default} | {_line(about)} |"


def _type(field: Schema, root: Schema) -> str:
    """The kind of value in words: its type, its choices, its limits."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        inner = root["$defs"][name]
        return _choices(inner) if "enum" in inner else _spaced(name)
    if "const" in field:
        return f"`{field['const']}`"
    if options := field.get("anyOf") or field.get("oneOf"):
        said = dict.fromkeys(_type(one, root) for one in options)
        return " or ".join(said)
    if field.get("enum"):
        return _choices(field)
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}), root)}{_limits(field)}"
    return _TYPES.get(str(field.get("type")), "any value") + _limits(field)


def _choices(field: Schema) -> str:
    return ", ".join(f"`{one}`" for one in field["enum"])


def _limits(field: Schema) -> str:
    least = field.get("minimum", field.get("minLength", field.get("minItems")))
    most = field.get("maximum", field.get("maxLength", field.get("maxItems")))
    if most is None:
        return ""
    return f", {least:,} to {most:,}" if least is not None else f", at most {most:,}"


def _cell(value: Any) -> str:
    if value is None or value == "" or value == []:
        return ""
    return "`" + _line(json.dumps(value, ensure_ascii=False)) + "`"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _spaced(name: str) -> str:
    words = "".join(f" {one}" if one.isupper() else one for one in name).replace("_", " ").strip()
    return words.capitalize()


def _example(kind: type[Node]) -> str:
    placed = {"id": "step", "kind": kind.kind, "config": dict(example_of(kind))}
    return json.dumps(placed, indent=2, ensure_ascii=False)


def example_of(kind: type[Node]) -> Mapping[str, Any]:
    """Settings that work, of those that have no sensible ones by themselves."""
    return EXAMPLES.get(kind.kind, {})


_INTRODUCTION = f"""
A workflow is made of these. A trigger begins a run; each connection leads from an output of one node to an
input of another; a run takes one step at a time.

Any text in the settings may hold values of the run, written in [Liquid](https://shopify.github.io/liquid/):

| name | what it is |
|---|---|
| `contact` | id, name, phone, email, language, country, tags, attributes |
| `conversation` | id, status, assignee, labels |
| `message` | what began or last resumed the run: id, type, text, choice_id, choice_title, answers, referral |
| `number`, `workspace` | of yours: id, phone, name; name |
| `trigger`, `now` | what began the run, and when; the present moment |
| `vars.name` | what *Set values*, questions and “keep as” have kept |
| `nodes.id.output` | what a step gave |
| `webhookPayload` | body, query, headers of the post that began the run |
| `apiResponse` | status, headers, body of the last HTTP request |
| `driveResult`, `sheetData` | what Google Drive and Google Sheets gave last |
| `item`, `index` | inside of a loop |
| `input`, `tool` | what a workflow was called with; what an agent filled in |

`{{{{ contact.name }}}}` alone in a setting keeps the type of its value; inside of a text it is written out.
What is not there is empty, and the log of the step names it.
`{{{{ now | date: "%H:%M", "Europe/Berlin" }}}}` writes a moment in a time zone; `| json` writes a value as
JSON. A template has at most {LONGEST_TEMPLATE:,} characters, its loops turn at most {MOST_TURNS:,} times, and
the texts of a step have at most {MOST_WRITTEN:,} characters.
"""
