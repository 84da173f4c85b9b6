"""The folder that holds everything an installation makes: databases, media, secrets, logs.

One `up` or one command that starts servers owns it at a time; the others read from `runtime.json` where
the owner's servers are.
"""

import base64
import fcntl
import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerostic.operations import console
from aerostic.operations.errors import OperationError, explained
from aerostic.operations.postgres import write_private
from aerostic.operations.processes import is_alive

NEEDED_BYTES = 300_000_000
ENDING_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Secrets:
    """What development generates once. Production is given its own and never reads these."""

    secret_key: str
    encryption_keys: str
    meta_app_secret: str
    meta_verify_token: str
    metrics_token: str
    demo_password: str


class DataDirectory:
    """The folder and the right to use it."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: int | None = None

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    # Ownership

    def make(self) -> None:
        """Make the folder, private to this user, and see that it can be written."""
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(
                0o711
            )  # its own subfolders are private; the server's user must pass through
            write_private(self.path / ".probe", "x")
            (self.path / ".probe").unlink()
        free = shutil.disk_usage(self.path).free
        if free < NEEDED_BYTES:
            raise OperationError(
                f"The disk is full: {self.path} has {free // 1_000_000} MB left and the start needs "
                f"about {NEEDED_BYTES // 1_000_000} MB. Free some space or choose --data-dir elsewhere."
            )

    def take(self) -> int:
        """Become its only owner, until this process ends. Returns the lock, for the keeper to hold too."""
        with explained(self.path):
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._wait_for(lock)
        except OperationError:
            os.close(lock)
            raise
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock
        return lock

    def _wait_for(self, lock: int) -> None:
        deadline, told = time.monotonic() + ENDING_SECONDS, False
        while not _locks(lock):
            owner = self._owner(lock)
            if (owner and is_alive(owner)) or time.monotonic() > deadline:
                raise OperationError(self._taken(owner))
            if not told:
                console.say("Another Aerostic on this folder is just ending; waiting for it …")
                told = True
            time.sleep(0.1)

    def _owner(self, lock: int) -> int:
        written = os.pread(lock, 20, 0).strip()
        return int(written) if written.isdigit() else 0

    def _taken(self, owner: int) -> str:
        runtime = self.runtime()
        where = f" at {runtime['url']}" if runtime and runtime.get("url") else ""
        return (
            f"Aerostic already runs on {self.path}{where} (process {owner or 'unknown'}). "
            "Stop it first, or use another folder with --data-dir."
        )

    def release(self) -> None:
        if self._lock is not None:
            self.forget_runtime()
            os.close(self._lock)
            self._lock = None

    # What the owner tells others

    def write_runtime(self, **told: Any) -> None:
        """Where the owner's servers are. Holds passwords: readable by this user only."""
        write_private(
            self.path / "runtime.json", json.dumps({"pid": os.getpid(), **told}, indent=1)
        )

    def runtime(self) -> dict[str, Any] | None:
        """What the living owner wrote, or None."""
        try:
            told: dict[str, Any] = json.loads((self.path / "runtime.json").read_text())
        except (FileNotFoundError, PermissionError, ValueError):
            return None
        return told if is_alive(int(told["pid"])) else None

    def forget_runtime(self) -> None:
        (self.path / "runtime.json").unlink(missing_ok=True)

    # Secrets

    def secrets(self) -> Secrets:
        """This installation's secrets; what is missing is generated and kept."""
        file = self.path / "secrets.json"
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
            made = {**_new_secrets(), **kept}
            if made != kept:
                write_private(file, json.dumps(made, indent=1))
        return Secrets(**made)


def _new_secrets() -> dict[str, str]:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return {
        "secret_key": secrets.token_urlsafe(48),
        "encryption_keys": f"k1:{key}",
        "meta_app_secret": secrets.token_hex(16),
        "meta_verify_token": secrets.token_urlsafe(24),
        "metrics_token": secrets.token_urlsafe(24),
        "demo_password": "-".join(secrets.token_hex(2) for _ in range(4)),
    }


def _locks(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
