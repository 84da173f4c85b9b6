"""Questions to Gemini. Functions are never called from here: who asked decides what is done with a call.

Retried only where nothing was produced: it could not be reached, or it answered with 429 or 5xx. A question
that ran out of time may have been answered and paid for, so it is not asked again.

Google's library takes a second or two to import, so that is done when the first question is asked.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import aiohttp

from aerostic.core.settings import settings
from aerostic.integrations.gemini.errors import (
    GeminiProblem,
    NoAnswer,
    NotReached,
    NotUnderstood,
    blocked,
    in_words,
)

if TYPE_CHECKING:
    from google.genai import types

MODELS = (
    "gemini-3.5-flash-lite",
    "gemini-3.8-flash",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-pro",
)
EMBEDDING_MODEL = "gemini-embedding-001"
EMBEDDING_SIZE = 768
MOST_IN_A_BATCH = 100  # texts of one embedding request (Gemini API, batchEmbedContents)

SECONDS = 45
TRIES = 3
FIRST_PAUSE = 0.5

# The library asks through aiohttp wherever that is installed, as it is here.
_NEVER_SENT = aiohttp.ClientConnectorError
_BROKEN_OFF = (aiohttp.ClientError, TimeoutError)

Listener = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask for. `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a function. What it says is a guess, never a command."""

    name: str
    arguments: Mapping[str, Any]
    id: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call: an object."""

    call: ToolCall
    output: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a conversation with the model.

    A turn of the model is handed back just as it came (`as_received`): its thoughts may be signed.
    """

    by_model: bool
    text: str = ""
    results: tuple[ToolResult, ...] = ()
    as_received: "types.Content | None" = None


@dataclass(frozen=True, slots=True)
class Question:
    model: str
    turns: Sequence[Said]
    instructions: str = ""
    tools: Sequence[Tool] = ()
    temperature: float = 0.7
    most_tokens: int = 2048
    schema: Mapping[str, Any] | None = None  # of a JSON answer; Gemini takes no tools beside it


@dataclass(frozen=True, slots=True)
class Answer:
    """`turn` goes into the next question as it is."""

    text: str
    calls: tuple[ToolCall, ...]
    turn: Said
    tokens_in: int = 0
    tokens_out: int = 0  # with the model's thoughts, which cost the same
    is_cut: bool = False


@dataclass(slots=True)
class _Gathered:
    """The pieces of one answer, in the order in which they came."""

    parts: "list[types.Part]" = field(default_factory=list)
    usage: "types.GenerateContentResponseUsageMetadata | None" = None
    finish: str = ""
    refused: str = ""

    def take(self, piece: "types.GenerateContentResponse") -> str:
        """Keep a piece; return its text."""
        self.usage = piece.usage_metadata or self.usage
        if piece.prompt_feedback and piece.prompt_feedback.block_reason:
            self.refused = str(piece.prompt_feedback.block_reason.value)
        for candidate in (piece.candidates or [])[:1]:
            self.finish = candidate.finish_reason.value if candidate.finish_reason else self.finish
            new = (candidate.content and candidate.content.parts) or []
            self.parts.extend(new)
            return "".join(part.text or "" for part in new if not part.thought)
        return ""

    def answer(self) -> Answer:
        """Raises Blocked where there is none."""
        from google.genai import types

        text = "".join(part.text or "" for part in self.parts if not part.thought)
        calls = tuple(_call(part.function_call) for part in self.parts if part.function_call)
        if not text and not calls:
            raise blocked(self.refused or self.finish or "no reason")
        usage = self.usage
        written = (usage.candidates_token_count or 0) if usage else 0
        thought = (usage.thoughts_token_count or 0) if usage else 0
        return Answer(
            text=text,
            calls=calls,
            turn=Said(True, text, as_received=types.Content(role="model", parts=self.parts)),
            tokens_in=(usage.prompt_token_count or 0) if usage else 0,
            tokens_out=written + thought,
            is_cut=self.finish == "MAX_TOKENS",
        )


def _call(asked: "types.FunctionCall") -> ToolCall:
    return ToolCall(asked.name or "", asked.args or {}, asked.id or "")


class Gemini:
    """One key at one address. Takes a third of a second to make, and holds connections: keep it."""

    def __init__(self, key: str, *, url: str) -> None:
        from google import genai
        from google.genai import types

        self._client = genai.Client(
            api_key=key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=url,
                timeout=SECONDS * 1000,
                retry_options=types.HttpRetryOptions(attempts=1),  # what is retried is decided here
            ),
        )

    async def ask(self, question: Question, *, on_text: Listener | None = None) -> Answer:
        """One answer: words, or calls of tools. With `on_text` its words are told while they come.

        Raises GeminiProblem.
        """
        pause = FIRST_PAUSE
        for attempt in range(TRIES):
            heard = _Heard(on_text)
            try:
                return await self._ask(question, heard)
            except GeminiProblem as problem:
                if not problem.may_pass or heard.anything or attempt == TRIES - 1:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    async def _ask(self, question: Question, heard: "_Heard") -> Answer:
        gathered = _Gathered()
        async with _in_words():
            async for piece in self._pieces(question, streaming=heard.listener is not None):
                await heard.tell(gathered.take(piece))
        return gathered.answer()

    async def _pieces(
        self, question: Question, *, streaming: bool
    ) -> "AsyncIterator[types.GenerateContentResponse]":
        asked: dict[str, Any] = {
            "model": question.model,
            "contents": [_content(turn) for turn in question.turns],
            "config": _config(question),
        }
        if not streaming:
            yield await self._client.aio.models.generate_content(**asked)
            return
        async for piece in await self._client.aio.models.generate_content_stream(**asked):
            yield piece

    async def embed(self, texts: Sequence[str], *, is_query: bool = False) -> list[list[float]]:
        """A vector of EMBEDDING_SIZE for each text, at most MOST_IN_A_BATCH. Raises GeminiProblem."""
        if len(texts) > MOST_IN_A_BATCH:
            raise NotUnderstood(f"At most {MOST_IN_A_BATCH} texts are embedded at once.")
        from google.genai import types

        contents: list[types.PartUnionDict] = [*texts]
        task = "RETRIEVAL_QUERY" if is_query else "RETRIEVAL_DOCUMENT"
        async with _in_words():
            answer = await self._client.aio.models.embed_content(
                model=EMBEDDING_MODEL,
                contents=contents,
                config=types.EmbedContentConfig(
                    task_type=task, output_dimensionality=EMBEDDING_SIZE
                ),
            )
        vectors = [list(one.values or []) for one in answer.embeddings or []]
        if len(vectors) != len(texts) or any(len(one) != EMBEDDING_SIZE for one in vectors):
            raise NotUnderstood("Gemini's embeddings have another form than was asked for.")
        return vectors

    async def rest(self) -> None:
        """Close the connections of this event loop: before it ends."""
        await self._client.aio.aclose()


@dataclass(slots=True)
class _Heard:
    listener: Listener | None
    anything: bool = False

    async def tell(self, text: str) -> None:
        if text and self.listener:
            self.anything = True
            await self.listener(text)


@asynccontextmanager
async def _in_words() -> AsyncIterator[None]:
    from google.genai import errors

    try:
        yield
    except errors.APIError as error:
        raise in_words(error) from error
    except _NEVER_SENT as error:
        raise NotReached("Gemini can not be reached. Is the server online?") from error
    except _BROKEN_OFF as error:
        raise NoAnswer("Gemini did not answer in time. Whether it worked is not known.") from error


def _config(question: Question) -> "types.GenerateContentConfig":
    from google.genai import types

    declared = [
        types.FunctionDeclaration(
            name=one.name,
            description=one.description,
            parameters_json_schema=dict(one.parameters),
        )
        for one in question.tools
    ]
    return types.GenerateContentConfig(
        system_instruction=question.instructions or None,
        temperature=question.temperature,
        max_output_tokens=question.most_tokens,
        tools=[types.Tool(function_declarations=declared)] if declared else None,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        response_mime_type="application/json" if question.schema else None,
        response_json_schema=question.schema,
    )


def _content(turn: Said) -> "types.Content":
    from google.genai import types

    if turn.as_received is not None:
        return turn.as_received
    parts = [types.Part(text=turn.text)] if turn.text else []
    parts += [
        types.Part(
            function_response=types.FunctionResponse(
                id=one.call.id or None, name=one.call.name, response=dict(one.output)
            )
        )
        for one in turn.results
    ]
    return types.Content(role="model" if turn.by_model else "user", parts=parts)


@cache
def _of_key(key: str, url: str) -> Gemini:
    return Gemini(key, url=url)


async def rest() -> None:
    """Close what this event loop holds open to Gemini: before it ends."""
    asked = gemini() if _of_key.cache_info().currsize else None
    if asked is not None:
        await asked.rest()


def gemini() -> Gemini | None:
    """Gemini with the operator's key; None where none is set."""
    key = settings().gemini_api_key.get_secret_value()
    return _of_key(key, settings().gemini_url) if key else None
