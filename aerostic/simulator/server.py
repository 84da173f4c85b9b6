"""The simulator as a process of its own."""

import os
import sys
from pathlib import Path

import uvicorn

from aerostic.simulator.app import create_app
from aerostic.simulator.config import ConfigurationError, from_environment

_STOP_SECONDS = 1
_PUBLIC_URL = "AEROSTIC_SIMULATOR_PUBLIC_URL"


def main(host: str, port: int, data_dir: Path | str) -> None:
    """Serve until told to stop. Exits with a sentence where a setting is missing."""
    try:
        config = from_environment(
            os.environ, data_dir=Path(data_dir), public_base_url=_public_url(host, port)
        )
    except ConfigurationError as fault:
        sys.exit(str(fault))
    # Phones keep their event stream open for ever; without a limit a stop would wait for them.
    uvicorn.run(
        create_app(config),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def _public_url(host: str, port: int) -> str:
    """Where the product fetches media: as set, else here; from each request if we listen everywhere."""
    is_everywhere = host in ("0.0.0.0", "::")  # noqa: S104 - read, not bound
    return os.environ.get(_PUBLIC_URL) or ("" if is_everywhere else f"http://{host}:{port}")
