"""A team: who may invite, promote and remove whom, and what a stranger from another workspace sees."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import select

from aerostic.core import clock
from aerostic.core.errors import Refused
from aerostic.core.permissions import STRANGER, Permission, PlatformRole, platform_staff, system
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity.models import Membership, User
from aerostic.domain.inbox.models import Conversation
from aerostic.domain.tenants import service
from tests.builders import conversation_of
from tests.clients import member, visitor
from tests.conftest import PASSWORD
from tests.mailbox import link_token_for, mails_to, text_of


@pytest.fixture
def guest() -> str:
    return f"guest-{secrets.token_hex(4)}@example.test"


def roles(place) -> dict[str, str]:
    with shared_work(STRANGER) as ctx:
        found = select(User.email, Membership.role).join(Membership, Membership.user_id == User.id)
        return dict(ctx.session.exec(found.where(Membership.tenant_id == place.tenant_id)).all())


def three(place) -> dict[str, str]:
    return {email: role for role, email in place.emails.items()}


def invite(client, email, role="agent", **more):
    return client.post("/api/v1/invitations", json={"email": email, "role": role}, **more)


def test_someone_new_accepts_an_invitation(place, guest, run_jobs):
    invited = invite(member(place), guest.upper(), "admin")
    assert invited.status_code == 201
    assert (invited.json()["email"], invited.json()["role"]) == (guest, "admin")
    run_jobs()
    assert "Owner invites you to join Bluebird Café" in text_of(mails_to(guest)[-1])
    token, client = link_token_for(guest), visitor()
    assert client.get("/auth/invitations/offer", params={"token": token}).json() == {
        "workspace": "Bluebird Café",
        "email": guest,
        "role": "admin",
        "has_account": False,
    }
    weak = client.post(
        "/auth/invitations/accept", json={"token": token, "name": "G", "password": "x"}
    )
    assert weak.json()["errors"][0]["field"] == "password"
    assert roles(place) == three(place)
    body = {"token": token, "name": "Guest", "password": PASSWORD}
    accepted = client.post("/auth/invitations/accept", json=body)
    assert accepted.status_code == 200
    assert accepted.json()["workspaces"][0]["role"] == "admin"
    assert client.get("/api/v1/me").json()["name"] == "Guest"
    assert roles(place) == three(place) | {guest: "admin"}
    again = visitor().post("/auth/invitations/accept", json=body)
    assert (again.status_code, again.json()["code"]) == (404, "invitation_gone")


def test_one_link_opened_many_times_at_once_makes_one_person(place, guest, run_jobs):
    invite(member(place), guest)
    run_jobs()
    body = {"token": link_token_for(guest), "name": "Guest", "password": PASSWORD}

    def accept(_: int) -> int:
        return visitor().post("/auth/invitations/accept", json=body).status_code

    with ThreadPoolExecutor(5) as threads:
        answers = sorted(threads.map(accept, range(5)))
    assert answers == [200, 404, 404, 404, 404]
    assert roles(place) == three(place) | {guest: "agent"}


def test_who_has_an_account_accepts_with_their_password(place, rival, run_jobs):
    email = rival.emails["agent"]
    invite(member(place), email)
    run_jobs()
    token = link_token_for(email)
    assert visitor().get("/auth/invitations/offer", params={"token": token}).json()["has_account"]
    body = {"token": token, "name": "Mallory", "password": "not the password"}
    assert visitor().post("/auth/invitations/accept", json=body).status_code == 401
    assert roles(place) == three(place)
    accepted = visitor().post("/auth/invitations/accept", json=body | {"password": PASSWORD})
    assert {row["slug"] for row in accepted.json()["workspaces"]} == {place.slug, rival.slug}
    assert accepted.json()["name"] == "Agent"
    assert roles(place) == three(place) | {email: "agent"}


def test_who_is_signed_in_accepts_with_a_click_and_nobody_in_their_place(place, rival, run_jobs):
    email = rival.emails["agent"]
    invite(member(place), email)
    run_jobs()
    body = {"token": link_token_for(email)}
    wrong = member(rival, "admin").post("/auth/invitations/accept", json=body)
    assert wrong.status_code == 409
    assert roles(place) == three(place)
    right = member(rival, "agent").post("/auth/invitations/accept", json=body)
    assert {row["slug"] for row in right.json()["workspaces"]} == {place.slug, rival.slug}
    assert roles(place) == three(place) | {email: "agent"}


def test_old_replaced_withdrawn_and_invented_links_open_nothing(
    place, guest, run_jobs, monkeypatch
):
    owner = member(place)
    first = invite(owner, guest).json()
    run_jobs()
    replaced = link_token_for(guest)
    second = invite(owner, guest).json()
    run_jobs()
    token = link_token_for(guest)
    listed = owner.get("/api/v1/invitations").json()["items"]
    assert [row["id"] for row in listed] == [second["id"]]
    assert owner.delete(f"/api/v1/invitations/{first['id']}").status_code == 404

    def accept(which: str) -> int:
        body = {"token": which, "name": "Guest", "password": PASSWORD}
        return visitor().post("/auth/invitations/accept", json=body).status_code

    real = clock.now
    with monkeypatch.context() as week:
        week.setattr(clock, "now", lambda: real() + timedelta(days=8))
        assert accept(token) == 404
    assert (accept(replaced), accept("made-up")) == (404, 404)
    assert owner.delete(f"/api/v1/invitations/{second['id']}").status_code == 204
    assert accept(token) == 404
    assert roles(place) == three(place)


@pytest.mark.parametrize("role", ["admin", "agent"])
def test_only_owners_manage_the_team(place, guest, role):
    client = member(place, role)
    agent, owner = place.agent_id, place.owner_id
    assert invite(client, guest).status_code == 403
    assert client.patch(f"/api/v1/members/{agent}", json={"role": "admin"}).status_code == 403
    assert client.patch(f"/api/v1/members/{owner}", json={"role": "agent"}).status_code == 403
    assert client.delete(f"/api/v1/members/{agent}").status_code == 403
    assert client.post(f"/api/v1/members/{agent}/owner").status_code == 403
    assert client.patch("/api/v1/workspace", json={"name": "Mine"}).status_code == 403
    assert roles(place) == three(place)
    listed = client.get("/api/v1/members").json()["items"]
    assert [row["email"] for row in listed] == sorted(place.emails.values())


def test_an_owner_changes_roles_below_their_own(place):
    owner = member(place)
    agent = f"/api/v1/members/{place.agent_id}"
    assert owner.patch(agent, json={"role": "admin"}).status_code == 204
    assert roles(place)[place.emails["agent"]] == "admin"
    assert owner.patch(agent, json={"role": "owner"}).status_code == 403
    assert (
        owner.patch(f"/api/v1/members/{place.owner_id}", json={"role": "agent"}).status_code == 403
    )
    assert owner.patch(agent, json={"role": "super_admin"}).status_code == 422
    assert roles(place)[place.emails["agent"]] == "admin"
    assert roles(place)[place.emails["owner"]] == "owner"


def test_nobody_invites_an_owner(place, guest):
    assert invite(member(place), guest, "owner").status_code == 403
    assert member(place).get("/api/v1/invitations").json()["items"] == []


def test_a_member_is_not_invited_twice(place):
    assert invite(member(place), place.emails["agent"]).status_code == 409


def test_who_is_removed_is_out_at_once_and_keeps_their_account(place):
    owner, agent = member(place), member(place, "agent")
    assert agent.get("/api/v1/workspace").status_code == 200
    assert owner.delete(f"/api/v1/members/{place.agent_id}").status_code == 204
    named = {"X-Workspace": place.slug}
    assert agent.get("/api/v1/workspace", headers=named).status_code == 404
    assert agent.get("/api/v1/me").json()["workspaces"] == []
    assert owner.delete(f"/api/v1/members/{place.agent_id}").status_code == 404


def test_nobody_has_the_conversations_of_who_left_and_the_threads_say_so(place, rival):
    theirs = conversation_of(place, assignee_id=place.agent_id)
    mine = conversation_of(place, "Grace", assignee_id=place.owner_id)
    elsewhere = conversation_of(rival, assignee_id=place.agent_id)
    owner, agent = member(place), member(place, "agent")
    assert owner.delete(f"/api/v1/members/{place.admin_id}").status_code == 204
    assert agent.post("/api/v1/workspace/leave").status_code == 204
    address = "/api/v1/conversations"
    assert owner.get(f"{address}/{theirs}").json()["assignee_id"] is None
    assert owner.get(f"{address}/{mine}").json()["assignee_id"] == str(place.owner_id)
    told = [one["text"] for one in owner.get(f"{address}/{theirs}/events").json()["items"]]
    assert told == ["Agent left the workspace. Nobody has this conversation now."]
    with rival.work() as ctx:
        assert ctx.get(Conversation, elsewhere).assignee_id == place.agent_id


def test_the_last_owner_stays_until_they_hand_over(place):
    owner, agent = member(place), member(place, "agent")
    refused = owner.post("/api/v1/workspace/leave")
    assert (refused.status_code, refused.json()["code"]) == (422, "last_owner")
    assert owner.delete(f"/api/v1/members/{place.owner_id}").status_code == 422
    assert owner.post(f"/api/v1/members/{place.owner_id}/owner").status_code == 422
    assert roles(place) == three(place)
    assert owner.post(f"/api/v1/members/{place.agent_id}/owner").status_code == 204
    assert roles(place) == three(place) | {
        place.emails["agent"]: "owner",
        place.emails["owner"]: "admin",
    }
    assert agent.patch("/api/v1/workspace", json={"name": "Mine now"}).status_code == 200
    assert owner.patch("/api/v1/workspace", json={"name": "Mine"}).status_code == 403
    assert owner.post("/api/v1/workspace/leave").status_code == 204
    assert place.emails["owner"] not in roles(place)


def test_two_owners_who_leave_at_once_do_not_leave_the_workspace_without_one(place):
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(Membership, (place.tenant_id, place.admin_id)).role = "owner"
    clients = [member(place, "owner"), member(place, "admin")]
    with ThreadPoolExecutor(2) as threads:
        leave = "/api/v1/workspace/leave"
        answers = sorted(threads.map(lambda client: client.post(leave).status_code, clients))
    assert answers == [204, 422]
    assert list(roles(place).values()).count("owner") == 1


def test_another_workspace_does_not_exist(place, rival, guest):
    stranger = member(rival)
    for named in (place.slug, str(place.tenant_id)):
        headers = {"X-Workspace": named}
        assert stranger.get("/api/v1/members", headers=headers).status_code == 404
        assert stranger.get("/api/v1/workspace", headers=headers).status_code == 404
        assert invite(stranger, guest, headers=headers).status_code == 404
        url = f"/api/v1/members/{place.agent_id}"
        assert stranger.delete(url, headers=headers).status_code == 404
    unknown = stranger.get("/api/v1/members", headers={"X-Workspace": "no-such-workspace"})
    theirs = stranger.get("/api/v1/members", headers={"X-Workspace": place.slug})
    assert {**unknown.json(), "request_id": ""} == {**theirs.json(), "request_id": ""}
    assert roles(place) == three(place)


def test_a_rivals_members_and_invitations_can_not_be_touched(place, rival, guest):
    theirs, stranger = member(place), member(rival)
    invitation = invite(theirs, guest).json()["id"]
    for method, url, body in (
        ("DELETE", f"/api/v1/members/{place.agent_id}", None),
        ("PATCH", f"/api/v1/members/{place.agent_id}", {"role": "admin"}),
        ("POST", f"/api/v1/members/{place.agent_id}/owner", None),
        ("DELETE", f"/api/v1/invitations/{invitation}", None),
    ):
        assert stranger.request(method, url, json=body).status_code == 404
        if method != "POST":
            continue
    assert roles(place) == three(place)
    assert roles(rival) == three(rival)
    assert [row["id"] for row in theirs.get("/api/v1/invitations").json()["items"]] == [invitation]
    assert (
        theirs.patch(f"/api/v1/members/{place.agent_id}", json={"role": "admin"}).status_code == 204
    )
    assert theirs.delete(f"/api/v1/invitations/{invitation}").status_code == 204


def test_the_invitations_of_another_workspace_are_not_listed(place, rival, guest):
    invite(member(place), guest)
    assert member(rival).get("/api/v1/invitations").json() == {"items": [], "next_cursor": None}


def test_who_is_in_two_workspaces_says_which(place, rival):
    with shared_work(STRANGER) as ctx:
        ctx.session.add(Membership(tenant_id=rival.tenant_id, user_id=place.agent_id, role="agent"))
    client = member(place, "agent")
    refused = client.get("/api/v1/workspace")
    assert (refused.status_code, refused.json()["code"]) == (400, "workspace_needed")
    for one in (place, rival):
        for named in (one.slug, str(one.tenant_id)):
            answer = client.get("/api/v1/workspace", headers={"X-Workspace": named})
            assert answer.json()["slug"] == one.slug


def test_members_come_in_pages(place):
    client = member(place)
    first = client.get("/api/v1/members", params={"limit": 2}).json()
    rest = client.get("/api/v1/members", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    emails = [row["email"] for row in first["items"] + rest["items"]]
    assert emails == sorted(place.emails.values())
    assert rest["next_cursor"] is None
    broken = client.get("/api/v1/members", params={"cursor": "bm90IG91cnM"})
    assert (broken.status_code, broken.json()["errors"][0]["field"]) == (422, "cursor")


def test_a_workspace_can_be_renamed_and_moved(place):
    client = member(place)
    body = {"name": "Café  Zürich", "time_zone": "Europe/Zurich", "default_country": "CH"}
    answer = client.patch("/api/v1/workspace", json=body).json()
    assert (answer["name"], answer["time_zone"], answer["default_country"]) == (
        "Café Zürich",
        "Europe/Zurich",
        "CH",
    )
    assert answer["slug"] == place.slug
    for wrong in ({"time_zone": "Mars/Base"}, {"default_country": "XX"}, {"name": " "}):
        refused = client.patch("/api/v1/workspace", json=wrong)
        assert refused.json()["errors"][0]["field"] == next(iter(wrong))
    assert client.get("/api/v1/workspace").json() == answer


def test_a_suspended_workspace_says_so_and_opens_again(place, rival):
    staff = platform_staff(rival.owner_id, "Root", PlatformRole.SUPER_ADMIN)
    client, theirs = member(place), member(rival)
    with shared_work(staff) as ctx:
        service.suspend(ctx, place.tenant_id)
    refused = client.patch("/api/v1/workspace", json={"name": "Sneaky"})
    assert (refused.status_code, refused.json()["code"]) == (403, "workspace_suspended")
    assert "“Bluebird Café” is suspended" in refused.json()["detail"]
    assert client.get("/api/v1/me").json()["workspaces"][0]["status"] == "suspended"
    assert theirs.get("/api/v1/workspace").status_code == 200
    with shared_work(staff) as ctx:
        service.reopen(ctx, place.tenant_id)
    assert client.get("/api/v1/workspace").json()["name"] == "Bluebird Café"


def test_the_command_line_makes_a_workspace(place):
    by_hand = system("command line", Permission.PLATFORM_TENANTS)
    wanted = f"demo-{secrets.token_hex(3)}"
    with shared_work(by_hand) as ctx:
        made = service.create_tenant(ctx, "Demo", owner_id=place.agent_id, slug=wanted)
        assert made.slug == wanted
    slugs = {row["slug"] for row in member(place, "agent").get("/api/v1/me").json()["workspaces"]}
    assert slugs == {place.slug, wanted}


def test_ownership_handed_over_twice_at_once_has_one_owner(place):
    """Two requests that both began while their sender was the owner."""
    with place.work() as later:
        with place.work() as first:
            service.transfer_ownership(first, place.admin_id)
        with pytest.raises(Refused, match="not the owner any more"):
            service.transfer_ownership(later, place.agent_id)
    owners = [email for email, role in roles(place).items() if role == "owner"]
    assert owners == [place.emails["admin"]]
