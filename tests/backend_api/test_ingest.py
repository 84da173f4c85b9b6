"""`/webhooks/meta`: a 200 means kept, and only what Meta signed is."""

import hashlib
import json
from collections.abc import Iterator

import psycopg
import pytest
from sqlmodel import select

from aerostic.core import queue
from aerostic.core.permissions import system
from aerostic.core.tenancy import platform_work
from aerostic.domain.deliveries.models import WebhookDelivery
from aerostic.domain.platform.models import SecurityEvent
from tests.meta import Meta, change, delivery, message, phone, raw, sign

LARGEST = 3 * 1024 * 1024


@pytest.fixture
def meta() -> Iterator[Meta]:
    meta = Meta()
    yield meta
    meta.close()


def kept() -> dict[str, bytes]:
    """Every delivery by the digest of its bytes."""
    with platform_work(system("test")) as ctx:
        bodies = ctx.session.exec(select(WebhookDelivery.body)).all()
    return {hashlib.sha256(body).hexdigest(): body for body in bodies}


def is_kept(body: bytes) -> bool:
    return hashlib.sha256(body).hexdigest() in kept()


def security_events(kind: str) -> int:
    with platform_work(system("test")) as ctx:
        found = ctx.session.exec(select(SecurityEvent).where(SecurityEvent.kind == kind))
        return len(found.all())


def test_signed_bytes_are_kept_as_they_came_before_the_200(meta, place):
    body = raw(delivery(place, change(place, messages=[message(phone())])))
    answer = meta.post(body)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert is_kept(body)


def test_signed_bytes_with_an_escaped_emoji_verify_and_re_serialised_ones_do_not(meta, place):
    text = {"type": "text", "text": {"body": "Grüße 😀"}}
    payload = delivery(place, change(place, messages=[message(phone(), text)]))
    body = raw(payload)
    again = json.dumps(payload, ensure_ascii=False).encode()
    assert b"\\ud83d" in body
    assert meta.post(body).status_code == 200
    assert meta.post(again, {"x-hub-signature-256": sign(body)}).status_code == 403
    assert is_kept(body)
    assert not is_kept(again)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 401),
        ({"x-hub-signature-256": ""}, 401),
        ({"x-hub-signature-256": "sha256=" + "0" * 64}, 403),
        ({"x-hub-signature-256": "sha1=" + "0" * 40}, 403),
        ({"x-hub-signature-256": "sha256=ÿ"}, 403),
    ],
)
def test_unsigned_or_forged_bytes_are_refused_and_not_kept(meta, place, headers, expected):
    body = raw(delivery(place, change(place, messages=[message(phone())])))
    told = {name: value.encode("latin-1") for name, value in headers.items()}
    assert meta.post(body, told).status_code == expected
    assert not is_kept(body)


def test_many_forgeries_make_one_security_event(meta, place):
    before = security_events("webhook_wrong_signature")
    for _ in range(20):
        assert meta.post(b"{}", {"x-hub-signature-256": "sha256=wrong"}).status_code == 403
    assert security_events("webhook_wrong_signature") == before + 1


def test_any_configured_app_may_sign(meta, place, monkeypatch):
    meta.ingest._secrets = (b"another", b"app-secret")
    body = raw(delivery(place, change(place, messages=[message(phone())])))
    assert meta.post(body, {"x-hub-signature-256": sign(body, "another")}).status_code == 200
    assert meta.post(body, {"x-hub-signature-256": sign(body)}).status_code == 200
    assert meta.post(body, {"x-hub-signature-256": sign(body, "third")}).status_code == 403


def test_three_megabytes_are_kept_and_one_byte_more_is_refused(meta):
    fits, too_large = b"x" * LARGEST, b"x" * (LARGEST + 1)
    assert meta.post(fits).status_code == 200
    assert meta.post(too_large).status_code == 413
    assert is_kept(fits)
    assert not is_kept(too_large)


def test_a_body_that_announces_too_much_is_refused_before_it_is_read(meta):
    headers = {"x-hub-signature-256": sign(b"x"), "content-length": str(LARGEST + 1)}
    assert meta.post(b"x", headers).status_code == 413


def test_bytes_that_are_not_json_are_kept(meta):
    body = b"\x00\xff not JSON at all"
    assert meta.post(body).status_code == 200
    assert is_kept(body)


def test_what_is_kept_wakes_the_workers(meta, place):
    meta.deliver(delivery(place, change(place, messages=[message(phone())])))
    assert len(queue.queue(queue.QueueName.DELIVERIES)) == 1


def test_five_hundred_at_once_are_all_kept(meta, place):
    bodies = [raw(delivery(place, change(place, messages=[message(phone())]))) for _ in range(500)]
    assert set(meta.together(bodies)) == {200}
    assert {hashlib.sha256(body).hexdigest() for body in bodies} <= kept().keys()


def test_without_the_database_meta_is_asked_to_repeat(meta, place, monkeypatch):
    from aerostic.core import database

    monkeypatch.setattr(database, "psycopg_url", lambda: "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setattr("aerostic.domain.deliveries.intake.PATIENCE", 0.5)
    body = raw(delivery(place, change(place, messages=[message(phone())])))
    assert meta.post(body).status_code == 503
    assert not is_kept(body)


def test_a_batch_that_fails_fails_alone(meta, place, monkeypatch):
    from aerostic.domain.deliveries import intake

    write = intake.write

    async def write_unless_told_otherwise(line, bodies):
        if any(b"fail me" in body for body in bodies):
            raise psycopg.OperationalError("the connection broke")
        await write(line, bodies)

    monkeypatch.setattr(intake, "write", write_unless_told_otherwise)
    assert meta.post(b'"fail me"').status_code == 503
    assert meta.post(b'"keep me"').status_code == 200
    assert not is_kept(b'"fail me"')
    assert is_kept(b'"keep me"')


def test_the_handshake_echoes_the_challenge(meta):
    answer = meta.shake_hands(mode="subscribe", verify_token="verify-me", challenge="1158201444")
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "asked",
    [
        {"mode": "subscribe", "verify_token": "guess", "challenge": "1"},
        {"mode": "subscribe", "challenge": "1"},
        {"mode": "unsubscribe", "verify_token": "verify-me", "challenge": "1"},
        {},
    ],
)
def test_the_handshake_refuses_whoever_does_not_know_the_token(meta, asked):
    answer = meta.shake_hands(**asked)
    assert answer.status_code == 403
    assert "1" not in answer.text


def test_a_connection_that_broke_while_idle_is_opened_anew(meta, place):
    from tests.servers import start_servers

    first, second = (
        raw(delivery(place, change(place, messages=[message(phone())]))) for _ in range(2)
    )
    assert meta.post(first).status_code == 200
    with psycopg.connect(start_servers().superuser_url, autocommit=True) as connection:
        ended = connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where application_name = 'aerostic intake'"
        ).fetchall()
    assert ended
    assert meta.post(second).status_code == 200
    assert is_kept(second)
