"""Pictures, recordings and documents that belong to messages."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from aerostic.core.tenancy import TenantModel, created, moment, new_key


class MediaStatus(StrEnum):
    PENDING = "pending"
    STORED = "stored"
    FAILED = "failed"


class Media(TenantModel, table=True):
    """A file. `storage_key` leads to the bytes; `meta_media_id` to Meta's copy while it lasts."""

    __tablename__ = "media"

    id: UUID = new_key()
    number_id: UUID | None = None
    conversation_id: UUID | None = None
    meta_media_id: str | None = None
    meta_uploaded_at: datetime | None = moment(default=None)
    mime_type: str = ""
    file_name: str = ""
    size: int = 0
    sha256: str = ""
    storage_key: str = ""
    status: str = MediaStatus.PENDING
    problem: str | None = None
    attempts: int = 0
    created_at: datetime = created()
    stored_at: datetime | None = moment(default=None)
