"""The demo: two workspaces whose customers have just written. Every row is made as a real one would be.

Customers write on the simulator, so their messages come in by signed webhooks; answers leave through the
outbox. That needs the whole product running.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import select

from aerostic.core.errors import Unavailable
from aerostic.core.permissions import Actor, Permission, PlatformRole, Role, member, system
from aerostic.core.tenancy import Context, shared_work, unit_of_work
from aerostic.domain.audiences.filters import Audience, Country
from aerostic.domain.automation import service as automation
from aerostic.domain.billing import service as billing
from aerostic.domain.campaigns import service as campaigns
from aerostic.domain.campaigns.schemas import CampaignDraft, Variant
from aerostic.domain.campaigns.variables import Source, SourceKind
from aerostic.domain.channels import queries as channels_queries
from aerostic.domain.channels import service as channels
from aerostic.domain.channels.models import NumberMode
from aerostic.domain.identity import service as identity
from aerostic.domain.inbox import queries as inbox_queries
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.schemas import ConversationRow
from aerostic.domain.templates import queries as template_queries
from aerostic.domain.templates import service as templates
from aerostic.domain.tenants import service as tenants
from aerostic.domain.tenants.models import Membership, Tenant
from aerostic.integrations.simulator import Customers

SLUG = "demo"
SEEDER = system(
    "demo", Permission.PLATFORM_USERS, Permission.PLATFORM_TENANTS, Permission.PLATFORM_PRICES
)
FUNDS = 100_000_000  # micro-units: enough for some thousand messages
SECONDS_TO_ARRIVE = 30

DEMO_NUMBER = "100000000000001"
RIVAL_NUMBER = "100000000000002"
BROADCAST = "order_ready"


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the demo made, for going on with it."""

    tenant_id: UUID
    owner: Actor


def is_seeded() -> bool:
    """Whether the demo's workspace exists: then there is nothing to do."""
    with shared_work(SEEDER) as ctx:
        return ctx.session.exec(select(Tenant.id).where(Tenant.slug == SLUG)).first() is not None


def seed(simulator_url: str, password: str) -> None:
    """Make the demo once. Raises Unavailable where a part of the product does not answer."""
    if is_seeded():
        return
    demo, agent = _bluebird(password)
    rival = _rival(password)
    with shared_work(SEEDER) as ctx:
        _user(ctx, "root@aerostic.test", "Root", password, PlatformRole.SUPER_ADMIN)
    _fund(demo)
    _fund(rival)
    _connect(demo, "200000000000001", DEMO_NUMBER, "EAAsim-demo")
    _connect(rival, "200000000000002", RIVAL_NUMBER, "EAAsim-rival")
    with Customers(simulator_url) as customers:
        _first_messages(customers)
    rows = _wait_for(demo, lambda found: len(found) >= 5)
    _work_on(demo, agent, rows)
    _broadcast(demo)
    _automate(demo)


def _bluebird(password: str) -> tuple[Workspace, Actor]:
    with shared_work(SEEDER) as ctx:
        owner = _user(ctx, "owner@demo.test", "Olivia Bluebird", password)
        admin = _user(ctx, "admin@demo.test", "Adam Reyes", password)
        agent = _user(ctx, "agent@demo.test", "Grace Lindqvist", password)
        tenant = tenants.create_tenant(ctx, "Bluebird Café", owner_id=owner, slug=SLUG)
        ctx.session.add(Membership(tenant_id=tenant.id, user_id=admin, role=Role.ADMIN))
        ctx.session.add(Membership(tenant_id=tenant.id, user_id=agent, role=Role.AGENT))
        made = Workspace(tenant.id, member(owner, "Olivia Bluebird", Role.OWNER))
        return made, member(agent, "Grace Lindqvist", Role.AGENT)


def _rival(password: str) -> Workspace:
    with shared_work(SEEDER) as ctx:
        owner = _user(ctx, "owner@rival.test", "Rita Rival", password)
        tenant = tenants.create_tenant(ctx, "Rival Roasters", owner_id=owner, slug="rival")
        return Workspace(tenant.id, member(owner, "Rita Rival", Role.OWNER))


def _user(
    ctx: Context, email: str, name: str, password: str, role: PlatformRole | None = None
) -> UUID:
    made = identity.create_user(ctx, email=email, name=name, password=password, platform_role=role)
    ctx.session.flush()
    return made.id


def _connect(place: Workspace, account: str, number: str, token: str) -> None:
    with unit_of_work(place.tenant_id, place.owner) as ctx:
        connected = channels.connect_number(
            ctx, meta_account_id=account, phone_number_id=number, access_token=token
        )
        account_id = connected.account_id
    with unit_of_work(place.tenant_id, place.owner) as ctx:
        templates.sync(ctx, account_id)


def _fund(place: Workspace) -> None:
    with unit_of_work(place.tenant_id, SEEDER) as ctx:
        billing.top_up(ctx, FUNDS, key="demo", note="To try things out")


def _first_messages(customers: Customers) -> None:
    who = customers.by_name()
    for name, number, message in OPENINGS:
        customers.write(who[name], number, message)


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


OPENINGS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Jonas Weber", DEMO_NUMBER, _text("Guten Tag! Do you deliver cakes to the Harbour district?")),
    ("Jonas Weber", DEMO_NUMBER, {"type": "location", "latitude": 53.5436, "longitude": 9.9886,
                                  "name": "Office", "address": "Am Sandtorkai 1, Hamburg"}),
    ("Mei Tanaka", DEMO_NUMBER, _text("Hello, I left a grey umbrella at your place this morning ☂️")),
    ("Priya Sharma", DEMO_NUMBER, {"type": "image", "caption": "Could you make one like this for Saturday?"}),
    ("Lena Novak", DEMO_NUMBER, _text("Is the oat milk free of gluten?")),
    ("Diego Fernández", DEMO_NUMBER, _text("A table for six tonight at eight, is that possible?")),
    ("Amara Okafor", DEMO_NUMBER, _text("Hi! Is the blue mug back in stock?")),
    ("Amara Okafor", DEMO_NUMBER, _text("It is a present for my sister 🎁")),
    ("Amara Okafor", RIVAL_NUMBER, _text("Good morning, do you sell beans by the kilo?")),
)  # fmt: skip


def _wait_for(
    place: Workspace, enough: Callable[[list[ConversationRow]], bool]
) -> dict[str, ConversationRow]:
    """The conversations by the contact's name, once the webhooks have come in."""
    deadline = time.monotonic() + SECONDS_TO_ARRIVE
    while time.monotonic() < deadline:
        with unit_of_work(place.tenant_id, place.owner) as ctx:
            rows = inbox_queries.conversations(ctx).items
        if enough(rows):
            return {row.contact_name: row for row in rows}
        time.sleep(0.2)
    raise Unavailable("The demo's first messages did not arrive. Is the worker running?")


def _work_on(place: Workspace, agent: Actor, rows: dict[str, ConversationRow]) -> None:
    """What a team has done so far today."""
    with unit_of_work(place.tenant_id, place.owner) as ctx:
        vip = inbox.create_label(ctx, "Regular", "amber")
        delivery = inbox.create_label(ctx, "Delivery", "blue")
        inbox.create_canned_reply(ctx, "hours", "We are open from 8 to 18, Monday to Saturday.")
        inbox.create_canned_reply(
            ctx, "thanks", "Thank you, {{ contact.first_name }}! See you soon."
        )
        labels = {"Amara Okafor": vip.id, "Jonas Weber": delivery.id}
        for name, label_id in labels.items():
            if name in rows:
                inbox.set_labels(ctx, rows[name].id, [label_id])
    with unit_of_work(place.tenant_id, agent) as ctx:
        _answer(ctx, agent, rows)


def _answer(ctx: Context, agent: Actor, rows: dict[str, ConversationRow]) -> None:
    mei, diego = rows.get("Mei Tanaka"), rows.get("Diego Fernández")
    if mei:
        inbox.assign(ctx, mei.id, agent.user_id)
        inbox.reply(
            ctx,
            mei.id,
            Draft.text("Yes, we found it! It waits for you at the counter.", key="demo-1"),
        )
        inbox.mark_read(ctx, mei.id)
    if diego:
        inbox.add_note(ctx, diego.id, "The long table by the window is free from half past seven.")


def _broadcast(place: Workspace) -> None:
    """A small campaign, launched as anyone would: it is over a few seconds after the start."""
    with unit_of_work(place.tenant_id, place.owner) as ctx:
        ready = [one for one in template_queries.templates(ctx) if one.name == BROADCAST]
        numbers = channels_queries.numbers(ctx)
        if not (ready and numbers):
            return
        greeting = {
            "body.1": Source(kind=SourceKind.CONTACT, key="first_name", fallback="there"),
            "body.2": Source(key="BB-1042"),
        }
        draft = CampaignDraft(
            name="Orders ready for pick-up",
            audience=Audience(filter=Country(codes=("JP", "NG"))),
            variants=[Variant(ready[0].id, greeting)],
            number_ids=[numbers[0].id],
        )
        campaigns.launch(ctx, campaigns.create(ctx, draft).id)


def _automate(place: Workspace) -> None:
    """From now on a workflow answers “menu”, and people everything else. It is read like any file."""
    content = (Path(__file__).parent / "workflow.json").read_bytes()
    with unit_of_work(place.tenant_id, place.owner) as ctx:
        made, _ = automation.import_file(ctx, content)
        automation.publish(ctx, made.id, "As the café opens")
        for number in channels_queries.numbers(ctx):
            channels.set_mode(ctx, number.id, NumberMode.AUTOMATION)
