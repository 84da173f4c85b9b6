"""What people do with runs: try a draft, begin one, cancel, go on from a step, replay, decide a doubt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import col, select

from aerostic.core.errors import Invalid, Refused, TooLarge
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.automation import engine, recorded, samples, scope, waits
from aerostic.domain.automation.access import access_version, access_workflow
from aerostic.domain.automation.engine import the_execution
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.looking import (
    ExecutionDetail,
    ExecutionFilter,
    ExecutionRow,
    Figures,
    execution,
    executions,
    figures,
    graph_of,
    last_scope,
    scope_of,
    steps,
    trigger_kinds,
)
from aerostic.domain.automation.models import (
    LIVING,
    Execution,
    ExecutionMode,
    ExecutionStatus,
)
from aerostic.domain.automation.plans import plan_of
from aerostic.domain.automation.recorded import Record
from aerostic.domain.automation.values import as_json
from aerostic.domain.automation.walking import DONE, ITEM
from aerostic.domain.contacts.models import Contact
from aerostic.domain.inbox.models import Conversation
from aerostic.domain.signals.models import AutomationSettings
from aerostic.domain.usage import recording
from aerostic.domain.usage.models import UsageKind

__all__ = [
    "Choice",
    "Example",
    "ExecutionDetail",
    "ExecutionFilter",
    "ExecutionRow",
    "Figures",
    "StepComparison",
    "cancel",
    "change_settings",
    "choose",
    "comparison",
    "example",
    "execution",
    "executions",
    "figures",
    "forget_old",
    "graph_of",
    "last_scope",
    "replay",
    "retry",
    "settings",
    "start",
    "steps",
    "trigger_kinds",
    "try_out",
]

MOST_GIVEN = 256 * 1024  # bytes
CANCELLED = "Someone cancelled it."


class Choice(StrEnum):
    """What shall count for a call that was interrupted."""

    RETRY = "retry"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Example:
    """What a try-out may begin with: what really came last, or something made up in its shape."""

    given: Mapping[str, Any]
    is_real: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepComparison:
    """The same step in two runs. None: that run did not take it."""

    node: str
    before: Record | None
    after: Record | None
    is_same: bool


# Beginning ----------------------------------------------------------------------------------------


@requires(Permission.AUTOMATION_RUN)
def try_out(
    ctx: Context,
    workflow_id: UUID,
    given: Mapping[str, Any],
    mode: ExecutionMode = ExecutionMode.RECORDED,
    *,
    trigger_node: str | None = None,
) -> UUID:
    """Run the draft as it is saved now, with these parts of the scope."""
    workflow = access_workflow(ctx, workflow_id)
    graph = Graph.model_validate(workflow.draft)
    node_id = engine.trigger_of(graph, trigger_node)
    return _begin(ctx, workflow_id, given, graph, node_id, mode=mode)


@requires(Permission.AUTOMATION_RUN)
def start(ctx: Context, workflow_id: UUID, given: Mapping[str, Any]) -> UUID:
    """Run the published version by hand: at its trigger for that, else at its first one."""
    workflow = access_workflow(ctx, workflow_id)
    if workflow.published_number is None or workflow.archived_at is not None:
        raise Refused("Publish this workflow first: what was drafted runs in its test panel only.")
    version = access_version(ctx, workflow_id, workflow.published_number)
    graph = Graph.model_validate(version.graph)
    by_hand = next((node.id for node in graph.nodes if node.kind == "trigger.manual"), None)
    node_id = engine.trigger_of(graph, by_hand)
    return _begin(ctx, workflow_id, given, graph, node_id, version_id=version.id,
                  version_number=version.number)  # fmt: skip


@requires(Permission.AUTOMATION_RUN)
def example(ctx: Context, workflow_id: UUID, trigger_node: str | None = None) -> Example:
    """What a try-out of the draft may begin with."""
    workflow = access_workflow(ctx, workflow_id)
    graph = Graph.model_validate(workflow.draft)
    node_id = engine.trigger_of(graph, trigger_node)
    latest = (
        select(Execution)
        .where(
            col(Execution.tenant_id) == ctx.tenant_id,
            col(Execution.workflow_id) == workflow_id,
            col(Execution.trigger_node) == node_id,
            col(Execution.mode) == ExecutionMode.LIVE,
            col(Execution.version_id).is_not(None),
        )
        .order_by(col(Execution.id).desc())
    )
    real = ctx.session.exec(latest.limit(1)).first()
    if real is not None:
        around = scope.look_around(ctx, real.conversation_id, real.contact_id, real.number_id)
        named = ("contact", "conversation")
        parts: dict[str, Any] = {name: around[name] for name in named if name in around}
        return Example({**parts, **real.state.get("given", {})}, True, real.created_at)
    node = graph.node(node_id)
    assert node is not None, "trigger_of has found it"
    return Example(samples.given(node.kind, ctx.now), False)


def _begin(
    ctx: Context,
    workflow_id: UUID,
    given: Mapping[str, Any],
    graph: Graph,
    node_id: str,
    *,
    mode: ExecutionMode = ExecutionMode.LIVE,
    version_id: UUID | None = None,
    version_number: int | None = None,
) -> UUID:
    if not isinstance(given, Mapping):
        raise Invalid("given", 'Give an object, such as {"message": {"text": "Hello"}}.')
    if len(as_json(given)) > MOST_GIVEN:
        raise TooLarge(f"A run may begin with {MOST_GIVEN // 1024} kB.")
    node = graph.node(node_id)
    kind = node.kind if node else ""
    contact, talk = _about(ctx, given)
    parts = {name: value for name, value in given.items() if name not in {"nodes", "now"}}
    trigger = {"kind": kind, "at": scope.clock(ctx.now), **_mapping(given.get("trigger"))}
    return engine.begin(
        ctx,
        workflow_id=workflow_id,
        version_id=version_id,
        version_number=version_number,
        graph=None if version_id else graph,
        trigger_node=node_id,
        trigger_kind=kind,
        given={**parts, "trigger": trigger},
        mode=mode,
        conversation_id=talk.id if talk else None,
        contact_id=talk.contact_id if talk else contact.id if contact else None,
        number_id=talk.number_id if talk else None,
    )


def _about(ctx: Context, given: Mapping[str, Any]) -> tuple[Contact | None, Conversation | None]:
    """Whom a run is about: of this workspace, or of nobody."""
    contact_id = _id(_mapping(given.get("contact")).get("id"))
    talk_id = _id(_mapping(given.get("conversation")).get("id"))
    contact = ctx.get(Contact, contact_id) if contact_id else None
    talk = ctx.get(Conversation, talk_id) if talk_id else None
    return contact, talk


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _id(text: Any) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


# Ending -------------------------------------------------------------------------------------------


@requires(Permission.AUTOMATION_RUN)
def cancel(ctx: Context, execution_id: UUID) -> None:
    """End a run now. A step that is being taken comes to its end first."""
    run = the_execution(ctx, execution_id, for_update=True)
    if run.status not in LIVING:
        raise Refused("This run is over already.")
    _cancel(ctx, run)


def _cancel(ctx: Context, run: Execution) -> None:
    child = _id((run.state.get("resting") or {}).get("child")) if run.awaits == "child" else None
    run.status, run.reason, run.ended_at = ExecutionStatus.CANCELLED, CANCELLED, ctx.now
    run.leased_by, run.wake_at, run.awaits = None, None, ""
    recording.record(ctx, UsageKind.WORKFLOW_EXECUTION, 1, ref=run.id)
    ctx.session.flush()
    waits.forget(ctx, [run.id])
    ctx.announce("execution", run.id)
    if run.parent_id is not None:
        engine.tell_parent(ctx, run.id, run.parent_id, status=run.status, reason=run.reason)
    called = ctx.get(Execution, child, for_update=True) if child else None
    if called is not None and called.status in LIVING:
        _cancel(ctx, called)


@requires(Permission.AUTOMATION_RUN)
def choose(ctx: Context, execution_id: UUID, how: Choice | str, output: Any = None) -> None:
    """Decide what shall count for a call that was interrupted, and let the run go on."""
    if how not in set(Choice):
        raise Invalid("how", f"Choose one of {', '.join(Choice)}.")
    run = the_execution(ctx, execution_id, for_update=True)
    if run.status != ExecutionStatus.UNKNOWN:
        raise Refused("There is nothing in doubt here. Someone may have decided it meanwhile.")
    calling = run.state.get("calling") or {}
    chosen = None if how == Choice.RETRY else {"chosen": {"how": str(how), "output": output}}
    run.state = {
        **run.state,
        "calling": None,
        "resting": {"number": calling.get("number", run.steps)},
        "reply": orjson.loads(as_json(chosen)),
    }
    run.status, run.reason, run.failed_node = ExecutionStatus.READY, "", ""
    ctx.session.flush()
    engine.look_at(ctx, run.id)


# Again --------------------------------------------------------------------------------------------


@requires(Permission.AUTOMATION_RUN)
def retry(ctx: Context, execution_id: UUID, number: int) -> UUID:
    """A new run that begins at a step of an old one, with what the steps before it gave."""
    run = the_execution(ctx, execution_id)
    if run.status in LIVING:
        raise Refused("This run is not over yet. Cancel it first, or let it go on.")
    taken = recorded.steps_of(ctx, execution_id)
    step = next((one for one in taken if one["number"] == number), None)
    if step is None:
        raise Refused("This run has no step of that number.")
    begun = _again(ctx, run, mode=ExecutionMode(run.mode))
    begun.state = {**begun.state, **_before(ctx, run, taken, step)}
    ctx.session.flush()
    return begun.id


def _before(ctx: Context, run: Execution, taken: list[Record], step: Record) -> dict[str, Any]:
    """What was known before that step. Where it was the one that failed, the run itself remembers."""
    if step["node"] == run.failed_node and step is taken[-1] and "known" in run.state:
        known = {**run.state["known"]}
        known.pop("error", None)
        kept = {name: run.state[name] for name in ("outputs", "frames")}
        return {"at": step["node"], "known": known, **kept}
    if _is_in_a_loop(graph_of(ctx, run.id), taken, step["number"]):
        raise Refused(
            "That step is inside of a loop. Choose one before the loop, or the step that failed."
        )
    seen = scope_of(ctx, run, before=step["number"])
    given = run.state.get("given", {})
    known = {
        name: value
        for name, value in seen.items()
        if name not in {"nodes", "now", "contact", "conversation", "number", "workspace", *given}
    }
    return {"at": step["node"], "known": known, "outputs": seen["nodes"], "frames": []}


def _is_in_a_loop(graph: Graph, taken: list[Record], number: int) -> bool:
    """Whether a loop that began before that step had not come to what follows it."""
    places = plan_of(graph).places
    open_loops: list[str] = []
    for record in taken:
        if record["number"] >= number:
            break
        place = places.get(record["node"])
        followed = {places[one].leads.get(DONE) for one in open_loops if one in places}
        if record["node"] in followed:
            open_loops.pop()
        if place is not None and ITEM in place.leads and record["status"] == "done":
            open_loops.append(record["node"])
    here = next(one["node"] for one in taken if one["number"] == number)
    return bool(open_loops) and here not in {
        places[one].leads.get(DONE) for one in open_loops if one in places
    }


@requires(Permission.AUTOMATION_RUN)
def replay(ctx: Context, execution_id: UUID, version_number: int | None = None) -> UUID:
    """The same again, on its own version or another one, with nothing changed and nothing sent."""
    run = the_execution(ctx, execution_id)
    begun = _again(ctx, run, mode=ExecutionMode.RECORDED)
    begun.replay_of = run.id
    if version_number is not None and version_number != run.version_number:
        version = access_version(ctx, run.workflow_id, version_number)
        graph = Graph.model_validate(version.graph)
        begun.version_id, begun.version_number, begun.graph = version.id, version.number, None
        begun.trigger_node = _same_trigger(graph, run)
    ctx.session.flush()
    return begun.id


def _same_trigger(graph: Graph, run: Execution) -> str:
    """Where a run of another version begins: at the same node, else at one of its kind."""
    if graph.node(run.trigger_node) is not None:
        return run.trigger_node
    found = next((node.id for node in graph.nodes if node.kind == run.trigger_kind), None)
    if found is None:
        raise Refused("That version has no trigger like the one that began this run.")
    return found


def _again(ctx: Context, run: Execution, *, mode: ExecutionMode) -> Execution:
    execution_id = engine.begin(
        ctx,
        workflow_id=run.workflow_id,
        version_id=run.version_id,
        version_number=run.version_number,
        graph=Graph.model_validate(run.graph) if run.graph is not None else None,
        trigger_node=run.trigger_node,
        trigger_kind=run.trigger_kind,
        given=run.state.get("given", {}),
        mode=mode,
        conversation_id=run.conversation_id,
        contact_id=run.contact_id,
        number_id=run.number_id,
    )
    return the_execution(ctx, execution_id)


@requires(Permission.AUTOMATION_READ)
def comparison(ctx: Context, execution_id: UUID, with_id: UUID) -> list[StepComparison]:
    """Two runs step by step, in the order of the second; what only the first did comes last."""
    before, after = steps(ctx, with_id), steps(ctx, execution_id)
    rest, found = list(before), []
    for step in after:
        then = next((one for one in rest if one["node"] == step["node"]), None)
        if then is not None:
            rest.remove(then)
        found.append(StepComparison(step["node"], then, step, _is_same(then, step)))
    return [*found, *(StepComparison(one["node"], one, None, False) for one in rest)]


def _is_same(then: Record | None, now: Record) -> bool:
    if then is None:
        return False
    return bool(then["port"] == now["port"] and then["output"] == now["output"])


# What the workspace has decided -------------------------------------------------------------------


@requires(Permission.AUTOMATION_READ)
def settings(ctx: Context) -> AutomationSettings:
    """How long a person keeps a conversation, and how long runs are kept."""
    found = ctx.session.get(AutomationSettings, ctx.tenant_id)
    return found or AutomationSettings()


@requires(Permission.AUTOMATION_MANAGE)
def change_settings(
    ctx: Context, *, hand_back_minutes: int | None = None, keep_days: int | None = None
) -> AutomationSettings:
    """Raises Invalid."""
    chosen = settings(ctx)
    if hand_back_minutes is not None:
        if not 1 <= hand_back_minutes <= 30 * 24 * 60:
            raise Invalid("hand_back_minutes", "Choose between a minute and 30 days.")
        chosen.hand_back_minutes = hand_back_minutes
    if keep_days is not None:
        if not 1 <= keep_days <= 730:
            raise Invalid("keep_days", "Choose between 1 and 730 days.")
        chosen.keep_days = keep_days
    ctx.session.add(chosen)
    ctx.session.flush()
    return chosen


def forget_old(ctx: Context) -> int:
    """Delete the runs that ended longer ago than the workspace keeps them; return how many."""
    found = ctx.session.get(AutomationSettings, ctx.tenant_id) or AutomationSettings()
    cursor = ctx.cursor()
    cursor.execute(_FORGET, (ctx.tenant_id, ctx.now, found.keep_days, AT_A_TIME, ctx.tenant_id))
    row = cursor.fetchone()
    return int(row[0]) if row else 0


AT_A_TIME = 20_000
_FORGET = """
    with old as (
        select id from executions where tenant_id = %s and ended_at < %s - make_interval(days => %s)
        order by id limit %s
    ), gone as (
        delete from execution_segments s using old where s.tenant_id = %s and s.execution_id = old.id
    ), ended as (
        delete from executions e using old where e.id = old.id and e.tenant_id is not null returning 1
    )
    select count(*) from ended
"""
