"""The automation process, made to die (SIGKILL) where a test says, and followed by another each time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_BEGIN = """
import os, signal
from datetime import timedelta
from pathlib import Path
from tests.automation import kinds
from aerostic.domain.automation import runner, saving, taking
kinds.known()
folder = Path(os.environ["TEST_FOLDER"])
saving.LEASE = taking.LEASE = timedelta(seconds=2)
runner.RENEW_EVERY = 0.5

def die_once(mark):
    try:
        os.close(os.open(folder / mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
"""
_SERVE = """
from workers.automation import main

# What was imported is shared; connections and threads are each process's own.
while True:
    child = os.fork()
    if not child:
        main()
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda *_: (os.kill(child, signal.SIGKILL), os._exit(0)))
    _, ended = os.waitpid(child, 0)
    if os.WTERMSIG(ended) != signal.SIGKILL:
        os._exit(1)
    with open(folder / "deaths", "ab", buffering=0) as deaths:
        deaths.write(b"x")
"""


@contextmanager
def automating(folder: Path, where: str) -> Iterator[None]:
    """The real process. `where` is Python that calls `die_once(mark)` at the places that matter."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TEST_FOLDER": str(folder)}
    script = _BEGIN + where + _SERVE
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment)
    try:
        yield
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait()


def deaths(folder: Path) -> int:
    return len((folder / "deaths").read_bytes())
