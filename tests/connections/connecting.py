"""Connecting a Google account as a member does: by the API, on Google's page, and back."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from tests.clients import member
from tests.conftest import Place
from tests.google import AMARA, GoogleHouse

CONNECTIONS = "/api/v1/connections"


def consent_url(client: TestClient, *services: str, connection_id: str | None = None) -> str:
    body: dict[str, Any] = {"services": list(services) or ["drive", "sheets"]}
    if connection_id:
        body["connection_id"] = connection_id
    answer = client.post(f"{CONNECTIONS}/google", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"])


def come_back(client: TestClient, brought: dict[str, str]) -> Any:
    return client.get("/oauth/google/callback", params=brought)


def connect(
    place: Place,
    house: GoogleHouse,
    *services: str,
    account: str = AMARA,
    scopes: list[str] | None = None,
    role: str = "admin",
) -> UUID:
    """The id of the connection."""
    client = member(place, role)
    brought = house.allow(consent_url(client, *services), account=account, scopes=scopes)
    answer = come_back(client, brought)
    assert answer.status_code == 200, answer.text
    email = "lena" if account != AMARA else "amara"
    items = client.get(CONNECTIONS).json()["items"]
    return next(UUID(one["id"]) for one in items if one["email"].startswith(email))
