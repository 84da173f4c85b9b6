"""Registering, forgetting and changing a password, and what the e-mails say."""

import json
import secrets
from datetime import timedelta

import bcrypt
import pytest
from sqlmodel import func, select

from aerostic.core import clock, queue
from aerostic.core.permissions import (
    STRANGER,
    Permission,
    PlatformRole,
    platform_staff,
    system,
)
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity import service
from aerostic.domain.identity.models import Membership, Tenant, User, VerificationCode
from aerostic.domain.mail.models import WaitingMail
from tests.clients import member, visitor
from tests.conftest import PASSWORD
from tests.mailbox import code_for, mails_to, text_of

NEW_PASSWORD = "a quite different sentence"


@pytest.fixture
def address() -> str:
    return f"ada-{secrets.token_hex(4)}@example.test"


@pytest.fixture
def hashes(monkeypatch) -> list[int]:
    """One entry for each bcrypt run."""
    run = []
    hash_password, check = bcrypt.hashpw, bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "hashpw", lambda *sent: run.append(1) or hash_password(*sent))
    monkeypatch.setattr(bcrypt, "checkpw", lambda *sent: run.append(1) or check(*sent))
    return run


def register(client, email, /, **changed):
    body = {"email": email, "password": PASSWORD, "name": "Ada", "workspace": "Ada’s Tea"}
    return client.post("/auth/register", json={**body, **changed})


def users(email: str) -> int:
    with shared_work(STRANGER) as ctx:
        counted = select(func.count()).select_from(User).where(User.email == email)
        return ctx.session.exec(counted).one()


def sign_in(email, password) -> int:
    body = {"email": email, "password": password}
    return visitor().post("/auth/session", json=body).status_code


def test_registering_makes_a_person_with_a_workspace_once_the_code_is_confirmed(address, run_jobs):
    client = visitor()
    asked = register(client, address.upper())
    assert asked.status_code == 202
    assert users(address) == 0
    run_jobs()
    answer = client.post("/auth/register/confirm", json=asked.json() | {"code": code_for(address)})
    assert answer.status_code == 201
    [workspace] = answer.json()["workspaces"]
    assert (workspace["name"], workspace["role"]) == ("Ada’s Tea", "owner")
    assert workspace["slug"].startswith("adas-tea")
    assert client.get("/api/v1/workspace").json()["name"] == "Ada’s Tea"
    assert client.get("/api/v1/members").json()["items"][0]["email"] == address
    assert sign_in(address, PASSWORD) == 200


def test_a_wrong_old_or_used_code_makes_nothing(address, run_jobs, monkeypatch):
    client = visitor()
    asked = register(client, address).json()
    run_jobs()
    code = code_for(address)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    refused = client.post("/auth/register/confirm", json=asked | {"code": wrong})
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong_code")
    assert refused.json()["errors"][0]["field"] == "code"
    real = clock.now
    with monkeypatch.context() as hour:
        hour.setattr(clock, "now", lambda: real() + timedelta(minutes=16))
        assert client.post("/auth/register/confirm", json=asked | {"code": code}).status_code == 422
    assert users(address) == 0
    assert client.post("/auth/register/confirm", json=asked | {"code": code}).status_code == 201
    assert client.post("/auth/register/confirm", json=asked | {"code": code}).status_code == 422
    assert users(address) == 1


def test_a_code_can_be_guessed_at_five_times(address, run_jobs):
    client = visitor()
    asked = register(client, address).json()
    run_jobs()
    right = code_for(address)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    answers = [
        client.post("/auth/register/confirm", json=asked | {"code": wrong}) for _ in range(5)
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert client.post("/auth/register/confirm", json=asked | {"code": right}).status_code == 429
    assert users(address) == 0


def test_a_code_works_only_where_it_was_asked_for(address, run_jobs):
    """Someone else registers with my address and their password: my own code must not make their account."""
    theirs = register(visitor(), address, password="the password of somebody else").json()
    mine = register(visitor(), address).json()
    run_jobs()
    my_code = code_for(address)
    assert (
        visitor().post("/auth/register/confirm", json=theirs | {"code": my_code}).status_code == 422
    )
    assert users(address) == 0
    assert (
        visitor().post("/auth/register/confirm", json=mine | {"code": my_code}).status_code == 201
    )
    assert sign_in(address, "the password of somebody else") == 401
    assert sign_in(address, PASSWORD) == 200


def test_registering_with_a_known_address_looks_the_same_and_the_mail_says_more(
    place, address, run_jobs, hashes
):
    known, unknown = register(visitor(), place.emails["owner"]), register(visitor(), address)
    assert known.status_code == unknown.status_code == 202
    assert known.json().keys() == unknown.json().keys() == {"registration"}
    assert len(hashes) == 2
    run_jobs()
    [mail] = mails_to(place.emails["owner"])
    assert mail["Subject"] == "You already have an Aerostic account"
    for guess in range(5):
        body = known.json() | {"code": f"{guess:06d}"}
        assert visitor().post("/auth/register/confirm", json=body).status_code == 422
    assert users(place.emails["owner"]) == 1
    assert sign_in(place.emails["owner"], PASSWORD) == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "a@example.test\r\nBcc: b@example.test"}, "email"),
        ({"password": "too short"}, "password"),
        ({"password": "Password123"}, "password"),
        ({"password": "aaaaaaaaaaaa"}, "password"),
        ({"password": "x1y2" * 300}, "password"),
        ({"name": " \n\t "}, "name"),
        ({"name": "n" * 1_000_000}, "name"),
        ({"name": "n" * 81}, "name"),
        ({"workspace": ""}, "workspace"),
    ],
)
def test_what_does_not_do_is_refused_with_the_field_and_nothing_is_sent(address, changed, field):
    answer = register(visitor(), address, **changed)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    assert len(queue.queue(queue.QueueName.MAIL)) == 0


def test_one_can_not_take_ones_address_as_password():
    answer = register(visitor(), "ada.lovelace@example.test", password="Ada.Lovelace@example.test")
    assert answer.json()["errors"][0]["field"] == "password"


def test_a_name_may_have_emoji_and_no_line_breaks(address, run_jobs):
    asked = register(visitor(), address, name="Ada 🫖\r\nBcc: x", workspace="🫖🫖").json()
    run_jobs()
    body = asked | {"code": code_for(address)}
    answer = visitor().post("/auth/register/confirm", json=body).json()
    assert answer["name"] == "Ada 🫖 Bcc: x"
    assert answer["workspaces"][0]["name"] == "🫖🫖"
    assert answer["workspaces"][0]["slug"].startswith("workspace")


def test_nothing_readable_waits_in_the_database_or_in_redis(address):
    register(visitor(), address)
    with shared_work(STRANGER) as ctx:
        newest = select(VerificationCode).order_by(VerificationCode.created_at.desc())
        kept = [ctx.session.exec(newest).first(), *ctx.session.exec(select(WaitingMail))]
    assert len(kept) > 1
    for row in kept:
        assert address not in row.model_dump_json()
        assert "Ada" not in row.model_dump_json()
    [job] = queue.queue(queue.QueueName.MAIL).jobs
    assert address not in json.dumps(job.kwargs)


def test_mails_to_one_address_are_limited(address):
    answers = [register(visitor(), address).status_code for _ in range(6)]
    assert answers == [202] * 5 + [429]
    assert len(queue.queue(queue.QueueName.MAIL)) == 5
    assert visitor().post("/auth/forgot", json={"email": address}).status_code == 429


def test_a_forgotten_password_is_replaced_and_every_session_ends(place, run_jobs):
    before = member(place)
    asked = visitor().post("/auth/forgot", json={"email": place.emails["owner"]})
    assert asked.status_code == 202
    run_jobs()
    body = asked.json() | {"code": code_for(place.emails["owner"]), "password": NEW_PASSWORD}
    weak = visitor().post("/auth/reset", json=body | {"password": "short"})
    assert weak.json()["errors"][0]["field"] == "password"
    assert sign_in(place.emails["owner"], PASSWORD) == 200
    assert visitor().post("/auth/reset", json=body).status_code == 204
    assert before.get("/api/v1/me").status_code == 401
    assert sign_in(place.emails["owner"], PASSWORD) == 401
    assert sign_in(place.emails["owner"], NEW_PASSWORD) == 200
    assert visitor().post("/auth/reset", json=body).status_code == 422
    run_jobs()
    assert mails_to(place.emails["owner"])[-1]["Subject"] == "Your password was changed"


def test_forgetting_an_unknown_address_looks_the_same_and_the_mail_says_more(
    place, address, run_jobs
):
    known = visitor().post("/auth/forgot", json={"email": place.emails["owner"]})
    unknown = visitor().post("/auth/forgot", json={"email": address})
    assert known.status_code == unknown.status_code == 202
    assert known.json().keys() == unknown.json().keys() == {"reset"}
    run_jobs()
    assert "There is no account with it" in text_of(mails_to(address)[-1])
    body = unknown.json() | {"code": "123456", "password": NEW_PASSWORD}
    assert visitor().post("/auth/reset", json=body).status_code == 422
    assert users(address) == 0


def test_a_code_for_one_purpose_serves_no_other(place, address, run_jobs):
    asked = register(visitor(), address).json()
    run_jobs()
    body = {"reset": asked["registration"], "code": code_for(address), "password": NEW_PASSWORD}
    assert visitor().post("/auth/reset", json=body).status_code == 422
    assert users(address) == 0


def test_changing_the_password_needs_the_old_one_and_ends_the_other_sessions(place):
    here, there = member(place), member(place)
    wrong = here.post("/api/v1/me/password", json={"current": "wrong", "new": NEW_PASSWORD})
    assert wrong.json()["errors"][0]["field"] == "current"
    assert there.get("/api/v1/me").status_code == 200
    assert sign_in(place.emails["owner"], PASSWORD) == 200
    right = here.post("/api/v1/me/password", json={"current": PASSWORD, "new": NEW_PASSWORD})
    assert right.status_code == 204
    assert (here.get("/api/v1/me").status_code, there.get("/api/v1/me").status_code) == (200, 401)
    assert sign_in(place.emails["owner"], NEW_PASSWORD) == 200


def test_one_can_change_ones_name(place):
    client = member(place, "agent")
    assert client.patch("/api/v1/me", json={"name": "  Grace   Hopper "}).status_code == 204
    assert client.get("/api/v1/me").json()["name"] == "Grace Hopper"
    assert client.patch("/api/v1/me", json={"name": ""}).status_code == 422
    assert client.get("/api/v1/me").json()["name"] == "Grace Hopper"


def test_two_workspaces_of_one_name_have_two_short_names(run_jobs):
    slugs = set()
    for _ in range(2):
        email = f"twin-{secrets.token_hex(4)}@example.test"
        asked = register(visitor(), email, workspace="Twin Peaks").json()
        run_jobs()
        body = asked | {"code": code_for(email)}
        answer = visitor().post("/auth/register/confirm", json=body).json()
        slugs.add(answer["workspaces"][0]["slug"])
    assert len(slugs) == 2


def test_only_the_command_line_makes_a_super_admin(place, address):
    by_hand = system("command line", Permission.PLATFORM_USERS)
    admin = platform_staff(place.owner_id, "Root", PlatformRole.SUPER_ADMIN)
    asked = {"email": address, "name": "Root", "password": PASSWORD}
    from aerostic.core.errors import Conflict, NotAllowed

    with pytest.raises(NotAllowed), shared_work(admin) as ctx:
        service.create_user(ctx, **asked, platform_role=PlatformRole.SUPER_ADMIN)
    with pytest.raises(NotAllowed), place.work() as ctx:
        service.create_user(ctx, **asked)
    assert users(address) == 0
    with shared_work(by_hand) as ctx:
        user = service.create_user(ctx, **asked, platform_role=PlatformRole.SUPER_ADMIN)
        assert user.platform_role == "super_admin"
    with pytest.raises(Conflict), shared_work(by_hand) as ctx:
        service.create_user(ctx, **asked)
    assert users(address) == 1


def test_the_platform_can_set_a_password(place):
    client = member(place)
    with shared_work(system("command line", Permission.PLATFORM_USERS)) as ctx:
        service.set_password(ctx, place.emails["owner"], NEW_PASSWORD)
    assert client.get("/api/v1/me").status_code == 401
    assert sign_in(place.emails["owner"], NEW_PASSWORD) == 200


def test_a_registration_leaves_its_rows_and_no_others(address, run_jobs):
    asked = register(visitor(), address).json()
    run_jobs()
    visitor().post("/auth/register/confirm", json=asked | {"code": code_for(address)})
    with shared_work(STRANGER) as ctx:
        user = ctx.session.exec(select(User).where(User.email == address)).one()
        [membership] = ctx.session.exec(select(Membership).where(Membership.user_id == user.id))
        assert membership.role == "owner"
        assert ctx.session.get_one(Tenant, membership.tenant_id).name == "Ada’s Tea"
