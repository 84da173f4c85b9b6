"""What people call "a list of contacts": CSV in whatever encoding, or a spreadsheet.

The kind is taken from the bytes, never from the name. Everything is bounded: size, unpacked size, rows,
columns and the length of a cell.
"""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aerostic.core.errors import Refused, TooLarge
from aerostic.domain.contacts import fields, phones
from aerostic.domain.imports import spreadsheet
from aerostic.domain.imports.files import SourceRow
from aerostic.domain.imports.spreadsheet import MOST_COLUMNS
from aerostic.integrations.documents.encodings import SAMPLE, Encoding, NotText, find_encoding

LARGEST_FILE = 50 * 1024 * 1024
LARGEST_UNPACKED = 400 * 1024 * 1024
MOST_CELLS = 20_000_000
MOST_ROWS = 1_000_000
LONGEST_CELL = 5_000

_KNOWN_OTHERS = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)",
    b"\x1f\x8b": "a compressed file",
    b"Rar!": "a compressed file",
    b"7z\xbc\xaf": "a compressed file",
}
_CELL_REFERENCE = re.compile(rb'<c[^<>]{0,100}?\sr="([A-Z]{1,3})(\d{1,7})"')

csv.field_size_limit(LARGEST_FILE)


class NotATable(Refused):
    """The file holds no rows that can be read."""

    code = "not_a_table"


@dataclass(frozen=True, slots=True)
class Table:
    """A file opened for reading: its columns by name, and its rows still on disk."""

    columns: list[str]
    rows: Iterable[SourceRow]
    kind: str  # "CSV" or "Excel"
    encoding: str  # in words for people; empty for a spreadsheet


def open_table(path: Path) -> Table:
    """Find out what the file is and read it. Raises NotATable and TooLarge with the reason."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise TooLarge(
            f"The file is larger than {LARGEST_FILE // 2**20} MB. Split it, then upload."
        )
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \r\n\t"):
        raise NotATable("The file is empty.")
    if head.startswith(b"PK\x03\x04"):
        return _table(_spreadsheet_rows(path), "Excel", "")
    for magic, what in _KNOWN_OTHERS.items():
        if head.startswith(magic):
            raise NotATable(f"This is {what}. Save the list as CSV or as .xlsx, then upload that.")
    try:
        encoding = find_encoding(path)
    except NotText as error:
        raise NotATable(error.message) from error
    return _table(_csv_rows(path, encoding), "CSV", encoding.spoken)


def _table(rows: Iterator[tuple[int, list[str]]], kind: str, encoding: str) -> Table:
    """Take the first row that is not empty as the headings, unless it looks like a person."""
    first = next(rows, None)
    if first is None:
        raise NotATable("The file has no rows.")
    number, cells = first
    if len(cells) > MOST_COLUMNS:
        raise NotATable(f"The file has {len(cells):,} columns; at most {MOST_COLUMNS} fit.")
    if _is_a_person(cells):
        columns = [f"Column {index}" for index in range(1, len(cells) + 1)]
        return Table(columns, _source_rows(_again(number, cells, rows), len(cells)), kind, encoding)
    columns = [
        fields.clean(cell[:100]) or f"Column {index}" for index, cell in enumerate(cells, start=1)
    ]
    return Table(columns, _source_rows(rows, len(cells)), kind, encoding)


def _again(
    number: int, cells: list[str], rest: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield number, cells
    yield from rest


def _is_a_person(cells: list[str]) -> bool:
    return any(phones.looks_like_one(cell) or "@" in cell[:300].strip(" @") for cell in cells)


def _source_rows(rows: Iterable[tuple[int, list[str]]], width: int) -> Iterator[SourceRow]:
    for count, (number, cells) in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise TooLarge(f"The file has more than {MOST_ROWS:,} rows. Split it, then upload.")
        yield _source_row(number, cells, width)


def _source_row(number: int, cells: list[str], width: int) -> SourceRow:
    longest = max(len(cell) for cell in cells)
    cells = [fields.clean(cell[:LONGEST_CELL]) for cell in cells[: width + 1]]
    if longest > LONGEST_CELL:
        problem = (
            f"A cell holds {longest:,} characters; at most {LONGEST_CELL:,} fit. "
            "A quotation mark may be missing its partner."
        )
        return SourceRow(number, [cell[:200] for cell in cells], problem)
    if len(cells) > width and cells[width]:
        problem = "The row has more cells than the line of headings."
        return SourceRow(number, cells, problem)
    return SourceRow(number, cells[:width] + [""] * (width - len(cells)))


# CSV --------------------------------------------------------------------------------------------


def _csv_rows(path: Path, encoding: Encoding) -> Iterator[tuple[int, list[str]]]:
    with path.open("rb") as raw:
        raw.seek(encoding.skip)
        delimiter, hint_lines = _delimiter(_decode_sample(raw.read(SAMPLE), encoding))
        raw.seek(encoding.skip)
        text = io.TextIOWrapper(raw, encoding.name, encoding.errors, newline="")
        for _ in range(hint_lines):
            text.readline()
        reader = csv.reader(text, delimiter=delimiter)
        try:
            for number, cells in enumerate(reader, start=1):
                if any(map(str.strip, cells)):
                    yield number, cells
        except (csv.Error, UnicodeError) as error:
            raise NotATable(f"The file can not be read as CSV: {error}.") from error


def _decode_sample(sample: bytes, encoding: Encoding) -> str:
    return codecs.getincrementaldecoder(encoding.name)("replace").decode(sample)


def _delimiter(sample: str) -> tuple[str, int]:
    """The separator that gives the most rows of one width, and how many lines to skip before the headings."""
    hint = re.match(r"sep=(.)\r?\n", sample)
    if hint:  # Excel's own way of saying it
        return hint[1], 1
    return max(",;\t|", key=lambda delimiter: _regularity(sample, delimiter)), 0


def _regularity(sample: str, delimiter: str) -> tuple[float, int]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    widths = [len(row) for row, _ in zip(reader, range(50), strict=False) if row][:-1] or [1]
    width = widths[0]
    if width < 2:
        return 0.0, 0
    return sum(one == width for one in widths) / len(widths), width


# Spreadsheets -----------------------------------------------------------------------------------


def _spreadsheet_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    _refuse_a_bomb(path)
    try:
        yield from spreadsheet.rows(path)
    except spreadsheet.Damaged as error:
        raise NotATable(
            "This spreadsheet can not be read. Save it anew as .xlsx or as CSV."
        ) from error
    except spreadsheet.TooWide as error:
        raise TooLarge(
            f"The spreadsheet has more columns than {MOST_COLUMNS}; no more than those fit."
        ) from error
    except spreadsheet.OutOfBounds as error:
        raise TooLarge(
            "Reading the spreadsheet takes more memory or time than one file may have. "
            "Save it as CSV, then upload."
        ) from error


def _refuse_a_bomb(path: Path) -> None:
    """Unpack once without keeping anything: sizes that the file states about itself prove nothing."""
    unpacked = 0
    try:
        with zipfile.ZipFile(path) as archive:
            if "[Content_Types].xml" not in archive.namelist():
                raise NotATable(
                    "This is a compressed file. Upload the list itself, as CSV or .xlsx."
                )
            for entry in archive.infolist()[:2_000]:
                unpacked += _unpacked_size(archive, entry, LARGEST_UNPACKED - unpacked)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise NotATable("This spreadsheet is damaged. Save it anew, then upload.") from error


def _unpacked_size(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> int:
    is_sheet = entry.filename.startswith("xl/worksheets/")
    size, last, width, height = 0, b"", 0, 0
    with archive.open(entry) as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            size += len(chunk)
            if size > left:
                raise TooLarge(
                    "The spreadsheet is too large when unpacked. Save it as CSV, then upload."
                )
            if is_sheet:
                # A far-away cell makes the whole rectangle up to it: two cells can fill the memory.
                for letters, row in _CELL_REFERENCE.findall(last[-200:] + chunk):
                    width, height = max(width, _column(letters)), max(height, int(row))
                last = chunk
                _refuse_a_rectangle(width, height)
    return size


def _refuse_a_rectangle(width: int, height: int) -> None:
    if width > MOST_COLUMNS:
        raise TooLarge(f"The spreadsheet has {width:,} columns; at most {MOST_COLUMNS} fit.")
    if width * height > MOST_CELLS:
        raise TooLarge(
            f"The spreadsheet spans {width * height:,} cells. Save it as CSV, then upload."
        )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
