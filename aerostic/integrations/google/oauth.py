"""Signing in at Google with OAuth 2.0 and PKCE (RFC 7636): ask, trade, refresh, revoke."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from aerostic.core.settings import settings
from aerostic.integrations.google import errors
from aerostic.integrations.google.addresses import addresses, redirect_address
from aerostic.integrations.google.client import GoogleClient, Request

SIGN_IN_SECONDS = 20


class Scope(StrEnum):
    """What a connection may be used for. Asked for one by one, as they are needed."""

    DRIVE = "https://www.googleapis.com/auth/drive"
    SHEETS = "https://www.googleapis.com/auth/spreadsheets"


# Who it is: without it two accounts could not be told apart.
IDENTITY = ("openid", "email", "profile")


@dataclass(frozen=True, slots=True)
class Tokens:
    """`refresh` comes with a consent only. Its text shows none of them."""

    access: str = field(repr=False)
    seconds: int
    scopes: frozenset[str]
    refresh: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Whose account it is. `subject` is Google's own id of them, and never changes."""

    subject: str
    email: str
    name: str


def is_set_up() -> bool:
    """Whether this installation has an OAuth client at Google."""
    return bool(settings().google_client_id and settings().google_client_secret.get_secret_value())


def challenge(verifier: str) -> str:
    """`S256` of RFC 7636."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def consent_url(*, state: str, verifier: str, scopes: Iterable[Scope], login_hint: str = "") -> str:
    """The page on which a person chooses an account and what may be done with it."""
    asked = {
        "client_id": settings().google_client_id,
        "redirect_uri": redirect_address(),
        "response_type": "code",
        "scope": " ".join([*IDENTITY, *sorted(scopes)]),
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        "access_type": "offline",
        "include_granted_scopes": "true",
        # A refresh token comes with a consent only.
        "prompt": "consent" if login_hint else "consent select_account",
    }
    if login_hint:
        asked["login_hint"] = login_hint
    return f"{addresses().consent}?{urlencode(asked)}"


async def trade_code(code: str, verifier: str) -> Tokens:
    """A code of the consent page for tokens. Raises GoogleProblem."""
    return _tokens(
        await _sign_in(
            addresses().token,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=redirect_address(),
        )
    )


async def refresh(refresh_token: str) -> Tokens:
    """A new access token. Raises GrantGone where the person took the permission back."""
    return _tokens(
        await _sign_in(addresses().token, grant_type="refresh_token", refresh_token=refresh_token)
    )


async def revoke(token: str) -> None:
    """End the permission at Google. One that has ended already is no problem."""
    async with GoogleClient(answer_seconds=SIGN_IN_SECONDS) as client:
        answer = await client.send(Request("POST", addresses().revoke, form={"token": token}))
    if not answer.is_success:
        problem = errors.of_sign_in(answer.status, answer.json())
        if not isinstance(problem, errors.GrantGone):
            raise problem


async def person(access_token: str) -> Person:
    """Whose access it is. Raises GoogleProblem."""
    async with GoogleClient(answer_seconds=SIGN_IN_SECONDS) as client:
        told = await client.object(Request("GET", addresses().person, token=access_token))
    if not told.get("sub") or not told.get("email"):
        raise errors.NotUnderstood("Google did not say whose account this is.")
    return Person(str(told["sub"]), str(told["email"]), str(told.get("name") or ""))


async def _sign_in(url: str, **form: str) -> Any:
    client_secret = settings().google_client_secret.get_secret_value()
    whole = {"client_id": settings().google_client_id, "client_secret": client_secret, **form}
    async with GoogleClient(answer_seconds=SIGN_IN_SECONDS) as client:
        answer = await client.send(Request("POST", url, form=whole))
    if not answer.is_success:
        raise errors.of_sign_in(answer.status, answer.json())
    return answer.json()


def _tokens(told: Any) -> Tokens:
    try:
        return Tokens(
            access=str(told["access_token"]),
            seconds=int(told["expires_in"]),
            scopes=frozenset(str(told.get("scope", "")).split()),
            refresh=str(told.get("refresh_token") or ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise errors.NoAnswer("Google answered with something that can not be read.") from error
