"""Search over HTTP: messages by what they say, contacts by who they are."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from aerostic.domain.inbox import queries
from aerostic.domain.inbox.schemas import FoundContact, FoundMessage
from backend_api.deps import Ctx
from backend_api.pages import After

router = APIRouter(prefix="/api/v1/search", tags=["Conversations"])


class FoundMessageOut(BaseModel):
    """A message that holds the words."""

    message_id: UUID
    conversation_id: UUID
    contact_name: str
    excerpt: str
    occurred_at: datetime

    @classmethod
    def of(cls, found: FoundMessage) -> "FoundMessageOut":
        return cls(
            message_id=found.message_id,
            conversation_id=found.conversation_id,
            contact_name=found.contact_name,
            excerpt=found.excerpt,
            occurred_at=found.occurred_at,
        )


class FoundContactOut(BaseModel):
    """A contact whose words begin like that, and the conversation last active with them."""

    contact_id: UUID
    name: str
    phone: str | None
    conversation_id: UUID | None

    @classmethod
    def of(cls, found: FoundContact) -> "FoundContactOut":
        return cls(
            contact_id=found.contact_id,
            name=found.name,
            phone=found.phone,
            conversation_id=found.conversation_id,
        )


class SearchOut(BaseModel):
    """What was found. Messages are searched newest first, a stretch at a time."""

    items: list[FoundMessageOut]
    contacts: list[FoundContactOut] = Field(description="On the first page only.")
    searched_back_to: datetime | None = Field(description="Null: everything was looked through.")
    next_cursor: str | None = Field(
        examples=[None], description="Looks through what is older, even where `items` is empty."
    )


@router.get("")
def search(
    ctx: Ctx,
    text: Annotated[str, Query(max_length=500, examples=["coffee"])],
    after: After = None,
) -> SearchOut:
    """Find messages by parts of their words, and contacts by name, number or address."""
    page = queries.search(ctx, text, after)
    return SearchOut(
        items=[FoundMessageOut.of(one) for one in page.messages],
        contacts=[FoundContactOut.of(one) for one in page.contacts],
        searched_back_to=page.searched_back_to,
        next_cursor=page.next_cursor,
    )
