"""Every attack on the pages that we know of, forged by hand; each beside the rightful person's success."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from reflex_base.registry import RegistrationContext
from sqlmodel import select
from websockets.exceptions import InvalidStatus

import aerostic.aerostic  # noqa: F401  (registers every state)
from aerostic.core.permissions import STRANGER, Role
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity.models import Membership, Tenant
from aerostic.domain.identity.queries import Principal
from aerostic.domain.tenants.models import Invitation
from aerostic.state import guard
from aerostic.state.base import AppState
from aerostic.state.guard import FRAMEWORK, Access, access_of
from aerostic.state.session import SignedIn
from aerostic.state.settings import Settings
from aerostic.state.team import Team
from tests.backend import Backend
from tests.conftest import Place
from tests.state.conftest import OpenTab
from tests.waiting import until

SignsIn = Callable[[Place, str], str]

SIGN_IN = "signInAgain"
NOT_THERE = "/404"
RELOAD = "location.reload"


def event(state: type[AppState], handler: str) -> str:
    return f"{state.get_full_name()}.{handler}"


def team_of(place: Place) -> str:
    return f"/dashboard/{place.tenant_id}/team"


def invitations(place: Place) -> list[str]:
    with place.work() as ctx:
        return list(ctx.session.exec(select(Invitation.email)))


def name_of(place: Place) -> str:
    with shared_work(STRANGER) as ctx:
        return ctx.session.get_one(Tenant, place.tenant_id).name


def role_of(place: Place, user_id: Any) -> str:
    with shared_work(STRANGER) as ctx:
        return ctx.session.get_one(Membership, (place.tenant_id, user_id)).role


INVITE = {"form": {"email": "new@example.test", "role": "agent"}}


def test_a_stranger_reads_nothing_and_a_member_does(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    refused = open_tab(team_of(place)).hydrated().call(event(Team, "load"))
    answered = (
        open_tab(team_of(place), cookie=signed_in(place, "agent"))
        .hydrated()
        .call(event(Team, "load"))
    )
    assert SIGN_IN in refused
    assert place.emails["owner"] not in refused
    assert place.emails["owner"] in answered


def test_a_stranger_changes_nothing_and_the_owner_does(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    refused = open_tab(team_of(place)).hydrated().call(event(Team, "invite"), INVITE)
    assert SIGN_IN in refused
    assert invitations(place) == []
    open_tab(team_of(place), cookie=signed_in(place, "owner")).hydrated().call(
        event(Team, "invite"), INVITE
    )
    assert invitations(place) == ["new@example.test"]


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_a_lower_role_changes_nothing_and_the_owner_does(
    place: Place, open_tab: OpenTab, signed_in: SignsIn, role: str
) -> None:
    refused = (
        open_tab(team_of(place), cookie=signed_in(place, role))
        .hydrated()
        .call(event(Team, "invite"), INVITE)
    )
    assert "Your role here does not include that" in refused
    assert invitations(place) == []
    open_tab(team_of(place), cookie=signed_in(place, "owner")).hydrated().call(
        event(Team, "invite"), INVITE
    )
    assert invitations(place) == ["new@example.test"]


def test_another_tenants_path_does_not_exist(
    place: Place, rival: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    intruder = open_tab(team_of(place), cookie=signed_in(rival, "owner"))
    page = intruder.hydrate()
    refused = intruder.call(event(Settings, "save"), {"form": {"name": "Mine now"}})
    assert NOT_THERE in page
    assert place.emails["owner"] not in page
    assert NOT_THERE in refused
    assert name_of(place) == "Bluebird Café"
    own = open_tab(team_of(rival), cookie=signed_in(rival, "owner")).hydrate()
    assert rival.emails["owner"] in own


def test_another_tenants_ids_mean_nothing_in_ones_own_workspace(
    place: Place, rival: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    promote = {"user_id": str(place.agent_id), "role": "admin"}
    refused = (
        open_tab(team_of(rival), cookie=signed_in(rival, "owner"))
        .hydrated()
        .call(event(Team, "change_role"), promote)
    )
    assert "not a member" in refused
    assert role_of(place, place.agent_id) == Role.AGENT
    open_tab(team_of(place), cookie=signed_in(place, "owner")).hydrated().call(
        event(Team, "change_role"), promote
    )
    assert role_of(place, place.agent_id) == Role.ADMIN


@pytest.mark.parametrize("thief", ["a stranger", "a rival"])
def test_a_stolen_client_token_opens_an_empty_tree(
    place: Place, rival: Place, open_tab: OpenTab, signed_in: SignsIn, thief: str
) -> None:
    owners = signed_in(place, "owner")
    victim = open_tab(team_of(place), cookie=owners)
    assert place.emails["agent"] in victim.hydrate()
    victim.close()

    cookie = signed_in(rival, "owner") if thief == "a rival" else ""
    stolen = open_tab(team_of(place), cookie=cookie, token=victim.token)
    by_event = stolen.call(event(Team, "close"))
    by_hydrating = stolen.hydrate()
    assert place.emails["agent"] not in by_event + by_hydrating
    assert RELOAD in by_event
    stolen.close()

    again = open_tab(team_of(place), cookie=owners, token=victim.token)
    assert place.emails["agent"] in again.hydrate()


def test_a_client_token_in_use_is_not_shared(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    victim = open_tab(team_of(place), cookie=signed_in(place, "owner"))
    victim.hydrate()
    thief = open_tab(team_of(place), token=victim.token)
    heard = thief.hydrate()
    assert place.emails["agent"] not in heard
    assert thief.new_token not in {"", victim.token}
    assert place.emails["agent"] in victim.call(event(Team, "load")) + victim.hydrate()


def test_the_next_user_of_a_tab_sees_nothing_of_the_one_before(
    place: Place, rival: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    first = open_tab(team_of(place), cookie=signed_in(place, "owner"))
    assert place.emails["agent"] in first.hydrate()
    first.close()
    second = open_tab(team_of(rival), cookie=signed_in(rival, "owner"), token=first.token)
    heard = second.hydrate()
    assert place.emails["agent"] not in heard
    assert rival.emails["agent"] in heard


def test_the_other_workspace_of_one_person_begins_with_an_empty_tree(
    place: Place, rival: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    with shared_work(STRANGER) as ctx:
        both = Membership(tenant_id=rival.tenant_id, user_id=place.owner_id, role=Role.AGENT)
        ctx.session.add(both)
    tab = open_tab(team_of(place), cookie=signed_in(place, "owner"))
    assert place.emails["agent"] in tab.hydrate()
    assert RELOAD in tab.call(event(Team, "close"), path=team_of(rival))
    tab.path = team_of(rival)
    heard = tab.hydrate()
    assert place.emails["agent"] not in heard
    assert rival.emails["agent"] in heard


def test_choosing_a_workspace_keeps_the_page_that_is_open(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    tab = open_tab("/dashboard", cookie=signed_in(place, "owner")).hydrated()
    heard = tab.call(event(Team, "load"), path=team_of(place))
    assert RELOAD not in heard
    assert place.emails["agent"] in heard


def test_a_foreign_page_may_not_open_a_socket_and_ours_may(
    place: Place, backend: Backend, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    cookie = signed_in(place, "owner")
    with pytest.raises(InvalidStatus) as refused:
        open_tab(team_of(place), cookie=cookie, origin="http://evil.test")
    assert refused.value.response.status_code in {400, 403}
    ours = open_tab(team_of(place), cookie=cookie, origin=backend.url)
    assert place.emails["agent"] in ours.hydrate()


def test_reflexs_own_uploads_are_closed(
    place: Place, backend: Backend, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    victim = open_tab(team_of(place), cookie=signed_in(place, "owner"))
    victim.hydrate()
    headers = {
        "reflex-client-token": victim.token,
        "reflex-event-handler": event(Team, "invite"),
    }
    files = {"files": ("../../evil.txt", b"hi", "text/plain")}
    posted = httpx.post(f"{backend.url}/_upload", headers=headers, files=files)
    read = httpx.get(f"{backend.url}/_upload/evil.txt")
    assert (posted.status_code, read.status_code) == (404, 404)
    assert invitations(place) == []
    victim.call(event(Team, "invite"), INVITE)
    assert invitations(place) == ["new@example.test"]


def test_setvar_sets_nothing(place: Place, open_tab: OpenTab, signed_in: SignsIn) -> None:
    owner = open_tab(team_of(place), cookie=signed_in(place, "owner"))
    owner.hydrate()
    forged = owner.call(event(SignedIn, "setvar"), {"var_name": "role", "value": "hacked"})
    vars_of = f"{'reflex___state____state'}.reflex___state____update_vars_internal_state"
    stored = owner.call(
        f"{vars_of}.update_vars_internal",
        {"vars": {f"{SignedIn.get_full_name()}.role_rx_state_": "hacked"}},
    )
    assert "hacked" not in forged + stored + owner.hydrate()


@pytest.mark.parametrize(
    ("state", "method"),
    [
        (AppState, "call"),
        (AppState, "call_platform"),
        (AppState, "attempt"),
        (AppState, "watch"),
        (Team, "on_change"),
        (Team, "_read"),
        (Team, "_member"),
    ],
)
def test_a_method_that_is_no_event_can_not_be_called(state: type[AppState], method: str) -> None:
    handlers = RegistrationContext.get().event_handlers
    assert event(state, method) not in handlers
    assert event(Team, "invite") in handlers


def test_whoever_is_removed_is_out_while_their_page_is_open(
    place: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    agent = open_tab(team_of(place), cookie=signed_in(place, "agent"))
    assert place.emails["owner"] in agent.hydrate()
    owner = open_tab(team_of(place), cookie=signed_in(place, "owner"))
    owner.hydrate()
    owner.call(event(Team, "ask_to_remove"), {"user_id": str(place.agent_id)})
    owner.call(event(Team, "remove"))
    until(
        lambda: NOT_THERE in agent.call(event(Team, "load")), what="the removed agent to be refused"
    )


def test_signing_out_ends_an_open_page(
    place: Place, backend: Backend, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    cookie = signed_in(place, "owner")
    tab = open_tab(team_of(place), cookie=cookie)
    assert place.emails["agent"] in tab.hydrate()
    httpx.post(f"{backend.url}/auth/logout", headers={"Cookie": cookie})
    until(lambda: RELOAD in tab.call(event(Team, "load")), what="the page to be told to reload")
    assert place.emails["agent"] not in tab.hydrate()


# Everything at once


def _ours() -> dict[str, Access | None]:
    handlers = RegistrationContext.get().event_handlers
    mine = [name for name in handlers if ".aerostic___" in name and not name.endswith(".setvar")]
    return {name: access_of(name) for name in mine}


def test_whoever_forges_arrivals_has_the_session_looked_up_a_few_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Real arrivals are seconds apart; forged ones must not each cost a look at PostgreSQL."""
    looks: list[set[str]] = []

    def counted(tokens: set[str]) -> dict[str, Principal]:
        looks.append(tokens)
        return {}

    monkeypatch.setattr(guard, "_holders", counted)
    moment = 1_000.0
    monkeypatch.setattr(guard.time, "monotonic", lambda: moment)
    people = guard.People()

    def arrive() -> None:
        people.forget("invented")
        assert asyncio.run(people.holder("invented")) is None

    for _ in range(50):
        arrive()
    assert len(looks) == 1
    moment += 0.3
    arrive()
    assert len(looks) == 2


def test_every_handler_says_who_may_call_it() -> None:
    undeclared = [name for name, rule in _ours().items() if rule is None]
    assert undeclared == []
    assert len(_ours()) > 50


def test_every_handler_refuses_a_stranger(place: Place, open_tab: OpenTab) -> None:
    tab = open_tab(team_of(place)).hydrated()
    closed = [name for name, rule in _ours().items() if rule and not rule.public]
    answers = {name: tab.call_quickly(name) for name in closed}
    assert [name for name, answer in answers.items() if SIGN_IN not in answer] == []
    assert len(closed) > 40


def test_every_handler_of_a_workspace_refuses_another_tenant(
    place: Place, rival: Place, open_tab: OpenTab, signed_in: SignsIn
) -> None:
    tab = open_tab(team_of(place), cookie=signed_in(rival, "owner"))
    tab.hydrate()
    closed = [name for name, rule in _ours().items() if rule and (rule.permission or rule.platform)]
    answers = {name: tab.call_quickly(name) for name in closed}
    assert [name for name, answer in answers.items() if NOT_THERE not in answer] == []
    assert len(closed) > 30


def test_what_reflex_itself_may_call_is_what_exists() -> None:
    handlers = RegistrationContext.get().event_handlers
    assert [name for name in FRAMEWORK if name not in handlers] == []
