"""Google's control door: what tests and demonstrations may do behind the scenes."""

import anyio
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aerostic.simulator.errors import ControlError
from aerostic.simulator.google import drive, oauth, sheets, tokens
from aerostic.simulator.google.refusals import Refusal
from aerostic.simulator.google.world import PEOPLE, Json, Trouble, person, world_of
from aerostic.simulator.requests import read_json


async def people(_: Request) -> Response:
    """Everyone who has an account."""
    return JSONResponse({"people": list(PEOPLE)})


async def end_grant(request: Request) -> Response:
    """`DELETE …/grants/{sub}`: the person takes it back in their account's settings."""
    sub = _person(request)
    tokens.end_grant(world_of(request), sub)
    return JSONResponse({})


async def show_grant(request: Request) -> Response:
    """What a person allows, and how many tokens there are."""
    sub, world = _person(request), world_of(request)
    allowed = tokens.grant(world, sub) or {"scopes": []}
    count = {
        kind: sum(told["sub"] == sub for _, told in world.each(kind))
        for kind in ("access", "refresh")
    }
    return JSONResponse({**allowed, **count})


def _person(request: Request) -> str:
    sub = str(request.path_params["sub"])
    if person(sub) is None:
        raise ControlError("Nobody has this account.", 404)
    return sub


async def end_access(request: Request) -> Response:
    """`DELETE …/access`: every access token has run out; refresh tokens still work."""
    world = world_of(request)
    for token, _ in world.each("access"):
        world.forget("access", token)
    return JSONResponse({})


async def set_trouble(request: Request) -> Response:
    """`{"status": 503, "times": 2, "seconds": 0}`: what the next requests meet."""
    body = await read_json(request)
    status, times, seconds = (body.get(name, 0) for name in ("status", "times", "seconds"))
    if not all(isinstance(one, int | float) for one in (status, times, seconds)):
        raise ControlError("status, times and seconds must be numbers.")
    world_of(request).trouble = Trouble(int(status), int(times), float(seconds))
    return JSONResponse({})


async def seen(request: Request) -> Response:
    """What was asked, oldest first: method, path, and the answer's status."""
    return JSONResponse({"seen": list(world_of(request).seen)})


async def files(request: Request) -> Response:
    """Everyone's files, with the values of spreadsheets."""
    world = world_of(request)
    found = []
    for file_id, kept in world.each("file"):
        told: Json = {**kept}
        if book := world.find("book", file_id):
            told["values"] = {one["title"]: one["rows"] for one in book["sheets"]}
        found.append(told)
    return JSONResponse({"files": found})


async def remove_file(request: Request) -> Response:
    """`DELETE …/files/{id}`: its owner deleted it."""
    world_of(request).forget("file", str(request.path_params["file_id"]))
    return JSONResponse({})


class Watched:
    """Around the doors: keeps what was asked, and makes the trouble that was ordered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        world = world_of(request)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        told: Json = {"method": scope["method"], "path": path, "status": 0}
        world.seen.append(told)

        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
            await send(message)

        if refusal := await _trouble(world.trouble):
            await refusal(scope, receive, kept)
            return
        await self.app(scope, receive, kept)


async def _trouble(trouble: Trouble) -> Response | None:
    if trouble.times <= 0:
        return None
    trouble.times -= 1
    await anyio.sleep(trouble.seconds)
    if not trouble.status:
        return None
    reason = "rateLimitExceeded" if trouble.status in (403, 429) else "backendError"
    return Refusal(trouble.status, "As was ordered.", reason=reason).response()


DOORS = [*oauth.ROUTES, *drive.ROUTES, *sheets.ROUTES]
CONTROL = [
    Route("/people", people),
    Route("/grants/{sub}", show_grant),
    Route("/grants/{sub}", end_grant, methods=["DELETE"]),
    Route("/access", end_access, methods=["DELETE"]),
    Route("/trouble", set_trouble, methods=["POST"]),
    Route("/seen", seen),
    Route("/files", files),
    Route("/files/{file_id}", remove_file, methods=["DELETE"]),
]


def mount() -> list[Mount]:
    """Everything of Google's under `/simulator/google`, but Gemini."""
    return [
        Mount("/control", routes=CONTROL),
        Mount("/", routes=DOORS, middleware=[Middleware(Watched)]),
    ]
