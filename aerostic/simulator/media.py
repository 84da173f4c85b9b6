"""Files that travel with messages: kept on disk by id, described in the database."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from aerostic.simulator import ids
from aerostic.simulator.errors import GraphError
from aerostic.simulator.store import Json, Row
from aerostic.simulator.world import World

_MEGABYTE = 1024 * 1024
_DAY = 24 * 3600
#: What a business uploads is kept for thirty days, what a person sends for seven.
KEPT_SECONDS = {"business": 30 * _DAY, "person": 7 * _DAY}
LINK_SECONDS = 5 * 60
_STILL_STICKER_BYTES = 100 * 1024


@dataclass(frozen=True)
class Limit:
    kind: str
    most_bytes: int


LIMITS = {
    "image/jpeg": Limit("image", 5 * _MEGABYTE),
    "image/png": Limit("image", 5 * _MEGABYTE),
    "audio/aac": Limit("audio", 16 * _MEGABYTE),
    "audio/amr": Limit("audio", 16 * _MEGABYTE),
    "audio/mpeg": Limit("audio", 16 * _MEGABYTE),
    "audio/mp4": Limit("audio", 16 * _MEGABYTE),
    "audio/ogg": Limit("audio", 16 * _MEGABYTE),
    "video/mp4": Limit("video", 16 * _MEGABYTE),
    "video/3gp": Limit("video", 16 * _MEGABYTE),
    "video/3gpp": Limit("video", 16 * _MEGABYTE),
    "image/webp": Limit("sticker", 500 * 1024),
    "text/plain": Limit("document", 100 * _MEGABYTE),
    "application/pdf": Limit("document", 100 * _MEGABYTE),
    "application/msword": Limit("document", 100 * _MEGABYTE),
    "application/vnd.ms-excel": Limit("document", 100 * _MEGABYTE),
    "application/vnd.ms-powerpoint": Limit("document", 100 * _MEGABYTE),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Limit(
        "document", 100 * _MEGABYTE
    ),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Limit(
        "document", 100 * _MEGABYTE
    ),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": Limit(
        "document", 100 * _MEGABYTE
    ),
}


def bare_type(mime_type: str) -> str:
    """`audio/ogg; codecs=opus` is `audio/ogg`."""
    return mime_type.partition(";")[0].strip().lower()


def check_upload(mime_type: str, size: int, *, is_animated: bool = False) -> None:
    """Refuse what Meta refuses: types that it does not know, and files over the limit of their type."""
    limit = LIMITS.get(bare_type(mime_type))
    if limit is None:
        raise GraphError(
            100,
            f"Param file must be a file with one of the following types: {', '.join(LIMITS)}. "
            f"Received file of type '{mime_type}'.",
        )
    if size > limit.most_bytes:
        raise GraphError(
            131053,
            f"File of type '{bare_type(mime_type)}' is too large: {size} bytes, at most {limit.most_bytes}.",
        )
    if size > _STILL_STICKER_BYTES and limit.kind == "sticker" and not is_animated:
        raise GraphError(
            131053, f"A sticker that does not move has at most {_STILL_STICKER_BYTES} bytes."
        )
    if size == 0:
        raise GraphError(100, "Param file must not be empty.")


def keep(
    world: World,
    number_id: str,
    content: bytes,
    mime_type: str,
    filename: str | None,
    *,
    origin: str,
) -> Row:
    """Store the bytes and return the row."""
    media_id = ids.digits(16)
    path(world, media_id).write_bytes(content)
    world.store.insert(
        "media",
        id=media_id,
        number_id=number_id,
        origin=origin,
        mime_type=mime_type,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        filename=filename,
        at=world.clock.now(),
    )
    return world.store.all("SELECT * FROM media WHERE id = ?", media_id)[0]


def path(world: World, media_id: str) -> Path:
    return world.config.media_dir / media_id


def find(world: World, media_id: str) -> Row | None:
    """The file's row while Meta would still keep it."""
    row = world.store.one("SELECT * FROM media WHERE id = ?", media_id)
    if row is None or world.clock.now() > row["at"] + KEPT_SECONDS[row["origin"]]:
        return None
    return row


def delete(world: World, media_id: str) -> None:
    world.store.run("DELETE FROM media WHERE id = ?", media_id)
    path(world, media_id).unlink(missing_ok=True)


def inbound_node(world: World, row: Row) -> Json:
    """How a webhook describes a file. Its sha256 is Base64 there, hexadecimal elsewhere."""
    node = {
        "mime_type": row["mime_type"],
        "sha256": base64.b64encode(bytes.fromhex(row["sha256"])).decode(),
        "id": row["id"],
    }
    if world.config.public_base_url:
        node["url"] = link(world, row["id"], world.config.public_base_url)
    return node


def link(world: World, media_id: str, base_url: str) -> str:
    """An address that works for five minutes, with a token."""
    expires = int(world.clock.now()) + LINK_SECONDS
    return (
        f"{base_url.rstrip('/')}/simulator/graph/attachments/"
        f"?mid={media_id}&ext={expires}&hash={_seal(world, media_id, expires)}"
    )


def link_is_valid(world: World, media_id: str, expires: str, seal: str) -> bool:
    if not expires.isascii() or not expires.isdigit() or int(expires) < world.clock.now():
        return False
    return hmac.compare_digest(seal.encode(), _seal(world, media_id, int(expires)).encode())


def _seal(world: World, media_id: str, expires: int) -> str:
    whole = f"{media_id}.{expires}".encode()
    return hmac.new(world.config.app_secret.encode(), whole, hashlib.sha256).hexdigest()[:32]
