"""The description of the API for programs, and a page of it for people that needs no other server."""


from fastapi import FastAPI
from fastapi.responses import HTMLResponse

INTRODUCTION = """
Everything that a workspace can do, for programs.

Sign in with `POST /auth/session`; the answer sets the session's cookies. A member of several workspaces
names one by its id or short name in `X-Workspace`.

Lists come in pages, `{"items": [], "next_cursor": null}`: send `next_cursor` as `cursor` for the next.
A POST that sends or spends takes an `Idempotency-Key`: the same key with the same body has one effect and
one answer. Errors are `application/problem+json` with a stable `code`. `RateLimit-*` headers say how many
calls are left.
"""


def describe(api: FastAPI) -> None:
    """Add the introduction, and the page at `/api/docs`."""
    api.description = INTRODUCTION
    api.add_api_route(
        "/api/docs", lambda: HTMLResponse("ok"), methods=["GET"], include_in_schema=False
    )
