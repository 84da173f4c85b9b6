"""`/{number}/media`, `/{media}` and the address where a file itself is fetched."""

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from aerostic.simulator import access, media
from aerostic.simulator.calls import Call
from aerostic.simulator.errors import GraphError, missing_object
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World


async def upload(call: Call) -> Json:
    if call.value("messaging_product") != "whatsapp":
        raise GraphError(100, title="The parameter messaging_product is required.")
    if call.file is None:
        raise GraphError(100, title="The parameter file is required.")
    mime_type = call.file.content_type or str(call.value("type", ""))
    content = await call.file.read()
    media.check_upload(mime_type, len(content), is_animated=b"ANIM" in content[:64])
    row = media.keep(
        call.world, call.row()["id"], content, mime_type, call.file.filename, origin="business"
    )
    return {"id": row["id"]}


async def show(call: Call) -> Json:
    row = _kept(call)
    return {
        "url": media.link(call.world, row["id"], call.base_url),
        "mime_type": row["mime_type"],
        "sha256": row["sha256"],
        "file_size": row["size"],
        "id": row["id"],
        "messaging_product": "whatsapp",
    }


async def delete(call: Call) -> Json:
    media.delete(call.world, _kept(call)["id"])
    return {"success": True}


def _kept(call: Call) -> Row:
    """The file, unless it is too old or was asked for under another number."""
    row = media.find(call.world, call.object_id)
    asked = call.value("phone_number_id")
    if row is None or (asked and asked != row["number_id"]):
        raise missing_object(call.object_id, call.verb)
    return row


async def download(world: World, request: Request) -> Response:
    """The bytes, for whoever has a token that opens the account and an address younger than five minutes."""
    try:
        caller = access.identify(world, access.bearer(request))
    except GraphError as refusal:
        return JSONResponse(refusal.envelope(), 401)
    query = request.query_params
    row = media.find(world, query.get("mid", ""))
    number = row and world.store.one(
        "SELECT account_id FROM numbers WHERE id = ?", row["number_id"]
    )
    if row is None or number is None or not caller.opens(number["account_id"]):
        return Response("Not found", 404, media_type="text/plain")
    if not media.link_is_valid(world, row["id"], query.get("ext", ""), query.get("hash", "")):
        return Response("URL signature expired", 403, media_type="text/plain")
    return FileResponse(media.path(world, row["id"]), media_type=row["mime_type"])
