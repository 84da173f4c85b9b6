"""Grants and tokens: what a person allowed the application, and what opens with it."""

from starlette.requests import Request

from aerostic.simulator.google.refusals import Refusal
from aerostic.simulator.google.world import GoogleWorld, Json, new_token, now, world_of

PREFIX = "https://www.googleapis.com/auth/"
DRIVE, DRIVE_FILE, DRIVE_READ = PREFIX + "drive", PREFIX + "drive.file", PREFIX + "drive.readonly"
SHEETS, SHEETS_READ = PREFIX + "spreadsheets", PREFIX + "spreadsheets.readonly"
EMAIL, PROFILE = PREFIX + "userinfo.email", PREFIX + "userinfo.profile"
#: The short names of OpenID Connect and what Google calls them in its answers.
ALIASES = {"email": EMAIL, "profile": PROFILE}
KNOWN = {
    "openid": "Know who you are on Google",
    EMAIL: "See your e-mail address",
    PROFILE: "See your name",
    DRIVE: "See, edit, create and delete all of your Google Drive files",
    DRIVE_FILE: "See and edit the files that you use with this app",
    DRIVE_READ: "See all of your Google Drive files",
    SHEETS: "See, edit, create and delete all of your Google Sheets spreadsheets",
    SHEETS_READ: "See all of your Google Sheets spreadsheets",
}
IDENTITY = ("openid", EMAIL, PROFILE)


def grant(world: GoogleWorld, sub: str) -> Json | None:
    """What this person has allowed so far."""
    return world.find("grant", sub)


def add_to_grant(world: GoogleWorld, sub: str, scopes: list[str]) -> Json:
    before = grant(world, sub) or {"scopes": []}
    allowed = {"scopes": sorted({*before["scopes"], *scopes})}
    world.keep("grant", sub, allowed)
    return allowed


def end_grant(world: GoogleWorld, sub: str) -> None:
    """Every token of this person for this application is worth nothing from now on."""
    world.forget("grant", sub)
    for kind in ("access", "refresh"):
        for token, told in world.each(kind):
            if told["sub"] == sub:
                world.forget(kind, token)


def new_access(world: GoogleWorld, sub: str, scopes: list[str]) -> Json:
    token = new_token("ya29.")
    until = now() + world.token_seconds
    world.keep("access", token, {"sub": sub, "scopes": scopes, "until": until})
    return {
        "access_token": token,
        "expires_in": world.token_seconds,
        "scope": " ".join(scopes),
        "token_type": "Bearer",
    }


def new_refresh(world: GoogleWorld, sub: str, scopes: list[str]) -> str:
    token = new_token("1//")
    world.keep("refresh", token, {"sub": sub, "scopes": scopes})
    return token


def holder(request: Request, *needed: str) -> str:
    """Whose token the request carries. It must open one of the scopes `needed`."""
    world = world_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    told = world.find("access", token) if scheme.lower() == "bearer" else None
    if told is None or told["until"] < now():
        raise Refusal(
            401,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
            "or other valid authentication credential.",
            reason="authError",
            location="Authorization",
        )
    if not set(needed) & set(told["scopes"]):
        raise Refusal(
            403,
            "Request had insufficient authentication scopes.",
            reason="insufficientPermissions",
            detail="ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        )
    return str(told["sub"])
