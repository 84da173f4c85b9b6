"""One process each: what `up` starts, and what production starts one by one."""

import os
import shutil
import sys
from pathlib import Path

from aerostic.core import logs
from aerostic.core.settings import settings
from aerostic.operations import frontend
from aerostic.operations.configuration import ROOT
from aerostic.operations.errors import OperationError

READY_FILE = "AEROSTIC_RUN_READY_FILE"
FIGURES = "PROMETHEUS_MULTIPROC_DIR"  # the client library's own name


def announce_ready() -> None:
    """Tell the supervisor, if there is one, that this process now does its work."""
    file = os.environ.get(READY_FILE)
    if file:
        Path(file).write_text(str(os.getpid()))


def fresh_figures(directory: Path) -> dict[str, str]:
    """Where processes of one start add up what `/metrics` tells: the setting for their environment.

    Emptied: what is in there was counted by processes that are gone.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return {FIGURES: str(directory)}


def _figures(port: int, processes: int) -> dict[str, str]:
    """Several processes at one port answer as one."""
    if processes == 1 or FIGURES in os.environ:
        return {}
    return fresh_figures(settings().data_dir / "run" / f"figures-{port}")


def simulator(*, host: str, port: int) -> None:
    """Serve WhatsApp's side of the conversation until told to stop."""
    from aerostic.simulator import server

    chosen = settings()
    if chosen.is_production:
        raise OperationError("The simulator does not run in production.")
    webhooks = chosen.simulator_webhook_url or f"{chosen.public_url}/webhooks/meta"
    os.environ["AEROSTIC_SIMULATOR_WEBHOOK_URL"] = webhooks
    server.main(host, port, chosen.data_dir / "simulator")


def scheduler() -> None:
    """Start work on time until told to stop."""
    from workers import scheduler as clockwork

    logs.configure()
    clockwork.main(ready=announce_ready)


def sender() -> None:
    """Send what waits in the outbox until told to stop."""
    from workers import sender as lanes

    logs.configure()
    lanes.main(ready=announce_ready)


def automation() -> None:
    """Hear what happens and walk the runs of workflows until told to stop."""
    from workers import automation as automat

    logs.configure()
    automat.main(ready=announce_ready)


def web(*, host: str, port: int, processes: int) -> None:
    """Become the web server: pages, their sockets, the API and the webhooks on one port."""
    if not (frontend.built_pages() / "index.html").exists():
        raise OperationError("The pages are not built yet. Build them with `python3 run.py build`.")
    environment = {
        **os.environ,
        **_figures(port, processes),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))),
        "REFLEX_REDIS_URL": settings().redis_url,
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_USE_GRANIAN": "1",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "__REFLEX_SKIP_COMPILE": "true",
    }
    command = [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
        *("--host", host, "--port", str(port), "--workers", str(processes)),
        *("--loop", "uvloop", "--log-level", "warning", "--no-access-log"),
        *("--workers-kill-timeout", "5", "--respawn-failed-workers"),
        "aerostic.aerostic:app",
    ]
    os.execve(sys.executable, command, environment)


def api(*, host: str, port: int, processes: int) -> None:
    """Become the API server: the same application as in `web`, without the pages."""
    command = [
        *(sys.executable, "-m", "uvicorn", "backend_api.app:app"),
        *("--host", host, "--port", str(port), "--loop", "uvloop", "--http", "httptools"),
        *("--log-level", "warning", "--no-access-log", "--no-server-header"),
        # The client's address is read by `backend_api.security`, which counts the trusted proxies.
        "--no-proxy-headers",
        *("--workers", str(processes)),
    ]
    environment = {**os.environ, **_figures(port, processes)}
    os.chdir(ROOT)
    os.execve(sys.executable, command, environment)
