"""Google's side of OAuth 2.0 with PKCE: the page that asks, and the addresses that trade.

After “Using OAuth 2.0 for Web Server Applications” and RFC 7636. People choose on the page which of the
scopes they allow, as on Google's own.
"""

import base64
import hashlib
import hmac
import re
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from aerostic.simulator.google import tokens
from aerostic.simulator.google.refusals import OAuthRefusal, refusing
from aerostic.simulator.google.world import (
    PEOPLE,
    GoogleWorld,
    Json,
    new_token,
    now,
    person,
    world_of,
)

CODE_SECONDS = 600
MOST_SCOPES = 20
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_ASKED = {
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "access_type",
    "prompt",
    "include_granted_scopes",
    "login_hint",
}
_PROMPTS = {"none", "consent", "select_account"}


async def consent(request: Request) -> Response:
    """`GET /o/oauth2/v2/auth`: the page. `POST`: what the person chose on it."""
    try:
        asked = _asked(request)
    except OAuthRefusal as refusal:
        return HTMLResponse(_refused_page(refusal), refusal.code)
    if request.method == "GET":
        return HTMLResponse(_page(asked))
    form = await request.form()
    someone = person(str(form.get("account", "")))
    if form.get("answer") != "allow" or someone is None:
        return _back(asked, error="access_denied")
    wished = [one for one in asked["scopes"] if one in tokens.IDENTITY]
    wished += [one for one in form.getlist("scope") if one in asked["scopes"]]
    return _allowed(world_of(request), asked, str(someone["sub"]), [str(one) for one in wished])


def _asked(request: Request) -> Json:
    """The request, or why this application may not ask it: told on a page, never by a redirect."""
    query = request.query_params
    if unknown := sorted(set(query) - _ASKED):
        raise OAuthRefusal("invalid_request", f"Parameter not allowed here: {unknown[0]}")
    if query.get("client_id") != world_of(request).client_id:
        raise OAuthRefusal("invalid_client", "The OAuth client was not found.", code=401)
    _check_redirect(query.get("redirect_uri", ""))
    if query.get("response_type") != "code":
        raise OAuthRefusal("invalid_request", "Required parameter: response_type=code")
    if query.get("code_challenge_method") != "S256":
        raise OAuthRefusal("invalid_request", "code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(query.get("code_challenge", "")):
        raise OAuthRefusal("invalid_request", "code_challenge is not a SHA-256 in base64url")
    if query.get("access_type", "online") not in {"online", "offline"}:
        raise OAuthRefusal("invalid_request", "access_type must be online or offline")
    if set(query.get("prompt", "").split()) - _PROMPTS:
        raise OAuthRefusal("invalid_request", "Invalid prompt")
    return {**query, "scopes": _scopes(query.get("scope", ""))}


def _check_redirect(address: str) -> None:
    parts = urlsplit(address)
    is_near = parts.hostname in {"localhost", "127.0.0.1"}
    if not parts.netloc or parts.fragment or parts.scheme not in ("https", "http"):
        raise OAuthRefusal("redirect_uri_mismatch", f"Not an address to return to: {address}")
    if parts.scheme == "http" and not is_near:
        raise OAuthRefusal("redirect_uri_mismatch", "Only localhost may be returned to over http")


def _scopes(told: str) -> list[str]:
    wanted = [tokens.ALIASES.get(one, one) for one in told.split()]
    unknown = [one for one in wanted if one not in tokens.KNOWN]
    if not wanted or unknown or len(wanted) > MOST_SCOPES:
        raise OAuthRefusal("invalid_scope", f"Some requested scopes were invalid: {unknown}")
    return list(dict.fromkeys(wanted))


def _allowed(world: GoogleWorld, asked: Json, sub: str, scopes: list[str]) -> Response:
    is_first = tokens.grant(world, sub) is None
    all_of_them = tokens.add_to_grant(world, sub, scopes)["scopes"]
    joined = all_of_them if asked.get("include_granted_scopes") == "true" else scopes
    code = new_token("4/0A")
    is_offline = asked.get("access_type") == "offline"
    kept = {
        "sub": sub,
        "scopes": joined,
        "redirect_uri": asked["redirect_uri"],
        "challenge": asked["code_challenge"],
        "until": now() + CODE_SECONDS,
        # Without a new consent, Google hands out a refresh token the first time only.
        "refreshes": is_offline and (is_first or "consent" in asked.get("prompt", "").split()),
    }
    world.keep("code", code, kept)
    return _back(asked, code=code, scope=" ".join(joined))


def _back(asked: Json, **told: str) -> Response:
    if asked.get("state"):
        told["state"] = asked["state"]
    address = asked["redirect_uri"]
    joint = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{joint}{urlencode(told)}", 303)


@refusing
async def trade(request: Request) -> Response:
    """`POST /token`: a code, or a refresh token, for an access token."""
    form = await _form(request)
    world = world_of(request)
    _check_client(world, form)
    match form.get("grant_type"):
        case "authorization_code":
            answer = _trade_code(world, form)
        case "refresh_token":
            answer = _refresh(world, form)
        case other:
            raise OAuthRefusal("unsupported_grant_type", f"Invalid grant_type: {other}")
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind != "application/x-www-form-urlencoded":
        raise OAuthRefusal("invalid_request", "Send the parameters as a form.")
    return {name: str(value) for name, value in (await request.form()).items()}


def _check_client(world: GoogleWorld, form: dict[str, str]) -> None:
    told = form.get("client_secret", "")
    if form.get("client_id") != world.client_id:
        raise OAuthRefusal("invalid_client", "The OAuth client was not found.", code=401)
    if not hmac.compare_digest(told.encode(), world.client_secret.encode()):
        raise OAuthRefusal("invalid_client", "Unauthorized", code=401)


def _trade_code(world: GoogleWorld, form: dict[str, str]) -> Json:
    code = form.get("code", "")
    kept = world.find("code", code)
    world.forget("code", code)
    if kept is None or kept["until"] < now():
        raise OAuthRefusal("invalid_grant", "Malformed auth code.")
    if form.get("redirect_uri") != kept["redirect_uri"]:
        raise OAuthRefusal("redirect_uri_mismatch", "Bad Request")
    verifier = form.get("code_verifier", "")
    if not _VERIFIER.fullmatch(verifier) or _challenge(verifier) != kept["challenge"]:
        raise OAuthRefusal("invalid_grant", "Invalid code verifier.")
    answer = tokens.new_access(world, kept["sub"], kept["scopes"])
    if kept["refreshes"]:
        answer["refresh_token"] = tokens.new_refresh(world, kept["sub"], kept["scopes"])
    return answer


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _refresh(world: GoogleWorld, form: dict[str, str]) -> Json:
    kept = world.find("refresh", form.get("refresh_token", ""))
    if kept is None:
        raise OAuthRefusal("invalid_grant", "Token has been expired or revoked.")
    return tokens.new_access(world, kept["sub"], kept["scopes"])


@refusing
async def revoke(request: Request) -> Response:
    """`POST /revoke`: ends all that the person allowed this application, whichever token is named."""
    form = await _form(request)
    world, token = world_of(request), form.get("token", "")
    kept = world.find("refresh", token) or world.find("access", token)
    if kept is None:
        raise OAuthRefusal("invalid_token", "Token expired or revoked")
    tokens.end_grant(world, kept["sub"])
    return JSONResponse({})


@refusing
async def userinfo(request: Request) -> Response:
    """`GET /v1/userinfo`."""
    someone = person(tokens.holder(request, "openid", tokens.EMAIL)) or {}
    return JSONResponse({**someone, "email_verified": True})


_STYLE = """
body{margin:0;background:#f0f3f6;color:#1c2126;font:16px/1.5 system-ui,sans-serif}
main{max-width:440px;margin:24px auto;background:#fff;border-radius:16px;padding:24px 28px}
h1{font-size:22px;margin:0 0 4px} .hint{color:#4b5560;margin:0 0 16px}
fieldset{border:1px solid #c9d1d8;border-radius:10px;margin:0 0 16px;padding:10px 14px}
legend{font-weight:600;padding:0 6px} label{display:flex;gap:10px;padding:6px 0;align-items:start}
input{margin-top:5px} footer{display:flex;gap:10px;justify-content:flex-end}
button{font:inherit;padding:9px 20px;border-radius:99px;border:1px solid #75808a;background:#fff}
button.main{background:#0b57d0;border-color:#0b57d0;color:#fff}
"""
_FRAME = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Simulated Google</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    "<style>{style}</style></head><body><main>{body}</main></body></html>"
)


def _page(asked: Json) -> str:
    wishes = [one for one in asked["scopes"] if one not in tokens.IDENTITY]
    accounts = "".join(_account(one, number) for number, one in enumerate(PEOPLE))
    boxes = "".join(_wish(scope) for scope in wishes)
    told = f"<fieldset><legend>It may</legend>{boxes}</fieldset>" if boxes else ""
    body = (
        "<h1>Simulated Google</h1>"
        '<p class="hint">An application wants to reach a Google account. Nothing leaves this machine.</p>'
        f'<form method="post"><fieldset><legend>Account</legend>{accounts}</fieldset>{told}'
        '<footer><button name="answer" value="deny">Cancel</button>'
        '<button class="main" name="answer" value="allow">Continue</button></footer></form>'
    )
    return _FRAME.format(style=_STYLE, body=body)


def _account(someone: Json, number: int) -> str:
    checked = "" if number else " checked"
    name, email, sub = (escape(str(someone[key])) for key in ("name", "email", "sub"))
    return (
        f'<label><input type="radio" name="account" value="{sub}"{checked}>'
        f"<span>{name}<br>{email}</span></label>"
    )


def _wish(scope: str) -> str:
    return (
        f'<label><input type="checkbox" name="scope" value="{escape(scope)}" checked>'
        f"<span>{escape(tokens.KNOWN[scope])}</span></label>"
    )


def _refused_page(refusal: OAuthRefusal) -> str:
    body = (
        "<h1>Access blocked</h1>"
        f"<p>Error {refusal.code}: {escape(refusal.error)}</p><p>{escape(refusal.description)}</p>"
    )
    return _FRAME.format(style=_STYLE, body=body)


ROUTES: list[Any] = [
    Route("/o/oauth2/v2/auth", consent, methods=["GET", "POST"]),
    Route("/token", trade, methods=["POST"]),
    Route("/revoke", revoke, methods=["POST"]),
    Route("/v1/userinfo", userinfo),
]
