"""Runs begin here, and wait for one another, inside the caller's transaction. `runner.py` walks them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context, unit_of_work
from aerostic.domain.automation import saving, scope, walking
from aerostic.domain.automation.actor import AUTOMATION
from aerostic.domain.automation.graph import Graph, as_stored
from aerostic.domain.automation.models import (
    ConversationTurn,
    Execution,
    ExecutionMode,
    ExecutionStatus,
    Workflow,
    WorkflowVersion,
)
from aerostic.domain.automation.nodes.base import NodeFailed, Outcome, SubRun
from aerostic.domain.automation.plans import Plan, Plans, plan_of
from aerostic.domain.automation.runs import OVER, Run
from aerostic.domain.automation.values import as_json
from aerostic.domain.automation.walking import Taking
from aerostic.domain.signals import telling
from aerostic.domain.signals.models import Listener

LANE = "automation"
CALLED = "trigger.called"
HEAD_START = timedelta(seconds=5)  # for the process that has the caller in hand
TURN = timedelta(minutes=15)  # longer than a run may be at work: its own rest or end gives it back


def begin(
    ctx: Context,
    *,
    workflow_id: UUID,
    trigger_node: str,
    given: Mapping[str, Any],
    version_id: UUID | None = None,
    version_number: int | None = None,
    graph: Graph | None = None,
    trigger_kind: str = "",
    mode: ExecutionMode = ExecutionMode.LIVE,
    conversation_id: UUID | None = None,
    contact_id: UUID | None = None,
    number_id: UUID | None = None,
    replay_of: UUID | None = None,
) -> UUID:
    """Write down a run of a published version, or of a graph, that is walked after the commit."""
    execution = Execution(
        id=new_id(),
        workflow_id=workflow_id,
        version_id=version_id,
        version_number=version_number,
        graph=None if graph is None else as_stored(graph),
        mode=mode,
        trigger_kind=trigger_kind,
        trigger_node=trigger_node,
        state={"given": orjson.loads(as_json(given))},
        conversation_id=conversation_id,
        contact_id=contact_id,
        number_id=number_id,
        replay_of=replay_of,
        created_at=ctx.now,
    )
    ctx.session.add(execution)
    ctx.session.flush()
    if conversation_id or contact_id:  # its answers must be heard
        telling.listen(ctx, Listener.AUTOMATION, wanted=True)
    look_at(ctx, execution.id)
    return execution.id


def look_at(ctx: Context, execution_id: UUID) -> None:
    """Have a run that is ready walked, after the commit."""
    due_work.put(ctx, WorkKind.RUN, execution_id, due_at=ctx.now)
    ctx.wake(LANE, f"run:{ctx.tenant_id}:{execution_id}")
    ctx.announce("execution", execution_id)


def hold(ctx: Context, run: Run, holder: str) -> bool:
    """Keep everyone from changing this run until the transaction ends. False: it is not ours any more."""
    cursor = ctx.cursor()
    cursor.execute(
        "select 1 from executions where tenant_id = %s and id = %s and leased_by = %s for update",
        (ctx.tenant_id, run.id, holder),
        prepare=True,
    )
    return cursor.fetchone() is not None


def save(ctx: Context, run: Run, holder: str) -> bool:
    """Write a run down together with what its step did. The end of a sub-workflow readies its caller."""
    if not saving.save(ctx, run, holder):
        return False
    if run.parent_id and run.status in OVER:
        tell_parent(
            ctx,
            run.id,
            run.parent_id,
            status=run.status,
            reason=run.reason,
            result=result(run),
            at_once=not run.caller_goes_on,
        )
    ctx.announce("execution", run.id)
    return True


def tell_parent(
    ctx: Context,
    child_id: UUID,
    parent_id: UUID,
    *,
    status: str,
    reason: str,
    result: Any = None,
    at_once: bool = True,
) -> None:
    """A sub-workflow has ended: whoever called it goes on.

    Not `at_once`: a process that holds the caller in hand goes on with it, and should not meet another
    there. Somebody may wait for its answer.
    """
    told = {"status": status, "reason": reason, "result": result}
    cursor = ctx.cursor()
    cursor.execute(
        "update executions set status = 'ready', awaits = '',"
        " state = state || jsonb_build_object('reply', jsonb_build_object('child', %s::jsonb))"
        " where tenant_id = %s and id = %s and status = 'waiting' and awaits = 'child'"
        " and state->'resting'->>'child' = %s returning id",
        (as_json(told).decode(), ctx.tenant_id, parent_id, str(child_id)),
    )
    if cursor.fetchone() is None:
        return
    if at_once:
        look_at(ctx, parent_id)
    else:
        due_work.put(ctx, WorkKind.RUN, parent_id, due_at=ctx.now + HEAD_START)


def result(run: Run) -> Any:
    """What a caller gets: the body of its answer, else the output of its last step."""
    return run.response.get("body") if run.response else run.result


def result_of(told: Mapping[str, Any]) -> Outcome:
    """The outcome of the step that called a sub-workflow. Raises NodeFailed where that failed."""
    if told.get("status") != ExecutionStatus.DONE:
        raise NodeFailed(f"The workflow that was called did not end well. {told.get('reason', '')}")
    return Outcome(output=told.get("result"))


# Sub-workflows ------------------------------------------------------------------------------------


def begin_child(run: Run, step: Taking, called: SubRun, plans: Plans, holder: str) -> Run | None:
    """Begin the workflow that a step calls, ours to walk, and rest until its end. None: the run is lost.

    Raises NodeFailed where it can not be called, with nothing changed.
    """
    after = run.copy()
    with unit_of_work(run.tenant_id, AUTOMATION) as ctx:
        if not run.is_new and not hold(ctx, run, holder):
            return None
        child = child_of(ctx, run, called, plans)
        walking.call(after, step, child.id)
        if not save(ctx, after, holder) or not save(ctx, child, holder):
            return None
        _pass_turn(ctx, child)
    saving.saved(after)
    saving.saved(child)
    run.become(after)
    return child


def _pass_turn(ctx: Context, child: Run) -> None:
    """In the conversation, the called one is busy in place of its caller."""
    if child.conversation_id is None:
        return
    turn = {
        "tenant_id": ctx.tenant_id,
        "conversation_id": child.conversation_id,
        "execution_id": child.id,
        "leased_until": ctx.now + TURN,
    }
    ctx.session.execute(insert(ConversationTurn).values(turn).on_conflict_do_nothing())


def child_of(ctx: Context, run: Run, called: SubRun, plans: Plans) -> Run:
    """A new run of the published version of another workflow, for this one. Raises NodeFailed."""
    if run.depth + 1 >= walking.DEEPEST:
        raise NodeFailed(
            f"Workflows may call one another {walking.DEEPEST} deep, and this is deeper."
        )
    version = published(ctx, called.workflow_id)
    plan = plan_for(version, plans)
    trigger = plan.trigger(CALLED)
    if trigger is None:
        raise NodeFailed("That workflow does not begin with being called by another.")
    given = {"input": dict(called.given), "trigger": {"kind": CALLED, "at": scope.clock(ctx.now)}}
    return Run(
        tenant_id=run.tenant_id,
        id=new_id(),
        workflow_id=called.workflow_id,
        plan=plan,
        at=trigger,
        given=orjson.loads(as_json({**_shared(run), **given})),
        version_id=version.id,
        version_number=version.number,
        mode=run.mode,
        trigger_kind=CALLED,
        trigger_node=trigger,
        conversation_id=run.conversation_id,
        contact_id=run.contact_id,
        number_id=run.number_id,
        parent_id=run.id,
        depth=run.depth + 1,
        created_at=ctx.now,
        started_at=ctx.now,
        is_new=True,
        around=run.around,
    )


def _shared(run: Run) -> dict[str, Any]:
    """What a called workflow sees of its caller besides its input: the message."""
    message = run.known.get("message", run.given.get("message"))
    return {"message": message} if message else {}


def published(ctx: Context, workflow_id: UUID) -> WorkflowVersion:
    """The version of a workflow that runs. Raises NodeFailed."""
    workflow = ctx.get(Workflow, workflow_id)
    if workflow is None or workflow.archived_at is not None:
        raise NodeFailed("The workflow to call no longer exists.")
    version = version_of(ctx, workflow)
    if version is None:
        raise NodeFailed(f"“{workflow.name}” was never published, so it can not be called.")
    return version


def version_of(ctx: Context, workflow: Workflow) -> WorkflowVersion | None:
    """What was published of it last."""
    newest = select(WorkflowVersion).where(
        col(WorkflowVersion.tenant_id) == ctx.tenant_id,
        col(WorkflowVersion.workflow_id) == workflow.id,
        col(WorkflowVersion.number) == workflow.published_number,
    )
    return ctx.session.exec(newest).first()


def plan_for(version: WorkflowVersion, plans: Plans) -> Plan:
    """The plan of a version: made once."""
    known = plans.get(version.id)
    return known or plans.keep(version.id, plan_of(Graph.model_validate(version.graph)))


def the_execution(ctx: Context, execution_id: UUID, *, for_update: bool = False) -> Execution:
    """Raises NotFound."""
    found = ctx.get(Execution, execution_id, for_update=for_update)
    if found is None:
        raise NotFound("That run no longer exists.")
    return found


def trigger_of(graph: Graph, node_id: str | None) -> str:
    """The node at which a run of this graph begins: the one named, else the first trigger. Raises Refused."""
    triggers = [node.id for node in graph.nodes if node.kind.startswith("trigger.")]
    if node_id is None and triggers:
        return triggers[0]
    if node_id not in triggers:
        raise Refused("A run begins at a trigger. Add one, or choose one that is there.")
    return node_id
