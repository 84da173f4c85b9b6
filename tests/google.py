"""Google's stand-in for tests: it runs in the simulator, and people choose on its page over HTTP."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import delete

from aerostic.core.permissions import STRANGER
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work
from aerostic.domain.connections.models import GoogleAccountUse
from tests.gemini import google_stand_in  # noqa: F401 - a fixture
from tests.simulator.conftest import Running

AMARA, LENA = "110000000000000000001", "110000000000000000002"
DRIVE = "https://www.googleapis.com/auth/drive"
SHEETS = "https://www.googleapis.com/auth/spreadsheets"


@dataclass(frozen=True)
class GoogleHouse:
    """Sign-in, Drive and Sheets, and the door behind them."""

    url: str

    def control(self, method: str, path: str, **more: Any) -> Any:
        answer = httpx.request(method, f"{self.url}/control/{path}", **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def allow(
        self, consent_url: str, *, account: str = AMARA, scopes: list[str] | None = None
    ) -> dict[str, str]:
        """What a person does on the page: choose the account, leave ticked what they allow, continue.

        Returns what the browser brings back. `scopes`: None leaves all ticked.
        """
        page = httpx.get(consent_url)
        assert page.status_code == 200, page.text
        offered = re.findall(r'name="scope" value="([^"]+)"', page.text)
        ticked = offered if scopes is None else [one for one in offered if one in scopes]
        form = {"account": account, "scope": ticked, "answer": "allow"}
        return _brought_back(httpx.post(consent_url, data=form))

    def deny(self, consent_url: str) -> dict[str, str]:
        return _brought_back(httpx.post(consent_url, data={"answer": "deny"}))

    def grant(self, account: str = AMARA) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"grants/{account}")
        return found

    def take_back(self, account: str = AMARA) -> None:
        """The person ends the permission in their account's settings."""
        self.control("DELETE", f"grants/{account}")

    def end_access(self) -> None:
        """Every access token has run out."""
        self.control("DELETE", "access")

    def trouble(self, status: int, times: int = 1, seconds: float = 0) -> None:
        self.control("POST", "trouble", json={"status": status, "times": times, "seconds": seconds})

    def seen(self, path: str) -> list[int]:
        """The statuses of what was asked at a path."""
        all_seen = self.control("GET", "seen")["seen"]
        return [one["status"] for one in all_seen if one["path"] == path]

    def file(self, name: str, account: str = AMARA) -> dict[str, Any]:
        """A file by its name, the newest first."""
        files = self.control("GET", "files")["files"]
        of_theirs = [one for one in files if one["name"] == name and one["sub"] == account]
        found: dict[str, Any] = of_theirs[-1]
        return found

    def delete(self, file_id: str) -> None:
        self.control("DELETE", f"files/{file_id}")


def _brought_back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    parts = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in parts.items()}


@pytest.fixture
def google_house(
    google_stand_in: Running,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[GoogleHouse]:
    """The product has an OAuth client, and the stand-in is its Google. Nobody has allowed anything."""
    made = GoogleHouse(f"{google_stand_in.base}/simulator/google")
    for name, value in (("CLIENT_ID", "simulated"), ("CLIENT_SECRET", "simulated")):
        monkeypatch.setenv(f"AEROSTIC_GOOGLE_{name}", value)
    monkeypatch.setenv("AEROSTIC_GOOGLE_URL", made.url)
    settings.cache_clear()
    made.trouble(0, 0)
    for account in (AMARA, LENA):
        made.take_back(account)
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(delete(GoogleAccountUse))
    yield made
    monkeypatch.undo()
    settings.cache_clear()
