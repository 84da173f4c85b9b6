"""Around every request: who asks and from where, and what browsers may do with the answer."""

import logging
import re
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aerostic.core import metrics
from aerostic.core.crypto import new_token
from aerostic.core.errors import TooLarge
from aerostic.core.settings import settings
from aerostic.domain.identity.sessions import ACCESS, UNUSED, SignedIn
from backend_api.errors import of_app_error, problem
from backend_api.openapi import takes_a_file

ACCESS_COOKIE = "aerostic_access"
REFRESH_COOKIE = "aerostic_refresh"
REFRESH_PATH = "/auth"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
OURS = ("/api/", "/auth/", "/media/")
CHANGING = (*OURS, "/_upload")
LARGEST_BODY = 1024 * 1024  # of what is no upload
LARGEST_UPLOAD = 101 * 1024 * 1024  # a file of 100 MB and the form around it; routes are stricter
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

access_log = logging.getLogger("aerostic.access")


def set_session(response: Response, signed: SignedIn) -> None:
    """Hand a browser its two cookies, which scripts can not read."""
    _set(response, ACCESS_COOKIE, signed.access_token, int(ACCESS.total_seconds()), "/", "lax")
    age = int(UNUSED.total_seconds())
    _set(response, REFRESH_COOKIE, signed.refresh_token, age, REFRESH_PATH, "strict")


def clear_session(response: Response) -> None:
    _set(response, ACCESS_COOKIE, "", 0, "/", "lax")
    _set(response, REFRESH_COOKIE, "", 0, REFRESH_PATH, "strict")


def _set(response: Response, name: str, value: str, age: int, path: str, same_site: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=age,
        path=path,
        httponly=True,
        secure=is_https(),
        samesite="strict" if same_site == "strict" else "lax",
    )


def is_https() -> bool:
    return settings().public_url.startswith("https://")


def address_of(request: Request) -> str:
    """Who asks: the socket's other end, or what our own proxies say that it was.

    Each trusted proxy appends the address that it saw; what stands further left was written by the sender.
    """
    peer = request.client.host if request.client else ""
    hops = settings().trusted_proxies
    # Some proxies append to the line that came, others add one of their own below it.
    lines = ",".join(request.headers.getlist("x-forwarded-for"))
    told = [part.strip() for part in lines.split(",") if part.strip()]
    return told[-hops] if hops and len(told) >= hops else peer


def is_local(request: Request) -> bool:
    """From this very machine, and not through a proxy on it."""
    peer = request.client.host if request.client else ""
    try:
        return ip_address(peer).is_loopback and "x-forwarded-for" not in request.headers
    except ValueError:
        return False


def comes_from_elsewhere(scope: Scope) -> bool:
    """Did another site's page make this browser send a request that changes something?

    Every browser says so in `Sec-Fetch-Site` or `Origin`. A program sends neither, and holds no one's
    cookies but its own.
    """
    if scope["method"] in SAFE_METHODS or not scope["path"].startswith(CHANGING):
        return False
    return is_of_another_site(scope)


def is_of_another_site(scope: Scope) -> bool:
    """Whether a browser says that another site's page made it send this."""
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site") in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    if origin is None:
        return "sec-fetch-site" in headers
    return origin not in settings().allowed_origins and urlsplit(origin).netloc != headers.get(
        "host"
    )


class Envelope:
    """Around every request: its id, the check of its origin, its line in the log, its headers, its time."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        state = scope.setdefault("state", {})
        state["request_id"] = _request_id(scope)
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        try:
            await self._answer(scope, receive, send_with_headers)
        finally:
            _record(scope, status, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if comes_from_elsewhere(scope):
            sentence = "This request came from another site's page, so it was not carried out."
            await problem(Request(scope), 403, "foreign_origin", sentence)(scope, receive, send)
            return
        try:
            receive = await _within_measure(scope, receive)
        except TooLarge as error:
            await of_app_error(Request(scope), error)(scope, receive, send)
            return
        await self.app(scope, receive, send)


async def _within_measure(scope: Scope, receive: Receive) -> Receive:
    """The body, as far as it may go. Raises TooLarge.

    The framework reads it before it asks who sends it: into memory, but for a form, which goes to the disk.
    """
    if scope["method"] in SAFE_METHODS or not scope["path"].startswith(OURS):
        return receive
    if _is_upload(scope):
        return _counted(receive)
    return await read_ahead(scope, receive)


def _is_upload(scope: Scope) -> bool:
    """What its sender calls a form is one only where a form is taken."""
    says_so = Headers(scope=scope).get("content-type", "").startswith("multipart/")
    return says_so and takes_a_file(scope["app"].openapi(), scope["method"], scope["path"])


def _counted(receive: Receive) -> Receive:
    """Passes pieces on until there are more of them than any file may have."""
    size = 0

    async def piece() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_UPLOAD:
            raise HTTPException(413, "That is larger than any file may be: 100 MB.")
        return message

    return piece


async def read_ahead(scope: Scope, receive: Receive) -> Receive:
    """Read the body before anyone works with it. Raises TooLarge as soon as it is."""
    told = Headers(scope=scope).get("content-length", "")
    if told.isdigit() and int(told) > LARGEST_BODY:
        raise _too_large()
    body, is_more = b"", True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return receive
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
        if len(body) > LARGEST_BODY:
            raise _too_large()
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _too_large() -> TooLarge:
    return TooLarge("That is more than 1 MB. Files are sent as uploads.")


def _request_id(scope: Scope) -> str:
    """The caller's own id for the request if it looks like one, else a new one."""
    told = Headers(scope=scope).get("x-request-id", "")
    return told if _REQUEST_ID.fullmatch(told) else new_token(12)


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    state = scope["state"]
    headers["X-Request-ID"] = state["request_id"]
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    headers.setdefault("Content-Security-Policy", "frame-ancestors 'self'")
    if scope["path"].startswith(OURS):
        headers.setdefault("Cache-Control", "no-store")
    if is_https():
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    for name, value in state.get("rate_limit", {}).items():
        headers[name] = value


def _record(scope: Scope, status: int, seconds: float) -> None:
    """One line and one observation for each request. Never the query: it may hold a token."""
    route = scope.get("route")
    name = getattr(route, "path", "other")
    method = scope["method"] if scope["method"] in METHODS else "other"  # anyone can invent one
    metrics.HTTP_REQUESTS.labels(method, name, str(status)).observe(seconds)
    # Pages and their files are many and say little; what matters of them is in the metrics.
    level = logging.INFO if scope["path"].startswith(OURS) else logging.DEBUG
    details = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "request_id": scope["state"]["request_id"],
        "user_id": scope["state"].get("user_id", ""),
    }
    access_log.log(level, "request", extra=details)
