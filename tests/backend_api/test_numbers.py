"""Connecting numbers, with the simulator in Meta's place."""

from collections.abc import Iterator

import httpx
import pytest

from aerostic.core.permissions import STRANGER
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work
from aerostic.domain.channels.models import AccountDirectory, NumberDirectory
from tests.clients import member
from tests.conftest import Place
from tests.simulator.conftest import ACCOUNT, NUMBER, OTHER_ACCOUNT, TOKEN, Running, start

PASTED = {"meta_account_id": ACCOUNT, "phone_number_id": NUMBER, "access_token": TOKEN}


@pytest.fixture
def meta(tmp_path, monkeypatch) -> Iterator[Running]:
    """Meta's Graph API, as the product's settings name it."""
    running = start(tmp_path, webhook_url="http://127.0.0.1:1/")
    monkeypatch.setenv("AEROSTIC_META_GRAPH_URL", f"{running.base}/simulator/graph")
    settings.cache_clear()
    yield running
    running.stop()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(autouse=True)
def nobody_has_the_number() -> None:
    """The simulator's numbers are the same in every test."""
    with shared_work(STRANGER) as ctx:
        for directory, meta_id in ((NumberDirectory, NUMBER), (AccountDirectory, ACCOUNT)):
            row = ctx.session.get(directory, meta_id)
            if row is not None:
                ctx.session.delete(row)


def accounts(place: Place) -> dict[str, dict]:
    answer = member(place).get("/api/v1/accounts")
    return {row["meta_account_id"]: row for row in answer.json()["items"]}


def test_pasting_the_three_connects_a_number_and_never_shows_the_token(place, meta):
    answer = member(place).post("/api/v1/numbers", json=PASTED)
    assert answer.status_code == 201
    assert TOKEN not in answer.text
    account = accounts(place)[ACCOUNT]
    assert (account["name"], account["status"]) == ("Bluebird Café", "connected")
    (number,) = account["numbers"]
    assert number["display_phone_number"] == "+1 555 000 1001"
    assert (number["status"], number["messages_per_second"]) == ("connected", 80)


def test_the_token_is_sealed_in_the_database(place, meta):
    member(place).post("/api/v1/numbers", json=PASTED)
    with place.work() as ctx:
        rows = ctx.cursor().execute("select access_token_sealed from whatsapp_accounts").fetchall()
    assert TOKEN not in str(rows)


def test_connecting_again_renews_the_token_and_makes_no_second_number(place, meta):
    client = member(place)
    first = client.post("/api/v1/numbers", json=PASTED).json()
    again = client.post("/api/v1/numbers", json=PASTED).json()
    ids = [[n["id"] for n in row["numbers"]] for row in first["items"]]
    assert ids == [[n["id"] for n in row["numbers"]] for row in again["items"]]


def test_the_accounts_templates_come_with_it(place, meta, run_jobs):
    client = member(place)
    client.post("/api/v1/numbers", json=PASTED)
    assert run_jobs() >= 1
    names = [row["name"] for row in client.get("/api/v1/templates").json()["items"]]
    assert names == ["hello_world", "order_ready", "sign_in_code", "weekend_offer"]


def test_a_listing_that_fails_leaves_the_templates_as_they_were(place, meta, run_jobs):
    client = member(place)
    client.post("/api/v1/numbers", json=PASTED)
    run_jobs()
    httpx.post(f"{meta.base}/simulator/control/tokens", json={"token": TOKEN, "is_expired": True})
    account = accounts(place)[ACCOUNT]
    answer = client.post(f"/api/v1/accounts/{account['id']}/templates/sync")
    assert (answer.status_code, answer.json()["code"]) == (422, "token_refused")
    statuses = {row["status"] for row in client.get("/api/v1/templates").json()["items"]}
    assert "DELETED" not in statuses


def test_a_wrong_token_is_refused_in_words_and_nothing_is_kept(place, meta):
    answer = member(place).post("/api/v1/numbers", json={**PASTED, "access_token": "EAAwrong"})
    assert (answer.status_code, answer.json()["code"]) == (422, "token_refused")
    assert "Meta does not accept this access token" in answer.json()["detail"]
    assert ACCOUNT not in accounts(place)


def test_a_number_of_another_account_is_refused(place, meta):
    answer = member(place).post(
        "/api/v1/numbers", json={**PASTED, "meta_account_id": OTHER_ACCOUNT}
    )
    assert answer.status_code == 422
    assert OTHER_ACCOUNT not in accounts(place)


@pytest.mark.parametrize("wrong", ["", "abc", "1" * 60, "1000/../me", "１００００００"])
def test_what_can_not_be_an_id_never_reaches_meta(place, meta, wrong):
    answer = member(place).post("/api/v1/numbers", json={**PASTED, "phone_number_id": wrong})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "phone_number_id"


@pytest.mark.parametrize("pasted", ["²EAAB", "EAA\0B", "EAA\r\nHost: elsewhere.test"])
def test_what_can_not_be_a_token_never_reaches_meta(place, meta, pasted):
    answer = member(place).post("/api/v1/numbers", json={**PASTED, "access_token": pasted})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["access_token"]


def test_a_number_belongs_to_one_workspace(place, rival, meta):
    member(place).post("/api/v1/numbers", json=PASTED)
    answer = member(rival).post("/api/v1/numbers", json=PASTED)
    assert answer.status_code == 409
    assert ACCOUNT not in accounts(rival)


def test_a_disconnected_number_can_be_connected_elsewhere(place, rival, meta):
    client = member(place)
    client.post("/api/v1/numbers", json=PASTED)
    number_id = accounts(place)[ACCOUNT]["numbers"][0]["id"]
    assert client.delete(f"/api/v1/numbers/{number_id}").status_code == 204
    account = accounts(place)[ACCOUNT]
    assert (account["status"], account["numbers"][0]["status"]) == ("disconnected", "disconnected")
    assert member(rival).post("/api/v1/numbers", json=PASTED).status_code == 201


def test_an_expired_token_shows_on_the_account_and_goes_when_it_is_renewed(place, meta):
    client = member(place)
    client.post("/api/v1/numbers", json=PASTED)
    account = accounts(place)[ACCOUNT]
    control = f"{meta.base}/simulator/control/tokens"
    httpx.post(control, json={"token": TOKEN, "is_expired": True})
    client.post(f"/api/v1/accounts/{account['id']}/check")
    ill = accounts(place)[ACCOUNT]
    assert (ill["status"], ill["numbers"][0]["status"]) == ("needs_attention", "needs_attention")
    httpx.post(control, json={"token": TOKEN, "is_expired": False})
    client.post(f"/api/v1/accounts/{account['id']}/check")
    assert accounts(place)[ACCOUNT]["status"] == "connected"


def test_meta_out_of_reach_is_a_sentence(place, monkeypatch):
    monkeypatch.setenv("AEROSTIC_META_GRAPH_URL", "http://127.0.0.1:1")
    settings.cache_clear()
    answer = member(place).post("/api/v1/numbers", json=PASTED)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_only_owners_connect_and_disconnect(place, role):
    client = member(place, role)
    assert client.post("/api/v1/numbers", json=PASTED).status_code == 403
    assert client.delete(f"/api/v1/numbers/{place.number_id}").status_code == 403
    assert client.get("/api/v1/accounts").json()["items"][0]["numbers"][0]["status"] == "connected"


def test_another_workspaces_number_does_not_exist(place, rival):
    client = member(rival)
    assert client.delete(f"/api/v1/numbers/{place.number_id}").status_code == 404
    assert client.post(f"/api/v1/accounts/{place.account_id}/check").status_code == 404
    assert accounts(place)[place.meta_account_id]["numbers"][0]["status"] == "connected"
