"""Signing in and out, refreshing, and the list of sessions, through HTTP with a rival in the room."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import bcrypt
import pytest
from sqlmodel import select

from aerostic.core import clock, queue
from aerostic.core.crypto import digest
from aerostic.core.permissions import STRANGER, Permission, system
from aerostic.core.tenancy import platform_work, shared_work
from aerostic.domain.identity import passwords, queries, service
from aerostic.domain.identity.models import RefreshToken, User, UserSession
from aerostic.domain.platform.models import SecurityEvent
from tests.clients import member, redis_is_gone, visitor
from tests.conftest import PASSWORD

ACCESS, REFRESH = "aerostic_access", "aerostic_refresh"


@pytest.fixture
def later(monkeypatch):
    """Make it later by so much, for the whole product."""
    real = clock.now

    def move(**by: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(**by))

    return move


def sign_in(client, email, password=PASSWORD, **more):
    return client.post("/auth/session", json={"email": email, "password": password, **more})


def sessions_of(user_id) -> list[UserSession]:
    with shared_work(STRANGER) as ctx:
        found = ctx.session.exec(select(UserSession).where(UserSession.user_id == user_id))
        return list(found)


def cookies(client) -> dict[str, str]:
    return {cookie.name: cookie.value for cookie in client.cookies.jar}


def alarms(user_id) -> list[str]:
    with platform_work(system("test")) as ctx:
        found = select(SecurityEvent.kind).where(SecurityEvent.user_id == user_id)
        return list(ctx.session.exec(found))


def test_signing_in_sets_cookies_that_scripts_can_not_read_and_names_the_workspaces(place):
    answer = sign_in(visitor(), place.emails["admin"].upper())
    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(place.admin_id),
        "name": "Admin",
        "email": place.emails["admin"],
        "platform_role": None,
        "must_set_up_second_factor": False,
        "workspaces": [
            {
                "id": str(place.tenant_id),
                "name": "Bluebird Café",
                "slug": place.slug,
                "role": "admin",
                "status": "active",
            }
        ],
    }
    access, refresh = sorted(answer.headers.get_list("set-cookie"))
    assert access.startswith("aerostic_access=")
    assert "HttpOnly; Max-Age=900; Path=/; SameSite=lax" in access
    assert refresh.startswith("aerostic_refresh=")
    assert "HttpOnly; Max-Age=2592000; Path=/auth; SameSite=strict" in refresh


def test_only_digests_are_stored(place):
    client = member(place)
    held = cookies(client)
    with shared_work(STRANGER) as ctx:
        token = ctx.session.get_one(RefreshToken, digest(held[REFRESH]))
        assert token.access_digest == digest(held[ACCESS])


def test_every_wrong_sign_in_has_the_same_answer_and_costs_one_hash(place, monkeypatch):
    hashes = []
    check = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *sent: hashes.append(sent[1][:7]) or check(*sent))
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(User, place.agent_id).disabled_at = ctx.now
    client = visitor()
    answers = [
        sign_in(client, place.emails["owner"], "not the password"),
        sign_in(client, "nobody@example.test"),
        sign_in(client, "no address at all"),
        sign_in(client, place.emails["agent"]),
    ]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert bodies[0]["code"] == "sign_in_refused"
    assert bodies == [bodies[0]] * 4
    assert hashes == [b"$2b$04$"] * 4
    assert sessions_of(place.owner_id) == []
    assert sessions_of(place.agent_id) == []
    assert not client.cookies


def test_guesses_at_one_account_are_limited_and_a_right_password_does_not_help(place):
    client = visitor()
    answers = [sign_in(client, place.emails["owner"], f"guess number {n}") for n in range(10)]
    assert {answer.status_code for answer in answers} == {401}
    refused = sign_in(client, place.emails["owner"])
    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many"
    assert 1 <= int(refused.headers["retry-after"]) <= 900
    assert sessions_of(place.owner_id) == []
    with platform_work(system("test")) as ctx:
        guesses = select(SecurityEvent).where(SecurityEvent.kind == "sign_in_guesses")
        told = [(event.ip, event.details) for event in ctx.session.exec(guesses)]
    assert told.count(("203.0.113.7", {"email": place.emails["owner"]})) == 1
    assert sign_in(client, place.emails["admin"]).status_code == 200


def test_guesses_at_an_unknown_account_are_limited_alike():
    client = visitor()
    answers = [sign_in(client, "nobody@example.test", "guess") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


def test_guesses_from_one_address_are_limited(place):
    client = visitor()
    answers = [sign_in(client, f"nobody{n}@example.test", "guess") for n in range(60)]
    assert {answer.status_code for answer in answers} == {401}
    assert sign_in(client, place.emails["owner"]).status_code == 429


def test_with_ipv6_a_whole_network_counts_as_one_address():
    from aerostic.domain.identity.attempts import network_of

    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::9")
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("203.0.113.7") == "203.0.113.7"


def test_a_hundred_guesses_at_once_do_not_slip_by(place):
    def guess(number: int) -> int:
        return sign_in(visitor(), place.emails["owner"], f"guess {number}").status_code

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(guess, range(40)))
    assert (answers.count(401), answers.count(429)) == (10, 30)


def test_signing_in_rightly_starts_the_count_anew(place):
    client = visitor()
    for _ in range(3):
        assert [sign_in(client, place.emails["owner"], "wrong").status_code for _ in range(9)] == [
            401
        ] * 9
        assert sign_in(client, place.emails["owner"]).status_code == 200


def test_without_redis_nobody_can_guess(place, monkeypatch):
    redis_is_gone(monkeypatch)
    answer = sign_in(visitor(), place.emails["owner"])
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("Signing in is paused")
    assert sessions_of(place.owner_id) == []


def test_a_long_password_counts_to_its_last_letter(place):
    long = "ä" * 60 + " and then the end"
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(User, place.owner_id).password_hash = passwords.hashed(long)
    assert sign_in(visitor(), place.emails["owner"], long[:-1]).status_code == 401
    assert sign_in(visitor(), place.emails["owner"], long).status_code == 200


def test_an_older_hash_is_upgraded_when_its_owner_signs_in(place):
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(5)).decode()
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(User, place.owner_id).password_hash = old
    assert sign_in(visitor(), place.emails["owner"], "wrong").status_code == 401
    with shared_work(STRANGER) as ctx:
        assert ctx.session.get_one(User, place.owner_id).password_hash == old
    member(place)
    with shared_work(STRANGER) as ctx:
        assert ctx.session.get_one(User, place.owner_id).password_hash.startswith("$2b$04$")
    member(place)


def test_a_refresh_hands_out_the_next_pair_and_the_old_refresh_token_is_used_up(place):
    client = member(place)
    first = cookies(client)
    assert client.post("/auth/refresh").status_code == 200
    second = cookies(client)
    assert first[ACCESS] != second[ACCESS]
    assert first[REFRESH] != second[REFRESH]
    assert client.get("/api/v1/me").status_code == 200
    with shared_work(STRANGER) as ctx:
        assert ctx.session.get_one(RefreshToken, digest(first[REFRESH])).used_at is not None


def test_an_access_token_ends_after_fifteen_minutes_and_a_refresh_brings_it_back(place, later):
    client = member(place)
    later(minutes=14)
    assert client.get("/api/v1/me").status_code == 200
    later(minutes=15, seconds=1)
    assert client.get("/api/v1/me").status_code == 401
    assert client.post("/auth/refresh").status_code == 200
    assert client.get("/api/v1/me").status_code == 200
    later(days=31)
    assert client.post("/auth/refresh").status_code == 401


def test_two_tabs_that_refresh_at_once_get_the_same_pair(place):
    client = member(place)
    token = cookies(client)[REFRESH]

    def refresh(_: int) -> tuple[int, str]:
        tab = visitor()
        tab.cookies.set(REFRESH, token, path="/auth")
        answer = tab.post("/auth/refresh")
        return answer.status_code, cookies(tab)[ACCESS]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(refresh, range(8)))
    assert {status for status, _ in answers} == {200}
    assert len({access for _, access in answers}) == 1
    with shared_work(STRANGER) as ctx:
        session = sessions_of(place.owner_id)[0]
        tokens = select(RefreshToken).where(RefreshToken.session_id == session.id)
        assert len(ctx.session.exec(tokens).all()) == 2
    assert alarms(place.owner_id) == []


def test_a_refresh_token_used_again_later_ends_the_whole_session_and_raises_an_alarm(place, later):
    owner, elsewhere = member(place), member(place)
    stolen = cookies(owner)[REFRESH]
    assert owner.post("/auth/refresh").status_code == 200
    later(seconds=11)
    thief = visitor()
    thief.cookies.set(REFRESH, stolen, path="/auth")
    answer = thief.post("/auth/refresh")
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_needed")
    assert owner.get("/api/v1/me").status_code == 401
    assert owner.post("/auth/refresh").status_code == 401
    assert elsewhere.get("/api/v1/me").status_code == 200
    assert alarms(place.owner_id) == ["refresh_token_reused"]


def test_a_token_whose_successor_was_used_is_reuse_even_within_the_grace(place):
    owner = member(place)
    stolen = cookies(owner)[REFRESH]
    assert owner.post("/auth/refresh").status_code == 200
    assert owner.post("/auth/refresh").status_code == 200
    thief = visitor()
    thief.cookies.set(REFRESH, stolen, path="/auth")
    assert thief.post("/auth/refresh").status_code == 401
    assert owner.get("/api/v1/me").status_code == 401
    assert alarms(place.owner_id) == ["refresh_token_reused"]


def test_an_invented_refresh_token_ends_nothing(place):
    owner = member(place)
    forger = visitor()
    forger.cookies.set(REFRESH, "made-up", path="/auth")
    assert forger.post("/auth/refresh").status_code == 401
    assert visitor().post("/auth/refresh").status_code == 401
    assert owner.get("/api/v1/me").status_code == 200
    assert alarms(place.owner_id) == []


def test_an_open_page_is_known_by_the_cookie_it_connected_with_while_it_refreshes(place, later):
    client = member(place)
    frozen = cookies(client)[ACCESS]
    later(minutes=14)
    assert client.post("/auth/refresh").status_code == 200
    later(minutes=20)
    with shared_work(STRANGER) as ctx:
        assert queries.principal(ctx, frozen) is None
        page = queries.socket_principals(ctx, [frozen]).get(frozen)
        assert page is not None
        assert page.user_id == place.owner_id
    later(minutes=30)
    with shared_work(STRANGER) as ctx:
        assert queries.socket_principals(ctx, [frozen]) == {}
    later(minutes=20)
    client.post("/auth/logout")
    with shared_work(STRANGER) as ctx:
        assert queries.socket_principals(ctx, [frozen]) == {}


def test_signing_out_ends_the_session_at_once(place):
    client, other = member(place), member(place)
    copy = cookies(client)
    answer = client.post("/auth/logout")
    assert answer.status_code == 204
    assert not client.cookies
    thief = visitor()
    thief.cookies.set(ACCESS, copy[ACCESS])
    thief.cookies.set(REFRESH, copy[REFRESH], path="/auth")
    assert thief.get("/api/v1/me").status_code == 401
    assert thief.post("/auth/refresh").status_code == 401
    assert other.get("/api/v1/me").status_code == 200
    assert client.post("/auth/logout").status_code == 204


def test_a_ticket_signs_in_once(place):
    with shared_work(STRANGER) as ctx:
        proven = service.prove(ctx, place.emails["owner"], PASSWORD)
        ticket = service.issue_ticket(ctx, proven)
    assert queue.connection().keys(f"*{ticket}*") == []
    client = visitor()
    answer = client.post(
        "/auth/session", json={"ticket": ticket}, headers={"user-agent": "Firefox"}
    )
    assert answer.json()["email"] == place.emails["owner"]
    assert [row.user_agent for row in sessions_of(place.owner_id)] == ["Firefox"]
    again = visitor().post("/auth/session", json={"ticket": ticket})
    assert (again.status_code, again.json()["code"]) == (401, "ticket_gone")
    assert len(sessions_of(place.owner_id)) == 1


def test_sessions_are_listed_and_can_be_ended(place, rival):
    here, there, theirs = member(place), member(place), member(rival)
    listed = here.get("/api/v1/me/sessions").json()["items"]
    assert [row["is_current"] for row in listed] == [True, False]
    assert listed[0]["ip"] == "203.0.113.7"
    assert here.delete(f"/api/v1/me/sessions/{listed[1]['id']}").status_code == 204
    assert there.get("/api/v1/me").status_code == 401
    assert here.get("/api/v1/me").status_code == 200
    assert len(here.get("/api/v1/me/sessions").json()["items"]) == 1
    assert here.delete(f"/api/v1/me/sessions/{listed[1]['id']}").status_code == 404
    assert theirs.get("/api/v1/me").status_code == 200


def test_nobody_ends_the_session_of_another(place, rival):
    mine, theirs = member(place), member(rival)
    their_session = theirs.get("/api/v1/me/sessions").json()["items"][0]["id"]
    assert mine.delete(f"/api/v1/me/sessions/{their_session}").status_code == 404
    assert member(place, "agent").delete(f"/api/v1/me/sessions/{their_session}").status_code == 404
    assert theirs.get("/api/v1/me").status_code == 200
    assert theirs.delete(f"/api/v1/me/sessions/{their_session}").status_code == 204


def test_one_can_sign_out_everywhere_else(place):
    here, there, further = member(place), member(place), member(place)
    assert here.delete("/api/v1/me/sessions").status_code == 204
    assert [one.get("/api/v1/me").status_code for one in (here, there, further)] == [200, 401, 401]


def test_a_disabled_user_is_out_at_once(place):
    client = member(place)
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(User, place.owner_id).disabled_at = ctx.now
    assert client.get("/api/v1/me").status_code == 401
    assert client.post("/auth/refresh").status_code == 401


def test_what_is_long_over_is_forgotten_and_the_rest_is_kept(place, later, run_jobs):
    kept = member(place, "admin")
    member(place).post("/auth/logout")
    later(days=29)
    assert kept.post("/auth/refresh").status_code == 200
    later(days=31)
    with shared_work(system("test", Permission.PLATFORM_SECURITY)) as ctx:
        service.tidy(ctx)
    assert sessions_of(place.owner_id) == []
    assert kept.post("/auth/refresh").status_code == 200
