"""`/oauth/access_token`, `/debug_token`, `/{app}/uploads` and `/{app}/subscriptions`."""

import hmac
import json
import secrets

from starlette.requests import Request

from aerostic.simulator import access, ids
from aerostic.simulator.calls import Call
from aerostic.simulator.errors import GraphError, callback_refused, invalid
from aerostic.simulator.handshake import agrees
from aerostic.simulator.store import Json, dumps
from aerostic.simulator.world import World

_UPLOAD_TYPES = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")


async def access_token(world: World, request: Request) -> Json:
    """A code of the sign-up pop-up for a business token; or the app's own token. Called without a token."""
    form = await request.form() if request.method == "POST" else {}
    values = {
        **request.query_params,
        **{name: value for name, value in form.items() if isinstance(value, str)},
    }
    _check_client(world, values)
    if values.get("grant_type") == "client_credentials":
        return {"access_token": access.app_token(world), "token_type": "bearer"}
    row = world.store.one("SELECT * FROM codes WHERE code = ?", values.get("code", ""))
    if row is None:
        raise GraphError(100, title="Invalid verification code format.", subcode=36008)
    world.store.run("DELETE FROM codes WHERE code = ?", row["code"])
    if row["expires_at"] < world.clock.now():
        raise GraphError(100, title="This authorization code has expired.", subcode=36007)
    return {
        "access_token": new_token(world, json.loads(row["account_ids"])),
        "token_type": "bearer",
    }


def _check_client(world: World, values: dict[str, str]) -> None:
    if values.get("client_id") != world.config.app_id:
        raise GraphError(
            101, title="Error validating application. Cannot get application info.", status=400
        )
    secret = values.get("client_secret", "")
    if not hmac.compare_digest(secret.encode(), world.config.app_secret.encode()):
        raise GraphError(1, title="Error validating client secret.", status=400)


def new_token(world: World, account_ids: list[str]) -> str:
    token = "EAA" + secrets.token_urlsafe(48).replace("-", "A").replace("_", "B")
    world.store.insert("tokens", token=token, account_ids=dumps(account_ids))
    return token


async def debug_token(call: Call) -> Json:
    asked = call.needed("input_token")
    row = call.world.store.one("SELECT * FROM tokens WHERE token = ?", asked)
    if row is None:
        fault: Json = {"code": 190, "message": "Invalid OAuth access token."}
        return {"data": {"error": fault, "is_valid": False, "scopes": []}}
    return {"data": access.description(call.world, row)}


async def start_upload(call: Call) -> Json:
    """A session for the sample of a template's header."""
    length, mime_type = call.needed("file_length"), call.needed("file_type")
    if mime_type not in _UPLOAD_TYPES:
        raise invalid(f"Param file_type must be one of {', '.join(_UPLOAD_TYPES)}.")
    if not length.isascii() or not length.isdigit():
        raise invalid("Param file_length must be a number of bytes.")
    upload_id = f"upload:{secrets.token_urlsafe(24)}"
    call.world.store.insert(
        "uploads",
        id=upload_id,
        filename=str(call.value("file_name", "sample")),
        length=int(length),
        mime_type=mime_type,
    )
    return {"id": upload_id}


async def continue_upload(call: Call) -> Json:
    """Bytes from `file_offset` on. The handle stands for the complete file."""
    row = call.row()
    offset = call.request.headers.get("file_offset", "")
    if offset != str(row["received"]):
        raise invalid(f"Header file_offset must be {row['received']}.")
    received = row["received"] + len(await call.request.body())
    if received > row["length"]:
        raise invalid(f"The file is longer than the announced {row['length']} bytes.")
    handle = (
        f"4::{ids.trace_id()}:{row['mime_type']}:{ids.digits(20)}"
        if received == row["length"]
        else None
    )
    call.world.store.run(
        "UPDATE uploads SET received = ?, handle = ? WHERE id = ?", received, handle, row["id"]
    )
    return {"h": handle} if handle else {"id": row["id"], "file_offset": received}


async def show_upload(call: Call) -> Json:
    return {"id": call.row()["id"], "file_offset": call.row()["received"]}


async def accept_subscription(call: Call) -> Json:
    """The address of an app is a setting of this process: only that one is accepted, once it agrees."""
    url = call.needed("callback_url")
    if url != call.world.config.webhook_url:
        raise invalid(
            f"This simulator delivers to {call.world.config.webhook_url}; start it with another address."
        )
    if not await agrees(url, call.needed("verify_token")):
        raise callback_refused()
    return {"success": True}
