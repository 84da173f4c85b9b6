"""Chromium against the real web process with the built pages."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from aerostic.operations import frontend
from tests.backend import Backend, running

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(600))
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on PATH"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The product as a visitor meets it. Builds the pages if their sources changed."""
    folder = tmp_path_factory.mktemp("site")
    if not frontend.is_current():
        frontend.build(folder / "build.log", frontend.placeholder_settings())
    with running(folder / "log", with_pages=True) as backend:
        yield backend


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new visitor on a wide screen; whatever the console complains about fails the test."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []
