"""One run of an agent: ask its model, use the tools that it asks for, until there is an answer or a reason.

The model decides nothing but which offered tool to use and with what: the tenant, the connection and all
that an author fixed are not its to say. Every question to it is logged with its cost; limits are held
before each. No transaction is open while it thinks.
"""

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.ai import local, memory, prompting, turns
from aerostic.domain.ai.memory import Line
from aerostic.domain.ai.models import LOCAL, TurnOutcome
from aerostic.domain.ai.persona import Persona
from aerostic.domain.ai.prices import cost_of
from aerostic.domain.ai.tools import NoTools, Offer, Parameter, Toolbox, ToolFailed
from aerostic.domain.ai.turns import Spent, Turn
from aerostic.domain.contacts.words import fold
from aerostic.domain.knowledge import embedding, searching
from aerostic.domain.knowledge.searching import Found
from aerostic.integrations.gemini.client import (
    Answer,
    Gemini,
    Question,
    Said,
    ToolCall,
    ToolResult,
    gemini,
)
from aerostic.integrations.gemini.errors import GeminiProblem

R = TypeVar("R")
Listener = Callable[[str], Awaitable[None]]

MAX_TURNS = 10
MOST_MISTAKES = 3  # calls of what is not there, with wrong arguments, or the same again
MOST_CALLS_A_TURN = 8
SAME_CALL_TWICE = 2
LONGEST_MESSAGE = 8_000
LONGEST_RESULT = 16_000
LONGEST_ANSWER = 2_048  # tokens
PASSAGES = 5


class Ending(StrEnum):
    ANSWERED = "answered"
    HANDED_OVER = "handed_over"
    FAILED = "failed"  # the model, or a limit: `reason` says which


class Ask(Protocol):
    """Runs `action(ctx, …)` in a transaction of its own."""

    async def __call__(self, action: Callable[..., R], /, *args: Any, **kwargs: Any) -> R: ...


@dataclass(frozen=True, slots=True)
class Run:
    """What an agent is asked. Without `memory_key` it remembers nothing."""

    agent: Persona
    message: str
    run_id: UUID = field(default_factory=new_id)
    memory_key: str = ""
    conversation_id: UUID | None = None
    is_trial: bool = False
    instructions: str = ""
    base_ids: tuple[UUID, ...] = ()
    tools: Toolbox = field(default_factory=NoTools)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer comes from."""

    document: str
    place: str
    url: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `text` is for the customer, `reason` for the workspace. Costs in micro-dollars."""

    ending: Ending
    text: str = ""
    reason: str = ""
    model: str = ""
    note: str = ""
    confidence: float | None = None
    sources: tuple[Source, ...] = ()
    structured: Any = None
    turns: int = 0
    tokens: int = 0
    cost_micros: int = 0


async def run(asked: Run, ask: Ask, *, on_text: Listener | None = None) -> Ended:
    """Answer, hand over, or say why not. Never raises for what a model does."""
    asked = replace(asked, message=asked.message.strip()[:LONGEST_MESSAGE])
    model = gemini() if asked.agent.model != LOCAL else None
    talk = _Talk(asked, ask, on_text, model)
    if word := _word_for_a_person(asked):
        return await talk.hand_over(f"The customer asked for a person (“{word}”).", model="")
    if not asked.message:
        return await talk.hand_over(
            "There is no text to answer: a picture or a recording?", model=""
        )
    await talk.look_up()
    return await (talk.with_model(model) if model else talk.without_model())


def _word_for_a_person(asked: Run) -> str:
    """One of the agent's words, as a word or words of the message."""
    said = f" {' '.join(fold(asked.message).split())} ".translate(_NO_SIGNS)
    wanted = (word.strip() for word in asked.agent.hand_over_words)
    return next((word for word in wanted if word and f" {fold(word)} " in said), "")


_NO_SIGNS = str.maketrans(dict.fromkeys(".,;:!?¡¿\"'()", " "))

_PERSON = Offer(
    prompting.HAND_OVER,
    "Leave this conversation to a person of the team.",
    (Parameter("reason", description="Why, in a few words, for the team.", is_required=False),),
)


class _Talk:
    """The state of one run."""

    def __init__(
        self, asked: Run, ask: Ask, on_text: Listener | None, model: Gemini | None
    ) -> None:
        self.asked, self.ask, self.on_text = asked, ask, on_text
        self.agent = asked.agent
        self.uses_model = model is not None
        self.remembered: list[Line] = []
        self.passages: list[Found] = []
        self.run, self.day = Spent(), Spent()
        self.number = 0
        self.mistakes = 0
        self.made: Counter[str] = Counter()

    # What it knows

    async def look_up(self) -> None:
        """What was said before, what the documents say, what was spent today."""
        bases = (*self.agent.base_ids, *self.asked.base_ids)
        message = self.asked.message
        vector = await embedding.vector_of(message) if bases and self.uses_model else None
        self.remembered, self.passages, self.day = await self.ask(
            _look_up, self.asked, bases, vector
        )

    # Without a language model

    async def without_model(self) -> Ended:
        self.number = 1
        note = local.LABEL
        if self.agent.model != LOCAL:
            note = f"No Gemini key is set. {local.LABEL}"
        if self.agent.answer_schema:
            reason = "Structured answers need a language model, and there is none."
            return await self.hand_over(reason, model=LOCAL, note=note)
        found = local.answer(self.agent, self.asked.message, self.passages)
        if not found.text or found.confidence < self.agent.hand_over_below:
            reason = f"Not sure enough: {found.confidence:.0%}."
            return await self.hand_over(reason, model=LOCAL, note=note, confidence=found.confidence)
        cited = (found.source,) if found.source else ()
        text = found.text
        if self.on_text:
            await self.on_text(self._with_welcome(text))
        return await self._answered(text, LOCAL, found.confidence, cited, note=note)

    # With one

    async def with_model(self, model: Gemini) -> Ended:
        try:
            return await self._converse(model)
        except GeminiProblem as problem:
            self.number += 1
            turn = self._turn(TurnOutcome.FAILED, self.agent.model, reason=problem.message)
            await self.ask(turns.write, turn)
            return self._ended(Ending.FAILED, reason=problem.message, text=self.agent.fallback)

    async def _converse(self, model: Gemini) -> Ended:
        offers = self._offers()
        said = [Said(one.by_agent, one.text) for one in self._alternating()]
        said.append(Said(False, self.asked.message))
        for _ in range(min(self.agent.max_turns, MAX_TURNS)):
            if reason := turns.limit_met(self.agent, self.run, self.day):
                return await self._stop(reason)
            answer, took = await self._ask_model(model, said, offers)
            if not answer.calls:
                return await self._conclude(model, said, answer, took, has_tools=bool(offers))
            results, reason, is_over = await self._use(answer, took)
            if is_over:
                return await self._after_calls(reason)
            said += [answer.turn, Said(False, results=tuple(results))]
        return await self._stop(
            f"{self.agent.name} used its {min(self.agent.max_turns, MAX_TURNS)} turns without an answer."
        )

    def _offers(self) -> list[Offer]:
        tools = list(self.asked.tools.offers)
        can_hand_over = not self.agent.answer_schema or bool(tools)
        return [*tools, _PERSON] if can_hand_over else tools

    def _alternating(self) -> list[Line]:
        """A conversation begins with the customer."""
        first = next((at for at, one in enumerate(self.remembered) if not one.by_agent), None)
        return self.remembered[first:] if first is not None else []

    async def _ask_model(
        self,
        model: Gemini,
        said: Sequence[Said],
        offers: Sequence[Offer],
        *,
        structured: bool = False,
    ) -> tuple[Answer, int]:
        schema = self.agent.answer_schema if structured or not offers else None
        question = Question(
            model=self.agent.model,
            turns=said,
            instructions=prompting.instructions(
                self.agent,
                self.passages,
                more=self.asked.instructions,
                can_hand_over=any(one is _PERSON for one in offers),
            ),
            tools=[one.tool() for one in offers],
            temperature=self.agent.temperature,
            most_tokens=max(64, min(LONGEST_ANSWER, self.agent.tokens_per_run - self.run.tokens)),
            schema=schema,
        )
        began = time.monotonic()
        answer = await model.ask(question, on_text=self._listener() if not schema else None)
        self.number += 1
        cost = cost_of(self.agent.model, answer.tokens_in, answer.tokens_out)
        used = answer.tokens_in + answer.tokens_out
        self.run, self.day = self.run.plus(used, cost), self.day.plus(used, cost)
        return answer, round((time.monotonic() - began) * 1000)

    def _listener(self) -> Listener | None:
        if self.on_text is None:
            return None
        tell, shown = self.on_text, prompting.Shown()

        async def listen(piece: str) -> None:
            if words := shown.next(piece):
                await tell(words)

        return listen

    async def _use(self, answer: Answer, took: int) -> tuple[list[ToolResult], str, bool]:
        """Use what was asked for. Returns the results, and where the run is over the reason."""
        results, log = list[ToolResult](), list[dict[str, Any]]()
        over, reason = False, ""
        for at, call in enumerate(answer.calls):
            if call.name == prompting.HAND_OVER and _PERSON in self._offers():
                over = True
                reason = str(call.arguments.get("reason") or "The agent asked for a person.")[:300]
                log.append({"name": call.name, "arguments": dict(call.arguments)})
                break
            output = await self._result_of(call, too_many=at >= MOST_CALLS_A_TURN)
            results.append(ToolResult(call, output))
            log.append({"name": call.name, "arguments": dict(call.arguments), "output": output})
        if not over and self.mistakes > MOST_MISTAKES:
            over, reason = True, f"{_STUCK} The last: {_last_error(log)}"
        turn = self._turn(
            TurnOutcome.CALLED_TOOLS, self.agent.model, answer, calls=log, milliseconds=took
        )
        await self.ask(turns.write, turn)
        return results, reason, over

    async def _after_calls(self, reason: str) -> Ended:
        if reason.startswith(_STUCK):
            return await self._stop(reason)
        return await self.hand_over(reason, model=self.agent.model)

    async def _result_of(self, call: ToolCall, *, too_many: bool) -> dict[str, Any]:
        """What the model is told came of its call: `{"result": …}` or `{"error": …}`."""
        problem = self._problem_with(call, too_many=too_many)
        if problem:
            self.mistakes += 1
            return {"error": problem}
        try:
            return {"result": _bounded(await self.asked.tools.use(call.name, call.arguments))}
        except ToolFailed as failed:
            return {"error": failed.sentence}

    def _problem_with(self, call: ToolCall, *, too_many: bool) -> str:
        offers = {one.name: one for one in self.asked.tools.offers}
        if call.name not in offers:
            names = ", ".join(offers) or "none"
            return f"There is no tool called {call.name[:64]}. There is: {names}."
        if too_many:
            return f"At most {MOST_CALLS_A_TURN} tools are used at once."
        if problem := offers[call.name].problem_with(call.arguments):
            return problem
        same = json.dumps([call.name, dict(call.arguments)], sort_keys=True, default=str)
        self.made[same] += 1
        if self.made[same] > SAME_CALL_TWICE:
            return "You asked for exactly this twice already. Use what you were told, or answer."
        return ""

    # Endings

    async def _conclude(
        self, model: Gemini, said: list[Said], answer: Answer, took: int, *, has_tools: bool
    ) -> Ended:
        if not self.agent.answer_schema:
            read = prompting.read_answer(answer.text, len(self.passages))
            if read.confidence is not None and read.confidence < self.agent.hand_over_below:
                reason = f"Not sure enough: {read.confidence:.0%}."
                return await self.hand_over(
                    reason,
                    model=self.agent.model,
                    confidence=read.confidence,
                    answer=answer,
                    took=took,
                )
            return await self._answered(
                read.text, self.agent.model, read.confidence, read.cited, answer=answer, took=took
            )
        if has_tools:
            turn = self._turn(TurnOutcome.CALLED_TOOLS, self.agent.model, answer, milliseconds=took)
            await self.ask(turns.write, turn)
            again = [*said, answer.turn, Said(False, "Give that answer in the form asked for.")]
            answer, took = await self._ask_model(model, again, (), structured=True)
        return await self._structured(answer, took)

    async def _structured(self, answer: Answer, took: int) -> Ended:
        value, problem = _parsed(answer.text, self.agent.answer_schema or {})
        if problem:
            turn = self._turn(
                TurnOutcome.FAILED, self.agent.model, answer, reason=problem, milliseconds=took
            )
            await self.ask(turns.write, turn)
            return self._ended(Ending.FAILED, reason=problem, text=self.agent.fallback)
        ended = await self._answered(
            answer.text, self.agent.model, None, (), answer=answer, took=took, greets=False
        )
        return replace(ended, structured=value)

    async def _answered(
        self,
        text: str,
        model: str,
        confidence: float | None,
        cited: Sequence[int],
        *,
        answer: Answer | None = None,
        took: int = 0,
        note: str = "",
        greets: bool = True,
    ) -> Ended:
        sources = tuple(_source(self.passages[number - 1]) for number in cited)
        turn = self._turn(
            TurnOutcome.ANSWERED,
            model,
            answer,
            answer_text=text,
            confidence=confidence,
            sources=[_as_row(one) for one in sources],
            milliseconds=took,
            reason=note,
        )
        await self.ask(_write_and_remember, self.asked, turn, text)
        shown = self._with_welcome(text) if greets else text
        return self._ended(
            Ending.ANSWERED,
            text=shown,
            model=model,
            note=note,
            confidence=confidence,
            sources=sources,
        )

    def _with_welcome(self, text: str) -> str:
        is_first = bool(self.asked.memory_key) and not self.remembered
        return f"{self.agent.welcome}\n\n{text}" if self.agent.welcome and is_first else text

    async def hand_over(
        self,
        reason: str,
        *,
        model: str,
        note: str = "",
        confidence: float | None = None,
        answer: Answer | None = None,
        took: int = 0,
    ) -> Ended:
        if answer is None and model and model != LOCAL:
            model = ""  # the question to the model is on record already
        turn = self._turn(
            TurnOutcome.HANDED_OVER,
            model,
            answer,
            reason=reason,
            confidence=confidence,
            milliseconds=took,
        )
        await self.ask(_write_and_remember, self.asked, turn, self.agent.fallback)
        return self._ended(
            Ending.HANDED_OVER,
            text=self.agent.fallback,
            reason=reason,
            model=model,
            note=note,
            confidence=confidence,
        )

    async def _stop(self, reason: str) -> Ended:
        self.number += 1
        await self.ask(turns.write, self._turn(TurnOutcome.STOPPED, "", reason=reason))
        return self._ended(Ending.FAILED, reason=reason, text=self.agent.fallback)

    def _turn(
        self,
        outcome: TurnOutcome,
        model: str,
        answer: Answer | None = None,
        *,
        answer_text: str = "",
        **more: Any,
    ) -> Turn:
        spent: dict[str, Any] = {}
        if answer is not None:
            cost = cost_of(model, answer.tokens_in, answer.tokens_out)
            spent = {
                "tokens_in": answer.tokens_in,
                "tokens_out": answer.tokens_out,
                "cost_micros": cost,
            }
        return Turn(
            agent_id=self.agent.id,
            run_id=self.asked.run_id,
            number=max(self.number, 1),
            model=model,
            outcome=outcome,
            question=self.asked.message,
            answer=answer_text or (answer.text if answer else ""),
            is_trial=self.asked.is_trial,
            conversation_id=self.asked.conversation_id,
            **spent,
            **more,
        )

    def _ended(self, ending: Ending, **more: Any) -> Ended:
        spent = {"tokens": self.run.tokens, "cost_micros": self.run.cost_micros}
        return Ended(ending, turns=self.number, **{"model": self.agent.model, **spent, **more})


_STUCK = "The model kept asking for what can not be done."


def _last_error(log: Sequence[Mapping[str, Any]]) -> str:
    errors = [one["output"]["error"] for one in log if "error" in one.get("output", {})]
    return str(errors[-1]) if errors else "nothing came of it."


def _look_up(
    ctx: Context, asked: Run, bases: Sequence[UUID], vector: Sequence[float] | None
) -> tuple[list[Line], list[Found], Spent]:
    agent = asked.agent
    remembered = (
        memory.recall(ctx, agent.id, asked.memory_key, at_most=agent.remembered)
        if asked.memory_key
        else []
    )
    found = (
        searching.find(ctx, bases, asked.message, vector=vector, limit=PASSAGES) if bases else []
    )
    return remembered, found, turns.spent_today(ctx, agent.id)


def _write_and_remember(ctx: Context, asked: Run, turn: Turn, text: str) -> None:
    turns.write(ctx, turn)
    if asked.memory_key:
        lines = [Line(False, asked.message), *([Line(True, text)] if text else [])]
        memory.remember(
            ctx,
            asked.agent.id,
            asked.memory_key,
            lines,
            at_most=asked.agent.remembered,
            conversation_id=asked.conversation_id,
        )


def _bounded(value: Any) -> Any:
    """What a tool gave, cut where it is more than a model should read."""
    whole = json.dumps(value, ensure_ascii=False, default=str)
    if len(whole) <= LONGEST_RESULT:
        return json.loads(whole)
    return {"cut": True, "beginning": whole[:LONGEST_RESULT]}


def _source(found: Found) -> Source:
    return Source(found.document, found.place, found.url, str(found.document_id))


def _as_row(source: Source) -> dict[str, str]:
    return {
        "document": source.document,
        "place": source.place,
        "url": source.url,
        "document_id": source.document_id,
    }


def _parsed(text: str, schema: Mapping[str, Any]) -> tuple[Any, str]:
    """The JSON of a structured answer, and why it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return None, "The model's answer is not JSON, though it was asked for it."
    if schema.get("type") == "object":
        if not isinstance(value, dict):
            return None, "The model's answer is not an object, though it was asked for one."
        missing = [name for name in schema.get("required", []) if name not in value]
        if missing:
            return None, f"The model's answer lacks {', '.join(missing)}."
    return value, ""
