"""Conversations over HTTP."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query
from pydantic import AwareDatetime, BaseModel, Field

from aerostic.core.errors import Invalid
from aerostic.core.pages import Page
from aerostic.domain.channels.models import NumberMode
from aerostic.domain.inbox import queries, service
from aerostic.domain.inbox.models import Conversation, ConversationStatus, Origin
from aerostic.domain.inbox.schemas import (
    ConversationDetail,
    ConversationFilter,
    ConversationRow,
    EventView,
    MessageView,
    Shown,
    View,
)
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut
from backend_api.routes.labels import LabelOut
from backend_api.routes.messages import EXAMPLES, MessageIn, MessageOut, shown

router = APIRouter(prefix="/api/v1/conversations", tags=["Conversations"])


class StatusFilter(StrEnum):
    """A status, or any of them."""

    OPEN = "open"
    SNOOZED = "snoozed"
    CLOSED = "closed"
    ANY = "any"

    @property
    def status(self) -> ConversationStatus | None:
        return None if self is StatusFilter.ANY else ConversationStatus(self.value)


class ConversationOut(BaseModel):
    """All that was said between one contact and one number, in a line."""

    id: UUID
    contact_id: UUID
    contact_name: str = Field(examples=["Ada Lovelace"])
    contact_phone: str | None = Field(examples=["+15550009999"])
    number_id: UUID
    status: ConversationStatus
    snoozed_until: datetime | None
    assignee_id: UUID | None
    assignee_name: str
    unread_count: int
    last_message_at: datetime
    last_message_preview: str
    labels: list[LabelOut]
    window_closes_at: datetime | None = Field(
        description="Until then anything may be sent; afterwards only templates."
    )

    @classmethod
    def of(cls, row: ConversationRow) -> "ConversationOut":
        return cls(
            id=row.id,
            contact_id=row.contact_id,
            contact_name=row.contact_name,
            contact_phone=row.contact_phone,
            number_id=row.number_id,
            status=row.status,
            snoozed_until=row.snoozed_until,
            assignee_id=row.assignee_id,
            assignee_name=row.assignee_name,
            unread_count=row.unread_count,
            last_message_at=row.last_message_at,
            last_message_preview=row.preview,
            labels=[LabelOut.of(label) for label in row.labels],
            window_closes_at=row.window_closes_at,
        )


class ConversationDetailOut(ConversationOut):
    """A conversation and what stands around it."""

    window_is_open: bool
    mode: str = Field(
        examples=["person"], description="Who answers: person, automation, ai, paused."
    )
    created_at: datetime
    closed_at: datetime | None

    @classmethod
    def of_detail(cls, detail: ConversationDetail) -> "ConversationDetailOut":
        return cls(
            **ConversationOut.of(detail.row).model_dump(),
            window_is_open=detail.window_is_open,
            mode=detail.mode,
            created_at=detail.created_at,
            closed_at=detail.closed_at,
        )


class StartIn(BaseModel):
    """Whom to write to, and from which number."""

    contact_id: UUID
    number_id: UUID


class AssignIn(BaseModel):
    """The member to give it to; null for nobody."""

    user_id: UUID | None


class StatusIn(BaseModel):
    """Where it shall stand. `snoozed` needs `until`."""

    status: ConversationStatus
    until: AwareDatetime | None = Field(None, examples=["2026-11-24T09:00:00+01:00"])


class ModeIn(BaseModel):
    """Who answers; null: as the number says."""

    mode: NumberMode | None


class NoteIn(BaseModel):
    """Something that colleagues see and the contact does not."""

    text: str = Field(max_length=10_000, examples=["She asked for the table by the window."])
    mentions: list[UUID] = Field([], max_length=50, description="Ids of members to call upon.")


class EventOut(BaseModel):
    """What someone did in the conversation: a note, an assignment, closing it …"""

    id: UUID
    kind: str = Field(examples=["note"])
    actor_user_id: UUID | None
    actor_name: str
    text: str = Field(description="A note's own text, or what happened as a sentence.")
    mentions: list[UUID]
    occurred_at: datetime

    @classmethod
    def of(cls, event: EventView) -> "EventOut":
        return cls(
            id=event.id,
            kind=event.kind,
            actor_user_id=event.actor_user_id,
            actor_name=event.actor_name,
            text=event.text,
            mentions=[one.user_id for one in event.mentions],
            occurred_at=event.occurred_at,
        )


class LabelsIn(BaseModel):
    """The labels that it shall have, and no others."""

    label_ids: list[UUID] = Field(max_length=100)


class MessagesOut(PageOut[MessageOut]):
    """Messages, oldest first. `next_cursor` leads to older ones.

    `newer_cursor`, sent as `after`, leads to those that came after these, now or later.
    """

    newer_cursor: str | None


Newer = Annotated[
    str | None,
    Query(alias="after", max_length=1000, description="`newer_cursor` of a page before."),
]


@router.get("")
def conversations(
    ctx: Ctx,
    after: After = None,
    limit: Limit = 50,
    view: View = View.ALL,
    status: StatusFilter = StatusFilter.OPEN,
    is_unread: bool = False,
    label_id: UUID | None = None,
    number_id: UUID | None = None,
    contact_id: UUID | None = None,
) -> PageOut[ConversationOut]:
    """Conversations, newest activity first. Every filter narrows."""
    wanted = ConversationFilter(view, status.status, is_unread, label_id, number_id, contact_id)
    return PageOut.of(queries.conversations(ctx, wanted, after, limit), ConversationOut.of)


@router.post("", status_code=201)
def start(ctx: Ctx, once: Once, body: StartIn) -> ConversationDetailOut:
    """The conversation of a contact with a number, made if there is none yet.

    Until the contact writes, only templates may be sent in it.
    """
    return once(
        lambda: _detail(ctx, service.start_conversation(ctx, body.contact_id, body.number_id))
    )


@router.get("/{conversation_id}")
def conversation(ctx: Ctx, conversation_id: UUID) -> ConversationDetailOut:
    """One conversation."""
    return ConversationDetailOut.of_detail(queries.conversation(ctx, conversation_id))


@router.get("/{conversation_id}/messages")
def messages(
    ctx: Ctx, conversation_id: UUID, before: After = None, after: Newer = None, limit: Limit = 50
) -> MessagesOut:
    """Its messages: the latest, those before a `cursor`, or those after `after`. Oldest first."""
    page = queries.thread(
        ctx, conversation_id, before, after=after, limit=limit, shown=Shown.MESSAGES
    )
    items = [MessageOut.of(one) for one in page.items if isinstance(one, MessageView)]
    return MessagesOut(items=items, next_cursor=page.next_cursor, newer_cursor=page.newer_cursor)


@router.post("/{conversation_id}/messages", status_code=201)
def send_message(
    ctx: Ctx,
    once: Once,
    conversation_id: UUID,
    body: Annotated[MessageIn, Body(openapi_examples=EXAMPLES)],
) -> MessageOut:
    """Queue a message. It leaves once, whatever is retried with the same `Idempotency-Key`."""
    return once(lambda: _send(ctx, conversation_id, body))


@router.get("/{conversation_id}/events")
def events(
    ctx: Ctx, conversation_id: UUID, before: After = None, limit: Limit = 50
) -> PageOut[EventOut]:
    """Notes and what else people did in it, oldest first. `next_cursor` leads to older ones."""
    page = queries.thread(ctx, conversation_id, before, limit=limit, shown=Shown.EVENTS)
    found = [one for one in page.items if isinstance(one, EventView)]
    return PageOut.of(Page(found, page.next_cursor), EventOut.of)


@router.post("/{conversation_id}/notes", status_code=201)
def add_note(ctx: Ctx, once: Once, conversation_id: UUID, body: NoteIn) -> EventOut:
    """Write a note for colleagues. The contact never sees it."""
    return once(
        lambda: EventOut.of(service.add_note(ctx, conversation_id, body.text, body.mentions))
    )


@router.post("/{conversation_id}/assign")
def assign(ctx: Ctx, conversation_id: UUID, body: AssignIn) -> ConversationDetailOut:
    """Give the conversation to a member, or to nobody."""
    return _detail(ctx, service.assign(ctx, conversation_id, body.user_id))


@router.post("/{conversation_id}/status")
def set_status(ctx: Ctx, conversation_id: UUID, body: StatusIn) -> ConversationDetailOut:
    """Close, reopen or snooze the conversation."""
    if body.status is ConversationStatus.CLOSED:
        return _detail(ctx, service.close(ctx, conversation_id))
    if body.status is ConversationStatus.OPEN:
        return _detail(ctx, service.reopen(ctx, conversation_id))
    if body.until is None:
        raise Invalid("until", "Say until when, with a time zone.")
    return _detail(ctx, service.snooze(ctx, conversation_id, body.until))


@router.put("/{conversation_id}/mode")
def set_mode(ctx: Ctx, conversation_id: UUID, body: ModeIn) -> ConversationDetailOut:
    """Say who answers here: automation, AI, a person, or nobody for now."""
    return _detail(ctx, service.set_mode(ctx, conversation_id, body.mode))


@router.post("/{conversation_id}/read")
def mark_read(ctx: Ctx, conversation_id: UUID) -> ConversationDetailOut:
    """Nothing in it is unread any more. The contact sees blue ticks."""
    return _detail(ctx, service.mark_read(ctx, conversation_id))


@router.post("/{conversation_id}/typing", status_code=204)
def typing(ctx: Ctx, conversation_id: UUID) -> None:
    """Show colleagues, and the contact, that someone is writing. Fades by itself."""
    service.typing(ctx, conversation_id)


@router.put("/{conversation_id}/labels")
def set_labels(ctx: Ctx, conversation_id: UUID, body: LabelsIn) -> ConversationDetailOut:
    """Give the conversation just these labels."""
    return _detail(ctx, service.set_labels(ctx, conversation_id, body.label_ids))


def _detail(ctx: Ctx, changed: Conversation) -> ConversationDetailOut:
    return ConversationDetailOut.of_detail(queries.conversation(ctx, changed.id))


def _send(ctx: Ctx, conversation_id: UUID, body: MessageIn) -> MessageOut:
    message = service.reply(ctx, conversation_id, body.draft(), origin=Origin.API)
    return shown(ctx, message.id)
