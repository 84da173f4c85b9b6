"""Tags of contacts over HTTP, and the fields that a workspace keeps about them."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aerostic.domain.contacts import queries, service
from aerostic.domain.contacts.models import AttributeType, ContactAttribute, Tag
from aerostic.domain.contacts.schemas import KEEP, AttributeView, TagView
from backend_api.deps import Ctx
from backend_api.idempotency import Once

router = APIRouter(prefix="/api/v1", tags=["Contacts"])


class TagOut(BaseModel):
    """A mark that contacts can carry."""

    id: UUID
    name: str = Field(examples=["VIP"])
    colour: str = Field(examples=["amber"])

    @classmethod
    def of(cls, tag: Tag | TagView) -> "TagOut":
        return cls(id=tag.id, name=tag.name, colour=tag.colour)


class TagsOut(BaseModel):
    """All of them: a workspace keeps at most a thousand."""

    items: list[TagOut]
    next_cursor: None = None


class TagIn(BaseModel):
    name: str = Field(max_length=1_000, examples=["VIP"])
    colour: str = Field("gray", examples=["amber"], description=", ".join(service.TAG_COLOURS))


class TagChangeIn(BaseModel):
    """What is left out stays."""

    name: str | None = Field(None, max_length=1_000, examples=["VIP"])
    colour: str | None = Field(None, examples=["amber"])


class AttributeOut(BaseModel):
    """A field that the workspace keeps about its contacts; `key` names it in `attributes`."""

    id: UUID
    key: str = Field(examples=["date_of_birth"])
    label: str = Field(examples=["Date of birth"])
    type: AttributeType
    choices: list[str]

    @classmethod
    def of(cls, one: AttributeView | ContactAttribute) -> "AttributeOut":
        return cls(
            id=one.id,
            key=one.key,
            label=one.label,
            type=AttributeType(one.type),
            choices=list(one.choices),
        )


class AttributesOut(BaseModel):
    """All of them: a workspace keeps at most a hundred."""

    items: list[AttributeOut]
    next_cursor: None = None


class AttributeIn(BaseModel):
    label: str = Field(max_length=1_000, examples=["Date of birth"])
    type: AttributeType = AttributeType.TEXT
    choices: list[str] = Field([], max_length=100, description="For the type `choice`.")


@router.get("/tags")
def tags(ctx: Ctx) -> TagsOut:
    """All tags, by name."""
    return TagsOut(items=[TagOut.of(tag) for tag in queries.tags(ctx)])


@router.post("/tags", status_code=201)
def create_tag(ctx: Ctx, once: Once, body: TagIn) -> TagOut:
    """Make a tag."""
    return once(lambda: TagOut.of(service.create_tag(ctx, body.name, colour=body.colour)))


@router.patch("/tags/{tag_id}")
def change_tag(ctx: Ctx, tag_id: UUID, body: TagChangeIn) -> TagOut:
    """Rename or recolour a tag, on every contact that carries it."""
    name = KEEP if body.name is None else body.name
    colour = KEEP if body.colour is None else body.colour
    return TagOut.of(service.change_tag(ctx, tag_id, name=name, colour=colour))


@router.delete("/tags/{tag_id}", status_code=204)
def delete_tag(ctx: Ctx, tag_id: UUID) -> None:
    """Delete a tag and take it from every contact."""
    service.delete_tag(ctx, tag_id)


@router.get("/contact-attributes")
def attributes(ctx: Ctx) -> AttributesOut:
    """The fields that the workspace keeps about its contacts."""
    return AttributesOut(items=[AttributeOut.of(one) for one in queries.attributes(ctx)])


@router.post("/contact-attributes", status_code=201)
def define_attribute(ctx: Ctx, once: Once, body: AttributeIn) -> AttributeOut:
    """Keep a new field. Its key follows from its first label and stays."""
    return once(
        lambda: AttributeOut.of(
            service.define_attribute(ctx, body.label, body.type, choices=body.choices)
        )
    )


@router.delete("/contact-attributes/{attribute_id}", status_code=204)
def delete_attribute(ctx: Ctx, attribute_id: UUID) -> None:
    """Stop keeping a field. The same field made again shows what was stored."""
    service.delete_attribute(ctx, attribute_id)
