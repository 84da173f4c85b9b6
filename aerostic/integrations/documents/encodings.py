"""In which encoding a text file is, by its bytes."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from aerostic.core.errors import Refused

SAMPLE = 256 * 1024

_HIGH = re.compile(rb"[\x80-\xff]+")
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class NotText(Refused):
    """The file holds no text."""

    code = "not_text"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a file. `skip` is the length of its byte order mark."""

    name: str
    spoken: str
    skip: int = 0
    errors: str = "strict"


def find_encoding(path: Path) -> Encoding:
    """The encoding by what the bytes are: a mark alone proves nothing, some programs put one on Latin-1."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return Encoding("utf-16", "UTF-16")
        wide = _wide_without_mark(head)
        if wide:
            return Encoding(wide, "UTF-16")
        if b"\x00" in head:
            raise NotText(
                "This is not a list of text. Save it as CSV or as .xlsx, then upload that."
            )
        skip = 3 if head.startswith(codecs.BOM_UTF8) else 0
        file.seek(skip)
        return _narrow_encoding(file, skip)


def _wide_without_mark(head: bytes) -> str | None:
    """Text in UTF-16 has a zero in every other place."""
    half = max(1, len(head) // 2)
    if head[1::2].count(0) > 0.4 * half and head[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if head[0::2].count(0) > 0.4 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _narrow_encoding(file: IO[bytes], skip: int) -> Encoding:
    decoder = codecs.getincrementaldecoder("utf-8")()
    high = utf8 = 0
    seen: set[int] = set()
    is_utf8 = True
    for chunk in iter(lambda: file.read(1 << 20), b""):
        runs = _HIGH.findall(chunk)
        high += sum(map(len, runs))
        utf8 += sum(len(found) for run in runs for found in _UTF8.findall(run))
        seen.update(*runs)
        if is_utf8:
            is_utf8 = _decodes(decoder, chunk)
    if is_utf8 and _decodes(decoder, b"", final=True):
        return Encoding("utf-8", "UTF-8", skip)
    if utf8 > 0.95 * high:  # a few bytes were damaged on the way
        return Encoding("utf-8", "UTF-8, slightly damaged", skip, errors="replace")
    is_windows = any(0x80 <= byte <= 0x9F for byte in seen)
    if is_windows and not seen & {0x81, 0x8D, 0x8F, 0x90, 0x9D}:
        return Encoding("cp1252", "Windows-1252", skip)
    return Encoding("latin-1", "Latin-1", skip)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True
