"""The real web process, on a free port, as `run.py` starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from aerostic.operations.processes import free_port
from tests.waiting import until

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Backend:
    url: str

    def sign_in(self, email: str, password: str) -> str:
        """The `Cookie` header of someone who has just signed in."""
        body = {"email": email, "password": password}
        answer = httpx.post(f"{self.url}/auth/session", json=body)
        assert answer.status_code == 200, answer.text
        return f"aerostic_access={answer.cookies['aerostic_access']}"


@contextmanager
def running(
    log: Path, *, with_pages: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[Backend]:
    """Start it, wait until it answers, end it. `with_pages`: it serves the built pages too."""
    port = free_port()
    url = f"http://localhost:{port}"
    with log.open("w") as output:
        server = subprocess.Popen(
            _command(port),
            cwd=ROOT,
            env=_environment(url, with_pages=with_pages) | dict(settings or {}),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(lambda: _answers(url), what=f"the backend's answer; its log is {log}", seconds=60)
        yield Backend(url)
    finally:
        end(server)


def _command(port: int) -> list[str]:
    granian = str(Path(sys.executable).with_name("granian"))
    options = ["--interface", "asgi", "--factory", "--workers", "1", "--host", "127.0.0.1"]
    return [granian, *options, "--port", str(port), "aerostic.aerostic:app"]


def _environment(url: str, *, with_pages: bool) -> dict[str, str]:
    pages = {"__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true"} if with_pages else {}
    return {
        **os.environ,
        **pages,
        "AEROSTIC_PUBLIC_URL": url,
        "REFLEX_REDIS_URL": os.environ["AEROSTIC_REDIS_URL"],
        "REFLEX_ENV_MODE": "prod",
        "__REFLEX_SKIP_COMPILE": "true",
        "PYTHONWARNINGS": "ignore",
    }


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def end(server: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, and make it where it does not. It must lead a session of its own."""
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
