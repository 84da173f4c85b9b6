"""What keeps a workflow from being published, and what its author should know before it runs.

An error is what would certainly go wrong in a run. What may be meant so is a warning. A step that no run
comes by can do no harm, so it is never an error.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

from aerostic.domain.automation import fitting, known_names, rules, templates
from aerostic.domain.automation.graph import Graph, PlacedNode, PortType
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.base import Trigger
from aerostic.domain.automation.schemas import Finding, Severity
from aerostic.domain.automation.ways import LOOP, Ways, has_exit, rounds, ways_of

ERROR, WARNING = Severity.ERROR, Severity.WARNING
MOST_DOUBTS = 20  # of one step
SCHEDULE = "trigger.schedule"
DECIDES = frozenset({"logic.condition", "logic.switch", "logic.split"})
RESPOND = "webhook.respond"
ANSWERS_POSTS = "trigger.webhook"
BEGUN_BY_HAND = frozenset({"trigger.manual", "trigger.called"})  # with whatever their caller gives


def look(graph: Graph) -> list[Finding]:
    """Everything that is to be said of a graph: errors first, then in the order of its nodes."""
    wrong = list(_impossible(graph))
    if wrong:
        return wrong
    ways = ways_of(graph)
    found = [one for rule in RULES for one in rule(graph, ways)]
    order = {node.id: place for place, node in enumerate(graph.nodes)}
    return sorted(found, key=lambda one: (one.severity is not ERROR, order.get(one.node_id, -1)))


def _impossible(graph: Graph) -> Iterator[Finding]:
    try:
        rules.check(graph)
    except rules.Impossible as impossible:
        at = next((one.source for one in graph.edges if one.id == impossible.edge_id), "")
        yield Finding(ERROR, impossible.message, at)


def _nothing_begins(_: Graph, ways: Ways) -> Iterator[Finding]:
    if not ways.triggers:
        yield Finding(ERROR, "Nothing begins this workflow. Add a trigger.")


def _never_reached(_: Graph, ways: Ways) -> Iterator[Finding]:
    for node_id, node in ways.nodes.items():
        if node_id in ways.reached or not ways.triggers:
            continue
        if node_id in ways.equips or not _is_step(node):
            yield Finding(WARNING, f"“{_name(node)}” is not connected to an agent.", node_id)
        else:
            yield Finding(WARNING, f"Nothing leads to “{_name(node)}”, so it never runs.", node_id)


def _settings(_: Graph, ways: Ways) -> Iterator[Finding]:
    for node_id, node in ways.nodes.items():
        severity = ERROR if node_id in ways.reached else WARNING
        for misfit in fitting.misfits(BY_KIND[node.kind], node.config):
            sentence = f"{_name(node)}: {misfit.sentence}"
            yield Finding(severity, sentence, node_id, misfit.field)


def _triggers(_: Graph, ways: Ways) -> Iterator[Finding]:
    """What begins a run is asked before there is one: its settings are taken as they stand."""
    for node_id in ways.triggers:
        node = ways.nodes[node_id]
        for path, text in fitting.texts(node.config):
            if templates.has_expression(text):
                title = fitting.title_of(BY_KIND[node.kind], path)
                sentence = (
                    f"{_name(node)}: “{title}” can hold no expression, for there is no run yet."
                )
                yield Finding(ERROR, sentence, node_id, ".".join(map(str, path)))
        if node.kind == SCHEDULE and not _comes_ever(node):
            sentence = f"{_name(node)}: “{node.config.get('cron')}” never comes."
            yield Finding(ERROR, sentence, node_id, "cron")


def _comes_ever(node: PlacedNode) -> bool:
    cron = node.config.get("cron")
    try:
        return not isinstance(cron, str) or croniter(cron).get_next() > 0
    except CroniterBadDateError:
        return False
    except CroniterError:
        return True  # its form says what is wrong with it


def _unknown_names(_: Graph, ways: Ways) -> Iterator[Finding]:
    for node_id, node in ways.nodes.items():
        if node_id in ways.reached:
            for field, sentence in islice(known_names.doubts(ways, node), MOST_DOUBTS):
                yield Finding(WARNING, f"{_name(node)}: {sentence}", node_id, field)


def _leads_nowhere(_: Graph, ways: Ways) -> Iterator[Finding]:
    for node_id in ways.triggers:
        if not ways.leads[node_id]:
            name = _name(ways.nodes[node_id])
            yield Finding(WARNING, f"“{name}” leads nowhere: nothing happens after it.", node_id)
    for node_id, node in ways.nodes.items():
        if node_id not in ways.reached or node_id in ways.triggers or node_id in ways.equips:
            continue
        if node.kind == LOOP and "each" not in ways.leads[node_id]:
            yield Finding(
                WARNING, f"“{_name(node)}” does nothing with its items: connect “each”.", node_id
            )
        elif node.kind in DECIDES and not ways.leads[node_id]:
            yield Finding(
                WARNING, f"“{_name(node)}” decides, but none of its outputs leads on.", node_id
            )


def _round_for_ever(_: Graph, ways: Ways) -> Iterator[Finding]:
    for steps in rounds(ways):
        if not steps <= ways.reached:
            continue
        names = ", ".join(f"“{_name(ways.nodes[one])}”" for one in ways.nodes if one in steps)
        first = next(one for one in ways.nodes if one in steps)
        if has_exit(ways, steps):
            continue
        if any(_rests(ways.nodes[one]) for one in steps):
            sentence = (
                f"{names} go round for ever, waiting in between. A run ends after 1,000 steps."
            )
            yield Finding(WARNING, sentence, first)
        else:
            sentence = (
                f"{names} lead to each other and nowhere else. Add a way out, such as a condition."
            )
            yield Finding(ERROR, sentence, first)


def _without_conversation(_: Graph, ways: Ways) -> Iterator[Finding]:
    for node_id, node in ways.nodes.items():
        kind = BY_KIND[node.kind]
        if node_id not in ways.reached or not kind.asks_for_conversation(node.config):
            continue
        for trigger in ways.triggers_of(node_id):
            if not known_names.has_conversation(ways, trigger, node_id):
                sentence = f"“{_name(node)}” needs a conversation, and “{_name(trigger)}” begins without one."
                yield Finding(WARNING, sentence, node_id)


def _two_of_one_address(_: Graph, ways: Ways) -> Iterator[Finding]:
    posts = [one for one in ways.triggers if ways.nodes[one].kind == ANSWERS_POSTS]
    for node_id in posts[1:]:
        sentence = "A workflow has one address: only its first webhook trigger hears it."
        yield Finding(WARNING, sentence, node_id)


def _answers_nobody(_: Graph, ways: Ways) -> Iterator[Finding]:
    for node_id, node in ways.nodes.items():
        if node.kind != RESPOND or node_id not in ways.reached:
            continue
        begins = {one.kind for one in ways.triggers_of(node_id)}
        if not begins & {ANSWERS_POSTS, *BEGUN_BY_HAND}:
            sentence = f"“{_name(node)}” answers a webhook, and no webhook begins this run."
            yield Finding(WARNING, sentence, node_id)


Rule = Callable[[Graph, Ways], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    _nothing_begins,
    _settings,
    _triggers,
    _round_for_ever,
    _never_reached,
    _leads_nowhere,
    _without_conversation,
    _unknown_names,
    _two_of_one_address,
    _answers_nobody,
)


def _name(node: PlacedNode) -> str:
    return rules.name_of(node)


def _is_step(node: PlacedNode) -> bool:
    """Whether runs come by: it has an input for them, or begins them."""
    kind = BY_KIND[node.kind]
    takes_runs = any(port.type is PortType.FLOW for port in kind.inputs)
    return takes_runs or issubclass(kind, Trigger)


def _rests(node: PlacedNode) -> bool:
    """Whether a run waits there for a time or an answer."""
    return node.kind == "logic.wait" or node.kind.startswith("ask.")
