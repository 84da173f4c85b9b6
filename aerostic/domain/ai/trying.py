"""Trying an agent out: a conversation that no customer sees, with its real model, documents and costs."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.ai import loop, memory, persona
from aerostic.domain.ai.loop import Ask, Ended, Listener, Run
from aerostic.integrations.gemini.client import gemini


@requires(Permission.AI_MANAGE)
def begin(ctx: Context, agent_id: UUID, message: str) -> Run:
    """What is asked of the agent. An agent on trial has no tools: those hang on a workflow's node."""
    return Run(
        agent=persona.read(ctx, agent_id),
        message=message,
        memory_key=memory.trial_key(ctx),
        is_trial=True,
    )


async def try_out(
    ask: Ask, agent_id: UUID, message: str, *, on_text: Listener | None = None
) -> Ended:
    """Ask the agent as a customer would. `ask` runs domain functions as whoever tries it."""
    asked = await ask(begin, agent_id, message)
    await asyncio.to_thread(gemini)  # the first one takes seconds to load, and pages wait meanwhile
    return await loop.run(asked, ask, on_text=on_text)


class AskHere:
    """For those who can not wait otherwise, and hold a context: each step in a transaction of its own."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def __call__(self, action: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        done = action(self._ctx, *args, **kwargs)
        self._ctx.release()
        return done
