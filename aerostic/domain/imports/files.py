"""Where uploaded files of contacts lie, and their one form after reading: a line of JSON for each row."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

import orjson

from aerostic.core.errors import TooLarge, Unavailable
from aerostic.core.settings import settings

MOST_BYTES = 1024 * 1024 * 1024  # a spreadsheet may say one long text in a million cells


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row as the file has it. `problem` says why it can not be taken whatever it holds."""

    number: int  # as a spreadsheet counts: the line of headings is 1
    cells: list[str]
    problem: str | None = None


def storage_key(tenant_id: UUID, import_id: UUID) -> str:
    return f"imports/{tenant_id}/{import_id}.jsonl"


def path_of(key: str) -> Path:
    return settings().media_root / key


@contextmanager
def disk_in_words() -> Iterator[None]:
    """Turn what the disk refuses into a sentence for whoever uploads."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            sentence = (
                "The server's disk is full. Ask its operator to free space, then upload again."
            )
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            sentence = "The server may not write to its data folder. Ask its operator to allow it."
        else:
            raise
        raise Unavailable(sentence) from error


def write(key: str, rows: Iterable[SourceRow]) -> int:
    """Write rows under a key, whole or not at all; return how many. Raises TooLarge."""
    path = path_of(key)
    unfinished = path.with_suffix(".part")
    count = size = 0
    try:
        with disk_in_words():
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as out:
                for count, row in enumerate(rows, start=1):  # noqa: B007 - counted for the answer
                    size += out.write(orjson.dumps([row.number, row.cells, row.problem]) + b"\n")
                    if size > MOST_BYTES:
                        raise TooLarge("The rows are too large together. Split the file.")
            unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return count


def read(key: str, *, start: int = 0, stop: int | None = None) -> Iterator[SourceRow]:
    """The rows from a position on, one in memory at a time. Raises FileNotFoundError."""
    with path_of(key).open("rb") as lines:
        for line in islice(lines, start, stop):
            number, cells, problem = orjson.loads(line)
            yield SourceRow(number, cells, problem)


def is_there(key: str) -> bool:
    return path_of(key).is_file()


def remove(key: str) -> None:
    """The file is personal data: it goes as soon as it is not needed."""
    with suppress(OSError):
        path_of(key).unlink(missing_ok=True)
