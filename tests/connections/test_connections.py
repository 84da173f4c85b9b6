"""Google accounts of a workspace: connected on Google's page, used by workflows, taken back, let go."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from aerostic.core import clock
from aerostic.core.errors import NotAllowed, NotFound, Refused
from aerostic.core.permissions import STRANGER
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.automation.actor import AUTOMATION
from aerostic.domain.connections import service, using
from aerostic.domain.connections.models import GoogleAccountUse, GoogleConnection, OAuthState
from aerostic.integrations.google.drive import Drive
from aerostic.integrations.google.errors import GrantGone
from aerostic.integrations.google.oauth import Scope
from tests.clients import member, visitor
from tests.conftest import Place
from tests.connections.connecting import CONNECTIONS, come_back, connect, consent_url
from tests.google import AMARA, DRIVE, LENA, SHEETS


def asking(place: Place) -> Any:
    async def ask(action: Any, *args: Any, **more: Any) -> Any:
        def asked() -> Any:
            with unit_of_work(place.tenant_id, AUTOMATION) as ctx:
                return action(ctx, *args, **more)

        return await asyncio.to_thread(asked)

    return ask


def access(place: Place, connection_id: UUID, scope: Scope = Scope.SHEETS) -> str:
    return asyncio.run(using.access(asking(place), connection_id, scope))


def row(place: Place, connection_id: UUID) -> GoogleConnection:
    with place.system_work() as ctx:
        found = ctx.get(GoogleConnection, connection_id)
        assert found is not None
        return found


def ends_soon(place: Place, connection_id: UUID) -> None:
    with place.system_work() as ctx:
        found = ctx.get(GoogleConnection, connection_id)
        assert found
        found.access_until = clock.now() + timedelta(seconds=5)


# Connecting


def test_an_account_is_connected_and_its_tokens_are_sealed(place, google_house):
    client = member(place, "admin")
    answer = come_back(client, google_house.allow(consent_url(client)))
    assert "amara.okafor@gmail.test is connected." in answer.text
    assert 'new BroadcastChannel("aerostic.connections")' in answer.text
    items = client.get(CONNECTIONS).json()["items"]
    told = {name: items[0][name] for name in ("email", "name", "status", "problem", "services")}
    assert told == {
        "email": "amara.okafor@gmail.test",
        "name": "Amara Okafor",
        "status": "connected",
        "problem": "",
        "services": ["drive", "sheets"],
    }
    kept = row(place, UUID(items[0]["id"]))
    assert kept.refresh_token_sealed.startswith("t1.")
    assert kept.connected_by == place.admin_id
    assert "1//" not in kept.refresh_token_sealed
    assert "token" not in str(items)


def test_several_accounts_and_the_rival_sees_none(place, rival, google_house):
    connect(place, google_house)
    connect(place, google_house, account=LENA)
    emails = [one["email"] for one in member(place).get(CONNECTIONS).json()["items"]]
    assert emails == ["amara.okafor@gmail.test", "lena.fischer@gmail.test"]
    assert member(rival).get(CONNECTIONS).json()["items"] == []


def test_more_is_asked_of_an_account_that_is_there(place, google_house):
    first = connect(place, google_house, "sheets")
    assert row(place, first).scopes == [SHEETS]
    client = member(place)
    url = consent_url(client, "drive", connection_id=str(first))
    assert "login_hint=amara.okafor%40gmail.test" in url
    come_back(client, google_house.allow(url))
    items = client.get(CONNECTIONS).json()["items"]
    assert [(UUID(one["id"]), one["services"]) for one in items] == [(first, ["drive", "sheets"])]


def test_what_was_not_ticked_is_not_granted(place, google_house):
    connection_id = connect(place, google_house, scopes=[SHEETS])
    assert access(place, connection_id).startswith("ya29.")
    with pytest.raises(Refused, match="was connected without Google Drive"):
        access(place, connection_id, Scope.DRIVE)


def test_nothing_ticked_connects_nothing(place, google_house):
    client = member(place)
    answer = come_back(client, google_house.allow(consent_url(client), scopes=[]))
    assert answer.status_code == 422
    assert "Nothing was allowed at Google." in answer.text
    assert client.get(CONNECTIONS).json()["items"] == []


def test_a_refusal_at_google_is_said_plainly(place, google_house):
    client = member(place)
    answer = come_back(client, google_house.deny(consent_url(client)))
    assert answer.status_code == 400
    assert "you did not allow it at Google" in answer.text


def test_without_a_client_nobody_can_begin(place, monkeypatch):
    monkeypatch.setenv("AEROSTIC_GOOGLE_CLIENT_ID", "")
    settings.cache_clear()
    answer = member(place).post(f"{CONNECTIONS}/google", json={"services": ["drive"]})
    assert answer.status_code == 422
    assert "AEROSTIC_GOOGLE_CLIENT_ID" in answer.json()["detail"]


def test_services_must_be_chosen(place, google_house):
    answer = member(place).post(f"{CONNECTIONS}/google", json={"services": []})
    assert answer.status_code == 422


# The way back


def test_a_state_counts_once_for_whoever_began(place, rival, google_house):
    client = member(place, "admin")
    brought = google_house.allow(consent_url(client))
    for stranger, status in ((visitor(), 401), (member(rival), 422), (member(place, "owner"), 422)):
        assert come_back(stranger, brought).status_code == status
    assert come_back(client, {**brought, "state": "forged"}).status_code == 422
    assert come_back(client, brought).status_code == 200
    again = come_back(client, brought)
    assert again.status_code == 422
    assert "too old, or was used already" in again.text
    assert member(rival).get(CONNECTIONS).json()["items"] == []


def test_a_state_ends(place, google_house):
    client = member(place)
    brought = google_house.allow(consent_url(client))
    with shared_work(STRANGER) as ctx:
        for state in ctx.session.exec(select(OAuthState)):
            assert brought["state"] not in (state.digest, state.verifier_sealed)
            state.expires_at = clock.now() - timedelta(seconds=1)
    assert come_back(client, brought).status_code == 422
    assert client.get(CONNECTIONS).json()["items"] == []


def test_who_left_the_workspace_meanwhile_connects_nothing(place, google_house):
    client = member(place, "admin")
    brought = google_house.allow(consent_url(client))
    assert member(place).delete(f"/api/v1/members/{place.admin_id}").status_code < 300
    assert come_back(client, brought).status_code in (401, 404)
    assert member(place).get(CONNECTIONS).json()["items"] == []


def test_nothing_of_a_stranger_is_written_into_the_page(place, google_house):
    client = member(place)
    state = google_house.allow(consent_url(client))["state"]
    answer = come_back(client, {"state": state, "error": "</script><b>x"})
    assert "<b>" not in answer.text


def test_an_agent_may_not(place, google_house):
    agent = member(place, "agent")
    assert agent.get(CONNECTIONS).status_code == 403
    assert agent.post(f"{CONNECTIONS}/google", json={"services": ["drive"]}).status_code == 403


# Access


def test_access_is_fetched_once_however_many_ask(place, google_house):
    connection_id = connect(place, google_house)
    ends_soon(place, connection_id)
    before = google_house.seen("/token").count(200)
    google_house.trouble(0, times=1, seconds=0.5)
    with ThreadPoolExecutor(6) as threads:
        found = set(threads.map(lambda _: access(place, connection_id), range(6)))
    assert len(found) == 1
    assert google_house.seen("/token").count(200) == before + 1


def test_an_errand_that_never_came_back_is_given_to_another(place, google_house):
    connection_id = connect(place, google_house)
    ends_soon(place, connection_id)
    ask = asking(place)
    lost = asyncio.run(ask(service.claim_access, connection_id, Scope.DRIVE))
    assert isinstance(lost, service.Errand)
    waits = asyncio.run(ask(service.claim_access, connection_id, Scope.DRIVE))
    assert waits == service.Underway()
    with place.system_work() as ctx:
        found = ctx.get(GoogleConnection, connection_id)
        assert found
        found.refreshing_until = clock.now() - timedelta(seconds=1)
    assert access(place, connection_id).startswith("ya29.")


def test_access_that_google_takes_no_more_is_replaced(place, google_house):
    connection_id = connect(place, google_house)
    google_house.end_access()

    async def find() -> list[Any]:
        async with using.google(asking(place), connection_id, Scope.DRIVE) as (client, token):
            return await Drive(client, token).find(name="Menu")

    assert [one["name"] for one in asyncio.run(find())] == ["Menu.txt"]


def test_a_permission_taken_back_needs_attention_until_it_is_given_again(place, google_house):
    connection_id = connect(place, google_house)
    google_house.take_back()
    ends_soon(place, connection_id)
    with pytest.raises(GrantGone):
        access(place, connection_id)
    told = member(place).get(CONNECTIONS).json()["items"][0]
    assert told["status"] == "needs_attention"
    assert (
        told["problem"] == "Google says that this permission has ended. Connect the account again."
    )
    with pytest.raises(Refused, match=r"amara\.okafor@gmail\.test: Google says"):
        access(place, connection_id)
    assert connect(place, google_house) == connection_id
    assert access(place, connection_id).startswith("ya29.")


def test_trouble_at_google_takes_nothing_away(place, google_house):
    connection_id = connect(place, google_house)
    ends_soon(place, connection_id)
    google_house.trouble(503)
    with pytest.raises(Exception, match="too much to do"):
        access(place, connection_id)
    assert row(place, connection_id).status == "connected"
    assert access(place, connection_id).startswith("ya29.")


def test_no_person_and_no_rival_gets_a_token(place, rival, google_house):
    connection_id = connect(place, google_house)
    with place.work("owner") as ctx, pytest.raises(NotAllowed, match="Nobody can read"):
        service.claim_access(ctx, connection_id, Scope.DRIVE)
    with pytest.raises(NotFound):
        access(rival, connection_id)


def test_a_token_moved_to_another_row_does_not_open(place, google_house):
    from aerostic.core.crypto import CannotDecrypt

    mine = connect(place, google_house)
    other = connect(place, google_house, account=LENA)
    with place.system_work() as ctx:
        ours, theirs = ctx.get(GoogleConnection, mine), ctx.get(GoogleConnection, other)
        assert ours
        assert theirs
        ours.access_token_sealed = theirs.access_token_sealed
    with pytest.raises(CannotDecrypt):
        access(place, mine)


# Letting go


def test_disconnecting_revokes_at_google(place, rival, google_house):
    connection_id = connect(place, google_house)
    assert member(rival).delete(f"{CONNECTIONS}/{connection_id}").status_code == 404
    assert google_house.grant()["refresh"] == 1
    answer = member(place, "admin").delete(f"{CONNECTIONS}/{connection_id}")
    assert answer.json() == {"is_revoked": True, "is_shared": False}
    assert google_house.grant() == {"scopes": [], "access": 0, "refresh": 0}
    assert member(place).get(CONNECTIONS).json()["items"] == []


def test_an_account_that_another_workspace_uses_stays_at_google(place, rival, google_house):
    mine, theirs = connect(place, google_house), connect(rival, google_house)
    answer = member(place).delete(f"{CONNECTIONS}/{mine}")
    assert answer.json() == {"is_revoked": False, "is_shared": True}
    ends_soon(rival, theirs)
    assert access(rival, theirs, Scope.DRIVE).startswith("ya29.")
    assert member(rival).delete(f"{CONNECTIONS}/{theirs}").json()["is_revoked"] is True
    with shared_work(STRANGER) as ctx:
        left = ctx.session.exec(
            select(GoogleAccountUse).where(
                GoogleAccountUse.tenant_id.in_([place.tenant_id, rival.tenant_id])
            )  # type: ignore[attr-defined]
        ).all()
    assert left == []


def test_it_is_forgotten_here_even_if_google_is_away(place, google_house):
    connection_id = connect(place, google_house)
    google_house.trouble(503)
    answer = member(place).delete(f"{CONNECTIONS}/{connection_id}")
    assert answer.json() == {"is_revoked": False, "is_shared": False}
    assert member(place).get(CONNECTIONS).json()["items"] == []
    assert DRIVE in google_house.grant(AMARA)["scopes"]
