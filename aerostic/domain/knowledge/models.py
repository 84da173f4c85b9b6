"""Knowledge bases, their documents, and the passages that are searched."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, REAL, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field

from aerostic.core.tenancy import TenantModel, belongs_to, created, moment, new_key


class DocumentStatus(StrEnum):
    """`queued` and `reading` are on their way; the other two are ends."""

    QUEUED = "queued"
    READING = "reading"
    READY = "ready"
    FAILED = "failed"


class KnowledgeBase(TenantModel, table=True):
    __tablename__ = "knowledge_bases"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: UUID = new_key()
    name: str
    description: str = ""
    created_at: datetime = created()


class KnowledgeDocument(TenantModel, table=True):
    """A file or a web page. `storage_key` leads to the bytes as they came."""

    __tablename__ = "knowledge_documents"
    __table_args__ = (
        belongs_to("knowledge_bases", "base_id", on_delete="CASCADE"),
        Index("knowledge_documents_of_base", "tenant_id", "base_id", "id"),
    )

    id: UUID = new_key()
    base_id: UUID
    name: str
    kind: str
    url: str = ""  # of a web page: fetched again when it is read again
    storage_key: str = ""
    size: int = 0
    status: str = DocumentStatus.QUEUED
    problem: str = ""  # why it could not be read: a sentence
    note: str = ""  # what a reader should know though it worked
    places: int = 0  # pages, sheets or sections
    passages: int = 0
    embedded: int = 0  # passages that have a vector
    reading: int = 0  # which reading of it this is: an older one that still runs gives up
    interrupted: int = 0  # how often a reading ended without an end
    created_at: datetime = created()
    read_at: datetime | None = moment(default=None)
    created_by: UUID | None = None


class KnowledgePassage(TenantModel, table=True):
    """A piece of a document, small enough to quote, with where it stands.

    No index on `words`: under row security PostgreSQL may not use one for full-text operators, so a
    search reads the passages of its own bases (see docs/decisions/search-under-row-security.md). The
    vector is a plain array, so that the table is the same with and without pgvector.
    """

    __tablename__ = "knowledge_passages"
    __table_args__ = (
        belongs_to("knowledge_documents", "document_id", on_delete="CASCADE"),
        Index("knowledge_passages_of_base", "tenant_id", "base_id"),
        Index("knowledge_passages_of_document", "tenant_id", "document_id", "position"),
    )

    id: UUID = new_key()
    base_id: UUID
    document_id: UUID
    position: int
    place: str = ""  # "page 3", "sheet Prices, row 12"
    text: str
    words: Any = Field(sa_type=TSVECTOR)
    vector: list[float] | None = Field(default=None, sa_type=ARRAY(REAL))
