"""What the linter says of a graph, one finding at a time, beside the graph that has none."""

from typing import Any

import pytest

from aerostic.domain.automation import linter
from aerostic.domain.automation.graph import Graph
from tests.workflows import edge, graph, greeting, node


def said(made: Graph) -> list[tuple[str, str, str, str]]:
    return [(str(one.severity), one.node_id, one.field, one.sentence) for one in linter.look(made)]


def after_a_message(kind: str, **config: Any) -> Graph:
    return graph(
        [node("begin", "trigger.message"), node("it", kind, **config)], [edge("begin", "it")]
    )


def test_nothing_is_said_of_a_sound_workflow():
    assert said(greeting()) == []


def test_without_a_trigger_nothing_begins():
    assert said(graph([node("say", "send.text", text="Hi")], [])) == [
        ("error", "", "", "Nothing begins this workflow. Add a trigger.")
    ]


def test_what_is_missing_is_an_error_where_a_run_comes_by():
    assert said(after_a_message("send.text")) == [
        ("error", "it", "text", "Send text: “Text” is missing.")
    ]


def test_and_a_warning_where_none_does():
    made = graph([*greeting().nodes, node("alone", "send.text")], greeting().edges)
    assert said(made) == [
        ("warning", "alone", "text", "Send text: “Text” is missing."),
        ("warning", "alone", "", "Nothing leads to “Send text”, so it never runs."),
    ]


def test_a_wrong_value_is_told_with_its_setting():
    assert said(after_a_message("logic.wait", amount=-1)) == [
        (
            "error",
            "it",
            "amount",
            "Wait: “For” does not fit: Input should be greater than or equal to 0.",
        )
    ]


def test_a_setting_that_does_not_exist_is_told():
    assert said(after_a_message("send.text", text="Hi", txet="Hi")) == [
        ("error", "it", "txet", "Send text: “txet” is no setting of this step.")
    ]


@pytest.mark.parametrize("amount", ["{{ message.text }}", "{% if true %}2{% endif %}"])
def test_what_an_expression_may_become_is_no_finding(amount):
    assert said(after_a_message("logic.wait", amount=amount)) == []


def test_a_row_is_named():
    rows = [{"name": "good", "value": 1}, {"name": "not good", "value": 2}]
    ((severity, _, field, sentence),) = said(after_a_message("logic.set", values=rows))
    assert (severity, field) == ("error", "values.1.name")
    assert sentence.startswith("Set values: “Values” (row 2) does not fit: ")


def test_broken_liquid_is_an_error_at_its_place():
    ((severity, node_id, field, sentence),) = said(
        after_a_message("send.text", text="Hello {{ contact.name")
    )
    assert (severity, node_id, field) == ("error", "it", "text")
    assert sentence.startswith("Send text: ")


UNKNOWN = {
    "{{ contact.nmae }}": "“contact.nmae” has no value: “contact” has attributes, country, email, id, "
    "language, name, phone, tags.",
    "{{ webhookPayload.body }}": "“webhookPayload.body” has no value here: nothing before this step gives "
    "it.",
    "{{ nodes.gone.output }}": "“nodes.gone.output” has no value: there is no step “gone”.",
    "{{ nodes.it.output }}": "“nodes.it.output” has no value: “Send text” does not come before this step.",
    "{{ vars.size }}": "“vars.size” has no value here: no step before sets “size”.",
    "{{ item.name }}": "“item.name” has no value here: nothing before this step gives it.",
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_path_that_nothing_before_gives_is_a_warning(text):
    assert said(after_a_message("send.text", text=text)) == [
        ("warning", "it", "text", f"Send text: {UNKNOWN[text]}")
    ]


KNOWN = [
    "{{ contact.attributes.size }}",
    "{{ message.referral.source_id | default: 'none' }}",
    "{{ vars.size }}",
    "{{ vars.answer }}",
    "{{ nodes.set.output.size }}",
    "{{ item.name }} {{ index }}",
    "{% for one in vars.list %}{{ one.name }}{% endfor %}",
    "{% assign total = vars.size %}{{ total }}",
    "{{ now | date: '%Y' }} {{ workspace.name }} {{ number.phone }} {{ conversation.labels }}",
]


@pytest.mark.parametrize("text", KNOWN)
def test_a_path_that_something_before_gives_is_no_finding(text):
    rows = [{"name": "size", "value": 1}, {"name": "list", "value": []}]
    made = graph(
        [
            node("begin", "trigger.message"),
            node("ask", "ask.text", question="Size?"),
            node("set", "logic.set", values=rows),
            node("loop", "logic.loop", items="{{ vars.list }}"),
            node("say", "send.text", text=text),
        ],
        [
            edge("begin", "ask"),
            edge("ask", "set"),
            edge("set", "loop"),
            edge("loop", "say", "each"),
        ],
    )
    assert said(made) == []


def test_a_webhook_gives_what_was_posted_and_no_conversation():
    made = graph(
        [
            node("hook", "trigger.webhook"),
            node("say", "send.text", text="{{ webhookPayload.body.name }} {{ message.text }}"),
        ],
        [edge("hook", "say")],
    )
    assert said(made) == [
        (
            "warning",
            "say",
            "",
            "“Send text” needs a conversation, and “Webhook” begins without one.",
        ),
        (
            "warning",
            "say",
            "text",
            "Send text: “message.text” has no value here: nothing before this step gives it.",
        ),
    ]


def test_to_somebody_named_it_needs_no_conversation():
    made = graph(
        [node("hook", "trigger.webhook"), node("say", "send.text", text="Hi", to="+15550001111")],
        [edge("hook", "say")],
    )
    assert said(made) == []


def round_of(*kinds: tuple[str, dict[str, Any]], leave: str = "") -> Graph:
    """Steps that lead to each other after a message."""
    steps = [node(f"s{i}", kind, **config) for i, (kind, config) in enumerate(kinds)]
    edges = [edge("begin", "s0")]
    for i, step in enumerate(steps):
        edges.append(
            edge(step.id, steps[(i + 1) % len(steps)].id, leave if i == 0 and leave else "out")
        )
    return graph([node("begin", "trigger.message"), *steps], edges)


SAY = ("send.text", {"text": "Again"})
SET = ("logic.set", {"values": [{"name": "a", "value": 1}]})


def test_a_round_without_a_way_out_is_an_error():
    assert said(round_of(SET, SAY)) == [
        (
            "error",
            "s0",
            "",
            "“Set values”, “Send text” lead to each other and nowhere else. "
            "Add a way out, such as a condition.",
        )
    ]


def test_one_that_waits_is_a_warning():
    ((severity, node_id, _, sentence),) = said(round_of(("logic.wait", {}), SAY))
    assert (severity, node_id) == ("warning", "s0")
    assert "go round for ever, waiting in between" in sentence


def test_one_with_a_condition_is_fine():
    condition = {"conditions": [{"value": "{{ message.text }}", "compare": "empty"}]}
    assert said(round_of(("logic.condition", condition), SAY, leave="true")) == []


def test_a_trigger_or_a_decision_that_leads_nowhere_is_told():
    made = graph([node("begin", "trigger.message")], [])
    assert said(made) == [
        ("warning", "begin", "", "“Message received” leads nowhere: nothing happens after it.")
    ]
    condition = [{"value": "{{ message.text }}", "compare": "empty"}]
    assert said(after_a_message("logic.condition", conditions=condition)) == [
        ("warning", "it", "", "“Condition” decides, but none of its outputs leads on.")
    ]
    assert said(after_a_message("logic.loop", items=[1])) == [
        ("warning", "it", "", "“Loop over items” does nothing with its items: connect “each”.")
    ]


def test_an_answer_to_nobody_and_a_second_address_are_told():
    assert said(after_a_message("webhook.respond")) == [
        (
            "warning",
            "it",
            "",
            "“Respond to webhook” answers a webhook, and no webhook begins this run.",
        )
    ]
    two = graph(
        [node("a", "trigger.webhook"), node("b", "trigger.webhook"), node("r", "webhook.respond")],
        [edge("a", "r"), edge("b", "r")],
    )
    assert said(two) == [
        (
            "warning",
            "b",
            "",
            "A workflow has one address: only its first webhook trigger hears it.",
        )
    ]


def test_a_graph_full_of_loops_and_names_is_looked_over_to_its_end():
    """Three hundred loops, each inside the one before and back to the first."""
    text = " ".join(f"{{{{ vars.a{i} }}}}" for i in range(25))
    nodes = [node("begin", "trigger.message")]
    nodes += [node(f"s{i}", "logic.loop", items=text) for i in range(299)]
    edges = [edge("begin", "s0")]
    edges += [edge(f"s{i}", f"s{i + 1}", "each") for i in range(298)]
    edges += [edge(f"s{i}", "s0", "done") for i in range(1, 299)]
    found = linter.look(graph(nodes, edges))
    assert len(found) == 299 * 20 + 1  # and the last does nothing with its items


def test_a_trigger_knows_no_values_of_a_run():
    nodes = [node("begin", "trigger.keyword", keywords=["{{ contact.name }}"]), greeting().nodes[1]]
    assert said(graph(nodes, [edge("begin", "say")])) == [
        (
            "error",
            "begin",
            "keywords.0",
            "Keyword: “Words” can hold no expression, for there is no run yet.",
        )
    ]


def test_a_schedule_that_never_comes_is_an_error():
    nodes = [node("begin", "trigger.schedule", cron="0 9 30 2 *"), node("end", "logic.stop")]
    assert said(graph(nodes, [edge("begin", "end")])) == [
        ("error", "begin", "cron", "Schedule: “0 9 30 2 *” never comes.")
    ]


AGENT = "01933b2c-7a10-7c55-9d4e-2f6b8a1c0d3e"


def with_agent(*more, edges=()) -> Graph:
    nodes = [node("begin", "trigger.message"), node("bot", "ai.agent", agent=AGENT), *more]
    return graph(nodes, [edge("begin", "bot"), *edges])


def test_a_model_and_a_tool_equip_an_agent_and_see_what_it_sees():
    look_up = node(
        "look", "http.request", url="https://shop.example/{{ tool.id }}/{{ contact.id }}"
    )
    model = node("model", "model.gemini")
    edges = [edge("model", "bot", "model", "model"), edge("look", "bot", "tool", "tools")]
    assert said(with_agent(model, look_up, edges=edges)) == []


def test_a_model_that_equips_nobody_is_told():
    assert said(with_agent(node("model", "model.gemini"))) == [
        ("warning", "model", "", "“Gemini” is not connected to an agent.")
    ]


WRONG_TYPES = [
    (edge("model", "bot", "model", "in"), "“In” of “AI agent” takes a step, and this is a model."),
    (
        edge("model", "bot", "model", "tools"),
        "“Tools” of “AI agent” takes a tool, and this is a model.",
    ),
    (edge("begin", "model"), "“Gemini” equips an agent: nothing leads to it."),
    (
        edge("say", "bot", "out", "model"),
        "“Model” of “AI agent” takes a model, and this is a step.",
    ),
]


@pytest.mark.parametrize(("wrong", "reason"), WRONG_TYPES)
def test_ports_take_their_own_type_only(wrong, reason):
    nodes = [
        node("begin", "trigger.message"),
        node("bot", "ai.agent", agent=AGENT),
        node("model", "model.gemini"),
        node("say", "send.text", text="Hi"),
    ]
    assert [one[3] for one in said(graph(nodes, [wrong]))] == [reason]


def test_a_step_is_no_tool_and_a_tool_no_step():
    nodes = [
        node("begin", "trigger.message"),
        node("bot", "ai.agent", agent=AGENT),
        node("look", "http.request", url="https://shop.example/"),
    ]
    tool, step = edge("look", "bot", "tool", "tools"), edge("begin", "look")
    assert [one[3] for one in said(graph(nodes, [tool, step]))] == [
        "“HTTP request” is an agent's tool, so it can not be a step of the run as well."
    ]
    assert [one[3] for one in said(graph(nodes, [step, tool]))] == [
        "“HTTP request” is a step of the run, so it can not be an agent's tool as well."
    ]


def test_an_agent_has_one_model():
    nodes = [
        node("begin", "trigger.message"),
        node("bot", "ai.agent", agent=AGENT),
        node("one", "model.gemini"),
        node("two", "model.local"),
    ]
    edges = [edge("one", "bot", "model", "model"), edge("two", "bot", "model", "model")]
    assert [one[3] for one in said(graph(nodes, edges))] == [
        "“Model” of “AI agent” is taken already. Remove that connection first."
    ]
