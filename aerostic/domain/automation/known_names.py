"""The names that templates may use at a step: what its triggers and the steps before it give."""

import re
from collections.abc import Iterator, Mapping, Set

from aerostic.domain.automation import fitting, rules, templates
from aerostic.domain.automation.graph import PlacedNode
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.ways import Ways

ALWAYS = frozenset({"workspace", "now", "trigger", "vars", "nodes", "error"})
TALK = frozenset({"contact", "conversation", "message", "number"})
GIVEN_BY_TRIGGER: Mapping[str, frozenset[str]] = {
    "trigger.message": TALK,
    "trigger.keyword": TALK,
    "trigger.choice": TALK,
    "trigger.flow_reply": TALK,
    "trigger.no_reply": TALK,
    "trigger.reaction": TALK | {"reaction"},
    "trigger.contact_created": frozenset({"contact", "conversation", "number"}),
    "trigger.tag_added": frozenset({"contact", "conversation", "number", "tag"}),
    "trigger.webhook": frozenset({"webhookPayload"}),
    "trigger.called": TALK | {"input"},
    "trigger.manual": TALK | {"input"},
}
GIVEN_BY_STEP: Mapping[str, frozenset[str]] = {
    "http.request": frozenset({"apiResponse"}),
    "google.drive": frozenset({"driveResult"}),
    "google.sheets": frozenset({"sheetData"}),
}
# Fields that the parts of a scope have: `contact.nmae` is a slip of the pen.
PARTS: Mapping[str, frozenset[str]] = {
    "contact": frozenset(
        {"id", "name", "phone", "email", "language", "country", "tags", "attributes"}
    ),
    "conversation": frozenset({"id", "status", "assignee", "labels"}),
    "number": frozenset({"id", "phone", "name"}),
    "workspace": frozenset({"name"}),
    "webhookPayload": frozenset({"body", "query", "headers"}),
}
TALKS = ("ask.", "contact.", "send.")  # steps that give a run somebody whom it is about
NAME_FIELDS = ("save_as",)
_FIRST = re.compile(r"[\w-]+")
Doubt = tuple[str, str]  # field, sentence


def names_at(ways: Ways, node_id: str) -> frozenset[str]:
    """The first words of the paths that have a value there, whichever trigger began the run."""
    given = [GIVEN_BY_TRIGGER.get(one.kind, frozenset()) for one in ways.triggers_of(node_id)]
    before = [ways.nodes[one] for one in ways.before[node_id]]
    made = [GIVEN_BY_STEP.get(one.kind, frozenset()) | chosen_names(one) for one in before]
    inside = [frozenset({"item", "index"})] if node_id in ways.in_loops else []
    asked = [TALK] if any(one.kind.startswith(TALKS) for one in before) else []
    tool = [frozenset({"tool", "input"})] if node_id in ways.equips else []
    return ALWAYS.union(*given, *made, *inside, *asked, *tool)


def chosen_names(node: PlacedNode) -> frozenset[str]:
    """The names under which a step keeps what it finds out, as its author chose them."""
    rows = node.config.get("values") if node.kind == "logic.set" else None
    named = (
        [row.get("name") for row in rows if isinstance(row, Mapping)]
        if isinstance(rows, list)
        else []
    )
    fields = BY_KIND[node.kind].Config.model_fields
    chosen = [node.config.get(one, fields[one].default) for one in NAME_FIELDS if one in fields]
    return frozenset(one for one in (*named, *chosen) if isinstance(one, str) and one)


def has_conversation(ways: Ways, trigger: PlacedNode, node_id: str) -> bool:
    """Whether a run that this trigger began may be about somebody when it comes to the node."""
    if "contact" in GIVEN_BY_TRIGGER.get(trigger.kind, TALK):
        return True
    return any(ways.nodes[one].kind.startswith(TALKS) for one in ways.before[node_id])


def doubts(ways: Ways, node: PlacedNode) -> Iterator[Doubt]:
    """The paths in a node's settings that will be empty, each once, with the setting where it stands."""
    names = names_at(ways, node.id)
    variables = frozenset[str]().union(
        *(chosen_names(ways.nodes[one]) for one in ways.before[node.id])
    )
    told: set[str] = set()
    for where, text in fitting.texts(node.config):
        if not templates.has_expression(text):
            continue
        for path in sorted(templates.paths_in(text) - told):
            told.add(path)
            sentence = _doubt(ways, node, names, variables, path)
            if sentence:
                yield ".".join(map(str, where)), sentence


def _doubt(ways: Ways, node: PlacedNode, names: Set[str], variables: Set[str], path: str) -> str:
    words = _FIRST.findall(path)
    if words[0] == "nodes" and len(words) > 1:
        return _doubt_of_node(ways, node, words[1], path)
    if words[0] == "vars" and len(words) > 1:
        is_set = words[1] in variables
        return "" if is_set else f"“{path}” has no value here: no step before sets “{words[1]}”."
    if words[0] not in names:
        return f"“{path}” has no value here: nothing before this step gives it."
    if words[0] in PARTS and len(words) > 1 and words[1] not in PARTS[words[0]] | {"size"}:
        known = ", ".join(sorted(PARTS[words[0]]))
        return f"“{path}” has no value: “{words[0]}” has {known}."
    return ""


def _doubt_of_node(ways: Ways, node: PlacedNode, other_id: str, path: str) -> str:
    other = ways.nodes.get(other_id)
    if other is None:
        return f"“{path}” has no value: there is no step “{other_id}”."
    if other_id not in ways.before[node.id]:
        return f"“{path}” has no value: “{rules.name_of(other)}” does not come before this step."
    return ""
