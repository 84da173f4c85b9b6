"""Signing in and out, through HTTP."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import PASSWORD


@pytest.fixture
def visitor():
    from backend_api.app import api

    return TestClient(api, raise_server_exceptions=False)


def test_health(visitor):
    answer = visitor.get("/health")
    assert (answer.status_code, answer.text) == (200, "ok")
    assert visitor.get("/health/ready").text == "ok"


def test_sign_in(visitor, place):
    answer = visitor.post("/auth/session", json={"email": place.emails["owner"], "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert answer.json()["workspaces"][0]["slug"] == place.slug
    print(answer.headers, visitor.cookies)
    assert visitor.post("/auth/refresh").status_code == 200
    assert visitor.post("/auth/logout").status_code == 204
    assert visitor.post("/auth/refresh").status_code == 401
