"""`multipart/form-data` (RFC 7578), as browsers and form services post it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

MOST_PARTS = 1_000


class NoForm(ValueError):
    """The body is not what its content type says."""


@dataclass(slots=True)
class _Part:
    headers: dict[str, bytes] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)


def pairs(content_type: str, body: bytes) -> Iterator[tuple[str, Any]]:
    """The fields by name, in their order. Of a file only what it is: its content is not kept.

    Raises NoForm.
    """
    _, options = parse_options_header(content_type)
    for part in _parts(options.get(b"boundary", b""), body):
        place, about = parse_options_header(part.headers.get("content-disposition", b""))
        if place != b"form-data" or b"name" not in about:
            raise NoForm
        yield _text(about[b"name"]), _value(part, about)


def _value(part: _Part, about: dict[bytes, bytes]) -> Any:
    if b"filename" not in about:
        return _text(bytes(part.content))
    return {
        "file_name": _text(about[b"filename"]),
        "content_type": _text(part.headers.get("content-type", b"text/plain")),
        "size": len(part.content),
    }


def _parts(boundary: bytes, body: bytes) -> list[_Part]:
    if not boundary:
        raise NoForm
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        parser.write(body)
    except FormParserError as error:
        raise NoForm from error
    if not reader.is_whole:
        raise NoForm
    return reader.parts


class _Reader:
    """Gathers what the parser comes by."""

    def __init__(self) -> None:
        self.parts: list[_Part] = []
        self.is_whole = False
        self._name, self._value = b"", b""

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._take_name,
            "on_header_value": self._take_value,
            "on_header_end": self._end_header,
            "on_part_data": self._take_content,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) == MOST_PARTS:
            raise NoForm
        self.parts.append(_Part())

    def _take_name(self, text: bytes, start: int, end: int) -> None:
        self._name += text[start:end]

    def _take_value(self, text: bytes, start: int, end: int) -> None:
        self._value += text[start:end]

    def _end_header(self) -> None:
        self.parts[-1].headers[self._name.decode("latin-1").lower()] = self._value
        self._name, self._value = b"", b""

    def _take_content(self, text: bytes, start: int, end: int) -> None:
        self.parts[-1].content += text[start:end]

    def _end(self) -> None:
        self.is_whole = True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
