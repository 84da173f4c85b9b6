"""Each kind of node through the engine: what it does, and what it says when it can not."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic import ValidationError
from sqlmodel import col, select

from aerostic.core import clock
from aerostic.core.errors import Invalid
from aerostic.core.ids import new_id
from aerostic.core.settings import settings
from aerostic.domain.automation.models import ExecutionMode
from aerostic.domain.automation.nodes import BY_KIND, NODES
from aerostic.domain.automation.nodes.base import Call, Change, Equipment, Instant, Trigger
from aerostic.domain.automation.runner import Runner
from aerostic.domain.automation.waits import resume
from aerostic.domain.contacts.models import Contact, ContactTag, Tag
from aerostic.domain.inbox.drafts import Draft
from aerostic.domain.inbox.models import (
    Conversation,
    ConversationEvent,
    ConversationLabel,
    Label,
    Message,
    OutboxItem,
    Priority,
)
from aerostic.domain.media.models import Media, MediaStatus
from aerostic.domain.media.service import open_media
from aerostic.domain.templates.models import Template
from aerostic.domain.vault import service as vault
from aerostic.simulator.bodies import OutboundMessage
from tests.automation.kinds import (
    begun,
    execution_of,
    graph_of,
    published,
    steps,
    test_kinds,  # noqa: F401
    walked,
    walking,
)
from tests.builders import contact_of, conversation_of
from tests.conftest import Place
from tests.mailbox import mails_to, text_of

Step = Mapping[str, Any]
ADA = "15550001111"


def take(
    place: Place,
    kind: str,
    config: Mapping[str, Any],
    *,
    conversation_id: UUID | None = None,
    **given: Any,
) -> Step:
    """The one step of that kind, after a run took it as far as it goes."""
    return steps(place, _run(place, kind, config, conversation_id=conversation_id, **given))[-1]


def _run(
    place: Place,
    kind: str,
    config: Mapping[str, Any],
    *,
    conversation_id: UUID | None = None,
    mode: ExecutionMode = ExecutionMode.LIVE,
    **given: Any,
) -> UUID:
    graph = graph_of(("t", "trigger.test", {}), ("n", kind, config), leads=["t n"])
    version = published(place, graph)
    execution_id = begun(place, version, conversation_id=conversation_id, mode=mode, **given)
    walked(place, execution_id)
    return execution_id


def reply(place: Place, execution_id: UUID, text: str = "", **message: Any) -> Step:
    """The contact answers; the step as it stands then."""
    with place.system_work() as ctx:
        assert resume(ctx, execution_id, {"id": "m", "type": "text", "text": text, **message})
    walked(place, execution_id)
    return steps(place, execution_id)[-1]


def sent(place: Place) -> list[dict[str, Any]]:
    """The bodies that wait to leave, oldest first. The stand-in for WhatsApp takes each of them."""
    with place.system_work() as ctx:
        rows = ctx.session.exec(select(OutboxItem).order_by(col(OutboxItem.id)))
        bodies = [one.body for one in rows]
    for body in bodies:
        OutboundMessage.model_validate(body)
    return bodies


@pytest.fixture
def ada(place: Place) -> UUID:
    return conversation_of(place, phone=ADA)


def _contact(place: Place, conversation_id: UUID) -> Contact:
    with place.system_work() as ctx:
        conversation = ctx.get(Conversation, conversation_id)
        assert conversation is not None
        contact = ctx.get(Contact, conversation.contact_id)
        assert contact is not None
        return contact


# All of them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NODES, ids=lambda one: one.kind)
def test_every_kind_can_be_drawn_and_documented(kind: Any) -> None:
    schema = kind.Config.model_json_schema()
    assert kind.title
    assert kind.summary.endswith(".")
    for name, field in schema.get("properties", {}).items():
        assert field.get("title") or "$ref" in field or "anyOf" in field, f"{kind.kind}.{name}"


@pytest.mark.parametrize("kind", NODES, ids=lambda one: one.kind)
def test_every_kind_says_how_it_takes_effect(kind: Any) -> None:
    ways = (Instant, Change, Call, Trigger, Equipment)
    assert sum(issubclass(kind, one) for one in ways) == 1
    for name, what in inspect.getmembers(kind, inspect.ismethod):
        assert "raise NotImplementedError" not in inspect.getsource(what), name
    if issubclass(kind, Change):
        assert kind.prepares is (kind.prepare.__func__ is not Change.prepare.__func__)


def test_there_is_no_kind_that_changes_something_in_a_recorded_run() -> None:
    kinds = [one for one in NODES if issubclass(one, Instant | Change | Call)]
    assert len(kinds) > 30
    assert {one.kind for one in kinds if one.reads_only and issubclass(one, Change)} <= {
        "contact.find",
        "ai.knowledge_search",
        "wallet.check",
    }


# Messages -----------------------------------------------------------------------------------------


def test_a_text_with_values_is_sent_once(place: Place, ada: UUID) -> None:
    step = take(place, "send.text", {"text": "Hello {{ contact.name }}!"}, conversation_id=ada)
    (body,) = sent(place)
    assert (body["to"], body["text"]) == (ADA, {"body": "Hello Ada Lovelace!"})
    with place.system_work() as ctx:
        message = ctx.get(Message, UUID(step["output"]["message_id"]))
        assert message is not None
        assert (message.origin, message.status) == ("automation", "queued")


def test_after_24_hours_a_text_is_refused_with_the_reason(place: Place) -> None:
    late = conversation_of(place, phone=ADA, window_closes_at=clock.now() - timedelta(hours=1))
    step = take(place, "send.text", {"text": "Hello"}, conversation_id=late)
    assert step["status"] == "failed"
    assert "WhatsApp only allows templates here" in step["error"]
    assert sent(place) == []


def test_the_error_port_leads_on_where_a_message_can_not_be_sent(place: Place) -> None:
    late = conversation_of(place, phone=ADA, window_closes_at=None)
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("n", "send.text", {"text": "Hello"}),
        ("e", "logic.set", {"values": [{"name": "why", "value": "{{ nodes.n.error }}"}]}),
        leads=["t n", "n.error e"],
    )
    execution = walked(place, begun(place, published(place, graph), conversation_id=late))
    assert execution.status == "done"
    assert [one["node"] for one in steps(place, execution.id)][-1] == "e"


def test_a_run_without_a_conversation_says_whom_it_would_need(place: Place, ada: UUID) -> None:
    step = take(place, "send.text", {"text": "Hello"})
    assert step["error"].startswith("This run has no conversation.")
    step = take(
        place,
        "send.text",
        {"text": "Hi", "to": "{{ webhookPayload.body.phone }}"},
        webhookPayload={"body": {"phone": "+1 555 000 1111"}},
    )
    assert step["output"]["conversation_id"] == str(ada)
    assert len(sent(place)) == 1


def test_a_template_reaches_a_number_that_never_wrote(place: Place) -> None:
    template = _template(place)
    config = {"template": str(template), "to": "+15550007777", "variables": {"body.1": "Eve"}}
    step = take(place, "send.template", config)
    (body,) = sent(place)
    assert body["to"] == "15550007777"
    assert body["template"]["components"][0]["parameters"] == [{"type": "text", "text": "Eve"}]
    assert step["output"]["text"] == "Hello Eve"
    take(place, "send.template", config)
    with place.system_work() as ctx:
        numbers = select(Contact).where(Contact.phone == "15550007777")
        assert len(ctx.session.exec(numbers).all()) == 1


def test_marketing_of_a_workflow_waits_behind_what_is_useful(place: Place, ada: UUID) -> None:
    for category in ("MARKETING", "UTILITY", "AUTHENTICATION"):
        config = {"template": str(_template(place, category)), "variables": {"body.1": "Eve"}}
        take(place, "send.template", config, conversation_id=ada)
    with place.system_work() as ctx:
        waiting = select(OutboxItem.priority).order_by(col(OutboxItem.id))
        assert ctx.session.exec(waiting).all() == [
            Priority.MARKETING,
            Priority.UTILITY,
            Priority.ONE_TIME_CODE,
        ]


def test_a_template_with_a_gap_left_open_is_refused(place: Place, ada: UUID) -> None:
    step = take(place, "send.template", {"template": str(_template(place))}, conversation_id=ada)
    assert step["error"] == "The template needs a value for {{1}} in its body."
    assert sent(place) == []


def test_buttons_and_lists_are_what_whatsapp_wants(place: Place, ada: UUID) -> None:
    buttons = [{"title": "Yes"}, {"id": "no", "title": "No"}]
    take(
        place,
        "send.buttons",
        {"text": "Well?", "buttons": buttons, "footer": "f"},
        conversation_id=ada,
    )
    rows = [
        {"title": "Small", "section": "Sizes"},
        {"title": "Large", "section": "Sizes", "description": "42 cm"},
        {"id": "r", "title": "Red", "section": "Colours"},
    ]
    take(
        place,
        "send.list",
        {"text": "Choose", "rows": rows, "header": "Shirts"},
        conversation_id=ada,
    )
    first, second = (one["interactive"] for one in sent(place))
    assert first["action"]["buttons"] == [
        {"type": "reply", "reply": {"id": "button_1", "title": "Yes"}},
        {"type": "reply", "reply": {"id": "no", "title": "No"}},
    ]
    assert second["action"]["sections"] == [
        {
            "title": "Sizes",
            "rows": [
                {"id": "row_1", "title": "Small"},
                {"id": "row_2", "title": "Large", "description": "42 cm"},
            ],
        },
        {"title": "Colours", "rows": [{"id": "r", "title": "Red"}]},
    ]


def test_a_file_is_sent_as_what_it_is(place: Place, ada: UUID) -> None:
    picture, paper = _media(place, "image/png"), _media(place, "application/pdf")
    take(place, "send.media", {"media": str(picture), "caption": "Look"}, conversation_id=ada)
    take(place, "send.media", {"media": str(paper)}, conversation_id=ada)
    first, second = sent(place)
    assert first["image"] == {"id": f"media:{picture}", "caption": "Look"}
    assert second["document"] == {"id": f"media:{paper}", "filename": "file"}


def test_another_workspaces_file_is_not_there(place: Place, rival: Place, ada: UUID) -> None:
    step = take(
        place, "send.media", {"media": str(_media(rival, "image/png"))}, conversation_id=ada
    )
    assert step["error"] == "That file is not here (any more). Choose it again."
    assert sent(place) == []


def test_forms_products_links_and_places_are_what_whatsapp_wants(place: Place, ada: UUID) -> None:
    flow = {
        "text": "Tell us",
        "flow_id": "1234567890",
        "label": "Open",
        "screen": "START",
        "values": {"name": "{{ contact.name }}"},
    }
    take(place, "send.flow", flow, conversation_id=ada)
    take(
        place, "send.product", {"catalog_id": "9", "products": [{"id": "sku"}]}, conversation_id=ada
    )
    several = {
        "offered": "products",
        "catalog_id": "9",
        "header": "Shoes",
        "text": "Ours",
        "products": [{"id": "a"}, {"id": "b", "section": "New"}],
    }
    take(place, "send.product", several, conversation_id=ada)
    take(
        place,
        "send.link",
        {"text": "See", "label": "Shop", "url": "https://x.test"},
        conversation_id=ada,
    )
    take(
        place,
        "send.location",
        {"latitude": "52.5", "longitude": 13.4, "name": "Us"},
        conversation_id=ada,
    )
    bodies = sent(place)
    assert [one["type"] for one in bodies] == ["interactive"] * 4 + ["location"]
    parameters = bodies[0]["interactive"]["action"]["parameters"]
    assert parameters.pop("flow_token").startswith("run:")
    assert parameters == {
        "flow_message_version": "3",
        "flow_id": "1234567890",
        "flow_cta": "Open",
        "flow_action": "navigate",
        "mode": "published",
        "flow_action_payload": {"screen": "START", "data": {"name": "Ada Lovelace"}},
    }
    assert bodies[1]["interactive"] == {
        "type": "product",
        "action": {"catalog_id": "9", "product_retailer_id": "sku"},
    }
    assert bodies[2]["interactive"]["action"]["sections"] == [
        {"title": "Shoes", "product_items": [{"product_retailer_id": "a"}]},
        {"title": "New", "product_items": [{"product_retailer_id": "b"}]},
    ]
    assert bodies[4]["location"] == {"latitude": 52.5, "longitude": 13.4, "name": "Us"}


def test_what_meta_would_refuse_is_refused_before_it_leaves() -> None:
    refused = [
        Draft.flow("Text", "Open", "not-a-number"),
        Draft.flow("Text", "A button that is too long", "1"),
        Draft.product("", "sku"),
        Draft.products("9", {}, header="h", body="b"),
        Draft.products("9", {"t": ["a"] * 31}, header="h", body="b"),
        Draft.products("9", {"": ["a"]}, header="h", body="b"),
        Draft.catalogue(""),
    ]
    for draft in refused:
        with pytest.raises(Invalid):
            draft.validate()


# Questions ----------------------------------------------------------------------------------------


ANSWERS = [
    ("ask.text", {"pattern": r"^\d{5}$"}, "hello", "10115", "10115"),
    ("ask.number", {"least": 1, "most": 2_000, "whole": True}, "many", "I need 1.234", 1234),
    ("ask.number", {}, "1 or 2", "12,50 €", 12.5),
    ("ask.email", {}, "ada at example", "It is <Ada@Example.com>.", "ada@example.com"),
    ("ask.date", {"order": "day_first"}, "soon", "24.12.2026", "2026-12-24"),
    ("ask.date", {"order": "month_first"}, "31/31/2026", "12/24/2026", "2026-12-24"),
    ("ask.date", {}, "2026-02-30", "2027-02-28", "2027-02-28"),
]


@pytest.mark.parametrize("kind,config,wrong,right,answer", ANSWERS)
def test_a_question_is_asked_again_until_it_is_answered(
    place: Place, ada: UUID, kind: str, config: dict[str, Any], wrong: str, right: str, answer: Any
) -> None:
    run = _run(place, kind, {"question": "Well?", **config}, conversation_id=ada)
    assert execution_of(place, run).status == "waiting"
    reply(place, run, wrong)
    assert [one["text"]["body"] for one in sent(place)] == ["Well?", BY_KIND[kind].again]
    step = reply(place, run, right)
    assert (step["port"], step["output"]["answer"]) == ("out", answer)
    assert execution_of(place, run).status == "done"


def test_a_question_gives_up_after_its_tries(place: Place, ada: UUID) -> None:
    config = {"question": "How many?", "tries": 1, "retry_text": "A number, please."}
    run = _run(place, "ask.number", config, conversation_id=ada)
    reply(place, run, "some")
    step = reply(place, run, "some more")
    assert step["port"] == "invalid"
    assert [one["text"]["body"] for one in sent(place)] == ["How many?", "A number, please."]


def test_a_question_that_nobody_answers_goes_on_by_its_own_port(place: Place, ada: UUID) -> None:
    config = {"question": "Still there?", "timeout": 0.01, "timeout_unit": "seconds"}
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("n", "ask.text", config),
        ("late", "logic.set", {"values": [{"name": "x", "value": 1}]}),
        leads=["t n", "n.timeout late"],
    )
    run = begun(place, published(place, graph), conversation_id=ada)

    async def twice(runner: Runner) -> None:
        await runner.run(place.tenant_id, run)
        while execution_of(place, run).status == "waiting":
            await asyncio.sleep(0.02)
            await runner.run(place.tenant_id, run)

    walking(twice)
    assert [one["node"] for one in steps(place, run)][-1] == "late"


def test_an_answer_is_written_to_the_contact(place: Place, ada: UUID) -> None:
    config = {"question": "Your address?", "contact_field": "email", "save_as": "mail"}
    run = _run(place, "ask.email", config, conversation_id=ada)
    reply(place, run, "ada@example.com")
    assert _contact(place, ada).email == "ada@example.com"


def test_choices_are_ways_to_go_on(place: Place, ada: UUID) -> None:
    choices = [{"id": "s", "title": "Sales"}, {"title": "Support"}]
    config = {"question": "Whom do you need?", "choices": choices}
    assert [port.name for port in BY_KIND["ask.choice"].outputs_of(config)][:2] == ["s", "choice_2"]
    for said, port in (
        ({"choice_id": "s", "text": "Sales"}, "s"),
        ({"text": " support "}, "choice_2"),
        ({"text": "1"}, "s"),
    ):
        run = _run(place, "ask.choice", config, conversation_id=ada)
        assert reply(place, run, **said)["port"] == port
    assert [one["interactive"]["type"] for one in sent(place)] == ["button"] * 3


def test_four_choices_are_a_list(place: Place, ada: UUID) -> None:
    choices = [{"title": one} for one in ("A", "B", "C", "D")]
    _run(place, "ask.choice", {"question": "Which?", "choices": choices}, conversation_id=ada)
    (body,) = sent(place)
    assert body["interactive"]["action"]["sections"][0]["rows"][3] == {
        "id": "choice_4",
        "title": "D",
    }


# Logic --------------------------------------------------------------------------------------------


HOLDS = [
    ("DE", "equals", "de", True),
    ("7", "equals", 7.0, True),
    ("Straße 7", "contains", "STRASSE", True),
    ([1, "b"], "contains", "B", True),
    ("order 42", "matches", r"order\s+(\d+)", True),
    ("x", "matches", "(a+)+$", False),
    ("b", "one_of", "a, b, c", True),
    ("b", "one_of", ["a"], False),
    ("10", "greater", "9", True),
    ("2026-11-23", "less", "2026-12-01T00:00:00+01:00", True),
    ("", "greater", 1, False),
    ("  ", "empty", None, True),
    (0, "empty", None, False),
    ("yes", "true", None, True),
    ("no", "false", None, True),
    ("Ada", "begins", "a", True),
    ("Ada", "ends", "x", False),
    ("a", "not_equals", "b", True),
]


@pytest.mark.parametrize("value,how,to,is_so", HOLDS)
def test_a_condition_compares_by_the_kind_of_value(
    place: Place, value: Any, how: str, to: Any, is_so: bool
) -> None:
    step = take(
        place,
        "logic.condition",
        {"conditions": [{"value": "{{ vars.it }}", "compare": how, "to": to}]},
        vars={"it": value},
    )
    assert (step["port"], step["output"]) == ("true" if is_so else "false", is_so)


def test_all_or_any_of_several_conditions(place: Place) -> None:
    two = [{"value": 1, "to": 1}, {"value": 1, "to": 2}]
    assert take(place, "logic.condition", {"conditions": two})["port"] == "false"
    assert take(place, "logic.condition", {"conditions": two, "combine": "any"})["port"] == "true"


def test_what_has_no_order_says_so(place: Place) -> None:
    condition = {"value": "apple", "compare": "greater", "to": "pear"}
    step = take(place, "logic.condition", {"conditions": [condition]})
    assert step["error"].startswith("“apple” and “pear” can not be put in order")


def test_a_pattern_that_is_none_is_a_reason_and_no_crash(place: Place) -> None:
    condition = {"value": "a", "compare": "matches", "to": "(("}
    step = take(place, "logic.condition", {"conditions": [condition]})
    assert step["error"].startswith("This is not a pattern")


def test_a_switch_goes_the_first_way_that_fits(place: Place) -> None:
    cases = [{"id": "big", "compare": "greater", "to": 100}, {"title": "Some", "to": 5}]
    for value, port in ((500, "big"), ("5", "case_2"), ("x", "else")):
        config = {
            "value": "{{ vars.it }}",
            "cases": cases[1:] + cases[:0] if value == "x" else cases,
        }
        expected = "else" if value == "x" else port
        assert take(place, "logic.switch", config, vars={"it": value})["port"] == expected


def test_values_are_kept_with_their_types(place: Place) -> None:
    values = [
        {"name": "total", "value": "{{ webhookPayload.body.total }}"},
        {"name": "line", "value": "{{ webhookPayload.body.total }} €"},
        {"name": "nothing", "value": "{{ webhookPayload.body.nowhere }}"},
    ]
    step = take(place, "logic.set", {"values": values}, webhookPayload={"body": {"total": 12.5}})
    assert step["output"] == {"total": 12.5, "line": "12.5 €", "nothing": ""}
    assert step["warnings"] == [
        "“webhookPayload.body.nowhere” is empty: there is no such value here."
    ]


def test_a_loop_takes_its_steps_for_each_item(place: Place) -> None:
    graph = graph_of(
        ("t", "trigger.test", {}),
        ("l", "logic.loop", {"items": "{{ webhookPayload.body }}"}),
        ("s", "logic.set", {"values": [{"name": "it", "value": "{{ index }}:{{ item.id }}"}]}),
        ("d", "logic.set", {"values": [{"name": "end", "value": "{{ vars.it }}"}]}),
        leads=["t l", "l.each s", "l.done d"],
    )
    items = [{"id": "a"}, {"id": "b"}]
    run = walked(place, begun(place, published(place, graph), webhookPayload={"body": items}))
    taken = [one["output"]["it"] for one in steps(place, run.id) if one["node"] == "s"]
    assert [one.partition(":")[2] for one in taken] == ["a", "b"]
    assert len(set(taken)) == 2


def test_a_loop_over_something_else_says_so(place: Place) -> None:
    step = take(place, "logic.loop", {"items": "{{ vars.it }}"}, vars={"it": "text"})
    assert step["error"] == "What this loop goes through is not a list."
    step = take(place, "logic.loop", {"items": "{{ vars.it }}"}, vars={"it": [0] * 1001})
    assert step["error"] == "This list has 1,001 items; a loop goes through 1,000."


def test_a_contact_always_goes_the_same_way(place: Place) -> None:
    variants = [{"id": "a", "share": 50}, {"id": "b", "share": 50}]
    config = {"variants": variants, "name": "greeting"}
    talks = [conversation_of(place, f"Person {n}", phone=f"1555000{n:04}") for n in range(12)]
    ways = [take(place, "logic.split", config, conversation_id=one)["port"] for one in talks]
    again = [take(place, "logic.split", config, conversation_id=one)["port"] for one in talks[:4]]
    assert again == ways[:4]
    assert set(ways) == {"a", "b"}
    only = {"variants": [{"id": "a", "share": 0}, {"id": "b", "share": 1}]}
    assert take(place, "logic.split", only, conversation_id=talks[0])["port"] == "b"


def test_a_stop_ends_with_a_reason_or_as_a_failure(place: Place) -> None:
    run = _run(place, "logic.stop", {"reason": "Nothing to do", "result": {"n": 1}})
    assert (execution_of(place, run).status, execution_of(place, run).reason) == (
        "done",
        "Nothing to do",
    )
    run = _run(place, "logic.stop", {"as_failure": True, "reason": "No stock"})
    assert (execution_of(place, run).status, execution_of(place, run).reason) == (
        "failed",
        "Stop: No stock",
    )


WAITS = [
    ({"amount": 2, "unit": "hours"}, timedelta(hours=2)),
    ({"until": "moment", "moment": "2020-01-01"}, None),
]


@pytest.mark.parametrize("config,length", WAITS)
def test_a_wait_rests_as_long_as_it_says(
    place: Place, config: dict[str, Any], length: timedelta | None
) -> None:
    run = execution_of(place, _run(place, "logic.wait", config))
    assert run.status == ("waiting" if length else "done")
    if length:
        assert run.wake_at is not None
        assert abs(run.wake_at - clock.now() - length) < timedelta(minutes=1)


def test_a_wait_ends_when_the_contact_writes_if_it_should(place: Place, ada: UUID) -> None:
    run = _run(place, "logic.wait", {"amount": 1, "ends_on_reply": True}, conversation_id=ada)
    assert reply(place, run, "Hello?")["port"] == "reply"


# The wallet ---------------------------------------------------------------------------------------


def test_the_wallet_decides_the_way_and_keeps_its_balance_to_itself(
    make_place: Callable[..., Place],
) -> None:
    poor = make_place(funds=3_000_000)
    for amount, port in (("2.99", "out"), ("3", "out"), ("3.000001", "low"), ("1,000", "low")):
        step = take(poor, "wallet.check", {"amount": amount})
        assert (step["port"], step["output"]["is_enough"]) == (port, port == "out")
        assert set(step["output"]) == {"amount", "currency", "is_enough"}
    assert "Write an amount" in take(poor, "wallet.check", {"amount": "much"})["error"]
    price = take(poor, "wallet.check", {"amount": "{{ vars.price }}"}, vars={"price": "2.50"})
    assert (price["port"], price["output"]["amount"]) == ("out", "2.50")


# People -------------------------------------------------------------------------------------------


def test_a_contact_is_found_by_what_is_known_of_it(place: Place, rival: Place, ada: UUID) -> None:
    contact = _contact(place, ada)
    theirs = contact_of(rival, "Theirs", "15550009999")
    for by, value in (("phone", "+1 555 000 1111"), ("id", str(contact.id))):
        step = take(place, "contact.find", {"by": by, "value": value})
        assert (step["port"], step["output"]["name"]) == ("out", "Ada Lovelace")
    for by, value in (("phone", "+15550009999"), ("id", str(theirs)), ("email", "no@x.test")):
        assert take(place, "contact.find", {"by": by, "value": value})["port"] == "none"
    assert "not a phone number" in take(place, "contact.find", {"value": "hello"})["error"]


def test_a_contact_is_entered_once_and_then_changed(place: Place) -> None:
    config = {"phone": "+1 555 000 2222", "name": "Eve", "email": "eve@example.com"}
    first = take(place, "contact.create", config)["output"]
    second = take(place, "contact.create", {**config, "name": "Eve Adams"})["output"]
    assert (first["is_new"], second["is_new"]) == (True, False)
    assert (first["id"], second["name"]) == (second["id"], "Eve Adams")
    found = take(place, "contact.find", {"by": "email", "value": "EVE@example.com"})
    assert found["output"]["id"] == first["id"]


def test_a_contact_is_changed_by_the_rules_of_contacts(place: Place, ada: UUID) -> None:
    fields = [{"name": "name", "value": "Ada King"}, {"name": "country", "value": "gb"}]
    step = take(place, "contact.update", {"fields": fields}, conversation_id=ada)
    assert (step["output"]["name"], step["output"]["country"]) == ("Ada King", "GB")
    step = take(place, "contact.update", {"fields": {"shoe_size": 42}}, conversation_id=ada)
    assert step["error"] == "This workspace keeps no field “shoe_size”."
    step = take(
        place, "contact.update", {"fields": {"name": "x", "email": "nonsense"}}, conversation_id=ada
    )
    assert "is not an e-mail address" in step["error"]
    assert _contact(place, ada).name == "Ada King"


def test_tags_are_given_and_taken(place: Place, rival: Place, ada: UUID) -> None:
    gold, theirs = _row(place, Tag(name="gold")), _row(rival, Tag(name="their"))
    step = take(
        place, "contact.tag", {"tags": [str(gold)], "names": ["new one"]}, conversation_id=ada
    )
    assert step["output"]["tags"] == ["gold", "new one"]
    step = take(place, "contact.tag", {"action": "remove", "names": ["gold"]}, conversation_id=ada)
    assert step["output"]["tags"] == ["new one"]
    step = take(place, "contact.tag", {"tags": [str(theirs)]}, conversation_id=ada)
    assert step["error"] == "That tag no longer exists."
    with rival.system_work() as ctx:
        assert ctx.session.exec(select(ContactTag)).all() == []


def test_a_conversation_is_assigned_labelled_noted_and_closed(place: Place, ada: UUID) -> None:
    vip = _row(place, Label(name="vip"))
    take(place, "conversation.assign", {"member": str(place.agent_id)}, conversation_id=ada)
    take(place, "conversation.label", {"labels": [str(vip)]}, conversation_id=ada)
    take(place, "conversation.note", {"text": "{{ contact.name }} waits"}, conversation_id=ada)
    take(place, "conversation.close", {}, conversation_id=ada)
    with place.system_work() as ctx:
        conversation = ctx.get(Conversation, ada)
        assert conversation is not None
        assert (conversation.assignee_id, conversation.status) == (place.agent_id, "closed")
        assert [one.label_id for one in ctx.session.exec(select(ConversationLabel))] == [vip]
        events = ctx.session.exec(select(ConversationEvent).order_by(col(ConversationEvent.id)))
        assert [(one.kind, one.text) for one in events] == [
            ("assigned", ""),
            ("labelled", ""),
            ("note", "Ada Lovelace waits"),
            ("closed", ""),
        ]


def test_another_workspaces_member_is_not_given_a_conversation(
    place: Place, rival: Place, ada: UUID
) -> None:
    step = take(place, "conversation.assign", {"member": str(rival.agent_id)}, conversation_id=ada)
    assert step["error"].startswith("That person can not answer in this workspace.")


def test_the_least_busy_person_is_chosen(place: Place, ada: UUID) -> None:
    for phone in ("15550003333", "15550004444"):
        conversation_of(place, phone=phone, assignee_id=place.agent_id)
    conversation_of(place, phone="15550005555", assignee_id=place.admin_id)
    among = {"to": "least_busy", "among": [str(place.agent_id), str(place.admin_id)]}
    step = take(place, "conversation.assign", among, conversation_id=ada)
    assert step["output"]["assignee_id"] == str(place.admin_id)


def test_a_hand_off_leaves_the_conversation_to_a_person(
    place: Place, ada: UUID, run_jobs: Callable[[], int]
) -> None:
    config = {"to": "member", "member": str(place.agent_id), "note": "Angry", "by_email": True}
    step = take(place, "conversation.hand_off", config, conversation_id=ada)
    assert step["output"]["assignee"] == "Agent"
    with place.system_work() as ctx:
        conversation = ctx.get(Conversation, ada)
        assert conversation is not None
        assert (conversation.mode, conversation.assignee_id) == ("person", place.agent_id)
    run_jobs()
    (mail,) = mails_to(place.emails["agent"])
    assert mail["Subject"] == "Ada Lovelace waits for your answer"
    assert "Angry" in text_of(mail)


def test_an_email_leaves_with_the_workspaces_name(
    place: Place, run_jobs: Callable[[], int]
) -> None:
    to = f"ada-{place.slug}@example.com"
    config = {"to": f"{to}, eve@example.com", "subject": "Hi\r\nBcc: x@y.z", "text": "New order"}
    step = take(place, "email.send", config)
    assert step["output"]["to"] == [to, "eve@example.com"]
    assert run_jobs() == 2
    (mail,) = mails_to(to)
    assert (mail["Subject"], mail["Bcc"]) == ("Hi Bcc: x@y.z", None)
    assert text_of(mail) == "New order\n\nSent by Bluebird Café with Aerostic.\n"
    assert take(place, "email.send", {**config, "to": "nobody"})["status"] == "failed"


# Data ---------------------------------------------------------------------------------------------


ORDERS = [
    {"id": 2, "total": "9.50", "who": {"name": "Eve"}},
    {"id": 1, "total": 20, "who": {"name": "Ada"}},
    {"id": 3, "total": None, "who": {"name": "Bob"}},
]
OPERATIONS = [
    (
        [{"do": "pick", "fields": ["id", "who.name"]}, {"do": "take", "count": 1}],
        [{"id": 2, "name": "Eve"}],
    ),
    ([{"do": "sort", "field": "id"}, {"do": "join", "field": "who.name"}], "Ada, Eve, Bob"),
    (
        [
            {"do": "filter", "field": "total", "compare": "greater", "to": 9.5},
            {"do": "get", "path": "[0].id"},
        ],
        1,
    ),
    ([{"do": "sum", "field": "total"}], 29.5),
    (
        [
            {"do": "sum", "how": "average", "field": "total"},
            {"do": "reckon", "how": "round", "by": 1},
        ],
        14.8,
    ),
    ([{"do": "sum", "how": "count"}], 3),
    (
        [
            {"do": "drop", "fields": ["who", "total"]},
            {"do": "rename", "fields": [{"old": "id", "new": "n"}]},
        ],
        [{"n": 2}, {"n": 1}, {"n": 3}],
    ),
    (
        [{"do": "take", "count": 2}, {"do": "format", "text": "[who.name]: [total] [[x"}],
        ["Eve: 9.50 [[x", "Ada: 20 [[x"],
    ),
    (
        [
            {"do": "get", "path": "first.who"},
            {"do": "to_json"},
            {"do": "parse_json"},
            {"do": "get", "path": "name"},
            {"do": "case", "to": "upper"},
        ],
        "EVE",
    ),
    ([{"do": "get", "path": "nowhere.at.all"}], None),
]


@pytest.mark.parametrize("operations,made", OPERATIONS)
def test_values_are_made_into_other_values(place: Place, operations: list[Any], made: Any) -> None:
    config = {"value": "{{ vars.orders }}", "operations": operations, "save_as": "it"}
    step = take(place, "data.transform", config, vars={"orders": ORDERS})
    assert step["error"] in ("", None)
    assert step["output"] == made


DATES = [
    (
        "2026-02-27T12:00:00+00:00",
        {"do": "shift_date", "amount": 2, "unit": "days"},
        "2026-03-01T12:00:00+00:00",
    ),
    (
        "2026-12-24",
        {"do": "format_date", "pattern": "%d.%m. %H:%M", "time_zone": "Europe/Berlin"},
        "24.12. 01:00",
    ),
    ("2026-12-24", {"do": "date_difference", "until": "2026-12-31", "unit": "days"}, 7),
    ("Call +49 (170) 12", {"do": "case", "to": "digits"}, "4917012"),
    ("Order #42 please", {"do": "extract", "pattern": r"#(\d+)"}, "42"),
    ("a; b;c", {"do": "split", "separator": ";"}, ["a", "b", "c"]),
    ("7", {"do": "reckon", "how": "divide", "by": "2"}, 3.5),
]


@pytest.mark.parametrize("value,operation,made", DATES)
def test_dates_and_texts_are_made_into_others(
    place: Place, value: str, operation: dict[str, Any], made: Any
) -> None:
    step = take(place, "data.transform", {"value": value, "operations": [operation]})
    assert step["output"] == made


@pytest.mark.parametrize(
    "value,operation,sentence",
    [
        ("x", {"do": "parse_json"}, "Operation 1: this is not JSON"),
        ("x", {"do": "sum"}, "Operation 1: this needs a list."),
        (
            1,
            {"do": "reckon", "how": "divide", "by": 0},
            "Operation 1: nothing can be divided by zero.",
        ),
        ("soon", {"do": "shift_date"}, "Operation 1: “soon” is not a date."),
        (
            "9999-12-31",
            {"do": "shift_date", "amount": 10_000},
            "Operation 1: that date is too far away.",
        ),
    ],
)
def test_what_can_not_be_done_says_which_operation(
    place: Place, value: Any, operation: dict[str, Any], sentence: str
) -> None:
    step = take(place, "data.transform", {"value": value, "operations": [operation]})
    assert step["error"].startswith(sentence)


# The outside --------------------------------------------------------------------------------------


class Shop(BaseHTTPRequestHandler):
    """A program that is called: it says what it was asked."""

    asked: list[dict[str, Any]]
    files: Mapping[str, tuple[str, bytes]] = {}

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length).decode()
        seen = {"method": self.command, "path": self.path, "headers": headers, "body": body}
        type(self).asked.append(seen)
        status = int(self.path[1:4]) if self.path[1:4].isdigit() else 200
        signed = headers.get("authorization", "")
        answer = orjson.dumps({"path": self.path, "order": {"id": 7}, "signed": signed})
        kind, answer = self.files.get(self.path, ("application/json", answer))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Set-Cookie", "session=open-sesame")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Shop.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("AEROSTIC_OUTSIDE_ALLOW", "127.0.0.1/32")
    settings.cache_clear()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    monkeypatch.undo()
    settings.cache_clear()


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
PDF = b"%PDF-1.4 an invoice"


def test_a_file_is_fetched_from_its_address_and_sent(
    place: Place, ada: UUID, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "/look.png": ("image/png", PNG),
        "/Rechnung%207.pdf": ("application/pdf; x=y", PDF),
        "/lie": ("image/jpeg", PNG),
    }
    monkeypatch.setattr(Shop, "files", files)
    for path, caption in (("/look.png", "Look"), ("/{{ vars.name }}.pdf", ""), ("/lie", "")):
        config = {"url": shop + path, "caption": caption}
        step = take(place, "send.media", config, conversation_id=ada, vars={"name": "Rechnung%207"})
        assert step["status"] == "done"
    picture, paper, truth = sent(place)
    stored = [UUID(one["id"].removeprefix("media:")) for one in (picture["image"], truth["image"])]
    assert picture["image"]["caption"] == "Look"
    assert paper["document"]["filename"] == "Rechnung 7.pdf"
    with place.work() as ctx:
        for media_id in stored:
            media, path = open_media(ctx, media_id)
            assert (media.mime_type, path.read_bytes()) == ("image/png", PNG)


@pytest.mark.parametrize(
    "path,kind,content,sentence",
    [
        ("/404", "text/plain", b"no", "There is no file at that address: it answered 404."),
        (
            "/page",
            "text/html",
            b"<html>",
            "There is a web page at that address, and not a file.",
        ),
        ("/empty.png", "image/png", b"", "This file is empty."),
        (
            "/big.png",
            "image/png",
            PNG + bytes(6 * 1024 * 1024),
            "WhatsApp takes at most 5 MB of this kind of file.",
        ),
        (
            "/huge.pdf",
            "application/pdf",
            PDF + bytes(20_000_000),
            "The answer is larger than 20 MB, so it was not taken in.",
        ),
    ],
)
def test_a_file_that_can_not_be_had_takes_the_error_port_with_the_reason(
    place: Place,
    ada: UUID,
    shop: str,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    kind: str,
    content: bytes,
    sentence: str,
) -> None:
    monkeypatch.setattr(Shop, "files", {path: (kind, content)})
    step = take(place, "send.media", {"url": shop + path}, conversation_id=ada)
    assert (step["port"], step["error"]) == ("error", sentence)
    assert sent(place) == []
    with place.system_work() as ctx:
        assert ctx.session.exec(select(Media)).all() == []


def test_a_file_inside_our_own_network_is_not_fetched(place: Place, ada: UUID) -> None:
    step = take(place, "send.media", {"url": "http://127.0.0.1/x.png"}, conversation_id=ada)
    assert "127.0.0.1" in step["error"]
    assert sent(place) == []


def test_a_file_is_one_that_is_here_or_one_by_its_address() -> None:
    for config in ({}, {"media": str(new_id()), "url": "https://x.test/a.png"}):
        with pytest.raises(ValidationError, match="Choose a file, or give the address of one"):
            BY_KIND["send.media"].Config.model_validate(config)


def test_a_recorded_run_fetches_no_file(place: Place, ada: UUID, shop: str) -> None:
    config = {"url": shop + "/look.png"}
    run = _run(place, "send.media", config, conversation_id=ada, mode=ExecutionMode.RECORDED)
    assert steps(place, run)[-1]["status"] == "recorded"
    assert (Shop.asked, sent(place)) == ([], [])


def test_a_request_is_made_as_it_is_set_and_its_answer_kept(place: Place, shop: str) -> None:
    config = {
        "method": "POST",
        "url": shop + "/orders",
        "query": [{"name": "q", "value": "{{ vars.name }}&x=1"}],
        "headers": {"X-Shop": "{{ vars.name }}"},
        "body_type": "json",
        "json_body": {"name": "{{ vars.name }}", "n": "{{ vars.n }}"},
        "save_as": "order",
    }
    step = take(place, "http.request", config, vars={"name": 'Ada "A"', "n": 3})
    (asked,) = Shop.asked
    assert asked["path"] == "/orders?q=Ada+%22A%22%26x%3D1"
    assert orjson.loads(asked["body"]) == {"name": 'Ada "A"', "n": 3}
    assert asked["headers"]["x-shop"] == 'Ada "A"'
    assert (step["output"]["status"], step["output"]["body"]["order"]) == (200, {"id": 7})


@pytest.mark.parametrize(
    "auth,name,where,value",
    [
        ("bearer", "", "authorization", "Bearer s3cret"),
        ("basic", "ada", "authorization", "Basic YWRhOnMzY3JldA=="),
        ("header", "X-Key", "x-key", "s3cret"),
    ],
)
def test_a_request_is_signed_with_a_secret_that_no_log_holds(
    place: Place, shop: str, auth: str, name: str, where: str, value: str
) -> None:
    secret = _secret(place)
    config = {"url": shop, "auth": auth, "auth_name": name, "secret": str(secret)}
    run = _run(place, "http.request", config)
    assert Shop.asked[0]["headers"][where] == value
    log = orjson.dumps(steps(place, run))
    assert b"s3cret" not in log
    assert b"YWRhOnMzY3JldA" not in log
    assert b"open-sesame" not in log


def test_a_secret_in_the_address_is_masked_in_the_log(place: Place, shop: str) -> None:
    config = {"url": shop, "auth": "query", "auth_name": "key", "secret": str(_secret(place))}
    run = _run(place, "http.request", config)
    assert Shop.asked[0]["path"] == "/?key=s3cret"
    assert steps(place, run)[-1]["output"]["url"].endswith("key=•••")


def test_a_secret_goes_only_where_it_may(place: Place, rival: Place, shop: str) -> None:
    bound = _secret(place, hosts=["api.example.com"])
    config = {"url": shop, "auth": "bearer", "secret": str(bound)}
    assert take(place, "http.request", config)["error"] == (
        "The secret “key” may not be sent to 127.0.0.1."
    )
    theirs = {**config, "secret": str(_secret(rival))}
    assert take(place, "http.request", theirs)["error"] == "That secret no longer exists."
    assert Shop.asked == []


def test_an_answer_that_is_an_error_takes_the_error_port(place: Place, shop: str) -> None:
    step = take(place, "http.request", {"url": shop + "/404"})
    assert step["error"] == "The answer was 404, which is an error."
    step = take(place, "http.request", {"url": shop + "/404", "fails_on_status": False})
    assert (step["status"], step["output"]["status"]) == ("done", 404)


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/", "http://localhost/", "http://[::ffff:10.0.0.1]/"]
)
def test_what_is_not_public_is_not_called_and_the_log_says_why(place: Place, url: str) -> None:
    step = take(place, "http.request", {"url": url})
    assert step["status"] == "failed"
    assert "is not on the public internet" in step["error"]


def test_a_recorded_run_calls_and_sends_nothing(place: Place, shop: str, ada: UUID) -> None:
    _run(place, "http.request", {"url": shop}, mode=ExecutionMode.RECORDED)
    _run(place, "send.text", {"text": "x"}, conversation_id=ada, mode=ExecutionMode.RECORDED)
    assert (Shop.asked, sent(place)) == ([], [])


def test_the_answer_to_a_webhook_is_what_the_node_says(place: Place) -> None:
    config = {
        "status": 201,
        "body": {"id": "{{ webhookPayload.body.id }}"},
        "headers": [{"name": "X-A", "value": "b"}, {"name": "Set-Cookie", "value": "a=b"}],
    }
    run = _run(place, "webhook.respond", config, webhookPayload={"body": {"id": 7}})
    response = execution_of(place, run).response
    assert response is not None
    assert (response["status"], response["body"]) == (201, {"id": 7})
    assert response["headers"] == {"X-A": "b"}
    assert steps(place, run)[-1]["warnings"] == ["The header “Set-Cookie” can not be set here."]


# Rows for them ------------------------------------------------------------------------------------


def _row(place: Place, row: Any) -> UUID:
    with place.system_work() as ctx:
        ctx.session.add(row)
        ctx.session.flush()
        found: UUID = row.id
        return found


def _template(place: Place, category: str = "UTILITY") -> UUID:
    return _row(
        place,
        Template(
            account_id=place.account_id,
            name=f"hello_{category.lower()}",
            language="en",
            category=category,
            status="APPROVED",
            components=[{"type": "BODY", "text": "Hello {{1}}"}],
        ),
    )


def _media(place: Place, mime_type: str) -> UUID:
    return _row(
        place,
        Media(mime_type=mime_type, file_name="file", size=100, status=MediaStatus.STORED),
    )


def _secret(place: Place, **more: Any) -> UUID:
    with place.work("admin") as ctx:
        return vault.create(ctx, "key", "s3cret", **more).id
