"""From `.env`, the environment and the data directory to the settings that every process gets."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Original, parse_stream

from aerostic.core import crypto
from aerostic.core.settings import Settings, SettingsError, settings
from aerostic.operations.data_directory import DataDirectory, Secrets
from aerostic.operations.errors import OperationError
from aerostic.operations.postgres import EmbeddedPostgres
from aerostic.operations.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "AEROSTIC_"
KNOWN = frozenset(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)
# Read by the tests and the tools around the product, not by the product.
FOR_TOOLS = ("AEROSTIC_TEST_", "AEROSTIC_BENCH_", "AEROSTIC_RUN_")


@dataclass(frozen=True, slots=True)
class Given:
    """What the person gave, `.env` first, the environment over it. Empty means not given."""

    values: Mapping[str, str]

    def has(self, *names: str) -> bool:
        return any(self.values.get(name) for name in names)

    def get(self, name: str, default: str = "") -> str:
        return self.values.get(name) or default

    @property
    def is_production(self) -> bool:
        return self.get("AEROSTIC_ENV") == "production"

    @property
    def uses_own_database(self) -> bool:
        return self.has("AEROSTIC_DATABASE_URL")

    @property
    def uses_own_redis(self) -> bool:
        return self.has("AEROSTIC_REDIS_URL")

    @property
    def names_both_servers(self) -> bool:
        """Whether nothing needs to be looked up or started: so it is for the children of `up`."""
        return self.uses_own_database and self.uses_own_redis


def read_given(root: Path = ROOT, environment: Mapping[str, str] = os.environ) -> Given:
    """Read what was given. Raises OperationError with the line of `.env` that is wrong, and why."""
    return Given({**read_dotenv(root / ".env"), **{k: v for k, v in environment.items() if v}})


def read_dotenv(file: Path) -> dict[str, str]:
    """The pairs of `.env`, each checked to be a setting of this product."""
    try:
        text = file.open(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise OperationError(f"No permission to read {file}.") from error
    pairs: dict[str, str] = {}
    problems: list[str] = []
    try:
        with text:
            for binding in parse_stream(text):
                where = f".env line {_line(binding.original)}"
                if binding.error or (binding.key and binding.value is None):
                    written = binding.original.string.strip()[:40]
                    problems.append(f"{where}: “{written}” is not of the form NAME=value")
                elif binding.key and binding.key not in KNOWN:
                    problems.append(f"{where}: {unknown_setting(binding.key)}")
                elif binding.key:
                    pairs[binding.key] = binding.value or ""
    except UnicodeDecodeError as error:
        raise OperationError(f"{file} is not UTF-8 text. Save it as UTF-8.") from error
    if problems:
        raise OperationError("\n".join(problems))
    return pairs


def _line(original: Original) -> int:
    """Where the statement stands: the parser counts from the blank lines before it."""
    written = original.string
    return original.line + written[: len(written) - len(written.lstrip())].count("\n")


def unknown_setting(name: str) -> str:
    """Why the name is not one of ours, with the one that was probably meant."""
    close = difflib.get_close_matches(name.upper(), sorted(KNOWN), n=1, cutoff=0.6)
    meant = f" Did you mean {close[0]}?" if close else ""
    return f"{name} is not a setting of this product; see .env.example.{meant}"


def unknown_in_environment(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Names with our prefix that nothing reads: probably misspelt."""
    ours = (name for name in environment if name.startswith(PREFIX))
    return sorted(n for n in ours if n not in KNOWN and not n.startswith(FOR_TOOLS))


def in_force(
    given: Given,
    directory: DataDirectory,
    *,
    port: int,
    simulator_port: int,
    postgres: EmbeddedPostgres | None,
    valkey: EmbeddedValkey | None,
) -> dict[str, str]:
    """The environment of every process: what was given, and in development the generated rest."""
    made = {"AEROSTIC_DATA_DIR": str(directory.path)}
    if postgres:
        made["AEROSTIC_DATABASE_URL"] = postgres.app_url
        made["AEROSTIC_DATABASE_OWNER_URL"] = postgres.owner_url
    if valkey:
        made["AEROSTIC_REDIS_URL"] = valkey.url
    if not given.is_production:
        made |= _for_development(given, directory.secrets(), port, simulator_port)
    kept = {name: value for name, value in given.values.items() if value}
    return {**made, **kept, "AEROSTIC_DATA_DIR": str(directory.path)}


def _for_development(
    given: Given, secrets: Secrets, port: int, simulator_port: int
) -> dict[str, str]:
    address = given.get("AEROSTIC_PUBLIC_URL", f"http://localhost:{port}")
    made = {
        "AEROSTIC_ENV": "development",
        "AEROSTIC_SECRET_KEY": secrets.secret_key,
        "AEROSTIC_ENCRYPTION_KEYS": secrets.encryption_keys,
        "AEROSTIC_META_APP_SECRET": secrets.meta_app_secret,
        "AEROSTIC_META_VERIFY_TOKEN": secrets.meta_verify_token,
        "AEROSTIC_METRICS_TOKEN": secrets.metrics_token,
        "AEROSTIC_DEMO_PASSWORD": secrets.demo_password,
        "AEROSTIC_PUBLIC_URL": address,
    }
    if given.has("AEROSTIC_META_APP_ID"):
        return made
    # No Meta app was given, so WhatsApp is the simulator's.
    inside = f"http://127.0.0.1:{simulator_port}"
    if not given.has("AEROSTIC_GOOGLE_CLIENT_ID"):
        made |= _simulated_google(inside)
    return made | {
        "AEROSTIC_META_APP_ID": "aerostic-simulator",
        "AEROSTIC_META_GRAPH_URL": f"{inside}/simulator/graph",
        "AEROSTIC_SIMULATOR_URL": inside,
        "AEROSTIC_SIMULATOR_WEBHOOK_URL": f"http://127.0.0.1:{port}/webhooks/meta",
    }


def _simulated_google(inside: str) -> dict[str, str]:
    """No Google app was given, so Drive and Sheets are the simulator's."""
    return {
        "AEROSTIC_GOOGLE_CLIENT_ID": "simulated",
        "AEROSTIC_GOOGLE_CLIENT_SECRET": "simulated",
        "AEROSTIC_GOOGLE_URL": f"{inside}/simulator/google",
    }


def outside() -> dict[str, str]:
    """The environment without our settings: PATH, HOME, the terminal's language."""
    return {name: value for name, value in os.environ.items() if name not in KNOWN}


def apply(environment: Mapping[str, str], *, needs_owner: bool = True) -> Settings:
    """Make this the environment of this process and check it. Raises OperationError in words."""
    os.environ.update(environment)
    settings.cache_clear()
    try:
        checked = settings()
        crypto.check_keys()
    except SettingsError as error:
        raise OperationError(f"A setting is wrong.\n{error}") from error
    if needs_owner and not checked.database_owner_url:
        raise OperationError(
            "AEROSTIC_DATABASE_OWNER_URL is needed beside AEROSTIC_DATABASE_URL: "
            "migrations run as the database's owner, the product as a role that owns nothing."
        )
    return checked
