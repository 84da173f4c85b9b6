"""The second net: a tiny process that cleans up after its parent, however that dies.

It reads lines from a pipe. When the pipe closes without a farewell, the parent was killed: everything that
carries the run's mark is stopped in reverse order, then ended, wherever it sits in the process tree.
Standard library only, and run without site-packages, so that it costs next to nothing.

A mark is a unique word in a process's environment or command line. It finds grandchildren that sessions
and process groups lose: work horses, and PostgreSQL's back ends, which each open a session of their own.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

MARK = "AEROSTIC_RUN_MARK"
PATIENCE_SECONDS = 10.0


class Keeper:
    """The parent's side: tell it what was started, say farewell at the end."""

    def __init__(
        self,
        mark: str,
        *,
        holding: tuple[int, ...] = (),
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`holding`: descriptors of locks that must stay held until the clean-up is done."""
        self.mark = mark
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal is not for it
            pass_fds=holding,
            text=True,
        )
        self._tell(mark=mark, patience=patience_seconds)

    @property
    def pid(self) -> int:
        return self._process.pid

    def started(self, pid: int, stop_signal: signal.Signals) -> None:
        self._tell(started=pid, signal=int(stop_signal))

    def ended(self, pid: int) -> None:
        self._tell(ended=pid)

    def remove(self, path: Path) -> None:
        """A file or folder to delete, should we be killed."""
        self._tell(remove=str(path))

    def farewell(self) -> None:
        """Everything is stopped; the keeper ends without touching anything."""
        self._tell(farewell=True)
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, **words: object) -> None:
        assert self._process.stdin
        with contextlib.suppress(
            BrokenPipeError
        ):  # someone ended the keeper: we go on without a net
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()


def marked_processes(mark: str) -> list[int]:
    """Every living process that carries the mark, except this one."""
    if sys.platform == "linux":
        return [pid for pid in _all_pids() if pid != os.getpid() and _carries(pid, mark.encode())]
    shown = subprocess.run(
        ["ps", "-axEwwo", "pid=,command="], capture_output=True, text=True
    ).stdout
    found = [int(line.split()[0]) for line in shown.splitlines() if mark in line]
    return [pid for pid in found if pid != os.getpid()]


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _carries(pid: int, mark: bytes) -> bool:
    for file in ("cmdline", "environ"):  # a zombie has neither
        try:
            if mark in Path(f"/proc/{pid}/{file}").read_bytes():
                return True
        except OSError:
            continue
    return False


def end_marked(mark: str) -> None:
    """End every process with the mark, and those that they start meanwhile."""
    for _ in range(200):
        living = marked_processes(mark)
        if not living:
            return
        for pid in living:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.02)


def _signal(pid: int, how: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, how)


def _watch() -> None:
    mark, patience = "", PATIENCE_SECONDS
    children: dict[int, int] = {}
    files: list[str] = []
    for line in sys.stdin:
        words = json.loads(line)
        mark, patience = words.get("mark", mark), words.get("patience", patience)
        if "started" in words:
            children[words["started"]] = words["signal"]
        children.pop(words.get("ended"), None)
        files += [words["remove"]] if "remove" in words else []
        if "farewell" in words:
            return
    _stop(mark, children, patience)
    _remove(files)


def _stop(mark: str, children: dict[int, int], patience: float) -> None:
    deadline = time.monotonic() + patience
    for pid, how in reversed(children.items()):  # newest first: what serves others goes last
        if _carries_or_unknown(pid, mark):
            _signal(pid, how)
    while marked_processes(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    end_marked(mark)


def _remove(files: list[str]) -> None:
    for file in files:
        if os.path.isdir(file):
            shutil.rmtree(file, ignore_errors=True)
        elif os.path.exists(file):
            os.unlink(file)


def _carries_or_unknown(pid: int, mark: str) -> bool:
    """Process ids are reused: only what carries the mark is ours."""
    return sys.platform != "linux" or _carries(pid, mark.encode())


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _watch()
