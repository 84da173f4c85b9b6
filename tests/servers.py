"""Throw-away PostgreSQL and Valkey for a test run.

`start_servers()` is called in `pytest_configure`, by the controller and by each xdist worker: the first
starts them and leaves their addresses in the environment, the others find them there. When the first dies,
even by SIGKILL, so do they, whatever the tests started, and the folder.

AEROSTIC_TEST_SUPERUSER_URL and AEROSTIC_TEST_REDIS_URL use servers that are there already (a database of
its own is made and dropped on the first); AEROSTIC_TEST_POSTGRES_BINARIES starts another PostgreSQL.
"""

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from aerostic.operations.keeper import MARK, Keeper
from aerostic.operations.postgres import (
    APP_ROLE,
    OWNER_ROLE,
    EmbeddedPostgres,
    prepare_database,
)
from aerostic.operations.valkey import EmbeddedValkey

ALREADY_STARTED = "AEROSTIC_TEST_SERVERS"


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """Where the servers are. The owner's database is empty and the two roles are made."""

    superuser_url: str
    owner_url: str
    app_url: str
    redis_url: str
    data_dir: Path
    _stop: Callable[[], None] = field(default=lambda: None, repr=False)

    def stop(self) -> None:
        """End what this process started; nothing where another did."""
        self._stop()


def start_servers() -> ServerUrls:
    """The servers of this test run: started by whoever asks first."""
    told = os.environ.get(ALREADY_STARTED)
    if told:
        addresses = json.loads(told)
        return ServerUrls(**{**addresses, "data_dir": Path(addresses["data_dir"])})
    with ExitStack() as started:
        data_dir = Path(tempfile.mkdtemp(prefix="aerostic-test-"))
        _keep(data_dir, started)
        started.callback(shutil.rmtree, data_dir, ignore_errors=True)
        superuser_url, owner_url, app_url = _postgres(data_dir, started)
        redis_url = os.environ.get("AEROSTIC_TEST_REDIS_URL") or _valkey(data_dir, started)
        urls = ServerUrls(superuser_url, owner_url, app_url, redis_url, data_dir)
        _tell_workers(urls, started)
        whole = started.pop_all()
    return ServerUrls(superuser_url, owner_url, app_url, redis_url, data_dir, whole.close)


def _keep(data_dir: Path, started: ExitStack) -> None:
    """Have everything that carries this run's mark ended, and the folder removed, should we be killed."""
    mark = os.environ[MARK] = f"aerostic-test-{secrets.token_hex(8)}."
    keeper = Keeper(mark, patience_seconds=1)
    keeper.remove(data_dir)
    started.callback(os.environ.pop, MARK, None)
    started.callback(keeper.farewell)


def _tell_workers(urls: ServerUrls, started: ExitStack) -> None:
    addresses = {name: str(value) for name, value in asdict(urls).items() if name != "_stop"}
    os.environ[ALREADY_STARTED] = json.dumps(addresses)
    started.callback(os.environ.pop, ALREADY_STARTED, None)


def _postgres(data_dir: Path, started: ExitStack) -> tuple[str, str, str]:
    given = os.environ.get("AEROSTIC_TEST_SUPERUSER_URL")
    if given:
        return _database_on(given, started)
    binaries = os.environ.get("AEROSTIC_TEST_POSTGRES_BINARIES")
    postgres = EmbeddedPostgres(
        data_dir / "postgres", fast=True, binaries=Path(binaries) if binaries else None
    )
    postgres.initialise()
    postgres.start()
    started.callback(postgres.stop)
    postgres.prepare()
    return postgres.superuser_url, postgres.owner_url, postgres.app_url


def _database_on(superuser_url: str, started: ExitStack) -> tuple[str, str, str]:
    database = f"aerostic_test_{secrets.token_hex(4)}"
    # The same for every run on this server: two runs at a time must not change each other's.
    owner, app = (
        hashlib.sha256(f"{superuser_url}{role}".encode()).hexdigest()[:32]
        for role in (OWNER_ROLE, APP_ROLE)
    )
    prepare_database(superuser_url, owner_password=owner, app_password=app, database=database)
    started.callback(_drop, superuser_url, database)
    return (
        superuser_url,
        _as_role(superuser_url, OWNER_ROLE, owner, database),
        _as_role(superuser_url, APP_ROLE, app, database),
    )


def _as_role(url: str, role: str, password: str, database: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        parts._replace(netloc=f"{role}:{quote(password)}@{place}", path=f"/{database}")
    )


def _drop(superuser_url: str, database: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        drop = sql.SQL("drop database if exists {} with (force)")
        connection.execute(drop.format(sql.Identifier(database)))


def _valkey(data_dir: Path, started: ExitStack) -> str:
    valkey = EmbeddedValkey(data_dir / "valkey", fast=True)
    valkey.initialise()
    valkey.start()
    started.callback(valkey.stop)
    return valkey.url
