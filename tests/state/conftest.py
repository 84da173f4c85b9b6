"""The real backend in a process of its own, and tabs that speak its wire by hand."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.conftest import PASSWORD, Place
from tests.state.wire import Tab
from tests.waiting import until

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Backend:
    url: str

    def sign_in(self, email: str, password: str = PASSWORD) -> str:
        """The `Cookie` header of someone who has just signed in."""
        body = {"email": email, "password": password}
        answer = httpx.post(f"{self.url}/auth/session", json=body)
        assert answer.status_code == 200, answer.text
        return f"aerostic_access={answer.cookies['aerostic_access']}"


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One for the whole run: what a test leaves behind is its own tenants'."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://localhost:{port}"
    log = tmp_path_factory.mktemp("backend") / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            _command(port),
            cwd=ROOT,
            env=_environment(url),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(lambda: _answers(url), what=f"the backend's answer; its log is {log}", seconds=60)
        yield Backend(url)
    finally:
        _end(server)


def _command(port: int) -> list[str]:
    granian = str(Path(sys.executable).with_name("granian"))
    return [
        granian,
        "--interface",
        "asgi",
        "--factory",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
        "aerostic.aerostic:app",
    ]


def _environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
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


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


OpenTab = Callable[..., Tab]


@pytest.fixture
def open_tab(backend: Backend) -> Iterator[OpenTab]:
    """`open_tab(path, cookie=…, token=…)`: a tab whose socket is open. Closed at the end."""
    opened: list[Tab] = []

    def open_one(path: str = "/", *, cookie: str = "", token: str = "", origin: str = "") -> Tab:
        tab = Tab(backend.url, path, cookie=cookie, token=token, origin=origin)
        opened.append(tab)
        return tab

    yield open_one
    for tab in opened:
        tab.close()


@pytest.fixture
def signed_in(backend: Backend) -> Callable[[Place, str], str]:
    """`signed_in(place, "owner")`: the cookie of the place's person of that role."""
    return lambda place, role: backend.sign_in(place.emails[role])
