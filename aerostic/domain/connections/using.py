"""Calling Google for a workspace: with access that is fetched when it is needed, by one process at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from aerostic.domain.connections import service
from aerostic.domain.connections.service import Access, Errand
from aerostic.integrations.google import oauth
from aerostic.integrations.google.client import GoogleClient
from aerostic.integrations.google.errors import Busy, GoogleProblem, GrantGone
from aerostic.integrations.google.oauth import Scope

# `ask(action, …)` runs `action(ctx, …)` as a part of the system, in a transaction of its own.
Ask = Callable[..., Awaitable[Any]]

LOOK_EVERY = 0.1  # seconds
LOOKS = 300


@asynccontextmanager
async def google(
    ask: Ask, connection_id: UUID, scope: Scope
) -> AsyncIterator[tuple[GoogleClient, str]]:
    """A client and access for what the account allows. Raises AppError with the reason where it does not.

    An access token that Google takes no more is replaced once in each request: such a request was not done.
    """

    async def renew(token: str) -> str:
        await ask(service.drop_access, connection_id, token)
        return await access(ask, connection_id, scope)

    token = await access(ask, connection_id, scope)
    async with GoogleClient(renew=renew) as client:
        yield client, token


async def access(ask: Ask, connection_id: UUID, scope: Scope) -> str:
    """An access token. Whoever comes while another fetches one waits for that."""
    for _ in range(LOOKS):
        claimed = await ask(service.claim_access, connection_id, scope)
        if isinstance(claimed, Access):
            return claimed.token
        if isinstance(claimed, Errand):
            return await _fetch(ask, connection_id, claimed)
        await asyncio.sleep(LOOK_EVERY)
    raise Busy("Google is slow to give access to this account. Try again in a minute.")


async def _fetch(ask: Ask, connection_id: UUID, errand: Errand) -> str:
    try:
        tokens = await oauth.refresh(errand.refresh_token)
    except GrantGone as gone:
        ended = gone.message
        await ask(service.give_up_errand, connection_id, errand.ticket, ended=ended)
        raise
    except GoogleProblem:
        await ask(service.give_up_errand, connection_id, errand.ticket)
        raise
    await ask(service.keep_access, connection_id, errand.ticket, tokens)
    return tokens.access
