"""Plans: a limit is kept where the action happens, says so in a sentence, and a trial really ends."""

from datetime import timedelta

import pytest
from sqlmodel import select

from aerostic.core import clock
from aerostic.core.errors import NotAllowed, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, Role, system
from aerostic.core.tenancy import shared_work
from aerostic.domain.ai import turns
from aerostic.domain.ai.models import Agent
from aerostic.domain.contacts import service as contacts
from aerostic.domain.contacts.schemas import NewContact
from aerostic.domain.identity.models import Tenant
from aerostic.domain.imports import rows
from aerostic.domain.imports import service as imports
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Message
from aerostic.domain.knowledge import service as knowledge
from aerostic.domain.knowledge.models import KnowledgeBase
from aerostic.domain.plans import limits, queries, service
from aerostic.domain.plans.limits import Limit, PlanLimit
from aerostic.domain.plans.models import Plan
from aerostic.domain.tenants import service as tenants
from aerostic.domain.usage.models import UsageEvent, UsageKind
from aerostic.domain.usage.recording import record
from tests.builders import contact_of, conversation_of
from tests.campaigns.running import driven, launched, messages, people
from tests.conftest import Place

PLATFORM = system("test", Permission.PLATFORM_TENANTS)
DAY = timedelta(days=1)


def limited(place: Place, *, ends_at: object = None, **most: int) -> None:
    """Give the place a plan of its own with these limits."""
    plan = Plan(slug=f"p-{new_id()}", name="Small", **most)
    with shared_work(PLATFORM) as ctx:
        ctx.session.add(plan)
    with shared_work(PLATFORM) as ctx:
        service.assign(ctx, place.tenant_id, plan.slug, trial_ends_at=ends_at)


def refused(place: Place, limit: Limit, adding: int = 1) -> str:
    with place.system_work() as ctx:
        return limits.refusal(ctx, limit, adding)


def test_without_a_plan_of_its_own_a_workspace_has_no_limits(place):
    assert [refused(place, limit, 10**9) for limit in Limit] == [""] * 6
    with place.work() as ctx:
        found = queries.plan(ctx)
    assert (found.slug, found.ends_at, found.is_over) == ("unlimited", None, False)


def test_messages_stop_at_the_month_s_limit_and_nothing_is_written(place, rival):
    limited(place, messages=2)
    talk = conversation_of(place, phone="15550001111")
    other = conversation_of(rival, phone="15550002222")
    with place.system_work() as ctx:
        record(ctx, UsageKind.OUTGOING_MESSAGE, 1)
    with place.work("agent") as ctx:
        inbox.reply(ctx, talk, Draft.text("One", key="1"))  # waits to leave, and counts
    with pytest.raises(PlanLimit) as error, place.work("agent") as ctx:
        inbox.reply(ctx, talk, Draft.text("Two", key="2"))
    assert error.value.message.startswith(
        "The plan “Small” includes 2 messages a month, and that would be more. It begins anew on 1 "
    )
    assert error.value.message.endswith("An owner can ask for a larger plan under Billing.")
    with place.system_work() as ctx:
        assert [one.text for one in ctx.session.exec(select(Message))] == ["One"]
    with place.work("agent") as ctx:  # the same again is the same, not one more
        inbox.reply(ctx, talk, Draft.text("One", key="1"))
    with rival.work("agent") as ctx:
        inbox.reply(ctx, other, Draft.text("Free", key="3"))


def test_a_campaign_fits_into_the_month_or_does_not_begin(place):
    people(place, 3)
    limited(place, messages=2)
    found = driven(place, launched(place), 2)
    assert found.status == "draft"
    assert found.problem.startswith("The plan “Small” includes 2 messages a month")
    assert messages(place) == []


def test_a_campaign_stops_where_the_trial_ends(place):
    people(place, 300)
    campaign_id = launched(place)
    driven(place, campaign_id)
    limited(place, ends_at=clock.now() - DAY)
    found = driven(place, campaign_id)
    assert found.status == "paused"
    assert found.problem.startswith("Your trial ended on ")
    assert len(messages(place)) == 240


def test_last_months_use_is_not_this_months(place):
    limited(place, messages=5)
    with place.system_work() as ctx:
        record(ctx, UsageKind.OUTGOING_MESSAGE, 3)
        long_ago = ctx.now - 40 * DAY
        before = UsageEvent(kind=UsageKind.OUTGOING_MESSAGE, quantity=100, occurred_at=long_ago)
        ctx.session.add(before)
    assert refused(place, Limit.MESSAGES, 2) == ""
    assert refused(place, Limit.MESSAGES, 3) != ""


def test_a_trial_ends_nothing_is_sent_and_everything_is_read(place):
    limited(place, ends_at=clock.now() - DAY)
    talk = conversation_of(place, phone="15550001111")
    with pytest.raises(PlanLimit) as error, place.work("agent") as ctx:
        inbox.reply(ctx, talk, Draft.text("Hello", key="1"))
    assert error.value.message.startswith("Your trial ended on ")
    assert refused(place, Limit.TOKENS) != ""
    assert refused(place, Limit.CONTACTS) == ""
    with place.work("agent") as ctx:
        inbox.add_note(ctx, talk, "Still here")
    with place.work() as ctx:
        assert queries.plan(ctx).is_over
    with shared_work(PLATFORM) as ctx:
        service.assign(ctx, place.tenant_id, "unlimited")
    with place.work("agent") as ctx:
        inbox.reply(ctx, talk, Draft.text("Hello", key="1"))


def test_a_trial_ends_so_many_days_after_the_workspace_began(place):
    with shared_work(PLATFORM) as ctx:
        service.assign(ctx, place.tenant_id, "trial")
        began = ctx.session.get_one(Tenant, place.tenant_id).created_at
    with place.work() as ctx:
        found = queries.plan(ctx)
    assert found.ends_at == began + timedelta(days=14)
    assert not found.is_over
    with shared_work(PLATFORM) as ctx:
        ctx.session.get_one(Tenant, place.tenant_id).created_at = began - timedelta(days=15)
    assert refused(place, Limit.MESSAGES).startswith("Your trial ended on ")


def test_people_count_with_their_open_invitations(place):
    limited(place, members=4)
    with place.work() as ctx:
        tenants.invite(ctx, "one@example.test", Role.AGENT)
    with place.work() as ctx:  # the same person again is no other
        tenants.invite(ctx, "one@example.test", Role.ADMIN)
    with pytest.raises(PlanLimit, match="4 people in the team"), place.work() as ctx:
        tenants.invite(ctx, "two@example.test", Role.AGENT)


def test_contacts_by_hand_and_from_a_file(place):
    limited(place, contacts=2)
    contact_of(place, "Ada", "15550001111")
    with place.work() as ctx:
        contacts.create(ctx, NewContact(name="Bob"))
    with pytest.raises(PlanLimit, match="includes 2 contacts"), place.work() as ctx:
        contacts.create(ctx, NewContact(name="Carl"))
    limited(place, contacts=3)
    read = [
        rows.Person(row=(place_in_file, ()), phone=phone)  # type: ignore[arg-type]
        for place_in_file, phone in enumerate(("15550001111", "15550002222", "15550003333"))
    ]
    with place.system_work() as ctx:
        taken = imports._within_plan(ctx, read)
    assert [type(one).__name__ for one in taken] == ["Person", "Person", "Refusal"]
    assert taken[2].reason.startswith("The plan “Small” includes 3 contacts")


def test_documents_and_tokens(place):
    limited(place, storage_bytes=1_000_000, tokens=100)
    with place.system_work() as ctx:
        base, agent = KnowledgeBase(name="Shop"), Agent(name="Ada", model="local")
        ctx.session.add_all([base, agent])
        record(ctx, UsageKind.DOCUMENT_STORAGE, 999_990)
        record(ctx, UsageKind.AI_AGENT_CALL, 100)
    with pytest.raises(PlanLimit, match="1 MB of documents"), place.work() as ctx:
        knowledge.add_document(ctx, base.id, "hours.md", [b"# Open until six"])
    with place.work() as ctx:
        knowledge.add_document(ctx, base.id, "h.md", [b"# Six"])
        spent = turns.spent_today(ctx, agent.id)
    assert "100 AI tokens a month" in spent.refusal
    assert spent.plus(1, 1).refusal == spent.refusal


def test_owners_ask_the_platform_decides(place, rival):
    limited(place, messages=5)
    with place.work() as ctx:
        service.ask_for(ctx, "unlimited")
    with pytest.raises(Refused, match="asked for it already"), place.work() as ctx:
        service.ask_for(ctx, "unlimited")
    with place.work() as ctx:
        others = {one.slug: one.is_asked_for for one in queries.plan(ctx).others}
    assert others["unlimited"]
    assert not others["trial"]
    with pytest.raises(NotAllowed), place.work("admin") as ctx:
        service.ask_for(ctx, "trial")
    with pytest.raises(NotAllowed), place.work() as ctx:
        service.assign(ctx, place.tenant_id, "unlimited")
    with pytest.raises(NotFound), shared_work(PLATFORM) as ctx:
        service.assign(ctx, place.tenant_id, "gold")
    with rival.work() as ctx:
        assert not any(one.is_asked_for for one in queries.plan(ctx).others)
