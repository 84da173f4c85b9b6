"""A run while it is walked: where it stands, what it knows, and the steps that are not written down yet."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from aerostic.domain.automation.models import ExecutionMode, ExecutionStatus
from aerostic.domain.automation.plans import Plan
from aerostic.domain.automation.values import as_json

LARGEST_STATE = 1024 * 1024  # bytes


@dataclass(slots=True, eq=False)
class Run:
    """All of an execution. `given` never changes; `known` is what its steps have named since."""

    tenant_id: UUID
    id: UUID
    workflow_id: UUID
    plan: Plan
    at: str  # the node of the next step
    given: dict[str, Any]
    version_id: UUID | None = None
    version_number: int | None = None
    graph: dict[str, Any] | None = None
    mode: str = ExecutionMode.LIVE
    trigger_kind: str = ""
    trigger_node: str = ""
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    number_id: UUID | None = None
    parent_id: UUID | None = None
    replay_of: UUID | None = None
    depth: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    is_new: bool = False  # not in the database yet
    caller_goes_on: bool = False  # whoever walks this one walks its caller on afterwards
    was_interrupted: bool = False  # by the end of the process that walked it

    status: str = ExecutionStatus.RUNNING
    steps: int = 0
    reason: str = ""
    failed_node: str = ""
    response: dict[str, Any] | None = None
    result: Any = None  # the output of the last step: what a caller of a sub-workflow gets
    awaits: str = ""
    wake_at: datetime | None = None

    known: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    frames: list[dict[str, Any]] = field(default_factory=list)
    calling: dict[str, Any] | None = None  # the step that is, or was, asking the outside
    resting: dict[str, Any] | None = None  # the step that waits: its number, and since when
    reply: dict[str, Any] | None = None  # what came for it
    around: dict[str, Any] = field(default_factory=dict)  # read afresh each time, never kept
    records: list[bytes] = field(default_factory=list)  # of steps, not written down yet
    recorded: int = 0  # how many were
    written: str = ""  # the status that was
    size: int = 0  # of what was put out, in bytes, at most
    ran_ms: float = 0
    past: dict[str, list[dict[str, Any]]] | None = (
        None  # what the original of a replay did, by node
    )

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    def copy(self) -> Self:
        """As it stands, for a step that may come to nothing."""
        twin = copy(self)
        twin.known, twin.outputs, twin.kept = dict(self.known), dict(self.outputs), dict(self.kept)
        twin.frames = [dict(frame) for frame in self.frames]
        twin.records = list(self.records)
        return twin

    def become(self, after: Self) -> None:
        """The step came to something."""
        for one in fields(self):
            setattr(self, one.name, getattr(after, one.name))

    def state(self) -> bytes:
        """What it needs to go on, as JSON. What is over needs no more than what a replay asks for."""
        kept: dict[str, Any] = {"given": self.given, "recorded": self.recorded + len(self.records)}
        if self.status not in {ExecutionStatus.DONE, ExecutionStatus.CANCELLED}:
            kept |= {
                "at": self.at,
                "known": self.known,
                "outputs": self.outputs,
                "kept": self.kept,
                "frames": self.frames,
                "calling": self.calling,
                "resting": self.resting,
                "reply": self.reply,
                "result": self.result,
                "ran_ms": round(self.ran_ms),
            }
        return as_json(kept)

    def recall(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` kept."""
        self.given = state.get("given") or {}
        self.known = state.get("known") or {}
        self.outputs = state.get("outputs") or {}
        self.kept = state.get("kept") or {}
        self.frames = state.get("frames") or []
        self.calling, self.resting = state.get("calling"), state.get("resting")
        self.reply, self.result = state.get("reply"), state.get("result")
        self.recorded = state.get("recorded") or 0
        self.ran_ms = state.get("ran_ms") or 0.0
        self.at = state.get("at") or self.trigger_node

    def scope(self, now: str) -> dict[str, Any]:
        """What templates see at this step."""
        seen = {"vars": {}, **self.around, **self.given, **self.known, "now": now}
        if self.frames:
            frame = self.frames[-1]
            seen["item"], seen["index"] = frame["items"][frame["index"]], frame["index"]
        seen["nodes"] = self.outputs
        return seen

    def learn(self, node_id: str, output: Any, names: Mapping[str, Any]) -> None:
        """What a step found out. `vars` are added to, other names are replaced."""
        self.outputs[node_id] = {"output": output}
        self.result = output
        for name, value in names.items():
            if name == "vars" and isinstance(value, Mapping):
                self.known["vars"] = {**self.known.get("vars", {}), **value}
            else:
                self.known[name] = value


OVER = frozenset(
    {
        ExecutionStatus.DONE,
        ExecutionStatus.FAILED,
        ExecutionStatus.CANCELLED,
        ExecutionStatus.STOPPED,
    }
)
