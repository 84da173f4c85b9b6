"""Workflows through the API: drafts against a revision, versions, the switch, and what they leave behind."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.permissions import system
from aerostic.core.tenancy import shared_work
from aerostic.domain.automation.models import WorkflowDirectory, WorkflowTrigger, WorkflowVersion
from aerostic.domain.signals import telling
from tests.clients import member
from tests.conftest import Place
from tests.workflows import drawn, edge, graph, greeting, node

WORKFLOWS = "/api/v1/workflows"


@pytest.fixture
def owner(place: Place) -> TestClient:
    return member(place)


@pytest.fixture
def stranger(rival: Place) -> TestClient:
    return member(rival)


def make(client: TestClient, made=None, name: str = "Welcome") -> str:
    body = {"name": name, "graph": drawn(made or greeting())}
    answer = client.post(WORKFLOWS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def detail(client: TestClient, workflow_id: str) -> dict:
    answer = client.get(f"{WORKFLOWS}/{workflow_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def save(client: TestClient, workflow_id: str, made, revision: int):
    body = {"revision": revision, "graph": drawn(made)}
    return client.put(f"{WORKFLOWS}/{workflow_id}/draft", json=body)


def publish(client: TestClient, workflow_id: str, note: str = ""):
    return client.post(f"{WORKFLOWS}/{workflow_id}/publish", json={"note": note})


def triggers(place: Place) -> list[tuple[str, str]]:
    with place.work() as ctx:
        rows = ctx.session.exec(select(WorkflowTrigger).order_by(col(WorkflowTrigger.kind))).all()
        return [(row.kind, row.node_id) for row in rows]


def address(workflow_id: str) -> UUID | None:
    with shared_work(system("test")) as ctx:
        row = ctx.session.get(WorkflowDirectory, UUID(workflow_id))
        return row.tenant_id if row else None


def schedules(place: Place) -> int:
    with place.work() as ctx:
        found = select(DueWork).where(
            col(DueWork.kind) == WorkKind.SCHEDULE, col(DueWork.tenant_id) == place.tenant_id
        )
        return len(ctx.session.exec(found).all())


def test_a_workflow_is_drafted_published_and_runs_from_then_on(owner, place, rival):
    workflow_id = make(owner)
    assert triggers(place) == []
    shown = detail(owner, workflow_id)
    assert (shown["is_enabled"], shown["published_number"], shown["has_changes"]) == (
        False,
        None,
        True,
    )
    assert publish(owner, workflow_id, "First").json() == {"number": 1}
    shown = detail(owner, workflow_id)
    assert (shown["is_enabled"], shown["published_number"], shown["has_changes"]) == (
        True,
        1,
        False,
    )
    assert triggers(place) == [("trigger.message", "begin")]
    assert triggers(rival) == []
    versions = owner.get(f"{WORKFLOWS}/{workflow_id}/versions").json()["items"]
    assert [(one["number"], one["note"], one["published_by"]) for one in versions] == [
        (1, "First", "Owner")
    ]
    with place.work() as ctx:
        assert telling.is_heard(ctx)
    with rival.work() as ctx:
        assert not telling.is_heard(ctx)


def test_a_stale_tab_can_not_overwrite_a_newer_draft_and_is_told_whose(place):
    adam, olivia = member(place, "admin"), member(place, "owner")
    workflow_id = make(olivia)
    assert save(adam, workflow_id, greeting("Adam's"), 0).json() == {"revision": 1}
    refused = save(olivia, workflow_id, greeting("Olivia's"), 0)
    assert refused.status_code == 409
    assert refused.json()["code"] == "stale_draft"
    assert refused.json()["detail"].startswith("Admin saved this workflow on ")
    kept = detail(olivia, workflow_id)
    assert kept["draft"]["nodes"][1]["config"]["text"] == "Adam's"
    assert (kept["revision"], kept["saved_by"]) == (1, "Admin")


def test_of_two_saves_at_once_one_wins(place):
    clients = [member(place, "admin"), member(place, "owner")]
    workflow_id = make(clients[0])
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda i: save(clients[i], workflow_id, greeting(f"Version {i}"), 0), (0, 1))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = next(i for i in (0, 1) if answers[i].status_code == 200)
    kept = detail(clients[0], workflow_id)
    assert kept["draft"]["nodes"][1]["config"]["text"] == f"Version {winner}"


def test_saving_what_is_there_already_makes_no_new_revision(owner):
    workflow_id = make(owner)
    assert save(owner, workflow_id, greeting(), 0).json() == {"revision": 0}
    made = graph([node("a", "send.text", preview_url=True)], [])
    assert save(owner, workflow_id, made, 0).json() == {"revision": 1}
    made = graph([node("a", "send.text", preview_url=1)], [])
    assert save(owner, workflow_id, made, 1).json() == {"revision": 2}, "true is not 1"


def test_a_draft_may_be_unfinished_but_is_not_published(owner, place):
    unfinished = graph(
        [node("begin", "trigger.message"), node("say", "send.text")], [edge("begin", "say")]
    )
    workflow_id = make(owner, unfinished)
    refused = publish(owner, workflow_id)
    assert refused.status_code == 422
    assert refused.json()["code"] == "not_ready"
    assert refused.json()["errors"] == [
        {"field": "nodes.say.text", "message": "Send text: “Text” is missing."}
    ]
    found = owner.get(f"{WORKFLOWS}/{workflow_id}/findings").json()["items"]
    assert [(one["severity"], one["node_id"], one["field"]) for one in found] == [
        ("error", "say", "text"),
        ("warning", "begin", "numbers"),
    ]
    assert triggers(place) == []
    assert detail(owner, workflow_id)["published_number"] is None


IMPOSSIBLE = {
    "an output that is not there": (
        greeting().model_copy(update={"edges": [edge("begin", "say", "error")]}),
        "“Message received” has no output of that name.",
    ),
    "a trigger as a target": (
        greeting().model_copy(update={"edges": [edge("say", "begin")]}),
        "“Message received” begins a run: nothing can lead to it.",
    ),
    "two from one output": (
        graph(
            [node("b", "trigger.message"), node("x", "send.text"), node("y", "send.text")],
            [edge("b", "x"), edge("b", "y")],
        ),
        "“Then” of “Message received” leads somewhere already. Remove that connection first.",
    ),
    "itself": (
        graph([node("x", "send.text")], [edge("x", "x")]),
        "A step can not lead to itself.",
    ),
    "nowhere": (
        graph([node("x", "send.text")], [edge("x", "gone")]),
        "The step that this connection leads to is not there.",
    ),
    "a kind that is not there": (
        graph([node("x", "send.pigeon")], []),
        "There is no kind of step called “send.pigeon” here.",
    ),
    "one id twice": (
        graph([node("x", "send.text"), node("x", "send.text")], []),
        "Two things in this workflow have the id “x”.",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_could_not_be_drawn_is_refused_with_the_reason_and_nothing_is_kept(owner, case):
    made, reason = IMPOSSIBLE[case]
    workflow_id = make(owner)
    refused = save(owner, workflow_id, made, 0)
    assert refused.status_code == 422
    assert refused.json()["detail"] == reason
    kept = detail(owner, workflow_id)
    assert (kept["revision"], kept["draft"]) == (0, drawn(greeting()))
    assert owner.post(WORKFLOWS, json={"name": "x", "graph": drawn(made)}).status_code == 422


MALFORMED = {
    "a node without a kind": {"nodes": [{"id": "a"}]},
    "a field that is not ours": {"nodes": [], "edges": [], "more": 1},
    "text for nodes": {"nodes": "none"},
    "NUL": {"nodes": [{"id": "a", "kind": "send.text", "config": {"text": "a\x00b"}}]},
    "half an emoji": {"nodes": [{"id": "a", "kind": "send.text", "config": {"text": "\ud83d"}}]},
    "an id that is none": {"nodes": [{"id": "a b", "kind": "send.text"}]},
    "far away": {"nodes": [{"id": "a", "kind": "send.text", "position": {"x": 1e300, "y": 0}}]},
    "a newer format": {"format": 2, "nodes": []},
    "too many": {"nodes": [{"id": f"n{i}", "kind": "send.text"} for i in range(301)]},
    "too deep": {
        "nodes": [
            {"id": "a", "kind": "send.text", "config": json.loads('{"a":' * 60 + "1" + "}" * 60)}
        ]
    },
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_graph_is_refused_and_nothing_is_kept(owner, case):
    workflow_id = make(owner)
    body = json.dumps({"revision": 0, "graph": MALFORMED[case]})
    refused = owner.put(
        f"{WORKFLOWS}/{workflow_id}/draft",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert refused.status_code == 422, refused.text
    assert detail(owner, workflow_id)["revision"] == 0


def test_text_that_only_looks_like_a_nul_is_kept(owner):
    workflow_id = make(owner, greeting("A backslash and u0000: \\u0000"))
    assert (
        detail(owner, workflow_id)["draft"]["nodes"][1]["config"]["text"]
        == "A backslash and u0000: \\u0000"
    )


def test_a_draft_of_more_than_half_a_megabyte_is_refused(owner):
    made = graph([node(f"n{i}", "send.text", text="x" * 60_000) for i in range(9)], [])
    answer = owner.post(WORKFLOWS, json={"name": "x", "graph": drawn(made)})
    assert answer.status_code == 413


def test_an_enabled_webhook_has_an_address_and_a_disabled_one_has_none(owner, place, rival):
    made = graph(
        [
            node("hook", "trigger.webhook"),
            node("clock", "trigger.schedule"),
            node("say", "send.text", text="Hi", to="+15550001111"),
        ],
        [edge("hook", "say"), edge("clock", "say")],
    )
    workflow_id = make(owner, made)
    assert address(workflow_id) is None
    assert publish(owner, workflow_id).status_code == 200
    assert address(workflow_id) == place.tenant_id
    assert triggers(place) == [("trigger.schedule", "clock"), ("trigger.webhook", "hook")]
    assert schedules(place) == 1
    shown = owner.post(f"{WORKFLOWS}/{workflow_id}/disable").json()
    assert shown["is_enabled"] is False
    assert (address(workflow_id), triggers(place), schedules(place)) == (None, [], 0)
    owner.post(f"{WORKFLOWS}/{workflow_id}/enable")
    assert (address(workflow_id), len(triggers(place)), schedules(place)) == (place.tenant_id, 2, 1)
    assert schedules(rival) == 0


def test_publishing_again_replaces_the_triggers_and_keeps_the_old_version(owner, place):
    workflow_id = make(owner)
    publish(owner, workflow_id)
    by_word = graph(
        [node("word", "trigger.keyword", keywords=["order"]), node("say", "send.text", text="Ok")],
        [edge("word", "say")],
    )
    assert save(owner, workflow_id, by_word, 0).status_code == 200
    assert triggers(place) == [("trigger.message", "begin")], "a draft never runs"
    assert detail(owner, workflow_id)["has_changes"] is True
    assert publish(owner, workflow_id).json() == {"number": 2}
    assert triggers(place) == [("trigger.keyword", "word")]
    first = owner.get(f"{WORKFLOWS}/{workflow_id}/versions/1").json()
    assert (first["graph"], first["is_current"]) == (drawn(greeting()), False)


def test_what_was_switched_off_stays_off_when_it_is_published_again(owner, place):
    workflow_id = make(owner)
    publish(owner, workflow_id)
    owner.post(f"{WORKFLOWS}/{workflow_id}/disable")
    save(owner, workflow_id, greeting("Other"), 0)
    assert publish(owner, workflow_id).json() == {"number": 2}
    assert detail(owner, workflow_id)["is_enabled"] is False
    assert triggers(place) == []


def test_a_draft_alone_can_not_be_switched_on(owner, place):
    workflow_id = make(owner)
    refused = owner.post(f"{WORKFLOWS}/{workflow_id}/enable")
    assert refused.status_code == 422
    assert refused.json()["detail"] == "Publish this workflow first: what was drafted never runs."
    assert triggers(place) == []


def test_publishing_what_was_looked_at_and_nothing_newer(owner):
    workflow_id = make(owner)
    save(owner, workflow_id, greeting("Newer"), 0)
    refused = owner.post(f"{WORKFLOWS}/{workflow_id}/publish", json={"revision": 0})
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_draft")
    assert detail(owner, workflow_id)["published_number"] is None


def test_a_version_becomes_the_draft_again_while_another_runs(owner):
    workflow_id = make(owner, greeting("One"))
    publish(owner, workflow_id)
    save(owner, workflow_id, greeting("Two"), 0)
    publish(owner, workflow_id)
    answer = owner.post(f"{WORKFLOWS}/{workflow_id}/restore", json={"number": 1})
    assert answer.json() == {"revision": 2}
    shown = detail(owner, workflow_id)
    assert shown["draft"] == drawn(greeting("One"))
    assert (shown["published_number"], shown["has_changes"]) == (2, True)
    assert owner.post(f"{WORKFLOWS}/{workflow_id}/restore", json={"number": 9}).status_code == 404


def test_two_versions_are_compared(owner):
    workflow_id = make(owner, greeting("One"))
    publish(owner, workflow_id)
    later = graph(
        [
            node("begin", "trigger.message"),
            node("say", "send.text", text="Two"),
            node("rest", "logic.wait", amount=2),
        ],
        [edge("begin", "rest"), edge("rest", "say")],
    )
    save(owner, workflow_id, later, 0)
    found = owner.get(f"{WORKFLOWS}/{workflow_id}/compare", params={"before": 1}).json()
    assert [one["node_id"] for one in found["added"]] == ["rest"]
    assert found["removed"] == []
    assert found["changed"] == [
        {
            "node_id": "say",
            "kind": "send.text",
            "name": "Send text",
            "settings": [
                {"field": "config.text", "title": "Text", "before": "One", "after": "Two"}
            ],
        }
    ]
    assert [(one["source"], one["target"]) for one in found["connected"]] == [
        ("Message received", "Wait"),
        ("Wait", "Send text"),
    ]
    assert [(one["source"], one["target"]) for one in found["disconnected"]] == [
        ("Message received", "Send text")
    ]
    same = owner.get(f"{WORKFLOWS}/{workflow_id}/compare", params={"before": 1, "after": 1}).json()
    assert (same["is_same"], found["is_same"]) == (True, False)


def test_a_copy_is_switched_off_and_apart(owner, place):
    workflow_id = make(owner)
    publish(owner, workflow_id)
    copy = owner.post(f"{WORKFLOWS}/{workflow_id}/duplicate", json={}).json()
    assert (copy["name"], copy["is_enabled"], copy["published_number"]) == (
        "Welcome (copy)",
        False,
        None,
    )
    save(owner, copy["id"], greeting("Other"), 0)
    assert detail(owner, workflow_id)["draft"] == drawn(greeting())
    assert triggers(place) == [("trigger.message", "begin")]


def test_what_is_archived_is_off_out_of_the_list_and_can_come_back(owner, place):
    workflow_id = make(owner)
    publish(owner, workflow_id)
    assert owner.post(f"{WORKFLOWS}/{workflow_id}/archive").json()["is_archived"] is True
    assert triggers(place) == []
    assert owner.get(WORKFLOWS).json()["items"] == []
    listed = owner.get(WORKFLOWS, params={"is_archived": True}).json()["items"]
    assert [one["id"] for one in listed] == [workflow_id]
    assert save(owner, workflow_id, greeting("x"), 0).status_code == 422
    assert publish(owner, workflow_id).status_code == 422
    assert owner.post(f"{WORKFLOWS}/{workflow_id}/enable").status_code == 422
    shown = owner.post(f"{WORKFLOWS}/{workflow_id}/unarchive").json()
    assert (shown["is_archived"], shown["is_enabled"]) == (False, False)


def test_the_list_is_paged_searched_and_filtered(owner, stranger):
    ids = [make(owner, name=f"Greeting {i}") for i in range(5)]
    make(stranger, name="Greeting of a rival")
    publish(owner, ids[2])
    first = owner.get(WORKFLOWS, params={"limit": 3}).json()
    second = owner.get(WORKFLOWS, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [one["id"] for one in first["items"] + second["items"]] == list(reversed(ids))
    assert second["next_cursor"] is None
    assert [
        one["id"] for one in owner.get(WORKFLOWS, params={"text": "greet 3"}).json()["items"]
    ] == [ids[3]]
    enabled = owner.get(WORKFLOWS, params={"is_enabled": True}).json()["items"]
    assert [(one["id"], one["triggers"]) for one in enabled] == [(ids[2], ["trigger.message"])]
    assert owner.get(WORKFLOWS, params={"text": "100%_"}).json()["items"] == []


def test_a_name_is_needed_and_has_an_end(owner):
    workflow_id = make(owner)
    assert owner.post(WORKFLOWS, json={"name": "  "}).json()["errors"][0]["field"] == "name"
    edited = {
        "name": "New",
        "description": "Says hello",
        "webhook_rate": 60,
        "webhook_waits": False,
    }
    shown = owner.patch(f"{WORKFLOWS}/{workflow_id}", json=edited).json()
    assert {name: shown[name] for name in edited} == edited
    for wrong in ({"name": ""}, {"name": "x" * 121}, {"webhook_rate": 0}, {"webhook_rate": 6001}):
        assert owner.patch(f"{WORKFLOWS}/{workflow_id}", json=wrong).status_code == 422
    assert detail(owner, workflow_id)["name"] == "New"


def test_a_version_never_changes(owner, place):
    workflow_id = make(owner, greeting("One"))
    publish(owner, workflow_id)
    save(owner, workflow_id, greeting("Two"), 0)
    with place.work() as ctx:
        (version,) = ctx.session.exec(select(WorkflowVersion)).all()
        assert version.graph == drawn(greeting("One"))


def test_a_rival_finds_nothing_by_any_name(owner, stranger, place):
    workflow_id = make(owner)
    publish(owner, workflow_id)
    assert stranger.get(WORKFLOWS).json()["items"] == []
    assert save(stranger, workflow_id, greeting("Mine"), 0).status_code == 404
    assert publish(stranger, workflow_id).status_code == 404
    for act in ("enable", "disable", "archive", "unarchive"):
        assert stranger.post(f"{WORKFLOWS}/{workflow_id}/{act}").status_code == 404
    assert stranger.get(f"{WORKFLOWS}/{workflow_id}/export").status_code == 404
    assert triggers(place) == [("trigger.message", "begin")]
    assert address(workflow_id) is None


def test_a_rivals_workflow_can_not_be_called(owner, stranger):
    called = graph(
        [node("begin", "trigger.called"), node("end", "logic.stop")], [edge("begin", "end")]
    )
    theirs = make(stranger, called)
    publish(stranger, theirs)
    calling = graph(
        [node("begin", "trigger.message"), node("call", "logic.subworkflow", workflow=theirs)],
        [edge("begin", "call")],
    )
    refused = publish(owner, make(owner, calling))
    assert refused.json()["errors"] == [
        {
            "field": "nodes.call.workflow",
            "message": "Run a workflow: the workflow that it names no longer exists. Choose another.",
        }
    ]


def calling(workflow_id: str, trigger: str = "trigger.called"):
    nodes = [node("begin", trigger), node("call", "logic.subworkflow", workflow=workflow_id)]
    return graph(nodes, [edge("begin", "call")])


def refusals(answer) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [one["message"] for one in answer.json()["errors"]]


def test_a_workflow_that_calls_itself_is_not_published_however_far_round(owner):
    one, two = make(owner), make(owner, name="Second")
    save(owner, one, calling(one), 0)
    assert refusals(publish(owner, one)) == [
        "Run a workflow: this workflow calls itself, without an end."
    ]
    save(owner, one, calling(two), 1)
    assert refusals(publish(owner, one)) == [
        "Run a workflow: “Second” is not published yet, so it can not be called."
    ]
    assert publish(owner, two).status_code == 200
    assert refusals(publish(owner, one)) == [
        "Run a workflow: “Second” has no trigger for being called."
    ]
    end = graph(
        [node("begin", "trigger.called"), node("end", "logic.stop")], [edge("begin", "end")]
    )
    save(owner, two, end, 0)
    assert publish(owner, two).status_code == 200
    assert publish(owner, one).status_code == 200
    save(owner, two, calling(one), 1)
    assert refusals(publish(owner, two)) == [
        "Run a workflow: “Welcome” calls this workflow again, without an end."
    ]


def test_the_catalogue_says_what_there_is(owner):
    kinds = {one["kind"]: one for one in owner.get(f"{WORKFLOWS}/kinds").json()["items"]}
    assert kinds["send.text"]["settings"]["properties"]["text"]["title"] == "Text"
    assert [port["name"] for port in kinds["logic.condition"]["outputs"]] == ["true", "false"]
    assert kinds["logic.switch"]["has_own_outputs"] is True
    assert kinds["trigger.message"]["inputs"] == []
