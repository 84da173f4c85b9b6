"""Money of real sends: held when written, captured and given back by what Meta and the sender tell."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from aerostic.core import clock
from aerostic.domain.billing import verifying
from aerostic.domain.billing.charging import NotEnough
from aerostic.domain.billing.models import ChargeState
from aerostic.domain.campaigns import service as campaigns
from aerostic.domain.channels import service as channels
from aerostic.domain.dossier import service as dossier
from aerostic.domain.inbox import service as inbox
from aerostic.domain.inbox import statuses
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import Conversation, OutboxItem
from aerostic.domain.sending import service as sending_service
from aerostic.integrations.meta.webhooks import StatusUpdate
from bench.stand_in import Refuse, StandIn
from tests.builders import conversation_of
from tests.campaigns import running
from tests.domain.test_ledger import EURO, MARKETING, balances, charge_of
from tests.domain.test_outbox import make_template, written
from tests.meta import change, delivery, status
from tests.workers.sending import becomes, message_of, send, sending, waiting

BODY = [{"type": "BODY", "text": "Hello"}]
PHONE = "4915112345678"
ALL = (EURO, 0, 0, 0)


@pytest.fixture
def place(make_place):
    return make_place("Bluebird Café", funds=EURO)


@pytest.fixture
def graph() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def offer(place) -> Draft:
    return Draft.template(make_template(place, BODY, category="MARKETING"), {})


@pytest.fixture
def conversation(place) -> UUID:
    return conversation_of(place, phone=PHONE)


@pytest.fixture(autouse=True)
def adds_up(place) -> Iterator[None]:
    yield
    with place.system_work() as ctx:
        assert verifying.verify(ctx).findings == []


def told(place, message_id: UUID, *what: str, pricing: dict | None = None) -> None:
    """Meta's news of a message, in one delivery."""
    with place.system_work() as ctx:
        now = clock.now()
        updates = [
            StatusUpdate(f"wamid.{message_id}", one, now, message_id, [], pricing, None)
            for one in what
        ]
        assert statuses.apply(ctx, updates) == []


def test_a_template_is_held_when_it_is_written_and_charged_when_it_arrives(
    place, conversation, offer
):
    message_id = send(place, conversation, offer)
    assert balances(place) == (EURO - MARKETING, MARKETING, 0, 0)
    told(place, message_id, "sent")
    assert balances(place) == (EURO - MARKETING, MARKETING, 0, 0)
    told(place, message_id, "read", "delivered")
    told(place, message_id, "delivered", "read")
    assert balances(place) == (EURO - MARKETING, 0, MARKETING, 0)


def test_a_template_without_money_is_refused_and_nothing_is_written(make_place):
    place = make_place("Empty", funds=0)
    conversation = conversation_of(place, phone=PHONE)
    draft = Draft.template(make_template(place, BODY, category="MARKETING"), {}, key="k")
    with pytest.raises(NotEnough, match=r"lacks 0\.1365 USD"):
        send(place, conversation, draft)
    assert written(place) == (0, 0, 0)
    assert balances(place) == (0, 0, 0, 0)


def test_an_answer_is_free_and_says_so(place, conversation):
    message_id = send(place, conversation, Draft.text("Hello"))
    told(place, message_id, "delivered")
    assert charge_of(place, message_id).state == ChargeState.FREE
    assert balances(place) == ALL


def test_a_double_click_holds_once(place, conversation, offer):
    offer = Draft.template(offer.template_id, {}, key="once")
    assert send(place, conversation, offer) == send(place, conversation, offer)
    assert balances(place) == (EURO - MARKETING, MARKETING, 0, 0)


def test_what_fails_and_then_arrives_is_charged_once(place, conversation, offer):
    message_id = send(place, conversation, offer)
    told(place, message_id, "failed")
    assert balances(place) == ALL
    told(place, message_id, "delivered")
    told(place, message_id, "delivered")
    assert balances(place) == (EURO - MARKETING, 0, MARKETING, 0)
    assert charge_of(place, message_id).is_late


@pytest.mark.parametrize(
    "pricing",
    [
        {"billable": False, "type": "free_entry_point"},
        {"type": "free_entry_point"},  # Meta may leave `billable` out
        {"type": "free_customer_service", "category": "utility"},
    ],
)
def test_what_meta_does_not_bill_goes_back(place, conversation, offer, pricing):
    message_id = send(place, conversation, offer)
    told(place, message_id, "delivered", pricing=pricing)
    assert balances(place) == ALL


def test_what_meta_says_nothing_of_is_charged(place, conversation, offer):
    message_id = send(place, conversation, offer)
    told(place, message_id, "delivered", pricing={"type": "regular", "category": "marketing"})
    assert balances(place) == (EURO - MARKETING, 0, MARKETING, 0)


@pytest.mark.parametrize(
    ("step", "pricing", "left"),
    [
        ("delivered", None, (EURO - MARKETING, 0, MARKETING, 0)),
        ("read", {"type": "regular"}, (EURO - MARKETING, 0, MARKETING, 0)),
        ("delivered", {"type": "free_entry_point"}, ALL),
        ("failed", None, ALL),
    ],
)
def test_what_becomes_of_an_erased_persons_message_is_still_settled(
    meta, place, rival, conversation, offer, run_jobs, step, pricing, left
):
    message_id = send(place, conversation, offer)
    told(place, message_id, "sent")
    with place.work("owner") as ctx:
        dossier.erase(ctx, ctx.get(Conversation, conversation).contact_id)
    more = {"biz_opaque_callback_data": str(message_id)} | ({"pricing": pricing} if pricing else {})
    news = status(f"wamid.{message_id}", step, **more)
    for somebody in (rival, place, place):
        meta.deliver(delivery(somebody, change(somebody, statuses=[news])))
        run_jobs()
    assert balances(place) == left
    assert message_of(place, message_id).meta_message_id is None


@pytest.mark.parametrize("how", ["block", "erase"])
def test_what_was_on_its_way_to_someone_who_is_gone_is_not_tried_again(
    graph, place, conversation, offer, how
):
    with place.work() as ctx:
        contact_id = ctx.get(Conversation, conversation).contact_id

    def refuse(_: object) -> Refuse:
        with place.work("owner") as ctx:
            (dossier.block if how == "block" else dossier.erase)(ctx, contact_id)
        return Refuse(131016, status=500)

    graph.decide = refuse
    with sending(graph.url):
        message_id = send(place, conversation, offer)
        becomes(place, message_id, "cancelled")
    assert len(graph.messages) == 1
    assert waiting(place, message_id) is None
    assert charge_of(place, message_id).state == ChargeState.VOIDED
    assert balances(place) == ALL


def test_what_was_on_its_way_of_a_cancelled_campaign_is_not_tried_again(graph, place):
    running.people(place, 1)
    campaign_id = running.launched(place)

    def refuse(_: object) -> Refuse:
        with place.work("admin") as ctx:
            campaigns.cancel(ctx, campaign_id)
        return Refuse(131016, status=500)

    graph.decide = refuse
    running.driven(place, campaign_id)
    ((message_id,),) = [[one.id for one in running.messages(place)]]
    with sending(graph.url):
        becomes(place, message_id, "cancelled")
    running.driven(place, campaign_id)
    assert len(graph.messages) == 1
    assert running.states(place, campaign_id) == {"cancelled": 1}
    assert balances(place) == ALL


def test_what_goes_back_into_the_queue_while_its_campaign_is_cancelled_is_taken_back(place):
    running.people(place, 1)
    campaign_id = running.launched(place)
    running.driven(place, campaign_id)
    (item,) = running.waiting(place)
    running.change(place, OutboxItem, item.id, state="sending", leased_until=clock.now())
    with place.work("admin") as ctx:
        campaigns.cancel(ctx, campaign_id)
    running.driven(place, campaign_id)
    running.change(place, OutboxItem, item.id, state="queued", leased_until=None)
    running.driven(place, campaign_id)
    assert running.waiting(place) == []
    assert running.states(place, campaign_id) == {"cancelled": 1}
    assert balances(place) == ALL


@pytest.mark.parametrize("how", ["cancel", "block", "erase"])
def test_what_is_taken_back_before_it_leaves_costs_nothing(place, conversation, offer, how):
    message_id = send(place, conversation, offer)
    with place.work("owner") as ctx:
        contact_id = ctx.get(Conversation, conversation).contact_id
        if how == "cancel":
            sending_service.cancel(ctx, message_id)
        elif how == "block":
            dossier.block(ctx, contact_id)
        else:
            dossier.erase(ctx, contact_id)
    assert charge_of(place, message_id).state == ChargeState.VOIDED
    assert balances(place) == ALL


def test_what_meta_refuses_goes_back_with_what_waited_behind_it(graph, place, offer):
    """A paused template: the one that is refused, and those of it that wait."""
    graph.decide = lambda _: Refuse(132015)
    people = [conversation_of(place, str(one), phone=f"{PHONE}{one}") for one in range(3)]
    ids = [send(place, one, offer) for one in people]
    with sending(graph.url):
        for message_id in ids:
            becomes(place, message_id, "failed")
    assert {charge_of(place, one).state for one in ids} == {ChargeState.VOIDED}
    assert balances(place) == ALL


def test_of_a_number_that_is_disconnected_what_waits_goes_back(graph, place, conversation, offer):
    message_id = send(place, conversation, offer)
    with place.work("owner") as ctx:
        channels.disconnect_number(ctx, place.number_id)
    with sending(graph.url):
        becomes(place, message_id, "failed")
    assert balances(place) == ALL


def test_sent_again_it_is_held_again(place, conversation, offer):
    message_id = send(place, conversation, offer)
    told(place, message_id, "failed")
    with place.work("agent") as ctx:
        sending_service.resend(ctx, message_id)
    assert balances(place) == (EURO - MARKETING, MARKETING, 0, 0)


def test_the_window_has_no_part_in_the_price_any_more(place, offer):
    utility = Draft.template(make_template(place, BODY, name="u", category="UTILITY"), {})
    closes_at = clock.now() + timedelta(hours=1)
    conversation = conversation_of(place, phone=PHONE, window_closes_at=closes_at)
    with place.work("agent") as ctx:
        message_id = inbox.reply(ctx, conversation, utility).id
    assert charge_of(place, message_id).micros == 55_000
