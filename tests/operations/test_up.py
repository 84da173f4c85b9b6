"""`python3 run.py up` as a person meets it: ready when it says so, mended when killed, gone when stopped."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aerostic.operations import configuration
from aerostic.operations.keeper import MARK, marked_processes
from aerostic.operations.processes import free_port, is_alive
from tests.operations.waiting import wait_until

# One start for the whole module, and it builds the pages where nobody has yet.
pytestmark = [pytest.mark.crash, pytest.mark.timeout(420)]

CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("AEROSTIC_") or name == MARK
}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "aerostic.operations", *words]


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        cwd=configuration.ROOT,
        env={**CLEAN, **settings},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


class Up:
    """A running `up` on a folder and a port of its own."""

    def __init__(self, folder: Path, *words: str, **settings: str) -> None:
        self.folder, self.port = folder, free_port()
        self.mark = f"test-up-{self.port}-{os.getpid()}."
        self.output = folder.with_suffix(".out")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command("--port", str(self.port), "--data-dir", str(folder), *words),
                cwd=configuration.ROOT,
                env={**CLEAN, "UP_MARK": self.mark, **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def printed(self) -> str:
        return self.output.read_text()

    def until_ready(self) -> None:
        wait_until(self._is_ready_or_ended, "it is ready", seconds=400)
        assert self.process.poll() is None, self.printed()

    def _is_ready_or_ended(self) -> bool:
        return "Aerostic is ready at" in self.printed() or self.process.poll() is not None

    def processes(self) -> list[int]:
        """Every living process of this start, however deep."""
        return marked_processes(self.mark)

    def pids_of(self, *words: str) -> list[int]:
        return [pid for pid in self.processes() if set(words) <= set(_words(pid))]


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(tmp_path_factory.mktemp("up") / "data", "--no-demo")
    started.until_ready()
    yield started
    started.process.terminate()
    started.process.wait(60)


def test_what_it_says_is_ready_is_ready(up: Up) -> None:
    assert f"Aerostic is ready at http://localhost:{up.port}\n" in up.printed()
    assert f"in {up.folder}" in up.printed()
    assert httpx.get(f"{up.url}/health/ready").text == "ok"
    assert "<html" in httpx.get(f"{up.url}/").text
    assert httpx.get(f"{up.url}/simulator/control/people").status_code == 200
    assert httpx.get(f"{up.url}/webhooks/meta").status_code == 403
    assert run("healthy", "--port", str(up.port)).returncode == 0


def test_the_built_pages_hold_no_port(up: Up) -> None:
    script = next((configuration.ROOT / ".web/build/client/assets").glob("reflex-env*.js"))
    served = httpx.get(f"{up.url}/assets/{script.name}").text
    assert "location.host+" in served
    assert "localhost:" not in served


def test_a_second_start_on_the_same_folder_is_refused(up: Up) -> None:
    refused = run("up", "--port", str(free_port()), "--data-dir", str(up.folder))
    assert refused.returncode == 1
    assert f"Aerostic already runs on {up.folder} at http://localhost:{up.port}" in refused.stderr
    assert httpx.get(f"{up.url}/health").text == "ok"


def test_a_port_that_is_taken_is_refused_before_anything_is_made(up: Up, tmp_path: Path) -> None:
    refused = run("up", "--port", str(up.port), "--data-dir", str(tmp_path / "other"))
    assert refused.returncode == 1
    assert f"Port {up.port} is in use by another program." in refused.stderr
    assert not (tmp_path / "other").exists()


def test_commands_reach_the_running_one(up: Up) -> None:
    folder = ("--data-dir", str(up.folder))
    assert run("migrate", *folder).stdout == "The database is up to date.\n"
    made = run("user", "create", "root@example.test", "--name", "Root", "--super-admin", *folder)
    assert made.returncode == 0, made.stderr
    password = made.stdout.split("password: ")[1].strip()
    signed_in = httpx.post(
        f"{up.url}/auth/session", json={"email": "root@example.test", "password": password}
    )
    assert signed_in.status_code == 200
    again = run("user", "create", "root@example.test", "--name", "Root", *folder)
    assert again.returncode == 1
    assert again.stderr == "There is a user with that e-mail address already.\n"
    assert run("queues", *folder).returncode == 0
    assert "All partitions are there." in run("partitions", *folder).stdout


@pytest.mark.parametrize("words", [("-m", "granian"), ("worker", "media,imports"), ("simulator",)])
def test_what_is_killed_comes_back(up: Up, words: tuple[str, ...]) -> None:
    before = up.pids_of(*words)
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: set(up.pids_of(*words)) - set(before) != set(), "it is started again")
    wait_until(lambda: answers(f"{up.url}/health/ready"), "the product works again")
    wait_until(lambda: answers(f"{up.url}/simulator/control/people"), "the simulator works again")
    assert not any(is_alive(pid) for pid in before)


def test_a_killed_database_comes_back_with_everything(up: Up) -> None:
    lock = up.folder / "postgres" / "cluster" / "postmaster.pid"
    before = int(lock.read_text().partition("\n")[0])
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: not is_alive(before), "it is dead")
    wait_until(lambda: answers(f"{up.url}/health/ready"), "the product works again")
    assert int(lock.read_text().partition("\n")[0]) != before


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_kill_leaves_nothing_the_next_start_finds_everything_and_a_stop_ends_it(
    tmp_path: Path,
) -> None:
    first = Up(tmp_path / "data", "--no-demo")
    first.until_ready()
    folder = ("--data-dir", str(first.folder))
    assert run("user", "create", "kept@example.test", "--name", "Kept", *folder).returncode == 0
    first.process.kill()
    first.process.wait()
    second = Up(
        tmp_path / "data", "--no-demo", "--workers", "2"
    )  # at once: it waits for the ending
    second.until_ready()
    assert first.processes() == []
    assert "already" in run("user", "create", "kept@example.test", "--name", "K", *folder).stderr
    assert len(second.processes()) > 8
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(60) == 0
    assert second.printed().endswith("Stopped. Nothing is left running.\n")
    assert second.processes() == []
    assert not (second.folder / "runtime.json").exists()


def test_without_a_running_one_a_command_starts_the_servers_and_stops_them(tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path / "data"))
    assert run("migrate", *folder).returncode == 0
    made = run("tenant", "create", "Tea House", "--owner", "owner@example.test", *folder)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("Workspace “tea-house")
    assert not (tmp_path / "data" / "postgres" / "cluster" / "postmaster.pid").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"AEROSTIC_META_GRAPH_VERSION": "v20.0"},
            "v20.0 was switched off by Meta on 24 September",
        ),
        ({"AEROSTIC_ENCRYPTION_KEYS": "k1:short"}, "key k1 is not 32 bytes in base64"),
        ({"AEROSTIC_REDIS_URL": "localhost:6379"}, "AEROSTIC_REDIS_URL: must start with redis://"),
        ({"AEROSTIC_ENV": "production"}, "AEROSTIC_SECRET_KEY: is required and was not given"),
    ],
)
def test_a_wrong_setting_stops_the_start_before_anything_runs(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    words = ("up", "--port", str(free_port()), "--data-dir", str(tmp_path / "data"))
    refused = run(*words, **settings)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data" / "postgres" / "cluster").exists()


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    refused = run(
        *("up", "--port", str(free_port()), "--data-dir", str(tmp_path / "data")),
        AEROSTIC_DATABASE_URL=f"postgresql://app:x@{nowhere}/aerostic",
        AEROSTIC_DATABASE_OWNER_URL=f"postgresql://owner:x@{nowhere}/aerostic",
    )
    assert refused.returncode == 1
    assert "AEROSTIC_DATABASE_OWNER_URL: the database can not be reached." in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_role_that_passes_by_row_security_is_refused(tmp_path: Path) -> None:
    from tests.servers import start_servers

    servers = start_servers()
    refused = run(
        *("migrate", "--data-dir", str(tmp_path / "data")),
        AEROSTIC_DATABASE_URL=servers.superuser_url,
        AEROSTIC_DATABASE_OWNER_URL=servers.owner_url,
        AEROSTIC_REDIS_URL=servers.redis_url,
    )
    assert refused.returncode == 1
    assert "is a superuser or has BYPASSRLS: the boundary between tenants" in refused.stderr


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = run("up", "--port", str(free_port()), "--data-dir", str(tmp_path / "file"))
    assert refused.returncode == 1
    assert "is in the way: a folder is needed there" in refused.stderr


def test_a_port_of_another_program_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("up", "--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert f"choose another port: python3 run.py --port {port + 1}" in refused.stderr


def test_one_process_alone_says_what_it_needs(tmp_path: Path) -> None:
    refused = run("worker", "--data-dir", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert "One process alone starts no databases." in refused.stderr


def test_a_killed_test_run_would_take_up_along(up: Up) -> None:
    assert up.process.pid in marked_processes(os.environ[MARK])


def test_the_build_leaves_the_lock_of_the_pages_as_it_was_taken(up: Up) -> None:
    """A changed lock was not committed with the component that brought the package."""
    changed = ["git", "status", "--porcelain", "--", "reflex.lock", ".gitignore"]
    asked = subprocess.run(
        changed, cwd=configuration.ROOT, capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        pytest.skip("this is no checkout")
    assert asked.stdout == ""
