"""Agents in a workflow: who answers, with which model, memory, knowledge and tools; and stored values.

A tool is a node whose author left parameters open. The model fills those and nothing else: the node's other
settings, its connection and the tenant are not its to name, and what it gives is never read as a template.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import quote
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationError

from aerostic.core.errors import AppError
from aerostic.core.tenancy import Context
from aerostic.domain.ai import loop, memory, persona
from aerostic.domain.ai.loop import Ended, Ending, Run
from aerostic.domain.ai.memory import MOST_REMEMBERED
from aerostic.domain.ai.models import LOCAL
from aerostic.domain.ai.persona import Persona
from aerostic.domain.ai.tools import Offer, Parameter, ToolFailed
from aerostic.domain.automation import templates
from aerostic.domain.automation.graph import PlacedNode, PortType
from aerostic.domain.automation.nodes.base import (
    ERROR,
    IN,
    OUT,
    TOOL,
    Call,
    Change,
    Equipment,
    Group,
    NodeConfig,
    NodeFailed,
    Outcome,
    Outside,
    Port,
    Step,
)
from aerostic.domain.automation.nodes.fields import (
    Anything,
    Line,
    Paragraphs,
    ParameterType,
    ToolConfig,
    ToolParameter,
    as_nothing,
    saved_as,
    widget,
)
from aerostic.domain.automation.nodes.fields import VariableName as Name
from aerostic.domain.knowledge import embedding, searching
from aerostic.domain.knowledge.searching import Found

C = TypeVar("C", bound=NodeConfig)

MODEL = Port("model", "Model", PortType.MODEL)
MEMORY = Port("memory", "Memory", PortType.MEMORY)
KNOWLEDGE = Port("knowledge", "Knowledge", PortType.KNOWLEDGE, many=True)
TOOLS = Port("tools", "Tools", PortType.TOOL, many=True)
HAND_OVER = Port("hand_over", "Hand over")


class GeminiModel(StrEnum):
    FLASH = "gemini-2.5-flash"
    FLASH_LITE = "gemini-2.5-flash-lite"
    PRO = "gemini-2.5-pro"
    FLASH_LITE_35 = "gemini-3.5-flash-lite"
    FLASH_38 = "gemini-3.8-flash"


class UseGemini(Equipment):
    kind = "model.gemini"
    title = "Gemini"
    icon = "sparkles"
    summary = "The model that an agent thinks with: one of Google's Gemini."
    outputs = (MODEL,)

    class Config(NodeConfig):
        model: GeminiModel = Field(default=GeminiModel.FLASH, title="Model")
        temperature: float = Field(
            default=0.3,
            ge=0,
            le=2,
            title="Temperature",
            description="0: the same answer each time. Higher: freer.",
        )


class UseLocal(Equipment):
    kind = "model.local"
    title = "Local answers"
    icon = "book-open-check"
    summary = (
        "Answers without a language model: from the agent's examples and documents, word for word."
    )
    outputs = (MODEL,)

    class Config(NodeConfig):
        """Nothing to choose."""


class KeptBy(StrEnum):
    CONVERSATION = "conversation"
    CONTACT = "contact"
    KEY = "key"


class Remember(Equipment):
    kind = "ai.memory"
    title = "Memory"
    icon = "brain"
    summary = "What an agent remembers of what was said before."
    outputs = (MEMORY,)

    class Config(NodeConfig):
        messages: Annotated[int | None, BeforeValidator(as_nothing)] = Field(
            default=None,
            ge=0,
            le=MOST_REMEMBERED,
            title="How many messages",
            description="Empty: as many as the agent remembers. 0: none.",
        )
        kept_by: KeptBy = Field(default=KeptBy.CONVERSATION, title="Remembered for each")
        key: Line = Field(
            default="",
            title="Key",
            description="For “key”: what names the memory, such as {{ vars.order_id }}.",
            max_length=120,
        )


class UseKnowledge(Equipment):
    kind = "ai.knowledge"
    title = "Knowledge base"
    icon = "library"
    summary = "Documents that an agent answers from."
    outputs = (Port("knowledge", "Knowledge", PortType.KNOWLEDGE),)

    class Config(NodeConfig):
        base: UUID = Field(title="Knowledge base", json_schema_extra=widget("knowledge"))


class AskAgent(Call):
    """Ends through `hand_over` where the agent leaves the answer to a person."""

    kind = "ai.agent"
    title = "AI agent"
    group = Group.AI
    icon = "bot"
    summary = "Lets an agent answer, with its own memory, documents and tools."
    inputs = (IN, MODEL, MEMORY, KNOWLEDGE, TOOLS)
    outputs: ClassVar[tuple[Port, ...]] = (OUT, HAND_OVER, ERROR)
    seconds = 240  # several questions to a model, and its tools between them

    class Config(NodeConfig):
        agent: UUID = Field(title="Agent", json_schema_extra=widget("agent"))
        message: Paragraphs = Field(
            default="",
            title="What it answers",
            description="Empty: what the contact wrote.",
            max_length=8_000,
        )
        instructions: Paragraphs = Field(
            default="",
            title="More instructions",
            description="For this step, besides those of the agent.",
            max_length=8_000,
        )

    @classmethod
    async def call(cls, step: Step, config: Any, outside: Outside) -> Outcome:
        try:
            agent = await outside.ask(persona.read, config.agent)
        except AppError as error:
            raise NodeFailed(error.message) from error
        asked = _equipped(step, config, agent, outside)
        ended = await loop.run(asked, outside.ask)
        output = _output(ended)
        if ended.ending is Ending.FAILED:
            raise NodeFailed(ended.reason, output=output)
        warnings = (ended.note,) if ended.note else ()
        port = HAND_OVER.name if ended.ending is Ending.HANDED_OVER else OUT.name
        return Outcome(port, output=output, warnings=warnings)


def _output(ended: Ended) -> dict[str, Any]:
    """`nodes.<id>.output`: `text` is for the customer, `reason` for the workspace."""
    return {
        "text": ended.text,
        "outcome": ended.ending.value,
        "reason": ended.reason,
        "confidence": ended.confidence,
        "sources": [{"document": one.document, "place": one.place} for one in ended.sources],
        "data": ended.structured,
        "model": ended.model,
        "turns": ended.turns,
        "tokens": ended.tokens,
        "cost_micros": ended.cost_micros,
    }


def _equipped(step: Step, config: Any, agent: Persona, outside: Outside) -> Run:
    """The run, with what is connected to the node's ports."""
    equipment = step.equipment
    agent = _with_model(step, agent, equipment.get("model", ()))
    agent, key = _with_memory(step, agent, equipment.get("memory", ()))
    bases = [_read(step, one, UseKnowledge.Config).base for one in equipment.get("knowledge", ())]
    return Run(
        agent=agent,
        message=config.message.strip() or _written(step),
        run_id=step.execution_id,
        memory_key=key,
        conversation_id=step.conversation_id,
        instructions=config.instructions,
        base_ids=tuple(bases),
        tools=AttachedTools(equipment.get("tools", ()), outside),
    )


def _written(step: Step) -> str:
    """What the contact wrote, in the message that began or last resumed the run."""
    message = step.scope.get("message")
    return str(message.get("text") or "") if isinstance(message, Mapping) else ""


def _with_model(step: Step, agent: Persona, attached: Sequence[PlacedNode]) -> Persona:
    for node in attached[:1]:
        if node.kind == UseLocal.kind:
            return replace(agent, model=LOCAL)
        chosen = _read(step, node, UseGemini.Config)
        return replace(agent, model=chosen.model.value, temperature=chosen.temperature)
    return agent


def _with_memory(step: Step, agent: Persona, attached: Sequence[PlacedNode]) -> tuple[Persona, str]:
    """Without a memory node: as the agent says, for each conversation."""
    for node in attached[:1]:
        chosen = _read(step, node, Remember.Config)
        kept = agent.remembered if chosen.messages is None else chosen.messages
        return replace(agent, remembered=kept), _key(step, chosen.kept_by, chosen.key)
    return agent, _key(step, KeptBy.CONVERSATION, "")


def _key(step: Step, kept_by: KeptBy, key: str) -> str:
    if kept_by is KeptBy.KEY:
        return f"key:{key.strip()}" if key.strip() else ""
    whose = step.contact_id if kept_by is KeptBy.CONTACT else step.conversation_id
    return f"{kept_by}:{whose}" if whose else ""


def _read(step: Step, node: PlacedNode, form: type[C]) -> C:
    """The settings of what is attached. Raises NodeFailed."""
    try:
        return form.model_validate(templates.render(node.config, step.scope).value)
    except (ValidationError, templates.TemplateProblem) as error:
        title = node.name or node.kind
        raise NodeFailed(f"The settings of “{title}” do not fit.") from error


# Tools

TYPES = {
    ParameterType.TEXT: "string",
    ParameterType.NUMBER: "number",
    ParameterType.YES_NO: "boolean",
    ParameterType.DATE: "string",
}
_OF_THE_MODEL = re.compile(r"\b(tool|input)\.(?!in_address\.)")
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_ONE_EXPRESSION = re.compile(r"\s*\{\{[^{}]*\}\}\s*")


@dataclass(frozen=True, slots=True)
class Attached:
    offer: Offer
    node: PlacedNode


class AttachedTools:
    """The nodes that hang on an agent's tool port: these, and nothing else, can be used."""

    def __init__(self, nodes: Sequence[PlacedNode], outside: Outside) -> None:
        self._outside = outside
        self._attached: dict[str, Attached] = {}
        for node in nodes:
            name = _unused(_slug(node), self._attached)
            self._attached[name] = Attached(_offer(name, node), node)

    @property
    def offers(self) -> Sequence[Offer]:
        return [one.offer for one in self._attached.values()]

    async def use(self, name: str, arguments: Mapping[str, Any]) -> Any:
        node = self._attached[name].node
        try:
            return await self._outside.use(*harmless(node, arguments))
        except (NodeFailed, templates.TemplateProblem) as failed:
            raise ToolFailed(failed.sentence) from failed
        except AppError as refused:
            raise ToolFailed(refused.message) from refused


def harmless(node: PlacedNode, arguments: Mapping[str, Any]) -> tuple[PlacedNode, dict[str, Any]]:
    """A node and what the model gave, so that an address which the author began stays where it leads.

    In a part of an address a value is written so that it can not become another path, host or parameter.
    An address that is one parameter alone was left to the model by its author.
    """
    given = dict(arguments)
    given["in_address"] = {name: quote(str(value), safe="") for name, value in arguments.items()}
    url = node.config.get("url")
    if not isinstance(url, str) or _ONE_EXPRESSION.fullmatch(url):
        return node, given
    guarded = _EXPRESSION.sub(lambda one: _OF_THE_MODEL.sub(r"\1.in_address.", one[0]), url)
    return node.model_copy(update={"config": {**node.config, "url": guarded}}), given


def _slug(node: PlacedNode) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", (node.name or node.kind).casefold()).strip("_")[:40]
    return plain if plain and not plain[0].isdigit() else f"tool_{plain}".rstrip("_")


def _unused(name: str, taken: Mapping[str, object]) -> str:
    number, wanted = 2, name
    while wanted in taken:
        wanted, number = f"{name}_{number}", number + 1
    return wanted


def _offer(name: str, node: PlacedNode) -> Offer:
    """What the author wrote for the model: the purpose, and the parameters that are open."""
    described = str(node.config.get("tool_description") or "").strip()
    rows = node.config.get("tool_parameters") or []
    given = [_parameter(row) for row in rows] if isinstance(rows, list) else []
    return Offer(name, described or node.name or node.kind, [one for one in given if one])


def _parameter(row: Any) -> Parameter | None:
    try:
        given = ToolParameter.model_validate(row)
    except ValidationError:
        return None  # the linter tells its author
    hint = "As YYYY-MM-DD." if given.type is ParameterType.DATE else ""
    return Parameter(
        name=given.name,
        type=TYPES[given.type],
        description=f"{given.description} {hint}".strip(),
        is_required=given.required,
    )


# Knowledge and stored values as steps


class SearchKnowledge(Call):
    kind = "ai.knowledge_search"
    title = "Search knowledge"
    group = Group.AI
    icon = "search"
    summary = "Finds the passages of your documents that speak of a question."
    outputs: ClassVar[tuple[Port, ...]] = (OUT, ERROR, TOOL)
    reads_only = True

    class Config(ToolConfig):
        base: UUID = Field(title="Knowledge base", json_schema_extra=widget("knowledge"))
        question: Paragraphs = Field(
            default="",
            title="Question",
            description="Empty: what the contact wrote.",
            max_length=2_000,
        )
        limit: int = Field(default=3, ge=1, le=20, title="How many passages at most")
        save_as: Name = Field(default="", title="Keep it as", description="{{ vars.name }}")

    @classmethod
    async def call(cls, step: Step, config: Any, outside: Outside) -> Outcome:
        question = config.question.strip() or _written(step)
        vector = await embedding.vector_of(question)
        found = await outside.ask(
            searching.find, [config.base], question, vector=vector, limit=config.limit
        )
        output = {
            "found": bool(found),
            "text": "\n\n".join(one.text for one in found),
            "passages": [_passage(one) for one in found],
        }
        return Outcome(output=output, names=saved_as(config.save_as, output))


def _passage(found: Found) -> dict[str, Any]:
    return {
        "text": found.text,
        "document": found.document,
        "place": found.place,
        "url": found.url,
        "score": found.score,
    }


class StoreAction(StrEnum):
    GET = "get"
    SET = "set"
    CLEAR = "clear"


class Whose(StrEnum):
    CONTACT = "contact"
    WORKSPACE = "workspace"


class StoreValue(Change):
    kind = "ai.memory_store"
    title = "Stored value"
    group = Group.AI
    icon = "database"
    summary = "Keeps a value from one run to the next, for a contact or for the whole workspace."
    outputs = (OUT, ERROR, TOOL)

    class Config(ToolConfig):
        action: StoreAction = Field(default=StoreAction.GET, title="What to do")
        whose: Whose = Field(default=Whose.CONTACT, title="Whose value")
        name: Line = Field(title="Name", min_length=1, max_length=120)
        value: Anything = Field(default=None, title="Value", description="For “set”.")
        save_as: Name = Field(default="", title="Keep it as", description="{{ vars.name }}")

    @classmethod
    def change(cls, ctx: Context, step: Step, config: Any) -> Outcome:
        owner = memory.owner_of(_contact(step, config.whose))
        try:
            value = _ACTIONS[config.action](ctx, owner, config)
        except AppError as error:
            raise NodeFailed(error.message) from error
        output = {"name": config.name, "value": value, "found": value is not None}
        return Outcome(output=output, names=saved_as(config.save_as, value))


def _contact(step: Step, whose: Whose) -> UUID | None:
    if whose is Whose.CONTACT and step.contact_id is None:
        raise NodeFailed("This run is about no contact. Keep the value for the workspace instead.")
    return step.contact_id if whose is Whose.CONTACT else None


def _get(ctx: Context, owner: str, config: Any) -> Any:
    return memory.get_value(ctx, owner, config.name)


def _set(ctx: Context, owner: str, config: Any) -> Any:
    memory.set_value(ctx, owner, config.name, config.value)
    return config.value


def _clear(ctx: Context, owner: str, config: Any) -> Any:
    memory.clear_value(ctx, owner, config.name)


_ACTIONS: dict[StoreAction, Callable[[Context, str, Any], Any]] = {
    StoreAction.GET: _get,
    StoreAction.SET: _set,
    StoreAction.CLEAR: _clear,
}
