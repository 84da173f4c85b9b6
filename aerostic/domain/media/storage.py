"""Files on disk, by their content, each tenant's in a folder of its own, which no web server serves.

A file is written beside its place, forced to disk, then moved there in one step: it is whole or not there.
"""

import base64
import errno
import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from aerostic.core.errors import TooLarge, Unavailable
from aerostic.core.ids import new_id
from aerostic.core.settings import settings

HEAD = 4096  # bytes kept to look at what kind of file it is


class NoRoom(Unavailable):
    """The disk is full, or may not be written."""

    code = "no_room"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is on disk now. `key` leads to it; `head` is its beginning."""

    key: str
    size: int
    sha256: str
    head: bytes

    @property
    def sha256_base64(self) -> str:
        """As Meta writes it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


def _anything(_: Stored) -> None:
    return None


def write(
    tenant_id: UUID,
    chunks: Iterable[bytes],
    *,
    at_most: int,
    check: Callable[[Stored], None] = _anything,
) -> Stored:
    """Store a file. Raises TooLarge, NoRoom, and whatever `chunks` or `check`, which sees the whole of it
    before it is moved to its place, raises; then nothing is left behind.
    """
    unfinished = settings().media_root / "unfinished" / str(new_id())
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        stored = _received(tenant_id, unfinished, chunks, at_most)
        check(stored)
        place = path_of(stored.key)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished.replace(place)
        return stored
    except OSError as error:
        raise _explained(error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _received(tenant_id: UUID, unfinished: Path, chunks: Iterable[bytes], at_most: int) -> Stored:
    digest, size, head = hashlib.sha256(), 0, b""
    with unfinished.open("xb") as stream:
        for chunk in chunks:
            size += len(chunk)
            if size > at_most:
                raise TooLarge(f"This file is larger than {in_words(at_most)}.")
            head += chunk[: HEAD - len(head)]
            digest.update(chunk)
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    sha256 = digest.hexdigest()
    return Stored(f"{tenant_id}/{sha256[:2]}/{sha256}", size, sha256, head)


def _explained(error: OSError) -> Exception:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoRoom("The disk is full, so the file could not be stored. Free some space.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return NoRoom("The folder for files may not be written to. Check its permissions.")
    return error


def path_of(key: str) -> Path:
    """Where a stored file lies."""
    return settings().media_root / key


def in_words(size: int) -> str:
    """`5 MB`, `500 KB`."""
    megabytes = size / (1024 * 1024)
    return f"{megabytes:g} MB" if megabytes >= 1 else f"{size // 1024} KB"
