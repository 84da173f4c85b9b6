"""What is said of a workflow in its workspace: who answers on its numbers, and what a template needs."""

from uuid import UUID

import pytest

from aerostic.domain.automation import service
from aerostic.domain.automation.checking import findings
from aerostic.domain.automation.graph import Graph
from aerostic.domain.channels import service as channels
from aerostic.domain.channels.models import NumberMode
from aerostic.domain.templates.models import Template
from tests.conftest import Place
from tests.workflows import edge, graph, greeting, node

NO_NUMBER = "No number leaves its answers to automation, so messages begin no run yet."
NONE_OF_ITS = "None of its numbers leaves its answers to automation, so messages begin no run yet."


def said(place: Place, made: Graph) -> list[tuple[str, str, str, str]]:
    with place.work() as ctx:
        found = findings(ctx, None, made)
    return [(str(one.severity), one.node_id, one.field, one.sentence) for one in found]


def leave_to(place: Place, mode: NumberMode) -> None:
    with place.work() as ctx:
        channels.set_mode(ctx, place.number_id, mode)


@pytest.mark.parametrize("mode", [NumberMode.PERSON, NumberMode.AI, NumberMode.PAUSED])
def test_a_trigger_that_no_number_feeds_is_told_and_does_not_keep_from_publishing(
    place, rival, mode
):
    leave_to(place, mode)
    leave_to(rival, NumberMode.AUTOMATION)
    heard_nobody = ("warning", "begin", "numbers", f"Message received: {NO_NUMBER}")
    assert said(place, greeting()) == [heard_nobody]
    with place.work() as ctx:
        workflow = service.create(ctx, "Hello", graph=greeting())
        assert service.publish(ctx, workflow.id) == 1
    assert said(rival, greeting()) == []


def test_a_trigger_is_judged_by_the_numbers_that_it_listens_to(place, make_place):
    leave_to(place, NumberMode.AUTOMATION)
    assert said(place, greeting()) == []
    with place.work() as ctx:
        channels.set_mode(ctx, place.number_id, NumberMode.PERSON)
    begin = node("begin", "trigger.keyword", keywords=["a"], numbers=[str(place.number_id)])
    made = greeting().model_copy(update={"nodes": [begin, greeting().nodes[1]]})
    assert said(place, made) == [("warning", "begin", "numbers", f"Keyword: {NONE_OF_ITS}")]


def test_a_workflow_that_programs_begin_needs_no_number(place):
    hook, stop = node("hook", "trigger.webhook"), node("end", "logic.stop")
    assert said(place, graph([hook, stop], [edge("hook", "end")])) == []


def test_every_gap_of_a_template_needs_a_value(place, rival):
    leave_to(place, NumberMode.AUTOMATION)
    template_id = str(template_of(place))
    missing = "Send a template: “body.order” of the template needs a value."
    given = [{"name": "body.first_name", "value": "{{ contact.name }}"}]
    assert said(place, sending(template_id, given)) == [
        ("error", "it", "variables.body.order", missing)
    ]
    assert said(place, sending(template_id, {"body.first_name": "A", "body.order": 17})) == []
    chosen_later = sending("{{ vars.template }}", [])
    assert [one for one in said(place, chosen_later) if "needs a value" in one[3]] == []
    theirs = [one[3] for one in said(rival, sending(template_id, given))]
    assert not any("body.order" in one for one in theirs)


def sending(template: str, variables: object) -> Graph:
    begin = node("begin", "trigger.message")
    it = node("it", "send.template", template=template, variables=variables)
    return graph([begin, it], [edge("begin", "it")])


def template_of(place: Place) -> UUID:
    """With two gaps in its text."""
    with place.work() as ctx:
        made = Template(
            account_id=place.account_id,
            name="order_ready",
            language="en",
            category="UTILITY",
            status="APPROVED",
            parameter_format="NAMED",
            components=[{"type": "BODY", "text": "Hi {{first_name}}, {{order}} is ready."}],
        )
        ctx.session.add(made)
        ctx.session.flush()
        return made.id
