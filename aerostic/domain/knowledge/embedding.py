"""Vectors for passages and questions, where Gemini can be asked for them. Nothing is held open meanwhile."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from aerostic.integrations.gemini.client import MOST_IN_A_BATCH, Gemini, gemini
from aerostic.integrations.gemini.errors import GeminiProblem

R = TypeVar("R")

ASKED_AT_ONCE = 4


async def vector_of(question: str) -> list[float] | None:
    """A question's vector; None without a key, or where Gemini does not answer: then words must do."""
    asked = gemini()
    if asked is None or not question.strip():
        return None
    try:
        return (await asked.embed([question[:2_000]], is_query=True))[0]
    except GeminiProblem:
        return None


def vector_now(question: str) -> list[float] | None:
    """The same for those who can not wait otherwise."""
    asked = gemini()
    return asyncio.run(_then_rest(asked, vector_of(question))) if asked else None


def vectors_of(texts: Sequence[str]) -> list[list[float]]:
    """A vector for each, in batches; nothing without a key. Raises GeminiProblem."""
    asked = gemini()
    return asyncio.run(_then_rest(asked, _all(asked, texts))) if asked and texts else []


async def _all(asked: Gemini, texts: Sequence[str]) -> list[list[float]]:
    batches = [texts[at : at + MOST_IN_A_BATCH] for at in range(0, len(texts), MOST_IN_A_BATCH)]
    turn = asyncio.Semaphore(ASKED_AT_ONCE)

    async def one(batch: Sequence[str]) -> list[list[float]]:
        async with turn:
            return await asked.embed(batch)

    return [vector for batch in await asyncio.gather(*map(one, batches)) for vector in batch]


async def _then_rest(asked: Gemini, work: Awaitable[R]) -> R:
    """An event loop that ends must not leave connections behind."""
    try:
        return await work
    finally:
        await asked.rest()
