"""The delivery log: for the platform's staff, and nobody else."""

from collections.abc import Iterator

import pytest

from aerostic.core.permissions import PlatformRole
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity.models import User
from tests.clients import member, visitor
from tests.meta import Meta, account_change, change, delivery, message, phone


@pytest.fixture
def meta() -> Iterator[Meta]:
    meta = Meta()
    yield meta
    meta.close()


@pytest.fixture
def staff(make_place):
    """A platform admin, signed in."""
    from aerostic.core.permissions import system

    home = make_place("Platform")
    with shared_work(system("test")) as ctx:
        ctx.session.get(User, home.owner_id).platform_role = PlatformRole.PLATFORM_ADMIN
    return member(home)


def parked(staff) -> list[dict[str, object]]:
    answer = staff.get("/api/v1/deliveries", params={"status": "parked", "limit": 200})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_staff_see_why_a_delivery_is_parked_and_replay_it(meta, place, staff, run_jobs):
    strange = account_change("telepathy", {"thought": "😀"})
    good = change(place, messages=[message(phone())])
    meta.deliver(delivery(place, strange, good))
    run_jobs()
    row = parked(staff)[0]
    assert row["reason"] == "The field “telepathy” is not known. Its content is kept."
    assert row["problems"] == 1
    detail = staff.get(f"/api/v1/deliveries/{row['id']}").json()
    assert detail["fields_told"] == ["telepathy", "messages"]
    assert "😀" in detail["body"]
    assert (detail["problems"][0]["entry"], detail["problems"][0]["change"]) == (1, 1)
    answer = staff.post(f"/api/v1/deliveries/{row['id']}/replay")
    assert answer.status_code == 202
    run_jobs()
    again = staff.get(f"/api/v1/deliveries/{row['id']}").json()
    assert again["delivery"]["status"] == "parked"
    assert [one["resolved_at"] is None for one in again["problems"]] == [False, True]


def test_the_log_pages_by_key(meta, place, staff):
    for _ in range(3):
        meta.deliver(delivery(place, change(place, messages=[message(phone())])))
    first = staff.get("/api/v1/deliveries", params={"limit": 2}).json()
    after = {"limit": 2, "cursor": first["next_cursor"]}
    second = staff.get("/api/v1/deliveries", params=after).json()
    ids = [one["id"] for one in first["items"] + second["items"]]
    assert ids == sorted(set(ids), reverse=True)
    assert len(first["items"]) == 2


def test_owners_and_visitors_find_nothing_there(meta, place, run_jobs):
    meta.deliver(delivery(place, account_change("telepathy", {})))
    run_jobs()
    owner = member(place)
    assert owner.get("/api/v1/deliveries").status_code == 404
    assert visitor().get("/api/v1/deliveries").status_code == 401
