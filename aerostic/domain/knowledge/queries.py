"""Knowledge bases as they are looked at, and searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlmodel import col

from aerostic.core.errors import Invalid, NotFound
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.knowledge import searching
from aerostic.domain.knowledge.models import DocumentStatus, KnowledgeBase, KnowledgeDocument
from aerostic.domain.knowledge.searching import Found

LONGEST_QUESTION = 2_000


@dataclass(frozen=True, slots=True)
class BaseView:
    id: UUID
    name: str
    description: str
    documents: int
    passages: int
    unread: int  # on their way
    failed: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentView:
    id: UUID
    base_id: UUID
    name: str
    kind: str
    url: str
    size: int
    status: DocumentStatus
    problem: str
    note: str
    places: int
    passages: int
    embedded: int
    created_at: datetime
    read_at: datetime | None


@requires(Permission.AI_READ)
def bases(ctx: Context) -> list[BaseView]:
    """All of them, by name: a workspace has at most fifty."""
    rows = ctx.session.execute(_bases(ctx).order_by(col(KnowledgeBase.name)))
    return [BaseView(*row) for row in rows]


@requires(Permission.AI_READ)
def base(ctx: Context, base_id: UUID) -> BaseView:
    """One of them. Raises NotFound."""
    row = ctx.session.execute(_bases(ctx).where(col(KnowledgeBase.id) == base_id)).one_or_none()
    if row is None:
        raise NotFound("That knowledge base does not exist.")
    return BaseView(*row)


def _bases(ctx: Context) -> Select[*tuple[Any, ...]]:
    document, status = KnowledgeDocument, col(KnowledgeDocument.status)
    on_its_way = status.in_([DocumentStatus.QUEUED, DocumentStatus.READING])
    return (
        select(
            col(KnowledgeBase.id),
            col(KnowledgeBase.name),
            col(KnowledgeBase.description),
            func.count(col(document.id)),
            func.coalesce(func.sum(col(document.passages)), 0),
            func.count().filter(on_its_way),
            func.count().filter(status == DocumentStatus.FAILED),
            col(KnowledgeBase.created_at),
        )
        .outerjoin(
            document,
            (col(document.tenant_id) == col(KnowledgeBase.tenant_id))
            & (col(document.base_id) == col(KnowledgeBase.id)),
        )
        .where(col(KnowledgeBase.tenant_id) == ctx.tenant_id)
        .group_by(col(KnowledgeBase.tenant_id), col(KnowledgeBase.id))
    )


@requires(Permission.AI_READ)
def documents(
    ctx: Context, base_id: UUID, *, after: Cursor | None = None, limit: int = 50
) -> Page[DocumentView]:
    """The documents of a base, newest first. Raises NotFound."""
    base(ctx, base_id)
    size = page_size(limit)
    wanted = select(KnowledgeDocument).where(
        col(KnowledgeDocument.tenant_id) == ctx.tenant_id,
        col(KnowledgeDocument.base_id) == base_id,
    )
    if after:
        (last,) = read_cursor(after, UUID)
        wanted = wanted.where(col(KnowledgeDocument.id) < last)
    newest = wanted.order_by(col(KnowledgeDocument.id).desc()).limit(size + 1)
    found = [_view(row) for row in ctx.session.scalars(newest)]
    more = len(found) > size
    return Page(found[:size], cursor_of(found[size - 1].id) if more else None)


@requires(Permission.AI_READ)
def document(ctx: Context, document_id: UUID) -> DocumentView:
    row = ctx.get(KnowledgeDocument, document_id)
    if row is None:
        raise NotFound("That document does not exist.")
    return _view(row)


@requires(Permission.AI_READ)
def search(
    ctx: Context,
    base_ids: Sequence[UUID],
    question: str,
    *,
    vector: Sequence[float] | None = None,
    limit: int = 5,
) -> list[Found]:
    """The passages that speak of the question, best first, each with its document and place."""
    if not 1 <= len(question.strip()) <= LONGEST_QUESTION:
        raise Invalid("text", f"A question has 1 to {LONGEST_QUESTION:,} characters.")
    return searching.find(ctx, base_ids, question, vector=vector, limit=max(1, min(limit, 20)))


def _view(row: KnowledgeDocument) -> DocumentView:
    return DocumentView(
        id=row.id,
        base_id=row.base_id,
        name=row.name,
        kind=row.kind,
        url=row.url,
        size=row.size,
        status=DocumentStatus(row.status),
        problem=row.problem,
        note=row.note,
        places=row.places,
        passages=row.passages,
        embedded=row.embedded,
        created_at=row.created_at,
        read_at=row.read_at,
    )
