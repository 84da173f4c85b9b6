"""What a step's outcome does to a run: pure, so that the same is true in a loop, a thread and a replay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

import orjson

from aerostic.domain.automation import scope
from aerostic.domain.automation.models import ExecutionStatus
from aerostic.domain.automation.nodes.base import NodeFailed, Outcome, Respond, Step, Wait
from aerostic.domain.automation.plans import Place
from aerostic.domain.automation.runs import LARGEST_STATE, Run
from aerostic.domain.automation.values import LONGEST_SHOWN, as_json, shown

MOST_STEPS = 1_000
DEEPEST = 5
LONGEST_RUN = timedelta(minutes=10)
ITEM, DONE = "each", "done"
ADOPTED = frozenset({"contact", "conversation", "number"})
FAILURE = "error"


@dataclass(slots=True)
class Taking:
    """One step while it is taken."""

    place: Place
    step: Step
    began: datetime
    clock: float = field(default_factory=perf_counter)
    config: Any = None
    warnings: tuple[str, ...] = ()
    tries: int = 1

    @property
    def number(self) -> int:
        return self.step.number


def begin(run: Run, now: datetime) -> Taking:
    """The step that is next, or the one that rested and goes on."""
    place = run.plan.places[run.at]
    number = run.resting["number"] if run.resting else run.steps + 1
    run.steps = max(run.steps, number)
    step = Step(
        tenant_id=run.tenant_id,
        execution_id=run.id,
        workflow_id=run.workflow_id,
        number=number,
        node=place.node,
        scope=run.scope(scope.clock(now)),
        now=now,
        conversation_id=run.conversation_id,
        contact_id=run.contact_id,
        number_id=run.number_id,
        depth=run.depth,
        kept=run.kept.get(place.node.id, {}),
        equipment=place.equipment,
    )
    return Taking(place, step, now)


def guard(run: Run) -> str:
    """Why the run may not go on; empty: it may."""
    if run.at not in run.plan.places:
        return "The next step is of a kind that does not exist here."
    if run.steps >= MOST_STEPS and not run.resting:
        return f"The run took {MOST_STEPS:,} steps without coming to an end."
    if run.size > LARGEST_STATE:
        run.size = len(run.state())  # what was overwritten counts no more
        if run.size > LARGEST_STATE:
            return f"The run knows more than {LARGEST_STATE // 1024:,} kB, and may not."
    if run.ran_ms > LONGEST_RUN.total_seconds() * 1000:
        return f"The run was at work for more than {LONGEST_RUN.seconds // 60} minutes."
    return ""


def stop(run: Run, reason: str) -> None:
    """A guard ends it."""
    run.status, run.reason = ExecutionStatus.STOPPED, reason
    run.failed_node = run.at


def settle(run: Run, taking: Taking, outcome: Outcome, *, status: str = "done") -> None:
    """The step is done, or counts as it: note it, and say where the run goes on."""
    place = taking.place
    if outcome.wait is not None and status == "done":
        _rest(run, taking, outcome, outcome.wait)
        return
    _leave_rest(run, place)
    _note(run, taking, status, outcome)
    run.learn(place.node.id, outcome.output, outcome.names)
    _adopt(run, outcome.names)
    if outcome.keep:
        run.kept[place.node.id] = dict(outcome.keep)
    if outcome.respond is not None:
        run.response = _response(outcome.respond)
    if outcome.ends:
        run.status, run.reason = ExecutionStatus.DONE, outcome.reason
    elif outcome.each is not None:
        run.frames.append({"node": place.node.id, "items": list(outcome.each), "index": -1})
        _next_item(run)
    else:
        go(run, place, outcome.port)


def fail(run: Run, taking: Taking, failure: NodeFailed) -> None:
    """The step did not do what it should: on through its error port, or the end of the run."""
    place = taking.place
    _leave_rest(run, place)
    outcome = Outcome(FAILURE, output=failure.output, warnings=())
    _note(run, taking, "failed", outcome, error=failure.sentence)
    error = {"message": failure.sentence, "node": place.node.id, "step": place.title}
    run.learn(place.node.id, failure.output, {"error": error})
    if FAILURE in place.leads:
        go(run, place, FAILURE)
        return
    run.status = ExecutionStatus.FAILED
    run.reason, run.failed_node = f"{place.title}: {failure.sentence}", place.node.id


def doubt(run: Run, taking: Taking) -> None:
    """A call outside was interrupted: nobody knows whether it was done."""
    run.status, run.failed_node = ExecutionStatus.UNKNOWN, taking.place.node.id
    run.reason = (
        f"{taking.place.title}: the call was interrupted, so it may or may not have been made. "
        "Choose whether to make it again, to go on without it, or to end the run."
    )
    _note(run, taking, "unknown", Outcome(), error=run.reason)


def call(run: Run, taking: Taking, child_id: UUID) -> None:
    """The step waits for the end of another run."""
    node_id = taking.place.node.id
    run.resting = {"number": taking.number, "child": str(child_id)}
    run.status, run.awaits, run.wake_at = ExecutionStatus.WAITING, "child", None
    _note(run, taking, "waiting", Outcome(output={"execution_id": str(child_id)}))
    run.kept.pop(node_id, None)


def go(run: Run, place: Place, port: str) -> None:
    """Follow an output. Where nothing follows, the loop around it turns, or the run is done."""
    target = place.leads.get(port)
    if target is None:
        _next_item(run)
    elif any(frame["node"] == target for frame in run.frames):
        while run.frames[-1]["node"] != target:  # back to a loop that has begun: its next turn
            run.frames.pop()
        _next_item(run)
    else:
        run.at = target


def _next_item(run: Run) -> None:
    """The next turn of the innermost loop; after its last, what follows the loop."""
    while run.frames:
        frame = run.frames[-1]
        loop = run.plan.places[frame["node"]]
        frame["index"] += 1
        if frame["index"] < len(frame["items"]) and ITEM in loop.leads:
            run.at = loop.leads[ITEM]
            return
        run.frames.pop()
        if DONE in loop.leads:
            go(run, loop, DONE)
            return
    run.status = ExecutionStatus.DONE


def _rest(run: Run, taking: Taking, outcome: Outcome, wait: Wait) -> None:
    run.kept[taking.place.node.id] = dict(outcome.keep)
    run.learn(taking.place.node.id, outcome.output, outcome.names)
    run.resting = {
        "number": taking.number,
        "since": taking.step.now.isoformat(),
        "output": outcome.output,
    }
    run.reply = run.calling = None
    run.status = ExecutionStatus.WAITING
    run.awaits = "reply" if wait.for_reply else "time"
    run.wake_at = wait.until
    _note(run, taking, "waiting", outcome)


def _leave_rest(run: Run, place: Place) -> None:
    run.resting = run.reply = run.calling = None
    run.awaits, run.wake_at = "", None
    run.kept.pop(place.node.id, None)


def _adopt(run: Run, names: Mapping[str, Any]) -> None:
    """A step that found a contact or a conversation makes it the run's own."""
    for name in ADOPTED.intersection(names):
        found = names[name]
        if isinstance(found, Mapping) and found.get("id"):
            setattr(run, f"{name}_id", UUID(str(found["id"])))


def _response(respond: Respond) -> dict[str, Any]:
    return {"status": respond.status, "headers": dict(respond.headers), "body": respond.body}


def _note(run: Run, taking: Taking, status: str, outcome: Outcome, *, error: str = "") -> None:
    """A line of the log. What is too long for it is cut, and says so."""
    spent = (perf_counter() - taking.clock) * 1000
    run.ran_ms += spent
    given, given_size = _input(taking)
    output, output_size = shown(outcome.output)
    run.size += output_size
    node = taking.place.node
    record = {
        "number": taking.number,
        "node": node.id,
        "kind": node.kind,
        "name": taking.place.title,
        "status": status,
        "port": outcome.port,
        "input": orjson.Fragment(given),
        "output": orjson.Fragment(output),
        "error": error,
        "warnings": [*taking.warnings, *outcome.warnings],
        "started_at": taking.began,
        "ms": round(spent, 3),
        "truncated": max(given_size, output_size) > LONGEST_SHOWN,
        "tries": taking.tries,
    }
    if outcome.names:
        record |= _named(outcome)
    run.records.append(as_json(record))


def _named(outcome: Outcome) -> dict[str, Any]:
    """What else the step named, so that a replay can name it again."""
    as_output = [name for name, value in outcome.names.items() if value is outcome.output]
    others = {name: value for name, value in outcome.names.items() if name not in as_output}
    made, size = shown(others)
    is_kept = others and size <= LONGEST_SHOWN
    return {"as": as_output} | ({"set": orjson.Fragment(made)} if is_kept else {})


def _input(taking: Taking) -> tuple[bytes, int]:
    if taking.config is None:
        return b"null", 0
    if taking.place.shown is not None:
        return taking.place.shown
    return shown(scope.masked(taking.config.model_dump(mode="json")))
