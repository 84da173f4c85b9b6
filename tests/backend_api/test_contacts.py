"""Contacts over HTTP, as programs use them: exact answers, refusals, and a rival in the room."""

import os
import tempfile
from pathlib import Path

import pytest
from sqlmodel import select

from aerostic.core.ids import new_id
from aerostic.domain.contacts.models import Contact
from tests.clients import member

API = "/api/v1"
ADA = {"name": "Ada Lovelace", "phone": "+49 170 1234567", "email": "ada@example.org"}
CSV = "Name;Telefon\nJosé;+49 170 1234567\nNobody;\n=1+1;hello\n".encode("latin-1")


@pytest.fixture
def owner(place):
    return member(place, "owner")


@pytest.fixture
def admin(place):
    return member(place, "admin")


@pytest.fixture
def agent(place):
    return member(place, "agent")


@pytest.fixture
def ada(agent) -> str:
    return agent.post(f"{API}/contacts", json=ADA).json()["id"]


def names(place) -> list[str]:
    with place.work() as ctx:
        return sorted(ctx.session.exec(select(Contact.name)))


def test_a_person_is_entered_once_per_key_and_shown(agent, place):
    tag = agent.post(f"{API}/tags", json={"name": "VIP", "colour": "amber"}).json()
    body = {**ADA, "tag_ids": [tag["id"]]}
    answers = [
        agent.post(f"{API}/contacts", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    shown = agent.get(f"{API}/contacts/{answers[0].json()['id']}").json()
    parts = ("name", "phone", "email", "country", "tags", "revision", "is_blocked")
    assert [shown[part] for part in parts] == [
        "Ada Lovelace",
        "+491701234567",
        "ada@example.org",
        "DE",
        [tag],
        0,
        False,
    ]
    assert shown["identities"] == [{"kind": "phone", "scope": "", "value": "491701234567"}]
    assert names(place) == ["Ada Lovelace"]


def test_a_number_belongs_to_one_contact(agent, ada, place):
    answer = agent.post(f"{API}/contacts", json={"phone": "00491701234567"})
    assert (answer.status_code, answer.json()["code"]) == (409, "contact_exists")
    assert names(place) == ["Ada Lovelace"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x" * 1_000_000}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"phone": "hello"}, "phone"),
        ({"email": "nowhere"}, "email"),
        ({}, "name"),
        ({"name": "A", "attributes": {"shoe": 4}}, "attributes"),
    ],
)
def test_what_is_wrong_is_said_for_its_field_and_nothing_is_kept(agent, place, body, field):
    answer = agent.post(f"{API}/contacts", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert names(place) == []


def test_the_list_is_searched_sorted_and_paged(agent):
    for name in ("Grace", "Ada", "José"):
        agent.post(f"{API}/contacts", json={"name": name})
    asked = {"sort": "name", "limit": 2}
    first = agent.get(f"{API}/contacts", params=asked).json()
    second = agent.get(f"{API}/contacts", params=asked | {"cursor": first["next_cursor"]}).json()
    assert [row["name"] for row in first["items"] + second["items"]] == ["Ada", "Grace", "José"]
    assert second["next_cursor"] is None
    found = agent.get(f"{API}/contacts?text=jose").json()["items"]
    assert [row["name"] for row in found] == ["José"]


def test_a_change_on_an_old_revision_is_refused(agent, ada):
    address = f"{API}/contacts/{ada}"
    changed = agent.patch(address, json={"revision": 0, "name": "Ada King", "is_blocked": True})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["is_blocked"]) == ("Ada King", True)
    stale = agent.patch(address, json={"revision": 0, "name": "Eve"})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    assert agent.get(address).json()["name"] == "Ada King"


def test_tags_timeline_and_merge(agent, ada):
    tag = agent.post(f"{API}/tags", json={"name": "VIP"}).json()["id"]
    other = agent.post(f"{API}/contacts", json={"name": "A. K."}).json()["id"]
    given = agent.post(f"{API}/contacts/{other}/tags", json={"add": [tag]}).json()
    assert [one["name"] for one in given["tags"]] == ["VIP"]
    merged = agent.post(f"{API}/contacts/{ada}/merge", json={"other_id": other}).json()
    assert ([one["name"] for one in merged["tags"]], merged["id"]) == (["VIP"], ada)
    assert agent.get(f"{API}/contacts/{other}").json()["id"] == ada
    told = [item["text"] for item in agent.get(f"{API}/contacts/{ada}/timeline").json()["items"]]
    assert told[0] == "Agent merged A. K. into this contact."
    assert "Agent added the tag “VIP”." in told


def test_only_an_owner_erases(owner, admin, ada, place):
    assert admin.delete(f"{API}/contacts/{ada}").status_code == 403
    assert names(place) == ["Ada Lovelace"]
    assert owner.delete(f"{API}/contacts/{ada}").status_code == 204
    assert owner.get(f"{API}/contacts/{ada}").status_code == 404
    assert names(place) == ["Erased contact"]


def test_an_export_is_a_file_for_admins(admin, agent, ada):
    answer = admin.get(f"{API}/contacts/export?format=csv&text=ada")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert "Ada Lovelace,+491701234567,ada@example.org" in answer.text
    sheet = admin.get(f"{API}/contacts/export?format=xlsx")
    assert sheet.content.startswith(b"PK")
    assert agent.get(f"{API}/contacts/export").status_code == 403


def test_an_export_leaves_nothing_behind_whether_it_is_given_or_refused(
    admin, agent, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for _ in range(3):
        assert admin.get(f"{API}/contacts/export").status_code == 200
        assert agent.get(f"{API}/contacts/export").status_code == 403
        nobody = f"{API}/campaigns/{new_id()}/recipients/export"
        assert agent.get(nobody).status_code == 403
        assert admin.get(nobody).status_code == 404
    assert list(tmp_path.iterdir()) == []
    opened = [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]
    assert [one for one in opened if one.startswith(str(tmp_path))] == []


def upload(client, content: bytes = CSV, name: str = "liste.csv"):
    return client.post(f"{API}/contact-imports", files={"file": (name, content)})


def test_a_file_goes_from_upload_to_report(admin, run_jobs, place):
    uploaded = upload(admin)
    assert uploaded.status_code == 201
    shown = uploaded.json()
    assert (shown["status"], shown["mapping"]) == ("uploaded", ["name", "phone"])
    address = f"{API}/contact-imports/{shown['id']}"
    assert admin.get(f"{address}/preview").json()["rows"][0] == ["José", "+49 170 1234567"]
    for _ in range(2):
        assert admin.post(f"{address}/start", json={}).json()["status"] == "queued"
    run_jobs()
    done = admin.get(address).json()
    counters = ("status", "rows_done", "rows_created", "rows_refused")
    assert [done[part] for part in counters] == ["done", 3, 1, 2]
    refused = admin.get(f"{address}/refusals").json()["items"]
    assert (refused[0]["row_number"], refused[0]["reason"]) == (3, "There is no phone number.")
    report = admin.get(f"{address}/report").text.splitlines()
    assert report[:2] == ["\ufeffRow,Reason,Name,Telefon", "3,There is no phone number.,Nobody,"]
    assert report[2].endswith(",'=1+1,hello")
    assert names(place) == ["José"]


def test_what_is_no_list_is_refused_in_words(admin):
    answer = upload(admin, b"%PDF-1.7")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_table")
    assert "This is a PDF" in answer.json()["detail"]


def test_an_agent_imports_nothing(agent, place):
    assert upload(agent).status_code == 403


def test_a_rival_meets_404_everywhere_and_changes_nothing(rival, admin, ada, place):
    stranger = member(rival, "owner")
    import_id, tag_id = (
        upload(admin).json()["id"],
        admin.post(f"{API}/tags", json={"name": "VIP"}).json()["id"],
    )
    theirs = stranger.post(f"{API}/contacts", json={"name": "Eve"}).json()["id"]
    attempts = [
        stranger.get(f"{API}/contacts/{ada}"),
        stranger.patch(f"{API}/contacts/{ada}", json={"revision": 0, "name": "Eve"}),
        stranger.delete(f"{API}/contacts/{ada}"),
        stranger.post(f"{API}/contacts/{ada}/merge", json={"other_id": theirs}),
        stranger.post(f"{API}/contacts/{theirs}/merge", json={"other_id": ada}),
        stranger.post(f"{API}/contacts/{ada}/tags", json={}),
        stranger.post(f"{API}/contacts/{theirs}/tags", json={"add": [tag_id]}),
        stranger.get(f"{API}/contacts/{ada}/timeline"),
        stranger.patch(f"{API}/tags/{tag_id}", json={"name": "Mine"}),
        stranger.delete(f"{API}/tags/{tag_id}"),
        stranger.get(f"{API}/contact-imports/{import_id}"),
        stranger.get(f"{API}/contact-imports/{import_id}/preview"),
        stranger.post(f"{API}/contact-imports/{import_id}/start", json={}),
        stranger.post(f"{API}/contact-imports/{import_id}/cancel"),
        stranger.get(f"{API}/contact-imports/{import_id}/refusals"),
        stranger.get(f"{API}/contact-imports/{import_id}/report"),
        stranger.delete(f"{API}/contact-attributes/{new_id()}"),
    ]
    assert [answer.status_code for answer in attempts] == [404] * len(attempts)
    for address in ("contacts", "contact-imports", "tags"):
        mine = [row["id"] for row in stranger.get(f"{API}/{address}").json()["items"]]
        assert not {ada, import_id, tag_id} & set(mine)
    assert names(place) == ["Ada Lovelace"]
    assert admin.get(f"{API}/contact-imports/{import_id}").json()["status"] == "uploaded"
