"""What a call may use: the client that refuses private addresses, our own rows, the tools of an agent."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import orjson

from aerostic.core.tenancy import unit_of_work
from aerostic.domain.automation import scope, templates
from aerostic.domain.automation.actor import AUTOMATION
from aerostic.domain.automation.graph import PlacedNode
from aerostic.domain.automation.models import ExecutionMode
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.base import (
    Call,
    Change,
    Instant,
    Node,
    NodeFailed,
    Outcome,
    Step,
    SubRun,
)
from aerostic.domain.automation.plans import read
from aerostic.domain.automation.runs import Run
from aerostic.domain.automation.walking import MOST_STEPS

R = TypeVar("R")

MOST_TOOLS = 200  # uses in one step


class Hands(Protocol):
    """What a step needs of whoever walks its run."""

    async def in_thread(self, action: Callable[..., R], *given: Any) -> R: ...

    async def call_as_tool(self, run: Run, called: SubRun) -> Outcome: ...

    def client(self) -> Any: ...


class Reach:
    """For one step of one run."""

    def __init__(self, runner: Hands, run: Run, step: Step) -> None:
        self._runner, self._run, self._step = runner, run, step
        self._used = 0

    async def ask(self, action: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        """`action(ctx, …)` as the tenant's automation, in a transaction of its own."""

        def asked() -> R:
            with unit_of_work(self._run.tenant_id, AUTOMATION) as ctx:
                return action(ctx, *args, **kwargs)

        return await self._runner.in_thread(asked)

    def http(self) -> Any:
        return self._runner.client()

    async def use(self, node: PlacedNode, given: Mapping[str, Any]) -> Any:
        """Run a node as a tool. Its settings see what the model gave as `input`. Raises NodeFailed.

        It acts in this run: for its contact, in its conversation, with the rights of automation.
        """
        kind = BY_KIND[node.kind]
        self._used += 1
        if self._used > MOST_TOOLS:
            raise NodeFailed(f"One step may use its tools {MOST_TOOLS} times.")
        seen = {**self._step.scope, "input": dict(given), "tool": dict(given)}
        config = read(kind, templates.render(node.config, seen).value)
        step = self._as_tool(node, seen)
        is_recorded = self._run.mode == ExecutionMode.RECORDED
        if is_recorded and not kind.reads_only and not issubclass(kind, Instant):
            return {"recorded": scope.masked(config.model_dump(mode="json"))}
        return self._output(await self._outcome(kind, step, config))

    async def _outcome(self, kind: type[Node], step: Step, config: Any) -> Outcome:
        if issubclass(kind, Change):
            return await self.ask(kind.change, step, config)
        if issubclass(kind, Call):
            return await kind.call(step, config, self)
        if not issubclass(kind, Instant):
            raise NodeFailed(f"“{kind.title}” is nothing that an agent can use.")
        outcome = kind.run(step, config)
        if outcome.call_workflow is None:
            return outcome
        return await self._runner.call_as_tool(self._run, outcome.call_workflow)

    @staticmethod
    def _output(outcome: Outcome) -> Any:
        if outcome.wait is not None:
            raise NodeFailed("This tool waits for something, and an agent can not.")
        return orjson.loads(orjson.dumps(outcome.output, default=str))

    def _as_tool(self, node: PlacedNode, seen: Mapping[str, Any]) -> Step:
        """A step beside the agent's, with a key of its own."""
        mine = self._step
        return Step(
            tenant_id=mine.tenant_id,
            execution_id=mine.execution_id,
            workflow_id=mine.workflow_id,
            number=mine.number * MOST_STEPS + self._used,
            node=node,
            scope=seen,
            now=mine.now,
            conversation_id=mine.conversation_id,
            contact_id=mine.contact_id,
            number_id=mine.number_id,
            depth=mine.depth,
        )
