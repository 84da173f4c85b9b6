"""Workflows as files: the same bytes again, nothing of the workspace in them, and n8n's files read."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from aerostic.domain.contacts.models import Tag
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


def make(client: TestClient, made) -> str:
    answer = client.post(WORKFLOWS, json={"name": "Träger 🚀", "graph": drawn(made)})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def export(client: TestClient, workflow_id: str) -> bytes:
    answer = client.get(f"{WORKFLOWS}/{workflow_id}/export")
    assert answer.status_code == 200
    return answer.content


def bring(client: TestClient, content: bytes | dict[str, Any]):
    sent = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post(f"{WORKFLOWS}/import", files={"file": ("w.json", sent, "application/json")})


def tag_of(place: Place, name: str) -> str:
    with place.system_work() as ctx:
        tag = Tag(name=name)
        ctx.session.add(tag)
        ctx.session.flush()
        return str(tag.id)


def on_tag(*tags: str):
    nodes = [node("begin", "trigger.tag_added", tags=list(tags)), greeting().nodes[1]]
    return graph(nodes, [edge("begin", "say")])


def test_export_import_export_gives_the_same_bytes(owner, stranger):
    made = graph(
        [
            node("begin", "trigger.message"),
            node(
                "set",
                "logic.set",
                values=[
                    {"value": {"zz": 1, "a": [1.0, 1e22, -0.0, None, True]}, "name": "one"},
                    {"name": "two", "value": "ünï {{ contact.name }}"},
                ],
            ),
        ],
        [edge("begin", "set")],
    )
    first = export(owner, make(owner, made))
    here, there = bring(owner, first), bring(stranger, first)
    assert (here.status_code, here.json()["remarks"]) == (201, [])
    assert export(owner, here.json()["workflow"]["id"]) == first
    assert export(stranger, there.json()["workflow"]["id"]) == first
    assert json.loads(first)["name"] == "Träger 🚀"


def test_no_id_of_the_workspace_leaves_and_names_find_their_own(owner, stranger, place, rival):
    gold, theirs = tag_of(place, "gold"), tag_of(rival, "gold")
    content = export(owner, make(owner, on_tag(gold)))
    assert gold.encode() not in content
    assert json.loads(content)["graph"]["nodes"][0]["config"] == {"tags": ["@tag/gold"]}
    brought = bring(stranger, content).json()
    assert brought["remarks"] == []
    assert brought["workflow"]["draft"]["nodes"][0]["config"] == {"tags": [theirs]}
    assert export(stranger, brought["workflow"]["id"]) == content


def test_what_the_other_workspace_has_not_is_told_and_stays_in_the_file(owner, stranger, place):
    content = export(owner, make(owner, on_tag(tag_of(place, "gold"))))
    brought = bring(stranger, content).json()
    assert brought["remarks"] == [
        "Tag added names the tag “gold”, which this workspace has not. Choose one."
    ]
    workflow_id = brought["workflow"]["id"]
    refused = stranger.post(f"{WORKFLOWS}/{workflow_id}/publish", json={})
    assert refused.json()["errors"] == [
        {
            "field": "nodes.begin.tags.0",
            "message": "Tag added: there is no tag “gold” in this workspace. Choose one.",
        }
    ]
    assert export(stranger, workflow_id) == content


def test_an_id_of_another_workspace_is_nothing_here(owner, place, rival):
    theirs = tag_of(rival, "secret plans")
    workflow_id = make(owner, on_tag(theirs))
    content = export(owner, workflow_id)
    assert b"secret plans" not in content
    assert theirs.encode() not in content
    assert owner.post(f"{WORKFLOWS}/{workflow_id}/publish", json={}).json()["errors"] == [
        {
            "field": "nodes.begin.tags.0",
            "message": "Tag added: the tag that it names no longer exists. Choose another.",
        }
    ]


def test_what_is_gone_keeps_a_workflow_from_being_published(owner, place):
    gold = tag_of(place, "gold")
    workflow_id = make(owner, on_tag(gold))
    assert owner.post(f"{WORKFLOWS}/{workflow_id}/publish", json={}).status_code == 200
    with place.system_work() as ctx:
        ctx.session.delete(ctx.session.get(Tag, (place.tenant_id, gold)))
    refused = owner.post(f"{WORKFLOWS}/{workflow_id}/publish", json={})
    assert refused.json()["code"] == "not_ready"


def test_secrets_that_someone_typed_do_not_leave(owner):
    values = [
        {"name": "api_key", "value": "sk-live-1"},
        {"name": "plain", "value": "https://x.example/?token=sk-live-2&page=3"},
        {"name": "login", "value": "https://me:sk-live-3@x.example/"},
        {"name": "text", "value": '{"password": "sk-live-4", "note": "stays"}'},
        {"name": "nested", "value": {"deep": [{"client_secret": "sk-live-5"}]}},
        {"name": "Authorization", "value": "Bearer {{ vars.plain }}"},
    ]
    made = graph(
        [node("begin", "trigger.message"), node("set", "logic.set", values=values)],
        [edge("begin", "set")],
    )
    content = export(owner, make(owner, made))
    assert b"sk-live" not in content
    config = json.loads(content)["graph"]["nodes"][1]["config"]
    assert [row["value"] for row in config["values"]] == [
        "@removed",
        "https://x.example/?token=@removed&page=3",
        "https://me:@removed@x.example/",
        '{"password": "@removed", "note": "stays"}',
        {"deep": [{"client_secret": "@removed"}]},
        "Bearer {{ vars.plain }}",
    ]
    brought = bring(owner, content).json()
    assert brought["remarks"] == ["Set values: a secret was left out of the file. Enter it again."]
    assert export(owner, brought["workflow"]["id"]) == content


REFUSED: dict[str, tuple[Any, str]] = {
    "newer": (
        {"file": "aerostic-workflow", "format": 2, "name": "x", "graph": {"new": True}},
        "That file was made by a newer version of Aerostic: it has format 2, and this version reads up to 1. "
        "Update Aerostic, then import it again.",
    ),
    "not ours": ({"hello": 1}, "That file holds no workflow of Aerostic, nor one of n8n."),
    "a list": ([], "That file holds no workflow of Aerostic, nor one of n8n."),
    "no JSON": (b"\x00\xff", "That file is not JSON, so it is no workflow."),
    "nested": (b"[" * 100_000, "That file is not JSON, so it is no workflow."),
    "a graph that can not be": (
        {
            "file": "aerostic-workflow",
            "format": 1,
            "graph": drawn(graph([node("x", "send.text")], [edge("x", "x")])),
        },
        "A step can not lead to itself.",
    ),
    "a field of the wrong type": (
        {"file": "aerostic-workflow", "format": 1, "webhook_rate": "many"},
        "That file is damaged: webhook_rate: Input should be a valid integer, unable to parse string as an "
        "integer.",
    ),
    "a format that is none": (
        {"file": "aerostic-workflow", "format": "1x"},
        "That file is damaged: format: Input should be a valid integer, unable to parse string as an "
        "integer.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_read_is_refused_with_the_reason_and_nothing_is_made(owner, case):
    content, reason = REFUSED[case]
    refused = bring(owner, content)
    assert (refused.status_code, refused.json()["detail"]) == (422, reason)
    assert owner.get(WORKFLOWS).json()["items"] == []


def test_a_file_of_more_than_a_megabyte_is_refused(owner):
    assert bring(owner, b" " * (1024 * 1024 + 1)).status_code == 413


N8N: dict[str, Any] = {
    "name": "Orders",
    "nodes": [
        {
            "id": "1",
            "name": "Hook",
            "type": "n8n-nodes-base.webhook",
            "typeVersion": 2,
            "position": [0, 100],
            "parameters": {"httpMethod": "POST", "path": "orders", "responseMode": "responseNode"},
        },
        {
            "id": "2",
            "name": "Paid?",
            "type": "n8n-nodes-base.if",
            "typeVersion": 2,
            "position": [200, 100],
            "parameters": {
                "conditions": {
                    "options": {"caseSensitive": True},
                    "combinator": "or",
                    "conditions": [
                        {
                            "leftValue": "={{ $json.body.status }}",
                            "rightValue": "paid",
                            "operator": {"type": "string", "operation": "equals"},
                        }
                    ],
                }
            },
        },
        {
            "id": "3",
            "name": "Look up",
            "type": "n8n-nodes-base.httpRequest",
            "typeVersion": 4.2,
            "position": [400, 0],
            "onError": "continueErrorOutput",
            "retryOnFail": True,
            "parameters": {
                "url": "=https://shop.example/orders/{{ $json.body.order['id'] }}",
                "sendHeaders": True,
                "headerParameters": {
                    "parameters": [{"name": "Accept", "value": "application/json"}]
                },
            },
        },
        {
            "id": "4",
            "name": "Keep",
            "type": "n8n-nodes-base.set",
            "typeVersion": 3.4,
            "position": [600, 0],
            "parameters": {
                "assignments": {
                    "assignments": [
                        {"name": "first name", "value": "={{ $json.customer.name.trim() }}"},
                        {"name": "total", "value": "={{ $('Hook').item.json.body.total * 2 }}"},
                    ]
                }
            },
        },
        {
            "id": "5",
            "name": "Answer",
            "type": "n8n-nodes-base.respondToWebhook",
            "typeVersion": 1.1,
            "position": [800, 100],
            "parameters": {
                "respondWith": "json",
                "responseBody": '={"ok": true}',
                "options": {"responseCode": 201},
            },
        },
        {
            "id": "6",
            "name": "Nothing",
            "type": "n8n-nodes-base.noOp",
            "typeVersion": 1,
            "position": [600, 200],
            "parameters": {},
        },
        {
            "id": "7",
            "name": "Script",
            "type": "n8n-nodes-base.code",
            "typeVersion": 2,
            "position": [600, 400],
            "parameters": {"jsCode": "return items"},
        },
        {
            "id": "8",
            "name": "Remark",
            "type": "n8n-nodes-base.stickyNote",
            "typeVersion": 1,
            "position": [0, 0],
            "parameters": {"content": "## Orders\nfrom the shop", "width": 300},
        },
    ],
    "connections": {
        "Hook": {"main": [[{"node": "Paid?", "type": "main", "index": 0}]]},
        "Paid?": {
            "main": [
                [{"node": "Look up", "type": "main", "index": 0}],
                [{"node": "Nothing", "type": "main", "index": 0}],
            ]
        },
        "Look up": {
            "main": [
                [{"node": "Keep", "type": "main", "index": 0}],
                [{"node": "Script", "type": "main", "index": 0}],
            ]
        },
        "Keep": {"main": [[{"node": "Answer", "type": "main", "index": 0}]]},
        "Nothing": {"main": [[{"node": "Answer", "type": "main", "index": 0}]]},
    },
    "active": True,
    "settings": {"executionOrder": "v1"},
    "pinData": {},
}


def test_a_workflow_of_n8n_is_read_with_what_has_no_equal_told(owner):
    brought = bring(owner, N8N).json()
    assert brought["remarks"] == [
        "“Keep”: the expression $('Hook').item.json.body.total * 2 could not be read. Write it again.",
        "“Script” (code) has no equal here. There is no such step here.",
    ]
    made = brought["workflow"]["draft"]
    assert brought["workflow"]["name"] == "Orders"
    assert {one["name"]: (one["kind"], one["retries"]) for one in made["nodes"]} == {
        "Hook": ("trigger.webhook", 0),
        "Paid?": ("logic.condition", 0),
        "Look up": ("http.request", 2),
        "Keep": ("logic.set", 0),
        "Answer": ("webhook.respond", 0),
    }
    settings = {one["name"]: one["config"] for one in made["nodes"]}
    assert settings["Paid?"] == {
        "combine": "any",
        "conditions": [
            {"value": "{{ webhookPayload.body.status }}", "compare": "equals", "to": "paid"}
        ],
        "match_case": True,
    }
    assert settings["Look up"] == {
        "method": "GET",
        "url": "https://shop.example/orders/{{ webhookPayload.body.order.id }}",
        "headers": [{"name": "Accept", "value": "application/json"}],
    }
    assert settings["Keep"]["values"][0] == {
        "name": "first_name",
        "value": "{{ nodes.n3.output.body.customer.name | strip }}",
    }
    assert settings["Answer"] == {"status": 201, "body_type": "json", "body": {"ok": True}}
    names = {one["id"]: one["name"] for one in made["nodes"]}
    ways = [
        (names[one["source"]], one["source_port"], names[one["target"]]) for one in made["edges"]
    ]
    assert ways == [
        ("Hook", "out", "Paid?"),
        ("Paid?", "true", "Look up"),
        ("Paid?", "false", "Answer"),
        ("Look up", "out", "Keep"),
        ("Keep", "out", "Answer"),
    ]
    assert [one["text"] for one in made["notes"]] == [
        "n8n: “Script” (code) has no equal here.",
        "## Orders\nfrom the shop",
    ]
    answer = owner.post(f"{WORKFLOWS}/{brought['workflow']['id']}/publish", json={})
    assert answer.json() == {"number": 1}


def n8n(*nodes: dict[str, Any], **connections: Any) -> dict[str, Any]:
    named = [{"typeVersion": 1, "position": [0, 0], "parameters": {}, **one} for one in nodes]
    return {"name": "x", "nodes": named, "connections": connections}


def to(name: str, kind: str = "main") -> dict[str, Any]:
    return {"node": name, "type": kind, "index": 0}


def test_a_loop_of_n8n_goes_through_its_items_and_an_agent_keeps_its_equipment(owner):
    chain = "@n8n/n8n-nodes-langchain."
    document = n8n(
        {"name": "By hand", "type": "n8n-nodes-base.manualTrigger"},
        {"name": "Loop", "type": "n8n-nodes-base.splitInBatches", "typeVersion": 3},
        {
            "name": "Bot",
            "type": f"{chain}agent",
            "parameters": {"options": {"systemMessage": "Be kind"}},
        },
        {
            "name": "Gemini",
            "type": f"{chain}lmChatGoogleGemini",
            "parameters": {"modelName": "models/gemini-2.5-pro", "options": {"temperature": 0.7}},
        },
        {"name": "Memory", "type": f"{chain}memoryBufferWindow"},
        {"name": "OpenAI", "type": f"{chain}lmChatOpenAi"},
        {"name": "Off", "type": "n8n-nodes-base.set", "disabled": True},
        {
            "name": "End",
            "type": "n8n-nodes-base.stopAndError",
            "parameters": {"errorMessage": "Done"},
        },
        **{
            "By hand": {"main": [[to("Loop")]]},
            "Loop": {"main": [[to("End")], [to("Off")]]},
            "Off": {"main": [[to("Bot")]]},
            "Bot": {"main": [[to("Loop")]]},
            "Gemini": {"ai_languageModel": [[to("Bot", "ai_languageModel")]]},
            "Memory": {"ai_memory": [[to("Bot", "ai_memory")]]},
            "OpenAI": {"ai_languageModel": [[to("Bot", "ai_languageModel")]]},
        },
    )
    brought = bring(owner, document).json()
    assert brought["remarks"] == [
        "“Loop”: check its list of items: n8n goes through whatever the step before gives.",
        "“Bot”: choose the agent that answers, or make one of this name under AI agents.",
        "“OpenAI” (lmChatOpenAi) has no equal here. There is no such step here.",
        "“Off” was switched off in n8n, so it was left out.",
    ]
    made = brought["workflow"]["draft"]
    names = {one["id"]: one["name"] for one in made["nodes"]}
    ways = {
        (names[one["source"]], one["source_port"], names[one["target"]], one["target_port"])
        for one in made["edges"]
    }
    assert ways == {
        ("By hand", "out", "Loop", "in"),
        ("Loop", "done", "End", "in"),
        ("Loop", "each", "Bot", "in"),
        ("Bot", "out", "Loop", "in"),
        ("Gemini", "model", "Bot", "model"),
        ("Memory", "memory", "Bot", "memory"),
    }
    settings = {one["name"]: one["config"] for one in made["nodes"]}
    assert settings["Gemini"] == {"model": "gemini-2.5-pro", "temperature": 0.7}
    assert settings["Bot"]["instructions"] == "Be kind"
    assert settings["Memory"] == {"messages": 10}


def test_google_of_n8n_keeps_its_columns_and_asks_for_the_account(owner):
    document = n8n(
        {"name": "Hook", "type": "n8n-nodes-base.webhook"},
        {
            "name": "Keep",
            "type": "n8n-nodes-base.googleSheets",
            "typeVersion": 4.5,
            "parameters": {
                "operation": "appendOrUpdate",
                "documentId": {"mode": "list", "value": "1AbC"},
                "sheetName": {"value": "gid=0", "cachedResultName": "Leads"},
                "columns": {
                    "value": {"Phone": "={{ $json.body.phone }}", "Name": "Ada"},
                    "matchingColumns": ["Phone"],
                },
            },
        },
        {
            "name": "Trash",
            "type": "n8n-nodes-base.googleDrive",
            "parameters": {"operation": "deleteFile"},
        },
        Hook={"main": [[to("Keep")]]},
    )
    brought = bring(owner, document).json()
    assert brought["remarks"] == [
        "“Keep”: choose the Google account: n8n keeps them apart from the file.",
        "“Trash” (googleDrive) has no equal here. It does “deleteFile” with a file, which can not be "
        "had here.",
    ]
    assert brought["workflow"]["draft"]["nodes"][1]["config"] == {
        "action": "update",
        "spreadsheet": "1AbC",
        "sheet": "Leads",
        "values": [
            {"name": "Phone", "value": "{{ webhookPayload.body.phone }}"},
            {"name": "Name", "value": "Ada"},
        ],
        "column": "Phone",
        "equals": "{{ webhookPayload.body.phone }}",
        "add_if_missing": True,
    }


DAMAGED: list[dict[str, Any]] = [
    {"nodes": [1], "connections": {}},
    {"nodes": [{"name": "x"}], "connections": {}},
    {"nodes": [{"type": "n8n-nodes-base.if"}, {"type": "n8n-nodes-base.if"}], "connections": {}},
]


@pytest.mark.parametrize("document", DAMAGED)
def test_a_damaged_file_of_n8n_is_refused(owner, document):
    assert bring(owner, document).status_code == 422
    assert owner.get(WORKFLOWS).json()["items"] == []


ODD: list[dict[str, Any]] = [
    n8n({"name": "x", "type": "n8n-nodes-base.if", "position": "here", "parameters": []}),
    n8n(
        {"name": "x", "type": "n8n-nodes-base.switch", "parameters": {"rules": {"values": [1, {}]}}}
    ),
    n8n(
        {"name": "x", "type": "n8n-nodes-base.if"}, x={"main": [None, [None, to("x"), to("gone")]]}
    ),
    n8n({"name": "\ud83d\x00", "type": "n8n-nodes-base.stickyNote", "position": [1e300, None]}),
    n8n({"name": "x", "type": "n8n-nodes-base.noOp"}, x={"main": [[to("x")]]}),
    n8n({"name": "x", "type": "n8n-nodes-base.set", "typeVersion": "new", "retryOnFail": True}),
]


@pytest.mark.parametrize("document", ODD)
def test_an_odd_file_of_n8n_is_read_as_far_as_it_goes(owner, document):
    assert bring(owner, document).status_code == 201
