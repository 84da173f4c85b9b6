"""Canned replies over HTTP."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.inbox import queries, service
from aerostic.domain.inbox.models import CannedReply
from aerostic.domain.inbox.schemas import CannedReplyView
from backend_api.deps import Ctx
from backend_api.idempotency import Once

router = APIRouter(prefix="/api/v1/canned-replies", tags=["Canned replies"])


class CannedReplyOut(BaseModel):
    """A ready answer, found by typing `/` and its shortcut."""

    id: UUID
    shortcut: str = Field(examples=["hours"])
    text: str = Field(examples=["Hello {{ contact.first_name }}, we are open from nine to six."])

    @classmethod
    def of(cls, reply: CannedReply | CannedReplyView) -> "CannedReplyOut":
        return cls(id=reply.id, shortcut=reply.shortcut, text=reply.text)


class CannedRepliesOut(BaseModel):
    """All of them: a workspace has few."""

    items: list[CannedReplyOut]
    next_cursor: None = None


class CannedReplyIn(BaseModel):
    shortcut: str = Field(max_length=1_000, examples=["hours"])
    text: str = Field(max_length=10_000, examples=["We are open from nine to six."])


class CannedReplyChangeIn(BaseModel):
    """What is left out stays."""

    shortcut: str | None = Field(None, max_length=1_000, examples=["hours"])
    text: str | None = Field(None, max_length=10_000, examples=["We are open from nine to six."])


@router.get("")
def canned_replies(ctx: Ctx) -> CannedRepliesOut:
    """All canned replies, by shortcut."""
    return CannedRepliesOut(items=[CannedReplyOut.of(one) for one in queries.canned_replies(ctx)])


@router.post("", status_code=201)
def create_canned_reply(ctx: Ctx, once: Once, body: CannedReplyIn) -> CannedReplyOut:
    """Make a canned reply. Its text may name `{{ contact.name }}` and the like."""
    return once(
        lambda: CannedReplyOut.of(service.create_canned_reply(ctx, body.shortcut, body.text))
    )


@router.patch("/{reply_id}")
def change_canned_reply(ctx: Ctx, reply_id: UUID, body: CannedReplyChangeIn) -> CannedReplyOut:
    """Change its shortcut or its text."""
    changed = service.change_canned_reply(ctx, reply_id, shortcut=body.shortcut, text=body.text)
    return CannedReplyOut.of(changed)


@router.delete("/{reply_id}", status_code=204)
def delete_canned_reply(ctx: Ctx, reply_id: UUID) -> None:
    """Take a canned reply away."""
    service.delete_canned_reply(ctx, reply_id)
