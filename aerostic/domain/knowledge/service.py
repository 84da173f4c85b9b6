"""Knowledge bases: make them, put documents in, read them again, take them out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlmodel import col

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, requires
from aerostic.core.queue import QueueName
from aerostic.core.tenancy import Context
from aerostic.domain.knowledge import files
from aerostic.domain.knowledge.cutting import Passage
from aerostic.domain.knowledge.likeness import words
from aerostic.domain.knowledge.models import (
    DocumentStatus,
    KnowledgeBase,
    KnowledgeDocument,
    KnowledgePassage,
)
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit
from aerostic.domain.usage.models import UsageKind
from aerostic.domain.usage.recording import record
from aerostic.integrations.documents.reading import DocumentKind, kind_of

MOST_BASES = 50
MOST_DOCUMENTS = 500  # of one base
MOST_INTERRUPTIONS = 2
LONGEST_NAME = 120


@requires(Permission.AI_MANAGE)
def create_base(ctx: Context, name: str, description: str = "") -> KnowledgeBase:
    """Make an empty base. Raises Conflict where the name is taken."""
    held = ctx.session.scalar(select(func.count()).select_from(KnowledgeBase)) or 0
    if held >= MOST_BASES:
        raise Refused(f"A workspace has at most {MOST_BASES} knowledge bases.")
    base = KnowledgeBase(name=_name(name), description=description.strip()[:500])
    ctx.session.add(base)
    ctx.write_unless_taken(Conflict("There is a knowledge base of that name already."))
    ctx.announce("knowledge", base.id)
    return base


@requires(Permission.AI_MANAGE)
def change_base(ctx: Context, base_id: UUID, *, name: str, description: str) -> KnowledgeBase:
    base = _the_base(ctx, base_id)
    base.name, base.description = _name(name), description.strip()[:500]
    ctx.write_unless_taken(Conflict("There is a knowledge base of that name already."))
    ctx.announce("knowledge", base.id)
    return base


@requires(Permission.AI_MANAGE)
def delete_base(ctx: Context, base_id: UUID) -> None:
    """Delete a base with all its documents. Agents that answered from it go on without."""
    base = _the_base(ctx, base_id)
    held = col(KnowledgeDocument.base_id) == base.id
    for document in ctx.session.scalars(select(KnowledgeDocument).where(held)):
        _remove(ctx, document)
    ctx.session.flush()
    ctx.session.delete(base)
    ctx.announce("knowledge", base_id)


@requires(Permission.AI_MANAGE)
def add_document(
    ctx: Context, base_id: UUID, file_name: str, chunks: Iterable[bytes]
) -> KnowledgeDocument:
    """Take a document in; a worker reads it. Raises CanNotRead or TooLarge for what it never could."""
    base = _base_with_room(ctx, base_id)
    name = " ".join(file_name.replace("\\", "/").rpartition("/")[2].split())[:LONGEST_NAME]
    document = KnowledgeDocument(
        base_id=base.id, name=name or "document", kind="", created_by=ctx.actor.user_id
    )
    document.storage_key = files.key_of(ctx.tenant_id, document.id)
    document.size, head = files.write(document.storage_key, chunks)
    try:
        document.kind = kind_of(name, head)
        if not document.size:
            raise Invalid("file", "This file is empty.")
        plans.check(ctx, Limit.STORAGE, adding=document.size)
    except Refused:
        files.remove(document.storage_key)
        raise
    _note_storage(ctx, document, document.size)
    return _ask_to_read(ctx, document)


@requires(Permission.AI_MANAGE)
def add_page(ctx: Context, base_id: UUID, url: str) -> KnowledgeDocument:
    """Take a web page in; a worker fetches and reads it. Private addresses are refused when it does."""
    base = _base_with_room(ctx, base_id)
    address = url.strip()
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(address) > 2_000:
        raise Invalid("url", "This is no web address. It begins with https://.")
    document = KnowledgeDocument(
        base_id=base.id,
        name=f"{parts.hostname}{parts.path}".rstrip("/")[:LONGEST_NAME],
        kind=DocumentKind.HTML,
        url=address,
        created_by=ctx.actor.user_id,
    )
    document.storage_key = files.key_of(ctx.tenant_id, document.id)
    return _ask_to_read(ctx, document)


@requires(Permission.AI_MANAGE)
def read_again(ctx: Context, document_id: UUID) -> KnowledgeDocument:
    """Read a document anew; a web page is fetched again. What was known of it stays until then."""
    document = _the_document(ctx, document_id, for_update=True)
    document.interrupted = 0
    return _ask_to_read(ctx, document)


@requires(Permission.AI_MANAGE)
def delete_document(ctx: Context, document_id: UUID) -> None:
    document = _the_document(ctx, document_id, for_update=True)
    _remove(ctx, document)
    ctx.announce("knowledge", document.base_id)


def _ask_to_read(ctx: Context, document: KnowledgeDocument) -> KnowledgeDocument:
    document.status, document.problem = DocumentStatus.QUEUED, ""
    ctx.session.add(document)
    ctx.session.flush()
    due_work.put(ctx, WorkKind.KNOWLEDGE, document.id, due_at=ctx.now)
    ctx.enqueue("workers.jobs.knowledge.read", queue_name=QueueName.IMPORTS)
    ctx.announce("knowledge", document.base_id)
    return document


def _remove(ctx: Context, document: KnowledgeDocument) -> None:
    due_work.settle(ctx, WorkKind.KNOWLEDGE, document.id)
    if document.size:
        _note_storage(ctx, document, -document.size)
    ctx.session.delete(document)
    files.remove(document.storage_key)


def _note_storage(ctx: Context, document: KnowledgeDocument, size: int) -> None:
    record(ctx, UsageKind.DOCUMENT_STORAGE, size, ref=document.id, file_kind=str(document.kind))


# What a worker does


@dataclass(frozen=True, slots=True)
class ToRead:
    """A document as a worker finds it. `reading` must be told again at the end."""

    document_id: UUID
    reading: int
    name: str
    kind: DocumentKind
    url: str
    storage_key: str


@requires(Permission.AI_MANAGE)
def begin_reading(ctx: Context, document_id: UUID) -> ToRead | None:
    """What to read; None where there is nothing to do, or it has ended a worker too often."""
    document = ctx.get(KnowledgeDocument, document_id, for_update=True)
    if document is None or document.status in {DocumentStatus.READY, DocumentStatus.FAILED}:
        due_work.settle(ctx, WorkKind.KNOWLEDGE, document_id)
        return None
    if document.status == DocumentStatus.READING:
        document.interrupted += 1
    if document.interrupted > MOST_INTERRUPTIONS:
        _end(ctx, document, "Reading it was interrupted three times. Split the document.")
        return None
    document.status, document.reading = DocumentStatus.READING, document.reading + 1
    ctx.announce("knowledge", document.base_id)
    kind = DocumentKind(document.kind)
    return ToRead(
        document.id, document.reading, document.name, kind, document.url, document.storage_key
    )


@requires(Permission.AI_MANAGE)
def finish_reading(
    ctx: Context,
    work: ToRead,
    passages: Sequence[Passage],
    vectors: Sequence[list[float]],
    *,
    places: int,
    size: int,
    kind: DocumentKind,
    note: str = "",
) -> bool:
    """Put the passages in the place of older ones; False where another reading has begun meanwhile."""
    document = _still_read_by(ctx, work)
    if document is None:
        return False
    if document.size != size:
        _note_storage(ctx, document, size - document.size)
    old = col(KnowledgePassage.document_id) == document.id
    ctx.session.execute(delete(KnowledgePassage).where(old))
    _insert(ctx, document, passages, vectors)
    document.passages, document.embedded, document.places = len(passages), len(vectors), places
    document.size, document.kind, document.note = size, kind, note
    document.read_at = ctx.now
    _end(ctx, document)
    return True


@requires(Permission.AI_MANAGE)
def fail_reading(ctx: Context, work: ToRead, sentence: str) -> None:
    """It could not be read, for a reason that another try would not change."""
    document = _still_read_by(ctx, work)
    if document is not None:
        _end(ctx, document, sentence)


def _still_read_by(ctx: Context, work: ToRead) -> KnowledgeDocument | None:
    document = ctx.get(KnowledgeDocument, work.document_id, for_update=True)
    is_ours = document is not None and document.reading == work.reading
    return document if is_ours else None


def _insert(
    ctx: Context,
    document: KnowledgeDocument,
    passages: Sequence[Passage],
    vectors: Sequence[list[float]],
) -> None:
    rows = [
        {
            "tenant_id": ctx.tenant_id,
            "id": new_id(),
            "base_id": document.base_id,
            "document_id": document.id,
            "position": at,
            "place": one.place,
            "text": one.text,
            "words": func.to_tsvector("simple", " ".join(words(one.text))),
            "vector": vectors[at] if vectors else None,
        }
        for at, one in enumerate(passages)
    ]
    for at in range(0, len(rows), 200):
        ctx.session.execute(insert(KnowledgePassage).values(rows[at : at + 200]))


def _end(ctx: Context, document: KnowledgeDocument, problem: str = "") -> None:
    document.status = DocumentStatus.FAILED if problem else DocumentStatus.READY
    document.problem, document.interrupted = problem, 0
    due_work.settle(ctx, WorkKind.KNOWLEDGE, document.id)
    ctx.announce("knowledge", document.base_id)


def _name(name: str) -> str:
    plain = " ".join(name.split())
    if not 1 <= len(plain) <= LONGEST_NAME:
        raise Invalid("name", f"A name has 1 to {LONGEST_NAME} characters.")
    return plain


def _base_with_room(ctx: Context, base_id: UUID) -> KnowledgeBase:
    base = _the_base(ctx, base_id)
    held = select(func.count()).where(col(KnowledgeDocument.base_id) == base.id)
    if (ctx.session.scalar(held) or 0) >= MOST_DOCUMENTS:
        raise Refused(f"A knowledge base holds at most {MOST_DOCUMENTS} documents.")
    return base


def _the_base(ctx: Context, base_id: UUID) -> KnowledgeBase:
    base = ctx.get(KnowledgeBase, base_id)
    if base is None:
        raise NotFound("That knowledge base does not exist.")
    return base


def _the_document(
    ctx: Context, document_id: UUID, *, for_update: bool = False
) -> KnowledgeDocument:
    document = ctx.get(KnowledgeDocument, document_id, for_update=for_update)
    if document is None:
        raise NotFound("That document does not exist.")
    return document
