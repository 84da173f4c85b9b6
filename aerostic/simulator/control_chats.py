"""`/control/people…` and `/control/messages…`: being someone with a phone."""

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from aerostic.simulator import chats, media, people, writing
from aerostic.simulator.errors import ControlError
from aerostic.simulator.inbound import announce_preference
from aerostic.simulator.numbers import access_number
from aerostic.simulator.requests import on_off, read_json, world_of
from aerostic.simulator.statuses import become_reachable, look_at_chat, plan
from aerostic.simulator.store import Row

_SWITCHES = ("is_reachable", "refuses_marketing", "has_whatsapp")
_MOST_MESSAGES = 500
_MOST_FILE_BYTES = 100 * 1024 * 1024


async def list_people(request: Request) -> Response:
    return JSONResponse(
        {"people": chats.list_people(world_of(request), request.query_params.get("search", ""))}
    )


async def create_person(request: Request) -> Response:
    world, body = world_of(request), await read_json(request)
    name, phone, username = (str(body.get(each) or "") for each in ("name", "phone", "username"))
    person = people.on_screen(people.create_person(world, name, phone or None, username or None))
    world.hub.tell("person", person=person)
    return JSONResponse(person, 201)


def _person(request: Request) -> Row:
    return people.access_person(world_of(request), request.path_params["person_id"])


def _number(request: Request) -> Row:
    return access_number(world_of(request), request.path_params["number_id"])


async def show_person(request: Request) -> Response:
    return JSONResponse(people.on_screen(_person(request)))


async def change_person(request: Request) -> Response:
    """Phone on or off, marketing refused, WhatsApp installed."""
    world, person = world_of(request), _person(request)
    for name, is_on in on_off(person, _SWITCHES, await read_json(request)).items():
        world.store.run(f"UPDATE people SET {name} = ? WHERE id = ?", is_on, person["id"])  # noqa: S608
        if name == "is_reachable" and is_on:
            become_reachable(world, person["id"])
        if name == "refuses_marketing":
            announce_preference(world, person, refuses=is_on)
    return JSONResponse(people.on_screen(_person(request)))


async def list_chats(request: Request) -> Response:
    return JSONResponse({"chats": chats.list_chats(world_of(request), _person(request)["id"])})


async def list_messages(request: Request) -> Response:
    query = request.query_params
    try:
        before, limit = int(query.get("before", 0)), int(query.get("limit", 100))
    except ValueError:
        raise ControlError("before and limit must be whole numbers.") from None
    if not 1 <= limit <= _MOST_MESSAGES:
        raise ControlError(f"limit must be from 1 to {_MOST_MESSAGES}.")
    person, number = _person(request), _number(request)
    return JSONResponse(
        chats.history(world_of(request), person["id"], number["id"], before=before, limit=limit)
    )


async def write_message(request: Request) -> Response:
    """JSON, or a multipart form whose `file` is the file to send."""
    world, person, number = world_of(request), _person(request), _number(request)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            wanted: dict[str, object] = {
                name: value for name, value in form.items() if isinstance(value, str)
            }
            wanted["media_id"] = (await _kept_file(request, number, form.get("file")))["id"]
    else:
        wanted = await read_json(request)
    message_id = writing.say(world, number, person, wanted)
    return JSONResponse(chats.on_screen(world, writing.access_message(world, message_id)), 201)


async def _kept_file(request: Request, number: Row, file: object) -> Row:
    if not isinstance(file, UploadFile):
        raise ControlError("The form needs a file.")
    content = await file.read()
    if not content:
        raise ControlError("That file is empty.")
    if len(content) > _MOST_FILE_BYTES:
        raise ControlError("A file can have at most 100 MB.", 413)
    mime_type = file.content_type or "application/octet-stream"
    return media.keep(
        world_of(request), number["id"], content, mime_type, file.filename, origin="person"
    )


async def open_chat(request: Request) -> Response:
    """The chat is on the person's screen: what came is read, and what comes is read at once."""
    world, person, number = world_of(request), _person(request), _number(request)
    world.store.run("UPDATE people SET open_number_id = ? WHERE id = ?", number["id"], person["id"])
    look_at_chat(world, number["id"], person["id"])
    return JSONResponse({"open": True})


async def close_chat(request: Request) -> Response:
    person = _person(request)
    world_of(request).store.run(
        "UPDATE people SET open_number_id = NULL WHERE id = ? AND open_number_id = ?",
        person["id"],
        request.path_params["number_id"],
    )
    return JSONResponse({"open": False})


async def type_message(request: Request) -> Response:
    """Shown on other phones that look at this chat. WhatsApp does not tell a business that a person types."""
    person, number = _person(request), _number(request)
    world_of(request).hub.tell("person_typing", person_id=person["id"], number_id=number["id"])
    return JSONResponse({"typing": True})


async def show_message(request: Request) -> Response:
    world = world_of(request)
    return JSONResponse(
        chats.on_screen(world, writing.access_message(world, request.path_params["message_id"]))
    )


async def play_message(request: Request) -> Response:
    """The person listens to a voice message of the business."""
    world = world_of(request)
    message = writing.access_message(world, request.path_params["message_id"])
    if message["direction"] != "outbound" or message["type"] != "audio":
        raise ControlError("Only a voice message from a business can be played.")
    plan(world, message["id"], "played", 0)
    return JSONResponse({"played": True})


async def show_media(request: Request) -> Response:
    """The file as it lies on a phone: no token, no expiry."""
    world = world_of(request)
    row = world.store.one("SELECT * FROM media WHERE id = ?", request.path_params["media_id"])
    if row is None or not media.path(world, row["id"]).exists():
        raise ControlError("That file no longer exists.", 404)
    # A stranger's HTML or SVG must not run in the page that shows it; a picture or a PDF may show.
    is_harmless = media.bare_type(row["mime_type"]) in media.LIMITS
    return FileResponse(
        media.path(world, row["id"]),
        media_type=row["mime_type"] if is_harmless else "application/octet-stream",
        headers={"X-Content-Type-Options": "nosniff"},
    )
