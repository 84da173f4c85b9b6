"""The pages as the browser gets them: built once, and again only when what they are made of changed."""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aerostic.operations import console
from aerostic.operations.configuration import ROOT
from aerostic.operations.errors import OperationError, explained

SOURCES = (
    "aerostic/*.py",
    "aerostic/pages/**/*",
    "aerostic/state/**/*",
    "aerostic/components/**/*",
    "assets/**/*",
    "reflex.lock/*",
    "rxconfig.py",
    ".npmrc",
    "requirements.txt",
)
# What the build itself puts among the sources.
BUILT = ("assets/external/",)
BUILD_SECONDS = 600


def built_pages(root: Path = ROOT) -> Path:
    return root / ".web" / "build" / "client"


def fingerprint(root: Path = ROOT, *, lock: bool = True) -> str:
    """A digest over every source of the pages: names and contents. The build may rewrite the lock."""
    digest = hashlib.sha256()
    for file in _sources(root):
        name = file.relative_to(root).as_posix()
        if name.startswith("reflex.lock/") and not lock:
            continue
        digest.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources(root: Path) -> list[Path]:
    found = {file for pattern in SOURCES for file in root.glob(pattern) if file.is_file()}
    return sorted(
        file
        for file in found
        if "__pycache__" not in file.parts
        and not file.relative_to(root).as_posix().startswith(BUILT)
    )


def is_current(root: Path = ROOT) -> bool:
    """Whether the built pages are those of the sources as they are now."""
    try:
        stamp = json.loads(_stamp(root).read_text())
    except (OSError, ValueError):
        return False
    return stamp == {"sources": fingerprint(root)} and (built_pages(root) / "index.html").exists()


def _stamp(root: Path) -> Path:
    return root / ".web" / "aerostic.json"


def build(log: Path, environment: Mapping[str, str], root: Path = ROOT) -> None:
    """Build the pages. Raises OperationError with what the tools said last."""
    with explained(root), _alone(root):
        if is_current(root):  # another start built them while we waited
            return
        _stamp(root).unlink(missing_ok=True)
        before = fingerprint(root, lock=False)
        _run(log, environment, root)
        if (
            fingerprint(root, lock=False) == before
        ):  # else someone edited meanwhile: build again next time
            _stamp(root).write_text(json.dumps({"sources": fingerprint(root)}))


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Two starts from one checkout must not build into one folder at a time."""
    (root / ".tools").mkdir(exist_ok=True)
    with (root / ".tools" / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


TRIES = 3
# React Router gives each page ten seconds to be drawn: too few while a small machine is busy.
TOO_BUSY = "aborted due to timeout"


def _run(log: Path, environment: Mapping[str, str], root: Path) -> None:
    for _ in range(TRIES):
        worked = _export(log, environment, root)
        if worked or TOO_BUSY not in log.read_text(errors="replace"):
            break
    if not worked:
        raise OperationError(_failure_in_words(log))


def _export(log: Path, environment: Mapping[str, str], root: Path) -> bool:
    """Whether the pages are there afterwards."""
    log.parent.mkdir(parents=True, exist_ok=True)
    reflex = Path(sys.executable).with_name("reflex")
    command = [str(reflex), "export", "--frontend-only", "--no-zip", "--env", "prod"]
    with log.open("w") as output:
        try:
            done = subprocess.run(
                command,
                cwd=root,
                env=_build_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=BUILD_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise OperationError(
                f"Building the pages took more than {BUILD_SECONDS // 60} minutes; see {log}."
            ) from error
    return done.returncode == 0 and (built_pages(root) / "index.html").exists()


def _failure_in_words(log: Path) -> str:
    said = log.read_text(errors="replace")
    if "ENOSPC" in said or "No space left on device" in said:
        return "The disk is full: the pages could not be built. Free some space and start again."
    if any(sign in said for sign in ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")):
        return (
            "The pages could not be built because the npm registry could not be reached. "
            f"Check the network (or NPM_CONFIG_REGISTRY) and start again. The whole log: {log}"
        )
    last = "\n".join(f"  {line}" for line in said.strip().splitlines()[-20:])
    return f"The pages could not be built. The whole log: {log}. Its end:\n{last}"


def _build_environment(environment: Mapping[str, str]) -> dict[str, str]:
    tools = str(Path(sys.executable).parent)
    path = os.pathsep.join((tools, os.environ.get("PATH", "")))
    registry = os.environ.get("NPM_CONFIG_REGISTRY") or _configured_registry(path)
    chosen = {"NPM_CONFIG_REGISTRY": registry} if registry else {}
    # A company's own certificate authority is in the system's store, which Node does not read by itself.
    chosen["NODE_USE_SYSTEM_CA"] = os.environ.get("NODE_USE_SYSTEM_CA", "1")
    return {**os.environ, **environment, **chosen, "PATH": path, "REFLEX_ENV_MODE": "prod"}


def _configured_registry(path: str) -> str:
    """What npm would use anyway. Told, Reflex does not measure mirrors first."""
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise OperationError(
            "Node is missing from the Python packages on this kind of machine. "
            "Install Node 22.22 or newer with npm, and start again."
        )
    asked = [npm, "config", "get", "registry"]
    told = subprocess.run(
        asked, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    return told.stdout.strip() if told.stdout.startswith("http") else ""


def placeholder_settings() -> dict[str, str]:
    """Enough settings to compile the pages without a database, as in an image. For nothing else."""
    nowhere = "127.0.0.1:1/none"
    return {
        "AEROSTIC_SECRET_KEY": "only-for-building-the-pages",
        "AEROSTIC_ENCRYPTION_KEYS": "build:" + base64.urlsafe_b64encode(bytes(32)).decode(),
        "AEROSTIC_DATABASE_URL": f"postgresql://{nowhere}",
        "AEROSTIC_DATABASE_OWNER_URL": f"postgresql://{nowhere}",
        "AEROSTIC_REDIS_URL": "redis://127.0.0.1:1/0",
    }


def build_if_needed(log: Path, environment: Mapping[str, str]) -> None:
    """Build with a progress line, or do nothing when the pages are current."""
    if is_current():
        return
    with console.step("Building the pages"):
        build(log, environment)
