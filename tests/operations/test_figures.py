"""Several processes at one port count as one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aerostic.operations import configuration
from aerostic.operations.processes import free_port
from tests.waiting import until

PATH = "/health/ready"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[str]:
    """Two processes behind one port."""
    port = free_port()
    command = ["-m", "aerostic.operations", "api", "--processes", "2", "--port", str(port)]
    environment = {**os.environ, "AEROSTIC_DATA_DIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    with (tmp_path / "log").open("w") as output:
        server = subprocess.Popen(
            [sys.executable, *command, "--data-dir", str(tmp_path)],
            cwd=configuration.ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url), what=f"two processes; their log is {output.name}", seconds=60)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def counted(url: str) -> float:
    """How often the page was asked for, as one of the processes tells it."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    told = [line for line in lines if "_seconds_count" in line and PATH in line]
    return sum(float(line.rpartition(" ")[2]) for line in told)


def test_whichever_process_is_asked_tells_of_all(api: str, tmp_path: Path) -> None:
    for _ in range(30):
        assert httpx.get(api + PATH).status_code == 200
    assert {counted(api) for _ in range(10)} == {30}
    [folder] = (tmp_path / "run").glob("figures-*")
    until(
        lambda: len({one.stem.rpartition("_")[2] for one in folder.glob("*.db")}) >= 2, what="two"
    )
