"""`Idempotency-Key`: the same key with the same body has one effect and one answer, however often it comes.

The key is written in the very transaction that does the work. A second request with it, at the same moment,
waits in PostgreSQL until the first has ended: then it answers what the first answered, or, if that failed,
does the work itself.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from aerostic.core.errors import Refused
from aerostic.core.tenancy import Context
from aerostic.domain.inbox.models import IdempotencyKey
from backend_api.deps import Ctx

M = TypeVar("M", bound=BaseModel)

KEPT = timedelta(hours=24)


class KeyReused(Refused):
    """The key stands for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request. Choose a new one.")


class Replayed(Exception):
    """Not an error: the work was done before, and this is what was answered then."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__("answered before")
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class OncePerKey:
    """Does a piece of work once for each `Idempotency-Key`; without one, every time."""

    ctx: Context
    key: str | None
    request_digest: str
    status: int

    def __call__(self, work: Callable[[], M]) -> M:
        """The answer of `work`, or the one it gave the first time. Raises KeyReused."""
        if self.key is None:
            return work()
        self._claim()
        answer = work()
        self._remember(answer)
        return answer

    def _claim(self) -> None:
        self._forget_old_ones()
        claimed = self.ctx.session.execute(
            insert(IdempotencyKey)
            .values(
                tenant_id=self.ctx.tenant_id,
                actor=self._actor,
                key=self.key,
                request_digest=self.request_digest,
                created_at=self.ctx.now,
            )
            .on_conflict_do_nothing()
            .returning(col(IdempotencyKey.key))
        ).first()
        if claimed is None:
            self._replay()

    def _replay(self) -> None:
        before = self.ctx.session.get_one(
            IdempotencyKey, (self.ctx.tenant_id, self._actor, self.key)
        )
        if before.request_digest != self.request_digest:
            raise KeyReused
        assert before.status is not None, "the key and its answer are committed together"
        raise Replayed(before.status, before.body or {})

    def _remember(self, answer: BaseModel) -> None:
        self.ctx.session.execute(
            update(IdempotencyKey)
            .where(
                col(IdempotencyKey.tenant_id) == self.ctx.tenant_id,
                col(IdempotencyKey.actor) == self._actor,
                col(IdempotencyKey.key) == self.key,
            )
            .values(status=self.status, body=answer.model_dump(mode="json"))
        )

    def _forget_old_ones(self) -> None:
        self.ctx.session.execute(
            delete(IdempotencyKey).where(
                col(IdempotencyKey.tenant_id) == self.ctx.tenant_id,
                col(IdempotencyKey.actor) == self._actor,
                col(IdempotencyKey.created_at) < self.ctx.now - KEPT,
            )
        )

    @property
    def _actor(self) -> str:
        return f"{self.ctx.actor.kind}:{self.ctx.actor.user_id or self.ctx.actor.name}"


async def _digest_of(request: Request) -> str:
    """Of the method, the address and the body. An upload counts by its length: it is read only once."""
    is_upload = request.headers.get("content-type", "").startswith("multipart/")
    body = b"" if is_upload else await request.body()
    length = request.headers.get("content-length", "")
    about = f"{request.method} {request.url.path}?{request.url.query} {length}\n".encode()
    return hashlib.sha256(about + body).hexdigest()


def _once(
    request: Request,
    ctx: Ctx,
    request_digest: Annotated[str, Depends(_digest_of)],
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            description="The same key has one effect. Kept for a day.",
        ),
    ] = None,
) -> OncePerKey:
    route = request.scope.get("route")
    status = getattr(route, "status_code", None) or 200
    return OncePerKey(ctx, idempotency_key, request_digest, status)


Once = Annotated[OncePerKey, Depends(_once)]


def add_handler(api: FastAPI) -> None:
    """Answer a repeated request as it was answered the first time."""
    api.add_exception_handler(Replayed, _answer_again)


async def _answer_again(_: Request, before: Exception) -> JSONResponse:
    assert isinstance(before, Replayed)
    headers = {"Idempotency-Replayed": "true"}
    return JSONResponse(before.body, before.status, headers=headers)
