"""How fast messages may leave: rules without a clock, a network or a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerostic.domain.inbox.models import Priority
from aerostic.domain.sending.outcomes import Fate, Item, outcome_of
from aerostic.domain.sending.pace import Pace
from aerostic.domain.sending.pairs import BURST, CREDIT_SECONDS, Pairs
from aerostic.domain.sending.rates import BURST_SECONDS, Bucket
from aerostic.integrations.meta.client import Accepted, Held, NeverLeft, OutcomeUnknown, Refused
from aerostic.integrations.meta.errors import RULES, Action, GraphError, failure_of, parse

NOW = datetime(2026, 11, 23, tzinfo=UTC)
pauses = st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=200)


def item(**fields) -> Item:
    facts = {
        "id": UUID(int=1),
        "conversation_id": UUID(int=2),
        "recipient": "4915112345678",
        "priority": Priority.AGENT_REPLY,
        "attempts": 1,
        "leased_until": NOW,
        "body": {"type": "text"},
    }
    return Item(**facts | fields)


def refused(code: int, **fields):
    error = GraphError(code, status=fields.pop("status", 400))
    return outcome_of(item(**fields), Refused(error), now=NOW, jitter=0.0)


# The rate of a number ---------------------------------------------------------------------------


@given(st.sampled_from([1.0, 20.0, 80.0, 1000.0]), pauses)
def test_no_stretch_of_time_has_more_than_the_rate_and_a_small_burst(rate, waits):
    bucket, now, passed = Bucket(rate), 100.0, []
    for wait in waits:
        now += wait
        while bucket.take(now) == 0.0 and len(passed) < 5000:
            passed.append(now)
    for first in range(0, len(passed), 7):
        for last in range(first, len(passed), 11):
            most = rate * (passed[last] - passed[first]) + max(1.0, rate * BURST_SECONDS) + 1
            assert last - first + 1 <= most + 1e-6


def test_who_waits_as_told_gets_the_whole_rate():
    bucket, now, sent = Bucket(80.0), 0.0, 0
    while now < 60:
        wait = bucket.take(now)
        now += wait
        sent += wait == 0.0
    assert 4799 <= sent <= 4805


def test_a_complaint_halves_the_rate_and_it_rises_again():
    bucket = Bucket(80.0)
    bucket.take(100)
    bucket.slow_down(100)
    bucket.slow_down(100.5)  # of the same moment
    assert bucket.rate == 40
    bucket.take(104)
    assert bucket.rate == 40
    bucket.take(135)
    assert bucket.rate == 80


def test_many_complaints_never_stop_a_number_for_good():
    bucket = Bucket(80.0)
    for second in range(30):
        bucket.slow_down(second * 2.0)
    assert bucket.rate == 1
    assert bucket.take(200.0) == 0


def test_a_lower_grant_holds_at_once_a_higher_one_is_used():
    bucket = Bucket(80.0)
    bucket.grant(20.0)
    assert bucket.rate == 20
    bucket.grant(1000.0)
    assert bucket.rate == 1000


@given(
    st.sampled_from([1.0, 20.0, 80.0, 1000.0]),
    st.lists(st.tuples(st.floats(0, 0.2), st.booleans()), min_size=1, max_size=200),
)
def test_a_number_that_passes_from_sender_to_sender_keeps_its_rate(rate, steps):
    """Each sender learns of the number anew, or has served it before; every one is as fast as it may be."""
    now, passed, senders = 100.0, [], [Bucket(rate), Bucket(rate)]
    for wait, passes_on in steps:
        if passes_on:
            senders.reverse()
            senders[0].begin(now)
        now += wait
        while senders[0].take(now) == 0.0 and len(passed) < 5000:
            passed.append(now)
    for first in range(0, len(passed), 7):
        for last in range(first, len(passed), 11):
            most = rate * (passed[last] - passed[first]) + max(1.0, rate * BURST_SECONDS) + 1
            assert last - first + 1 <= most + 1e-6


# One person -------------------------------------------------------------------------------------


def test_one_person_gets_forty_five_at_once_then_one_in_six_seconds():
    pairs = Pairs()
    assert [pairs.take("a", 0.0) for _ in range(BURST)] == [0.0] * 45
    assert pairs.take("a", 0.0) == pytest.approx(6)
    assert pairs.take("b", 0.0) == 0
    assert pairs.take("a", 6.0) == 0
    assert pairs.take("a", 6.0) == pytest.approx(6)


@given(pauses)
def test_no_stretch_of_time_has_more_for_one_person_than_meta_allows(waits):
    pairs, now, passed = Pairs(), 0.0, []
    for wait in waits:
        now += wait
        if pairs.take("a", now) == 0:
            passed.append(now)
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= BURST + (passed[last] - start) / 6 + 1e-6


def test_who_had_too_many_waits_and_then_gets_one_in_six_seconds():
    pairs = Pairs()
    pairs.exhausted("a", 16.0)
    assert pairs.take("a", 0.0) == pytest.approx(16)
    assert pairs.take("a", 16.0) == 0
    assert pairs.take("a", 16.0) == pytest.approx(6)


def test_whoever_is_free_again_is_forgotten():
    pairs = Pairs()
    for number in range(1000):
        pairs.take(str(number), 0.0)
        pairs.hold(str(number), 3.0)
    pairs.forget(CREDIT_SECONDS)
    assert (pairs.whole_at, pairs.held_until) == ({}, {})


# What an answer means ---------------------------------------------------------------------------


def test_an_accepted_message_has_metas_id():
    outcome = outcome_of(item(), Accepted("wamid.1"), now=NOW, jitter=0)
    assert (outcome.fate, outcome.meta_message_id) == (Fate.ACCEPTED, "wamid.1")


def test_a_message_held_back_is_no_sent_message():
    outcome = outcome_of(item(), Held("wamid.1", "held_for_quality_assessment"), now=NOW, jitter=0)
    assert (outcome.fate, outcome.meta_message_id) == (Fate.HELD, "wamid.1")


def test_a_lost_answer_is_never_tried_again():
    outcome = outcome_of(item(), OutcomeUnknown("reset"), now=NOW, jitter=0)
    assert outcome.fate is Fate.UNSETTLED


def test_what_never_left_is_tried_again_and_the_number_pauses():
    outcome = outcome_of(item(attempts=3), NeverLeft("refused"), now=NOW, jitter=0)
    assert (outcome.fate, outcome.not_before) == (Fate.AGAIN, NOW + timedelta(seconds=4))
    pace = Pace(lambda: 50.0)
    pace.learn(outcome, NOW)
    assert pace.pause == 4


@pytest.mark.parametrize("attempts, seconds", [(1, 4), (2, 16), (3, 64)])
def test_the_pair_limit_backs_off_by_powers_of_four(attempts, seconds):
    outcome = refused(131056, attempts=attempts)
    assert (outcome.fate, outcome.not_before) == (Fate.AGAIN, NOW + timedelta(seconds=seconds))


def test_the_pair_limit_delays_that_person_only():
    pace = Pace(lambda: 50.0)
    pace.learn(refused(131056), NOW)
    assert pace.pairs.wait("4915112345678", 50.0) == 4
    assert pace.pairs.wait("4915100000000", 50.0) == 0
    assert (pace.pause, pace.bucket.rate) == (0, 80)


def test_marketing_that_meta_holds_back_waits_a_day_and_answers_go_on():
    outcome = refused(131049, priority=Priority.MARKETING)
    pace = Pace(lambda: 50.0)
    pace.learn(outcome, NOW)
    assert outcome.not_before == NOW + timedelta(days=1)
    assert pace.pairs.wait("4915112345678", 50.0) == 0


def test_too_fast_slows_the_number():
    pace = Pace(lambda: 50.0)
    pace.learn(refused(130429), NOW)
    assert pace.bucket.rate == 40


def test_every_rule_says_what_happened_in_a_sentence_and_ends():
    assert len(RULES) > 60
    for code, rule in RULES.items():
        assert rule.reason.endswith("."), code
        assert rule.tries <= 100, code
        if rule.action is Action.RETRY:
            assert rule.tries > 0, code
            assert rule.wait > 0, code


def test_a_token_problem_never_uses_up_a_try():
    outcome = refused(190, status=401, attempts=500)
    assert (outcome.fate, outcome.counts) == (Fate.AGAIN, False)


def test_an_unknown_code_is_told_in_metas_words():
    told = {"code": 999999, "message": "Odd", "error_data": {"details": "The moon is full"}}
    assert parse(told).rule.reason == "WhatsApp refused the message: The moon is full"
    assert failure_of(told)["kind"] == "permanent"


KEYS = st.sampled_from(["code", "message", "error_data", "details"])
LEAVES = st.none() | st.text() | st.integers()


@given(st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner)))
def test_whatever_stands_in_an_error_there_is_a_reason(odd):
    told = failure_of(odd if isinstance(odd, dict) else {"code": odd})
    assert told["reason"]
