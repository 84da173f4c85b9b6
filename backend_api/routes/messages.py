"""Messages over HTTP: as they are read, and as they are written."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from aerostic.domain.inbox import queries, service
from aerostic.domain.inbox.drafts import Button, Draft, Header, ListRow, ListSection
from aerostic.domain.inbox.schemas import Content, Failure, MediaView, MessageView, Quote
from aerostic.domain.sending import service as sending
from backend_api.deps import Ctx
from backend_api.idempotency import Once

router = APIRouter(prefix="/api/v1/messages", tags=["Messages"])


# As they are read -------------------------------------------------------------------------------


class FailureOut(BaseModel):
    """Why a message did not arrive, and what to do about it."""

    code: str = Field(examples=["131026"], description="WhatsApp's error code.")
    reason: str = Field(examples=["The recipient can not be reached on WhatsApp."])
    action: str = Field(examples=["Check the number, or reach the person another way."])

    @classmethod
    def of(cls, failure: Failure) -> "FailureOut":
        return cls(code=failure.code, reason=failure.reason, action=failure.action)


class MediaOut(BaseModel):
    """A file. Its bytes are at `url`, for whoever may read the message."""

    id: UUID
    url: str = Field(examples=["/media/01a207cb-52da-7362-a44c-550df7b93852"])
    mime_type: str = Field(examples=["image/jpeg"])
    file_name: str
    size: int
    is_ready: bool = Field(description="False while the file is still being fetched.")
    problem: str | None

    @classmethod
    def of(cls, media: MediaView) -> "MediaOut":
        return cls(
            id=media.id,
            url=media.url,
            mime_type=media.mime_type,
            file_name=media.file_name,
            size=media.size,
            is_ready=media.is_ready,
            problem=media.problem,
        )


class QuoteOut(BaseModel):
    """The message that this one answers; `id` is null where it was never received here."""

    id: UUID | None
    author_name: str
    type: str
    preview: str

    @classmethod
    def of(cls, quote: Quote) -> "QuoteOut":
        return cls(
            id=quote.id, author_name=quote.author_name, type=quote.type, preview=quote.preview
        )


class ReactionOut(BaseModel):
    """An emoji and the names of those who gave it."""

    emoji: str = Field(examples=["👍"])
    by: list[str] = Field(examples=[["Ada Lovelace"]])


class MessageOut(BaseModel):
    """One message, in or out."""

    id: UUID
    conversation_id: UUID
    meta_message_id: str | None = Field(examples=["wamid.HBgLMTU1NTAwMDE="])
    direction: Literal["inbound", "outbound"]
    type: str = Field(examples=["text"])
    text: str = Field(examples=["Are you open on Sunday?"])
    status: str = Field(examples=["delivered"])
    failure: FailureOut | None
    origin: str = Field(examples=["inbox"])
    author_id: UUID | None
    author_name: str
    occurred_at: datetime = Field(description="WhatsApp's time; threads are ordered by it.")
    created_at: datetime = Field(description="When it was written here.")
    media: MediaOut | None
    reply_to: QuoteOut | None
    reactions: list[ReactionOut]
    content: Content
    edited_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, message: MessageView) -> "MessageOut":
        return cls(
            id=message.id,
            conversation_id=message.conversation_id,
            meta_message_id=message.meta_message_id,
            direction="outbound" if message.is_ours else "inbound",
            type=message.type,
            text=message.text,
            status=message.status,
            failure=FailureOut.of(message.failure) if message.failure else None,
            origin=message.origin,
            author_id=message.author_id,
            author_name=message.author_name,
            occurred_at=message.occurred_at,
            created_at=message.created_at,
            media=MediaOut.of(message.media) if message.media else None,
            reply_to=QuoteOut.of(message.quoted) if message.quoted else None,
            reactions=[ReactionOut(emoji=one.emoji, by=one.by) for one in message.reactions],
            content=message.content,
            edited_at=message.edited_at,
            revoked_at=message.revoked_at,
        )


# As they are written ----------------------------------------------------------------------------


class _Written(BaseModel):
    """What every kind has."""

    reply_to: UUID | None = Field(None, description="The id of a message that this one answers.")


class TextIn(_Written):
    type: Literal["text"]
    text: str = Field(max_length=10_000)
    preview_url: bool = False

    def draft(self) -> Draft:
        return Draft.text(self.text, reply_to=self.reply_to, preview_url=self.preview_url)


class FileIn(_Written):
    """A file that was uploaded before."""

    type: Literal["image", "video", "audio", "document", "sticker"]
    media_id: UUID
    caption: str = Field("", max_length=10_000)
    file_name: str = Field("", max_length=1_000)
    is_voice: bool = False

    def draft(self) -> Draft:
        return Draft.media(
            self.media_id,
            self.type,
            caption=self.caption,
            file_name=self.file_name,
            is_voice=self.is_voice,
            reply_to=self.reply_to,
        )


class LocationIn(_Written):
    type: Literal["location"]
    latitude: float
    longitude: float
    name: str = Field("", max_length=10_000)
    address: str = Field("", max_length=10_000)

    def draft(self) -> Draft:
        place = {"name": self.name, "address": self.address}
        return Draft.location(self.latitude, self.longitude, **place, reply_to=self.reply_to)


class CardIn(BaseModel):
    """A contact card."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    phones: list[str] = Field([], max_length=20, examples=[["+15550009999"]])
    emails: list[str] = Field([], max_length=20)


class ContactsIn(_Written):
    type: Literal["contacts"]
    contacts: list[CardIn] = Field(min_length=1, max_length=257)

    def draft(self) -> Draft:
        cards = [
            {
                "name": {"formatted_name": card.name, "first_name": card.name.split()[0]},
                "phones": [{"phone": phone} for phone in card.phones],
                "emails": [{"email": email} for email in card.emails],
            }
            for card in self.contacts
        ]
        return Draft.contacts(cards, reply_to=self.reply_to)


class ButtonIn(BaseModel):
    id: str = Field(max_length=1_000, description="Comes back when the button is tapped.")
    title: str = Field(max_length=1_000)


class _Framed(_Written):
    """What messages with buttons have around them."""

    text: str = Field(max_length=10_000)
    header: str = Field("", max_length=1_000)
    footer: str = Field("", max_length=1_000)

    @property
    def _header(self) -> Header | None:
        return Header(self.header) if self.header else None


class ButtonsIn(_Framed):
    type: Literal["buttons"]
    buttons: list[ButtonIn] = Field(max_length=10)

    def draft(self) -> Draft:
        return Draft.buttons(
            self.text,
            [Button(one.id, one.title) for one in self.buttons],
            header=self._header,
            footer=self.footer,
            reply_to=self.reply_to,
        )


class RowIn(BaseModel):
    id: str = Field(max_length=1_000)
    title: str = Field(max_length=1_000)
    description: str = Field("", max_length=1_000)


class SectionIn(BaseModel):
    title: str = Field("", max_length=1_000)
    rows: list[RowIn] = Field(max_length=20)


class ListIn(_Framed):
    type: Literal["list"]
    button: str = Field(max_length=1_000, description="What opens the list.")
    sections: list[SectionIn] = Field(max_length=20)

    def draft(self) -> Draft:
        sections = [
            ListSection(
                [ListRow(row.id, row.title, row.description) for row in one.rows], one.title
            )
            for one in self.sections
        ]
        return Draft.list(
            self.text,
            self.button,
            sections,
            header=self._header,
            footer=self.footer,
            reply_to=self.reply_to,
        )


class TemplateIn(_Written):
    type: Literal["template"]
    template_id: UUID
    variables: dict[str, str] = Field({}, max_length=100, examples=[{"body.1": "Ada"}])

    def draft(self) -> Draft:
        return Draft.template(self.template_id, self.variables, reply_to=self.reply_to)


MessageIn = Annotated[
    TextIn | FileIn | LocationIn | ContactsIn | ButtonsIn | ListIn | TemplateIn,
    Field(discriminator="type"),
]

EXAMPLES = {
    "text": {"summary": "A text", "value": {"type": "text", "text": "We are open until six."}},
    "image": {
        "summary": "A picture",
        "value": {
            "type": "image",
            "media_id": "01a207cb-52da-7362-a44c-550df7b93852",
            "caption": "Our menu",
        },
    },
    "location": {
        "summary": "A place",
        "value": {
            "type": "location",
            "latitude": 52.52,
            "longitude": 13.405,
            "name": "Bluebird Café",
        },
    },
    "contacts": {
        "summary": "A contact card",
        "value": {
            "type": "contacts",
            "contacts": [{"name": "Bo Berg", "phones": ["+15550009999"]}],
        },
    },
    "buttons": {
        "summary": "Up to three buttons",
        "value": {
            "type": "buttons",
            "text": "Shall we keep your table?",
            "buttons": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
        },
    },
    "list": {
        "summary": "A list of up to ten rows",
        "value": {
            "type": "list",
            "text": "What would you like?",
            "button": "Menu",
            "sections": [{"title": "Hot", "rows": [{"id": "1", "title": "Flat white"}]}],
        },
    },
    "template": {
        "summary": "A template, at any time",
        "value": {
            "type": "template",
            "template_id": "01a207cb-52da-7362-a44c-550df7b93852",
            "variables": {"body.1": "Ada"},
        },
    },
}


class ReactionIn(BaseModel):
    """One emoji; an empty text takes the reaction back."""

    emoji: str = Field(max_length=100, examples=["👍"])


# Routes -----------------------------------------------------------------------------------------


@router.get("/{message_id}")
def message(ctx: Ctx, message_id: UUID) -> MessageOut:
    """One message, with how far it has come."""
    return MessageOut.of(queries.message(ctx, message_id))


@router.post("/{message_id}/reactions", status_code=201)
def react(ctx: Ctx, once: Once, message_id: UUID, body: ReactionIn) -> MessageOut:
    """React to a message, or take the reaction back. Answers the message with its reactions."""

    def work() -> MessageOut:
        service.react(ctx, message_id, body.emoji)
        return MessageOut.of(queries.message(ctx, message_id))

    return once(work)


@router.post("/{message_id}/retry", status_code=201)
def retry(ctx: Ctx, once: Once, message_id: UUID) -> MessageOut:
    """Send a failed or unknown message again. Answers the new one."""
    return once(lambda: shown(ctx, sending.resend(ctx, message_id).id))


@router.post("/{message_id}/give-up")
def give_up(ctx: Ctx, message_id: UUID) -> MessageOut:
    """Leave an unknown message as it is: it counts as not delivered unless Meta says otherwise."""
    return shown(ctx, sending.give_up(ctx, message_id).id)


@router.post("/{message_id}/cancel")
def cancel(ctx: Ctx, message_id: UUID) -> MessageOut:
    """Take back a message that has not left yet."""
    return shown(ctx, sending.cancel(ctx, message_id).id)


def shown(ctx: Ctx, message_id: UUID) -> MessageOut:
    """The message as it stands now."""
    return MessageOut.of(queries.message(ctx, message_id))
