"""The embedded PostgreSQL and Valkey: roles, passwords, crashes, leftovers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from aerostic.operations import valkey as valkey_module
from aerostic.operations.errors import OperationError
from aerostic.operations.postgres import EmbeddedPostgres, prepare_database
from aerostic.operations.processes import is_alive
from aerostic.operations.valkey import EmbeddedValkey
from tests.operations.waiting import wait_until

# Durable, unlike the other tests' servers: what a crash leaves is what is asked here.
BINARIES = os.environ.get("AEROSTIC_TEST_POSTGRES_BINARIES")


def make_postgres(directory: Path) -> EmbeddedPostgres:
    made = EmbeddedPostgres(directory, binaries=Path(BINARIES) if BINARIES else None)
    made.initialise()
    return made


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    made = make_postgres(tmp_path / "postgres")
    made.start()
    made.prepare()
    yield made
    made.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    made = EmbeddedValkey(tmp_path / "valkey")
    made.initialise()
    made.start()
    yield made
    made.stop()


def test_the_roles_can_do_what_they_are_for_and_no_more(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.owner_url, autocommit=True) as owner:
        owner.execute("create table cups (id int generated always as identity, colour text)")
    with psycopg.connect(postgres.app_url, autocommit=True) as app:
        app.execute("insert into cups (colour) values ('blue')")
        assert app.execute("select colour from cups").fetchall() == [("blue",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("drop table cups")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("create table saucers (id int)")
        rights = app.execute(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles"
            " where rolname = current_user"
        )
        assert rights.fetchone() == (False, False, False, False)


def test_preparing_twice_changes_nothing_and_a_new_password_takes_hold(
    postgres: EmbeddedPostgres,
) -> None:
    postgres.prepare()
    with psycopg.connect(postgres.app_url) as app:
        assert app.execute("select current_user").fetchone() == ("aerostic_app",)
    prepare_database(postgres.superuser_url, owner_password="new-o", app_password="new-a")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.app_url)


def test_no_password_no_entry(postgres: EmbeddedPostgres) -> None:
    address = f"host=127.0.0.1 port={postgres.port} user=postgres dbname=postgres"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(address)


def test_passwords_are_for_this_user_only(postgres: EmbeddedPostgres) -> None:
    files = sorted(postgres.directory.glob("*.password"))
    assert [file.name for file in files] == [
        "aerostic_app.password",
        "aerostic_owner.password",
        "postgres.password",
    ]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_what_was_committed_survives_a_kill(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.app_url) as app:
        app.execute("create temporary table gone (id int)")
    with psycopg.connect(postgres.owner_url, autocommit=True) as owner:
        owner.execute("create table kept (id int)")
        owner.execute("insert into kept values (1), (2)")
    process = postgres.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    postgres.clear_leftovers()
    postgres.start()
    with psycopg.connect(postgres.app_url) as app:
        assert app.execute("select id from kept order by id").fetchall() == [(1,), (2,)]


def test_an_interrupted_first_start_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "cluster.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    made = make_postgres(tmp_path / "postgres")
    made.start()
    assert made.is_ready()
    made.stop()
    assert not half.exists()


def test_a_lock_that_names_another_process_is_dropped(tmp_path: Path) -> None:
    made = make_postgres(tmp_path / "postgres")
    lock = made.cluster / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{made.cluster}\n")  # our own id, reused
    made.clear_leftovers()
    made.start()
    assert made.is_ready()
    made.stop()


def test_a_server_that_outlived_its_owner_is_ended_first(tmp_path: Path) -> None:
    first = make_postgres(tmp_path / "postgres")
    first.start()
    second = EmbeddedPostgres(tmp_path / "postgres", binaries=first.binaries)
    assert first.process is not None
    orphan = first.process.pid
    second.clear_leftovers()
    assert first.process.wait(10) == 0
    assert not is_alive(orphan)
    second.start()
    assert second.is_ready()
    second.stop()


OWNER_OF_SERVERS = """
import sys, time
from pathlib import Path
from aerostic.operations.postgres import EmbeddedPostgres
from aerostic.operations.valkey import EmbeddedValkey
place = Path(sys.argv[1])
postgres, valkey = EmbeddedPostgres(place / "postgres", fast=True), EmbeddedValkey(place / "valkey")
for server in (postgres, valkey):
    server.initialise()
    server.start()
print(postgres.process.pid, valkey.process.pid, flush=True)
time.sleep(600)
"""


def test_servers_die_with_a_killed_owner(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER_OF_SERVERS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
        owner.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in pids), "the servers end")


def test_valkey_keeps_what_it_was_given_and_asks_for_a_password(valkey: EmbeddedValkey) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set("greeting", "hello")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    with (
        redis.Redis(host="127.0.0.1", port=valkey.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    valkey.stop()
    valkey.start()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.get("greeting") == b"hello"


def test_the_password_is_not_on_the_command_line(valkey: EmbeddedValkey) -> None:
    password = (valkey.directory / "valkey.password").read_text()
    assert len(password) > 20
    assert password not in " ".join(valkey.command())


def test_without_a_bundled_valkey_one_on_the_path_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey_module, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperationError, match="Install valkey-server or redis-server"):
        valkey_module.server_binary()
    (tmp_path / "redis-server").touch(mode=0o755)
    assert valkey_module.server_binary() == tmp_path / "redis-server"


def test_a_port_that_is_taken_is_said_with_the_servers_own_words(
    tmp_path: Path, valkey: EmbeddedValkey
) -> None:
    second = EmbeddedValkey(tmp_path / "second", port=valkey.port)
    second.initialise()
    with pytest.raises(OperationError, match="Valkey did not start"):
        second.start()
