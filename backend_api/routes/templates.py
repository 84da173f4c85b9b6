"""Templates over HTTP. `components` are Meta's, as its own API writes them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, ValidationError

from aerostic.core.errors import Invalid
from aerostic.domain.templates import notation, queries, service
from aerostic.domain.templates.definition import Category, Definition, ParameterFormat
from aerostic.domain.templates.gaps import Gap, gaps
from aerostic.domain.templates.models import Template
from aerostic.domain.templates.queries import TemplateDetail, TemplateFilter
from backend_api.deps import Ctx
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1/templates", tags=["Templates"])

EXAMPLE = [
    {
        "type": "BODY",
        "text": "Hi {{1}}, your order {{2}} is ready. Come by whenever you like.",
        "example": {"body_text": [["Ada", "BB-1042"]]},
    },
    {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "On my way"}]},
]
Components = Annotated[list[dict[str, Any]], Field(max_length=10, examples=[EXAMPLE])]
Files = Annotated[
    dict[str, UUID],
    Field(
        max_length=20,
        examples=[{"header": "01a207cb-52da-7362-a44c-550df7b93852"}],
        description="The sample of each media header, by its place: `header`, or `cards.0.header` of a "
        "carousel. Upload files with `POST /media` first; no `header_handle` is needed.",
    ),
]
Lifetime = Annotated[
    int | None, Field(examples=[3600], description="How many seconds Meta may try to deliver it.")
]


class GapOut(BaseModel):
    """A value that a send must bring, under `key` in `variables`."""

    key: str = Field(examples=["body.1"])
    kind: str = Field(examples=["text"])
    example: str = Field(examples=["Ada"])

    @classmethod
    def of(cls, gap: Gap) -> "GapOut":
        return cls(key=gap.key, kind=gap.kind, example=gap.example)


class ProblemOut(BaseModel):
    """Something that Meta would refuse, and where."""

    place: str = Field(examples=["body.examples.1"])
    message: str = Field(examples=["Give an example for {{1}}: Meta reviews the text with it."])


class TemplateOut(BaseModel):
    """One language of a message template. `status`, `category` and `components` are Meta's words.

    A template that was not submitted yet is a `DRAFT`, and its components are those that would be sent.
    """

    id: UUID
    account_id: UUID
    meta_template_id: str = Field(examples=["594425479261596"])
    name: str = Field(examples=["order_ready"])
    language: str = Field(examples=["en_US"])
    category: str = Field(examples=["UTILITY"])
    status: str = Field(examples=["APPROVED"])
    quality: str = Field(examples=["GREEN"])
    parameter_format: str = Field(examples=["POSITIONAL"])
    rejection_reason: str | None = Field(examples=[None])
    note: str = Field(
        examples=["Meta has approved it: it can be sent."],
        description="What Meta last said about it, as a sentence.",
    )
    components: Components
    gaps: list[GapOut]
    has_draft: bool = Field(description="There are changes that were not submitted yet.")
    revision: int = Field(examples=[3], description="Send it back with a change.")
    submitted_at: datetime | None
    synced_at: datetime

    @classmethod
    def of(cls, template: Template) -> "TemplateOut":
        shown = set(cls.model_fields) - {"gaps", "has_draft", "components"}
        return cls(
            **template.model_dump(include=shown),
            components=_components(template),
            gaps=[GapOut.of(gap) for gap in gaps(template)],
            has_draft=template.draft is not None,
        )


def _components(template: Template) -> list[dict[str, Any]]:
    if template.components or template.draft is None:
        return template.components
    return notation.components(Definition.model_validate(template.draft))


class TemplateDetailOut(TemplateOut):
    """One template, with what Meta would refuse about it now and how often it was sent in 30 days."""

    problems: list[ProblemOut]
    uses: int = Field(examples=[120])

    @classmethod
    def about(cls, found: TemplateDetail) -> "TemplateDetailOut":
        return cls(
            **TemplateOut.of(found.template).model_dump(),
            problems=[ProblemOut(place=one.place, message=one.message) for one in found.problems],
            uses=found.uses.recent,
        )


class TemplateIn(BaseModel):
    account_id: UUID
    name: str = Field(max_length=1000, examples=["order_ready"])
    language: str = Field(max_length=20, examples=["en_US"])
    category: Category = Field(examples=["UTILITY"])
    parameter_format: ParameterFormat = ParameterFormat.POSITIONAL
    components: Components
    files: Files = {}
    message_send_ttl_seconds: Lifetime = None


class TemplateChangeIn(BaseModel):
    """The whole contents anew. They wait as a draft until they are submitted."""

    revision: int = Field(examples=[3], description="Of the template that you have read.")
    category: Category = Field(examples=["UTILITY"])
    parameter_format: ParameterFormat = ParameterFormat.POSITIONAL
    components: Components
    files: Files = {}
    message_send_ttl_seconds: Lifetime = None


class DuplicateIn(BaseModel):
    name: str = Field(max_length=1000, examples=["order_ready"])
    language: str = Field(max_length=20, examples=["de"])
    account_id: UUID | None = Field(None, description="Left out: the same account.")


class SyncIn(BaseModel):
    account_id: UUID


class SyncOut(BaseModel):
    """How many templates Meta listed."""

    templates: int = Field(examples=[12])


class DeletedOut(BaseModel):
    """How many languages were deleted."""

    languages: int = Field(examples=[1])


@router.get("")
def templates(
    ctx: Ctx,
    search: Annotated[str, Query(max_length=200, description="In names and texts.")] = "",
    status: Annotated[str, Query(max_length=50, examples=["APPROVED"])] = "",
    category: Annotated[str, Query(max_length=50, examples=["UTILITY"])] = "",
    language: Annotated[str, Query(max_length=20, examples=["en_US"])] = "",
    account_id: UUID | None = None,
    limit: Limit = queries.PAGE,
    after: After = None,
) -> PageOut[TemplateOut]:
    """The templates of the workspace's accounts by name. Deleted ones only with `status=DELETED`."""
    wanted = TemplateFilter(search, status, category, language, account_id)
    return PageOut.of(queries.listed(ctx, wanted, after=after, limit=limit), TemplateOut.of)


@router.post("", status_code=201)
def create_template(ctx: Ctx, body: TemplateIn) -> TemplateOut:
    """Begin a template. It is a draft: nobody at Meta sees it before it is submitted."""
    made = service.create(
        ctx,
        body.account_id,
        name=body.name,
        language=body.language,
        definition=_definition(body),
    )
    return TemplateOut.of(made)


@router.post("/sync")
def sync_templates(ctx: Ctx, body: SyncIn) -> SyncOut:
    """Take over an account's templates from Meta now. A listing that fails changes nothing."""
    return SyncOut(templates=service.sync(ctx, body.account_id))


@router.get("/{template_id}")
def template(ctx: Ctx, template_id: UUID) -> TemplateDetailOut:
    """One template, with what Meta would refuse about it."""
    return TemplateDetailOut.about(queries.detail(ctx, template_id))


@router.patch("/{template_id}")
def change_template(ctx: Ctx, template_id: UUID, body: TemplateChangeIn) -> TemplateOut:
    """Write other contents. Meta keeps what it has until they are submitted."""
    changed = service.write(ctx, template_id, _definition(body), revision=body.revision)
    return TemplateOut.of(changed)


@router.delete("/{template_id}")
def delete_template(
    ctx: Ctx,
    template_id: UUID,
    all_languages: Annotated[bool, Query(description="Every language of its name.")] = False,
) -> DeletedOut:
    """Delete it here and at Meta. The name of one that was approved rests for 30 days."""
    return DeletedOut(languages=service.delete(ctx, template_id, all_languages=all_languages))


@router.post("/{template_id}/submit")
def submit_template(ctx: Ctx, template_id: UUID) -> TemplateOut:
    """Send its draft to Meta's review. What Meta would refuse is said in `errors`, each at its place."""
    return TemplateOut.of(service.submit(ctx, template_id))


@router.post("/{template_id}/duplicate", status_code=201)
def duplicate_template(ctx: Ctx, template_id: UUID, body: DuplicateIn) -> TemplateOut:
    """A draft with the same contents, under another name or in another language."""
    made = service.duplicate(
        ctx, template_id, name=body.name, language=body.language, account_id=body.account_id
    )
    return TemplateOut.of(made)


@router.post("/{template_id}/discard")
def discard_changes(ctx: Ctx, template_id: UUID) -> TemplateOut:
    """Forget the changes that were not submitted."""
    return TemplateOut.of(service.discard(ctx, template_id))


def _definition(body: TemplateIn | TemplateChangeIn) -> Definition:
    """Meta's components as a definition; what the product can not make is refused instead of dropped."""
    if strange := notation.strange_parts(body.components):
        raise Invalid("components", f"These parts can not be made here: {', '.join(strange)}.")
    try:
        return notation.definition(
            body.category,
            body.parameter_format,
            body.components,
            files={place: str(media_id) for place, media_id in body.files.items()},
            ttl_seconds=body.message_send_ttl_seconds,
        )
    except ValidationError:
        raise Invalid("components", "A part of them is far longer than Meta allows.") from None
