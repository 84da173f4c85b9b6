"""Gemini's stand-in for tests: it runs in the simulator, and each test has a key of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from aerostic.core.ids import new_id
from aerostic.core.settings import settings
from aerostic.simulator.google.gemini import KEYS_BEGIN
from tests.simulator.conftest import Running, start


@dataclass(frozen=True)
class Google:
    """The stand-in and the key that the product uses in this test."""

    url: str
    key: str

    def will_answer(self, *answers: dict[str, Any]) -> None:
        """What Gemini says next, in this order; after that it answers by rules."""
        body = {"key": self.key, "answers": list(answers)}
        httpx.put(f"{self.url}/control/script", json=body).raise_for_status()

    def asked(self) -> list[dict[str, Any]]:
        """The bodies of the questions that came, oldest first."""
        answer = httpx.get(f"{self.url}/control/asked", params={"key": self.key}).json()
        return [one["body"] for one in answer["asked"]]


@pytest.fixture(scope="session")
def google_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("google"), webhook_url="http://127.0.0.1:1/")
    yield running
    running.stop()


@pytest.fixture
def google(google_stand_in: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """The product has a key, and the stand-in is where it asks."""
    made = Google(f"{google_stand_in.base}/simulator/google/gemini", f"{KEYS_BEGIN}-{new_id()}")
    monkeypatch.setenv("AEROSTIC_GEMINI_URL", made.url)
    monkeypatch.setenv("AEROSTIC_GEMINI_API_KEY", made.key)
    settings.cache_clear()
    yield made
    monkeypatch.undo()
    settings.cache_clear()
