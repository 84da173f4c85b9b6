"""Secrets over HTTP: named, replaced, used by workflows, read by nobody."""

from uuid import UUID

import pytest
from sqlmodel import select, text

from aerostic.core.crypto import CannotDecrypt, decrypt
from aerostic.core.errors import NotAllowed, NotFound, Refused
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.automation.actor import AUTOMATION
from aerostic.domain.vault import service
from aerostic.domain.vault.models import Secret
from tests.clients import member
from tests.conftest import Place

HERE = "/api/v1/secrets"


def _opened(place: Place, secret_id: str) -> service.Opened:
    with unit_of_work(place.tenant_id, AUTOMATION) as ctx:
        return service.open_for_use(ctx, UUID(secret_id))


def test_a_secret_is_kept_sealed_and_in_no_answer(place: Place) -> None:
    client = member(place, "admin")
    made = client.post(HERE, json={"name": "Shop key", "value": "s3cret-value"})
    assert made.status_code == 201
    secret_id = made.json()["id"]
    assert "s3cret" not in made.text + client.get(HERE).text
    with place.system_work() as ctx:
        row = ctx.session.execute(text("select * from secrets")).one()
        assert "s3cret" not in str(row)
        sealed = ctx.session.exec(select(Secret)).one().sealed
    with pytest.raises(CannotDecrypt):  # bound to its row
        decrypt(sealed, bound_to="secrets.sealed.another")
    assert _opened(place, secret_id).value == "s3cret-value"
    assert "s3cret" not in repr(_opened(place, secret_id))
    (shown,) = client.get(HERE).json()["items"]
    assert (shown["name"], shown["used_at"] is None) == ("Shop key", False)


def test_no_person_opens_a_secret_and_no_other_tenant_finds_it(place: Place, rival: Place) -> None:
    made = member(place, "owner").post(HERE, json={"name": "k", "value": "v"}).json()
    with place.work("owner") as ctx, pytest.raises(NotAllowed, match="Nobody can read them"):
        service.open_for_use(ctx, UUID(made["id"]))
    with pytest.raises(NotFound):
        _opened(rival, made["id"])


def test_a_new_value_replaces_the_old_one_and_a_rename_keeps_it(place: Place) -> None:
    client = member(place, "admin")
    secret_id = client.post(HERE, json={"name": "k", "value": "one"}).json()["id"]
    assert client.patch(f"{HERE}/{secret_id}", json={"name": "better"}).json()["name"] == "better"
    assert _opened(place, secret_id).value == "one"
    client.patch(f"{HERE}/{secret_id}", json={"value": "two"})
    assert _opened(place, secret_id).value == "two"
    assert client.delete(f"{HERE}/{secret_id}").status_code == 204
    with pytest.raises(NotFound):
        _opened(place, secret_id)


def test_who_does_not_know_a_secret_can_not_send_it_elsewhere(place: Place) -> None:
    client = member(place, "admin")
    body = {"name": "k", "value": "v", "hosts": ["API.example.com", "*.shop.test"]}
    made = client.post(HERE, json=body).json()
    assert made["hosts"] == ["api.example.com", "*.shop.test"]
    address = f"{HERE}/{made['id']}"
    for wider in ([], ["evil.test"], ["api.example.com", "*.shop.test", "evil.test"]):
        refused = client.patch(address, json={"hosts": wider})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "value")
    assert client.patch(address, json={"hosts": ["api.example.com"]}).status_code == 200
    assert client.patch(address, json={"hosts": ["evil.test"], "value": "v"}).status_code == 200


@pytest.mark.parametrize(
    "host,may",
    [
        ("api.example.com", True),
        ("API.EXAMPLE.COM", True),
        ("a.shop.test", True),
        ("shop.test", False),
        ("evilshop.test", False),
        ("api.example.com.evil.test", False),
        ("", False),
    ],
)
def test_a_secret_goes_to_its_hosts_only(host: str, may: bool) -> None:
    opened = service.Opened("k", "v", ("api.example.com", "*.shop.test"))
    if may:
        opened.check_host(host)
        return
    with pytest.raises(Refused, match="may not be sent"):
        opened.check_host(host)


@pytest.mark.parametrize(
    "body,field",
    [
        ({"name": "", "value": "v"}, "name"),
        ({"name": "x" * 61, "value": "v"}, "name"),
        ({"name": "k", "value": " "}, "value"),
        ({"name": "k", "value": "a\r\nX-Evil: 1"}, "value"),
        ({"name": "k", "value": "v", "hosts": ["http://x"]}, "hosts"),
        ({"name": "k", "value": "v", "hosts": ["*"]}, "hosts"),
    ],
)
def test_what_is_wrong_with_a_secret_is_said_at_its_field(
    place: Place, body: dict[str, object], field: str
) -> None:
    refused = member(place, "admin").post(HERE, json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert member(place, "admin").get(HERE).json()["items"] == []


def test_two_secrets_have_two_names(place: Place) -> None:
    client = member(place, "admin")
    client.post(HERE, json={"name": "Key", "value": "v"})
    assert client.post(HERE, json={"name": "key", "value": "v"}).status_code == 409
