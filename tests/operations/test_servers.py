"""The throw-away servers of a test run end with it, however it ends."""

import os
import subprocess
import sys
from pathlib import Path

from aerostic.operations.keeper import MARK
from aerostic.operations.processes import is_alive
from tests.operations.waiting import wait_until
from tests.servers import ALREADY_STARTED

PROGRAM = """
import subprocess, sys, time
from tests.servers import start_servers
first, second = start_servers(), start_servers()
assert first.app_url == second.app_url
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(first.data_dir, child.pid, flush=True)
time.sleep(600)
"""


def test_a_killed_test_run_leaves_no_process_and_no_folder() -> None:
    clean = {k: v for k, v in os.environ.items() if k not in {ALREADY_STARTED, MARK}}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, env=clean
    ) as run:
        assert run.stdout
        folder, child = run.stdout.readline().split()
        lock = Path(folder) / "postgres" / "cluster" / "postmaster.pid"
        postmaster = int(lock.read_text().partition("\n")[0])
        assert is_alive(postmaster)
        run.kill()
    wait_until(lambda: not is_alive(postmaster), "PostgreSQL ends")
    wait_until(lambda: not is_alive(int(child)), "what the tests started ends")
    wait_until(lambda: not Path(folder).exists(), "the folder is removed")
