"""Knowledge over HTTP: bases, their documents, and a search that names its places."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, UploadFile
from pydantic import BaseModel, Field

from aerostic.core.errors import TooLarge
from aerostic.domain.knowledge import embedding, queries, service
from aerostic.domain.knowledge.files import LARGEST
from aerostic.domain.knowledge.models import DocumentStatus
from aerostic.domain.knowledge.queries import BaseView, DocumentView
from aerostic.domain.knowledge.searching import Found
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1/knowledge", tags=["Knowledge"])

CHUNK = 256 * 1024
ROOM_FOR_THE_FORM = 64 * 1024


class BaseOut(BaseModel):
    """A knowledge base, with how many documents are on their way or could not be read."""

    id: UUID
    name: str = Field(examples=["Shop"])
    description: str
    documents: int
    passages: int
    unread: int
    failed: int
    created_at: datetime

    @classmethod
    def of(cls, view: BaseView) -> "BaseOut":
        return cls(**{name: getattr(view, name) for name in cls.model_fields})


class BasesOut(BaseModel):
    """All of them: a workspace has at most fifty."""

    items: list[BaseOut]
    next_cursor: None = None


class BaseIn(BaseModel):
    name: str = Field(max_length=1_000, examples=["Shop"])
    description: str = Field("", max_length=2_000)


class DocumentOut(BaseModel):
    """A document and how far it has come. `problem` says why it could not be read."""

    id: UUID
    base_id: UUID
    name: str = Field(examples=["opening-hours.pdf"])
    kind: str = Field(examples=["pdf"])
    url: str
    size: int
    status: DocumentStatus
    problem: str
    note: str
    places: int = Field(description="Pages, rows or sections.")
    passages: int
    embedded: int = Field(description="Passages that are found by their meaning as well.")
    created_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, view: DocumentView) -> "DocumentOut":
        return cls(**{name: getattr(view, name) for name in cls.model_fields})


class PageIn(BaseModel):
    url: str = Field(max_length=4_000, examples=["https://example.com/opening-hours"])


class SearchIn(BaseModel):
    text: str = Field(max_length=4_000, examples=["When are you open on Sundays?"])
    limit: int = Field(5, ge=1, le=20)


class FoundOut(BaseModel):
    """A passage and where it stands. `score`: how much of the question its words speak of, 0 to 1."""

    document_id: UUID
    document: str
    url: str
    place: str = Field(examples=["page 3"])
    text: str
    score: float

    @classmethod
    def of(cls, found: Found) -> "FoundOut":
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class SearchOut(BaseModel):
    items: list[FoundOut]
    next_cursor: None = None


@router.get("")
def bases(ctx: Ctx) -> BasesOut:
    """All knowledge bases, by name."""
    return BasesOut(items=[BaseOut.of(one) for one in queries.bases(ctx)])


@router.post("", status_code=201)
def create_base(ctx: Ctx, once: Once, body: BaseIn) -> BaseOut:
    """Make an empty knowledge base."""
    return once(lambda: _shown(ctx, service.create_base(ctx, body.name, body.description).id))


@router.get("/{base_id}")
def base(ctx: Ctx, base_id: UUID) -> BaseOut:
    """One knowledge base."""
    return _shown(ctx, base_id)


@router.put("/{base_id}")
def change_base(ctx: Ctx, base_id: UUID, body: BaseIn) -> BaseOut:
    """Rename or describe a knowledge base."""
    service.change_base(ctx, base_id, name=body.name, description=body.description)
    return _shown(ctx, base_id)


@router.delete("/{base_id}", status_code=204)
def delete_base(ctx: Ctx, base_id: UUID) -> None:
    """Delete a knowledge base with all its documents."""
    service.delete_base(ctx, base_id)


@router.get("/{base_id}/documents")
def documents(
    ctx: Ctx, base_id: UUID, after: After = None, limit: Limit = 50
) -> PageOut[DocumentOut]:
    """The documents of a base, newest first."""
    return PageOut.of(queries.documents(ctx, base_id, after=after, limit=limit), DocumentOut.of)


@router.post("/{base_id}/documents", status_code=201)
def upload(ctx: Ctx, once: Once, request: Request, base_id: UUID, file: UploadFile) -> DocumentOut:
    """Upload a PDF, Word, text, Markdown, HTML, CSV or Excel file of at most 25 MB. A worker reads it."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > LARGEST + ROOM_FOR_THE_FORM:
        raise TooLarge("The document is larger than 25 MB. Split it, then upload.")
    return once(lambda: _added(ctx, base_id, file))


@router.post("/{base_id}/pages", status_code=201)
def add_page(ctx: Ctx, once: Once, base_id: UUID, body: PageIn) -> DocumentOut:
    """Take in a public web page by its address. A worker fetches and reads it."""
    return once(lambda: _document(ctx, service.add_page(ctx, base_id, body.url).id))


@router.post("/{base_id}/search")
def search(ctx: Ctx, base_id: UUID, body: SearchIn) -> SearchOut:
    """The passages that speak of a question, best first, each with its document and place."""
    queries.base(ctx, base_id)
    ctx.release()  # nothing is held open while Gemini is asked
    vector = embedding.vector_now(body.text)
    found = queries.search(ctx, [base_id], body.text, vector=vector, limit=body.limit)
    return SearchOut(items=[FoundOut.of(one) for one in found])


@router.get("/documents/{document_id}")
def document(ctx: Ctx, document_id: UUID) -> DocumentOut:
    """One document and how far it has come."""
    return _document(ctx, document_id)


@router.post("/documents/{document_id}/read")
def read_again(ctx: Ctx, document_id: UUID) -> DocumentOut:
    """Read a document again; a web page is fetched anew. What was known of it stays until then."""
    return _document(ctx, service.read_again(ctx, document_id).id)


@router.delete("/documents/{document_id}", status_code=204)
def delete_document(ctx: Ctx, document_id: UUID) -> None:
    """Delete a document. Agents no longer answer from it."""
    service.delete_document(ctx, document_id)


def _chunks(file: UploadFile) -> Iterator[bytes]:
    while chunk := file.file.read(CHUNK):
        yield chunk


def _added(ctx: Ctx, base_id: UUID, file: UploadFile) -> DocumentOut:
    made = service.add_document(ctx, base_id, file.filename or "", _chunks(file))
    return _document(ctx, made.id)


def _document(ctx: Ctx, document_id: UUID) -> DocumentOut:
    return DocumentOut.of(queries.document(ctx, document_id))


def _shown(ctx: Ctx, base_id: UUID) -> BaseOut:
    return BaseOut.of(queries.base(ctx, base_id))
