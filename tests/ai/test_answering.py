"""A number in mode AI: whoever writes is answered by the workspace's agent, and by nobody else."""

import pytest
from sqlmodel import select, text

from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import shared_work
from aerostic.domain.ai import service
from aerostic.domain.channels.models import NumberMode
from aerostic.domain.inbox.models import Conversation, Direction, Message
from tests.ai.agents import agent_of
from tests.automation.living import answered_by, automating, statuses_of, writes
from tests.builders import conversation_of
from tests.waiting import until


@pytest.fixture(autouse=True)
def nothing_is_due():
    """The process looks for work over all tenants: what earlier tests left undone is not this test's."""
    with shared_work(STRANGER) as ctx:
        ctx.session.execute(text("delete from due_work"))


def answering(place, **draft):
    agent = agent_of(place, **draft)
    with place.work("admin") as ctx:
        service.choose_answering(ctx, agent)
    answered_by(place, NumberMode.AI)
    return agent


def sent(place, conversation):
    with place.system_work() as ctx:
        ours = select(Message.text).where(
            Message.conversation_id == conversation, Message.direction == Direction.OUTBOUND
        )
        return list(ctx.session.exec(ours.order_by(Message.id)))


def mode_of(place, conversation):
    with place.system_work() as ctx:
        return ctx.get(Conversation, conversation).mode


def test_the_answering_agent_answers_once(google, place):
    answering(place)
    talk = conversation_of(place, "Ada", phone="15550001111")
    google.will_answer({"text": "Good morning, Ada."})
    with automating():
        writes(place, talk, "Hello")
        until(lambda: statuses_of(place) == ["done"], what="the run")
    assert sent(place, talk) == ["Good morning, Ada."]
    assert mode_of(place, talk) is None


def test_what_it_can_not_answer_goes_to_a_person_with_its_last_words(google, place):
    answering(place, hand_over_words=["human"], fallback="A colleague will write soon.")
    talk = conversation_of(place, "Ada", phone="15550001111")
    with automating():
        writes(place, talk, "A human, please")
        until(lambda: statuses_of(place) == ["done"], what="the run")
        writes(place, talk, "Are you there?")
    assert sent(place, talk) == ["A colleague will write soon."]
    assert mode_of(place, talk) == "person"
    assert google.asked() == []


def test_a_model_that_fails_leaves_the_conversation_to_a_person(google, place):
    answering(place)
    talk = conversation_of(place, "Ada", phone="15550001111")
    google.will_answer({"finish": "SAFETY"})
    with automating():
        writes(place, talk, "Hello")
        until(lambda: statuses_of(place) == ["done"], what="the run")
    assert sent(place, talk) == []
    assert mode_of(place, talk) == "person"
