"""The state that every page's state builds on: how a click reaches the domain."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import replace
from types import FunctionType
from typing import Any, Concatenate, ParamSpec, TypeVar

import reflex as rx
from reflex_base.event import EventSpec

from aerostic.core.errors import AppError, NotAllowed, NotFound, SignInNeeded
from aerostic.core.permissions import STRANGER, Actor
from aerostic.core.tenancy import Context, platform_work, shared_work, unit_of_work
from aerostic.state.guard import Caller, caller, in_thread

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Action = Callable[Concatenate[Context, P], R]

log = logging.getLogger(__name__)


def not_an_event(function: F) -> F:
    """Keep a state's method out of what a browser can call."""
    function.__override_base_method__ = True  # type: ignore[attr-defined]
    return function


class AppState(rx.State):
    """Parent of every state. Its tree belongs to one session and one workspace; the guard sees to that."""

    _owner: str = ""
    _workspace: str = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Only what carries `@access(...)` becomes an event; any other method stays inside."""
        for name, method in list(cls.__dict__.items()):
            plain = isinstance(method, FunctionType) and not name.startswith("_")
            if plain and not hasattr(method, "__access__"):
                not_an_event(method)
        super().__init_subclass__(**kwargs)

    @not_an_event
    async def call(self, action: Action[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a domain function as the signed-in member of the path's workspace, in one transaction."""
        return await in_thread(_in_workspace, caller.get(), action, args, kwargs)

    @not_an_event
    async def call_alike(self, action: Action[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """As `call`, but once for all pages that read again in one round and whose people have equal rights.

        It runs as a member without a name, so nothing that only one of them may see can come of it. What
        comes back is everyone's: never change it.
        """
        return await readings.get().read(_alike(caller.get()), action, args, kwargs)

    @not_an_event
    async def call_platform(self, action: Action[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a domain function as one of the platform's staff."""
        return await in_thread(_on_platform, caller.get(), action, args, kwargs)

    @not_an_event
    async def call_shared(self, action: Action[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a domain function outside of any workspace: sign-in, registration, one's own profile."""
        return await in_thread(_outside, caller.get(), action, args, kwargs)

    @not_an_event
    async def attempt(self, work: Coroutine[Any, Any, R]) -> tuple[R | None, EventSpec | None]:
        """Await a call; a refusal becomes a toast: `_, sorry = await self.attempt(self.call(…))`."""
        try:
            return await work, None
        except AppError as error:
            return None, rx.toast.error(error.message)

    @not_an_event
    async def watch(self) -> None:
        """From now on, call this state's `on_change(changes)` whenever its workspace changes.

        Before anything is read: what changes meanwhile is then heard as soon as the page has opened.
        """
        from aerostic.state.live import pages

        pages.watch(caller.get(), self)

    @not_an_event
    async def on_change(self, changes: list[tuple[str, str]]) -> None:
        """Something of the workspace changed: `[(kind, id), …]`. Override to read again."""


class Readings:
    """What the pages of one round have read together: the first asks, the others wait for its answer."""

    def __init__(self) -> None:
        self._asked: dict[Any, asyncio.Task[Any]] = {}

    async def read(self, who: Caller, action: Any, args: Any, kwargs: Any) -> Any:
        rights = who.actor and (who.tenant_id, who.actor.permissions, who.actor.power)
        key = (rights, action, args, tuple(sorted(kwargs.items())))
        if rights is None or key not in self._asked:
            self._asked[key] = asyncio.create_task(
                in_thread(_in_workspace, who, action, args, kwargs)
            )
        return await asyncio.shield(self._asked[key])


class ReadAlone(Readings):
    """Outside a round: a click, a page that opens."""

    async def read(self, who: Caller, action: Any, args: Any, kwargs: Any) -> Any:
        return await in_thread(_in_workspace, who, action, args, kwargs)


readings: ContextVar[Readings] = ContextVar("readings", default=ReadAlone())  # noqa: B039 - keeps nothing


def _alike(who: Caller) -> Caller:
    """Someone with the same rights in the same workspace, and no name."""
    actor = who.actor and replace(who.actor, name="", user_id=None, session_id=None, ip="")
    return replace(who, actor=actor)


def _in_workspace(who: Caller, action: Any, args: Any, kwargs: Any) -> Any:
    if who.principal is None:
        raise SignInNeeded("Please sign in again.")
    if who.problem:
        raise who.problem
    if who.tenant_id is None or who.actor is None:
        raise NotFound("That workspace does not exist, or you are not a member of it.")
    with unit_of_work(who.tenant_id, who.actor) as ctx:
        return action(ctx, *args, **kwargs)


def _on_platform(who: Caller, action: Any, args: Any, kwargs: Any) -> Any:
    if who.staff is None:
        raise NotAllowed("Only the platform's staff can do that.")
    with platform_work(who.staff) as ctx:
        return action(ctx, *args, **kwargs)


def _outside(who: Caller, action: Any, args: Any, kwargs: Any) -> Any:
    with shared_work(actor_outside(who)) as ctx:
        return action(ctx, *args, **kwargs)


def actor_outside(who: Caller) -> Actor:
    """Whom a domain function without a tenant meets: a person with their own account, or a stranger."""
    return who.principal.personal_actor(who.ip) if who.principal else replace(STRANGER, ip=who.ip)


def explain(exception: Exception) -> EventSpec:
    """The last net, below every handler: a sentence for the person, a reference for the log."""
    if isinstance(exception, AppError):
        return rx.toast.error(exception.message)
    reference = secrets.token_hex(4)
    log.error("unexpected error, reference %s", reference, exc_info=exception)
    return rx.toast.error(
        f"Something went wrong on our side (reference {reference}). Please try again.",
        duration=10_000,
    )
