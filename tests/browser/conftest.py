"""Chromium against the whole product: built pages, web, worker, sender, and WhatsApp's side of it.

Everything here lives as long as this package's tests are running: Playwright keeps an event loop in its
thread until it is stopped, and the product's worker would take other tests' jobs.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import shared_work
from aerostic.domain.channels.models import AccountDirectory, NumberDirectory
from aerostic.operations import frontend
from aerostic.operations.processes import free_port
from aerostic.operations.serve import READY_FILE
from aerostic.simulator.google.gemini import KEYS_BEGIN
from tests.backend import ROOT, Backend, end, running
from tests.conftest import Place
from tests.simulator.conftest import ACCOUNT, NUMBER, OTHER_ACCOUNT, OTHER_NUMBER
from tests.waiting import until

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(600))
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on PATH"))


@dataclass(frozen=True)
class Site(Backend):
    """The product as people meet it. `simulator`: where WhatsApp's side is told what to do."""

    simulator: str

    def whatsapp(self, method: str, path: str, wanted: object = None) -> httpx.Response:
        """Tell or ask the simulator."""
        answer = httpx.request(method, f"{self.simulator}/{path}", json=wanted)
        assert answer.status_code < 300, answer.text
        return answer

    def person(self, name: str) -> int:
        """Someone who has WhatsApp, by name."""
        people = self.whatsapp("GET", "people").json()["people"]
        return next(one["id"] for one in people if one["name"] == name)

    def says(self, name: str, text: str, number: str = NUMBER) -> None:
        """Someone writes to a number."""
        path = f"people/{self.person(name)}/chats/{number}/messages"
        self.whatsapp("POST", path, {"type": "text", "text": text})


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything is running and has said so. Builds the pages if their sources changed."""
    folder = tmp_path_factory.mktemp("site")
    if not frontend.is_current():
        frontend.build(folder / "build.log", frontend.placeholder_settings())
    port = free_port()
    whatsapp = f"http://127.0.0.1:{port}"
    settings = {
        "AEROSTIC_SIMULATOR_URL": whatsapp,
        "AEROSTIC_META_GRAPH_URL": f"{whatsapp}/simulator/graph",
        "AEROSTIC_GEMINI_URL": f"{whatsapp}/simulator/google/gemini",
        "AEROSTIC_GEMINI_API_KEY": f"{KEYS_BEGIN}-browser",
        "AEROSTIC_GOOGLE_URL": f"{whatsapp}/simulator/google",
        "AEROSTIC_GOOGLE_CLIENT_ID": "simulated",
        "AEROSTIC_GOOGLE_CLIENT_SECRET": "simulated",
        "AEROSTIC_OUTSIDE_ALLOW": "127.0.0.1",
    }
    with ExitStack() as stack:
        web = running(folder / "web.log", with_pages=True, settings=settings)
        backend = stack.enter_context(web)
        settings["AEROSTIC_PUBLIC_URL"] = backend.url
        settings["AEROSTIC_DATA_DIR"] = str(folder / "simulator")
        simulator = _process(folder, settings, "simulator", "--port", str(port))
        stack.enter_context(simulator)
        settings["AEROSTIC_DATA_DIR"] = os.environ["AEROSTIC_DATA_DIR"]
        stack.enter_context(_process(folder, settings, "worker"))
        stack.enter_context(_process(folder, settings, "sender"))
        stack.enter_context(_process(folder, settings, "automation"))
        until(lambda: _is_healthy(whatsapp), what="the simulator", seconds=60)
        until(lambda: (folder / "worker.ready").exists(), what="the worker", seconds=60)
        until(lambda: (folder / "sender.ready").exists(), what="the sender", seconds=60)
        until(lambda: (folder / "automation.ready").exists(), what="automation", seconds=60)
        yield Site(backend.url, f"{whatsapp}/simulator/control")


@contextmanager
def _process(folder: Path, settings: Mapping[str, str], *words: str) -> Iterator[None]:
    """One process of the product, as `up` starts it."""
    ready = folder / f"{words[0]}.ready"
    with (folder / f"{words[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "aerostic.operations", *words],
            cwd=ROOT,
            env={**os.environ, **settings, READY_FILE: str(ready), "PYTHONWARNINGS": "ignore"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        end(process)


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """`open_page(width=390, scheme="dark")`: a visitor. What a page complains about fails the test."""
    complaints: list[str] = []
    with ExitStack() as opened:

        def open_one(*, width: int = 1440, scheme: str = "light") -> Page:
            context = browser.new_context(
                color_scheme="dark" if scheme == "dark" else "light",
                viewport={"width": width, "height": 900},
                accept_downloads=True,
            )
            opened.callback(context.close)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield open_one
    assert complaints == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A new visitor on a wide screen."""
    return open_page()


@pytest.fixture
def nobody_has_the_numbers() -> None:
    """The simulator's two numbers are the same in every test, and one workspace may have each."""
    with shared_work(STRANGER) as ctx:
        for directory, ids in (
            (NumberDirectory, (NUMBER, OTHER_NUMBER)),
            (AccountDirectory, (ACCOUNT, OTHER_ACCOUNT)),
        ):
            for row in filter(None, (ctx.session.get(directory, one) for one in ids)):
                ctx.session.delete(row)


@pytest.fixture
def cafe(site: Site, place: Place, nobody_has_the_numbers: None) -> Place:
    """A workspace that has the number of the simulator's Bluebird Café, all quiet."""
    site.whatsapp("DELETE", "trouble")
    pasted = {"meta_account_id": ACCOUNT, "phone_number_id": NUMBER, "access_token": "EAAsim-demo"}
    owner = httpx.Client(base_url=site.url)
    owner.headers["Cookie"] = site.sign_in(place.emails["owner"], "correct horse battery staple")
    answer = owner.post("/api/v1/numbers", json=pasted)
    assert answer.status_code == 201, answer.text
    owner.close()
    return place
