"""The supervisor, over real processes: order, readiness, restart, stop, and nothing left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerostic.operations.keeper import marked_processes
from aerostic.operations.processes import is_alive
from tests.operations.waiting import wait_until

pytestmark = pytest.mark.crash

# A supervised process writes what happens to it into a journal, and can start a stubborn grandchild in a
# session of its own, as work horses and database back ends do.
CHILD = """
import os, signal, subprocess, sys, time
from pathlib import Path
name, place, how = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
def note(word):
    with (place / "journal").open("a") as journal:
        journal.write(f"{name} {word}\\n")
def stop(*_):
    note("stopped")
    if "stubborn" not in how:
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
if "grandchild" in how:
    grandchild = subprocess.Popen([sys.executable, "-c",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"],
        start_new_session=True)
    (place / f"{name}.grandchild").write_text(str(grandchild.pid))
note("started")
(place / f"{name}.pid").write_text(str(os.getpid()))
if "broken" in how:
    print("the cup is cracked", flush=True)
    sys.exit(3)
time.sleep(0.2)
(place / f"{name}.ready").touch()
while True:
    time.sleep(600)
"""

SUPERVISOR = """
import asyncio, os, signal, sys
from pathlib import Path
from aerostic.operations.errors import OperationError
from aerostic.operations.supervisor import Service, Stopped, Supervisor
place = Path(sys.argv[1])
def service(name, *how):
    async def is_ready():
        return (place / f"{name}.ready").exists()
    def before_start():
        (place / f"{name}.ready").unlink(missing_ok=True)
    return Service(name, (sys.executable, "-c", os.environ["CHILD"], name, str(place), *how),
        is_ready=is_ready, before_start=before_start, grace_seconds=2)
async def main():
    async with Supervisor(place / "logs", base=dict(os.environ), patience_seconds=1) as supervisor:
        (place / "mark").write_text(supervisor.mark)
        for group in sys.argv[2:]:
            await supervisor.start(*(service(*one.split(":")) for one in group.split(",")))
        print("all ready", flush=True)
        await supervisor.until_stopped()
try:
    asyncio.run(main())
except OperationError as problem:
    print(problem, flush=True)
    sys.exit(1)
"""


class Run:
    """A supervisor in a process of its own, and what its children wrote."""

    def __init__(self, place: Path, *groups: str) -> None:
        self.place = place
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, str(place), *groups],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "CHILD": CHILD, "PYTHONUNBUFFERED": "1"},
        )
        self.printed = ""

    def until_ready(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed += line
            if line == "all ready\n":
                return
        pytest.fail(f"it never was ready:\n{self.printed}")

    def end(self) -> int:
        self.printed += self.process.communicate(timeout=30)[0]
        return self.process.returncode

    def journal(self) -> list[str]:
        return (self.place / "journal").read_text().splitlines()

    def pid(self, name: str) -> int:
        return int((self.place / name).read_text())

    def marked(self) -> list[int]:
        return marked_processes((self.place / "mark").read_text())


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[list[Run]]:
    started: list[Run] = []
    yield started
    for run in started:
        run.process.kill()
        run.process.communicate()
        wait_until(lambda run=run: run.marked() == [], "the keeper has cleaned up")  # type: ignore[misc]


def start(runs: list[Run], place: Path, *groups: str) -> Run:
    run = Run(place, *groups)
    runs.append(run)
    return run


def test_each_group_starts_when_the_one_before_is_ready_and_stops_in_reverse(
    runs: list[Run], tmp_path: Path
) -> None:
    run = start(runs, tmp_path, "database", "web", "worker")
    run.until_ready()
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 0
    assert run.journal() == [
        "database started",
        "web started",
        "worker started",
        "worker stopped",
        "web stopped",
        "database stopped",
    ]
    assert run.marked() == []


def test_a_killed_child_starts_again_without_what_it_left(runs: list[Run], tmp_path: Path) -> None:
    run = start(runs, tmp_path, "worker:grandchild")
    run.until_ready()
    first, left = run.pid("worker.pid"), run.pid("worker.grandchild")
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: run.journal().count("worker started") == 2, "it starts again")
    assert not is_alive(left)
    wait_until(lambda: run.pid("worker.grandchild") != left, "the second has its own")
    run.process.terminate()
    assert run.end() == 0
    assert "ended with SIGKILL; starting again in 0.5 s" in run.printed
    assert run.marked() == []


def test_a_child_that_keeps_dying_is_given_longer_and_longer(
    runs: list[Run], tmp_path: Path
) -> None:
    run = start(runs, tmp_path, "worker")
    run.until_ready()
    for turn in range(1, 4):
        wait_until(lambda turn=turn: run.journal().count("worker started") == turn, "it starts")  # type: ignore[misc]
        wait_until((tmp_path / "worker.ready").exists, "it is ready")
        os.kill(run.pid("worker.pid"), signal.SIGKILL)
        wait_until(lambda: not is_alive(run.pid("worker.pid")), "it is dead")
        (tmp_path / "worker.ready").unlink(missing_ok=True)
    wait_until(lambda: run.journal().count("worker started") == 4, "it starts")
    run.process.terminate()
    run.end()
    waits = [line.split(" in ")[1] for line in run.printed.splitlines() if "starting again" in line]
    assert waits == ["0.5 s", "1.0 s", "2.0 s"]


def test_one_that_never_works_stops_the_start_with_its_last_words(
    runs: list[Run], tmp_path: Path
) -> None:
    run = start(runs, tmp_path, "database", "web:broken", "worker")
    assert run.end() == 1
    assert "web could not start (exit code 3). Its last words:\n  the cup is cracked" in run.printed
    assert run.journal() == ["database started", "web started", "database stopped"]
    assert run.marked() == []


def test_one_that_will_not_stop_is_ended(runs: list[Run], tmp_path: Path) -> None:
    run = start(runs, tmp_path, "database", "worker:stubborn:grandchild")
    run.until_ready()
    run.process.terminate()
    assert run.end() == 0
    assert "did not stop within 2 s: ending it" in run.printed
    assert run.journal()[-2:] == ["worker stopped", "database stopped"]
    assert run.marked() == []


def test_a_killed_supervisor_leaves_nothing(runs: list[Run], tmp_path: Path) -> None:
    run = start(runs, tmp_path, "database", "worker:stubborn:grandchild")
    run.until_ready()
    left = [run.pid("database.pid"), run.pid("worker.pid"), run.pid("worker.grandchild")]
    assert all(is_alive(pid) for pid in left)
    run.process.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in left), "everything is gone")
    assert run.marked() == []


def test_children_are_told_to_stop_even_when_the_keeper_is_killed_too(
    runs: list[Run], tmp_path: Path
) -> None:
    run = start(runs, tmp_path, "database")
    run.until_ready()
    for keeper in _children_of(run.process.pid, containing=b"keeper.py"):
        os.kill(keeper, signal.SIGKILL)
    run.process.kill()
    wait_until(lambda: run.journal()[-1] == "database stopped", "the kernel told it")


def _children_of(parent: int, *, containing: bytes) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    found = [int(pid) for pid in listed if containing in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert found
    return found
