"""The inbox over HTTP, as programs use it: exact answers, and a rival in the room."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from aerostic.core import clock
from aerostic.domain.inbox import service
from aerostic.domain.inbox.models import Conversation, Message, OutboxItem
from aerostic.domain.templates.models import Template
from tests.builders import contact_of, conversation_of, inbound, outbound
from tests.clients import member, visitor

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
API = "/api/v1"


@pytest.fixture
def agent(place):
    return member(place, "agent")


@pytest.fixture
def stranger_next_door(rival):
    """An owner, with every permission, of another workspace."""
    return member(rival, "owner")


@pytest.fixture
def conversation(place):
    made = conversation_of(place, "Ada", phone="15550009999")
    inbound(place, made, "Are you open?", occurred_at=NOON)
    return made


def rows_of(place, model):
    with place.system_work() as ctx:
        return list(ctx.session.exec(select(model)))


def send(client, conversation, body, **headers):
    return client.post(f"{API}/conversations/{conversation}/messages", json=body, headers=headers)


TEXT = {"type": "text", "text": "Until six"}


# Reading ----------------------------------------------------------------------------------------


def test_the_list_answers_conversations_with_what_a_program_needs(place, agent, conversation):
    answer = agent.get(f"{API}/conversations")
    assert answer.status_code == 200
    (row,) = answer.json()["items"]
    assert row | {"window_closes_at": None} == {
        "id": str(conversation),
        "contact_id": row["contact_id"],
        "contact_name": "Ada",
        "contact_phone": "+15550009999",
        "number_id": str(place.number_id),
        "status": "open",
        "snoozed_until": None,
        "assignee_id": None,
        "assignee_name": "",
        "unread_count": 1,
        "last_message_at": "2026-11-20T12:00:00Z",
        "last_message_preview": "Are you open?",
        "labels": [],
        "window_closes_at": None,
    }
    assert answer.json()["next_cursor"] is None


def test_the_list_is_filtered_and_paged(place, agent):
    for minute in range(3):
        last = NOON + timedelta(minutes=minute)
        conversation_of(place, f"c{minute}", last_message_at=last, assignee_id=place.agent_id)
    conversation_of(place, "closed", status="closed")
    address = f"{API}/conversations?view=mine&limit=2"
    first = agent.get(address).json()
    conversation_of(place, "new", assignee_id=place.agent_id)
    second = agent.get(address, params={"cursor": first["next_cursor"]}).json()
    names = [[row["contact_name"] for row in page["items"]] for page in (first, second)]
    assert names == [["c2", "c1"], ["c0"]]
    assert second["next_cursor"] is None
    closed = agent.get(f"{API}/conversations?status=closed").json()["items"]
    assert [row["contact_name"] for row in closed] == ["closed"]
    assert len(agent.get(f"{API}/conversations?status=any").json()["items"]) == 5


def test_a_message_has_the_shape_that_is_promised(place, agent, conversation):
    failure = {"code": "131026", "reason": "Not reachable.", "action": "Call them."}
    message = outbound(
        place,
        conversation,
        "Until six",
        occurred_at=NOON,
        status="failed",
        failure=failure,
        meta_message_id="wamid.us",
        reactions={"contact": {"emoji": "👍"}},
    )
    shown = agent.get(f"{API}/messages/{message}").json()
    promised = ("meta_message_id", "direction", "type", "text", "status", "failure", "media")
    assert [shown[part] for part in promised] == [
        "wamid.us",
        "outbound",
        "text",
        "Until six",
        "failed",
        failure,
        None,
    ]
    assert shown["reactions"] == [{"emoji": "👍", "by": ["Ada"]}]
    assert (shown["id"], shown["author_name"]) == (str(message), "Agent")
    assert shown["occurred_at"] == "2026-11-20T12:00:00Z"


def test_messages_are_read_backwards_and_then_followed(place, agent, conversation):
    for count in range(1, 4):
        inbound(place, conversation, f"m{count}", occurred_at=NOON + timedelta(seconds=count))
    address = f"{API}/conversations/{conversation}/messages"
    last = agent.get(address, params={"limit": 2}).json()
    before = agent.get(address, params={"limit": 2, "cursor": last["next_cursor"]}).json()
    inbound(place, conversation, "m4", occurred_at=NOON + timedelta(seconds=4))
    newer = agent.get(address, params={"after": last["newer_cursor"]}).json()
    texts = [[one["text"] for one in page["items"]] for page in (before, last, newer)]
    assert texts == [["Are you open?", "m1"], ["m2", "m3"], ["m4"]]
    assert before["next_cursor"] is None


def test_search_finds_messages_and_contacts(place, agent, conversation):
    found = agent.get(f"{API}/search", params={"text": "OPEN"}).json()
    assert [one["excerpt"] for one in found["items"]] == ["Are you open?"]
    assert (found["searched_back_to"], found["next_cursor"]) == (None, None)
    contacts = agent.get(f"{API}/search", params={"text": "ada"}).json()["contacts"]
    assert [one["conversation_id"] for one in contacts] == [str(conversation)]


def test_templates_are_listed(place, agent, rival):
    for somewhere in (place, rival):
        with somewhere.system_work() as ctx:
            template = {"name": "hi", "language": "en", "category": "UTILITY", "status": "APPROVED"}
            ctx.session.add(Template(account_id=somewhere.account_id, **template))
    (shown,) = agent.get(f"{API}/templates").json()["items"]
    assert (shown["name"], shown["account_id"]) == ("hi", str(place.account_id))
    alone = agent.get(f"{API}/templates/{shown['id']}").json()
    assert {name: alone[name] for name in shown} == shown
    assert alone["uses"] == 0


# Writing ----------------------------------------------------------------------------------------


def test_a_text_is_queued_and_answered(place, agent, conversation):
    answer = send(agent, conversation, TEXT)
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["direction"], shown["status"], shown["text"]) == (
        "outbound",
        "queued",
        "Until six",
    )
    assert (shown["origin"], shown["author_id"]) == ("api", str(place.agent_id))
    assert [str(item.id) for item in rows_of(place, OutboxItem)] == [shown["id"]]


def test_the_same_idempotency_key_is_one_message_and_one_answer(place, agent, conversation):
    answers = [send(agent, conversation, TEXT, **{"Idempotency-Key": "k1"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(rows_of(place, OutboxItem)) == 1


def test_an_idempotency_key_for_another_body_is_refused(place, agent, conversation):
    send(agent, conversation, TEXT, **{"Idempotency-Key": "k1"})
    other = send(agent, conversation, TEXT | {"text": "Else"}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(rows_of(place, OutboxItem)) == 1


KINDS = {
    "location": {"type": "location", "latitude": 52.5, "longitude": 13.4, "name": "Bluebird Café"},
    "contacts": {"type": "contacts", "contacts": [{"name": "Bo", "phones": ["+15550008888"]}]},
    "buttons": {"type": "buttons", "text": "Sure?", "buttons": [{"id": "y", "title": "Yes"}]},
    "list": {
        "type": "list",
        "text": "What?",
        "button": "Menu",
        "sections": [{"title": "Hot", "rows": [{"id": "1", "title": "Flat white"}]}],
    },
}
CONTENTS = {
    "location": (
        "location",
        {"latitude": 52.5, "longitude": 13.4, "name": "Bluebird Café", "address": ""},
    ),
    "contacts": (
        "people",
        [{"name": "Bo", "phones": ["+15550008888"], "emails": [], "organisation": ""}],
    ),
    "buttons": (
        "choices",
        [{"title": "Yes", "id": "y", "description": "", "kind": "reply", "target": ""}],
    ),
    "list": ("list_button", "Menu"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_message_comes_back_as_it_is_drawn(place, agent, conversation, kind):
    answer = send(agent, conversation, KINDS[kind])
    assert answer.status_code == 201, answer.text
    part, drawn = CONTENTS[kind]
    assert answer.json()["content"][part] == drawn
    assert len(rows_of(place, OutboxItem)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"type": "text", "text": ""},
        {"type": "text", "text": "x" * 4097},
        {"type": "text", "text": "a\x00b"},
        {"type": "image", "media_id": "01a207cb-52da-7362-a44c-550df7b93852"},
        {"type": "buttons", "text": "Sure?", "buttons": []},
        {"type": "carrier pigeon"},
        {"type": "template", "template_id": "01a207cb-52da-7362-a44c-550df7b93852"},
        {"type": "contacts", "contacts": [{"name": "  "}]},
    ],
    ids=lambda body: f"{body['type']}-{len(str(body))}",
)
def test_what_whatsapp_would_refuse_is_refused_before_it_leaves(place, agent, conversation, body):
    answer = send(agent, conversation, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.headers["content-type"] == "application/problem+json"
    assert rows_of(place, OutboxItem) == []


def test_outside_the_window_the_refusal_says_why(place, agent):
    ago = clock.now() - timedelta(hours=25)
    closed = conversation_of(
        place, phone="15550009999", last_inbound_at=ago, window_closes_at=ago + timedelta(hours=24)
    )
    answer = send(agent, closed, TEXT)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "WhatsApp only allows templates here: the customer last wrote more than 24 hours ago.",
    )
    assert rows_of(place, Message) == []


def test_nothing_reaches_a_blocked_contact_and_what_they_write_still_comes_in(
    place, rival, agent, conversation
):
    elsewhere = conversation_of(rival, "Ada", phone="15550009999")
    waiting = send(agent, conversation, TEXT).json()["id"]
    theirs = agent.get(f"{API}/conversations/{conversation}/messages").json()["items"][0]["id"]
    contact = agent.get(f"{API}/conversations/{conversation}").json()["contact_id"]
    blocked = agent.patch(f"{API}/contacts/{contact}", json={"revision": 0, "is_blocked": True})
    assert blocked.json()["is_blocked"] is True
    assert rows_of(place, OutboxItem) == []
    assert agent.get(f"{API}/messages/{waiting}").json()["status"] == "cancelled"
    attempts = [
        send(agent, conversation, TEXT),
        agent.post(f"{API}/messages/{theirs}/reactions", json={"emoji": "👍"}),
        agent.post(f"{API}/messages/{waiting}/retry"),
    ]
    told = "This contact is blocked. Unblock them to write."
    assert [(one.status_code, one.json()["detail"]) for one in attempts] == [(422, told)] * 3
    assert rows_of(place, OutboxItem) == []
    assert send(member(rival, "agent"), elsewhere, TEXT).status_code == 201
    inbound(place, conversation, "Hello?")
    assert agent.get(f"{API}/conversations/{conversation}").json()["unread_count"] == 2
    body = {"revision": blocked.json()["revision"], "is_blocked": False}
    agent.patch(f"{API}/contacts/{contact}", json=body)
    assert send(agent, conversation, TEXT).status_code == 201


def test_a_conversation_is_started_with_a_contact_that_never_wrote(place, agent):
    body = {
        "contact_id": str(contact_of(place, "Bo", phone="15550008888")),
        "number_id": str(place.number_id),
    }
    first, second = (agent.post(f"{API}/conversations", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    assert first.json()["window_is_open"] is False


def test_assign_snooze_close_and_reopen(place, agent, conversation):
    address = f"{API}/conversations/{conversation}"
    assigned = agent.post(f"{address}/assign", json={"user_id": str(place.owner_id)}).json()
    assert assigned["assignee_name"] == "Owner"
    until = "2036-01-01T09:00:00+01:00"
    snoozed = agent.post(f"{address}/status", json={"status": "snoozed", "until": until}).json()
    assert (snoozed["status"], snoozed["snoozed_until"]) == ("snoozed", "2036-01-01T08:00:00Z")
    closed = agent.post(f"{address}/status", json={"status": "closed"}).json()
    assert (closed["status"], closed["snoozed_until"]) == ("closed", None)
    assert agent.post(f"{address}/status", json={"status": "open"}).json()["status"] == "open"
    told = [one["text"] for one in agent.get(f"{address}/events").json()["items"]]
    assert told == [
        "Agent assigned this to Owner.",
        "Agent snoozed this until 1 January 2036, 08:00 UTC.",
        "Agent closed this conversation.",
        "Agent reopened this conversation.",
    ]


def test_a_snooze_needs_a_time_with_its_zone(place, agent, conversation):
    address = f"{API}/conversations/{conversation}/status"
    for until in ({}, {"until": "2036-01-01T09:00:00"}, {"until": "2001-01-01T09:00:00Z"}):
        answer = agent.post(address, json={"status": "snoozed", **until})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert agent.get(f"{API}/conversations/{conversation}").json()["status"] == "open"


def test_a_note_is_written_once_and_read_by_colleagues(place, agent, conversation):
    body = {"text": "By the window", "mentions": [str(place.owner_id)]}
    address = f"{API}/conversations/{conversation}"
    for _ in range(2):
        note = agent.post(f"{address}/notes", json=body, headers={"Idempotency-Key": "n"}).json()
    assert (note["kind"], note["text"]) == ("note", "By the window")
    assert member(place).get(f"{address}/events").json()["items"] == [note]
    assert note["mentions"] == [str(place.owner_id)]


def test_read_typing_labels_and_reactions(place, agent, conversation):
    with place.work() as ctx:
        label = str(service.create_label(ctx, "VIP", "amber").id)
    address = f"{API}/conversations/{conversation}"
    assert agent.post(f"{address}/read").json()["unread_count"] == 0
    assert agent.post(f"{address}/typing").status_code == 204
    labelled = agent.put(f"{address}/labels", json={"label_ids": [label]}).json()
    assert labelled["labels"] == [{"id": label, "name": "VIP", "colour": "amber"}]
    message = agent.get(f"{address}/messages").json()["items"][0]["id"]
    reacted = agent.post(f"{API}/messages/{message}/reactions", json={"emoji": "👍"})
    assert reacted.status_code == 201
    assert reacted.json()["reactions"] == [{"emoji": "👍", "by": ["Agent"]}]


# Labels and canned replies ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noun", "made", "changed"),
    [
        ("labels", {"name": "VIP", "colour": "amber"}, {"name": "Gold"}),
        ("canned-replies", {"shortcut": "hours", "text": "Nine to six."}, {"text": "Closed."}),
    ],
)
def test_admins_make_change_and_delete_what_agents_use(place, agent, noun, made, changed):
    admin = member(place, "admin")
    refused = agent.post(f"{API}/{noun}", json=made)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    answer = admin.post(f"{API}/{noun}", json=made)
    assert answer.status_code == 201
    item = f"{API}/{noun}/{answer.json()['id']}"
    assert admin.post(f"{API}/{noun}", json=made).status_code == 409
    assert agent.patch(item, json=changed).status_code == 403
    assert admin.patch(item, json=changed).status_code == 200
    assert agent.get(f"{API}/{noun}").json()["items"] == [answer.json() | changed]
    assert agent.delete(item).status_code == 403
    assert admin.delete(item).status_code == 204
    assert agent.get(f"{API}/{noun}").json()["items"] == []


# Who may ----------------------------------------------------------------------------------------


@pytest.fixture
def calls(place, conversation):
    """Every call that names something of a workspace, with a body that its own people could send."""
    with place.work() as ctx:
        label = service.create_label(ctx, "VIP").id
        canned = service.create_canned_reply(ctx, "hours", "Nine to six.").id
    message = rows_of(place, Message)[0].id
    template = Template(
        account_id=place.account_id, name="hi", language="en", category="UTILITY", status="APPROVED"
    )
    with place.system_work() as ctx:
        ctx.session.add(template)
    here = f"{API}/conversations/{conversation}"
    return [
        ("GET", here, None),
        ("GET", f"{here}/messages", None),
        ("POST", f"{here}/messages", TEXT),
        ("GET", f"{here}/events", None),
        ("POST", f"{here}/notes", {"text": "A note"}),
        ("POST", f"{here}/assign", {"user_id": None}),
        ("POST", f"{here}/status", {"status": "closed"}),
        ("POST", f"{here}/read", None),
        ("POST", f"{here}/typing", None),
        ("PUT", f"{here}/labels", {"label_ids": []}),
        ("GET", f"{API}/messages/{message}", None),
        ("POST", f"{API}/messages/{message}/reactions", {"emoji": "👍"}),
        ("PATCH", f"{API}/labels/{label}", {"colour": "red"}),
        ("PATCH", f"{API}/canned-replies/{canned}", {"text": "Ten to five."}),
        ("GET", f"{API}/templates/{template.id}", None),
        ("DELETE", f"{API}/labels/{label}", None),
        ("DELETE", f"{API}/canned-replies/{canned}", None),
    ]


def everything(place) -> list[dict]:
    from aerostic.domain.inbox import models

    kept = [
        Conversation,
        Message,
        OutboxItem,
        models.ConversationEvent,
        models.Label,
        models.ConversationLabel,
        models.CannedReply,
    ]
    return [row.model_dump() for model in kept for row in rows_of(place, model)]


def test_for_a_rival_nothing_of_it_exists_and_nothing_changes(place, stranger_next_door, calls):
    before = everything(place)
    for method, address, body in calls:
        answer = stranger_next_door.request(method, address, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), address
    assert stranger_next_door.get(f"{API}/conversations?status=any").json()["items"] == []
    assert stranger_next_door.get(f"{API}/labels").json()["items"] == []
    assert everything(place) == before


def test_naming_the_workspace_does_not_let_a_rival_in(place, stranger_next_door, calls):
    before = everything(place)
    for method, address, body in calls:
        for name in (str(place.tenant_id), place.slug):
            answer = stranger_next_door.request(
                method, address, json=body, headers={"X-Workspace": name}
            )
            assert answer.status_code == 404, address
    assert everything(place) == before


def test_a_visitor_is_asked_to_sign_in_and_nothing_changes(place, calls):
    before = everything(place)
    for method, address, body in calls:
        assert visitor().request(method, address, json=body).status_code == 401, address
    assert everything(place) == before


def test_the_same_calls_succeed_for_those_whose_it_is(place, calls):
    owner = member(place)
    for method, address, body in calls:
        answer = owner.request(method, address, json=body)
        assert answer.status_code in (200, 201, 204), (address, answer.text)


def test_a_rivals_ids_inside_a_body_do_not_exist_either(place, rival, agent, conversation):
    with rival.work() as ctx:
        label = service.create_label(ctx, "VIP").id
    theirs = contact_of(rival)
    before = everything(place)
    here = f"{API}/conversations"
    refused = [
        agent.put(f"{here}/{conversation}/labels", json={"label_ids": [str(label)]}),
        agent.post(f"{here}/{conversation}/assign", json={"user_id": str(rival.agent_id)}),
        agent.post(here, json={"contact_id": str(theirs), "number_id": str(place.number_id)}),
        agent.post(here, json={"contact_id": str(theirs), "number_id": str(rival.number_id)}),
    ]
    assert [answer.status_code for answer in refused] == [404, 422, 404, 404]
    assert everything(place) == before


def test_bad_cursors_and_ids_are_said_to_be_bad(agent, conversation):
    for address in ("conversations", f"conversations/{conversation}/messages", "search?text=hello"):
        answer = agent.get(f"{API}/{address}", params={"cursor": "nonsense", "text": "hello"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), address
    assert agent.get(f"{API}/conversations/nonsense").status_code == 422
    assert agent.get(f"{API}/conversations/{UUID(int=0)}").status_code == 404
