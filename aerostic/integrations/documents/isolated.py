"""Reading a document in a process of its own, with limits that the operating system keeps.

A PDF can be made to turn for ever or to unpack to more than the machine has; then that process ends, and
the worker goes on with a sentence about it.
"""

import json
import subprocess
import sys
from pathlib import Path

from aerostic.core.errors import AppError
from aerostic.integrations.documents.reading import CanNotRead, DocumentKind, Piece, pieces_of

SECONDS = 90
MEMORY = 1_500 * 1024 * 1024


def read(path: Path, kind: DocumentKind) -> list[Piece]:
    """The pieces of a document. Raises CanNotRead, with the reason for whoever uploaded it."""
    words = [sys.executable, "-m", __name__, str(path), kind.value]
    try:
        done = subprocess.run(words, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 - our own words
    except subprocess.TimeoutExpired:
        raise CanNotRead(
            f"Reading took longer than {SECONDS} seconds. Split the document."
        ) from None
    if done.returncode != 0:
        raise CanNotRead("Reading it needs more memory than one document may have. Split it.")
    answer = json.loads(done.stdout)
    if "problem" in answer:
        raise CanNotRead(answer["problem"])
    return [Piece(place, text) for place, text in answer["pieces"]]


def main(path: str, kind: str) -> None:
    """In the other process: limit ourselves, then read and write down what was found."""
    _limit()
    try:
        found = [(one.place, one.text) for one in pieces_of(Path(path), DocumentKind(kind))]
        answer: dict[str, object] = {"pieces": found}
    except AppError as error:
        answer = {"problem": error.message}
    json.dump(answer, sys.stdout)


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


if __name__ == "__main__":
    main(*sys.argv[1:])
