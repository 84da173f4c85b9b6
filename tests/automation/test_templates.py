"""Templates in settings: what they become, what they warn of, and what they can not be made to do."""

import tracemalloc
from typing import Any

import pytest

from aerostic.domain.automation import templates
from aerostic.domain.automation.templates import TemplateProblem, render

SCOPE: dict[str, Any] = {
    "contact": {
        "name": "Ada",
        "email": None,
        "tags": ["a", "b"],
        "attributes": {"n": 3, "vip": True},
    },
    "webhookPayload": {"body": {"orders": [{"id": 1}, {"id": 2}], "note": "{{ contact.name }}"}},
    "now": "2026-11-23T12:00:00+00:00",
}


@pytest.mark.parametrize(
    "text,value",
    [
        ("plain", "plain"),
        ("Hi {{ contact.name }}!", "Hi Ada!"),
        ("{{ contact.attributes.n }}", 3),
        ("{{ contact.attributes.vip }}", True),
        ("{{ contact.attributes }}", {"n": 3, "vip": True}),
        ("{{ contact.tags }}", ["a", "b"]),
        ("{{ contact.email }}", None),
        ("[{{ contact.email }}]", "[]"),
        ("It is {{ contact.attributes.vip }}: {{ contact.tags }}", 'It is true: ["a", "b"]'),
        ("{{ webhookPayload.body.orders[1].id }}", 2),
        ("{{ webhookPayload.body.orders.last.id }}", 2),
        ("{{ webhookPayload.body.orders.size }}", 2),
        ("{{ contact.name | upcase }}", "ADA"),
        ("{{ webhookPayload.body.orders | map: 'id' }}", [1, 2]),
        ("{{ contact.attributes.n | times: 2.5 }}", 7.5),
        ("{{ 'now' | date: '%H:%M', 'Europe/Berlin' }}", "13:00"),
        ("{% for one in webhookPayload.body.orders %}{{ one.id }};{% endfor %}", "1;2;"),
        ("{% if contact.attributes.vip %}yes{% else %}no{% endif %}", "yes"),
        ("{{ contact.tags | json }}", '["a", "b"]'),
        ("{{ '<b>x</b>' | strip_html }}", "x"),
    ],
)
def test_an_expression_becomes_its_value(text: str, value: Any) -> None:
    rendered = render(text, SCOPE)
    assert (rendered.value, rendered.warnings) == (value, ())


def test_settings_are_walked_and_what_comes_from_outside_is_not_read_again() -> None:
    given = {"a": ["{{ contact.name }}", 1], "b": {"c": "{{ webhookPayload.body.note }}"}}
    assert render(given, SCOPE).value == {"a": ["Ada", 1], "b": {"c": "{{ contact.name }}"}}


@pytest.mark.parametrize(
    "text,value,path",
    [
        ("{{ contact.nmae }}", "", "contact.nmae"),
        ("Hi {{ contact.nmae }}", "Hi ", "contact.nmae"),
        ("{{ contact.nmae.first | upcase }}", "", "contact.nmae"),
        ("{{ webhookPayload.body.orders[9].id }}", "", "webhookPayload.body.orders[9].id"),
    ],
)
def test_what_is_not_there_is_empty_and_named(text: str, value: str, path: str) -> None:
    rendered = render(text, SCOPE)
    assert rendered.value == value
    assert rendered.warnings == (f"“{path}” is empty: there is no such value here.",)


def test_who_thought_of_it_is_not_warned() -> None:
    for text in ("{{ contact.x | default: 'you' }}", "{% if contact.x %}a{% else %}you{% endif %}"):
        assert render(text, SCOPE) == templates.Rendered("you")


ENDLESS = [
    "{{ 'a'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaa'" * 8 + " }}",
    "{% for i in (1..1000000000) %}{% endfor %}",
    "{% for i in (1..1000000000) reversed %}{% endfor %}",
    "{{ (1..1000000000) | join: '' }}",
    "x{{ (1..1000000000) }}",
    "{% assign x = 'a' %}{% for i in (1..100) %}{% assign x = x | append: x %}{% endfor %}",
    "{% assign x = 9 %}{% for i in (1..1000) %}{% assign x = x | times: x %}{% endfor %}",
    "{% assign x = 'a,b' | split: ',' %}{% for i in (1..40) %}{% assign x = x | concat: x %}{% endfor %}",
    "{% for i in (1..100) %}{% for j in (1..100) %}{% for k in (1..2) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for i in (1..9999) %}" + "{{ contact.name }}" * 20 + "{% endfor %}",
    "{% capture x %}{% for i in (1..9999) %}" + "a" * 100 + "{% endfor %}{% endcapture %}{{ x }}",
    "{{" * 30_000,
    "{{ " + " " * 50_000 + "}}",
    "{% raw %}" * 6_000,
    "{% if a %}" * 6_000,
    "{{ a" + "[a" * 600 + "]" * 600 + " }}",
    "{{ '1' | times: '1e400' }}",
    "x" * 64_001 + "{{ a | upcase }}",
]


@pytest.mark.parametrize("text", ENDLESS, ids=lambda text: text[:40])
def test_a_template_can_not_eat_the_machine(text: str) -> None:
    tracemalloc.start()
    with pytest.raises(TemplateProblem) as caught:
        render(text, SCOPE)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.sentence.endswith(".")
    assert most < 30_000_000


def test_the_texts_of_one_step_share_a_limit() -> None:
    half = {"contact": {"name": "x" * 150_000}}
    with pytest.raises(TemplateProblem, match="256 kB"):
        render({"a": "{{ contact.name }}", "b": "{{ contact.name }}"}, half)


@pytest.mark.parametrize(
    "text,sentence",
    [
        ("{{ contact.name", "“{{” has no “}}”."),
        ("{{ }}", "There is an empty “{{ }}”. Write the name of a value in it."),
        ("{% include 'x' %}", "The tag “include” can not be used here."),
        ("{{ a | shout }}", "There is no filter “shout”."),
    ],
)
def test_what_is_wrong_with_a_template_is_a_sentence(text: str, sentence: str) -> None:
    assert templates.check(text) == [sentence]


def test_what_a_template_asks_for_is_known() -> None:
    given = {"a": "{{ contact.name | upcase }}", "b": ["{% for i in items %}{{ i.x }}{% endfor %}"]}
    assert templates.paths_in(given) == {"contact.name", "items"}
    assert templates.has_expression(given)
    assert not templates.has_expression({"a": "{ b }"})
