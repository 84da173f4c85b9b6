"""What is wrong with this machine or this configuration, in words."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import redis

from aerostic.core.settings import Environment, settings
from aerostic.operations import configuration, console, database, frontend
from aerostic.operations.data_directory import DataDirectory
from aerostic.operations.errors import OperationError
from aerostic.operations.postgres import bundled_binaries, choose_identity
from aerostic.operations.up import check_port
from aerostic.operations.valkey import server_binary

OLDEST_NODE = (22, 22)
LEAST_MEMORY = 1_500_000_000


def examine(data_dir: Path, port: int) -> int:
    """Look at everything, tell of each, and return how many things are wrong."""
    directory = DataDirectory(data_dir)
    runtime = directory.runtime()
    looks: dict[str, Callable[[], str]] = {
        "Settings": settings_are_right,
        "Data directory": lambda: data_can_be_kept(directory),
        "Memory": memory_is_enough,
        "PostgreSQL, embedded": postgres_can_run,
        "Valkey, embedded": valkey_can_run,
        "Node": node_is_new_enough,
        "Pages": pages_are_built,
        "Port": lambda: port_is_free(port, runtime is not None),
        "Database": lambda: database_answers(runtime),
        "Redis": lambda: redis_answers(runtime),
    }
    return sum(not _told(title, look) for title, look in looks.items())


def _told(title: str, look: Callable[[], str]) -> bool:
    try:
        console.say(f"ok       {title}: {look()}")
    except OperationError as problem:
        console.say(f"PROBLEM  {title}: {problem}")
        return False
    return True


def settings_are_right() -> str:
    given = configuration.read_given()
    unknown = configuration.unknown_in_environment()
    if unknown:
        told = " ".join(configuration.unknown_setting(name) for name in unknown)
        raise OperationError(f"in the environment, {told}")
    count = sum(name in configuration.KNOWN for name in given.values)
    kind = given.get("AEROSTIC_ENV", Environment.DEVELOPMENT)
    return f"{count} given, for {kind}"


def data_can_be_kept(directory: DataDirectory) -> str:
    directory.make()
    free = shutil.disk_usage(directory.path).free
    return f"{directory.path}, {free / 1e9:.1f} GB free"


def memory_is_enough() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if memory < LEAST_MEMORY:
        raise OperationError(
            f"this machine has {memory / 1e9:.1f} GB; building the pages and running everything "
            f"needs about {LEAST_MEMORY / 1e9:.1f} GB."
        )
    return f"{memory / 1e9:.1f} GB"


def postgres_can_run() -> str:
    binaries = bundled_binaries()
    with tempfile.TemporaryDirectory(prefix="aerostic-doctor-") as folder:
        identity = choose_identity(Path(folder), binaries)
    version = _first_line([*identity.prefix, str(binaries / "postgres"), "--version"])
    return version if not identity.prefix else f"{version}, in a user namespace of its own"


def valkey_can_run() -> str:
    return _first_line([str(server_binary()), "--version"])


def node_is_new_enough() -> str:
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if node is None:
        raise OperationError("there is none; building the pages needs Node 22.22 or newer.")
    version = _first_line([node, "--version"])
    if tuple(int(part) for part in version.lstrip("v").split(".")[:2]) < OLDEST_NODE:
        raise OperationError(f"{version} is too old; building the pages needs Node 22.22 or newer.")
    return version


def pages_are_built() -> str:
    return "built" if frontend.is_current() else "not built yet; the next start builds them"


def port_is_free(port: int, is_running: bool) -> str:
    if is_running:
        return "Aerostic is running"
    check_port("127.0.0.1", port)
    return f"{port} is free"


def database_answers(runtime: dict[str, object] | None) -> str:
    if not _in_force(runtime):
        return "the embedded one, not running"
    database.check_roles()
    if not database.is_current():
        raise OperationError("its tables are not up to date. Run `python3 run.py migrate`.")
    return "answers, its roles are safe, its tables are up to date"


def redis_answers(runtime: dict[str, object] | None) -> str:
    if not _in_force(runtime):
        return "the embedded one, not running"
    with redis.Redis.from_url(settings().redis_url, socket_timeout=5) as client:
        try:
            policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
        except redis.ResponseError:  # a hosted Redis may not tell
            client.ping()
            return "answers"
        except redis.RedisError as error:
            raise OperationError(
                f"AEROSTIC_REDIS_URL: it does not answer. It said: {error}"
            ) from error
    if policy != "noeviction":
        raise OperationError(
            f"its maxmemory-policy is {policy}: it would forget jobs when memory is short. "
            "Set it to noeviction."
        )
    return "answers"


def _in_force(runtime: dict[str, object] | None) -> bool:
    """Bring the settings into force where there are servers to ask: a running `up`'s, or given ones."""
    environment = runtime["environment"] if runtime else {}
    assert isinstance(environment, dict)
    given = configuration.read_given()
    if not runtime and not (given.uses_own_database and given.uses_own_redis):
        return False
    configuration.apply(environment)
    return True


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise OperationError(f"{command[-2]} does not run on this machine: {error}") from error
    return done.stdout.partition("\n")[0]
