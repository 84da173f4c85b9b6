"""Every operation of the API, with input that works: refused to strangers, lower roles and other tenants.

Each refusal is paired with the rightful person's success on the very same input, so that a broken door
does not pass for a closed one. An operation without an example fails: nobody can forget one.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from fastapi.testclient import TestClient
from httpx import Response

from aerostic.core import clock
from aerostic.core.ids import new_id
from aerostic.core.permissions import PlatformRole, Role, system
from aerostic.core.settings import settings
from aerostic.core.tenancy import platform_work, shared_work
from aerostic.domain.ai.models import Agent
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import (
    Execution,
    ExecutionSegment,
    Workflow,
    WorkflowVersion,
)
from aerostic.domain.billing.charging import Outcome
from aerostic.domain.billing.models import Charge
from aerostic.domain.campaigns.models import CampaignRecipient
from aerostic.domain.channels.models import AccountDirectory, NumberDirectory
from aerostic.domain.connections.models import GoogleConnection
from aerostic.domain.contacts.models import ContactAttribute, Tag
from aerostic.domain.deliveries.models import WebhookDelivery
from aerostic.domain.identity.models import User
from aerostic.domain.inbox.models import CannedReply, Label
from aerostic.domain.knowledge.models import KnowledgeBase, KnowledgeDocument
from aerostic.domain.templates.models import Template
from aerostic.domain.tenants.models import Invitation
from aerostic.domain.vault.models import Secret
from backend_api.app import api
from backend_api.openapi import operations
from tests.builders import contact_of, conversation_of, inbound, outbound
from tests.clients import member, visitor
from tests.conftest import PASSWORD, Place, _make_place
from tests.domain.test_ledger import tell, write
from tests.simulator.conftest import ACCOUNT, NUMBER, TOKEN, start

Ids = dict[str, str]
Prepare = Callable[["World", TestClient], None]

PUBLIC = {
    ("post", "/auth/session"),
    ("post", "/auth/refresh"),
    ("post", "/auth/logout"),
    ("post", "/auth/register"),
    ("post", "/auth/register/confirm"),
    ("post", "/auth/forgot"),
    ("post", "/auth/reset"),
    ("get", "/auth/invitations/offer"),
    ("post", "/auth/invitations/accept"),
    ("get", "/oauth/google/callback"),  # counts for whoever began: tests/connections
    ("get", "/health"),
    ("get", "/health/ready"),
}


@dataclass
class World:
    """A workspace with one of everything, and the ids that paths and bodies name."""

    place: Place
    ids: Ids


@dataclass(frozen=True)
class Example:
    """Input that works. `role` is the lowest that may."""

    role: str = "agent"
    body: Callable[[Ids], Any] | None = None
    query: str = ""
    files: Callable[[Ids], Any] | None = None
    prepare: Prepare | None = None


def make_world() -> World:
    place = _make_place()
    contact = contact_of(place, "Ada", "15550001111")
    conversation = conversation_of(place, contact_id=contact)
    theirs = inbound(place, conversation, "Hi")
    rows = {
        "label_id": Label(name="vip"),
        "reply_id": CannedReply(shortcut="hi", text="Hello"),
        "tag_id": Tag(name="gold"),
        "agent_id": Agent(name="Ada", model="local"),
        "base_id": KnowledgeBase(name="Shop"),
        "secret_id": Secret(name="shop", sealed="unreadable"),
        "attribute_id": ContactAttribute(key="size", label="Size"),
        "template_id": Template(
            account_id=place.account_id,
            name="t",
            language="en",
            category="UTILITY",
            status="APPROVED",
        ),
        "invitation_id": Invitation(
            email="x@example.test",
            role=Role.AGENT,
            invited_by=place.owner_id,
            expires_at=clock.now() + clock.minutes(60),
        ),
    }
    with place.system_work() as ctx:
        ctx.session.add_all(rows.values())
        ctx.session.flush()
        ids = {name: str(row.id) for name, row in rows.items()}
        document = KnowledgeDocument(base_id=rows["base_id"].id, name="hours.md", kind="md")
        ctx.session.add(document)
        ctx.session.flush()
    ids |= {
        "document_id": str(document.id),
        "contact_id": str(contact),
        "other_id": str(contact_of(place, "Ada Again", "15550002222")),
        "conversation_id": str(conversation),
        "message_id": str(theirs),
        "tenant_id": str(place.tenant_id),
        "number_id": str(place.number_id),
        "account_id": str(place.account_id),
        "user_id": str(place.agent_id),
    }
    return World(place, ids)


def _connected(world: World, _: TestClient) -> None:
    row = GoogleConnection(subject="1", email="ada@gmail.test", refresh_token_sealed="")
    with world.place.system_work() as ctx:
        ctx.session.add(row)
        ctx.session.flush()
        world.ids["connection_id"] = str(row.id)


def _is_told(world: World, client: TestClient) -> None:
    body = {"url": "https://example.com/hook", "events": ["message.received"]}
    made = client.post("/api/v1/webhook-endpoints", json=body).json()
    world.ids["endpoint_id"] = made["id"]
    told = client.post(f"/api/v1/webhook-endpoints/{made['id']}/test").json()
    world.ids["dispatch_id"] = told["dispatch_id"]


def _file(_: Ids) -> Any:
    return {"file": ("menu.pdf", b"%PDF-1.4 menu", "application/pdf")}


def _table(_: Ids) -> Any:
    return {"file": ("people.csv", b"Name,Phone\nBob,+15550003333\n", "text/csv")}


def _uploaded(world: World, client: TestClient) -> None:
    world.ids["media_id"] = client.post("/api/v1/media", files=_file(world.ids)).json()["id"]


def _imported(world: World, client: TestClient) -> None:
    answer = client.post("/api/v1/contact-imports", files=_table(world.ids))
    world.ids["import_id"] = answer.json()["id"]


def _second_session(world: World, client: TestClient) -> None:
    member(world.place, "agent")
    sessions = client.get("/api/v1/me/sessions").json()["items"]
    world.ids["session_id"] = next(one["id"] for one in sessions if not one["is_current"])


def _began_totp(world: World, client: TestClient) -> None:
    answer = client.post("/api/v1/me/totp", json={"password": PASSWORD})
    world.ids["secret"] = answer.json()["secret"]


def _has_totp(world: World, client: TestClient) -> None:
    _began_totp(world, client)
    code = pyotp.TOTP(world.ids["secret"]).at(
        clock.now() - timedelta(seconds=30)
    )  # leaves this half-minute's code unused
    client.post("/api/v1/me/totp/confirm", json={"code": code})


def _code(ids: Ids) -> Any:
    return {"code": pyotp.TOTP(ids["secret"]).at(clock.now()), "password": PASSWORD}


def _delivered(world: World, _: TestClient) -> None:
    row = WebhookDelivery(body=b"{}", status="parked")
    with platform_work(system("test")) as ctx:
        ctx.session.add(row)
        ctx.session.flush()
        world.ids["delivery_id"] = str(row.id)


def _is_staff(world: World, client: TestClient) -> None:
    with shared_work(system("test")) as ctx:
        user = ctx.session.get(User, world.place.owner_id)
        assert user
        user.platform_role = PlatformRole.PLATFORM_ADMIN
    _delivered(world, client)


def _failed(world: World, _: TestClient) -> None:
    failure = {"code": "131000", "reason": "It failed.", "action": "Try again."}
    told = {"status": "failed", "failure": failure, "content": {"text": {"body": "Hello"}}}
    made = outbound(world.place, UUID(world.ids["conversation_id"]), "Hello", **told)
    world.ids["message_id"] = str(made)


def _unknown(world: World, _: TestClient) -> None:
    made = outbound(world.place, UUID(world.ids["conversation_id"]), "Hello", status="unknown")
    world.ids["message_id"] = str(made)


def _queued(world: World, client: TestClient) -> None:
    path = f"/api/v1/conversations/{world.ids['conversation_id']}/messages"
    world.ids["message_id"] = client.post(path, json=TEXT).json()["id"]


RUN_GRAPH = {
    "nodes": [
        {"id": "t", "kind": "trigger.manual"},
        {"id": "n", "kind": "logic.set", "config": {"values": [{"name": "x", "value": "1"}]}},
    ],
    "edges": [{"id": "e", "source": "t", "target": "n"}],
}


def _ran(world: World, _: TestClient, **fields: Any) -> None:
    """A workflow with a version, and a run of it."""
    graph = Graph.model_validate(RUN_GRAPH).model_dump(mode="json")
    workflow = Workflow(name="Runs", draft=graph, published_number=1)
    with world.place.system_work() as ctx:
        ctx.session.add(workflow)
        ctx.session.flush()
        version = WorkflowVersion(workflow_id=workflow.id, number=1, graph=graph)
        ctx.session.add(version)
        ctx.session.flush()
        known = {"status": "done", "version_id": version.id, "version_number": 1} | fields
        run = Execution(workflow_id=workflow.id, trigger_node="t", **known)
        ctx.session.add(run)
        ctx.session.flush()
        step = {"number": 1, "node": "t", "kind": "trigger.manual", "name": "By hand"}
        left = {"status": "done", "port": "out", "input": None, "output": {}, "error": ""}
        when = {"warnings": [], "started_at": clock.now().isoformat(), "ms": 1}
        more = {"truncated": False, "tries": 1}
        ctx.session.add(
            ExecutionSegment(execution_id=run.id, position=0, steps=[step | left | when | more])
        )
        world.ids |= {"run_id": str(run.id), "execution_id": str(run.id)}
        world.ids["workflow_id"] = str(workflow.id)


def _runs_still(world: World, client: TestClient) -> None:
    _ran(world, client, status="waiting", awaits="reply")


def _is_in_doubt(world: World, client: TestClient) -> None:
    _ran(world, client, status="unknown", state={"at": "n", "calling": {"node": "n", "number": 2}})


PASTED = {"meta_account_id": ACCOUNT, "phone_number_id": NUMBER, "access_token": TOKEN}


@pytest.fixture(scope="module", autouse=True)
def meta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The simulator in Meta's place."""
    running = start(tmp_path_factory.mktemp("meta"), webhook_url="http://127.0.0.1:1/")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEROSTIC_META_GRAPH_URL", f"{running.base}/simulator/graph")
        patch.setenv("AEROSTIC_GOOGLE_CLIENT_ID", "simulated")
        patch.setenv("AEROSTIC_GOOGLE_CLIENT_SECRET", "simulated")
        patch.setenv("AEROSTIC_GOOGLE_URL", f"{running.base}/simulator/google")
        settings.cache_clear()
        yield
    running.stop()
    settings.cache_clear()


GREETING: dict[str, Any] = {
    "nodes": [
        {"id": "begin", "kind": "trigger.message"},
        {"id": "say", "kind": "send.text", "config": {"text": "Hello"}},
    ],
    "edges": [{"id": "e", "source": "begin", "target": "say"}],
}


def _drafted(world: World, client: TestClient) -> None:
    made = client.post("/api/v1/workflows", json={"name": "Hi", "graph": GREETING})
    world.ids["workflow_id"] = made.json()["id"]


def _published(world: World, client: TestClient) -> None:
    _drafted(world, client)
    path = f"/api/v1/workflows/{world.ids['workflow_id']}/publish"
    world.ids["number"] = client.post(path, json={}).json()["number"]


def _workflow_file(_: Ids) -> Any:
    content = json.dumps({"file": "aerostic-workflow", "format": 1, "name": "Hi"}).encode()
    return {"file": ("workflow.json", content, "application/json")}


def _at_meta(world: World, _: TestClient) -> None:
    """The number that Meta knows, in this workspace and in no other."""
    with shared_work(system("test")) as ctx:
        for directory, meta_id in ((NumberDirectory, NUMBER), (AccountDirectory, ACCOUNT)):
            row = ctx.session.get(directory, meta_id)
            if row is not None:
                ctx.session.delete(row)
    owner = member(world.place)
    answer = owner.post("/api/v1/numbers", json=PASTED).json()
    account = next(one for one in answer["items"] if one["meta_account_id"] == ACCOUNT)
    world.ids["account_id"] = account["id"]


def _written(world: World, client: TestClient) -> None:
    """A draft of an account that Meta knows."""
    _at_meta(world, client)
    wanted = {"account_id": world.ids["account_id"], "name": f"n{new_id().hex}", **TEMPLATE}
    made = member(world.place, "admin").post("/api/v1/templates", json=wanted)
    assert made.status_code == 201, made.text
    world.ids["template_id"] = made.json()["id"]


TEMPLATE = {
    "language": "en_US",
    "category": "UTILITY",
    "components": [{"type": "BODY", "text": "We are open until six."}],
}
TEXT = {"type": "text", "text": "Until six"}
V1 = "/api/v1"
TALK = f"{V1}/conversations/{{conversation_id}}"
FLOW = f"{V1}/workflows/{{workflow_id}}"
HOOKS = f"{V1}/webhook-endpoints"
HOOK = f"{HOOKS}/{{endpoint_id}}"


def _segmented(world: World, client: TestClient) -> None:
    made = client.post(f"{V1}/segments", json={"name": "All", "filter": {"kind": "all"}})
    world.ids["segment_id"] = made.json()["id"]


def _listed(world: World, client: TestClient) -> None:
    answer = client.post(f"{V1}/contact-lists", files=_table(world.ids))
    world.ids["list_id"] = answer.json()["id"]


def _charged(world: World, _: TestClient) -> None:
    charge = Charge(
        message_id=UUID(world.ids["message_id"]),
        state="free",
        micros=0,
        category="service",
        market="",
        why="Free.",
    )
    with world.place.system_work() as ctx:
        ctx.session.add(charge)


def _was_charged(world: World, client: TestClient) -> None:
    _is_staff(world, client)
    message_id = write(world.place)
    tell(world.place, message_id, Outcome.DELIVERED)
    world.ids["message_id"] = str(message_id)


def _card(_: Ids) -> Any:
    return {"csv": "currency,market,category,price,valid_from\nEUR,Other,marketing,1,2026-01-01"}


def _campaign(world: World, client: TestClient) -> None:
    made = client.post(f"{V1}/campaigns", json=_campaign_of(world.ids))
    world.ids["campaign_id"] = made.json()["id"]


def _campaign_of(ids: Ids) -> Any:
    return {
        "name": "Autumn",
        "variants": [{"template_id": ids["template_id"]}],
        "number_ids": [ids["number_id"]],
    }


def _launched(world: World, client: TestClient) -> None:
    _campaign(world, client)
    client.post(f"{V1}/campaigns/{world.ids['campaign_id']}/launch", json={})


def _paused(world: World, client: TestClient) -> None:
    _launched(world, client)
    client.post(f"{V1}/campaigns/{world.ids['campaign_id']}/pause")


def _awaits_approval(world: World, client: TestClient) -> None:
    body = {**_campaign_of(world.ids), "needs_approval": True}
    made = client.post(f"{V1}/campaigns", json=body)
    world.ids["campaign_id"] = made.json()["id"]
    client.post(f"{V1}/campaigns/{world.ids['campaign_id']}/launch", json={})


def _somebody_failed(world: World, client: TestClient) -> None:
    _paused(world, client)
    with world.place.system_work() as ctx:
        row = CampaignRecipient(
            campaign_id=UUID(world.ids["campaign_id"]),
            contact_id=UUID(world.ids["contact_id"]),
            state="failed",
        )
        ctx.session.add(row)


EXAMPLES: dict[tuple[str, str], Example] = {
    ("get", f"{V1}/secrets"): Example("admin"),
    ("post", f"{V1}/secrets"): Example("admin", lambda _: {"name": "key", "value": "s3cret"}),
    ("patch", f"{V1}/secrets/{{secret_id}}"): Example("admin", lambda _: {"name": "other"}),
    ("delete", f"{V1}/secrets/{{secret_id}}"): Example("admin"),
    ("get", f"{V1}/canned-replies"): Example(),
    ("post", f"{V1}/canned-replies"): Example(
        "admin", lambda _: {"shortcut": "bye", "text": "Bye"}
    ),
    ("patch", f"{V1}/canned-replies/{{reply_id}}"): Example("admin", lambda _: {"text": "Hey"}),
    ("delete", f"{V1}/canned-replies/{{reply_id}}"): Example("admin"),
    ("get", f"{V1}/conversations"): Example(),
    ("post", f"{V1}/conversations"): Example(
        body=lambda ids: {"contact_id": ids["other_id"], "number_id": ids["number_id"]}
    ),
    ("get", TALK): Example(),
    ("get", f"{TALK}/messages"): Example(),
    ("post", f"{TALK}/messages"): Example(body=lambda _: TEXT),
    ("get", f"{TALK}/events"): Example(),
    ("post", f"{TALK}/notes"): Example(body=lambda _: {"text": "A regular"}),
    ("post", f"{TALK}/assign"): Example(body=lambda ids: {"user_id": ids["user_id"]}),
    ("post", f"{TALK}/status"): Example(body=lambda _: {"status": "closed"}),
    ("post", f"{TALK}/read"): Example(),
    ("post", f"{TALK}/typing"): Example(),
    ("put", f"{TALK}/labels"): Example(body=lambda ids: {"label_ids": [ids["label_id"]]}),
    ("get", f"{V1}/labels"): Example(),
    ("post", f"{V1}/labels"): Example("admin", lambda _: {"name": "new"}),
    ("patch", f"{V1}/labels/{{label_id}}"): Example("admin", lambda _: {"name": "other"}),
    ("delete", f"{V1}/labels/{{label_id}}"): Example("admin"),
    ("get", f"{V1}/messages/{{message_id}}"): Example(),
    ("post", f"{V1}/messages/{{message_id}}/reactions"): Example(body=lambda _: {"emoji": "👍"}),
    ("post", f"{V1}/messages/{{message_id}}/retry"): Example(prepare=_failed),
    ("post", f"{V1}/messages/{{message_id}}/give-up"): Example(prepare=_unknown),
    ("post", f"{V1}/messages/{{message_id}}/cancel"): Example(prepare=_queued),
    ("get", f"{V1}/search"): Example(query="?text=ada"),
    ("get", f"{V1}/templates"): Example(),
    ("get", f"{V1}/templates/{{template_id}}"): Example(),
    ("post", f"{V1}/templates"): Example(
        "admin", lambda ids: {"account_id": ids["account_id"], "name": "new", **TEMPLATE}
    ),
    ("patch", f"{V1}/templates/{{template_id}}"): Example(
        "admin", lambda _: {"revision": 0, **TEMPLATE}
    ),
    ("delete", f"{V1}/templates/{{template_id}}"): Example("admin", prepare=_written),
    ("post", f"{V1}/templates/{{template_id}}/submit"): Example("admin", prepare=_written),
    ("post", f"{V1}/templates/{{template_id}}/duplicate"): Example(
        "admin", lambda _: {"name": "copy", "language": "de"}
    ),
    ("post", f"{V1}/templates/{{template_id}}/discard"): Example("admin"),
    ("post", f"{V1}/templates/sync"): Example(
        "admin", lambda ids: {"account_id": ids["account_id"]}, prepare=_at_meta
    ),
    ("post", f"{V1}/media"): Example(files=_file),
    ("get", "/media/{media_id}"): Example(prepare=_uploaded),
    ("get", f"{V1}/accounts"): Example(),
    ("post", f"{V1}/accounts/{{account_id}}/check"): Example("owner", prepare=_at_meta),
    ("post", f"{V1}/accounts/{{account_id}}/templates/sync"): Example("admin", prepare=_at_meta),
    ("post", f"{V1}/numbers"): Example("owner", lambda _: PASTED, prepare=_at_meta),
    ("put", f"{V1}/numbers/{{number_id}}/mode"): Example("owner", lambda _: {"mode": "paused"}),
    ("delete", f"{V1}/numbers/{{number_id}}"): Example("owner"),
    ("get", f"{V1}/workspace"): Example(),
    ("patch", f"{V1}/workspace"): Example("owner", lambda _: {"name": "Bluebird"}),
    ("get", f"{V1}/members"): Example(),
    ("patch", f"{V1}/members/{{user_id}}"): Example("owner", lambda _: {"role": "admin"}),
    ("delete", f"{V1}/members/{{user_id}}"): Example("owner"),
    ("post", f"{V1}/members/{{user_id}}/owner"): Example("owner"),
    ("post", f"{V1}/workspace/leave"): Example(),
    ("get", f"{V1}/invitations"): Example(),
    ("post", f"{V1}/invitations"): Example(
        "owner", lambda _: {"email": f"{new_id()}@example.test", "role": "agent"}
    ),
    ("delete", f"{V1}/invitations/{{invitation_id}}"): Example("owner"),
    ("get", f"{V1}/me"): Example(),
    ("patch", f"{V1}/me"): Example(body=lambda _: {"name": "Grace"}),
    ("post", f"{V1}/me/password"): Example(
        body=lambda _: {"current": PASSWORD, "new": "a quite different sentence"}
    ),
    ("get", f"{V1}/me/sessions"): Example(),
    ("delete", f"{V1}/me/sessions"): Example(),
    ("delete", f"{V1}/me/sessions/{{session_id}}"): Example(prepare=_second_session),
    ("post", f"{V1}/me/totp"): Example(body=lambda _: {"password": PASSWORD}),
    ("post", f"{V1}/me/totp/confirm"): Example(body=_code, prepare=_began_totp),
    ("post", f"{V1}/me/totp/recovery-codes"): Example(body=_code, prepare=_has_totp),
    ("post", f"{V1}/me/totp/remove"): Example(body=_code, prepare=_has_totp),
    ("get", f"{V1}/deliveries"): Example("staff", prepare=_is_staff),
    ("get", f"{V1}/deliveries/{{delivery_id}}"): Example("staff", prepare=_is_staff),
    ("post", f"{V1}/deliveries/{{delivery_id}}/replay"): Example("staff", prepare=_is_staff),
    ("get", f"{V1}/contacts"): Example(),
    ("post", f"{V1}/contacts"): Example(body=lambda _: {"name": "Bob"}),
    ("get", f"{V1}/contacts/export"): Example("admin"),
    ("get", f"{V1}/contacts/{{contact_id}}"): Example(),
    ("patch", f"{V1}/contacts/{{contact_id}}"): Example(
        body=lambda _: {"revision": 0, "name": "Bob"}
    ),
    ("delete", f"{V1}/contacts/{{contact_id}}"): Example("owner"),
    ("post", f"{V1}/contacts/{{contact_id}}/merge"): Example(
        body=lambda ids: {"other_id": ids["other_id"]}
    ),
    ("post", f"{V1}/contacts/{{contact_id}}/tags"): Example(
        body=lambda ids: {"add": [ids["tag_id"]]}
    ),
    ("get", f"{V1}/contacts/{{contact_id}}/timeline"): Example(),
    ("get", f"{V1}/tags"): Example(),
    ("post", f"{V1}/tags"): Example(body=lambda _: {"name": "silver"}),
    ("patch", f"{V1}/tags/{{tag_id}}"): Example(body=lambda _: {"name": "silver"}),
    ("delete", f"{V1}/tags/{{tag_id}}"): Example(),
    ("get", f"{V1}/contact-attributes"): Example(),
    ("post", f"{V1}/contact-attributes"): Example("admin", lambda _: {"label": "Shoe"}),
    ("delete", f"{V1}/contact-attributes/{{attribute_id}}"): Example("admin"),
    ("get", f"{V1}/contact-imports"): Example("admin"),
    ("post", f"{V1}/contact-imports"): Example("admin", files=_table),
    ("get", f"{V1}/contact-imports/{{import_id}}"): Example("admin", prepare=_imported),
    ("get", f"{V1}/contact-imports/{{import_id}}/preview"): Example("admin", prepare=_imported),
    ("post", f"{V1}/contact-imports/{{import_id}}/start"): Example(
        "admin", lambda _: {"mapping": ["name", "phone"]}, prepare=_imported
    ),
    ("get", f"{V1}/workflows"): Example("admin"),
    ("post", f"{V1}/workflows"): Example("admin", lambda _: {"name": "Hi", "graph": GREETING}),
    ("get", f"{V1}/workflows/kinds"): Example("admin"),
    ("get", f"{V1}/workflows/starters"): Example("admin"),
    ("post", f"{V1}/workflows/import"): Example("admin", files=_workflow_file),
    ("get", FLOW): Example("admin", prepare=_drafted),
    ("patch", FLOW): Example("admin", lambda _: {"name": "Bye"}, prepare=_drafted),
    ("put", f"{FLOW}/draft"): Example(
        "admin", lambda _: {"revision": 0, "graph": {}}, prepare=_drafted
    ),
    ("get", f"{FLOW}/findings"): Example("admin", prepare=_drafted),
    ("post", f"{FLOW}/publish"): Example("admin", lambda _: {"note": "One"}, prepare=_drafted),
    ("post", f"{FLOW}/enable"): Example("admin", prepare=_published),
    ("post", f"{FLOW}/disable"): Example("admin", prepare=_published),
    ("post", f"{FLOW}/archive"): Example("admin", prepare=_published),
    ("post", f"{FLOW}/unarchive"): Example("admin", prepare=_published),
    ("post", f"{FLOW}/duplicate"): Example("admin", lambda _: {}, prepare=_drafted),
    ("post", f"{FLOW}/restore"): Example(
        "admin", lambda ids: {"number": ids["number"]}, prepare=_published
    ),
    ("get", f"{FLOW}/versions"): Example("admin", prepare=_published),
    ("get", f"{FLOW}/versions/{{number}}"): Example("admin", prepare=_published),
    ("get", f"{FLOW}/compare"): Example("admin", query="?before=1", prepare=_published),
    ("get", f"{FLOW}/export"): Example("admin", prepare=_drafted),
    ("post", f"{V1}/contact-imports/{{import_id}}/cancel"): Example("admin", prepare=_imported),
    ("get", f"{V1}/contact-imports/{{import_id}}/refusals"): Example("admin", prepare=_imported),
    ("get", f"{V1}/contact-imports/{{import_id}}/report"): Example("admin", prepare=_imported),
    ("get", f"{V1}/agents"): Example("admin"),
    ("post", f"{V1}/agents"): Example("admin", lambda _: {"name": "Robin"}),
    ("get", f"{V1}/agents/{{agent_id}}"): Example("admin"),
    ("patch", f"{V1}/agents/{{agent_id}}"): Example("admin", lambda _: {"persona": "Kind"}),
    ("delete", f"{V1}/agents/{{agent_id}}"): Example("admin"),
    ("put", f"{V1}/agents/{{agent_id}}/answering"): Example("admin", lambda _: {"answers": True}),
    ("post", f"{V1}/agents/{{agent_id}}/trials"): Example("admin", lambda _: {"message": "Hi"}),
    ("delete", f"{V1}/agents/{{agent_id}}/trials"): Example("admin"),
    ("get", f"{V1}/agents/{{agent_id}}/turns"): Example("admin"),
    ("get", f"{V1}/knowledge"): Example("admin"),
    ("post", f"{V1}/knowledge"): Example("admin", lambda _: {"name": "Recipes"}),
    ("get", f"{V1}/knowledge/{{base_id}}"): Example("admin"),
    ("put", f"{V1}/knowledge/{{base_id}}"): Example("admin", lambda _: {"name": "Recipes"}),
    ("delete", f"{V1}/knowledge/{{base_id}}"): Example("admin"),
    ("get", f"{V1}/knowledge/{{base_id}}/documents"): Example("admin"),
    ("post", f"{V1}/knowledge/{{base_id}}/documents"): Example("admin", files=_file),
    ("post", f"{V1}/knowledge/{{base_id}}/pages"): Example(
        "admin", lambda _: {"url": "https://example.test/hours"}
    ),
    ("post", f"{V1}/knowledge/{{base_id}}/search"): Example("admin", lambda _: {"text": "Hours"}),
    ("get", f"{V1}/knowledge/documents/{{document_id}}"): Example("admin"),
    ("post", f"{V1}/knowledge/documents/{{document_id}}/read"): Example("admin"),
    ("delete", f"{V1}/knowledge/documents/{{document_id}}"): Example("admin"),
}

RUN = f"{V1}/executions/{{execution_id}}"
EXAMPLES |= {
    ("get", f"{V1}/plan"): Example("owner"),
    ("post", f"{V1}/plan/ask"): Example("owner", lambda _: {"slug": "trial"}),
    ("get", f"{V1}/usage"): Example("admin", query="?since=2026-11-01&until=2026-11-30"),
    ("get", f"{V1}/wallet"): Example("owner"),
    ("patch", f"{V1}/wallet"): Example("owner", lambda _: {"low_balance_micros": 1_000_000}),
    ("get", f"{V1}/wallet/entries"): Example("owner"),
    ("get", f"{V1}/wallet/statement.csv"): Example(
        "owner", query="?since=2026-11-01&until=2026-11-30"
    ),
    ("get", f"{V1}/wallet/statement.pdf"): Example(
        "owner", query="?since=2026-11-01&until=2026-11-30"
    ),
    ("get", f"{V1}/messages/{{message_id}}/charge"): Example("owner", prepare=_charged),
    ("get", f"{V1}/analytics"): Example("admin", query="?since=2026-11-01&until=2026-11-30"),
    ("get", f"{V1}/analytics/csv"): Example(
        "admin", query="?table=days&since=2026-11-01&until=2026-11-30"
    ),
    ("get", f"{V1}/executions"): Example("admin"),
    ("get", RUN): Example("admin", prepare=_ran),
    ("post", f"{RUN}/cancel"): Example("admin", prepare=_runs_still),
    ("post", f"{RUN}/retry"): Example("admin", lambda _: {"step": 1}, prepare=_ran),
    ("post", f"{RUN}/replay"): Example("admin", lambda _: {"version": 1}, prepare=_ran),
    ("get", f"{RUN}/comparison"): Example("admin", query="?with={run_id}", prepare=_ran),
    ("post", f"{RUN}/choice"): Example("admin", lambda _: {"how": "retry"}, prepare=_is_in_doubt),
    ("post", f"{V1}/workflows/{{workflow_id}}/executions"): Example(
        "admin", lambda _: {"given": {}}, prepare=_ran
    ),
    ("post", f"{V1}/workflows/{{workflow_id}}/trials"): Example(
        "admin", lambda _: {"given": {}}, prepare=_ran
    ),
    ("get", f"{V1}/automation/settings"): Example("admin"),
    ("patch", f"{V1}/automation/settings"): Example("admin", lambda _: {"keep_days": 7}),
    ("put", f"{TALK}/mode"): Example(body=lambda _: {"mode": "paused"}),
    ("get", f"{V1}/connections"): Example("admin"),
    ("post", f"{V1}/connections/google"): Example("admin", lambda _: {"services": ["sheets"]}),
    ("delete", f"{V1}/connections/{{connection_id}}"): Example("admin", prepare=_connected),
    ("get", f"{V1}/webhook-events"): Example("owner"),
    ("get", HOOKS): Example("owner"),
    ("post", HOOKS): Example(
        "owner", lambda _: {"url": "https://example.com/hook", "events": ["message.status"]}
    ),
    ("get", HOOK): Example("owner", prepare=_is_told),
    ("patch", HOOK): Example("owner", lambda _: {"description": "Shop"}, prepare=_is_told),
    ("delete", HOOK): Example("owner", prepare=_is_told),
    ("post", f"{HOOK}/pause"): Example("owner", prepare=_is_told),
    ("post", f"{HOOK}/go-on"): Example("owner", prepare=_is_told),
    ("post", f"{HOOK}/secret"): Example("owner", prepare=_is_told),
    ("post", f"{HOOK}/test"): Example("owner", prepare=_is_told),
    ("get", f"{HOOK}/dispatches"): Example("owner", prepare=_is_told),
    ("get", f"{V1}/webhook-dispatches/{{dispatch_id}}"): Example("owner", prepare=_is_told),
    ("post", f"{V1}/webhook-dispatches/{{dispatch_id}}/send-again"): Example(
        "owner", prepare=_is_told
    ),
}

OPERATIONS = [(method, path) for method, path, _ in operations(api.openapi())]
GUARDED = [one for one in OPERATIONS if one not in PUBLIC]

EXAMPLES |= {
    ("get", f"{V1}/segments"): Example("admin"),
    ("post", f"{V1}/segments"): Example(
        "admin", lambda _: {"name": "Everyone", "filter": {"kind": "all"}}
    ),
    ("get", f"{V1}/segments/{{segment_id}}"): Example("admin", prepare=_segmented),
    ("patch", f"{V1}/segments/{{segment_id}}"): Example(
        "admin", lambda _: {"revision": 0, "name": "Everybody"}, prepare=_segmented
    ),
    ("delete", f"{V1}/segments/{{segment_id}}"): Example("admin", prepare=_segmented),
    ("post", f"{V1}/audiences/reach"): Example("admin", lambda _: {"audience": {}}),
    ("post", f"{V1}/audiences/sample"): Example("admin", lambda _: {"audience": {}}),
    ("get", f"{V1}/audience-rules"): Example(),
    ("put", f"{V1}/audience-rules"): Example(
        "admin", lambda _: {"stop_words": ["stop"], "start_words": ["start"]}
    ),
    ("get", f"{V1}/contact-lists"): Example("admin"),
    ("post", f"{V1}/contact-lists"): Example("admin", files=_table),
    ("get", f"{V1}/contact-lists/{{list_id}}"): Example("admin", prepare=_listed),
    ("patch", f"{V1}/contact-lists/{{list_id}}"): Example(
        "admin", lambda _: {"name": "July"}, prepare=_listed
    ),
    ("post", f"{V1}/contact-lists/{{list_id}}/start"): Example(
        "admin", lambda _: {"mapping": ["name", "phone"]}, prepare=_listed
    ),
    ("delete", f"{V1}/contact-lists/{{list_id}}"): Example("admin", prepare=_listed),
    ("get", f"{V1}/consents"): Example("admin"),
    ("get", f"{V1}/contacts/{{contact_id}}/consents"): Example(),
    ("post", f"{V1}/contacts/{{contact_id}}/consents"): Example(
        body=lambda _: {"decision": "stopped"}
    ),
}

OF = f"{V1}/tenants/{{tenant_id}}"
PRICE = {"market": "Germany", "category": "marketing", "micros": 1, "valid_from": "2026-11-01"}
EXAMPLES |= {
    ("get", f"{V1}/rates"): Example("staff", prepare=_is_staff),
    ("put", f"{V1}/rates"): Example("staff", _card, prepare=_is_staff),
    ("get", f"{OF}/prices"): Example("staff", prepare=_is_staff),
    ("put", f"{OF}/prices"): Example("staff", lambda _: [PRICE], prepare=_is_staff),
    ("post", f"{OF}/prices/preview"): Example("staff", lambda _: [PRICE], prepare=_is_staff),
    ("post", f"{OF}/wallet/top-ups"): Example(
        "staff", lambda _: {"micros": 1, "key": "k"}, prepare=_is_staff
    ),
    ("post", f"{OF}/wallet/refunds"): Example(
        "staff", lambda ids: {"message_id": ids["message_id"], "key": "k"}, prepare=_was_charged
    ),
    ("put", f"{OF}/wallet/credit-line"): Example(
        "staff", lambda _: {"micros": 1}, prepare=_is_staff
    ),
}
CAMPAIGN = f"{V1}/campaigns/{{campaign_id}}"
EXAMPLES |= {
    ("get", f"{V1}/campaigns"): Example("admin"),
    ("post", f"{V1}/campaigns"): Example("admin", _campaign_of),
    ("get", CAMPAIGN): Example("admin", prepare=_campaign),
    ("put", CAMPAIGN): Example(
        "admin", lambda ids: {**_campaign_of(ids), "revision": 0}, prepare=_campaign
    ),
    ("delete", CAMPAIGN): Example("admin", prepare=_campaign),
    ("post", f"{CAMPAIGN}/plan"): Example("admin", prepare=_campaign),
    ("get", f"{CAMPAIGN}/plan"): Example("admin", prepare=_campaign),
    ("get", f"{CAMPAIGN}/progress"): Example("admin", prepare=_campaign),
    ("get", f"{CAMPAIGN}/recipients"): Example("admin", prepare=_campaign),
    ("get", f"{CAMPAIGN}/recipients/export"): Example("admin", prepare=_campaign),
    ("get", f"{CAMPAIGN}/preview"): Example(
        "admin", query="?contact_id={contact_id}", prepare=_campaign
    ),
    ("post", f"{CAMPAIGN}/test"): Example(
        "admin", lambda ids: {"contact_id": ids["contact_id"]}, prepare=_campaign
    ),
    ("post", f"{CAMPAIGN}/launch"): Example("admin", lambda _: {}, prepare=_campaign),
    ("post", f"{CAMPAIGN}/approve"): Example(
        "owner", lambda _: {"revision": 0}, prepare=_awaits_approval
    ),
    ("put", f"{CAMPAIGN}/timing"): Example(
        "admin", lambda _: {"time_zone": "Europe/Berlin"}, prepare=_campaign
    ),
    ("post", f"{CAMPAIGN}/pause"): Example("admin", prepare=_launched),
    ("post", f"{CAMPAIGN}/resume"): Example("admin", prepare=_paused),
    ("post", f"{CAMPAIGN}/cancel"): Example("admin", prepare=_launched),
    ("post", f"{CAMPAIGN}/retry-failed"): Example("admin", prepare=_somebody_failed),
    ("post", f"{CAMPAIGN}/duplicate"): Example("admin", prepare=_campaign),
}


def test_there_are_operations_and_each_has_an_example():
    assert len(OPERATIONS) > 60
    assert set(OPERATIONS) >= PUBLIC
    assert sorted(EXAMPLES) == sorted(GUARDED)


def name_of(operation: tuple[str, str]) -> str:
    return " ".join(operation)


def knock(
    client: TestClient, operation: tuple[str, str], world: World, workspace: str = ""
) -> Response:
    """The same request, whoever asks."""
    method, path = operation
    example = EXAMPLES[operation]
    more: dict[str, Any] = {"headers": {"X-Workspace": workspace} if workspace else {}}
    if example.body:
        more["json"] = example.body(world.ids)
    if example.files:
        more["files"] = example.files(world.ids)
    return client.request(method, (path + example.query).format(**world.ids), **more)


def rightful(operation: tuple[str, str], world: World) -> TestClient:
    """Signed in as the lowest role that may, with what the operation needs prepared by an owner."""
    example = EXAMPLES[operation]
    role = "owner" if example.role == "staff" else example.role
    client = member(world.place, role)
    if example.prepare:
        example.prepare(world, client)
    return member(world.place, role) if example.role == "staff" else client


def below(role: str) -> list[str]:
    """The roles that may not. The platform's doors are closed to a workspace's owner."""
    return {"agent": [], "admin": ["agent"], "owner": ["agent", "admin"], "staff": []}[role]


@pytest.mark.parametrize("operation", GUARDED, ids=name_of)
def test_every_refusal_stands_beside_a_success(operation, rival):
    world = make_world()
    client = rightful(operation, world)
    assert knock(visitor(), operation, world).status_code == 401
    for role in below(EXAMPLES[operation].role):
        assert knock(member(world.place, role), operation, world).status_code == 403, role
    _another_tenant_finds_nothing(operation, world, rival)
    answer = knock(client, operation, world)
    assert answer.status_code < 300, answer.text


def _another_tenant_finds_nothing(operation: tuple[str, str], world: World, rival: Place) -> None:
    """Neither by naming the other's workspace, nor by its ids from their own."""
    other = member(rival, "owner")
    is_personal = operation[1].startswith(f"{V1}/me")
    if EXAMPLES[operation].role == "staff":
        assert knock(other, operation, world).status_code == 404
    elif not is_personal:
        assert knock(other, operation, world, workspace=world.place.slug).status_code == 404
    if "{" in operation[1] and EXAMPLES[operation].role != "staff":
        assert knock(other, operation, world).status_code == 404
