"""What the simulator needs to be told before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aerostic.simulator.tables import SCHEMA_VERSION

SIMULATED = "simulated"


class ConfigurationError(Exception):
    """A setting that is missing or wrong, in a sentence that names it."""


@dataclass(frozen=True)
class SimulatorConfig:
    """Everything fixed for one run. What can change while it runs lives in `Trouble`."""

    data_dir: Path
    app_id: str
    app_secret: str
    verify_token: str
    webhook_url: str
    #: Where the product reaches this process; media addresses start with it. Empty: taken from each request.
    public_base_url: str = ""
    throughput: int = 80
    sent_after_seconds: float = 0.08
    delivered_after_seconds: float = 0.25
    read_after_seconds: float = 0.25
    retry_first_seconds: float = 0.5
    retry_longest_seconds: float = 30.0
    #: Meta gives up on a webhook after seven days.
    retry_for_seconds: float = 7 * 24 * 3600
    webhook_timeout_seconds: float = 20.0
    webhook_connections: int = 32
    #: The one application that the simulated Google knows.
    google_client_id: str = SIMULATED
    google_client_secret: str = SIMULATED

    @property
    def database_path(self) -> Path:
        return self.data_dir / f"simulator-{SCHEMA_VERSION}.sqlite3"

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"


_REQUIRED = {
    "app_id": "AEROSTIC_META_APP_ID",
    "app_secret": "AEROSTIC_META_APP_SECRET",
    "verify_token": "AEROSTIC_META_VERIFY_TOKEN",
    "webhook_url": "AEROSTIC_SIMULATOR_WEBHOOK_URL",
}


def from_environment(
    environment: Mapping[str, str], *, data_dir: Path, public_base_url: str
) -> SimulatorConfig:
    """The configuration of a process. Raises `ConfigurationError` naming every variable that is missing."""
    missing = [name for name in _REQUIRED.values() if not environment.get(name)]
    if missing:
        raise ConfigurationError(f"The simulator can not start without {', '.join(missing)}.")
    given = {field: environment[name] for field, name in _REQUIRED.items()}
    return SimulatorConfig(
        data_dir=data_dir,
        app_id=given["app_id"],
        app_secret=given["app_secret"],
        verify_token=given["verify_token"],
        webhook_url=given["webhook_url"],
        public_base_url=public_base_url,
        google_client_id=environment.get("AEROSTIC_GOOGLE_CLIENT_ID") or SIMULATED,
        google_client_secret=environment.get("AEROSTIC_GOOGLE_CLIENT_SECRET") or SIMULATED,
    )
