"""What a message costs: markets, price books by date, Meta's rules of the day, and what a change would do."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from aerostic.core import clock, money
from aerostic.core.errors import Invalid, NotAllowed, Refused
from aerostic.core.ids import first_id_at, new_id
from aerostic.domain.billing import allowances, charging, markets, pricing, rules
from aerostic.domain.billing.charging import NotEnough, Occasion, Outcome, Settled
from aerostic.domain.billing.models import ChargeState, Rate, ServiceMonth
from aerostic.domain.billing.pricing import PriceRow
from tests.conftest import Place
from tests.domain.test_ledger import GERMAN, MARKETING, balances, charge_of, tell, write

TODAY = clock.today()


def quote(place: Place, recipient: str, category: str = "marketing") -> charging.Quote:
    with place.system_work() as ctx:
        return charging.quotes(ctx, category, [recipient], ctx.now)[0]


def set_prices(place: Place, *rows: PriceRow) -> None:
    with place.system_work() as ctx:
        pricing.set_prices(ctx, rows)


@pytest.mark.parametrize(
    ("recipient", "market"),
    [
        ("4915112345678", "Germany"),
        ("12125550000", "North America"),
        ("18095550000", "Rest of Latin America"),
        ("12465550000", "Other"),
        ("79161234567", "Russia"),
        ("77011234567", "Other"),
        ("447700900000", "United Kingdom"),
        ("BR.1349123", "Brazil"),
        ("US.ENT.77", "North America"),
        ("99999999999", None),
        ("XX.1", None),
        ("", None),
    ],
)
def test_the_market_follows_from_the_longest_calling_code_or_the_country(recipient, market):
    assert markets.market_of(recipient) == market


def test_every_market_has_a_price_to_begin_with(place):
    with place.system_work() as ctx:
        rates = set(ctx.session.exec(select(Rate.market, Rate.category)).all())
    categories = ("marketing", "utility", "authentication")
    assert {(one, category) for one in markets.names() for category in categories} <= rates


def test_a_number_in_no_market_is_a_problem_of_its_own_and_is_refused(place):
    with place.system_work() as ctx:
        good, bad = charging.quotes(ctx, "MARKETING", [GERMAN, "99999999999"], ctx.now)
    assert (good.micros, good.problem) == (MARKETING, "")
    assert (bad.micros, bad.market) == (0, "")
    assert "no market" in bad.problem
    before = balances(place)
    with pytest.raises(Refused, match="no market"):
        write(place, recipient="99999999999")
    assert balances(place) == before


def test_a_tenants_own_price_goes_before_the_card_from_its_day_on_until_it_is_handed_back(
    place, rival
):
    set_prices(place, PriceRow("Germany", "marketing", 90_000, TODAY))
    assert quote(place, GERMAN).micros == 90_000
    assert "your own price" in quote(place, GERMAN).why
    assert quote(rival, GERMAN).micros == MARKETING
    set_prices(place, PriceRow("Germany", "marketing", 80_000, TODAY))
    assert quote(place, GERMAN).micros == 80_000
    set_prices(place, PriceRow("Germany", "marketing", 1, TODAY + timedelta(days=1)))
    assert quote(place, GERMAN).micros == 80_000
    set_prices(place, PriceRow("", "marketing", 70_000, TODAY))
    assert quote(place, GERMAN).micros == 80_000
    assert quote(place, "390612345678").micros == 70_000
    set_prices(place, PriceRow("Germany", "marketing", None, TODAY))
    assert quote(place, GERMAN).micros == MARKETING


def test_a_price_that_changes_on_the_way_charges_what_was_held(place):
    held = write(place)
    set_prices(place, PriceRow("Germany", "marketing", 1_000, TODAY))
    tell(place, held, Outcome.DELIVERED)
    assert charge_of(place, held).micros == MARKETING
    assert balances(place)[2] == MARKETING


def test_a_price_of_zero_is_free_and_needs_no_money(make_place):
    place = make_place("Empty", funds=0)
    set_prices(place, PriceRow("Germany", "marketing", 0, TODAY))
    message_id = write(place)
    assert charge_of(place, message_id).state == ChargeState.FREE
    tell(place, message_id, Outcome.DELIVERED)
    assert balances(place) == (0, 0, 0, 0)


def test_metas_rules_are_those_of_the_day():
    assert rules.at(datetime(2026, 9, 30, 23, 59, tzinfo=UTC)).is_utility_free_in_window
    assert rules.at(datetime(2026, 9, 30, tzinfo=UTC)).free_service_messages is None
    assert not rules.at(datetime(2026, 10, 1, tzinfo=UTC)).is_utility_free_in_window
    assert rules.at(datetime(2026, 10, 1, tzinfo=UTC)).free_service_messages == 1000
    assert rules.at(datetime(2020, 1, 1, tzinfo=UTC)) == rules.DATED[0]


def test_a_free_entry_point_makes_everything_free(place):
    with place.system_work() as ctx:
        soon = ctx.now + timedelta(hours=1)
        occasion = Occasion(place.number_id, None, soon)
        cost = charging.cost_of(ctx, occasion, category="MARKETING", recipient=GERMAN)
        assert (cost.state, cost.micros) == (ChargeState.FREE, 0)
        over = Occasion(place.number_id, None, ctx.now)
        cost = charging.cost_of(ctx, over, category="MARKETING", recipient=GERMAN)
        assert cost.micros == MARKETING


def used(place: Place) -> int:
    with place.system_work() as ctx:
        month = allowances.month_of(ctx.now)
        found = ctx.session.get(ServiceMonth, (place.tenant_id, place.number_id, month))
        return found.used if found else 0


def answer(place: Place) -> UUID:
    return write(place, category="SERVICE")


def test_the_thousand_free_answers_of_a_number_are_counted_and_then_cost(make_place):
    place = make_place("Talkative", funds=0)
    first = answer(place)
    assert charge_of(place, first).why == "Free: one of the number's 1,000 answers of this month."
    with place.system_work() as ctx:
        month = ctx.session.get(
            ServiceMonth, (place.tenant_id, place.number_id, allowances.month_of(ctx.now))
        )
        month.used = 999
    last = answer(place)
    assert used(place) == 1000
    with pytest.raises(NotEnough):
        answer(place)
    for _ in range(2):
        tell(place, last, Outcome.FAILED)
    assert used(place) == 999
    answer(place)
    assert used(place) == 1000
    tell(place, first, Outcome.DELIVERED)
    assert used(place) == 1000


def test_what_meta_calls_free_is_given_back(place):
    before = balances(place)
    message_id = write(place)
    with place.system_work() as ctx:
        charging.settle(ctx, [Settled(message_id, Outcome.FREE)])
    assert balances(place) == before
    charge = charge_of(place, message_id)
    assert charge.state == ChargeState.FREE
    assert charge.why.endswith("WhatsApp then said that it is free.")


def test_a_rate_card_goes_out_and_comes_in_the_same(place):
    with place.system_work() as ctx:
        before = pricing.write_csv(pricing.rate_card(ctx))
        assert pricing.import_card(ctx, before) == len(before.splitlines()) - 1
        assert pricing.write_csv(pricing.rate_card(ctx)) == before


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("USD,Atlantis,marketing,1,2026-01-01", "Line 2: There is no market “Atlantis”."),
        ("USD,Germany,marketing,cheap,2026-01-01", "Line 2: Write an amount"),
        ("USD,Germany,marketing,0.0000001,2026-01-01", "Line 2: An amount has at most six"),
        ("USD,Germany,marketing,-1,2026-01-01", "Line 2: A price is zero or more."),
        ("USD,Germany,gossip,1,2026-01-01", "Line 2: A category is one of"),
        ("USD,Germany,marketing,1,soon", "Line 2: write the day as 2026-11-23."),
    ],
)
def test_a_wrong_line_of_a_card_is_named(line, problem):
    with pytest.raises(Invalid, match=problem):
        pricing.read_csv("currency,market,category,price,valid_from\n" + line)


def test_a_card_without_a_column_is_refused():
    with pytest.raises(Invalid, match="lacks the column price"):
        pricing.read_csv("currency,market,category,valid_from\n")


def test_what_a_new_price_would_have_cost_is_shown_before_it_is_set(place):
    for recipient in (GERMAN, GERMAN, "390612345678"):
        tell(place, write(place, recipient=recipient), Outcome.DELIVERED)
    tell(place, write(place), Outcome.FAILED)
    with place.system_work() as ctx:
        effects = pricing.preview(ctx, [PriceRow("Germany", "marketing", 100_000, TODAY)])
    assert [(one.market, one.messages, one.was_micros, one.would_be_micros) for one in effects] == [
        ("Germany", 2, 2 * MARKETING, 200_000),
        ("Italy", 1, 69_100, 69_100),
    ]
    assert quote(place, GERMAN).micros == MARKETING


def test_only_the_platform_sets_prices(place):
    with pytest.raises(NotAllowed), place.work("owner") as ctx:
        pricing.set_prices(ctx, [PriceRow("Germany", "marketing", 1, TODAY)])


def test_a_message_of_which_nothing_was_heard_is_voided_after_a_month(place):
    from workers.jobs import billing

    before = balances(place)
    lost = UUID(int=first_id_at(clock.now() - timedelta(days=32)).int + 7)
    with place.system_work() as ctx:
        occasion = Occasion(place.number_id, None, None)
        cost = charging.cost_of(ctx, occasion, category="marketing", recipient=GERMAN)
        charging.hold_message(ctx, lost, place.number_id, cost)
        charging.hold_message(ctx, new_id(), place.number_id, cost)
    billing.expire()
    assert charge_of(place, lost).state == ChargeState.VOIDED
    assert balances(place) == (before[0] - MARKETING, MARKETING, 0, 0)


@pytest.mark.parametrize(
    ("text", "micros"), [("25", 25_000_000), ("0.0529", 52_900), ("1,250.5", 1_250_500_000)]
)
def test_amounts_are_read_exactly(text, micros):
    assert money.micros_of(text) == micros


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "1e30", "0.0000001"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(Invalid):
        money.micros_of(text)


def test_amounts_are_shown_with_all_their_decimals():
    assert money.shown(1_500_000, "USD") == "1.50 USD"
    assert money.shown(52_900, "USD") == "0.0529 USD"
    assert money.shown(-1_234_567_000_001, "EUR") == "-1,234,567.000001 EUR"
