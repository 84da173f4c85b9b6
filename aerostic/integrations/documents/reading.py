"""The text of a document, piece by piece, each with its place: a page, a sheet's row, a heading.

Runs in a process of its own (`isolated.py`), because a document may be made to eat the machine.
"""

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aerostic.core.errors import Refused
from aerostic.integrations.documents.encodings import find_encoding

LARGEST_UNPACKED = 200 * 1024 * 1024
MOST_PAGES = 2_000
MOST_ROWS = 20_000
LONGEST_CELL = 2_000
MOST_CHARACTERS = 5_000_000


class DocumentKind(StrEnum):
    PDF = "pdf"
    WORD = "docx"
    TEXT = "txt"
    MARKDOWN = "md"
    HTML = "html"
    CSV = "csv"
    EXCEL = "xlsx"


class CanNotRead(Refused):
    """Why a document gives no text."""

    code = "can_not_read"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that stands in one place."""

    place: str
    text: str


_ENDINGS = {"markdown": DocumentKind.MARKDOWN, "htm": DocumentKind.HTML, "text": DocumentKind.TEXT}
NAMES = "PDF, Word (.docx), text, Markdown, HTML, CSV and Excel (.xlsx)"


def kind_of(file_name: str, head: bytes) -> DocumentKind:
    """What kind of document this is: by its name, held against its first bytes. Raises CanNotRead."""
    ending = Path(file_name).suffix.removeprefix(".").lower()
    named = _ENDINGS.get(ending) or next((one for one in DocumentKind if one == ending), None)
    if named is None:
        raise CanNotRead(f"A document like “{file_name[:80]}” can not be read. Here fit: {NAMES}.")
    begins = {
        DocumentKind.PDF: b"%PDF",
        DocumentKind.WORD: b"PK\x03\x04",
        DocumentKind.EXCEL: b"PK\x03\x04",
    }
    wanted = begins.get(named)
    if wanted and wanted not in head[:1024]:
        raise CanNotRead(f"The file is called .{ending}, but it holds something else.")
    if wanted is None and b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CanNotRead(f"The file is called .{ending}, but it holds no text.")
    return named


def pieces_of(path: Path, kind: DocumentKind) -> Iterator[Piece]:
    """The pieces with any text in them, in their order. Raises CanNotRead."""
    written = 0
    for piece in _READERS[kind](path):
        text = _tidy(piece.text)
        if not text:
            continue
        written += len(text)
        if written > MOST_CHARACTERS:
            raise CanNotRead("The document holds more than five million characters. Split it.")
        yield Piece(piece.place, text)


_BLANK = re.compile(r"[ \t\u00a0\u200b]+")
_LINES = re.compile(r"\s*\n\s*\n\s*")


def _tidy(text: str) -> str:
    text = "".join(one for one in text if one.isprintable() or one in "\n\t ")
    return _LINES.sub("\n\n", _BLANK.sub(" ", text)).strip()


def _pdf(path: Path) -> Iterator[Piece]:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise CanNotRead("The PDF is locked with a password. Save it without one.")
        if len(reader.pages) > MOST_PAGES:
            raise CanNotRead(
                f"The PDF has {len(reader.pages):,} pages; at most {MOST_PAGES:,} fit."
            )
        for number, page in enumerate(reader.pages, start=1):
            yield Piece(f"page {number}", page.extract_text())
    except (
        PyPdfError,
        ValueError,
        KeyError,
        AttributeError,
        TypeError,
    ) as error:  # of broken files
        raise CanNotRead("The PDF is damaged and can not be read.") from error


def _check_unpacked(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(one.file_size for one in packed.infolist())
    except zipfile.BadZipFile as error:
        raise CanNotRead("The file is damaged and can not be read.") from error
    if size > LARGEST_UNPACKED:
        raise CanNotRead("The file unpacks to more than 200 MB. Split it.")


def _word(path: Path) -> Iterator[Piece]:
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    _check_unpacked(path)
    try:
        document = docx.Document(str(path))
    except (PackageNotFoundError, ValueError, KeyError) as error:
        raise CanNotRead("The Word file is damaged and can not be read.") from error
    place, lines = "", list[str]()
    for part in document.iter_inner_content():
        if isinstance(part, docx.table.Table):
            lines += [" | ".join(cell.text.strip() for cell in row.cells) for row in part.rows]
        elif part.style is not None and str(part.style.name).startswith(("Heading", "Title")):
            yield Piece(place, "\n".join(lines))
            place, lines = _heading(part.text), [part.text]
        else:
            lines.append(part.text)
    yield Piece(place, "\n".join(lines))


def _heading(text: str) -> str:
    return f"“{' '.join(text.split())[:80]}”" if text.strip() else ""


def decoded(path: Path) -> str:
    """A text file in whatever encoding it is. Raises NotText where it is none."""
    encoding = find_encoding(path)
    raw = path.read_bytes()[encoding.skip :]
    return raw.decode(encoding.name, "replace")


def _text(path: Path) -> Iterator[Piece]:
    yield Piece("", decoded(path))


_MARKDOWN_HEADING = re.compile(r"^#{1,6}\s+(.*)$", re.MULTILINE)


def _markdown(path: Path) -> Iterator[Piece]:
    text = decoded(path)
    starts = [*_MARKDOWN_HEADING.finditer(text)]
    yield Piece("", text[: starts[0].start()] if starts else text)
    for at, found in enumerate(starts):
        end = starts[at + 1].start() if at + 1 < len(starts) else len(text)
        yield Piece(_heading(found[1]), f"{found[1]}\n{text[found.end() : end]}")


_NO_TEXT = (
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "nav",
    "header",
    "footer",
    "form",
    "iframe",
)


def _html(path: Path) -> Iterator[Piece]:
    from bs4 import BeautifulSoup

    page = BeautifulSoup(decoded(path), "html.parser")
    for hidden in page(_NO_TEXT):
        hidden.decompose()
    body = page.find("main") or page.find("article") or page.body or page
    place, lines = "", list[str]()
    for part in body.descendants:
        if getattr(part, "name", None) in {"h1", "h2", "h3"}:
            yield Piece(place, "\n".join(lines))
            place, lines = _heading(part.get_text(" ")), []
        elif isinstance(part, str) and part.strip():
            lines.append(" ".join(part.split()))
    yield Piece(place, "\n".join(lines))


def _csv(path: Path) -> Iterator[Piece]:
    lines = decoded(path).splitlines()
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff("\n".join(lines[:20]), ",;\t|")
    except csv.Error:
        dialect = csv.excel
    yield from _rows("", csv.reader(lines, dialect))


def _excel(path: Path) -> Iterator[Piece]:
    from python_calamine import CalamineError, CalamineWorkbook

    _check_unpacked(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            rows = ([str(cell) for cell in row] for row in sheet.iter_rows())
            yield from _rows(f"sheet {name}, ", rows)
    except CalamineError as error:
        raise CanNotRead("The Excel file is damaged and can not be read.") from error


def _rows(sheet: str, rows: Iterable[list[str]]) -> Iterator[Piece]:
    """Each row with its headings, so that it is understood by itself: `Price: 4.50`."""
    headings: list[str] | None = None
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise CanNotRead(f"The table has more than {MOST_ROWS:,} rows. Split it.")
        cells = [cell.strip()[:LONGEST_CELL] for cell in row]
        if not any(cells):
            continue
        if headings is None:
            headings = cells
            continue
        yield Piece(f"{sheet}row {number}", "\n".join(_named(headings, cells)))


def _named(headings: list[str], cells: list[str]) -> Iterator[str]:
    for at, cell in enumerate(cells):
        if cell:
            heading = headings[at] if at < len(headings) else ""
            yield f"{heading}: {cell}" if heading else cell


_READERS = {
    DocumentKind.PDF: _pdf,
    DocumentKind.WORD: _word,
    DocumentKind.TEXT: _text,
    DocumentKind.MARKDOWN: _markdown,
    DocumentKind.HTML: _html,
    DocumentKind.CSV: _csv,
    DocumentKind.EXCEL: _excel,
}
