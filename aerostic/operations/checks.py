"""What must hold before a change is taken: the same here and in continuous integration."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aerostic.operations import console, frontend
from aerostic.operations.configuration import ROOT
from aerostic.operations.errors import OperationError
from aerostic.operations.postgres import EmbeddedPostgres

TYPED = ("aerostic", "backend_api", "workers", "bench", "tests", "run.py", "rxconfig.py")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check ended. `note` is shown when it is not simply fine."""

    passed: bool
    note: str = ""


def check(pytest_arguments: Sequence[str], *, with_tests: bool) -> None:
    """Run every check, tell of each, the tests last. Raises OperationError when one fails."""
    failed = [title for title, run in CHECKS.items() if not _told(title, run)]
    if with_tests and run_tests(pytest_arguments) != 0:
        failed.append("tests")
    if failed:
        raise OperationError(f"Failed: {', '.join(failed)}.")


def run_tests(arguments: Sequence[str]) -> int:
    """Every test that needs no browser download, on throw-away servers."""
    spread = [] if any(word.startswith(("-n", "-p")) for word in arguments) else ["-n", "auto"]
    return subprocess.run(
        [*_python("pytest"), *spread, *arguments], cwd=ROOT, check=False
    ).returncode


def _told(title: str, run: Callable[[], Outcome]) -> bool:
    outcome = run()
    console.say(f"{'ok    ' if outcome.passed else 'FAILED'}  {title}")
    if outcome.note:
        console.say(outcome.note)
    return outcome.passed


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _tool(*command: str) -> Outcome:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=False, env=_environment()
    )
    return Outcome(done.returncode == 0, (done.stdout + done.stderr) if done.returncode else "")


def _environment() -> dict[str, str]:
    return {**frontend.placeholder_settings(), **os.environ}


def formatting() -> Outcome:
    return _tool(*_python("ruff"), "format", "--check", ".")


def lint() -> Outcome:
    return _tool(*_python("ruff"), "check", ".")


def types() -> Outcome:
    return _tool(*_python("mypy"), *(name for name in TYPED if _has_python(ROOT / name)))


def _has_python(place: Path) -> bool:
    return place.suffix == ".py" or any(place.rglob("*.py"))


def import_contracts() -> Outcome:
    return _tool(str(Path(sys.executable).with_name("lint-imports")))


def migrations_match_models() -> Outcome:
    """Migrate an empty database, then compare its tables with the models."""
    with _empty_database() as environment:
        for words in (["upgrade", "head"], ["check"]):
            done = subprocess.run(
                [*_python("alembic"), *words],
                capture_output=True,
                text=True,
                cwd=ROOT,
                env=environment,
                check=False,
            )
            if done.returncode != 0:
                return Outcome(False, done.stdout + done.stderr)
    return Outcome(True)


@contextmanager
def _empty_database() -> Iterator[dict[str, str]]:
    binaries = os.environ.get("AEROSTIC_TEST_POSTGRES_BINARIES")
    with tempfile.TemporaryDirectory(prefix="aerostic-check-") as folder:
        postgres = EmbeddedPostgres(
            Path(folder) / "postgres", fast=True, binaries=Path(binaries) if binaries else None
        )
        postgres.initialise()
        postgres.start()
        try:
            postgres.prepare()
            yield {
                **_environment(),
                "AEROSTIC_DATABASE_URL": postgres.app_url,
                "AEROSTIC_DATABASE_OWNER_URL": postgres.owner_url,
            }
        finally:
            postgres.stop()


def compose_file() -> Outcome:
    return _tool(
        str(Path(sys.executable).with_name("check-jsonschema")),
        *("--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
    )


def nginx_configuration() -> Outcome:
    """A real nginx reads it. The names of the other containers become addresses of this machine."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        return Outcome(True, "        (not checked: there is no nginx on this machine)")
    with tempfile.TemporaryDirectory(prefix="aerostic-nginx-") as folder:
        place = Path(folder) / "nginx"
        shutil.copytree(ROOT / "nginx", place)
        for file in place.rglob("*.conf"):
            file.write_text(_on_this_machine(file.read_text(), Path(folder)))
        return _tool(nginx, "-t", "-p", str(place), "-c", str(place / "nginx.conf"))


def _on_this_machine(text: str, folder: Path) -> str:
    text = re.sub(r"\bserver (web|api):", "server 127.0.0.1:", text)
    return text.replace("/dev/std", f"{folder}/std").replace("pid /tmp/", f"pid {folder}/")


CHECKS: dict[str, Callable[[], Outcome]] = {
    "format": formatting,
    "lint": lint,
    "types": types,
    "import contracts": import_contracts,
    "migrations match models": migrations_match_models,
    "docker-compose.yml": compose_file,
    "nginx configuration": nginx_configuration,
}
