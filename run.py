#!/usr/bin/env python3
"""Aerostic's one command. Needs Python 3.11 or newer and nothing else.

Makes `.venv` from the locked requirements (only when they changed), then hands over to
`aerostic.operations`. Standard library only, and readable by older Pythons, so that they can be told.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time

OLDEST = (3, 11)
NEWEST = (3, 14)
UV_VERSION = "0.13.9"
ROOT = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(ROOT, ".tools")
ENVIRONMENT = os.path.join(ROOT, ".venv")
STAMP = os.path.join(ENVIRONMENT, "aerostic-stamp.json")
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
NEEDS_DEVELOPMENT = {"test", "check", "bench"}


class CannotStart(Exception):
    """A sentence for the person at the keyboard."""


def main() -> None:
    check_python(sys.version_info[:2])
    arguments = sys.argv[1:]
    wants_development = bool(arguments) and arguments[0] in NEEDS_DEVELOPMENT
    with alone():
        install(wants_development)
    hand_over(arguments)


def check_python(version: tuple[int, int]) -> None:
    """Refuse a Python that the packages do not exist for."""
    if not OLDEST <= version <= NEWEST:
        raise CannotStart(
            f"Aerostic needs Python 3.11 to 3.14; this is {version[0]}.{version[1]} ({sys.executable}). "
            "Run it as `python3.12 run.py`, for example."
        )


class alone:
    """Two first starts at once: the second waits for the first one's packages."""

    def __enter__(self) -> None:
        self.lock = None
        if os.name == "nt":
            return
        import fcntl

        os.makedirs(TOOLS, exist_ok=True)
        self.lock = open(os.path.join(TOOLS, "lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self.lock:
            self.lock.close()


def locks(wants_development: bool) -> list[str]:
    return ["requirements.txt"] + (["requirements-dev.txt"] if wants_development else [])


def wanted_stamp(wants_development: bool, root: str = ROOT) -> dict[str, str]:
    """What `.venv` must have been made from to be used as it is."""
    digests = {}
    for name in locks(wants_development):
        with open(os.path.join(root, name), "rb") as file:
            digests[name] = hashlib.sha256(file.read()).hexdigest()
    return digests


def read_stamp(path: str = STAMP) -> dict[str, str]:
    try:
        with open(path) as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_current(wanted: dict[str, str], found: dict[str, str]) -> bool:
    return all(found.get(name) == digest for name, digest in wanted.items())


def install(wants_development: bool) -> None:
    """Bring `.venv` to the locked state; nothing when it is there already."""
    python = os.path.join(ENVIRONMENT, SCRIPTS, "python")
    found = read_stamp() if works([python, "-c", "0"]) else {}
    if is_current(wanted_stamp(wants_development), found):
        return
    wants_development = wants_development or "requirements-dev.txt" in found
    uv = find_uv()
    if not works([python, "-c", "0"]):
        call([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, ENVIRONMENT])
    files = [os.path.join(ROOT, name) for name in locks(wants_development)]
    # Exactly the locks in an environment of ours; nothing is taken out of one that someone else made.
    command = (
        ["sync", *files] if found else ["install", *(w for name in files for w in ("-r", name))]
    )
    if os.path.exists(STAMP):
        os.unlink(STAMP)
    with progress("Installing Python packages"):
        call(
            [uv, "pip", "--quiet", command[0], "--require-hashes", "--python", python, *command[1:]]
        )
    with open(STAMP, "w") as file:
        json.dump(wanted_stamp(wants_development), file)


def find_uv() -> str:
    """uv, from wherever it can be had: PATH, a private environment, or a private folder."""
    for candidate in (
        shutil.which("uv"),
        tool("environment", SCRIPTS, "uv"),
        tool("uv", "bin", "uv"),
    ):
        if candidate and works([candidate, "--version"]):
            return candidate
    with progress("Fetching the package installer"):
        return fetch_uv()


def tool(*parts: str) -> str:
    return os.path.join(TOOLS, *parts)


def fetch_uv() -> str:
    quiet = ["install", "--quiet", "--disable-pip-version-check", "uv==" + UV_VERSION]
    said = ""
    if works([sys.executable, "-m", "venv", tool("environment")]):
        said = attempt([tool("environment", SCRIPTS, "python"), "-m", "pip", *quiet])
        if not said:
            return tool("environment", SCRIPTS, "uv")
    shutil.rmtree(tool("environment"), ignore_errors=True)
    if works([sys.executable, "-m", "pip", "--version"]):
        # Into a folder of our own: allowed even where the system's packages are managed by others.
        said = attempt([sys.executable, "-m", "pip", *quiet, "--target", tool("uv"), "--upgrade"])
        if not said:
            return tool("uv", "bin", "uv")
    if said:
        raise CannotStart(in_words(said))
    raise CannotStart(
        "This Python has neither venv nor pip, and there is no uv. Install one of them, for example with "
        "`apt install python3-venv` (Debian, Ubuntu), and run the same command again."
    )


def works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, cwd="/").returncode == 0
    except OSError:
        return False


def attempt(command: list[str], **extra: str) -> str:
    """Run it; what it said if it failed, nothing if it worked."""
    environment = dict(clean_environment(), **extra)
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=environment
    )
    return "" if done.returncode == 0 else done.stdout.decode(errors="replace") or "it said nothing"


def call(command: list[str]) -> None:
    said = attempt(command)
    if "certificate" in said:
        # A company's own certificate authority is in the system's store, which uv does not read by itself.
        said = attempt(command, UV_SYSTEM_CERTS="true")
    if said:
        raise CannotStart(in_words(said))


def clean_environment() -> dict[str, str]:
    """Ours, without what would point the tools at another Python."""
    misleading = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX")
    return {name: value for name, value in os.environ.items() if name not in misleading}


def in_words(said: str) -> str:
    """Why the packages could not be installed, from what the installer printed."""
    last = "\n".join("  " + line for line in said.strip().splitlines()[-12:])
    if "No space left on device" in said or "os error 28" in said:
        return "The disk is full: the Python packages need about 1 GB. Free some space and start again."
    if "Permission denied" in said or "os error 13" in said:
        return f"No permission to write {ROOT}. Run as the user that owns it.\n{last}"
    if any(
        sign in said
        for sign in ("dns error", "Name or service", "Temporary failure", "tcp connect")
    ):
        return "The package index could not be reached. Check the network and start again.\n" + last
    return "The Python packages could not be installed. The installer said last:\n" + last


class progress:
    """`Installing Python packages …  12 s`, counting where a terminal shows it."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.done = threading.Event()

    def __enter__(self) -> None:
        self.began = time.monotonic()
        self.counter = threading.Thread(target=self.count, daemon=True)
        if sys.stdout.isatty():
            self.counter.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self.done.set()
        if self.counter.is_alive():
            self.counter.join()
        print(self.line(" failed" if kind else ""), flush=True)

    def count(self) -> None:
        while not self.done.wait(0.5):
            print(self.line(), end="", flush=True)

    def line(self, outcome: str = "") -> str:
        start = "\r\x1b[K" if sys.stdout.isatty() else ""
        return f"{start}{self.title} …  {time.monotonic() - self.began:.0f} s{outcome}"


def hand_over(arguments: list[str]) -> None:
    """Become the product's command line. The process id stays, so that signals reach it."""
    python = os.path.join(ENVIRONMENT, SCRIPTS, "python")
    environment = dict(clean_environment(), AEROSTIC_RUN_FROM=os.getcwd())
    os.chdir(ROOT)
    command = [python, "-m", "aerostic.operations", *arguments]
    if os.name == "nt":
        sys.exit(subprocess.call(command, env=environment))
    os.execve(python, command, environment)


def refused(error: OSError) -> str:
    """What the file system refused, in words."""
    if error.errno == 28:
        return f"The disk is full: {error.filename} could not be written. Free about 2 GB and start again."
    if error.errno in (13, 1, 30):
        return f"No permission to write {error.filename}. Run as the user that owns {ROOT}."
    return f"{error.filename or ROOT}: {error.strerror}"


if __name__ == "__main__":
    try:
        main()
    except CannotStart as problem:
        sys.exit(str(problem))
    except OSError as problem:
        sys.exit(refused(problem))
    except KeyboardInterrupt:
        sys.exit(130)
