"""Where a benchmark is measured: servers of its own that keep every promise, and processes on chosen cores.

With two cores or more, what is measured has core 0 to itself; databases and load have core 1.
"""

import base64
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import psycopg

from aerostic.operations import configuration, database
from aerostic.operations.postgres import EmbeddedPostgres
from aerostic.operations.valkey import EmbeddedValkey

MEASURED, AROUND = 0, 1
APP_SECRET = "bench-app-secret"
OURSELVES = (sys.executable, "-m", "aerostic.operations")


class NotPossible(Exception):
    """Something that a benchmark needs is not there: a sentence that says what to install."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Servers that answer, with the schema on them, and the environment of processes that use them."""

    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    folder: Path
    environment: dict[str, str]

    def calm(self) -> None:
        """Write what is dirty, so that no turn pays for the one before it."""
        with psycopg.connect(self.postgres.superuser_url, autocommit=True) as connection:
            connection.execute("checkpoint")

    def count(self, statement: str) -> int:
        """What a counting statement says, past row security: for checking, never for the product."""
        with psycopg.connect(self.postgres.superuser_url, dbname="aerostic") as connection:
            row = connection.execute(statement.encode()).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def stage() -> Iterator[Stage]:
    """A durable PostgreSQL and a Valkey in a folder of their own, gone afterwards."""
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="aerostic-bench-")))
        with on_core(AROUND):
            postgres = EmbeddedPostgres(folder / "postgres")
            postgres.initialise()
            postgres.start()
            started.callback(postgres.stop)
            valkey = EmbeddedValkey(folder / "valkey")
            valkey.initialise()
            valkey.start()
            started.callback(valkey.stop)
        postgres.prepare()
        _check_durable(postgres)
        environment = _environment(postgres, valkey, folder)
        configuration.apply(environment)
        database.migrate()
        yield Stage(postgres, valkey, folder, environment)


def _check_durable(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.superuser_url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            row = connection.execute(f"show {setting}".encode()).fetchone()
            assert row == ("on",), f"{setting} is {row}: the figures would promise too much"


def _environment(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, folder: Path
) -> dict[str, str]:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return {
        "AEROSTIC_ENV": "test",
        "AEROSTIC_SECRET_KEY": secrets.token_urlsafe(48),
        "AEROSTIC_ENCRYPTION_KEYS": f"k1:{key}",
        "AEROSTIC_DATABASE_URL": postgres.app_url,
        "AEROSTIC_DATABASE_OWNER_URL": postgres.owner_url,
        "AEROSTIC_REDIS_URL": valkey.url,
        "AEROSTIC_META_APP_ID": "bench",
        "AEROSTIC_META_APP_SECRET": APP_SECRET,
        "AEROSTIC_META_VERIFY_TOKEN": "verify-me",
        "AEROSTIC_DATA_DIR": str(folder / "data"),
    }


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside runs on this core; on a machine with one core, or not Linux, anywhere."""
    if sys.platform != "linux" or core not in os.sched_getaffinity(0):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(
    command: Sequence[str],
    *,
    core: int | None,
    environment: dict[str, str],
    log: Path,
    folder: Path = configuration.ROOT,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process on a core, ended afterwards with everything that it started."""
    with log.open("wb") as output, ExitStack() as placed:
        if core is not None:
            placed.enter_context(on_core(core))
        process = subprocess.Popen(
            list(command), cwd=folder, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in family:
        if child.is_running():
            child.kill()


def until(
    is_so: Callable[[], bool], *, what: str, seconds: float = 60, every: float = 0.05
) -> None:
    """Wait until it is so. Raises NotPossible, naming what was waited for."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise NotPossible(f"Waited {seconds:.0f} s in vain for {what}.")
        time.sleep(every)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.TransportError:
        return False


def outside() -> dict[str, str]:
    """The environment of a process that is not ours: no setting of this product in it."""
    return configuration.outside()


def cpu_seconds(pid: int) -> float:
    """The processor time of a process and its living children: steady where the machine is shared."""
    parent = psutil.Process(pid)
    spent = [one.cpu_times() for one in (parent, *parent.children(recursive=True))]
    return float(sum(one.user + one.system for one in spent))
