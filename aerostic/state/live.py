"""Open pages hear that something changed, and read again through their own rights.

One Redis subscription a process, whatever the number of pages. An announcement is passed on at once; those
that follow within 100 ms are gathered into one.
"""

import asyncio
import json
import logging
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import reflex as rx
from redis.asyncio import Redis
from redis.exceptions import RedisError

from aerostic.core.live import CHANNEL
from aerostic.core.settings import settings
from aerostic.state.base import AppState, Readings, readings
from aerostic.state.guard import Caller, caller, people, recognise

GATHER_SECONDS = 0.1
PAGES_AT_ONCE = 16
RECONNECT_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0

Changes = set[tuple[str, str]]
# Sent to every page after a gap, when announcements may have been missed.
EVERYTHING: Changes = {("everything", "")}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watcher:
    """One page's state: of which tab, over which socket, for whom."""

    token: str
    socket_id: str
    state: type[AppState]
    who: Caller = field(compare=False)


class Pages:
    """The open pages of this process by tenant, and what each has yet to hear."""

    def __init__(self) -> None:
        self._watchers: dict[UUID, set[Watcher]] = defaultdict(set)
        self._unheard: dict[UUID, Changes] = defaultdict(set)
        self._telling: dict[UUID, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(PAGES_AT_ONCE)

    def watch(self, who: Caller, state: AppState) -> None:
        """Remember the page that `state` belongs to. A tab watches one page's state at a time."""
        if who.tenant_id is None or who.actor is None:
            return
        token = str(state.router_data["token"])
        self._forget(token)
        socket_id = str(state.router_data["sid"])
        self._watchers[who.tenant_id].add(Watcher(token, socket_id, _class_of(state), who))

    def _forget(self, token: str) -> None:
        for tenant_id, watchers in list(self._watchers.items()):
            watchers -= {one for one in watchers if one.token == token}
            if not watchers:
                del self._watchers[tenant_id]

    def hear(self, app: rx.App, tenant_id: UUID, changes: Changes) -> None:
        """Pass on what changed: at once if the tenant is quiet, else with the next round."""
        if tenant_id not in self._watchers:
            return
        self._unheard[tenant_id] |= changes
        if tenant_id not in self._telling:
            self._telling[tenant_id] = asyncio.create_task(self._tell_until_quiet(app, tenant_id))

    def hear_everywhere(self, app: rx.App) -> None:
        for tenant_id in list(self._watchers):
            self.hear(app, tenant_id, EVERYTHING)

    async def _tell_until_quiet(self, app: rx.App, tenant_id: UUID) -> None:
        try:
            while changes := self._unheard.pop(tenant_id, set()):
                rest = asyncio.sleep(GATHER_SECONDS)
                readings.set(Readings())
                await self._know_everyone(tenant_id)
                await asyncio.gather(rest, *self._tell_all(app, tenant_id, changes))
        finally:
            del self._telling[tenant_id]

    async def _know_everyone(self, tenant_id: UUID) -> None:
        """Ask for the rights of all in one go; who is missed is asked for alone."""
        try:
            await people.look_up(one.who.token for one in self._watchers[tenant_id])
        except Exception:  # the database is away for a moment: the pages of this round say so
            log.exception("the people at the pages could not be looked up")

    def _tell_all(self, app: rx.App, tenant_id: UUID, changes: Changes) -> list[Any]:
        return [self._tell(app, one, changes) for one in list(self._watchers[tenant_id])]

    async def _tell(self, app: rx.App, watcher: Watcher, changes: Changes) -> None:
        async with self._turns:
            try:
                told = await _refresh(app, watcher, changes)
            except Exception:  # one page's trouble must not silence the others
                log.exception("a page could not be refreshed")
                return
        if not told:
            self._forget(watcher.token)


async def _refresh(app: rx.App, watcher: Watcher, changes: Changes) -> bool:
    """Let one page read again. False: it is gone, or its person may no longer look."""
    sockets = app.event_namespace.token_to_sid if app.event_namespace else {}
    if sockets.get(watcher.token) != watcher.socket_id:
        return False
    who = await _still(watcher.who)
    if who is None:
        return False
    caller.set(who)
    async with app.modify_state(rx.BaseStateToken(ident=watcher.token, cls=watcher.state)) as root:
        page = await root.get_state(watcher.state)
        if (page._owner, page._workspace) != (who.session, who.workspace):
            return False
        await page.on_change(sorted(changes))
    return True


async def _still(who: Caller) -> Caller | None:
    """The same person with today's rights, or None once they have none here."""
    again = await recognise(who.token, who.tenant_id, who.ip)
    return again if again.actor and again.session == who.session else None


def _class_of(state: AppState) -> type[AppState]:
    wrapped = getattr(state, "__wrapped__", state)  # a background handler holds a proxy
    return type(wrapped)


pages = Pages()


async def listen(app: rx.App) -> None:
    """For the life of the process: hear what the domain announces. Survives a restart of Redis."""
    first = True
    while True:
        with suppress(RedisError, OSError):
            await _listen_once(app, again=not first)
        first = False
        log.warning("the announcements are interrupted; listening again soon")
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen_once(app: rx.App, *, again: bool) -> None:
    connection = Redis.from_url(settings().redis_url, health_check_interval=HEARTBEAT_SECONDS)
    async with connection, connection.pubsub() as announcements:
        await announcements.psubscribe(f"{CHANNEL}*")
        if again:
            pages.hear_everywhere(app)
        while True:
            message = await announcements.get_message(
                ignore_subscribe_messages=True, timeout=HEARTBEAT_SECONDS
            )
            if message is None:
                await announcements.ping()  # a connection that died silently shows itself here
                continue
            _pass_on(app, message)


def _pass_on(app: rx.App, message: dict[str, Any]) -> None:
    if message["type"] != "pmessage":
        return
    try:
        tenant_id = UUID(message["channel"].decode().removeprefix(CHANNEL))
        changes = {(str(kind), str(row)) for kind, row in json.loads(message["data"])}
    except ValueError:
        log.warning("an announcement that is none: %r", message["data"][:100])
        return
    pages.hear(app, tenant_id, changes)
