"""What people say about marketing, by a word, in WhatsApp's settings or by a refusal: one ledger."""

import time
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import select, text

from aerostic.core import clock
from aerostic.domain.audiences import consent, queries, service
from aerostic.domain.audiences.consent import Told
from aerostic.domain.audiences.models import (
    ConsentEntry,
    ConsentSource,
    Decision,
    DeliveryTrouble,
)
from aerostic.domain.audiences.rules import START_ANSWER, STOP_ANSWER, Rules
from aerostic.domain.contacts.models import Contact
from aerostic.domain.inbox import outbox
from aerostic.domain.inbox.models import Message, Origin
from tests import builders
from tests.meta import change, delivery, message, phone, status


def say(body: str):
    return {"type": "text", "text": {"body": body}}


@pytest.fixture
def write(meta, place, run_jobs):
    """Write to the place, one message a second; the answers that wait to leave."""
    sender, clock = phone(), iter(range(int(time.time()) - 60, 10**10))

    def write(*bodies: str) -> list[str]:
        for body in bodies:
            sent = message(sender, say(body), timestamp=str(next(clock)))
            meta.deliver(delivery(place, change(place, messages=[sent])))
        run_jobs()
        with place.work() as ctx:
            ours = select(Message).where(Message.origin == Origin.AUTOMATION).order_by(Message.id)
            return [one.text for one in ctx.session.exec(ours)]

    return write


def contact(place) -> Contact:
    with place.work() as ctx:
        return ctx.session.exec(select(Contact)).one()


def ledger(place) -> list[tuple[str, str, str]]:
    with place.work() as ctx:
        entries = queries.consents(ctx).items
    return [(one.decision.value, one.source.value, one.word) for one in reversed(entries)]


@pytest.mark.parametrize(
    "body", ["STOP", " stop. ", "“Stop”", "Abmelden", "ARRÊT", "СТОП", "退订", "Opt  out"]
)
def test_stop_in_many_languages_stops_and_is_confirmed(place, rival, write, body):
    assert write(body) == [STOP_ANSWER]
    assert contact(place).marketing_stopped_at is not None
    assert ledger(place) == [("stopped", "keyword", body.strip())]
    assert ledger(rival) == []


@pytest.mark.parametrize("body", ["Please stop by at noon", "stopping", "don't stop", "START"])
def test_a_word_in_a_sentence_decides_nothing_and_start_gives_back_only_what_was_taken(
    place, write, body
):
    assert write(body) == []
    assert ledger(place) == []


def test_start_gives_back_and_both_stand_in_the_ledger(place, write):
    assert write("stop", "start") == [STOP_ANSWER, START_ANSWER]
    found = contact(place)
    assert found.marketing_stopped_at is None
    assert found.marketing_agreed_at is not None
    assert ledger(place) == [("stopped", "keyword", "stop"), ("agreed", "keyword", "start")]
    assert write("stop", "stop") == [STOP_ANSWER, START_ANSWER, STOP_ANSWER]  # confirmed once


def test_a_workspace_has_words_and_answers_of_its_own(place, write):
    with place.work() as ctx:
        service.set_rules(
            ctx, Rules(stop_words=("Genug!", "genug"), start_words=("Los",), stop_answer="")
        )
        assert queries.audience_rules(ctx).stop_words == ("genug",)
    assert write("stop") == []
    assert write("GENUG!!") == []
    assert contact(place).marketing_stopped_at is not None
    assert write("los") == [START_ANSWER]


def test_a_decision_that_comes_late_is_kept_and_changes_nothing(meta, place, run_jobs):
    sender, now = phone(), int(time.time())

    def prefer(value: str, at: int) -> None:
        told = {"wa_id": sender, "category": "marketing_messages", "value": value}
        told["timestamp"] = str(at)
        meta.deliver(
            delivery(place, change(place, field="user_preferences", user_preferences=[told]))
        )
        run_jobs()

    prefer("resume", now)
    prefer("stop", now - 60)
    prefer("stop", now - 60)  # Meta repeats itself
    assert contact(place).marketing_stopped_at is None
    assert contact(place).marketing_agreed_at == datetime.fromtimestamp(now, UTC)
    assert ledger(place) == [("agreed", "whatsapp", ""), ("stopped", "whatsapp", "")]


def test_a_refusal_that_comes_as_a_status_stops_marketing(meta, place, run_jobs):
    conversation = builders.conversation_of(place, phone="491701234567")
    message_id = builders.outbound(place, conversation)
    fail(meta, place, message_id, 131050)
    run_jobs()
    assert contact(place).marketing_stopped_at is not None
    assert ledger(place) == [("stopped", "refusal", "")]


def test_failures_in_a_row_are_counted_and_a_delivery_begins_anew(meta, place, run_jobs):
    conversation = builders.conversation_of(place, phone="491701234567")
    for _ in range(2):
        fail(meta, place, builders.outbound(place, conversation), 131026)
    run_jobs()
    assert troubles(place) == 2
    fail(meta, place, builders.outbound(place, conversation), 131053)  # another trouble
    run_jobs()
    assert troubles(place) == 2
    builders.outbound(place, conversation, status="read")
    fail(meta, place, builders.outbound(place, conversation), 131026)
    run_jobs()
    assert troubles(place) == 1


def fail(meta, place, message_id, code: int) -> None:
    told = status(f"wamid.{message_id.hex}", "failed", errors=[{"code": code, "title": "No"}])
    meta.deliver(delivery(place, change(place, statuses=[told])))


def troubles(place) -> int:
    with place.work() as ctx:
        return ctx.session.exec(select(DeliveryTrouble)).one().failures


def test_nobody_changes_the_ledger(place, write):
    write("stop")
    for statement in ("update consent_entries set word = ''", "delete from consent_entries"):
        with pytest.raises(DBAPIError) as refusal, place.work() as ctx:
            ctx.session.execute(text(statement))
        assert isinstance(refusal.value.orig, psycopg.errors.InsufficientPrivilege)
    with place.work() as ctx:
        assert len(ctx.session.exec(select(ConsentEntry)).all()) == 1


def test_a_decision_does_not_wait_for_whoever_writes_to_them(place):
    """Who writes holds the contact, then asks for the conversation that who hears them has: no circle."""
    contact_id = builders.contact_of(place, "Ada", phone())
    told = Told(contact_id, Decision.STOPPED, ConsentSource.KEYWORD, clock.now(), "stop")
    with place.work() as writing, place.work() as hearing:
        outbox.hold(writing, contact_id)
        hearing.session.execute(text("set local lock_timeout = '1s'"))
        assert consent.record(hearing, [told]) == [told]
    assert contact(place).marketing_stopped_at is not None
