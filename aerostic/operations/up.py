"""`up`: from nothing to a running product, and back to nothing."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aerostic.core.queue import QueueName
from aerostic.operations import configuration, console, database, frontend
from aerostic.operations.configuration import Given
from aerostic.operations.data_directory import DataDirectory
from aerostic.operations.errors import OperationError
from aerostic.operations.postgres import STOP_SIGNAL as POSTGRES_STOP
from aerostic.operations.postgres import EmbeddedPostgres
from aerostic.operations.processes import free_port
from aerostic.operations.serve import READY_FILE, fresh_figures
from aerostic.operations.supervisor import Service, Stopped, Supervisor
from aerostic.operations.valkey import EmbeddedValkey

OURSELVES = (sys.executable, "-m", "aerostic.operations")
QUICK_QUEUES = ",".join((QueueName.DELIVERIES, QueueName.DEFAULT, QueueName.MAIL))
SLOW_QUEUES = ",".join((QueueName.MEDIA, QueueName.IMPORTS))
NOT_THE_OWNER = {"AEROSTIC_DATABASE_OWNER_URL": ""}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    data_dir: Path
    host: str
    port: int
    demo: bool
    workers: int
    verbose: bool


def run(wishes: Wishes) -> None:
    """Start everything and serve until told to stop."""
    began = time.monotonic()
    given = configuration.read_given()
    check_port(wishes.host, wishes.port)
    directory = DataDirectory(wishes.data_dir)
    is_new = not directory.path.exists()
    directory.make()
    lock = directory.take()
    try:
        console.say(f"Data {'will lie' if is_new else 'lies'} in {directory.path}")
        start = _Start(wishes, given, directory, lock, began)
        asyncio.run(start.serve())
    except Stopped as stopped:
        if not stopped.by_request:
            raise
    finally:
        directory.release()
    console.say("Stopped. Nothing is left running.")


def _is_seeded() -> bool:
    """Loaded here: the whole domain takes seconds, and a wrong setting is told before."""
    from aerostic.domain.demo import seed as demo

    return demo.is_seeded()


def _sign_ins() -> list[str]:
    from aerostic.operations import demo

    return demo.sign_ins()


def check_port(host: str, port: int) -> None:
    """Refuse now, with a sentence, what the web server would refuse later."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise OperationError(
                f"No permission to use port {port}: ports under 1024 need root. Choose one with --port 8000."
            ) from error
        except OSError as error:
            raise OperationError(
                f"Port {port} is in use by another program. "
                f"Stop it, or choose another port: python3 run.py --port {port + 1}"
            ) from error


class _Start:
    """One run of `up`."""

    def __init__(
        self, wishes: Wishes, given: Given, directory: DataDirectory, lock: int, began: float
    ) -> None:
        self.wishes, self.directory, self.lock, self.began = wishes, directory, lock, began
        own_database, own_redis = given.uses_own_database, given.uses_own_redis
        self.postgres = None if own_database else EmbeddedPostgres(directory.postgres)
        self.valkey = None if own_redis else EmbeddedValkey(directory.valkey)
        self.figures = fresh_figures(directory.path / "run" / "figures")
        self.simulator_port = free_port()
        self.environment = configuration.in_force(
            given,
            directory,
            port=wishes.port,
            simulator_port=self.simulator_port,
            postgres=self.postgres,
            valkey=self.valkey,
        )
        self.settings = configuration.apply(self.environment)

    async def serve(self) -> None:
        async with self._supervisor() as supervisor:
            pages = asyncio.create_task(self._build_pages(supervisor))
            try:
                await self._start_servers(supervisor)
                await self._bring_database_up_to_date(supervisor)
                await pages
            finally:
                pages.cancel()
            with console.step("Starting the processes"):
                await supervisor.start(*self._product())
            await self._seed(supervisor)
            await self._tell_ready()
            await supervisor.until_stopped()
            console.say("Stopping …")

    def _supervisor(self) -> Supervisor:
        supervisor = Supervisor(
            self.directory.logs,
            base={**configuration.outside(), **self.environment},
            verbose=self.wishes.verbose,
            holding=(self.lock,),
        )
        supervisor.keeper.remove(self.directory.path / "runtime.json")
        return supervisor

    # Servers

    async def _start_servers(self, supervisor: Supervisor) -> None:
        services = []
        if self.postgres:
            await asyncio.to_thread(self._make_cluster, self.postgres)
            services.append(_postgres_service(self.postgres))
        if self.valkey:
            self.valkey.initialise()
            services.append(_valkey_service(self.valkey))
        await supervisor.start(*services)
        if self.postgres:
            await asyncio.to_thread(self.postgres.prepare)
        self.directory.write_runtime(environment=self.environment, url=self.settings.public_url)

    def _make_cluster(self, postgres: EmbeddedPostgres) -> None:
        if not postgres.is_initialised:
            with console.step("Making the database"):
                postgres.initialise()

    async def _bring_database_up_to_date(self, supervisor: Supervisor) -> None:
        if not await asyncio.to_thread(database.is_current):
            with console.step("Bringing the database up to date"):
                await supervisor.run("migrate", *OURSELVES, "migrate")

    async def _build_pages(self, supervisor: Supervisor) -> None:
        if not await asyncio.to_thread(frontend.is_current):
            with console.step("Building the pages"):
                await supervisor.run("build", *OURSELVES, "build")

    # The product

    def _product(self) -> list[Service]:
        port = self.wishes.port
        web = Service(
            "web",
            (*OURSELVES, "web", "--host", self.wishes.host, "--port", str(port)),
            environment={**NOT_THE_OWNER, **self.figures},
            is_ready=lambda: answers(port, "/health/ready", "/"),
        )
        sender = self._background("sender", "sender")
        automation = self._background("automation", "automation")
        scheduler = self._background("scheduler", "scheduler")
        return [web, *self._workers(), sender, automation, scheduler, *self._simulator()]

    def _workers(self) -> list[Service]:
        names = [f"worker-{n}" for n in range(1, self.wishes.workers + 1)]
        quick = [  # the owner's address with them: they make the coming months' partitions
            self._background(name, "worker", "--queues", QUICK_QUEUES, environment=self.figures)
            for name in names
        ]
        return [*quick, self._background("worker-slow", "worker", "--queues", SLOW_QUEUES)]

    def _simulator(self) -> list[Service]:
        if not self.settings.simulator_url:
            return []
        port = urlsplit(self.settings.simulator_url).port or 0
        if port != self.simulator_port:  # given: someone else's, elsewhere
            return []
        return [
            Service(
                "simulator",
                (*OURSELVES, "simulator", "--port", str(port)),
                environment=NOT_THE_OWNER,
                is_ready=lambda: answers(port, "/health"),
            )
        ]

    def _background(
        self, name: str, *words: str, environment: Mapping[str, str] = NOT_THE_OWNER
    ) -> Service:
        """A process without a port: it says that it is ready by a file of its own."""
        file = self.directory.path / "run" / name
        return Service(
            name,
            (*OURSELVES, *words),
            environment={**environment, READY_FILE: str(file)},
            is_ready=lambda: exists(file),
            before_start=lambda: remove(file),
            grace_seconds=20,
        )

    async def _seed(self, supervisor: Supervisor) -> None:
        if not self.wishes.demo or not self.settings.simulator_url:
            return
        if not await asyncio.to_thread(_is_seeded):
            with console.step("Making the demo workspace"):
                await supervisor.run("seed", *OURSELVES, "seed")

    async def _tell_ready(self) -> None:
        lines = await asyncio.to_thread(_sign_ins)
        took = time.monotonic() - self.began
        console.say()
        console.say(f"Aerostic is ready at {self.settings.public_url}")
        for line in lines:
            console.say(line)
        if not self.settings.smtp_url.get_secret_value():
            mails = self.settings.data_dir / "mail"
            console.say(f"No mail server is set: invitations and codes lie as files in {mails}")
        console.say(f"It took {took:.1f} s. Ctrl-C stops it. Logs: {self.directory.logs}")


async def exists(file: Path) -> bool:
    return file.exists()


def remove(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)


def _postgres_service(postgres: EmbeddedPostgres) -> Service:
    async def is_ready() -> bool:
        return await asyncio.to_thread(postgres.is_ready)

    return Service(
        "postgres",
        (
            *postgres.command(),
            "-c",
            "cluster_name={mark}",
        ),  # back ends show it, so that none is lost
        is_ready=is_ready,
        stop_signal=POSTGRES_STOP,
        grace_seconds=30,
        before_start=postgres.clear_leftovers,
        popen={"cwd": "/", **postgres.identity.arguments},
        shows_log=False,
    )


def _valkey_service(valkey: EmbeddedValkey) -> Service:
    async def is_ready() -> bool:
        return await asyncio.to_thread(valkey.is_ready)

    return Service(
        "valkey",
        tuple(valkey.command()),
        is_ready=is_ready,
        grace_seconds=20,
        popen={"cwd": valkey.directory},
        shows_log=False,
    )


async def answers(port: int, *paths: str) -> bool:
    """Whether a server on this machine answers 200 to each of the paths."""
    for path in paths:
        try:
            status = await asyncio.wait_for(_status(port, path), 5)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            return False
        if status != 200:
            return False
    return True


async def _status(port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost:{port}\r\n\r\n".encode())
        first_line = await reader.readline()
        return int(first_line.split()[1]) if first_line else 0
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
