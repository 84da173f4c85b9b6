"""`run.py` before there is an environment: stamps, old Pythons, what can not be had."""

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from aerostic.operations.configuration import ROOT


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_py", ROOT / "run.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 15)])
def test_another_python_is_told_which_one_is_needed(
    bootstrap: ModuleType, version: tuple[int, int]
) -> None:
    with pytest.raises(bootstrap.CannotStart, match=r"needs Python 3\.11 to 3\.14; this is 3\."):
        bootstrap.check_python(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 14)])
def test_a_right_python_passes(bootstrap: ModuleType, version: tuple[int, int]) -> None:
    bootstrap.check_python(version)


def test_only_a_changed_lock_installs_again(bootstrap: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1")
    (tmp_path / "requirements-dev.txt").write_text("b==1")
    both = bootstrap.wanted_stamp(True, tmp_path)
    product = bootstrap.wanted_stamp(False, tmp_path)
    assert sorted(both) == ["requirements-dev.txt", "requirements.txt"]
    assert bootstrap.is_current(product, both)
    assert not bootstrap.is_current(both, product)
    (tmp_path / "requirements.txt").write_text("a==2")
    assert not bootstrap.is_current(bootstrap.wanted_stamp(False, tmp_path), both)


@pytest.mark.parametrize("written", ["", "{", "[]"])
def test_a_broken_stamp_counts_as_none(bootstrap: ModuleType, tmp_path: Path, written: str) -> None:
    (tmp_path / "stamp.json").write_text(written)
    assert bootstrap.read_stamp(str(tmp_path / "stamp.json")) == {}
    assert bootstrap.read_stamp(str(tmp_path / "none.json")) == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("error: No space left on device (os error 28)", "The disk is full"),
        ("error: Permission denied (os error 13)", "No permission to write"),
        ("dns error: failed to lookup address", "The package index could not be reached"),
        ("hash mismatch for x", "The installer said last:\n  hash mismatch for x"),
    ],
)
def test_what_the_installer_says_is_told_in_words(
    bootstrap: ModuleType, said: str, told: str
) -> None:
    assert told in bootstrap.in_words(said)


def test_without_venv_pip_and_uv_it_says_what_to_install(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "TOOLS", str(tmp_path))
    monkeypatch.setattr(bootstrap, "works", lambda _: False)
    with pytest.raises(bootstrap.CannotStart, match="apt install python3-venv"):
        bootstrap.find_uv()


def test_where_venv_is_missing_pip_installs_into_a_folder_of_ours(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "TOOLS", str(tmp_path))
    monkeypatch.setattr(bootstrap, "works", lambda words: words[-2:] == ["pip", "--version"])
    ran: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "attempt", ran.append)
    assert bootstrap.find_uv() == str(tmp_path / "uv" / "bin" / "uv")
    assert [words[-3:] for words in ran] == [["--target", str(tmp_path / "uv"), "--upgrade"]]


def test_it_starts_from_another_folder_and_keeps_the_process(tmp_path: Path) -> None:
    """As process managers do it: by its path, from somewhere, expecting signals to arrive."""
    stamp = ROOT / ".venv" / "aerostic-stamp.json"
    if not stamp.exists() or json.loads(stamp.read_text()).keys() < {"requirements-dev.txt"}:
        pytest.skip("these tests do not run in an environment that run.py made")
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "test", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pytest ")


def pins(name: str) -> dict[str, Version]:
    """Each package of a lock; where a marker forks it, the newest."""
    found: dict[str, Version] = {}
    for line in (ROOT / name).read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            requirement = Requirement(line.partition("\\")[0])
            version = Version(next(iter(requirement.specifier)).version)
            found[requirement.name] = max(version, found.get(requirement.name, version))
    return found


def declared(group: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = {"product": project["project"]["dependencies"], **project["dependency-groups"]}
    return [Requirement(text) for text in groups[group]]


@pytest.mark.parametrize(
    ("group", "lock"), [("product", "requirements.txt"), ("dev", "requirements-dev.txt")]
)
def test_each_lock_holds_what_the_project_declares(group: str, lock: str) -> None:
    locked = pins(lock)
    wanted = declared(group)
    assert len(wanted) > 10
    for requirement in wanted:
        assert requirement.name in locked, f"compile {lock} again: {requirement.name} is missing"
        assert requirement.specifier.contains(locked[requirement.name]), f"compile {lock} again"


def test_the_two_locks_agree() -> None:
    product, development = pins("requirements.txt"), pins("requirements-dev.txt")
    both = product.keys() & development.keys()
    assert len(both) > 5
    assert {name: product[name] for name in both} == {name: development[name] for name in both}


def test_the_locks_name_no_address_and_every_line_has_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "file:" not in text
        assert text.count("--hash=sha256:") > len(pins(name))


def test_nothing_is_locked_that_nothing_asks_for() -> None:
    """A lock compiled before a dependency was dropped would still hold it."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        asked = [line for line in lines if line.strip().startswith("# via")]
        assert len(asked) == sum("==" in line and not line.startswith(" ") for line in lines)
