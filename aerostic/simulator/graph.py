"""The Graph API's door: version, token, object, edge; then the handler of that noun."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from aerostic.simulator import (
    access,
    graph_accounts,
    graph_apps,
    graph_media,
    graph_messages,
    graph_numbers,
    graph_templates,
)
from aerostic.simulator.calls import Call, read_body
from aerostic.simulator.errors import GraphError, missing_object
from aerostic.simulator.numbers import find_number
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

Handler = Callable[[Call], Awaitable[Json]]

#: The day each version ends; None while no end is announced.
VERSIONS: dict[str, date | None] = {
    "v19.0": date(2026, 5, 21),
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
    "v26.0": None,
}
NEWEST = "v26.0"

#: (kind of object, edge, verb) → handler. The whole surface in one place.
ROUTES: dict[tuple[str, str, str], Handler] = {
    ("number", "", "GET"): graph_numbers.show_number,
    ("number", "", "POST"): graph_numbers.update_number,
    ("number", "messages", "POST"): graph_messages.send_message,
    ("number", "marketing_messages", "POST"): graph_messages.send_message,
    ("number", "message_history", "GET"): graph_messages.message_history,
    ("number", "media", "POST"): graph_media.upload,
    ("number", "register", "POST"): graph_numbers.register,
    ("number", "deregister", "POST"): graph_numbers.deregister,
    ("number", "request_code", "POST"): graph_numbers.request_code,
    ("number", "verify_code", "POST"): graph_numbers.verify_code,
    ("number", "whatsapp_business_profile", "GET"): graph_numbers.show_profile,
    ("number", "whatsapp_business_profile", "POST"): graph_numbers.update_profile,
    ("account", "", "GET"): graph_accounts.show_account,
    ("account", "phone_numbers", "GET"): graph_numbers.list_numbers,
    ("account", "phone_numbers", "POST"): graph_numbers.create_number,
    ("account", "subscribed_apps", "GET"): graph_accounts.show_subscriptions,
    ("account", "subscribed_apps", "POST"): graph_accounts.subscribe,
    ("account", "subscribed_apps", "DELETE"): graph_accounts.unsubscribe,
    ("account", "pricing_analytics", "GET"): graph_accounts.pricing_analytics,
    ("account", "message_templates", "GET"): graph_templates.list_templates,
    ("account", "message_templates", "POST"): graph_templates.create_template,
    ("account", "message_templates", "DELETE"): graph_templates.delete_templates,
    ("account", "upsert_message_templates", "POST"): graph_templates.upsert_templates,
    ("portfolio", "owned_whatsapp_business_accounts", "GET"): graph_accounts.list_accounts,
    ("portfolio", "client_whatsapp_business_accounts", "GET"): graph_accounts.list_accounts,
    ("template", "", "GET"): graph_templates.show_template,
    ("template", "", "POST"): graph_templates.edit_template,
    ("template", "unpause", "POST"): graph_templates.unpause_template,
    ("media", "", "GET"): graph_media.show,
    ("media", "", "DELETE"): graph_media.delete,
    ("app", "uploads", "POST"): graph_apps.start_upload,
    ("app", "subscriptions", "POST"): graph_apps.accept_subscription,
    ("upload", "", "GET"): graph_apps.show_upload,
    ("upload", "", "POST"): graph_apps.continue_upload,
    ("debug_token", "", "GET"): graph_apps.debug_token,
}


class LostResponse(Response):
    """Begins an answer and never ends it: the server closes the connection on a client that waits."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


async def answer(world: World, request: Request) -> Response:
    """The one endpoint of the Graph API."""
    try:
        return JSONResponse(await _handle(world, request))
    except GraphError as refusal:
        return JSONResponse(refusal.envelope(), refusal.status)
    except graph_messages.AnswerLost:
        return LostResponse()
    finally:
        await request.close()


async def _handle(world: World, request: Request) -> Json:
    version = request.path_params["version"]
    _check_version(world, version)
    object_id, _, edge = request.path_params["path"].strip("/").partition("/")
    if (object_id, edge) == ("oauth", "access_token"):
        return await graph_apps.access_token(world, request)
    caller = access.identify(world, access.bearer(request))
    kind, target = _resolve(world, caller, object_id)
    handler = ROUTES.get((kind, edge, request.method))
    if handler is None:
        raise _unsupported(request, kind, object_id, edge)
    body, file = await read_body(request)
    return await handler(Call(world, request, caller, version, object_id, edge, target, body, file))


def _check_version(world: World, version: str) -> None:
    if version not in VERSIONS:
        raise GraphError(2500, title=f"Unknown path components: /{version}", status=400)
    end = VERSIONS[version]
    if end is not None and datetime.fromtimestamp(world.clock.now(), UTC).date() >= end:
        raise GraphError(
            2635,
            title=f"You are calling a deprecated version of the API ({version}, ended {end}). "
            f"Please update to the latest version: {NEWEST}.",
        )


def _resolve(world: World, caller: access.Access, object_id: str) -> tuple[str, Row | None]:
    """What kind of thing the id names, as far as this token may see it."""
    if object_id in ("debug_token",):
        return object_id, None
    if object_id in (world.config.app_id, "app"):
        return "app", None
    store = world.store
    if number := find_number(world, object_id):
        return ("number", number) if caller.opens(number["account_id"]) else ("", None)
    if account := store.one("SELECT * FROM accounts WHERE id = ?", object_id):
        return ("account", account) if caller.opens(object_id) else ("", None)
    if template := store.one("SELECT * FROM templates WHERE id = ?", object_id):
        return ("template", template) if caller.opens(template["account_id"]) else ("", None)
    if file := store.one(
        "SELECT media.*, numbers.account_id FROM media JOIN numbers ON numbers.id = media.number_id "
        "WHERE media.id = ?",
        object_id,
    ):
        return ("media", file) if caller.opens(file["account_id"]) else ("", None)
    if upload := store.one("SELECT * FROM uploads WHERE id = ?", object_id):
        return "upload", upload
    if portfolio := store.one("SELECT * FROM portfolios WHERE id = ?", object_id):
        return "portfolio", portfolio
    return "", None


def _unsupported(request: Request, kind: str, object_id: str, edge: str) -> GraphError:
    """An object that is not there (100/33), or an edge that this kind of object does not have (2500)."""
    if not kind:
        return missing_object(object_id, request.method.lower())
    return GraphError(2500, title=f"Unknown path components: /{edge}", status=400)
