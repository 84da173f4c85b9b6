"""`/control/…`: the clock, trouble, tokens, templates, limits, webhooks: everything but the people."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aerostic.simulator import burst, reviews
from aerostic.simulator.dispatcher import Dispatcher
from aerostic.simulator.errors import ControlError
from aerostic.simulator.handshake import agrees
from aerostic.simulator.numbers import access_number, on_screen
from aerostic.simulator.requests import choice, figure, read_json, world_of
from aerostic.simulator.seed import start_over
from aerostic.simulator.store import Json, Row, dumps
from aerostic.simulator.templates import as_json
from aerostic.simulator.webhooks import announce, raw_body
from aerostic.simulator.world import World

_LONGEST_ADVANCE_SECONDS = 366 * 24 * 3600
_CODE_SECONDS = 30
_TIERS = (250, 2000, 10_000, 100_000, -1)
_HIGHEST_THROUGHPUT = 10_000
_HEARTBEAT_SECONDS = 15
_NUMBER_STATES = ("CONNECTED", "DISCONNECTED", "FLAGGED", "RESTRICTED", "BANNED")
_QUALITIES = ("GREEN", "YELLOW", "RED", "UNKNOWN")


def _clock(world: World) -> Json:
    return {"now": world.clock.now(), "offset_seconds": world.clock.offset}


async def show_clock(request: Request) -> Response:
    return JSONResponse(_clock(world_of(request)))


async def advance_clock(request: Request) -> Response:
    world = world_of(request)
    world.clock.advance(figure(await read_json(request), "seconds", most=_LONGEST_ADVANCE_SECONDS))
    world.hub.tell("clock", **_clock(world))
    return JSONResponse(_clock(world))


async def show_trouble(request: Request) -> Response:
    return JSONResponse(world_of(request).trouble.now.as_json())


async def set_trouble(request: Request) -> Response:
    return _troubled(world_of(request), await read_json(request))


async def end_trouble(request: Request) -> Response:
    world = world_of(request)
    world.trouble.reset()
    return _troubled(world, {})


def _troubled(world: World, wanted: Json) -> Response:
    trouble = world.trouble.set(wanted).as_json()
    world.steps_changed.set()
    world.webhooks_changed.set()
    world.hub.tell("trouble", trouble=trouble)
    return JSONResponse(trouble)


async def list_tokens(request: Request) -> Response:
    rows = world_of(request).store.all("SELECT * FROM tokens ORDER BY token")
    tokens = [
        {
            "token": row["token"],
            "account_ids": json.loads(row["account_ids"]),
            "is_expired": bool(row["is_expired"]),
        }
        for row in rows
    ]
    return JSONResponse({"tokens": tokens})


async def set_token(request: Request) -> Response:
    """Expire a token or bring it back: `{"token", "is_expired"}`."""
    world, body = world_of(request), await read_json(request)
    is_expired, token = choice(body, "is_expired"), str(body.get("token", ""))
    if not world.store.run("UPDATE tokens SET is_expired = ? WHERE token = ?", is_expired, token):
        raise ControlError("There is no such token.", 404)
    return JSONResponse({"token": token, "is_expired": is_expired})


async def make_code(request: Request) -> Response:
    """What the sign-up pop-up hands to a page: a code that lives for thirty seconds."""
    world, body = world_of(request), await read_json(request)
    accounts = body.get("account_ids") or []
    known = {row["id"] for row in world.store.all("SELECT id FROM accounts")}
    if (
        not isinstance(accounts, list)
        or not accounts
        or any(each not in known for each in map(str, accounts))
    ):
        raise ControlError("account_ids must name at least one account that exists.")
    code = secrets.token_urlsafe(32)
    expires_at = world.clock.now() + _CODE_SECONDS
    world.store.insert("codes", code=code, account_ids=dumps(accounts), expires_at=expires_at)
    return JSONResponse({"code": code}, 201)


async def list_numbers(request: Request) -> Response:
    world = world_of(request)
    rows = world.store.all("SELECT * FROM numbers ORDER BY id")
    return JSONResponse(
        {"numbers": [on_screen(row) | {"verification_code": row["code"]} for row in rows]}
    )


async def change_number(request: Request) -> Response:
    """Throughput, status and quality, with the webhooks that Meta sends about them."""
    world, body = world_of(request), await read_json(request)
    number = access_number(world, request.path_params["number_id"])
    if "throughput" in body:
        _set_throughput(world, number, int(figure(body, "throughput", most=_HIGHEST_THROUGHPUT)))
    for name, allowed in (("status", _NUMBER_STATES), ("quality", _QUALITIES)):
        if name in body:
            if body[name] not in allowed:
                raise ControlError(f"{name} must be one of {', '.join(allowed)}.")
            world.store.run(f"UPDATE numbers SET {name} = ? WHERE id = ?", body[name], number["id"])  # noqa: S608
    return JSONResponse(on_screen(access_number(world, number["id"])))


def _set_throughput(world: World, number: Row, allowed: int) -> None:
    world.store.run("UPDATE numbers SET throughput = ? WHERE id = ?", allowed, number["id"])
    if allowed > number["throughput"]:
        value = {"display_phone_number": number["display"], "event": "THROUGHPUT_UPGRADE"}
        announce(world, number["account_id"], "phone_number_quality_update", value)


async def set_messaging_limit(request: Request) -> Response:
    """How many different people a portfolio may write to first in 24 hours."""
    world, body = world_of(request), await read_json(request)
    limit, portfolio_id = body.get("messaging_limit"), request.path_params["portfolio_id"]
    if limit not in _TIERS:
        raise ControlError(
            f"messaging_limit must be one of {', '.join(map(str, _TIERS))} (-1 is unlimited)."
        )
    if not world.store.run(
        "UPDATE portfolios SET messaging_limit = ? WHERE id = ?", limit, portfolio_id
    ):
        raise ControlError("There is no such portfolio.", 404)
    value = {"max_daily_conversations_per_business": limit, "max_phone_numbers_per_business": 20}
    for account in world.store.all("SELECT id FROM accounts WHERE portfolio_id = ?", portfolio_id):
        announce(
            world,
            account["id"],
            "business_capability_update",
            value | {"max_phone_numbers_per_waba": 20},
        )
    return JSONResponse({"portfolio_id": portfolio_id, "messaging_limit": limit})


async def list_templates(request: Request) -> Response:
    account_id = request.query_params.get("account_id")
    rows = world_of(request).store.all(
        "SELECT * FROM templates WHERE ? IS NULL OR account_id = ? ORDER BY at DESC, id",
        account_id,
        account_id,
    )
    return JSONResponse(
        {"templates": [as_json(row) | {"account_id": row["account_id"]} for row in rows]}
    )


async def decide_template(request: Request) -> Response:
    """`approve`, `reject` … from the address.

    Also `rate` with a quality and `recategorise` with a category.
    """
    world, body = world_of(request), await read_json(request)
    template_id, decision = request.path_params["template_id"], request.path_params["decision"]
    if decision == "rate":
        return JSONResponse(reviews.rate(world, template_id, str(body.get("quality"))))
    if decision == "recategorise":
        return JSONResponse(reviews.recategorise(world, template_id, str(body.get("category"))))
    return JSONResponse(reviews.decide(world, template_id, decision, str(body.get("reason") or "")))


async def list_webhooks(request: Request) -> Response:
    """The queue: how much waits, and the newest rows."""
    store = world_of(request).store
    counts = {
        row["state"]: row["many"]
        for row in store.all("SELECT state, count(*) AS many FROM webhooks GROUP BY 1")
    }
    rows = store.all("SELECT * FROM webhooks ORDER BY id DESC LIMIT 100")
    newest = [{**dict(row), "value": json.loads(row["value"])} for row in rows]
    return JSONResponse({"counts": counts, "webhooks": newest})


async def send_webhook(request: Request) -> Response:
    """Post any body to the product now, signed unless `sign` is false.

    `payload` is JSON and is written as Meta writes it; `raw_base64` is sent byte for byte. `queue: true` with
    `account_id`, `field` and `value` goes through the queue instead, with trouble and retries.
    """
    world, body = world_of(request), await read_json(request)
    if body.get("queue"):
        value: Any = body.get("value")
        if not isinstance(value, dict) or not body.get("account_id") or not body.get("field"):
            raise ControlError("A queued webhook needs account_id, field and value.")
        return JSONResponse(
            {"webhook_id": announce(world, str(body["account_id"]), str(body["field"]), value)}, 202
        )
    raw = _raw(body)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        status, text = await Dispatcher(world).post(
            session, world.config.webhook_url, raw, body.get("sign", True)
        )
    return JSONResponse({"status": status, "answer": text, "bytes": len(raw)})


def _raw(body: Json) -> bytes:
    if "raw_base64" in body:
        try:
            return base64.b64decode(str(body["raw_base64"]), validate=True)
        except ValueError:
            raise ControlError("raw_base64 must be Base64.") from None
    if "payload" not in body:
        raise ControlError("A webhook needs a payload or raw_base64.")
    return raw_body(body["payload"])


async def shake_hands(request: Request) -> Response:
    """Check the product's address the way Meta does when an app subscribes."""
    config = world_of(request).config
    agreed = await agrees(config.webhook_url, config.verify_token)
    return JSONResponse({"url": config.webhook_url, "agrees": agreed})


async def order_burst(request: Request) -> Response:
    world = world_of(request)
    ordered = burst.order(world, await read_json(request))
    answer = {"count": ordered.count, "people": ordered.people, "rate": ordered.rate}
    return JSONResponse(answer, 202, background=BackgroundTask(burst.run, world, ordered))


async def reset(request: Request) -> Response:
    start_over(world_of(request))
    return JSONResponse({"reset": True})


async def stream_events(request: Request) -> Response:
    """Server-Sent Events, of one person only with `?person_id=`."""
    wanted = request.query_params.get("person_id")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(world_of(request), wanted), media_type="text/event-stream", headers=headers
    )


async def _events(world: World, person_id: str | None) -> AsyncIterator[bytes]:
    with world.hub.listen() as queue:
        yield b"retry: 1000\n: ready\n\n"
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), _HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if event is None:
                return
            if person_id and str(event.get("person_id", person_id)) != person_id:
                continue
            yield f"event: {event['kind']}\ndata: {dumps(event)}\n\n".encode()
