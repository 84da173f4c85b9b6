"""The product as `run.py` starts it, on servers of its own, any part of which can be killed."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg

from aerostic.operations.errors import OperationError
from aerostic.operations.postgres import DATABASE, EmbeddedPostgres
from aerostic.operations.processes import free_port
from aerostic.operations.serve import READY_FILE
from aerostic.operations.up import OURSELVES, QUICK_QUEUES
from aerostic.operations.valkey import EmbeddedValkey
from tests.waiting import until

ROOT = Path(__file__).parent.parent.parent

# `run.py sender` with less patience: what a killed one leaves is settled after seconds, not minutes.
SENDER = """
from aerostic.core import logs
from aerostic.domain.sending.lane import Patience
from aerostic.operations.serve import announce_ready
from workers.sender import main
logs.configure()
patience = Patience(lane=2, item=6, turn=4, heal=1, linger=0.5, look=0.2, recover=0.5)
main(ready=announce_ready, patience=patience)
"""
MAKE_PLACE = """
import json
from tests.builders import conversation_of
from tests.conftest import _make_place
place = _make_place()
people = [str(conversation_of(place, f"P{n}", phone=f"4915{n:09}")) for n in range(PEOPLE)]
print(json.dumps({"email": place.emails["agent"], "number": place.phone_number_id,
                  "account": place.meta_account_id, "conversations": people}))
"""


class Product:
    """Servers and processes in one folder. Whatever `kill` ends has a successor, as under a supervisor."""

    def __init__(self, folder: Path, graph_url: str) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.valkey = EmbeddedValkey(folder / "valkey")
        self.servers: dict[str, EmbeddedPostgres | EmbeddedValkey] = {
            "postgres": self.postgres,
            "valkey": self.valkey,
        }
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        # The kernel ends an embedded server with the thread that started it, and killers come and go.
        self.thread = ThreadPoolExecutor(1)
        self.environment = os.environ | {
            "AEROSTIC_REDIS_URL": self.valkey.url,
            "AEROSTIC_META_GRAPH_URL": graph_url,
            "AEROSTIC_DATA_DIR": str(folder / "data"),
            "PYTHONPATH": str(ROOT),
        }

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        return {
            "api": (*OURSELVES, "api", "--port", str(self.port)),
            "worker": (*OURSELVES, "worker", "--queues", QUICK_QUEUES),
            "sender": (sys.executable, "-c", SENDER),
            "scheduler": (*OURSELVES, "scheduler"),
        }

    # Life

    def start(self) -> None:
        """Everything, from an empty folder to the first answer."""
        for server in self.servers.values():
            server.initialise()
            self.thread.submit(server.start).result()
        self.postgres.prepare()
        self.environment |= {
            "AEROSTIC_DATABASE_URL": self.postgres.app_url,
            "AEROSTIC_DATABASE_OWNER_URL": self.postgres.owner_url,
        }
        self._run(*OURSELVES, "migrate")
        for name in self.commands:
            self._start(name)
        for name in self.commands:
            until(lambda name=name: self.is_ready(name), what=f"the {name}", seconds=180)

    def _start(self, name: str) -> None:
        ready = self._ready_file(name)
        ready.unlink(missing_ok=True)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name],
                cwd=ROOT,
                env={**self.environment, READY_FILE: str(ready)},
                stdout=log,
                stderr=log,
            )

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.valkey.stop()
        self.postgres.stop()
        self.thread.shutdown()

    # Death

    def kill(self, name: str) -> None:
        """By SIGKILL, and start its successor; that it works already is another question."""
        if name in self.servers:
            self._kill_server(self.servers[name])
            return
        self.processes[name].kill()
        self.processes[name].wait()
        self._start(name)

    def _kill_server(self, server: EmbeddedPostgres | EmbeddedValkey) -> None:
        """PostgreSQL's orphans may be writing still: it comes back as soon as they are gone."""
        assert server.process is not None, "it was started"
        server.process.kill()
        server.process.wait()
        if server is self.postgres:
            self.postgres.clear_leftovers()
        until(lambda: self._starts(server), what="a server's recovery", seconds=120)

    def _starts(self, server: EmbeddedPostgres | EmbeddedValkey) -> bool:
        try:
            self.thread.submit(server.start).result()
        except OperationError:
            return False
        return True

    def restart_ended(self, name: str) -> None:
        """What ended by itself, as a worker does that finds no Valkey as it starts, has a successor too."""
        if name in self.processes and self.processes[name].poll() is not None:
            self._start(name)

    def is_ready(self, name: str) -> bool:
        """Whether this part says that it does its work; the API, whether it answers anything."""
        if name == "api":
            return self._answers()
        return name in self.servers or self._ready_file(name).exists()

    def _answers(self) -> bool:
        try:
            httpx.get(f"{self.url}/health", timeout=5)
        except httpx.HTTPError:
            return False
        return True

    def _ready_file(self, name: str) -> Path:
        return self.folder / f"{name}.ready"

    # Looking

    def make_place(self, people: int) -> dict[str, Any]:
        """A workspace with a number and this many conversations."""
        told = self._run(sys.executable, "-c", MAKE_PLACE.replace("PEOPLE", str(people)))
        made: dict[str, Any] = json.loads(told.splitlines()[-1])
        return made

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """As the superuser, whom row security does not bind."""
        with psycopg.connect(self.postgres.superuser_url, dbname=DATABASE) as connection:
            return connection.execute(query).fetchall()

    def last_words(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: …{log.read_text(errors='replace')[-600:]}" for log in logs)
