"""The real backend in a process of its own, and tabs that speak its wire by hand."""

from collections.abc import Callable, Iterator

import pytest

from tests.backend import Backend, running
from tests.conftest import PASSWORD, Place
from tests.state.wire import Tab


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One for the whole run: what a test leaves behind is its own tenants'."""
    with running(tmp_path_factory.mktemp("backend") / "log") as backend:
        yield backend


OpenTab = Callable[..., Tab]


@pytest.fixture
def open_tab(backend: Backend) -> Iterator[OpenTab]:
    """`open_tab(path, cookie=…, token=…)`: a tab whose socket is open. Closed at the end."""
    opened: list[Tab] = []

    def open_one(path: str = "/", *, cookie: str = "", token: str = "", origin: str = "") -> Tab:
        tab = Tab(backend.url, path, cookie=cookie, token=token, origin=origin)
        opened.append(tab)
        return tab

    yield open_one
    for tab in opened:
        tab.close()


@pytest.fixture
def signed_in(backend: Backend) -> Callable[[Place, str], str]:
    """`signed_in(place, "owner")`: the cookie of the place's person of that role."""
    return lambda place, role: backend.sign_in(place.emails[role], PASSWORD)
