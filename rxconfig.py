"""How Reflex builds and serves the pages. Read before anything else of Reflex."""

import os
import re
import sys
from pathlib import Path
from typing import Any

# Node and npm come from the environment's own wheel: a system's node may be too old, or missing.
_bin = str(Path(sys.executable).parent)
if _bin not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join((_bin, os.environ.get("PATH", "")))
os.environ.setdefault("REFLEX_USE_NPM", "1")
os.environ.setdefault("REFLEX_USE_GRANIAN", "1")
os.environ.setdefault("REFLEX_TELEMETRY_ENABLED", "false")
os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")

import reflex as rx

from aerostic.core.settings import settings

BUILT_FOR = "localhost:8000"


class SameOrigin(rx.plugins.Plugin):
    """Let one build serve every host and port: pages talk to the address that they came from.

    Reflex writes the address of the server into the bundle. This puts the page's own in its place.
    """

    def post_build(self, **context: Any) -> None:
        """Rewrite the one file that holds addresses. Fails the build when it does not look as expected."""
        static = Path(context["static_dir"])
        files = list(static.glob("assets/reflex-env*.js"))
        rewritten = sum(_use_own_address(file) for file in files)
        if not rewritten:
            raise RuntimeError("the built pages hold no server address where one was expected")


def _use_own_address(file: Path) -> int:
    scheme = {
        "ws": '(location.protocol==="https:"?"wss://":"ws://")',
        "http": 'location.protocol+"//"',
    }
    text, count = re.subn(
        rf"""(["'`])(ws|http)://{re.escape(BUILT_FOR)}([^"'`]*)\1""",
        lambda found: f"({scheme[found[2]]}+location.host+{found[1]}{found[3]}{found[1]})",
        file.read_text(),
    )
    file.write_text(text)
    return count


config = rx.Config(
    app_name="aerostic",
    api_url=f"http://{BUILT_FOR}",
    deploy_url=settings().public_url,
    cors_allowed_origins=settings().allowed_origins,
    trusted_proxy_hops=settings().trusted_proxies,
    show_built_with_reflex=False,
    telemetry_enabled=False,
    plugins=[
        rx.plugins.TailwindV4Plugin(),
        rx.plugins.RadixThemesPlugin(
            theme=rx.theme(
                accent_color="jade", gray_color="sage", radius="large", appearance="inherit"
            )
        ),
        SameOrigin(),
    ],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
