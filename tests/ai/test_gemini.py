"""Our questions to Gemini, against the stand-in, which refuses what Google's schema refuses."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import httpx
import pytest

from aerostic.integrations.gemini import errors
from aerostic.integrations.gemini.client import (
    EMBEDDING_SIZE,
    Gemini,
    Question,
    Said,
    Tool,
    ToolResult,
)
from tests.gemini import Google

T = TypeVar("T")
FLASH = "gemini-2.5-flash"
ORDER = Tool(
    "order_status",
    "The state of an order.",
    {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
)


def run(gemini: Gemini, work: Awaitable[T]) -> T:
    async def and_rest() -> T:
        try:
            return await work
        finally:
            await gemini.rest()

    return asyncio.run(and_rest())


@pytest.fixture
def gemini(google: Google) -> Gemini:
    return Gemini(google.key, url=google.url)


def question(text: str = "Where is order 42?", **more: Any) -> Question:
    return Question(FLASH, [Said(False, text)], **more)


def test_an_answer_comes_with_its_tokens(google, gemini):
    google.will_answer({"text": "It is on its way.", "tokens_in": 120, "tokens_out": 7})
    answer = run(gemini, gemini.ask(question(instructions="You sell tea.", temperature=0.2)))
    assert (answer.text, answer.tokens_in, answer.tokens_out) == ("It is on its way.", 120, 7)
    (asked,) = google.asked()
    assert asked["systemInstruction"]["parts"] == [{"text": "You sell tea."}]
    assert asked["generationConfig"]["temperature"] == 0.2


def test_a_call_is_handed_over_and_its_turn_goes_back_unchanged(google, gemini):
    google.will_answer(
        {"calls": [{"name": "order_status", "args": {"number": "42"}}]}, {"text": "Shipped."}
    )

    async def talk() -> tuple[Any, Any]:
        first = await gemini.ask(question(tools=[ORDER]))
        result = Said(False, results=(ToolResult(first.calls[0], {"state": "shipped"}),))
        turns = [Said(False, "Where is order 42?"), first.turn, result]
        return first, await gemini.ask(Question(FLASH, turns, tools=[ORDER]))

    first, second = run(gemini, talk())
    assert [(call.name, dict(call.arguments)) for call in first.calls] == [
        ("order_status", {"number": "42"})
    ]
    assert second.text == "Shipped."
    sent = google.asked()[1]["contents"][1]["parts"][0]
    assert sent["thoughtSignature"] == "c2ltdWxhdGVk"
    assert sent["functionCall"]["args"] == {"number": "42"}


def test_an_answer_streams_and_is_the_same_whole(google, gemini):
    words = "We are open from eight until six, every day but Sunday."
    google.will_answer({"text": words})
    heard: list[str] = []

    async def listen(text: str) -> None:
        heard.append(text)

    answer = run(gemini, gemini.ask(question(), on_text=listen))
    assert len(heard) > 2
    assert "".join(heard) == answer.text == words


def test_a_structured_answer_asks_for_json(google, gemini):
    schema = {"type": "object", "properties": {"intent": {"enum": ["buy", "return"]}}}
    answer = run(gemini, gemini.ask(question("I want to return it", schema=schema)))
    assert answer.text == '{"intent": "return"}'


def test_texts_become_vectors_of_one_length_and_alike_ones_are_near(gemini):
    texts = ["How long is delivery?", "Delivery: how long?", "The cat sleeps."]
    one, like, other = run(gemini, gemini.embed(texts))
    assert {len(one), len(like), len(other)} == {EMBEDDING_SIZE}

    def near(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert near(one, like) > 0.6 > near(one, other)


@pytest.mark.parametrize(
    ("answers", "problem", "asked"),
    [
        ([{"error": {"code": 503, "status": "UNAVAILABLE"}}, {"text": "Here"}], None, 2),
        ([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}] * 3, errors.QuotaUsed, 3),
        ([{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}], errors.NotUnderstood, 1),
        ([{"finish": "SAFETY"}], errors.Blocked, 1),
        ([{"finish": "MALFORMED_FUNCTION_CALL"}], errors.Blocked, 1),
    ],
)
def test_only_what_produced_nothing_is_asked_again(google, gemini, answers, problem, asked):
    google.will_answer(*answers)
    if problem is None:
        assert run(gemini, gemini.ask(question())).text == "Here"
    else:
        with pytest.raises(problem):
            run(gemini, gemini.ask(question()))
    assert len(google.asked()) == asked


def test_a_stream_that_breaks_off_is_not_begun_again(google, gemini):
    google.will_answer({"text": "one two three four five six seven", "breaks_off": True})

    async def listen(_: str) -> None:
        """Something was shown."""

    with pytest.raises(errors.GeminiProblem):
        run(gemini, gemini.ask(question(), on_text=listen))
    assert len(google.asked()) == 1


def test_a_wrong_key_and_an_unknown_model_say_so(google):
    stranger = Gemini("another-key", url=google.url)
    with pytest.raises(errors.KeyRefused, match="refuses the Gemini key"):
        run(stranger, stranger.ask(question()))
    known = Gemini(google.key, url=google.url)
    with pytest.raises(errors.ModelUnknown, match="gemini-9"):
        run(known, known.ask(Question("gemini-9", [Said(False, "Hi")])))


def test_nobody_there_is_said_in_words():
    nobody = Gemini("simulated", url="http://127.0.0.1:1")
    with pytest.raises(errors.NotReached, match="can not be reached"):
        run(nobody, nobody.ask(question()))


CONTENTS = [{"role": "user", "parts": [{"text": "Hi"}]}]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contents": []},
        {"contents": CONTENTS, "unknown": 1},
        {"contents": [{"role": "system", "parts": [{"text": "Hi"}]}]},
        {"contents": [{"role": "user", "parts": [{}]}]},
        {"contents": CONTENTS, "generationConfig": {"temperature": 3}},
        {"contents": CONTENTS, "tools": [{"functionDeclarations": [{"name": "two words"}]}]},
        {
            "contents": CONTENTS,
            "tools": [{"functionDeclarations": [{"name": "one"}]}],
            "generationConfig": {"responseMimeType": "application/json"},
        },
        {
            "contents": [
                *CONTENTS,
                {"role": "model", "parts": [{"functionCall": {"name": "one"}}]},
                {"role": "user", "parts": [{"text": "never mind"}]},
            ]
        },
    ],
)
def test_the_stand_in_refuses_what_google_refuses(google, body):
    url = f"{google.url}/v1beta/models/{FLASH}:generateContent"
    answer = httpx.post(url, json=body, headers={"x-goog-api-key": google.key})
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert google.asked() == []
