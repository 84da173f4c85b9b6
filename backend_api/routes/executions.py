"""Runs of workflows over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from aerostic.domain.automation import executions as runs
from aerostic.domain.automation.executions import (
    Choice,
    ExecutionDetail,
    ExecutionFilter,
    ExecutionRow,
    StepComparison,
)
from aerostic.domain.automation.models import ExecutionMode, ExecutionStatus
from aerostic.domain.signals.models import AutomationSettings
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1", tags=["Runs of workflows"])


class ExecutionOut(BaseModel):
    """A run in a line. Without `version_number` it ran a draft."""

    id: UUID
    workflow_id: UUID
    workflow_name: str = Field(examples=["Order status"])
    version_number: int | None
    mode: ExecutionMode
    status: ExecutionStatus
    trigger_kind: str = Field(examples=["trigger.keyword"])
    steps: int
    reason: str = Field(description="Why it failed, was stopped, or what is unknown.")
    failed_node: str
    awaits: str = Field(description="reply, time, child, or nothing.")
    wake_at: datetime | None
    conversation_id: UUID | None
    contact_id: UUID | None
    parent_id: UUID | None
    replay_of: UUID | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, row: ExecutionRow) -> "ExecutionOut":
        return cls.model_validate(row, from_attributes=True)


class StepOut(BaseModel):
    """What one step took and gave. Secrets are hidden; what is long is cut (`truncated`)."""

    number: int
    node: str
    kind: str
    name: str
    status: str = Field(examples=["done"])
    port: str
    input: Any
    output: Any
    error: str
    warnings: list[str]
    started_at: datetime
    ms: float
    truncated: bool
    tries: int


class ExecutionDetailOut(ExecutionOut):
    """A run with its steps."""

    at: str = Field(description="The step where it stands, while it lives.")
    given: dict[str, Any] = Field(description="What it began with.")
    response: dict[str, Any] | None
    log: list[StepOut]

    @classmethod
    def of_detail(cls, ctx: Ctx, detail: ExecutionDetail) -> "ExecutionDetailOut":
        known = ExecutionOut.of(detail).model_dump()
        log = [StepOut.model_validate(one) for one in runs.steps(ctx, detail.id)]
        response = dict(detail.response) if detail.response is not None else None
        return cls(**known, at=detail.at, given=dict(detail.given), response=response, log=log)


class BegunOut(BaseModel):
    """The run that began; it is walked at once."""

    execution_id: UUID


class StartIn(BaseModel):
    """What a run begins with: parts of what its templates see."""

    given: dict[str, Any] = Field(default={}, examples=[{"contact": {"id": "…"}, "input": {}}])


class TryIn(StartIn):
    """`recorded` changes and sends nothing: what would have been done is written down."""

    mode: ExecutionMode = ExecutionMode.RECORDED
    trigger_node: str | None = Field(None, max_length=64)


class RetryIn(BaseModel):
    """The number of the step to begin at."""

    step: int = Field(ge=1)


class ReplayIn(BaseModel):
    """On which version. None: its own."""

    version: int | None = Field(None, ge=1)


class ChoiceIn(BaseModel):
    """What shall count for the call that was interrupted. `skip` goes on with this output."""

    how: Choice
    output: Any = None


class StepPairOut(BaseModel):
    """The same step in two runs."""

    node: str
    before: StepOut | None
    after: StepOut | None
    is_same: bool = Field(description="The same way out, and the same output.")

    @classmethod
    def of(cls, pair: StepComparison) -> "StepPairOut":
        return cls.model_validate(pair, from_attributes=True)


class ComparisonOut(BaseModel):
    steps: list[StepPairOut]


class SettingsOut(BaseModel):
    """What the workspace has decided about its automation."""

    hand_back_minutes: int = Field(
        description="How long after a person's last answer automation stays out of a conversation."
    )
    keep_days: int = Field(description="How long runs that have ended are kept.")

    @classmethod
    def of(cls, chosen: AutomationSettings) -> "SettingsOut":
        return cls(hand_back_minutes=chosen.hand_back_minutes, keep_days=chosen.keep_days)


class SettingsIn(BaseModel):
    """What shall change."""

    hand_back_minutes: int | None = None
    keep_days: int | None = None


@router.get("/executions")
def executions(
    ctx: Ctx,
    after: After = None,
    limit: Limit = 50,
    workflow_id: UUID | None = None,
    status: ExecutionStatus | None = None,
    trigger_kind: Annotated[str, Query(max_length=64)] = "",
    conversation_id: UUID | None = None,
    since: AwareDatetime | None = None,
) -> PageOut[ExecutionOut]:
    """Runs, the newest first. Every filter narrows."""
    wanted = ExecutionFilter(workflow_id, status or "", trigger_kind, since, conversation_id)
    return PageOut.of(runs.executions(ctx, wanted, after, limit), ExecutionOut.of)


@router.get("/executions/{execution_id}")
def execution(ctx: Ctx, execution_id: UUID) -> ExecutionDetailOut:
    """One run with its steps."""
    return ExecutionDetailOut.of_detail(ctx, runs.execution(ctx, execution_id))


@router.post("/executions/{execution_id}/cancel")
def cancel(ctx: Ctx, execution_id: UUID) -> ExecutionDetailOut:
    """End a run now. A step that is being taken comes to its end first."""
    runs.cancel(ctx, execution_id)
    return ExecutionDetailOut.of_detail(ctx, runs.execution(ctx, execution_id))


@router.post("/executions/{execution_id}/retry", status_code=201)
def retry(ctx: Ctx, once: Once, execution_id: UUID, body: RetryIn) -> BegunOut:
    """A new run that begins at a step of this one, with what the steps before it gave."""
    return once(lambda: BegunOut(execution_id=runs.retry(ctx, execution_id, body.step)))


@router.post("/executions/{execution_id}/replay", status_code=201)
def replay(ctx: Ctx, once: Once, execution_id: UUID, body: ReplayIn) -> BegunOut:
    """The same again on a version, with nothing changed and nothing sent."""
    return once(lambda: BegunOut(execution_id=runs.replay(ctx, execution_id, body.version)))


@router.get("/executions/{execution_id}/comparison")
def comparison(
    ctx: Ctx, execution_id: UUID, other_id: Annotated[UUID, Query(alias="with")]
) -> ComparisonOut:
    """This run beside another one, step by step."""
    pairs = runs.comparison(ctx, execution_id, other_id)
    return ComparisonOut(steps=[StepPairOut.of(one) for one in pairs])


@router.post("/executions/{execution_id}/choice")
def choose(ctx: Ctx, execution_id: UUID, body: ChoiceIn) -> ExecutionDetailOut:
    """Decide what shall count for a call that was interrupted, and let the run go on."""
    runs.choose(ctx, execution_id, body.how, body.output)
    return ExecutionDetailOut.of_detail(ctx, runs.execution(ctx, execution_id))


@router.post("/workflows/{workflow_id}/executions", status_code=201)
def start(ctx: Ctx, once: Once, workflow_id: UUID, body: StartIn) -> BegunOut:
    """Run the published version."""
    return once(lambda: BegunOut(execution_id=runs.start(ctx, workflow_id, body.given)))


@router.post("/workflows/{workflow_id}/trials", status_code=201)
def try_out(ctx: Ctx, once: Once, workflow_id: UUID, body: TryIn) -> BegunOut:
    """Run the draft as it is saved now."""
    return once(
        lambda: BegunOut(
            execution_id=runs.try_out(
                ctx, workflow_id, body.given, body.mode, trigger_node=body.trigger_node
            )
        )
    )


@router.get("/automation/settings")
def settings(ctx: Ctx) -> SettingsOut:
    """How long a person keeps a conversation, and how long runs are kept."""
    return SettingsOut.of(runs.settings(ctx))


@router.patch("/automation/settings")
def change_settings(ctx: Ctx, body: SettingsIn) -> SettingsOut:
    """Change what is given."""
    changed = runs.change_settings(
        ctx, hand_back_minutes=body.hand_back_minutes, keep_days=body.keep_days
    )
    return SettingsOut.of(changed)
