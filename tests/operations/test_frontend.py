"""The pages are built again when, and only when, what they are made of changed."""

import json
import sys
from pathlib import Path

import pytest

from aerostic.operations import frontend
from aerostic.operations.errors import OperationError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project whose pages are built."""
    for name in ("aerostic/pages/inbox.py", "aerostic/domain/inbox.py", "reflex.lock/package.json"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text("one")
    pages = frontend.built_pages(tmp_path)
    pages.mkdir(parents=True)
    (pages / "index.html").write_text("<html>")
    stamp = {"sources": frontend.fingerprint(tmp_path)}
    (tmp_path / ".web" / "aerostic.json").write_text(json.dumps(stamp))
    assert frontend.is_current(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["aerostic/pages/inbox.py", "reflex.lock/package.json"])
def test_a_changed_source_asks_for_a_build(checkout: Path, name: str) -> None:
    (checkout / name).write_text("two")
    assert not frontend.is_current(checkout)


@pytest.mark.parametrize(
    "name",
    ["aerostic/components/card.py", "aerostic/state/inbox.py", "assets/icon.svg", "rxconfig.py"],
)
def test_a_new_source_asks_for_a_build(checkout: Path, name: str) -> None:
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).write_text("new")
    assert not frontend.is_current(checkout)


def test_a_moved_source_asks_for_a_build(checkout: Path) -> None:
    (checkout / "aerostic/pages/inbox.py").rename(checkout / "aerostic/pages/post.py")
    assert not frontend.is_current(checkout)


@pytest.mark.parametrize(
    "name",
    [
        "aerostic/domain/inbox.py",
        "assets/external/made.jsx",
        "aerostic/pages/__pycache__/inbox.pyc",
    ],
)
def test_what_the_pages_are_not_made_of_does_not(checkout: Path, name: str) -> None:
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).write_text("two")
    assert frontend.is_current(checkout)


def test_a_build_that_left_nothing_does_not_count(checkout: Path) -> None:
    (frontend.built_pages(checkout) / "index.html").unlink()
    assert not frontend.is_current(checkout)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("npm error code ENOSPC", "The disk is full: the pages could not be built"),
        ("npm error code ENOTFOUND", "the npm registry could not be reached"),
        ("SyntaxError: unexpected token", "Its end:\n  SyntaxError: unexpected token"),
    ],
)
def test_a_failed_build_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, body in {"reflex": f"echo '{said}'; exit 1", "npm": "echo"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tools / "python"))
    with pytest.raises(OperationError) as refused:
        frontend.build(tmp_path / "build.log", {}, tmp_path)
    assert told in str(refused.value)
    assert not frontend.is_current(tmp_path)


def test_compiling_needs_no_real_settings() -> None:
    made = frontend.placeholder_settings()
    assert made["AEROSTIC_DATABASE_URL"] == "postgresql://127.0.0.1:1/none"
    assert "PASSWORD" not in " ".join(made)
