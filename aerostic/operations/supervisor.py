"""Many processes as one: ordered start with readiness, prefixed logs, restart, ordered stop.

What is started carries the run's mark (keeper.py), so that whatever a process leaves behind when it dies
is ended before its successor starts, and nothing outlives the supervisor.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aerostic.operations import console
from aerostic.operations.errors import OperationError
from aerostic.operations.keeper import MARK, PATIENCE_SECONDS, Keeper, end_marked
from aerostic.operations.processes import dies_with_parent

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_AFTER = 30.0  # a process that lived this long starts again without delay
LAST_WORDS = 40
LOG_FILE_BYTES = 10_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """One process to keep running. `is_ready` is asked until it says yes; without it, started is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], Awaitable[bool]] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10
    start_seconds: float = 90
    before_start: Callable[[], None] | None = None
    popen: Mapping[str, Any] = field(default_factory=dict)
    shows_log: bool = True


class _Running:
    """A service and its process of the moment."""

    def __init__(self, service: Service, number: int, log: "LogFile") -> None:
        self.service = service
        self.number = number
        self.log = log
        self.process: asyncio.subprocess.Process | None = None
        self.is_ready = asyncio.Event()
        self.last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self.task: asyncio.Task[None] | None = None


class Supervisor:
    """Keeps services running. Use as `async with`: leaving it stops everything in reverse order."""

    def __init__(
        self,
        logs: Path,
        *,
        base: Mapping[str, str],
        verbose: bool = False,
        holding: tuple[int, ...] = (),
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.mark = f"aerostic-{secrets.token_hex(8)}"
        self.keeper = Keeper(self.mark, holding=holding, patience_seconds=patience_seconds)
        self.logs = logs
        self.base = dict(base)
        self.verbose = verbose
        self.stopping = asyncio.Event()
        self.failure: str | None = None
        self._groups: list[list[_Running]] = []
        self._width = 9

    async def __aenter__(self) -> "Supervisor":
        loop = asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(one, self.stopping.set)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stopping.set()
        for group in reversed(self._groups):
            await asyncio.gather(*(self._stop(running) for running in group))
        await asyncio.to_thread(end_marked, self.mark)
        self.keeper.farewell()

    # Starting

    async def start(self, *services: Service) -> None:
        """Start these together; return when all are ready, or raise with the failed one's last words."""
        count = sum(len(group) for group in self._groups)
        group = [
            _Running(service, count + place, LogFile(self.logs / f"{service.name}.log"))
            for place, service in enumerate(services)
        ]
        self._groups.append(group)
        self._width = max(self._width, *(len(service.name) for service in services))
        for running in group:
            running.task = asyncio.create_task(self._keep_running(running))
        await self._until_ready(group)

    async def _until_ready(self, group: list[_Running]) -> None:
        async def all_ready() -> None:
            for running in group:
                await running.is_ready.wait()

        await self._unless_stopped(all_ready())

    async def until_stopped(self) -> None:
        """Serve until a signal or a failure that no restart can mend."""
        await self.stopping.wait()
        if self.failure:
            raise OperationError(self.failure)

    async def run(self, name: str, *command: str) -> None:
        """Run one command to its end. Raises OperationError with what it said if it fails."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**self.base, MARK: f"{self.mark}-{name}."},
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
        said, _ = await self._unless_stopped(process.communicate())
        if process.returncode:
            raise OperationError(said.decode(errors="replace").strip())

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the work, or raise Stopped as soon as someone asks us to stop."""
        task, stop = asyncio.create_task(work), asyncio.create_task(self.stopping.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            stop.cancel()
            return task.result()
        task.cancel()
        raise Stopped(self.failure)

    # One service's life

    async def _keep_running(self, running: _Running) -> None:
        delay = FIRST_DELAY
        while not self.stopping.is_set():
            began = time.monotonic()
            code = await self._run_once(running)
            if self.stopping.is_set():
                return
            if not running.is_ready.is_set():
                self._give_up(running, code)
                return
            lived = time.monotonic() - began
            delay = FIRST_DELAY if lived > STEADY_AFTER else delay
            self._log(
                running, f"ended with {_code_in_words(code)}; starting again in {delay:.1f} s"
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def _run_once(self, running: _Running) -> int:
        process, output = await self._spawn(running)
        pump = asyncio.create_task(self._pump(running, output))
        ready = asyncio.create_task(self._announce_when_ready(running, process))
        code = await process.wait()
        ready.cancel()
        self.keeper.ended(process.pid)
        # Grandchildren of a process that was killed would hold its port, its lock and our pipe.
        await asyncio.to_thread(end_marked, self._mark_of(running.service))
        await pump
        running.process = None
        return code

    async def _spawn(
        self, running: _Running
    ) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
        """Start the process. Its output is a pipe of ours: asyncio's own would hide that a child is dead
        for as long as a grandchild holds the other end."""
        service = running.service
        if service.before_start:
            await asyncio.to_thread(service.before_start)
        output, its_end = await _open_pipe()
        process = await asyncio.create_subprocess_exec(
            *(part.replace("{mark}", self._mark_of(service)) for part in service.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=its_end,
            stderr=its_end,
            env=self._environment(service),
            start_new_session=True,
            preexec_fn=dies_with_parent(service.stop_signal),
            **service.popen,
        )
        os.close(its_end)
        self.keeper.started(process.pid, service.stop_signal)
        running.process = process
        return process, output

    def _environment(self, service: Service) -> dict[str, str]:
        marked = {MARK: self._mark_of(service), "PYTHONUNBUFFERED": "1"}
        return {**self.base, **service.environment, **marked}

    def _mark_of(self, service: Service) -> str:
        return f"{self.mark}-{service.name}."  # the dot: worker-1 must not match worker-10

    async def _announce_when_ready(
        self, running: _Running, process: asyncio.subprocess.Process
    ) -> None:
        service, began = running.service, time.monotonic()
        while service.is_ready and not await service.is_ready():
            if time.monotonic() - began > service.start_seconds:
                self._log(running, f"not ready after {service.start_seconds:.0f} s: ending it")
                process.kill()
                return
            await asyncio.sleep(0.05)
        if self.verbose or running.is_ready.is_set():
            self._log(running, f"ready in {time.monotonic() - began:.1f} s")
        running.is_ready.set()

    def _give_up(self, running: _Running, code: int) -> None:
        """It never worked: that is a fault in the set-up, and trying again would only hide it."""
        last = "\n".join(f"  {line}" for line in running.last_words) or "  (it said nothing)"
        name, how = running.service.name, _code_in_words(code)
        self.failure = f"{name} could not start ({how}). Its last words:\n{last}"
        self.stopping.set()

    # Stopping

    async def _stop(self, running: _Running) -> None:
        process = running.process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(running.service.stop_signal)
            if running.task:
                await asyncio.wait({running.task}, timeout=running.service.grace_seconds)
        if running.task and not running.task.done():
            self._log(
                running, f"did not stop within {running.service.grace_seconds:.0f} s: ending it"
            )
            await asyncio.to_thread(end_marked, self._mark_of(running.service))
        if running.task:
            await asyncio.gather(running.task, return_exceptions=True)
        running.log.close()

    # Logs

    async def _pump(self, running: _Running, output: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await output.readline()
            except ValueError:  # a line of more than a megabyte
                continue
            if not line:
                return
            self._log(running, line.decode(errors="replace").rstrip(), own=False)

    def _log(self, running: _Running, line: str, *, own: bool = True) -> None:
        running.last_words.append(line)
        running.log.write(line)
        if own or self.verbose or running.service.shows_log:
            console.log_line(running.service.name, line, width=self._width, colour=running.number)


async def _open_pipe() -> tuple[asyncio.StreamReader, int]:
    read_end, write_end = os.pipe()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
    )
    return reader, write_end


class Stopped(OperationError):
    """The start was interrupted: by a person (no text) or by a service that could not start."""

    def __init__(self, why: str | None) -> None:
        super().__init__(why or "Stopped before everything was started.")
        self.by_request = why is None


class LogFile:
    """A process's own log, kept small. A full disk costs lines, never the product."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turn()

    def _turn(self) -> None:
        with contextlib.suppress(OSError):
            if self.path.exists():
                self.path.replace(self.path.with_suffix(".log.1"))
        # Open for as long as the service lives: `close` ends it.
        self._stream = open(self.path, "w", errors="replace", opener=_private)  # noqa: SIM115

    def write(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed, when it could not be turned
            self._stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
            self._stream.flush()
            if self._stream.tell() > LOG_FILE_BYTES:
                self._stream.close()
                self._turn()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _code_in_words(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name
