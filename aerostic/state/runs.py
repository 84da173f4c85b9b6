"""What a workflow's runs did: the list, one of them on the canvas, and the test panel's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core import ids
from aerostic.core.errors import AppError, Invalid
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.automation import executions, queries, rules
from aerostic.domain.automation.graph import Graph, as_stored
from aerostic.domain.automation.models import LIVING, ExecutionMode
from aerostic.state.base import AppState
from aerostic.state.guard import access
from aerostic.state.paged import Paged
from aerostic.state.plain import plain
from aerostic.state.run_words import OUTCOMES, STEPS

PAGE = 25
MOST_STEPS = 1_000
Payload = dict[str, Any]
ERROR_PORT = "error"
LONGEST_OUTPUT = 300
WAITS_FOR = {
    "reply": "Waits for an answer",
    "time": "Rests",
    "child": "Waits for the workflow that it called",
}
SINCE = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}


@dataclass(frozen=True)
class RunLine:
    id: str
    status: str
    words: str
    colour: str
    is_recorded: bool
    begun_by: str
    whom: str
    version: str
    steps: str
    at: str
    lasted: str
    reason: str


@dataclass(frozen=True)
class StepLine:
    number: int
    node: str
    name: str
    kind: str
    status: str
    words: str
    colour: str
    way: str
    error: str
    lasted: str


@dataclass(frozen=True)
class Choice:
    value: str
    words: str


@dataclass(frozen=True)
class RunHead:
    """What stands above an open run."""

    id: str = ""
    status: str = ""
    words: str = ""
    colour: str = "gray"
    version: str = ""
    begun_by: str = ""
    whom: str = ""
    at: str = ""
    lasted: str = ""
    reason: str = ""
    waits_for: str = ""
    wakes_at: str = ""
    doubted: str = ""  # the step whose call nobody knows the end of
    is_recorded: bool = False
    is_living: bool = False
    is_unknown: bool = False
    replay_of: str = ""


@dataclass(frozen=True)
class StepPair:
    """One step of a replay beside the same step of the run that it repeats."""

    node: str
    name: str
    before: str
    after: str
    is_same: bool
    output_before: str = ""
    output_after: str = ""


NO_RUN = RunHead()


class Runs(Paged, AppState):
    rows: list[RunLine] = []
    is_loading: bool = True
    status: str = "any"
    trigger: str = "any"
    since: str = "any"
    triggers: list[Choice] = []

    head: RunHead = NO_RUN
    opened: Payload = {}
    ports: dict[str, list[Payload]] = {}
    run: Payload = {}
    step: Payload = {}
    steps: list[StepLine] = []
    focus: Payload = {}
    pairs: list[StepPair] = []
    dialog: str = ""
    given_output: str = ""
    problem: str = ""

    is_testing: bool = False
    panel: str = "test"
    begins: list[Choice] = []
    begin: str = ""
    source: str = "written"
    written: str = "{}"
    mode: str = "recorded"
    last_event: str = ""
    test_problem: str = ""
    tried: Payload = {}
    tried_head: RunHead = NO_RUN
    tried_steps: list[StepLine] = []
    tried_step: Payload = {}
    samples: Payload = {}
    is_busy: bool = False

    _workflow: str = ""
    _ended: bool = False

    # Opening, following -----------------------------------------------------------------------------

    async def _open(self, workflow_id: str, run_id: str) -> None:
        """Told by the editor's state, which has asked for the right to look."""
        self.reset()  # type: ignore[no-untyped-call]
        self._workflow = workflow_id
        await self._read()
        await self._read_samples()
        if run_id:
            await self.attempt(self._show(run_id))

    async def _follow(self, changes: list[tuple[str, str]]) -> None:
        """Runs went on: read again those that are shown."""
        if not self._workflow:
            return
        changed = {row for kind, row in changes if kind == "execution"}
        everything = any(kind == "everything" for kind, _ in changes)
        if self.tried_head.id and (everything or self.tried_head.id in changed):
            await self._read_tried()
        if self.head.id and (everything or self.head.id in changed):
            await self._read_run(self.head.id)
        await self._read()

    async def _read(self) -> None:
        page, kinds = await self.call(_page, UUID(self._workflow), self._wanted(), self._start())
        self.rows = [_line(one) for one in page.items]
        self._shown(page.next_cursor)
        self.triggers = [Choice(kind, _title(kind)) for kind in kinds]
        self.is_loading = False

    def _wanted(self) -> Payload:
        return {
            "status": "" if self.status == "any" else self.status,
            "trigger_kind": "" if self.trigger == "any" else self.trigger,
            "since": self.since if self.since in SINCE else "",
        }

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def narrow(self, name: str, value: str) -> None:
        if name in {"status", "trigger", "since"}:
            setattr(self, name, value)
        self._from_the_first()
        await self._read()

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read()

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read()

    # One run ----------------------------------------------------------------------------------------

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def show(self, run_id: str) -> EventSpec | None:
        _, sorry = await self.attempt(self._show(run_id))
        return sorry

    async def _show(self, run_id: str) -> None:
        self.pairs, self.step, self.problem = [], {}, ""
        graph = await self.call(_graph_of, _id(run_id))
        self.opened = {"id": run_id, "number": str(ids.new_id()), "graph": as_stored(graph)}
        self.ports = _own_ports(graph)
        await self._read_run(run_id)

    async def _read_run(self, run_id: str) -> None:
        self.head, self.steps, self.run = _seen(await self.call(_whole, _id(run_id)))
        if self.head.replay_of and not self.head.is_living:
            self.pairs = await self.call(_compared, _id(run_id), UUID(self.head.replay_of))

    @rx.event
    @access(Permission.AUTOMATION_READ)
    def leave(self) -> None:
        """Back to the list."""
        self.head, self.opened, self.run, self.steps = NO_RUN, {}, {}, []

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def look_at(self, wanted: Payload) -> EventSpec | None:
        """What one step took and gave."""
        if self.head.id:
            work = self.call(_one_step, UUID(self.head.id), _number(wanted))
            self.step, sorry = await self._or_nothing(work)
            return sorry
        return None

    @rx.event
    @access(Permission.AUTOMATION_READ)
    def choose_step(self, node: str) -> None:
        """Show a step of the list on the canvas."""
        self.focus = {"node": node, "at": str(ids.new_id())}

    async def _or_nothing(self, work: Any) -> tuple[Payload, EventSpec | None]:
        found, sorry = await self.attempt(work)
        return (found or {}), sorry

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    async def cancel(self) -> EventSpec | None:
        self.dialog = ""
        _, sorry = await self.attempt(self.call(executions.cancel, UUID(self.head.id)))
        return sorry

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    async def retry_from(self, number: int) -> EventSpec | None:
        """A new run that begins at a step, with what the steps before gave."""
        work = self.call(executions.retry, UUID(self.head.id), number)
        begun, sorry = await self.attempt(work)
        if begun is None:
            return sorry
        await self._show(str(begun))
        return rx.toast.info("A new run goes on from that step.")

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    async def replay(self, number: str) -> EventSpec | None:
        """The same again on a version, with nothing leaving; beside it, what it did the first time."""
        version = int(number) if number.isdigit() else None
        work = self.call(executions.replay, UUID(self.head.id), version)
        begun, sorry = await self.attempt(work)
        if begun is None:
            return sorry
        await self._show(str(begun))
        return None

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    def ask(self, dialog: str) -> None:
        self.dialog, self.problem, self.given_output = dialog, "", ""

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    def close(self) -> None:
        self.dialog = ""

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    async def choose(self, how: str, form: Payload) -> None:
        """What shall count for a call whose end nobody knows."""
        try:
            output = _json(str(form.get("output", ""))) if how == "skip" else None
            await self.call(executions.choose, UUID(self.head.id), how, output)
        except AppError as error:
            self.problem = error.message
        else:
            self.dialog = ""

    # The test panel ---------------------------------------------------------------------------------

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    async def begin_testing(self) -> EventSpec | None:
        detail, sorry = await self.attempt(self.call(queries.workflow, UUID(self._workflow)))
        if detail is None:
            return sorry
        self.is_testing, self.panel, self.test_problem = True, "test", ""
        triggers = [one for one in detail.draft.nodes if one.kind.startswith("trigger.")]
        self.begins = [Choice(one.id, rules.name_of(one)) for one in triggers]
        if self.begin not in {one.id for one in triggers}:
            self.begin = triggers[0].id if triggers else ""
        await self._prepare()
        return None

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    def end_testing(self) -> None:
        self.is_testing, self.tried, self.tried_step = False, {}, {}
        self.tried_head, self.tried_steps = NO_RUN, []

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    def show_panel(self, panel: str) -> None:
        self.panel = panel

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    async def choose_begin(self, node_id: str) -> None:
        self.begin = node_id
        await self._prepare()

    async def _prepare(self) -> None:
        """The data to begin with: what really came last, else an example to change."""
        work = self.call(executions.example, UUID(self._workflow), self.begin or None)
        found, _ = await self.attempt(work)
        if found is None:
            return
        self.source = "event" if found.is_real else "written"
        self.last_event = found.at.isoformat() if found.is_real and found.at else ""
        self.written = orjson.dumps(plain(found.given), option=orjson.OPT_INDENT_2).decode()

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    def write(self, text: str) -> None:
        self.written, self.source = text, "written"

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    def choose_mode(self, mode: str) -> None:
        self.mode = "live" if mode == "live" else "recorded"

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    async def try_out(self) -> None:
        """Run the draft as it is saved."""
        self.test_problem, self.tried_step = "", {}
        try:
            given = _json(self.written)
            begun = await self.call(
                executions.try_out,
                UUID(self._workflow),
                given,
                mode=ExecutionMode(self.mode),
                trigger_node=self.begin or None,
            )
        except AppError as error:
            self.test_problem = error.message
            return
        self.tried_head, self._ended = RunHead(id=str(begun)), False
        await self._read_tried()

    @rx.event
    @access(Permission.AUTOMATION_RUN)
    async def stop_trying(self) -> EventSpec | None:
        _, sorry = await self.attempt(self.call(executions.cancel, UUID(self.tried_head.id)))
        return sorry

    async def _read_tried(self) -> None:
        whole = await self.call(_whole, UUID(self.tried_head.id))
        self.tried_head, self.tried_steps, self.tried = _seen(whole)
        if not self.tried_head.is_living and not self._ended:
            self._ended = True
            await self._read_samples()

    @rx.event
    @access(Permission.AUTOMATION_READ)
    async def look_at_tried(self, wanted: Payload) -> EventSpec | None:
        if not self.tried_head.id:
            return None
        work = self.call(_one_step, UUID(self.tried_head.id), _number(wanted))
        self.tried_step, sorry = await self._or_nothing(work)
        return sorry

    async def _read_samples(self) -> None:
        self.samples = await self.call(_samples, UUID(self._workflow))


# One transaction for what belongs together -----------------------------------------------------------


@dataclass(frozen=True)
class _Whole:
    """A run with its steps as they were written down, and the names of its nodes."""

    row: Any
    steps: list[Payload]
    names: dict[str, str]


def _page(
    ctx: Context, workflow_id: UUID, wanted: Payload, after: str | None
) -> tuple[Any, list[str]]:
    since = wanted["since"]
    narrowed = executions.ExecutionFilter(
        workflow_id=workflow_id,
        status=wanted["status"],
        trigger_kind=wanted["trigger_kind"],
        since=ctx.now - SINCE[since] if since else None,
    )
    page = executions.executions(ctx, narrowed, after, PAGE)
    return page, executions.trigger_kinds(ctx, workflow_id)


def _graph_of(ctx: Context, execution_id: UUID) -> Graph:
    return executions.graph_of(ctx, execution_id)


def _whole(ctx: Context, execution_id: UUID) -> _Whole:
    detail = executions.execution(ctx, execution_id)
    graph = executions.graph_of(ctx, execution_id)
    names = {node.id: rules.name_of(node) for node in graph.nodes}
    steps = executions.steps(ctx, execution_id)[:MOST_STEPS]
    return _Whole(detail, [_brief(step, graph) for step in steps], names)


def _compared(ctx: Context, run_id: UUID, first_id: UUID) -> list[StepPair]:
    first, second = (executions.graph_of(ctx, one) for one in (first_id, run_id))
    names = {node.id: rules.name_of(node) for node in [*first.nodes, *second.nodes]}
    found = executions.comparison(ctx, run_id, first_id)
    return [_pair(one, names, first, second) for one in found]


def _brief(step: Mapping[str, Any], graph: Graph) -> Payload:
    """A step without what it took and gave: that is asked for one by one."""
    wanted = ("number", "node", "kind", "name", "status", "port", "error", "ms", "tries")
    brief = {name: step.get(name) for name in wanted}
    return (
        brief | {"port": "", "way": ""} if _ended_there(step, graph) else brief | _way(step, graph)
    )


def _ended_there(step: Mapping[str, Any], graph: Graph) -> bool:
    """A failure without a way on is no way that was taken."""
    leads = {(edge.source, edge.source_port) for edge in graph.edges}
    return step.get("port") == ERROR_PORT and (step.get("node"), ERROR_PORT) not in leads


def _way(step: Mapping[str, Any], graph: Graph) -> Payload:
    """What the output that was taken is called, where there was more than one."""
    node = graph.node(str(step.get("node")))
    titles = {one.name: one.title for one in rules.outputs_of(node)} if node else {}
    return {"way": titles.get(str(step.get("port")), "") if step.get("port") != "out" else ""}


def _one_step(ctx: Context, execution_id: UUID, number: int) -> Payload:
    steps = executions.steps(ctx, execution_id)
    found = next((one for one in steps if one["number"] == number), None)
    return dict(plain(found)) if found else {}


def _samples(ctx: Context, workflow_id: UUID) -> Payload:
    """What the last run of this workflow had, cut to what a list of names can show."""
    last = executions.last_scope(ctx, workflow_id)
    return {
        "names": {name: _cut(value) for name, value in last.items() if name != "nodes"},
        "nodes": {node: _cut(one.get("output")) for node, one in last.get("nodes", {}).items()},
    }


MOST_NAMES = 40
LONGEST_SAMPLE = 80


def _cut(value: Any, depth: int = 0) -> Any:
    if isinstance(value, Mapping):
        inside = list(value.items())[:MOST_NAMES] if depth < 5 else []
        return {name: _cut(part, depth + 1) for name, part in inside}
    if isinstance(value, list):
        return [_cut(part, depth + 1) for part in value[:1]] if depth < 5 else []
    return value[:LONGEST_SAMPLE] if isinstance(value, str) else value


# In words ---------------------------------------------------------------------------------------------


def _line(row: Any) -> RunLine:
    words, colour = OUTCOMES[row.status]
    return RunLine(
        id=str(row.id),
        status=row.status,
        words=words,
        colour=colour,
        is_recorded=row.mode == ExecutionMode.RECORDED,
        begun_by=_title(row.trigger_kind),
        whom=row.contact_name or "",
        version=_version(row),
        steps=f"{row.steps} {'step' if row.steps == 1 else 'steps'}",
        at=row.created_at.isoformat(),
        lasted=_lasted(row.started_at, row.ended_at),
        reason=row.reason,
    )


def _seen(whole: _Whole) -> tuple[RunHead, list[StepLine], Payload]:
    """A run as its head, its list of steps, and the canvas show it."""
    row = whole.row
    words, colour = OUTCOMES[row.status]
    head = RunHead(
        id=str(row.id),
        status=row.status,
        words=words,
        colour=colour,
        version=_version(row),
        begun_by=_title(row.trigger_kind),
        whom=row.contact_name or "",
        at=row.created_at.isoformat(),
        lasted=_lasted(row.started_at, row.ended_at),
        reason=row.reason,
        waits_for=WAITS_FOR.get(row.awaits, "") if row.status == "waiting" else "",
        wakes_at=row.wake_at.isoformat() if row.status == "waiting" and row.wake_at else "",
        doubted=whole.names.get(row.failed_node, "") if row.status == "unknown" else "",
        is_recorded=row.mode == ExecutionMode.RECORDED,
        is_living=row.status in LIVING,
        is_unknown=row.status == "unknown",
        replay_of=str(row.replay_of or ""),
    )
    steps = [_step(one, whole.names) for one in whole.steps]
    drawn = {"id": head.id, "status": row.status, "current": row.at, "steps": whole.steps}
    return head, steps, drawn


def _step(step: Payload, names: Mapping[str, str]) -> StepLine:
    words, colour = STEPS.get(str(step["status"]), (str(step["status"]), "gray"))
    return StepLine(
        number=int(step["number"]),
        node=str(step["node"]),
        name=names.get(str(step["node"])) or str(step.get("name") or step["kind"]),
        kind=str(step["kind"]),
        status=str(step["status"]),
        words=words,
        colour=colour,
        way=str(step.get("way") or ""),
        error=str(step.get("error") or ""),
        lasted=in_time(step.get("ms")),
    )


def _pair(
    found: executions.StepComparison, names: Mapping[str, str], first: Graph, second: Graph
) -> StepPair:
    pairs = ((found.before, first), (found.after, second))
    then, now = (_step(_brief(one, graph), names) if one else None for one, graph in pairs)
    either = now or then
    alike = StepPair(found.node, either.name if either else "", _did(then), _did(now), True)
    if found.is_same:
        return alike
    outputs = [_written(one["output"]) if one else "" for one, _ in pairs]
    is_told = then is not None and now is not None and outputs[0] != outputs[1]
    before, after = outputs if is_told else ("", "")
    return replace(alike, is_same=False, output_before=before, output_after=after)


def _written(output: Any) -> str:
    text = output if isinstance(output, str) else orjson.dumps(plain(output)).decode()
    return text if len(text) <= LONGEST_OUTPUT else f"{text[:LONGEST_OUTPUT]}…"


def _did(step: StepLine | None) -> str:
    if step is None:
        return "not taken"
    through = f", through “{step.way}”" if step.way else ""
    return f"{step.words}{through}"


def _title(kind: str) -> str:
    found = next((one for one in rules.catalogue() if one.kind == kind), None)
    return found.title if found else kind


def _version(row: Any) -> str:
    return f"Version {row.version_number}" if row.version_number else "Draft"


def _lasted(started: datetime | None, ended: datetime | None) -> str:
    if started is None or ended is None:
        return ""
    return in_time((ended - started).total_seconds() * 1000)


def in_time(ms: float | None) -> str:
    """A length of time as people read it."""
    if ms is None:
        return ""
    if ms < 1000:
        return f"{round(ms)} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes = round(ms / 60_000)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"


def _own_ports(graph: Graph) -> dict[str, list[Payload]]:
    own = {one.kind for one in rules.catalogue() if one.has_own_outputs}
    return {node.id: plain(rules.outputs_of(node)) for node in graph.nodes if node.kind in own}


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("id", "That run no longer exists.") from None


def _number(wanted: Payload) -> int:
    number = wanted.get("number")
    return number if isinstance(number, int) else 0


def _json(text: str) -> Any:
    try:
        return orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise Invalid("given", f"That is not JSON: {error.msg}, line {error.lineno}.") from None
