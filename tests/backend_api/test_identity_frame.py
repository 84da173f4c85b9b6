"""What every request passes and every answer carries."""

import base64
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from sqlalchemy.exc import IntegrityError
from sqlmodel import func, select

from aerostic.core import logs, queue
from aerostic.core.pages import cursor_of
from aerostic.core.permissions import STRANGER
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work
from aerostic.domain.contacts.models import Tag
from aerostic.domain.identity import attempts
from aerostic.domain.identity.models import UserSession
from aerostic.domain.tenants.models import Invitation
from backend_api import security
from tests.builders import contact_of
from tests.clients import database_is_gone, member, redis_is_gone, visitor
from tests.conftest import PASSWORD

PROBLEM = "application/problem+json"


def rename(client, name="Another", **headers):
    return client.patch("/api/v1/workspace", json={"name": name}, headers=headers)


def name_of(place) -> str:
    return member(place).get("/api/v1/workspace").json()["name"]


def invitations(place) -> int:
    with place.work() as ctx:
        return ctx.session.exec(select(func.count()).select_from(Invitation)).one()


def test_health_says_ok_in_plain_text():
    for path in ("/health", "/health/ready"):
        answer = visitor().get(path)
        assert (answer.status_code, answer.text) == (200, "ok")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_health_names_the_part_that_does_not_answer(monkeypatch):
    redis_is_gone(monkeypatch)
    answer = visitor().get("/health")
    assert (answer.status_code, answer.text) == (503, "redis does not answer")


def test_without_its_database_it_asks_to_be_asked_again(place, monkeypatch):
    owner = member(place)
    with monkeypatch.context() as outage:
        database_is_gone(outage)
        answer = rename(owner)
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert (answer.json()["code"], answer.headers["retry-after"]) == ("unavailable", "2")
    assert rename(owner).status_code == 200
    assert name_of(place) == "Another"


def test_an_error_is_a_problem_with_a_stable_code():
    answer = visitor().get("/api/v1/members")
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Please sign in first.",
        "code": "sign_in_needed",
        "errors": [],
        "request_id": answer.headers["x-request-id"],
    }


def test_wrong_fields_are_named(place):
    answer = member(place).post("/api/v1/invitations", json={"role": "king"})
    assert answer.headers["content-type"] == PROBLEM
    assert answer.status_code == 422
    assert {problem["field"] for problem in answer.json()["errors"]} == {"email", "role"}
    broken = member(place).post("/api/v1/invitations", content=b"{not json")
    assert (broken.status_code, broken.json()["code"]) == (422, "invalid")
    assert "king" not in answer.text


def test_what_is_not_there_is_a_problem_too(place):
    for method, path in (("GET", "/api/v1/nothing"), ("POST", "/api/nothing"), ("GET", "/api/")):
        answer = visitor().request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    not_a_uuid = member(place).delete("/api/v1/members/not-an-id")
    assert not_a_uuid.status_code == 422


def test_a_method_that_an_address_does_not_know_is_told_apart():
    for method, path, known in (
        ("DELETE", "/api/v1/invitations", "GET, POST"),
        ("GET", "/auth/session", "POST"),
        ("PUT", "/api/v1/members/01933b2c-7a10-7c55-9d4e-2f6b8a1c0d3e", "DELETE, PATCH"),
    ):
        answer = visitor().request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, known)
        assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(place, chunked):
    client = member(place)
    body = json.dumps({"name": "n" * 1024 * 1024}).encode()
    sent = iter([body[:1000], body[1000:]]) if chunked else body
    headers = {"Content-Type": "application/json"}
    answer = client.patch("/api/v1/workspace", content=sent, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert name_of(place) == "Bluebird Café"


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/octet-stream"])
def test_a_stranger_can_not_fill_the_memory_by_calling_a_body_a_file(kind):
    sent = iter([b"x" * 600_000] * 2)
    answer = visitor().post("/auth/session", content=sent, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_stranger_can_not_fill_the_disk_with_a_form_that_never_ends(monkeypatch):
    monkeypatch.setattr(security, "LARGEST_UPLOAD", 100_000)
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    pieces = []

    def endless():
        yield part
        while len(pieces) < 100:
            pieces.append(1)
            yield b"y" * 10_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = visitor().post("/api/v1/media", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_methods_that_someone_invents_are_counted_as_one():
    for number in range(3):
        visitor().request(f"INVENTED{number}", "/health")
    told = TestClient(visitor().app, client=("127.0.0.1", 5)).get("/metrics").text
    assert "INVENTED" not in told
    assert 'method="other"' in told


def test_a_sentence_that_quotes_half_a_character_still_arrives(place):
    contact_id = contact_of(place)
    body = f'{{"other_id": "{contact_id}", "take": ["\\ud800"]}}'
    answer = member(place).post(
        f"/api/v1/contacts/{contact_id}/merge",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "“?” is no field" in answer.json()["detail"]


def test_what_people_wrote_is_not_in_the_log_of_a_failed_statement(place):
    with pytest.raises(IntegrityError) as failed, place.work() as ctx:
        ctx.session.add(Tag(name="vip", colour="a private word"))
        ctx.session.add(Tag(name="vip", colour="a private word"))
        ctx.session.flush()
    assert "private" not in str(failed.value)


@pytest.mark.parametrize(
    "parts",
    [[1], [[]], [{}], [None], ["\ud800"], ["0001-01-01T00:00:00+23:59", "x"], [1e400], "[" * 6000],
)
@pytest.mark.parametrize("path", ["members", "invitations", "contacts", "contact-imports"])
def test_a_cursor_that_was_never_ours_is_told_so(place, path, parts):
    made_up = parts if isinstance(parts, str) else json.dumps(parts)
    cursor = base64.urlsafe_b64encode(made_up.encode()).decode()
    answer = member(place).get(f"/api/v1/{path}", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("text", ["\u0000", "a\u0000b@example.test", "\ud800", "\U0001f375" * 500])
def test_odd_characters_are_refused_and_never_a_bug(place, text):
    body = json.dumps({"email": text, "password": text, "name": text, "workspace": text})
    odd = {"content": body, "headers": {"Content-Type": "application/json"}}
    assert visitor().post("/auth/session", **odd).status_code in {401, 422}
    assert visitor().post("/auth/register", **odd).status_code == 422
    assert visitor().post("/auth/forgot", **odd).status_code == 422
    assert member(place).post("/api/v1/invitations", **odd).status_code == 422


def test_a_cursor_with_a_nul_in_it_is_no_bug(place):
    answer = member(place).get("/api/v1/members", params={"cursor": cursor_of("a\0b")})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_bug_answers_500_without_its_insides(place, monkeypatch):
    from aerostic.domain.tenants import queries

    client = member(place)
    monkeypatch.setattr(queries, "workspace", lambda ctx: 1 / 0)
    answer = client.get("/api/v1/workspace")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "division" not in answer.text


def test_every_answer_carries_the_headers_that_browsers_obey(place):
    answer = member(place).get("/api/v1/me")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers


def test_over_https_cookies_are_secure_and_browsers_stay_there(place, monkeypatch):
    from backend_api import security

    monkeypatch.setattr(security, "is_https", lambda: True)
    body = {"email": place.emails["owner"], "password": PASSWORD}
    answer = visitor().post("/auth/session", json=body)
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert all("; Secure" in one for one in answer.headers.get_list("set-cookie"))


def test_a_request_has_an_id_of_ours_or_of_its_callers():
    assert len(visitor().get("/health").headers["x-request-id"]) == 16
    told = visitor().get("/health", headers={"X-Request-ID": "trace-12345"})
    assert told.headers["x-request-id"] == "trace-12345"
    forged = visitor().get("/health", headers={"X-Request-ID": "two words, one line"})
    assert forged.headers["x-request-id"] != "two words, one line"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Origin": "http://testserver.evil.example"},
    ],
)
def test_another_sites_page_can_not_act_with_my_cookies(place, headers):
    client = member(place)
    answer = rename(client, **headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert name_of(place) == "Bluebird Café"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://testserver"},
        {"Origin": "http://localhost:8000"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
        {},
    ],
)
def test_our_own_pages_and_programs_can(place, headers):
    assert rename(member(place), **headers).status_code == 200
    assert name_of(place) == "Another"


def test_another_sites_page_can_not_sign_me_in(place):
    body = {"email": place.emails["owner"], "password": PASSWORD}
    answer = visitor().post("/auth/session", json=body, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    with shared_work(STRANGER) as ctx:
        mine = select(UserSession).where(UserSession.user_id == place.owner_id)
        assert ctx.session.exec(mine).all() == []


def test_a_session_is_told_how_many_calls_are_left_and_refused_past_them(place, monkeypatch):
    from limits import RateLimitItemPerMinute

    from backend_api import rate_limit

    monkeypatch.setattr(rate_limit, "PER_SESSION", RateLimitItemPerMinute(3, namespace="few"))
    client, other = member(place), member(place)
    answers = [client.get("/api/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].headers["ratelimit-limit"] == "3"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert rename(client).status_code == 429
    assert other.get("/api/v1/me").status_code == 200


def test_without_redis_the_api_still_works(place, monkeypatch):
    client = member(place)
    redis_is_gone(monkeypatch)
    answer = client.get("/api/v1/me")
    assert answer.status_code == 200
    assert "ratelimit-limit" not in answer.headers


def invite(client, key, email="guest@example.test"):
    body = {"email": email, "role": "agent"}
    return client.post("/api/v1/invitations", json=body, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_have_one_effect_and_one_answer(place):
    client = member(place)
    first, second = invite(client, "k1"), invite(client, "k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert invitations(place) == 1
    assert len(queue.queue(queue.QueueName.MAIL)) == 1
    assert invite(client, "k2").json()["id"] != first.json()["id"]


def test_the_same_key_with_another_body_is_refused(place):
    client = member(place)
    invite(client, "k1")
    refused = invite(client, "k1", email="another@example.test")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert invitations(place) == 1


def test_a_key_belongs_to_who_used_it(place, rival):
    mine, theirs = invite(member(place), "k1"), invite(member(rival), "k1")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


def test_a_refused_request_does_not_use_its_key_up(place):
    client = member(place)
    assert invite(client, "k1", email=place.emails["agent"]).status_code == 409
    assert invite(client, "k1").status_code == 201
    assert invitations(place) == 1


def test_one_key_many_times_at_once_has_one_effect(place):
    client = member(place)
    copies = [visitor() for _ in range(6)]
    for copy in copies:
        copy.cookies.update(client.cookies)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda copy: invite(copy, "k1"), copies))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert invitations(place) == 1
    assert len(queue.queue(queue.QueueName.MAIL)) == 1


def test_the_description_has_every_route_with_its_errors():
    schema = visitor().get("/api/openapi.json").json()
    operation = schema["paths"]["/api/v1/invitations"]["post"]
    assert list(operation["responses"]["4XX"]["content"]) == [PROBLEM]
    assert {one["name"] for one in operation["parameters"]} >= {"Idempotency-Key", "X-Workspace"}
    assert schema["components"]["schemas"]["InvitationIn"]["properties"]["email"]["examples"]


def test_the_readable_page_shows_every_operation_and_loads_nothing():
    answer = visitor().get("/api/docs")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    schema = visitor().get("/api/openapi.json").json()
    shown = [path for path in schema["paths"] if f"<code>{path}</code>" in answer.text]
    assert shown == list(schema["paths"])
    assert "/auth/session" in shown
    for foreign in ("<script", "<img", "<link", "src=", 'href="http', "url("):
        assert foreign not in answer.text


def test_metrics_are_for_this_machine_or_for_who_has_the_token(monkeypatch):
    from pydantic import SecretStr

    from aerostic.core.settings import settings
    from backend_api.app import api
    from backend_api.routes import health

    here = TestClient(api, client=("127.0.0.1", 5000))
    assert "aerostic_http_request_seconds_bucket" in here.get("/metrics").text
    assert here.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
    assert visitor().get("/metrics").status_code == 404
    with_token = settings().model_copy(update={"metrics_token": SecretStr("let me see")})
    monkeypatch.setattr(health, "settings", lambda: with_token)
    wrong, right = ({"Authorization": f"Bearer {token}"} for token in ("guess", "let me see"))
    assert visitor().get("/metrics", headers=wrong).status_code == 404
    assert visitor().get("/metrics", headers=right).status_code == 200


def test_the_address_is_what_our_own_proxies_saw(place, monkeypatch):
    def session_ip(trusted: int) -> str:
        told = settings().model_copy(update={"trusted_proxies": trusted})
        monkeypatch.setattr(security, "settings", lambda: told)
        client = visitor()
        body = {"email": place.emails["owner"], "password": PASSWORD}
        headers = {"X-Forwarded-For": "6.6.6.6, 198.51.100.2, 10.0.0.9"}
        client.post("/auth/session", json=body, headers=headers)
        return client.get("/api/v1/me/sessions").json()["items"][0]["ip"]

    assert [session_ip(hops) for hops in (0, 1, 2)] == ["203.0.113.7", "10.0.0.9", "198.51.100.2"]


def test_a_line_of_ones_own_above_the_proxys_changes_nothing(monkeypatch):
    told = settings().model_copy(update={"trusted_proxies": 1})
    monkeypatch.setattr(security, "settings", lambda: told)
    lines = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"198.51.100.2")]
    request = Request({"type": "http", "headers": lines, "client": ("10.0.0.9", 1)})
    assert security.address_of(request) == "198.51.100.2"


def test_an_ipv4_address_in_ipv6s_clothes_counts_alone():
    found = [attempts.network_of(one) for one in ("::ffff:192.0.2.1", "::ffff:192.0.2.2")]
    assert found == ["192.0.2.1", "192.0.2.2"]


def test_the_log_has_one_line_a_request_and_no_secret(place, caplog):
    with caplog.at_level(logging.INFO, logger="aerostic"):
        client = member(place)
        client.get("/api/v1/members?cursor=c2VjcmV0")
    lines = [logs.formatter(json=True).format(record) for record in caplog.records]
    requests = [json.loads(line) for line in lines if "aerostic.access" in line]
    shown = [(line["method"], line["path"], line["status"]) for line in requests]
    assert shown == [("POST", "/auth/session", 200), ("GET", "/api/v1/members", 422)]
    assert requests[1]["user_id"] == str(place.owner_id)
    held = [cookie.value for cookie in client.cookies.jar]
    assert not any(secret in line for line in lines for secret in [PASSWORD, "c2VjcmV0", *held])
