"""One AI agent: its words, limits and examples; a conversation to try it out; the log of its turns."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import AppError, Invalid
from aerostic.core.permissions import Permission
from aerostic.core.tenancy import Context
from aerostic.domain.ai import queries, service, trying
from aerostic.domain.ai.loop import Ended, Ending
from aerostic.domain.ai.queries import AgentDetail, AgentRow, TurnView
from aerostic.domain.ai.service import AgentDraft
from aerostic.domain.ai.turns import dollars
from aerostic.domain.knowledge import queries as knowledge
from aerostic.state.agents import MODEL_WORDS
from aerostic.state.base import AppState
from aerostic.state.contacts import uuid_of
from aerostic.state.forms import Form, typed
from aerostic.state.guard import access
from aerostic.state.paged import Paged

PAGE = 25
TABS = ("agent", "examples", "trial", "log")
OUTCOMES = {
    "answered": "Answered",
    "called_tools": "Used tools",
    "handed_over": "Handed over",
    "failed": "Failed",
    "stopped": "Stopped",
}
Events = AsyncIterator[EventSpec | None]


@dataclass(frozen=True)
class AgentForm:
    """An agent as its form shows it: figures as they are typed, costs in dollars."""

    id: str = ""
    name: str = ""
    persona: str = ""
    system_prompt: str = ""
    model: str = "gemini-3.5-flash-lite"
    temperature: str = ""
    max_turns: str = ""
    remembered: str = ""
    tokens_per_run: str = ""
    tokens_per_day: str = ""
    cost_per_run: str = ""
    cost_per_day: str = ""
    hand_over_below: str = ""
    hand_over_words: str = ""
    welcome: str = ""
    fallback: str = ""
    answer_schema: str = ""
    is_answering: bool = False
    revision: int = 0
    tokens_today: str = ""
    cost_today: str = ""
    turns_today: str = ""

    @classmethod
    def of(cls, one: AgentDetail) -> "AgentForm":
        schema = json.dumps(one.answer_schema, indent=2) if one.answer_schema else ""
        return cls(
            id=str(one.row.id),
            name=one.row.name,
            persona=one.persona,
            system_prompt=one.system_prompt,
            model=one.row.model,
            temperature=f"{one.temperature:g}",
            max_turns=str(one.max_turns),
            remembered=str(one.remembered),
            tokens_per_run=str(one.tokens_per_run),
            tokens_per_day=str(one.tokens_per_day),
            cost_per_run=f"{one.cost_per_run_micros / 1_000_000:g}",
            cost_per_day=f"{one.cost_per_day_micros / 1_000_000:g}",
            hand_over_below=f"{one.hand_over_below * 100:g}",
            hand_over_words=", ".join(one.hand_over_words),
            welcome=one.welcome,
            fallback=one.fallback,
            answer_schema=schema,
            is_answering=one.row.is_answering,
            revision=one.revision,
            **cls.today(one.row),
        )

    @staticmethod
    def today(row: AgentRow) -> dict[str, Any]:
        """What it has used today, as the head of the page shows it."""
        return {
            "tokens_today": f"{row.tokens_today:,}",
            "cost_today": dollars(row.cost_today_micros),
            "turns_today": f"{row.turns_today:,}",
        }


@dataclass(frozen=True)
class BaseChoice:
    id: str
    name: str
    is_chosen: bool


@dataclass(frozen=True)
class ExampleLine:
    number: int  # in its list; -1: a new one
    question: str
    answer: str


@dataclass(frozen=True)
class TrialLine:
    """One message of the trial; `about` says what it cost, `note` what a reader should know."""

    by_agent: bool
    text: str
    about: str = ""
    note: str = ""
    sources: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TurnLine:
    id: str = ""
    at: str = ""
    question: str = ""
    answer: str = ""
    outcome: str = ""
    outcome_words: str = ""
    reason: str = ""
    model: str = ""
    tokens: str = ""
    cost: str = ""
    seconds: str = ""
    is_trial: bool = False
    confidence: str = ""
    calls: str = ""
    sources: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, turn: TurnView) -> "TurnLine":
        calls = [dict(call) for call in turn.calls]
        return cls(
            id=str(turn.id),
            at=turn.created_at.isoformat(),
            question=turn.question,
            answer=turn.answer,
            outcome=turn.outcome.value,
            outcome_words=OUTCOMES[turn.outcome],
            reason=turn.reason,
            model=MODEL_WORDS.get(turn.model, turn.model),
            tokens=f"{turn.tokens_in + turn.tokens_out:,}",
            cost=dollars(turn.cost_micros),
            seconds=f"{turn.milliseconds / 1000:.1f} s",
            is_trial=turn.is_trial,
            confidence=f"{turn.confidence:.0%}" if turn.confidence is not None else "",
            calls=json.dumps(calls, indent=2, ensure_ascii=False) if calls else "",
            sources=[_place(one) for one in turn.sources],
        )


NO_EXAMPLE = ExampleLine(-1, "", "")


class AgentPage(Paged, Form, AppState):
    agent: AgentForm = AgentForm()
    bases: list[BaseChoice] = []
    examples: list[ExampleLine] = []
    example: ExampleLine = NO_EXAMPLE
    is_editing: bool = False
    is_deleting: bool = False
    has_key: bool = True
    trial: list[TrialLine] = []
    answer_so_far: str = ""
    is_thinking: bool = False
    turns: list[TurnLine] = []
    turn: TurnLine = TurnLine()
    tab: str = "agent"
    is_loading: bool = True
    missing: str = ""

    @rx.event
    @access(Permission.AI_READ)
    async def load(self) -> None:
        """The agent whom the address names."""
        await self.watch()
        self.agent, self.is_loading, self.missing = AgentForm(), True, ""
        self.trial, self.answer_so_far, self.is_thinking = [], "", False
        self.is_editing, self.is_deleting, self.turn = False, False, TurnLine()
        wanted = str(self.router.url.query_parameters.get("tab", ""))
        self.tab = wanted if wanted in TABS else "agent"
        self._clear()
        self._from_the_first()
        try:
            await self._read(uuid_of(self.router.url.path.rstrip("/").rpartition("/")[2]))
            await self._read_turns()
        except AppError as error:
            self.missing = error.message
        self.is_loading = False

    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        ours = ("agent", self.agent.id) in changes
        if self.agent.id and (ours or ("everything", "") in changes):
            await self._read_turns()

    async def _read(self, agent_id: UUID) -> None:
        detail, bases, self.has_key = await self.call(_opened, agent_id)
        self.agent = AgentForm.of(detail)
        self.bases = [BaseChoice(str(one.id), one.name, one.id in detail.base_ids) for one in bases]
        self.examples = [
            ExampleLine(at, one["question"], one["answer"])
            for at, one in enumerate(detail.examples)
        ]

    async def _read_turns(self) -> None:
        page = await self.call(queries.turns, UUID(self.agent.id), after=self._start(), limit=PAGE)
        today = (await self.call(queries.agent, UUID(self.agent.id))).row
        self.agent = replace(self.agent, **AgentForm.today(today))
        self.turns = [TurnLine.of(turn) for turn in page.items]
        self._shown(page.next_cursor)

    @rx.event
    @access(Permission.AI_READ)
    def open_tab(self, tab: str) -> None:
        self.tab = tab if tab in TABS else "agent"

    # The form

    @rx.event
    @access(Permission.AI_MANAGE)
    def choose_base(self, base_id: str, chosen: bool) -> None:
        """Takes effect when the form is saved."""
        self.bases = [
            BaseChoice(one.id, one.name, chosen if one.id == base_id else one.is_chosen)
            for one in self.bases
        ]

    @rx.event
    @access(Permission.AI_MANAGE)
    async def save(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        bases = [UUID(one.id) for one in self.bases if one.is_chosen]
        saving = self.call(_saved, UUID(self.agent.id), form, bases, self.agent.revision)
        done, _ = await self._send(saving)
        if done:
            await self._read(UUID(self.agent.id))
            yield rx.toast.success("Saved.")

    @rx.event
    @access(Permission.AI_MANAGE)
    async def choose_answering(self, answers: bool) -> EventSpec | None:
        agent_id = UUID(self.agent.id)
        choosing = self.call(service.choose_answering, agent_id, answers=answers)
        _, sorry = await self.attempt(choosing)
        await self._read(agent_id)
        return sorry

    @rx.event
    @access(Permission.AI_MANAGE)
    def ask_to_delete(self) -> None:
        self.is_deleting = True

    @rx.event
    @access(Permission.AI_READ)
    def close(self) -> None:
        self.is_deleting = self.is_editing = False
        self.turn = TurnLine()

    @rx.event
    @access(Permission.AI_MANAGE)
    async def delete(self) -> EventSpec:
        self.is_deleting = False
        await self.call(service.delete_agent, UUID(self.agent.id))
        return rx.redirect(f"/dashboard/{self._workspace}/ai")

    # Examples

    @rx.event
    @access(Permission.AI_MANAGE)
    def edit_example(self, number: int) -> None:
        self._clear()
        found = (one for one in self.examples if one.number == number)
        self.example = next(found, NO_EXAMPLE)
        self.is_editing = True

    @rx.event
    @access(Permission.AI_MANAGE)
    async def save_example(self, form: dict[str, Any]) -> Events:
        self.is_busy = True
        yield None
        made = {"question": typed(form, "question"), "answer": typed(form, "answer")}
        number = self.example.number
        others = [
            {"question": one.question, "answer": one.answer}
            for one in self.examples
            if one.number != number
        ]
        at = number if number >= 0 else len(others)
        done, _ = await self._send(self._keep_examples([*others[:at], made, *others[at:]]))
        if done:
            self.is_editing = False

    @rx.event
    @access(Permission.AI_MANAGE)
    async def delete_example(self, number: int) -> EventSpec | None:
        left = [
            {"question": one.question, "answer": one.answer}
            for one in self.examples
            if one.number != number
        ]
        _, sorry = await self.attempt(self._keep_examples(left))
        return sorry

    async def _keep_examples(self, examples: list[dict[str, str]]) -> None:
        if any(not one["question"].strip() or not one["answer"].strip() for one in examples):
            raise Invalid("question", "An example has a question and an answer.")
        agent_id = UUID(self.agent.id)
        draft = AgentDraft(examples=examples)
        await self.call(service.change_agent, agent_id, draft, revision=self.agent.revision)
        await self._read(agent_id)

    # The trial

    @rx.event(background=True)
    @access(Permission.AI_MANAGE)
    async def send(self, form: dict[str, Any]) -> Events:
        """Ask the agent, and show its answer while it comes. It may take a minute: the page stays free."""
        message = typed(form, "message").strip()
        async with self:
            if not message or self.is_thinking:
                return
            self.trial = [*self.trial, TrialLine(False, message)][-50:]
            self.is_thinking, self.answer_so_far = True, ""
            agent_id = self.agent.id
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        asking = asyncio.create_task(
            trying.try_out(self.call, UUID(agent_id), message, on_text=pieces.put)
        )
        asking.add_done_callback(lambda _: pieces.put_nowait(None))
        while (piece := await pieces.get()) is not None:
            async with self:
                self.answer_so_far += piece
        ended, sorry = await self.attempt(_result(asking))
        async with self:
            if self.agent.id == agent_id:  # else someone opened another agent meanwhile
                self.trial = [*self.trial, *([_shown(ended)] if ended else [])]
                self.is_thinking, self.answer_so_far = False, ""
        yield sorry

    @rx.event
    @access(Permission.AI_MANAGE)
    async def begin_anew(self) -> None:
        self.trial = []
        await self.call(service.begin_trial_anew, UUID(self.agent.id))

    # The log

    @rx.event
    @access(Permission.AI_READ)
    def open_turn(self, turn_id: str) -> None:
        self.turn = next((one for one in self.turns if one.id == turn_id), TurnLine())

    @rx.event
    @access(Permission.AI_READ)
    async def next_page(self) -> None:
        self._turn()
        await self._read_turns()

    @rx.event
    @access(Permission.AI_READ)
    async def previous_page(self) -> None:
        self._turn_back()
        await self._read_turns()


async def _result(asking: "asyncio.Task[Ended]") -> Ended:
    return await asking


def _shown(ended: Ended) -> TrialLine:
    words = ended.text or "(No words for the customer.)"
    if ended.structured is not None:
        words = json.dumps(ended.structured, indent=2, ensure_ascii=False)
    spent = f"{ended.tokens:,} tokens · {dollars(ended.cost_micros)}"
    sure = f" · {ended.confidence:.0%} sure" if ended.confidence is not None else ""
    notes = {
        Ending.ANSWERED: ended.note,
        Ending.HANDED_OVER: f"Handed over to a person: {ended.reason}",
        Ending.FAILED: ended.reason,
    }
    model = MODEL_WORDS.get(ended.model, ended.model)
    return TrialLine(
        by_agent=True,
        text=words,
        about=f"{model} · {spent}{sure}" if model else "",
        note=notes[ended.ending],
        sources=[_place({"document": one.document, "place": one.place}) for one in ended.sources],
    )


def _place(source: Any) -> str:
    place = source.get("place")
    return f"{source['document']}, {place}" if place else str(source["document"])


def _opened(ctx: Context, agent_id: UUID) -> tuple[AgentDetail, list[knowledge.BaseView], bool]:
    return queries.agent(ctx, agent_id), knowledge.bases(ctx), queries.has_key(ctx)


def _saved(
    ctx: Context, agent_id: UUID, form: dict[str, Any], bases: list[UUID], revision: int
) -> None:
    schema = _schema(typed(form, "answer_schema"))
    draft = AgentDraft(
        name=typed(form, "name"),
        persona=typed(form, "persona"),
        system_prompt=typed(form, "system_prompt"),
        model=typed(form, "model"),
        temperature=_figure(form, "temperature"),
        max_turns=round(_figure(form, "max_turns")),
        remembered=round(_figure(form, "remembered")),
        tokens_per_run=round(_figure(form, "tokens_per_run")),
        tokens_per_day=round(_figure(form, "tokens_per_day")),
        cost_per_run_micros=round(_figure(form, "cost_per_run") * 1_000_000),
        cost_per_day_micros=round(_figure(form, "cost_per_day") * 1_000_000),
        hand_over_below=_figure(form, "hand_over_below") / 100,
        hand_over_words=typed(form, "hand_over_words").split(","),
        welcome=typed(form, "welcome"),
        fallback=typed(form, "fallback"),
        answer_schema=schema,
        has_answer_schema=schema is not None,
        base_ids=bases,
    )
    service.change_agent(ctx, agent_id, draft, revision=revision)


def _figure(form: dict[str, Any], name: str) -> float:
    try:
        return float(typed(form, name).replace(",", "").strip() or "0")
    except ValueError:
        raise Invalid(name, "This must be a number.") from None


def _schema(text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        schema = json.loads(text)
    except ValueError:
        raise Invalid("answer_schema", "This is not JSON.") from None
    if not isinstance(schema, dict):
        raise Invalid("answer_schema", "A schema is a JSON object.")
    return schema
