"""Where a command's databases are: given from outside, those of a running `up`, or our own for its length."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from aerostic.core.settings import Settings
from aerostic.operations import configuration
from aerostic.operations.configuration import Given
from aerostic.operations.data_directory import DataDirectory
from aerostic.operations.errors import OperationError
from aerostic.operations.postgres import EmbeddedPostgres
from aerostic.operations.valkey import EmbeddedValkey

DEFAULT_PORT = 8000


@contextlib.contextmanager
def at_hand(data_dir: Path) -> Iterator[Settings]:
    """Settings in force and servers that answer, for one command."""
    given = configuration.read_given()
    directory = DataDirectory(data_dir)
    runtime = None if given.names_both_servers else directory.runtime()
    if runtime is not None:
        yield configuration.apply(runtime["environment"])
        return
    with _for_the_length_of_a_command(given, directory) as settings:
        yield settings


def for_a_process(data_dir: Path) -> Settings:
    """Settings in force for a process that stays: servers must be given, or be those of a running `up`."""
    given = configuration.read_given()
    # What `up` hands to its children wins over another `up` that happens to run.
    runtime = None if given.names_both_servers else DataDirectory(data_dir).runtime()
    if runtime is None and not given.names_both_servers:
        raise OperationError(
            "One process alone starts no databases. Set AEROSTIC_DATABASE_URL and AEROSTIC_REDIS_URL, "
            "or start everything together with `python3 run.py`."
        )
    return configuration.apply(runtime["environment"] if runtime else {}, needs_owner=False)


@contextlib.contextmanager
def _for_the_length_of_a_command(given: Given, directory: DataDirectory) -> Iterator[Settings]:
    directory.make()
    with contextlib.ExitStack() as stack:
        postgres = valkey = None
        if not given.names_both_servers:
            directory.take()
            stack.callback(directory.release)
        if not given.uses_own_database:
            postgres = _start_postgres(directory, stack)
        if not given.uses_own_redis:
            valkey = _start_valkey(directory, stack)
        environment = configuration.in_force(
            given,
            directory,
            port=DEFAULT_PORT,
            simulator_port=DEFAULT_PORT,
            postgres=postgres,
            valkey=valkey,
        )
        yield configuration.apply(environment)


def _start_postgres(directory: DataDirectory, stack: contextlib.ExitStack) -> EmbeddedPostgres:
    postgres = EmbeddedPostgres(directory.postgres)
    postgres.initialise()
    postgres.clear_leftovers()
    postgres.start()
    stack.callback(postgres.stop)
    postgres.prepare()
    return postgres


def _start_valkey(directory: DataDirectory, stack: contextlib.ExitStack) -> EmbeddedValkey:
    valkey = EmbeddedValkey(directory.valkey)
    valkey.initialise()
    valkey.start()
    stack.callback(valkey.stop)
    return valkey
