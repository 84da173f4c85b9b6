"""The simulator as a process of its own: what it needs to start, and that a kill loses nothing."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aerostic.simulator.config import ConfigurationError, from_environment
from tests.simulator.conftest import NUMBER, SECRET, TOKEN, Receiver, until

ROOT = Path(__file__).parents[2]
Launch = Callable[[], tuple[subprocess.Popen[bytes], str]]


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    given = {"AEROSTIC_META_APP_ID": "1", "AEROSTIC_META_VERIFY_TOKEN": "v"}
    with pytest.raises(ConfigurationError) as refused:
        from_environment(given, data_dir=tmp_path, public_base_url="")
    assert str(refused.value) == (
        "The simulator can not start without AEROSTIC_META_APP_SECRET, AEROSTIC_SIMULATOR_WEBHOOK_URL."
    )


@pytest.fixture
def launch(tmp_path: Path, receiver: Receiver) -> Iterator[Launch]:
    started: list[subprocess.Popen[bytes]] = []

    def launch() -> tuple[subprocess.Popen[bytes], str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        code = (
            "from aerostic.simulator.server import main; "
            f"main('127.0.0.1', {port}, {str(tmp_path / 'simulator')!r})"
        )
        settings = {
            "AEROSTIC_META_APP_ID": "4711",
            "AEROSTIC_META_APP_SECRET": SECRET,
            "AEROSTIC_META_VERIFY_TOKEN": "verify",
            "AEROSTIC_SIMULATOR_WEBHOOK_URL": receiver.url,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=os.environ | settings
        )
        started.append(process)
        base = f"http://127.0.0.1:{port}"
        until(lambda: _is_healthy(base), seconds=20)
        return process, base

    yield launch
    for process in started:
        process.kill()
        process.wait()


def _is_healthy(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health").text == "ok"
    except httpx.TransportError:
        return False


@pytest.mark.crash
def test_a_kill_in_the_middle_loses_no_message_and_no_status(
    launch: Launch, receiver: Receiver, tmp_path: Path
) -> None:
    process, base = launch()
    burst = {"count": 3000, "people": 50, "phone_number_id": NUMBER, "rate": 3000}
    httpx.post(f"{base}/simulator/control/burst", json=burst).raise_for_status()
    until(lambda: len(receiver.messages()) > 50)
    sent = [_send_template(base, person) for person in range(20)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    written = _written(next((tmp_path / "simulator").glob("simulator-*.sqlite3")))
    assert len(written) > 50
    launch()
    until(lambda: written <= {message["id"] for message in receiver.messages()}, seconds=30)
    until(lambda: all("delivered" in receiver.status_names(message_id) for message_id in sent))


def _send_template(base: str, person: int) -> str:
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "to": f"1999{person:07d}",
        "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}},
    }
    url = f"{base}/simulator/graph/v25.0/{NUMBER}/messages"
    answer = httpx.post(url, json=body, headers={"authorization": f"Bearer {TOKEN}"})
    return str(answer.raise_for_status().json()["messages"][0]["id"])


def _written(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id FROM messages WHERE direction = 'inbound'").fetchall()
    connection.close()
    return {row[0] for row in rows}
