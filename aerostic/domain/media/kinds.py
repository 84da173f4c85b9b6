"""What kind of file it truly is, and how large WhatsApp lets it be (Cloud API, media reference)."""

import mimetypes
from pathlib import PurePath

import puremagic

from aerostic.core.errors import Invalid
from aerostic.domain.media.storage import in_words

KB, MB = 1024, 1024 * 1024

SIZES = {
    "image/jpeg": 5 * MB,
    "image/png": 5 * MB,
    "image/webp": 500 * KB,  # stickers
    "audio/aac": 16 * MB,
    "audio/amr": 16 * MB,
    "audio/mpeg": 16 * MB,
    "audio/mp4": 16 * MB,
    "audio/ogg": 16 * MB,
    "video/mp4": 16 * MB,
    "video/3gpp": 16 * MB,
}
DOCUMENT_SIZE = 100 * MB
LARGEST = 100 * MB
UNKNOWN = "application/octet-stream"

# Shown inside a page; anything else is only ever offered for download.
SHOWN = frozenset({*SIZES, "image/gif", "audio/webm", "audio/x-m4a", "video/webm"})
_OTHER_NAMES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/opus": "audio/ogg",
    "application/ogg": "audio/ogg",
    "video/ogg": "audio/ogg",
    "video/3gp": "video/3gpp",
    "video/quicktime": "video/mp4",
}


def bare(mime_type: str) -> str:
    """Without parameters, in small letters, under its usual name."""
    plain = mime_type.partition(";")[0].strip().lower()
    return _OTHER_NAMES.get(plain, plain)


def of_content(head: bytes) -> list[str]:
    """What the first bytes look like, likeliest first; several where formats begin alike."""
    try:
        return [bare(one.mime_type) for one in puremagic.magic_string(head) if one.mime_type]
    except puremagic.PureError:  # nothing that it knows
        return []
    except ValueError:  # an empty file
        return []


def settle(declared: str, head: bytes) -> str:
    """The type under which a file is kept: as declared where the bytes may be that, else what they are.

    What claims to be a picture, a sound or a film and is none is kept as bytes of no type.
    """
    told, found = bare(declared), of_content(head)
    if told in found or (told and not _is_media(told) and not _looks_active(head)):
        return declared.strip().lower()
    family = told.partition("/")[0]
    same = [one for one in found if one.partition("/")[0] == family or _is_twin(told, one)]
    if same:
        return told if _is_twin(told, same[0]) else same[0]
    return found[0] if found and not _looks_active(head) else UNKNOWN


def _is_media(mime_type: str) -> bool:
    return mime_type.partition("/")[0] in {"image", "audio", "video"}


def _is_twin(one: str, other: str) -> bool:
    """MP4 and Ogg hold sound or film, and begin alike."""
    return {one, other} in ({"audio/mp4", "video/mp4"}, {"audio/ogg", "video/ogg"})


def _looks_active(head: bytes) -> bool:
    """Something that a browser might run."""
    start = head[:1024].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html", b"<svg", b"<script", b"<?xml"))


def check(mime_type: str, size: int) -> None:
    """Refuse what WhatsApp would refuse later."""
    if size == 0:
        raise Invalid("file", "This file is empty.")
    most = SIZES.get(bare(mime_type), DOCUMENT_SIZE)
    if size > most:
        raise Invalid("file", f"WhatsApp takes at most {in_words(most)} of this kind of file.")


def safe_name(file_name: str, mime_type: str) -> str:
    """A plain name without folders or control characters, with an ending."""
    name = PurePath(file_name.replace("\\", "/")).name
    name = "".join(one for one in name if one.isprintable() and one not in '"<>|:*?').strip(". ")[
        -120:
    ]
    return name or f"file{mimetypes.guess_extension(bare(mime_type)) or ''}"
