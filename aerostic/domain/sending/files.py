"""Our files that a message shows, and Meta's copies of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aerostic.domain.sending.rows import Cursor, Place


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours, with Meta's copy of it where there is one that we put there."""

    id: UUID
    storage_key: str
    mime_type: str
    file_name: str
    number_id: UUID | None
    meta_media_id: str | None
    meta_uploaded_at: datetime | None


async def file(cursor: Cursor, tenant_id: UUID, media_id: UUID) -> File | None:
    await cursor.execute(
        "select id, storage_key, mime_type, file_name, number_id, meta_media_id, meta_uploaded_at "
        "from media where tenant_id = %s and id = %s and status = 'stored'",
        (tenant_id, media_id),
    )
    row = await cursor.fetchone()
    return File(*row) if row else None


async def uploaded(
    cursor: Cursor, place: Place, media_id: UUID, meta_media_id: str, *, now: datetime
) -> None:
    tenant_id, number_id = place
    await cursor.execute(
        "update media set meta_media_id = %s, meta_uploaded_at = %s, number_id = %s "
        "where tenant_id = %s and id = %s",
        (meta_media_id, now, number_id, tenant_id, media_id),
    )
