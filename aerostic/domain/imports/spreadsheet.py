"""Reading a spreadsheet in a process of its own, with limits that the operating system keeps.

Two cells that stand far apart make the library fill the memory with everything between them; where there is
not as much, it ends the whole process. So this file is run as a program, and imports nothing of ours.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

SECONDS = 180  # of computing
MEMORY = 1_500 * 1024 * 1024
MOST_COLUMNS = 200
LONGEST_TEXT = 40_000  # Excel's own cells hold 32,767 letters
DAMAGED, TOO_WIDE = 3, 4


class Damaged(Exception):
    """It is no spreadsheet that could be read."""


class TooWide(Exception):
    """It has more than `MOST_COLUMNS` columns."""


class OutOfBounds(Exception):
    """Reading it took more memory or time than one file may have."""


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row of the first sheet that is not empty, with its number. Raises what stands above."""
    words = [sys.executable, "-I", __file__, str(path)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 - our own words
    assert child.stdout is not None, "it is a pipe"
    try:
        for line in child.stdout:
            if line.endswith(b"\n"):  # else it was cut off in the middle
                number, cells = json.loads(line)
                yield number, cells
        _check(child.wait())
    finally:  # whoever asked may have had enough
        child.kill()
        child.stdout.close()
        child.wait()


def _check(code: int) -> None:
    if code == DAMAGED:
        raise Damaged
    if code == TOO_WIDE:
        raise TooWide
    if code != 0:
        raise OutOfBounds


# In the other process ---------------------------------------------------------------------------


def main(path: str) -> int:
    """Write each row as a line of JSON. Returns how it ended."""
    _limit()
    try:
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    except (CalamineError, OSError, IndexError):
        return DAMAGED
    if sheet.width > MOST_COLUMNS:
        return TOO_WIDE
    first = 1 + sheet.start[0] if sheet.start else 1
    for number, values in enumerate(sheet.iter_rows(), first):
        cells = [_as_text(value)[:LONGEST_TEXT] for value in values]
        if any(cells):
            sys.stdout.write(json.dumps([number, cells]) + "\n")
    return 0


def _as_text(value: object) -> str:
    """A cell as a person sees it: numbers without `.0`, days without midnight."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        is_day = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if is_day else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
