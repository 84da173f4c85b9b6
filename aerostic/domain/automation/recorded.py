"""A run that is only recorded: what would change something or leave is written down, and not done.

A replay takes what the original got for it, so that the rest can be compared.
"""

from typing import Any
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.tenancy import Context, unit_of_work
from aerostic.domain.automation import scope
from aerostic.domain.automation.actor import AUTOMATION
from aerostic.domain.automation.models import ExecutionSegment
from aerostic.domain.automation.nodes.base import Call, Change, Node, NodeFailed, Outcome
from aerostic.domain.automation.runs import Run
from aerostic.domain.automation.walking import Taking

Record = dict[str, Any]
LEFT = frozenset({"done", "failed", "recorded", "skipped"})


def is_harmless(kind: type[Node]) -> bool:
    """Whether a step of this kind may be taken although nothing may change."""
    return kind.reads_only or not issubclass(kind, (Change, Call))


def outcome(run: Run, step: Taking) -> Outcome:
    """What the step is taken to have done. Raises NodeFailed where it failed in the original."""
    if run.past is None:
        run.past = _past(run)
    node_id = step.place.node.id
    earlier = run.past.get(node_id)
    if not earlier:
        return Outcome(_first_port(step), output={"recorded": _settings(step)})
    record = earlier.pop(0) if len(earlier) > 1 else earlier[0]
    if record["status"] == "failed":
        raise NodeFailed(str(record["error"]), output=record["output"])
    return Outcome(record["port"], output=record["output"], names=names_of(record))


def names_of(record: Record) -> dict[str, Any]:
    """What a step had named, as far as the log kept it."""
    others: dict[str, Any] = record.get("set", {})
    return dict.fromkeys(record.get("as", []), record["output"]) | others


def _past(run: Run) -> dict[str, list[Record]]:
    """What the original did, by node, in its order."""
    if run.replay_of is None:
        return {}
    with unit_of_work(run.tenant_id, AUTOMATION) as ctx:
        records = steps_of(ctx, run.replay_of)
    found: dict[str, list[Record]] = {}
    for record in records:
        if record["status"] in LEFT:
            found.setdefault(record["node"], []).append(record)
    return found


def steps_of(ctx: Context, execution_id: UUID) -> list[Record]:
    """The steps of a run in their order; of one that rested, how it stands now."""
    segments = (
        select(ExecutionSegment.steps)
        .where(
            col(ExecutionSegment.tenant_id) == ctx.tenant_id,
            col(ExecutionSegment.execution_id) == execution_id,
        )
        .order_by(col(ExecutionSegment.position))
    )
    latest: dict[int, Record] = {}
    for steps in ctx.session.exec(segments):
        latest |= {record["number"]: record for record in steps}
    return [latest[number] for number in sorted(latest)]


def _first_port(step: Taking) -> str:
    outputs = step.place.kind.outputs_of(step.place.node.config)
    return outputs[0].name if outputs else "out"


def _settings(step: Taking) -> Any:
    return scope.masked(step.config.model_dump(mode="json"))
