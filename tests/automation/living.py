"""The automation process at work in a thread, and what it does about what happened."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from sqlmodel import col, select, text

from aerostic.core import lanes
from aerostic.core.settings import settings
from aerostic.domain.automation import publishing
from aerostic.domain.automation.graph import Graph
from aerostic.domain.automation.models import Execution, Workflow, WorkflowVersion
from aerostic.domain.automation.runner import Runner
from aerostic.domain.channels.models import NumberMode, PhoneNumber
from aerostic.domain.inbox.hearing import Hearing, tell
from aerostic.domain.inbox.models import Conversation
from aerostic.domain.signals.models import Listener, Signal
from tests.automation.kinds import published
from tests.builders import inbound
from tests.conftest import Place
from workers.automation import Automation


@contextmanager
def automating() -> Iterator[None]:
    """It serves until the block ends; then it stops as when told by a signal."""
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), threading.Event()

    async def serve() -> None:
        pool = lanes.lane_pool(4, name="automation")
        await pool.open()
        redis = Redis.from_url(settings().redis_url, decode_responses=True)
        await Automation(pool, redis, Runner(pool)).run(stop, ready.set)
        await redis.aclose()
        await pool.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive()
        loop.close()


def listening(place: Place, graph: Graph, name: str = "Test") -> WorkflowVersion:
    """A workflow that is published and switched on."""
    version = published(place, graph, name)
    with place.system_work() as ctx:
        workflow = ctx.get(Workflow, version.workflow_id)
        assert workflow is not None
        publishing.start_listening(ctx, workflow, version)
    return version


def answered_by(place: Place, mode: NumberMode) -> None:
    with place.system_work() as ctx:
        number = ctx.get(PhoneNumber, place.number_id)
        assert number is not None
        number.mode = mode


def writes(place: Place, conversation_id: UUID, text: str = "Hello", **fields: Any) -> UUID:
    """The contact writes, as the inbound lane takes it in."""
    message_id = inbound(place, conversation_id, text, **fields)
    with place.system_work() as ctx:
        talk = ctx.get(Conversation, conversation_id)
        assert talk is not None
        heard = Hearing(frozenset({Listener.AUTOMATION}))
        heard.message(message_id, talk.id, talk.contact_id, talk.number_id)
        tell(ctx, heard)
    return message_id


def runs_of(place: Place, version: WorkflowVersion | None = None) -> list[Execution]:
    """The runs of a workflow, or of the workspace, oldest first."""
    with place.system_work() as ctx:
        wanted = select(Execution).order_by(col(Execution.id))
        if version is not None:
            wanted = wanted.where(Execution.workflow_id == version.workflow_id)
        return list(ctx.session.exec(wanted))


def statuses_of(place: Place, version: WorkflowVersion | None = None) -> list[str]:
    return [str(run.status) for run in runs_of(place, version)]


def signals_of(place: Place) -> int:
    with place.system_work() as ctx:
        return len(ctx.session.exec(select(Signal.id)).all())


def due_of(place: Place, kind: str) -> list[Any]:
    with place.system_work() as ctx:
        statement = text("select due_at from due_work where tenant_id = :t and kind = :k")
        return list(ctx.session.execute(statement, {"t": place.tenant_id, "k": kind}).scalars())
