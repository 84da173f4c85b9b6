"""The authenticator app: set up, asked for, never accepted twice, and forced for super admins."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest

from aerostic.core import clock
from aerostic.core.permissions import STRANGER, PlatformRole
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity import queries
from aerostic.domain.identity.models import User
from tests.clients import member, visitor
from tests.conftest import PASSWORD


@pytest.fixture
def moment(monkeypatch):
    """Stand still at a moment; `moment(30)` moves on by thirty seconds."""
    start = clock.now()
    passed = 0.0

    def move(seconds: float = 0):
        nonlocal passed
        passed += seconds
        now = start + timedelta(seconds=passed)
        monkeypatch.setattr(clock, "now", lambda: now)
        return now

    move()
    return move


def enrol(client, moment) -> tuple[pyotp.TOTP, list[str]]:
    setup = client.post("/api/v1/me/totp", json={"password": PASSWORD})
    assert setup.status_code == 200, setup.text
    app = pyotp.TOTP(setup.json()["secret"])
    confirmed = client.post("/api/v1/me/totp/confirm", json={"code": app.at(moment())})
    assert confirmed.status_code == 200, confirmed.text
    moment(60)
    return app, confirmed.json()["recovery_codes"]


def sign_in(place, code="", role="owner"):
    body = {"email": place.emails[role], "password": PASSWORD, "code": code}
    return visitor().post("/auth/session", json=body)


def code_of_another_hour(app: pyotp.TOTP) -> str:
    return app.at(clock.now() + timedelta(hours=1))


def second_factor_row(user_id):
    with shared_work(STRANGER) as ctx:
        user = ctx.session.get_one(User, user_id)
        return user.totp_confirmed_at, user.totp_last_step, list(user.recovery_code_digests)


def test_it_counts_once_a_code_was_confirmed(place, moment):
    client, elsewhere = member(place), member(place)
    setup = client.post("/api/v1/me/totp", json={"password": PASSWORD}).json()
    assert setup["qr_svg"].startswith("<svg")
    assert setup["uri"].startswith("otpauth://totp/Aerostic:owner")
    assert sign_in(place).status_code == 200
    app = pyotp.TOTP(setup["secret"])
    wrong = client.post("/api/v1/me/totp/confirm", json={"code": code_of_another_hour(app)})
    assert wrong.json()["code"] == "wrong_code"
    assert elsewhere.get("/api/v1/me").status_code == 200
    confirmed = client.post("/api/v1/me/totp/confirm", json={"code": app.at(moment())})
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    assert client.get("/api/v1/me").json()["recovery_codes_left"] == 10
    assert elsewhere.get("/api/v1/me").status_code == 401
    assert sign_in(place).status_code == 401
    moment(30)
    assert sign_in(place, app.at(moment())).status_code == 200


def test_setting_it_up_needs_the_password(place):
    client = member(place)
    answer = client.post("/api/v1/me/totp", json={"password": "wrong password"})
    assert answer.json()["errors"][0]["field"] == "password"
    assert second_factor_row(place.owner_id) == (None, 0, [])


def test_the_secret_is_sealed_and_the_recovery_codes_are_digests(place, moment):
    app, codes = enrol(member(place), moment)
    with shared_work(STRANGER) as ctx:
        row = ctx.session.get_one(User, place.owner_id).model_dump_json()
    assert app.secret not in row
    assert codes[0] not in row
    assert codes[0].replace("-", "") not in row


def test_a_missing_or_wrong_code_has_the_same_answer_as_a_wrong_password(place, moment):
    app, _ = enrol(member(place), moment)
    wrong_password = visitor().post(
        "/auth/session", json={"email": place.emails["owner"], "password": "wrong"}
    )
    answers = [
        wrong_password,
        sign_in(place),
        sign_in(place, "000000"),
        sign_in(place, code_of_another_hour(app)),
    ]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert bodies == [bodies[0]] * 4


def test_a_code_works_once(place, moment):
    app, _ = enrol(member(place), moment)
    code = app.at(moment())
    assert sign_in(place, code).status_code == 200
    before = second_factor_row(place.owner_id)
    assert sign_in(place, code).status_code == 401
    assert second_factor_row(place.owner_id) == before
    moment(30)
    assert sign_in(place, code).status_code == 401
    assert sign_in(place, app.at(moment())).status_code == 200


def test_the_code_that_confirmed_the_app_does_not_sign_in(place, moment):
    client = member(place)
    app = pyotp.TOTP(client.post("/api/v1/me/totp", json={"password": PASSWORD}).json()["secret"])
    code = app.at(moment())
    assert client.post("/api/v1/me/totp/confirm", json={"code": code}).status_code == 200
    assert sign_in(place, code).status_code == 401


def test_one_code_sent_many_times_at_once_signs_in_once(place, moment):
    app, _ = enrol(member(place), moment)
    code = app.at(moment())
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: sign_in(place, code).status_code, range(6)))
    assert sorted(answers) == [200] + [401] * 5


def test_a_recovery_code_works_once_in_any_spelling(place, moment):
    client = member(place)
    _, codes = enrol(client, moment)
    assert sign_in(place, f" {codes[3].upper()} ").status_code == 200
    assert sign_in(place, codes[3]).status_code == 401
    assert client.get("/api/v1/me").json()["recovery_codes_left"] == 9
    assert sign_in(place, codes[4].replace("-", "")).status_code == 200


def test_new_recovery_codes_replace_the_old(place, moment):
    client = member(place)
    app, old = enrol(client, moment)
    body = {"password": PASSWORD, "code": app.at(moment())}
    new = client.post("/api/v1/me/totp/recovery-codes", json=body).json()["recovery_codes"]
    assert not set(new) & set(old)
    assert sign_in(place, old[0]).status_code == 401
    assert sign_in(place, new[0]).status_code == 200


def test_removing_it_needs_both_factors(place, moment):
    client = member(place)
    app, _ = enrol(client, moment)
    url = "/api/v1/me/totp/remove"
    before = second_factor_row(place.owner_id)
    assert client.post(url, json={"password": "wrong", "code": app.at(moment())}).status_code == 422
    assert client.post(url, json={"password": PASSWORD, "code": "000000"}).status_code == 422
    assert second_factor_row(place.owner_id) == before
    assert (
        client.post(url, json={"password": PASSWORD, "code": app.at(moment())}).status_code == 204
    )
    assert sign_in(place).status_code == 200


def test_it_can_not_be_set_up_over_one_that_is_in_force(place, moment):
    client = member(place)
    app, _ = enrol(client, moment)
    assert client.post("/api/v1/me/totp", json={"password": PASSWORD}).status_code == 409
    assert sign_in(place, app.at(moment())).status_code == 200


def test_guesses_at_codes_from_an_open_session_are_limited(place):
    client = member(place)
    client.post("/api/v1/me/totp", json={"password": PASSWORD})
    answers = [client.post("/api/v1/me/totp/confirm", json={"code": "000000"}) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [422] * 9 + [429]
    assert second_factor_row(place.owner_id) == (None, 0, [])


def test_a_super_admin_can_do_nothing_before_setting_it_up(place, moment):
    with shared_work(STRANGER) as ctx:
        ctx.session.get_one(User, place.owner_id).platform_role = PlatformRole.SUPER_ADMIN
    client = visitor()
    body = {"email": place.emails["owner"], "password": PASSWORD}
    assert client.post("/auth/session", json=body).json()["must_set_up_second_factor"] is True
    refused = client.get("/api/v1/members")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    with shared_work(STRANGER) as ctx:
        principal = queries.principal(ctx, client.cookies["aerostic_access"])
        with pytest.raises(queries.SecondFactorNeeded):
            principal.platform_actor()
    app, _ = enrol(client, moment)
    assert client.get("/api/v1/members").status_code == 200
    with shared_work(STRANGER) as ctx:
        principal = queries.principal(ctx, client.cookies["aerostic_access"])
        assert principal.platform_actor().power == 100
    both = {"password": PASSWORD, "code": app.at(moment())}
    assert client.post("/api/v1/me/totp/remove", json=both).status_code == 422
    assert sign_in(place).status_code == 401
    signed_in = sign_in(place, app.at(moment(30)))
    assert signed_in.json()["must_set_up_second_factor"] is False
