"""Contacts over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from aerostic.domain.contacts import queries, service
from aerostic.domain.contacts.exporting import ExportFormat
from aerostic.domain.contacts.schemas import (
    KEEP,
    AttributeValue,
    ContactChanges,
    ContactDetail,
    ContactFilter,
    ContactRow,
    NewContact,
    Selection,
    Sort,
)
from aerostic.domain.dossier import queries as dossiers
from aerostic.domain.dossier import service as dossier
from aerostic.domain.dossier.queries import TimelineItem
from backend_api import files
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut
from backend_api.routes.tags import TagOut

router = APIRouter(prefix="/api/v1/contacts", tags=["Contacts"])

MEDIA_TYPES = {
    ExportFormat.CSV: files.CSV,
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Text = Annotated[str, Field(max_length=10_000)]


class ContactOut(BaseModel):
    """A person who writes to the workspace, in a line."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"], description="What lists call them. Never empty.")
    phone: str | None = Field(examples=["+491701234567"])
    email: str | None = Field(examples=["ada@example.org"])
    country: str | None = Field(examples=["DE"])
    is_blocked: bool
    tags: list[TagOut]
    last_activity_at: datetime
    created_at: datetime

    @classmethod
    def of(cls, row: ContactRow) -> "ContactOut":
        return cls(
            id=row.id,
            name=row.name,
            phone=_with_plus(row.phone),
            email=row.email,
            country=row.country,
            is_blocked=row.is_blocked,
            tags=[TagOut.of(tag) for tag in row.tags],
            last_activity_at=row.last_activity_at,
            created_at=row.created_at,
        )


class IdentityOut(BaseModel):
    """One name by which WhatsApp knows the person."""

    kind: str = Field(examples=["phone"])
    scope: str = Field(examples=[""])
    value: str = Field(examples=["491701234567"])


class ContactDetailOut(ContactOut):
    """Everything that is kept about a person."""

    given_name: str = Field(examples=["Ada Lovelace"], description="As the team wrote it.")
    profile_name: str = Field(examples=["Ada"], description="As they call themselves on WhatsApp.")
    language: str | None = Field(examples=["de"])
    attributes: dict[str, AttributeValue] = Field(examples=[{"city": "Turin"}])
    identities: list[IdentityOut]
    marketing_stopped_at: datetime | None = Field(
        description="Since when they want no marketing: such templates are refused."
    )
    revision: int = Field(description="Send it back with a change.")
    updated_at: datetime
    last_inbound_at: datetime | None

    @classmethod
    def of_detail(cls, detail: ContactDetail) -> "ContactDetailOut":
        return cls(
            id=detail.id,
            name=detail.display_name,
            phone=_with_plus(detail.phone),
            email=detail.email,
            country=detail.country,
            is_blocked=detail.is_blocked,
            tags=[TagOut.of(tag) for tag in detail.tags],
            last_activity_at=detail.last_activity_at,
            created_at=detail.created_at,
            given_name=detail.name,
            profile_name=detail.profile_name,
            language=detail.language,
            attributes=dict(detail.attributes),
            identities=[
                IdentityOut(kind=one.kind, scope=one.scope, value=one.value)
                for one in detail.identities
            ],
            marketing_stopped_at=detail.marketing_stopped_at,
            revision=detail.revision,
            updated_at=detail.updated_at,
            last_inbound_at=detail.last_inbound_at,
        )


class ContactIn(BaseModel):
    """A new person: a name, a number or an e-mail address at least."""

    name: Text = Field("", examples=["Ada Lovelace"])
    phone: Text = Field("", examples=["+49 170 1234567"])
    email: Text = Field("", examples=["ada@example.org"])
    language: Text = Field("", examples=["de"])
    country: Text = Field("", examples=["DE"])
    attributes: dict[str, AttributeValue | None] = Field({}, examples=[{"city": "Turin"}])
    tag_ids: list[UUID] = Field([], max_length=100)

    def new(self) -> NewContact:
        return NewContact(**self.model_dump(exclude={"tag_ids"}), tag_ids=tuple(self.tag_ids))


class ContactChangeIn(BaseModel):
    """What is left out stays; an empty text empties; attributes are merged, null empties one."""

    revision: int = Field(
        description="Of the contact as you read it: 409 if it changed since.", ge=0, le=2**31 - 1
    )
    name: Text | None = Field(None, examples=["Ada King"])
    phone: Text | None = None
    email: Text | None = None
    language: Text | None = None
    country: Text | None = None
    attributes: dict[str, AttributeValue | None] | None = Field(None, examples=[{"city": None}])
    is_blocked: bool | None = Field(
        None, description="Nothing is sent to a blocked contact; what they write still comes in."
    )

    def changes(self) -> ContactChanges:
        given = self.model_dump(exclude={"revision", "is_blocked"}, exclude_none=True)
        names = ("name", "phone", "email", "language", "country", "attributes")
        return ContactChanges(**{name: given.get(name, KEEP) for name in names})


class MergeIn(BaseModel):
    """Who becomes a part of this contact."""

    other_id: UUID
    take: list[str] = Field(
        [],
        max_length=200,
        examples=[["name", "attributes.city"]],
        description="The fields of the other that stay where both say something; else this one's do.",
    )


class ContactTagsIn(BaseModel):
    """Tags to give and to take. Those not named stay as they are."""

    add: list[UUID] = Field([], max_length=100)
    remove: list[UUID] = Field([], max_length=100)


class TimelineItemOut(BaseModel):
    """Something that people did, newest first. Messages are in the conversations."""

    id: UUID
    kind: str = Field(examples=["tagged"])
    actor_name: str = Field(examples=["Ana"])
    text: str = Field(examples=["Ana added the tag “VIP”."])
    is_note: bool
    conversation_id: UUID | None
    occurred_at: datetime

    @classmethod
    def of(cls, item: TimelineItem) -> "TimelineItemOut":
        return cls(**{name: getattr(item, name) for name in cls.model_fields})


Search = Annotated[str, Query(max_length=500, description="Beginnings of words, or of a number.")]
TagIds = Annotated[list[UUID], Query(max_length=20, description="All of these tags.")]


@router.get("")
def contacts(
    ctx: Ctx,
    after: After = None,
    limit: Limit = 50,
    text: Search = "",
    tag_id: TagIds = [],  # noqa: B006 - copied by FastAPI
    is_blocked: bool | None = None,
    sort: Sort = Sort.RECENT,
) -> PageOut[ContactOut]:
    """Contacts: those who last stirred first, or by name. Every filter narrows."""
    wanted = ContactFilter(text, tuple(tag_id), is_blocked)
    page = queries.contacts(ctx, wanted, sort=sort, after=after, limit=limit)
    return PageOut.of(page, ContactOut.of)


@router.post("", status_code=201)
def create(ctx: Ctx, once: Once, body: ContactIn) -> ContactDetailOut:
    """Enter a person. 409 `contact_exists` where the number is another contact's."""
    return once(lambda: _detail(ctx, service.create(ctx, body.new()).id))


@router.get("/export", response_class=FileResponse)
def export(
    ctx: Ctx,
    kind: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
    text: Search = "",
    tag_id: TagIds = [],  # noqa: B006 - copied by FastAPI
    is_blocked: bool | None = None,
) -> FileResponse:
    """All that the filter shows, as CSV or as a spreadsheet. No cell of it can be a formula."""
    wanted = ContactFilter(text, tuple(tag_id), is_blocked)
    return files.written(
        lambda path: queries.export(ctx, path, kind, wanted),
        media_type=MEDIA_TYPES[kind],
        filename=f"contacts-{ctx.now:%Y-%m-%d}.{kind}",
    )


@router.get("/{contact_id}")
def contact(ctx: Ctx, contact_id: UUID) -> ContactDetailOut:
    """One contact. The id of one who was merged answers the one who stayed."""
    return _detail(ctx, contact_id)


@router.patch("/{contact_id}")
def change(ctx: Ctx, contact_id: UUID, body: ContactChangeIn) -> ContactDetailOut:
    """Change a contact. 409 `stale` where someone saved in between."""
    service.edit(ctx, contact_id, body.changes(), revision=body.revision)
    if body.is_blocked is not None:
        (dossier.block if body.is_blocked else dossier.unblock)(ctx, contact_id)
    return _detail(ctx, contact_id)


@router.delete("/{contact_id}", status_code=204)
def erase(ctx: Ctx, contact_id: UUID) -> None:
    """Forget a person for good: names, numbers, messages, files and notes. For owners only."""
    dossier.erase(ctx, contact_id)


@router.post("/{contact_id}/merge")
def merge(ctx: Ctx, contact_id: UUID, body: MergeIn) -> ContactDetailOut:
    """Make another contact a part of this one. Not undone."""
    return _detail(ctx, dossier.merge(ctx, contact_id, body.other_id, take=body.take).id)


@router.post("/{contact_id}/tags")
def change_tags(ctx: Ctx, contact_id: UUID, body: ContactTagsIn) -> ContactDetailOut:
    """Give tags to a contact and take others."""
    chosen = Selection(ids=(queries.contact(ctx, contact_id).id,))
    for tag_id in body.add:
        service.tag_contacts(ctx, tag_id, chosen)
    for tag_id in body.remove:
        service.untag_contacts(ctx, tag_id, chosen)
    return _detail(ctx, contact_id)


@router.get("/{contact_id}/timeline")
def timeline(
    ctx: Ctx, contact_id: UUID, after: After = None, limit: Limit = 50
) -> PageOut[TimelineItemOut]:
    """What people did to the contact and in its conversations."""
    page = dossiers.timeline(ctx, contact_id, after=after, limit=limit)
    return PageOut.of(page, TimelineItemOut.of)


def _detail(ctx: Ctx, contact_id: UUID) -> ContactDetailOut:
    return ContactDetailOut.of_detail(queries.contact(ctx, contact_id))


def _with_plus(digits: str | None) -> str | None:
    return f"+{digits}" if digits else None
