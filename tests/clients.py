"""Callers of the HTTP API: a visitor, or a member who has signed in as anyone would."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import PASSWORD, Place


def visitor() -> TestClient:
    """Nobody yet. A bug in a route shows as the 500 that a caller would see."""
    from backend_api.app import api

    return TestClient(api, raise_server_exceptions=False, client=("203.0.113.7", 50000))


def member(place: Place, role: str = "owner") -> TestClient:
    """The person of that role, signed in."""
    client = visitor()
    body = {"email": place.emails[role], "password": PASSWORD}
    answer = client.post("/auth/session", json=body)
    assert answer.status_code == 200, answer.text
    return client


def redis_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Redis had stopped: nothing listens at its address."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from aerostic.core import queue

    nobody = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 1))
    for name in ("connection", "prompt_connection"):
        monkeypatch.setattr(queue, name, lambda: nobody)


def database_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if PostgreSQL had stopped: nothing listens at its address."""
    from sqlalchemy import create_engine

    from aerostic.core import database

    nobody = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(database, "engine", lambda: nobody)
