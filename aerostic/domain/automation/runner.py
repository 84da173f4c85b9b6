"""Walks runs: many at once in one event loop, each until it ends, rests, or is another process's.

What a step may do when the process dies in the middle of it depends on its way (`nodes/base.py`): an
`Instant` is done again, a `Change` was written with its step or not at all, a `Call` was announced before
and becomes unknown.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from aerostic.core import clock, live
from aerostic.core.ids import new_id
from aerostic.core.lanes import LanePool
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.automation import engine, recorded, saving, scope, taking, walking
from aerostic.domain.automation.actor import AUTOMATION
from aerostic.domain.automation.attempts import Attempt, Lost
from aerostic.domain.automation.models import ExecutionMode, ExecutionStatus
from aerostic.domain.automation.nodes.base import (
    Call,
    Change,
    Instant,
    NodeFailed,
    Outcome,
    Outside,
    Reply,
    Step,
    SubRun,
    Trigger,
)
from aerostic.domain.automation.outside import Reach
from aerostic.domain.automation.plans import Plans
from aerostic.domain.automation.runs import Run
from aerostic.domain.automation.saver import NO_DATABASE, Saver
from aerostic.domain.automation.walking import Taking
from aerostic.integrations.gemini import client as gemini

log = logging.getLogger(__name__)

R = TypeVar("R")

THREADS = 6  # for changes: each has a connection of its own
CALL_SECONDS = 60
FIRST_PAUSE = 0.5  # seconds before the second try of a call; twice as long before each further one
CHANGE_TRIES = 4
ANNOUNCE_EVERY = 0.1
MANY = 20  # runs of one workspace in a moment: pages are told once
RENEW_EVERY = saving.LEASE.total_seconds() / 3


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run stands when it is left: over, or resting."""

    status: str
    response: dict[str, Any] | None
    reason: str = ""


@dataclass(eq=False)
class Runner:
    """Belongs to one event loop. `outside` makes what calls may use: tests give one of their own."""

    pool: LanePool
    outside: Callable[["Runner", Run, Step], Outside] = Reach
    plans: Plans = field(default_factory=Plans)
    holder: str = field(default_factory=lambda: f"automation-{new_id()}")
    saver: Saver = field(init=False)
    walked: dict[UUID, Run] = field(default_factory=dict)
    _answers: dict[UUID, asyncio.Future[Finished]] = field(default_factory=dict)
    _changed: dict[UUID, set[UUID]] = field(default_factory=dict)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="automation")
    )
    _renewing: asyncio.Task[None] | None = None
    _announcing: asyncio.TimerHandle | None = None
    _client: Any = None

    def __post_init__(self) -> None:
        self.saver = Saver(self.holder)

    # Taking ---------------------------------------------------------------------------------------

    async def run(self, tenant_id: UUID, execution_id: UUID) -> Finished | None:
        """Walk one run, if nobody else does and it is its time. None: there was nothing to do."""
        for run in await self.take(tenant_id, [execution_id]):
            await self.walk(run)
            return Finished(run.status, run.response, run.reason)
        return None

    async def take(
        self, tenant_id: UUID, ids: Iterable[UUID], *, is_claimed: bool = False
    ) -> list[Run]:
        """Runs that are ours from now on: walk them."""
        wanted = [one for one in ids if one not in self.walked]
        if not wanted:
            return []
        return await taking.take(
            self.pool, self.plans, tenant_id, wanted, holder=self.holder, is_claimed=is_claimed
        )

    async def answer(self, run: Run, patience: float) -> Finished:
        """Walk a new run, and return as soon as its answer, its end or its rest is committed.

        What is left of it goes on. After `patience` seconds it goes on without anybody who waits.
        """
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Finished] = loop.create_future()
        self._answers[run.id] = answered
        enough = loop.call_later(patience, _wait_no_more, answered)
        task = loop.create_task(self.walk(run))
        task.add_done_callback(partial(self._left, run, answered))
        try:
            return await answered
        finally:
            enough.cancel()
            self._answers.pop(run.id, None)

    def _left(self, run: Run, answered: asyncio.Future[Finished], task: asyncio.Task[None]) -> None:
        if answered.done() or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("a run broke", exc_info=error)
            answered.set_exception(Lost(str(error)))
        elif run.is_new or run.status != run.written:
            answered.set_exception(Lost("the run was not kept"))
        else:
            answered.set_result(Finished(run.status, run.response, run.reason))

    async def walk(self, run: Run) -> None:
        """Step by step until it ends, rests, or is lost. Nothing of it is half written."""
        self.walked[run.id] = run
        self._keep_renewing()
        try:
            await self._walk(run)
        except (Lost, *NO_DATABASE) as lost:
            log.info("run %s is left to others: %s", run.id, lost)
        except psycopg.Error as error:
            log.error("run %s can not be written down", run.id, exc_info=error)
        finally:
            self.walked.pop(run.id, None)

    async def _walk(self, run: Run) -> None:
        if run.was_interrupted and run.calling:
            run.resting = {"number": run.calling["number"]}
            walking.doubt(run, walking.begin(run, clock.now()))
        while run.status == ExecutionStatus.RUNNING:
            if reason := walking.guard(run):
                walking.stop(run, reason)
                break
            child = await self._step(run)
            if child is not None:
                await self._walk_child(run, child)
                return
        if run.records or run.status != run.written:
            await self._save(run)

    async def _walk_child(self, run: Run, child: Run) -> None:
        """Its end makes its caller ready; we go on with that, unless somebody else already does."""
        child.caller_goes_on = True
        await self.walk(child)
        if not child.is_over:
            return
        self.walked.pop(run.id, None)  # it rests
        for caller in await self.take(run.tenant_id, [run.id]):
            await self.walk(caller)
            run.become(caller)

    # A step ---------------------------------------------------------------------------------------

    async def _step(self, run: Run) -> Run | None:
        """Take one step. Returns a run that it begins and waits for."""
        taking = walking.begin(run, clock.now())
        child: Run | None = None
        attempt = Attempt()
        with attempt:
            child = await self._take(run, taking)
        if attempt.passes is not None:
            raise Lost(str(attempt.passes)) from attempt.passes
        if attempt.failure is not None:
            walking.fail(run, taking, attempt.failure)
        return child

    async def _take(self, run: Run, taking: Taking) -> Run | None:
        """Raises whatever the node raises."""
        kind = taking.place.kind
        if run.resting and run.awaits == "time":
            walking.settle(run, taking, Outcome(output=run.resting.get("output")))
            return None
        if run.reply and run.reply.get("child"):
            walking.settle(run, taking, engine.result_of(run.reply["child"]))
            return None
        if run.reply and run.reply.get("chosen"):
            _settle_doubt(run, taking, run.reply["chosen"])
            return None
        if not issubclass(kind, Trigger):
            taking.config, taking.warnings = taking.place.configured(taking.step.scope)
        if run.mode == ExecutionMode.RECORDED and not recorded.is_harmless(kind):
            outcome = await self.in_thread(recorded.outcome, run, taking)
            walking.settle(run, taking, outcome, status="recorded")
            return None
        if issubclass(kind, Change):
            if kind.prepares:
                await self._save(run)  # it may last, and is taken again where we die meanwhile
                taking.config = await self._asked(run, taking, kind.prepare, CALL_SECONDS)
            await self._change(run, taking, kind)
            return None
        return await self._settle(run, taking, await self._outcome(run, taking, kind))

    async def _outcome(self, run: Run, taking: Taking, kind: type[Any]) -> Outcome:
        if issubclass(kind, Call):
            return await self._call(run, taking, kind)
        if issubclass(kind, Trigger):
            return Outcome(output=_told(run))
        if not issubclass(kind, Instant):
            raise NodeFailed("This equips an agent and is no step of a run.")
        if run.resting:
            return kind.resume(taking.step, taking.config, _reply(run))
        return kind.run(taking.step, taking.config)

    async def _settle(self, run: Run, taking: Taking, outcome: Outcome) -> Run | None:
        if outcome.call_workflow is not None:
            return await self._begin_child(run, taking, outcome.call_workflow)
        is_recorded = run.mode == ExecutionMode.RECORDED and outcome.wait is not None
        walking.settle(run, taking, outcome, status="recorded" if is_recorded else "done")
        if outcome.respond is not None and run.status == ExecutionStatus.RUNNING:
            await self._save(run)  # who waits for the answer does not wait for the rest
        return None

    async def _begin_child(self, run: Run, taking: Taking, called: SubRun) -> Run:
        child = await self.in_thread(
            engine.begin_child, run, taking, called, self.plans, self.holder
        )
        if child is None:
            raise Lost("it is another process's")
        return child

    async def call_as_tool(self, run: Run, called: SubRun) -> Outcome:
        """Run another workflow to its end inside of a step. Raises NodeFailed where it has to wait."""

        def child_of() -> Run:
            with unit_of_work(run.tenant_id, AUTOMATION) as ctx:
                return engine.child_of(ctx, run, called, self.plans)

        child = await self.in_thread(child_of)
        child.parent_id = None  # nobody rests for it: this step waits itself
        await self.walk(child)
        if not child.is_over:
            raise NodeFailed(
                "The workflow that was called waits for something, and an agent can not."
            )
        told = {"status": child.status, "reason": child.reason, "result": engine.result(child)}
        return engine.result_of(told)

    # Changes: one transaction each, in a thread

    async def _change(self, run: Run, taking: Taking, kind: type[Change]) -> None:
        """What the node does and the step's line in one transaction. Deadlocks are tried again."""
        for turn in range(1, CHANGE_TRIES + 1):
            attempt = Attempt()
            with attempt:
                await self.in_thread(self._change_now, run, taking, kind)
            if attempt.failure is not None:
                raise attempt.failure
            if attempt.passes is None:
                break
            if turn == CHANGE_TRIES or isinstance(attempt.passes, Lost):
                raise attempt.passes
            await asyncio.sleep(turn * FIRST_PAUSE / 10)
        self._is_written(run)

    def _change_now(self, run: Run, taking: Taking, kind: type[Change]) -> None:
        after = run.copy()
        with unit_of_work(run.tenant_id, AUTOMATION) as ctx:
            if not run.is_new and not engine.hold(ctx, run, self.holder):
                raise Lost("it is another process's")
            if run.resting:
                outcome = kind.resume(ctx, taking.step, taking.config, _reply(run))
            else:
                outcome = kind.change(ctx, taking.step, taking.config)
            ctx.session.flush()
            walking.settle(after, taking, outcome)
            about = (after.conversation_id, after.contact_id, after.number_id)
            after.around = scope.look_around(ctx, *about)
            if not engine.save(ctx, after, self.holder):
                raise Lost("it is another process's")
        saving.saved(after)
        run.become(after)

    # Calls: announced, made, recorded

    async def _call(self, run: Run, taking: Taking, kind: type[Call]) -> Outcome:
        node = taking.place.node
        if not kind.reads_only:
            run.calling = {"node": node.id, "number": taking.number}
            await self._save(run)
        seconds = getattr(kind, "seconds", CALL_SECONDS)
        return await self._asked(run, taking, kind.call, seconds)

    async def _asked(
        self, run: Run, taking: Taking, ask: Callable[..., Awaitable[R]], seconds: float
    ) -> R:
        """Ask the outside for a step, as often as its node may try. Raises NodeFailed."""
        node, reach = taking.place.node, self.outside(self, run, taking.step)
        while True:
            attempt = Attempt()
            with attempt:
                async with asyncio.timeout(seconds):
                    return await ask(taking.step, taking.config, reach)
            failure = attempt.failure or NodeFailed("The database did not answer.", may_pass=True)
            if not failure.may_pass or taking.tries > node.retries:
                raise failure
            await asyncio.sleep(FIRST_PAUSE * 2 ** (taking.tries - 1))
            taking.tries += 1

    # Writing down ---------------------------------------------------------------------------------

    async def _save(self, run: Run) -> None:
        """Commit what the run has done since the last time. Raises Lost, psycopg.Error."""
        if run.parent_id and run.is_over:
            is_ours = await self.in_thread(self._save_with_parent, run)
        else:
            is_ours = await self.saver.save(run)
        if not is_ours:
            raise Lost("it is another process's, or was cancelled")
        self._is_written(run)

    def _save_with_parent(self, run: Run) -> bool:
        with unit_of_work(run.tenant_id, AUTOMATION) as ctx:
            if not engine.save(ctx, run, self.holder):
                return False
        saving.saved(run)
        return True

    def _is_written(self, run: Run) -> None:
        self._announce(run)
        answered = self._answers.get(run.id)
        if answered is not None and run.response is not None and not answered.done():
            answered.set_result(Finished(run.status, run.response, run.reason))

    def _announce(self, run: Run) -> None:
        """Tell open pages, a few times a second at most."""
        self._changed.setdefault(run.tenant_id, set()).add(run.id)
        if self._announcing is None:
            loop = asyncio.get_running_loop()
            self._announcing = loop.call_later(ANNOUNCE_EVERY, self._announce_now)

    def _announce_now(self) -> None:
        self._announcing = None
        changed, self._changed = self._changed, {}
        self._threads.submit(_tell_pages, changed)

    # Around it ------------------------------------------------------------------------------------

    async def in_thread(self, action: Callable[..., R], *given: Any) -> R:
        """Run what is synchronous off the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, action, *given)

    def client(self) -> Any:
        """The client for calls to the outside: made at the first."""
        if self._client is None:
            from aerostic.integrations.outside.client import OutsideClient

            self._client = OutsideClient()
        return self._client

    def _keep_renewing(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        """Keep the leases of what is walked, while anything is."""
        while True:
            await asyncio.sleep(RENEW_EVERY)
            held = [(run.tenant_id, run.id) for run in self.walked.values() if not run.is_new]
            if not self.walked:
                return
            try:
                await taking.renew(self.pool, held, holder=self.holder)
            except NO_DATABASE as error:
                log.warning("leases could not be renewed: %s", error)

    async def close(self, patience: float = 0) -> None:
        """Let what is walked come to its rest for a while, then leave it to others."""
        deadline = asyncio.get_running_loop().time() + patience
        while self.walked and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
        if self._renewing is not None:
            self._renewing.cancel()
        if self._announcing is not None:
            self._announcing.cancel()
            self._announce_now()
        if self._client is not None:
            await self._client.close()
        await self.saver.close()
        try:
            await taking.release(self.pool, holder=self.holder)
        except NO_DATABASE as error:
            log.warning("runs could not be given back: %s", error)
        self._threads.shutdown(wait=True)
        await gemini.rest()


def _wait_no_more(answered: asyncio.Future[Finished]) -> None:
    if not answered.done():
        answered.set_result(Finished(ExecutionStatus.RUNNING, None))


def _tell_pages(changed: dict[UUID, set[UUID]]) -> None:
    for tenant_id, runs in changed.items():
        ids = [str(one) for one in runs] if len(runs) <= MANY else ["many"]
        live.announce(tenant_id, [("execution", one) for one in ids])


def _settle_doubt(run: Run, taking: Taking, chosen: Mapping[str, Any]) -> None:
    """A person has decided what counts for a call that was interrupted. Raises NodeFailed."""
    if chosen["how"] != "skip":
        raise NodeFailed("The call was interrupted, and a person chose to count it as failed.")
    output = chosen["output"]
    named = NAMED.get(taking.place.node.kind)
    names = {named: output} if named else {}
    walking.settle(run, taking, Outcome(output=output, names=names), status="skipped")


NAMED = {
    "http.request": "apiResponse",
    "google.drive": "driveResult",
    "google.sheets": "sheetData",
}


def _reply(run: Run) -> Reply:
    if run.reply is None:
        return Reply(timed_out=True)
    return Reply(message=run.reply.get("message"))


def _told(run: Run) -> dict[str, Any]:
    """What a trigger puts out: what the run was given."""
    return {name: run.given[name] for name in TOLD if name in run.given}


TOLD = ("message", "reaction", "webhookPayload", "input", "trigger")
