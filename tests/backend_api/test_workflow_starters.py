"""What people start from: each can be published as soon as what it asks for is chosen."""

import pytest

from aerostic.domain.automation.starters import starters
from aerostic.domain.channels import service as channels
from aerostic.domain.channels.models import NumberMode
from tests.clients import member

WORKFLOWS = "/api/v1/workflows"

# What the linter asks for, by starter: everything else is whole.
TO_CHOOSE = {
    "welcome": [],
    "faq-agent": [
        ("agent", "agent", "Answer: there is no agent “FAQ” in this workspace. Choose one."),
        (
            "documents",
            "base",
            "Documents: there is no knowledge base “FAQ” in this workspace. Choose one.",
        ),
    ],
    "lead-capture": [
        ("keep", "account", "Keep it in the sheet: “Google account” is missing."),
        ("keep", "spreadsheet", "Keep it in the sheet: “Spreadsheet” is missing."),
    ],
    "order-status": [],
    "appointment-reminder": [
        (
            "remind",
            "template",
            "Remind: there is no template “appointment_reminder” in this workspace. Choose one.",
        )
    ],
    "feedback": [
        ("served", "tags.0", "Was served: there is no tag “served” in this workspace. Choose one.")
    ],
}


def test_the_gallery_shows_them_all_in_order(place):
    shown = member(place).get(f"{WORKFLOWS}/starters").json()["items"]
    assert [one["key"] for one in shown] == list(TO_CHOOSE)
    assert all(one["title"] and one["summary"] and one["to_fill"] for one in shown)


@pytest.mark.parametrize("key", TO_CHOOSE)
def test_a_starter_asks_for_what_it_says_and_nothing_else(place, key):
    with place.work() as ctx:
        channels.set_mode(ctx, place.number_id, NumberMode.AUTOMATION)
    owner = member(place)
    made = owner.post(WORKFLOWS, json={"starter": key}).json()
    titles = {one.key: one.title for one in starters()}
    assert (made["name"], made["is_enabled"]) == (titles[key], False)
    found = owner.get(f"{WORKFLOWS}/{made['id']}/findings").json()["items"]
    assert [(one["node_id"], one["field"], one["sentence"]) for one in found] == TO_CHOOSE[key]
    assert {one["severity"] for one in found} <= {"error"}
    answer = owner.post(f"{WORKFLOWS}/{made['id']}/publish", json={})
    assert answer.status_code == (422 if TO_CHOOSE[key] else 200)
    (note,) = made["draft"]["notes"]
    assert note["text"]


def test_a_starter_that_is_not_there_is_not_found_and_nothing_is_made(place):
    owner = member(place)
    assert owner.post(WORKFLOWS, json={"starter": "../service"}).status_code == 404
    assert owner.get(WORKFLOWS).json()["items"] == []
