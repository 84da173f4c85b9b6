"""Money: what is held, captured, given back, owed; and that every entry has its other side."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from aerostic.core.errors import Conflict, Refused
from aerostic.core.ids import new_id
from aerostic.domain.billing import charging, service, wallets
from aerostic.domain.billing.charging import NotEnough, Occasion, Outcome, Recipient, Settled
from aerostic.domain.billing.models import CampaignHold, Charge, ChargeState
from tests.conftest import Place

EURO = 1_000_000
GERMAN = "4915112345678"
MARKETING = 136_500  # to Germany, by the card that the product brings


@pytest.fixture
def place(make_place) -> Place:
    return make_place("Bluebird Café", funds=0)


@pytest.fixture
def rival(make_place) -> Place:
    return make_place("Rival", funds=0)


def top_up(place: Place, micros: int, key: str = "first") -> None:
    with place.system_work() as ctx:
        service.top_up(ctx, micros, key=key)


def write(place: Place, category: str = "marketing", recipient: str = GERMAN) -> UUID:
    """A message that is charged for, as the outbox does it."""
    with place.system_work() as ctx:
        occasion = Occasion(place.number_id, None, None)
        cost = charging.cost_of(ctx, occasion, category=category, recipient=recipient)
        message_id = new_id()
        charging.hold_message(ctx, message_id, place.number_id, cost)
        return message_id


def tell(place: Place, message_id: UUID, outcome: Outcome) -> None:
    with place.system_work() as ctx:
        charging.settle(ctx, [Settled(message_id, outcome)])


def balances(place: Place) -> tuple[int, int, int, int]:
    """Available, held, spent, owed."""
    with place.system_work() as ctx:
        found = wallets.view(ctx)
        return found.available_micros, found.held_micros, found.spent_micros, found.owed_micros


def sums(place: Place) -> dict[str, int]:
    with place.system_work() as ctx:
        rows = ctx.session.execute(
            text("select account, sum(micros) from ledger_entries group by account")
        )
        return {account: int(micros) for account, micros in rows}


def charge_of(place: Place, message_id: UUID) -> Charge:
    with place.system_work() as ctx:
        found = ctx.get(Charge, message_id)
        assert found is not None
        return found


def test_a_message_is_held_then_captured_once_however_often_it_is_told(place, rival):
    top_up(place, EURO)
    message_id = write(place)
    assert balances(place) == (EURO - MARKETING, MARKETING, 0, 0)
    for _ in range(2):
        tell(place, message_id, Outcome.DELIVERED)
        tell(place, message_id, Outcome.FAILED)
    assert balances(place) == (EURO - MARKETING, 0, MARKETING, 0)
    assert sums(place) == {
        "available": EURO - MARKETING,
        "held": 0,
        "spent": MARKETING,
        "funded": -EURO,
    }
    assert balances(rival) == (0, 0, 0, 0)


def test_what_failed_goes_back_and_what_arrives_after_that_is_charged_once(place):
    top_up(place, EURO)
    message_id = write(place)
    tell(place, message_id, Outcome.FAILED)
    assert balances(place) == (EURO, 0, 0, 0)
    for _ in range(2):
        tell(place, message_id, Outcome.DELIVERED)
    assert balances(place) == (EURO - MARKETING, 0, MARKETING, 0)
    charge = charge_of(place, message_id)
    assert (charge.state, charge.is_late) == (ChargeState.CAPTURED, True)


def test_a_wallet_that_lacks_something_says_how_much_and_nothing_is_held(place):
    top_up(place, 100_000)
    with pytest.raises(NotEnough, match=r"costs 0\.1365 USD, and your wallet lacks 0\.0365 USD"):
        write(place)
    assert balances(place) == (100_000, 0, 0, 0)


def test_several_messages_of_one_transaction_are_held_together_or_refused(place):
    top_up(place, 2 * MARKETING)
    occasion = Occasion(place.number_id, None, None)
    with pytest.raises(NotEnough), place.system_work() as ctx:
        for _ in range(3):
            cost = charging.cost_of(ctx, occasion, category="marketing", recipient=GERMAN)
            charging.hold_message(ctx, new_id(), place.number_id, cost)
    assert balances(place) == (2 * MARKETING, 0, 0, 0)


def test_a_part_of_the_work_that_is_undone_holds_nothing(place):
    top_up(place, EURO)
    occasion = Occasion(place.number_id, None, None)
    with place.system_work() as ctx:
        cost = charging.cost_of(ctx, occasion, category="marketing", recipient=GERMAN)
        with pytest.raises(ZeroDivisionError), ctx.session.begin_nested():
            charging.hold_message(ctx, new_id(), place.number_id, cost)
            raise ZeroDivisionError
        with ctx.session.begin_nested():
            charging.hold_message(ctx, new_id(), place.number_id, cost)
    assert balances(place) == (EURO - MARKETING, MARKETING, 0, 0)


def test_a_key_is_used_once(place):
    top_up(place, EURO)
    top_up(place, EURO)
    assert balances(place) == (EURO, 0, 0, 0)
    with pytest.raises(Conflict, match="another amount"):
        top_up(place, 2 * EURO)
    top_up(place, 2 * EURO, key="second")
    assert balances(place) == (3 * EURO, 0, 0, 0)


def test_a_refund_needs_its_debit_and_never_exceeds_it(place):
    top_up(place, EURO)
    message_id = write(place)
    with pytest.raises(Refused, match="not charged for"), place.system_work() as ctx:
        service.refund(ctx, message_id, key="a", note="it was late")
    tell(place, message_id, Outcome.DELIVERED)
    with place.system_work() as ctx:
        service.refund(ctx, message_id, key="a", note="it was late", micros=100_000)
        service.refund(ctx, message_id, key="a", note="it was late", micros=100_000)
    assert balances(place) == (EURO - MARKETING + 100_000, 0, MARKETING - 100_000, 0)
    with pytest.raises(Refused, match=r"0\.0365 USD can still"), place.system_work() as ctx:
        service.refund(ctx, message_id, key="b", note="again", micros=36_501)
    with place.system_work() as ctx:
        service.refund(ctx, message_id, key="c", note="the rest")
    assert balances(place) == (EURO, 0, 0, 0)
    with pytest.raises(Refused, match="in full"), place.system_work() as ctx:
        service.refund(ctx, message_id, key="d", note="once more")


def test_a_refunds_key_is_of_one_message(place):
    top_up(place, EURO)
    first, second = write(place), write(place)
    for message_id in (first, second):
        tell(place, message_id, Outcome.DELIVERED)
    with place.system_work() as ctx:
        service.refund(ctx, first, key="a", note="it was late")
    for micros in (MARKETING, None):
        with pytest.raises(Conflict, match="another message"), place.system_work() as ctx:
            service.refund(ctx, second, key="a", note="it was late", micros=micros)
    assert balances(place) == (EURO - MARKETING, 0, MARKETING, 0)


def test_nobody_changes_an_entry(place):
    top_up(place, EURO)
    with pytest.raises(DBAPIError, match="permission denied"), place.system_work() as ctx:
        ctx.session.execute(text("update ledger_entries set micros = 0"))
    with pytest.raises(DBAPIError, match="permission denied"), place.system_work() as ctx:
        ctx.session.execute(text("delete from ledger_entries"))


def test_the_credit_line_is_spent_and_what_is_withdrawn_is_owed_and_paid_first(place):
    top_up(place, 100_000)
    with place.system_work() as ctx:
        service.set_credit_limit(ctx, EURO)
    message_id = write(place)
    assert balances(place) == (100_000 - MARKETING, MARKETING, 0, 0)
    with place.system_work() as ctx:
        assert charging.trouble(ctx) == ""
        service.set_credit_limit(ctx, 0)
    assert balances(place) == (0, MARKETING, 0, 36_500)
    with place.system_work() as ctx:
        assert charging.trouble(ctx) == (
            "Your wallet owes 0.0365 USD. Top it up, and this goes on."
        )
    with pytest.raises(NotEnough):
        write(place, recipient="919876543210")
    tell(place, message_id, Outcome.FAILED)
    assert balances(place) == (100_000, 0, 0, 0)
    with place.system_work() as ctx:
        assert charging.trouble(ctx) == ""


def test_a_late_delivery_is_charged_even_where_nothing_is_left(place):
    top_up(place, MARKETING)
    first = write(place)
    tell(place, first, Outcome.FAILED)
    second = write(place)
    tell(place, first, Outcome.DELIVERED)
    assert balances(place) == (0, MARKETING, MARKETING, MARKETING)
    top_up(place, EURO, key="second")
    assert balances(place) == (EURO - MARKETING, MARKETING, MARKETING, 0)
    tell(place, second, Outcome.DELIVERED)
    assert balances(place) == (EURO - MARKETING, 0, 2 * MARKETING, 0)


def test_a_campaign_holds_its_whole_and_frees_the_rest_once(place):
    top_up(place, EURO)
    campaign_id, messages = new_id(), [new_id() for _ in range(3)]
    with place.system_work() as ctx:
        hold_id = charging.hold_campaign(ctx, campaign_id, 5 * MARKETING, 5)
    assert balances(place) == (EURO - 5 * MARKETING, 5 * MARKETING, 0, 0)
    with place.system_work() as ctx:
        charging.charge_recipients(ctx, hold_id, [_recipient(one) for one in messages])
    with place.system_work() as ctx:
        assert charging.release_hold(ctx, hold_id) == 2 * MARKETING
        assert charging.release_hold(ctx, hold_id) == 0
    assert balances(place) == (EURO - 3 * MARKETING, 3 * MARKETING, 0, 0)
    with place.system_work() as ctx:
        charging.settle(ctx, [Settled(one, Outcome.DELIVERED) for one in messages[:2]])
        charging.settle(ctx, [Settled(messages[2], Outcome.CANCELLED)])
    assert balances(place) == (EURO - 2 * MARKETING, 0, 2 * MARKETING, 0)
    with pytest.raises(Refused), place.system_work() as ctx:
        charging.charge_recipients(ctx, hold_id, [_recipient(new_id())])


def test_a_campaign_can_not_write_more_than_it_holds(place):
    top_up(place, EURO)
    with place.system_work() as ctx:
        hold_id = charging.hold_campaign(ctx, new_id(), MARKETING, 1)
    with pytest.raises(Refused, match="does not cover"), place.system_work() as ctx:
        charging.charge_recipients(ctx, hold_id, [_recipient(new_id()) for _ in range(2)])
    with place.system_work() as ctx:
        charging.extend_hold(ctx, hold_id, MARKETING, 1)
        charging.charge_recipients(ctx, hold_id, [_recipient(new_id()) for _ in range(2)])
        hold = ctx.get(CampaignHold, hold_id)
        ctx.session.refresh(hold)
        assert (hold.micros, hold.assigned_micros, hold.assigned_count) == (
            2 * MARKETING,
            2 * MARKETING,
            2,
        )
    with pytest.raises(NotEnough, match="lacks"), place.system_work() as ctx:
        charging.hold_campaign(ctx, new_id(), EURO, 9)
    assert balances(place) == (EURO - 2 * MARKETING, 2 * MARKETING, 0, 0)


def _recipient(message_id: UUID) -> Recipient:
    return Recipient(message_id, MARKETING, "MARKETING", "Germany", None)
