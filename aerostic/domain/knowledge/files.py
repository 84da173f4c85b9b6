"""Documents as they came, on disk: each tenant's in a folder of its own, which no web server serves."""

import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from aerostic.core.errors import TooLarge
from aerostic.core.settings import settings

LARGEST = 25 * 1024 * 1024
HEAD = 4096


def key_of(tenant_id: UUID, document_id: UUID) -> str:
    return f"{tenant_id}/{document_id}"


def path_of(key: str) -> Path:
    return settings().media_root / "knowledge" / key


def write(key: str, chunks: Iterable[bytes]) -> tuple[int, bytes]:
    """Store a document; return its size and its beginning. Raises TooLarge; then nothing is left behind."""
    place = path_of(key)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = place.with_suffix(".unfinished")
    size, head = 0, b""
    try:
        with unfinished.open("wb") as stream:
            for chunk in chunks:
                size += len(chunk)
                if size > LARGEST:
                    raise TooLarge("The document is larger than 25 MB. Split it, then upload.")
                head += chunk[: HEAD - len(head)]
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
    return size, head


def remove(key: str) -> None:
    if key:
        path_of(key).unlink(missing_ok=True)
