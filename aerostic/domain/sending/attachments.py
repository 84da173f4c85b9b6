"""Meta's copies of our files: put there when a message needs one, once for many messages."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from aerostic.core import clock
from aerostic.core.lanes import LanePool
from aerostic.core.tenancy import lane_transaction
from aerostic.domain.media import storage
from aerostic.domain.sending import files
from aerostic.domain.sending.files import File
from aerostic.domain.sending.outcomes import Fate, Item, Outcome, outcome_of
from aerostic.domain.sending.rows import Place
from aerostic.integrations.meta.client import Access, GraphClient, NeverLeft, Refused, Uploaded
from aerostic.integrations.meta.errors import FILE_LOST, failure

FRESH = timedelta(days=29)  # Meta keeps a file for 30 days
LOST = "file_lost"


@dataclass(slots=True)
class Attachments:
    """The files of one number's messages."""

    place: Place
    pool: LanePool
    client: GraphClient
    _locks: dict[UUID, asyncio.Lock] = field(default_factory=dict)

    async def of(self, item: Item, access: Access) -> dict[UUID, str] | Outcome:
        """Meta's ids of the files that a message shows, or what becomes of it without them."""
        found: dict[UUID, str] = {}
        for media_id in sorted(item.files):
            async with self._locks.setdefault(media_id, asyncio.Lock()):
                answer = await self._one(media_id, access)
            if not isinstance(answer, str):
                return self._without(item, answer)
            found[media_id] = answer
        return found

    async def _one(self, media_id: UUID, access: Access) -> str | Refused | NeverLeft | None:
        async with lane_transaction(self.pool, tenant_id=self.place[0]) as cursor:
            file = await files.file(cursor, self.place[0], media_id)
        if file is None or not storage.path_of(file.storage_key).is_file():
            return None
        if kept := self._kept(file):
            return kept
        answer = await self.client.upload(
            access, storage.path_of(file.storage_key), file.mime_type, file.file_name
        )
        if isinstance(answer, Uploaded):
            async with lane_transaction(self.pool, tenant_id=self.place[0]) as cursor:
                await files.uploaded(
                    cursor, self.place, media_id, answer.meta_media_id, now=clock.now()
                )
            return answer.meta_media_id
        return answer

    def _kept(self, file: File) -> str | None:
        """Meta's copy, if this number put it there and Meta still has it."""
        if file.number_id != self.place[1] or file.meta_uploaded_at is None:
            return None
        return file.meta_media_id if clock.now() - file.meta_uploaded_at < FRESH else None

    def _without(self, item: Item, answer: Refused | NeverLeft | None) -> Outcome:
        if answer is None:
            return Outcome(item, Fate.FAILED, failure=failure(LOST, FILE_LOST), rule=FILE_LOST)
        return outcome_of(item, answer, now=clock.now(), jitter=0.0)
