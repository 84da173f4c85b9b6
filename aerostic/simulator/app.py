"""The simulator as one ASGI application: the Graph API, the control door and two tasks."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from aerostic.simulator import control_chats, control_trouble, graph, graph_media
from aerostic.simulator.config import SimulatorConfig
from aerostic.simulator.dispatcher import Dispatcher
from aerostic.simulator.errors import ControlError
from aerostic.simulator.google import control as google
from aerostic.simulator.google import gemini
from aerostic.simulator.google.start import open_world as open_google
from aerostic.simulator.requests import world_of
from aerostic.simulator.seed import seed
from aerostic.simulator.statuses import climb
from aerostic.simulator.world import World, open_world

_log = logging.getLogger(__name__)
_CHAT = "/people/{person_id:int}/chats/{number_id}"

CONTROL = [
    Route("/people", control_chats.list_people),
    Route("/people", control_chats.create_person, methods=["POST"]),
    Route("/people/{person_id:int}", control_chats.show_person),
    Route("/people/{person_id:int}", control_chats.change_person, methods=["PATCH"]),
    Route("/people/{person_id:int}/chats", control_chats.list_chats),
    Route(_CHAT + "/messages", control_chats.list_messages),
    Route(_CHAT + "/messages", control_chats.write_message, methods=["POST"]),
    Route(_CHAT + "/open", control_chats.open_chat, methods=["POST"]),
    Route(_CHAT + "/close", control_chats.close_chat, methods=["POST"]),
    Route(_CHAT + "/typing", control_chats.type_message, methods=["POST"]),
    Route("/messages/{message_id:path}/played", control_chats.play_message, methods=["POST"]),
    Route("/messages/{message_id:path}", control_chats.show_message),
    Route("/media/{media_id}", control_chats.show_media),
    Route("/numbers", control_trouble.list_numbers),
    Route("/numbers/{number_id}", control_trouble.change_number, methods=["PATCH"]),
    Route("/portfolios/{portfolio_id}", control_trouble.set_messaging_limit, methods=["PATCH"]),
    Route("/clock", control_trouble.show_clock),
    Route("/clock/advance", control_trouble.advance_clock, methods=["POST"]),
    Route("/trouble", control_trouble.show_trouble),
    Route("/trouble", control_trouble.set_trouble, methods=["POST", "PATCH"]),
    Route("/trouble", control_trouble.end_trouble, methods=["DELETE"]),
    Route("/tokens", control_trouble.list_tokens),
    Route("/tokens", control_trouble.set_token, methods=["POST"]),
    Route("/oauth/codes", control_trouble.make_code, methods=["POST"]),
    Route("/templates", control_trouble.list_templates),
    Route("/templates/{template_id}/{decision}", control_trouble.decide_template, methods=["POST"]),
    Route("/webhooks", control_trouble.list_webhooks),
    Route("/webhooks", control_trouble.send_webhook, methods=["POST"]),
    Route("/events", control_trouble.stream_events),
    Route("/handshake", control_trouble.shake_hands, methods=["POST"]),
    Route("/burst", control_trouble.order_burst, methods=["POST"]),
    Route("/reset", control_trouble.reset, methods=["POST"]),
]


async def _graph(request: Request) -> Response:
    return await graph.answer(world_of(request), request)


async def _attachment(request: Request) -> Response:
    return await graph_media.download(world_of(request), request)


async def _health(request: Request) -> Response:
    """503 with the name of the task that no longer runs."""
    ended = [task.get_name() for task in request.app.state.tasks if task.done()]
    return PlainTextResponse(ended[0], 503) if ended else PlainTextResponse("ok")


async def _refused(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, ControlError):
        raise refusal
    return JSONResponse({"error": refusal.sentence}, refusal.status)


def create_app(config: SimulatorConfig) -> Starlette:
    """The application over the data directory of `config`. Its tasks run while its lifespan does."""
    world = open_world(config)
    seed(world)
    verbs = ["GET", "POST", "DELETE"]
    app = Starlette(
        routes=[
            Route("/simulator/graph/attachments/", _attachment),
            Route("/simulator/graph/{version}/{path:path}", _graph, methods=verbs),
            Mount("/simulator/control", routes=CONTROL),
            Mount("/simulator/google/gemini", routes=gemini.ROUTES),
            Mount("/simulator/google", routes=google.mount()),
            Route("/health", _health),
        ],
        exception_handlers={ControlError: _refused},
        lifespan=_alive,
    )
    app.state.world, app.state.tasks = world, []
    app.state.gemini = gemini.GeminiWorld()
    app.state.google = open_google(config)
    return app


def _report(task: "asyncio.Task[None]") -> None:
    """A task that ends by itself is a bug of ours: say so now, not when the process stops."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        _log.critical("The task %s of the simulator ended.", task.get_name(), exc_info=fault)


@asynccontextmanager
async def _alive(app: Starlette) -> AsyncIterator[None]:
    world: World = app.state.world
    tasks = [
        asyncio.create_task(Dispatcher(world).run(), name="webhooks"),
        asyncio.create_task(climb(world), name="statuses"),
    ]
    for task in tasks:
        task.add_done_callback(_report)
    app.state.tasks = tasks
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        world.hub.close()
        world.store.close()
        app.state.google.close()
