"""The gate in front of every click, default deny.

A Reflex client may call any handler of any state, with any token, path and arguments. What is believed is
the session cookie that came with the socket's handshake, looked up again (2 s cache) on every event, so that
revoking works while a page is open. A client token only names a state tree and proves nothing: a tree belongs
to one session and one workspace, and is emptied before it is shown to another.

Uses private names of Reflex; its version is pinned and `tests/state` forges every attack described here.
"""

import asyncio
import functools
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeVar
from uuid import UUID

import reflex as rx
from reflex.state import BaseState, OnLoadInternalState, State, StateUpdate
from reflex_base.event import Event, EventSpec
from reflex_base.registry import RegistrationContext

from aerostic.core.errors import AppError
from aerostic.core.permissions import STRANGER, Actor, Permission
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity import queries as identity
from aerostic.domain.identity.queries import Principal

ACCESS_COOKIE = "aerostic_access"
SECONDS_CACHED = 2.0
SECONDS_FRESH = (
    0.2  # even for whoever opens a page: else each forged opening costs a look at PostgreSQL
)
MOST_REMEMBERED = 10_000

# The pages' own threads: the domain is synchronous and must not hold the event loop.
threads = ThreadPoolExecutor(max_workers=12, thread_name_prefix="pages")

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a handler."""

    permission: Permission | None
    public: bool
    platform: bool


def access(
    permission: Permission | None = None, *, public: bool = False, platform: bool = False
) -> Callable[[F], F]:
    """Open a handler, below `@rx.event`. Without a permission: to any signed-in person.

    With one: to members of the path's workspace whose role includes it. `platform=True`: to the platform's
    staff. `public=True`: to strangers. A handler without this decorator does not exist for a browser.
    """

    def decorate(handler: F) -> F:
        handler.__access__ = Access(permission, public, platform)  # type: ignore[attr-defined]
        return handler

    return decorate


@dataclass(frozen=True, slots=True)
class Caller:
    """Who an event came from: a person or nobody, and who they are in the workspace of the path.

    `problem`: why a person who has a place here may not act now (suspended, a second factor is missing).
    """

    principal: Principal | None = None
    tenant_id: UUID | None = None
    actor: Actor | None = None
    staff: Actor | None = None
    problem: AppError | None = None
    token: str = ""
    ip: str = ""

    @property
    def session(self) -> str:
        return str(self.principal.session_id) if self.principal else ""

    @property
    def workspace(self) -> str:
        return str(self.tenant_id or "")


NOBODY = Caller()
caller: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


class People:
    """Who holds which access token, as PostgreSQL said within the last two seconds."""

    def __init__(self) -> None:
        self._recent: dict[str, tuple[float, Principal | None]] = {}

    async def holder(self, token: str) -> Principal | None:
        """The person, as long as their session is open. A socket keeps the cookie of its handshake."""
        if not token:
            return None
        until, known = self._recent.get(token, (0.0, None))
        if until > time.monotonic():
            return known
        await self.look_up([token])
        return self._recent[token][1]

    def forget(self, token: str) -> None:
        """Ask anew the next time, unless that was done a moment ago."""
        until, _ = self._recent.get(token, (0.0, None))
        if until - SECONDS_CACHED + SECONDS_FRESH <= time.monotonic():
            self._recent.pop(token, None)

    async def look_up(self, tokens: Iterable[str]) -> None:
        """Ask once for all of whom we have not asked lately."""
        now = time.monotonic()
        unknown = {one for one in tokens if one and self._recent.get(one, (0.0,))[0] <= now}
        if unknown:
            found = await in_thread(_holders, unknown)
            for token in unknown:
                self._remember(token, found.get(token))

    def _remember(self, token: str, found: Principal | None) -> None:
        now = time.monotonic()
        if len(self._recent) >= MOST_REMEMBERED:
            self._recent = {one: seen for one, seen in self._recent.items() if seen[0] > now}
        self._recent[token] = (now + SECONDS_CACHED, found)


people = People()


def access_token(cookie_header: str) -> str:
    """The access token of a `Cookie` header, or nothing."""
    try:
        jar: SimpleCookie = SimpleCookie(cookie_header)
    except CookieError:
        return ""
    return jar[ACCESS_COOKIE].value if ACCESS_COOKIE in jar else ""


def _holders(tokens: set[str]) -> dict[str, Principal]:
    with shared_work(STRANGER) as ctx:
        return identity.socket_principals(ctx, tokens)


async def in_thread(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run synchronous work in the pages' own threads."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, functools.partial(work, *args, **kwargs))


WORKSPACE_PATH = re.compile(r"^/dashboard/([0-9a-fA-F-]{36})(?:[/?#]|$)")


def workspace_of(path: str) -> UUID | None:
    """The workspace that a path names: a claim, until the membership is found."""
    found = WORKSPACE_PATH.match(path)
    try:
        return UUID(found[1]) if found else None
    except ValueError:
        return None


async def recognise(token: str, tenant_id: UUID | None, ip: str) -> Caller:
    """Whoever holds the token, with today's rights in a workspace."""
    principal = await people.holder(token)
    who = Caller(principal, tenant_id, token=token, ip=ip)
    if principal is None:
        return who
    try:
        actor = principal.actor_in(tenant_id, ip) if tenant_id else None
        return replace(who, actor=actor, staff=principal.platform_actor(ip))
    except AppError as problem:
        return replace(who, problem=problem)


async def _caller_of(router_data: dict[str, Any], *, arrives: bool) -> Caller:
    """Whoever opens a page is looked up anew: they may have joined, left or set something up just now."""
    headers = router_data.get("headers") or {}
    token = access_token(headers.get("cookie", ""))
    if arrives:
        people.forget(token)
    tenant_id = workspace_of(str(router_data.get("asPath", "")))
    return await recognise(token, tenant_id, str(router_data.get("ip", "")))


_ROOT = State.get_full_name()
_ON_LOAD = OnLoadInternalState.get_full_name()
HYDRATE = frozenset({f"{_ROOT}.hydrate", f"{_ROOT}.hydrate_and_load"})
ARRIVALS = HYDRATE | {f"{_ON_LOAD}.on_load_internal"}
# What Reflex's own client calls. They show and set nothing but the caller's own tree.
FRAMEWORK = HYDRATE | {
    f"{_ROOT}.set_is_hydrated",
    f"{_ON_LOAD}.on_load_internal",
    f"{_ON_LOAD}.set_is_hydrated",
    f"{_ROOT}.reflex___state____update_vars_internal_state.update_vars_internal",
    f"{_ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception",
}


class AuthGuard(rx.Middleware):
    """Stands before every event: clicks, chained events, page loads."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        who = await _caller_of(state.router_data, arrives=event.name in ARRIVALS)
        caller.set(who)
        if await _belongs_to_another(state, who):
            if event.name not in HYDRATE:
                return _answer(rx.call_script("window.location.reload()"))
            await _hand_over(state, who)
        refusal = _refusal(app, state, event, who)
        if refusal is None:
            return None
        log.warning("refused %s to %s", event.name, who.session or "a stranger")
        return refusal


async def _belongs_to_another(state: BaseState, who: Caller) -> bool:
    """Whether the tree is another session's or workspace's. One of no workspace yet joins the caller's."""
    from aerostic.state.base import AppState

    ours = await state.get_state(AppState)
    if ours._owner != who.session:
        return True
    if who.workspace and not ours._workspace:
        ours._workspace = who.workspace
    return bool(who.workspace) and ours._workspace != who.workspace


async def _hand_over(state: BaseState, who: Caller) -> None:
    """Empty the tree, then give it to the caller. Hydration has loaded the whole of it."""
    from aerostic.state.base import AppState

    root = state._get_root_state()
    route = dict(root.router_data)
    root.reset()  # type: ignore[no-untyped-call]
    root.router_data = route
    root._update_router_vars(route, {})
    ours = await state.get_state(AppState)
    ours._owner, ours._workspace = who.session, who.workspace


def _refusal(app: rx.App, state: BaseState, event: Event, who: Caller) -> StateUpdate | None:
    """None: go on. Otherwise what the browser is told."""
    if event.name in FRAMEWORK:
        return None
    rule = access_of(event.name)
    if rule is None:
        return StateUpdate()
    if rule.public:
        return None
    if who.principal is None:
        return _answer(rx.call_script("window.aerostic.signInAgain()"))
    return _role_refusal(app, state, event, who, rule)


def access_of(event_name: str) -> Access | None:
    """What a registered handler declares. None: unknown, undeclared, or Reflex's own `setvar`."""
    if event_name.rpartition(".")[2] == "setvar":
        return None
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return getattr(registered.handler.fn, "__access__", None) if registered else None


def _role_refusal(
    app: rx.App, state: BaseState, event: Event, who: Caller, rule: Access
) -> StateUpdate | None:
    if rule.permission is None and not rule.platform:
        return None
    if who.problem:
        return _problem(who.problem)
    actor = who.staff if rule.platform else who.actor
    if actor is None:  # what is not yours does not exist
        return _answer(rx.redirect("/404", replace=True))
    if rule.permission is None or actor.may(rule.permission):
        return None
    sorry = rx.toast.error("Your role here does not include that. An owner can change it.")
    if _loads_page(app, state, event):
        return _answer(rx.redirect("/dashboard", replace=True), sorry)
    return _answer(sorry)


def _problem(problem: AppError) -> StateUpdate:
    if isinstance(problem, identity.SecondFactorNeeded):
        return _answer(rx.redirect("/second-factor"))
    return _answer(rx.toast.error(problem.message, duration=20_000))


def _loads_page(app: rx.App, state: BaseState, event: Event) -> bool:
    path = str(state.router_data.get("pathname", ""))
    loads = Event.from_event_type(list(app.get_load_events(path)))
    return any(load.name == event.name for load in loads)


def _answer(*specs: EventSpec) -> StateUpdate:
    return StateUpdate(events=Event.from_event_type(list(specs)))


class ClosedUploads:
    """Closes Reflex's `/_upload`, which stores bodies before asking and serves files to strangers.

    It also takes the person from the client token alone. Files come and go through our authorised routes.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == "/_upload" or path.startswith("/_upload/")):
            await self.app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"9")]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": b"not found"})
