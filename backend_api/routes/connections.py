"""Connected Google accounts over HTTP, and the address to which Google sends people back."""

import json
from datetime import datetime
from enum import StrEnum
from html import escape
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from aerostic.core.crypto import new_token
from aerostic.core.errors import AppError, NotFound, SignInNeeded
from aerostic.core.permissions import STRANGER
from aerostic.core.tenancy import shared_work, unit_of_work
from aerostic.domain.connections import queries, service
from aerostic.domain.connections.queries import ConnectionRow
from aerostic.domain.identity.queries import Principal
from aerostic.integrations.google.oauth import Scope
from backend_api.deps import Address, Ctx, Visitor

router = APIRouter(tags=["Connections"])
PREFIX = "/api/v1/connections"


class Service(StrEnum):
    DRIVE = "drive"
    SHEETS = "sheets"


SCOPES = {Service.DRIVE: Scope.DRIVE, Service.SHEETS: Scope.SHEETS}


class ConnectionOut(BaseModel):
    """A Google account that workflows may use."""

    id: UUID
    email: str = Field(examples=["amara@example.com"])
    name: str = Field(examples=["Amara Okafor"])
    status: str = Field(examples=["connected"], description="connected, or needs_attention.")
    problem: str = Field(examples=[""], description="Why it needs attention.")
    services: list[Service]
    created_at: datetime

    @classmethod
    def of(cls, row: ConnectionRow) -> "ConnectionOut":
        has = {Service.DRIVE: row.has_drive, Service.SHEETS: row.has_sheets}
        return cls(
            id=row.id,
            email=row.email,
            name=row.name,
            status=row.status,
            problem=row.problem,
            services=[one for one in Service if has[one]],
            created_at=row.created_at,
        )


class ConnectionsOut(BaseModel):
    """All of them: a workspace has few."""

    items: list[ConnectionOut]
    next_cursor: None = None


class ConsentIn(BaseModel):
    services: list[Service] = Field(max_length=2, examples=[["sheets"]])
    connection_id: UUID | None = Field(
        None, description="To ask more of an account that is connected already."
    )


class ConsentOut(BaseModel):
    """Where a person allows it, in a browser in which they are signed in here."""

    url: str


class DisconnectedOut(BaseModel):
    """The account is forgotten here in any case."""

    is_revoked: bool = Field(description="The permission has ended at Google too.")
    is_shared: bool = Field(
        description="Another workspace uses the account, so it was left at Google."
    )


@router.get(PREFIX)
def connections(ctx: Ctx) -> ConnectionsOut:
    """All connected Google accounts, by address."""
    return ConnectionsOut(items=[ConnectionOut.of(row) for row in queries.connections(ctx)])


@router.post(f"{PREFIX}/google", status_code=201)
def ask_for_consent(ctx: Ctx, body: ConsentIn) -> ConsentOut:
    """Begin to connect an account: the answer leads to Google's page."""
    scopes = [SCOPES[one] for one in body.services]
    return ConsentOut(url=service.begin(ctx, scopes, connection_id=body.connection_id))


@router.delete(f"{PREFIX}/{{connection_id}}")
def disconnect(ctx: Ctx, connection_id: UUID) -> DisconnectedOut:
    """Forget an account, and end the permission at Google unless another workspace uses it."""
    done = service.disconnect(ctx, connection_id)
    return DisconnectedOut(is_revoked=done.is_revoked, is_shared=done.is_shared)


@router.get("/oauth/google/callback", response_class=HTMLResponse)
def come_back(
    visitor: Visitor,
    address: Address,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2_000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Google sends people back here. The page tells the one that opened it, and closes."""
    try:
        email = _connect(visitor, address, state, code, error)
    except AppError as problem:
        return _page(problem.message, status=problem.status)
    return _page(f"{email} is connected.", is_done=True)


def _connect(visitor: Principal | None, address: str, state: str, code: str, error: str) -> str:
    """The address of the account. The state counts for the person who began only."""
    if visitor is None:
        raise SignInNeeded("Please sign in to Aerostic first, then connect the account again.")
    with shared_work(STRANGER) as ctx:
        pending = service.take_state(ctx, state, user_id=visitor.user_id)
    if error or not code:
        raise NotConnected(_why(error))
    actor = visitor.actor_in(pending.tenant_id, address)
    if actor is None:
        raise NotFound("That workspace is not one of yours any more.")
    with unit_of_work(pending.tenant_id, actor) as ctx:
        return service.finish(ctx, pending, code).email


class NotConnected(AppError):
    code = "not_connected"


def _why(error: str) -> str:
    if error == "access_denied":
        return "Nothing was connected: you did not allow it at Google."
    return f"Nothing was connected. Google says: {error or 'nothing'}."


def _page(sentence: str, *, is_done: bool = False, status: int = 200) -> HTMLResponse:
    """A page that works without its opener too: Google's pages cut that tie."""
    nonce = new_token(12)
    told = json.dumps({"done": is_done, "sentence": sentence}).replace("<", "\\u003c")
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
    }
    body = _PAGE.format(nonce=nonce, sentence=escape(sentence), told=told)
    return HTMLResponse(body, status, headers)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Google account · Aerostic</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<style nonce="{nonce}">
body{{margin:0;min-height:100vh;display:grid;place-items:center;font:17px/1.5 system-ui,sans-serif;
background:#f4f6f4;color:#1a211d}} main{{max-width:30rem;padding:2rem;text-align:center}}
@media (prefers-color-scheme:dark){{body{{background:#111512;color:#e9efeb}}}}
</style></head><body><main><h1>Google account</h1><p>{sentence}</p>
<p>You can close this window.</p></main>
<script nonce="{nonce}">
new BroadcastChannel("aerostic.connections").postMessage({told});
setTimeout(() => window.close(), 600);
</script></body></html>
"""
