"""What goes wrong before the product runs, told to the person who typed the command."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OperationError(Exception):
    """A sentence that says what happened and what to do. The command ends with exit code 1."""


@contextmanager
def explained(place: Path) -> Iterator[None]:
    """Turn the file system's refusals around `place` into sentences."""
    try:
        yield
    except OSError as error:
        sentence = file_problem(error, place)
        if sentence is None:
            raise
        raise OperationError(sentence) from error


def file_problem(error: OSError, place: Path) -> str | None:
    """The sentence for a full disk or a missing right, or None for anything else."""
    where = error.filename or place
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return (
                f"The disk is full: {where} could not be written. "
                "Free some space (about 1.5 GB is needed) and run the same command again."
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return (
                f"No permission to write {where}. Run as the user that owns it, "
                "or choose another place with --data-dir."
            )
        case errno.ENOENT:
            return f"{where} can not be made there. Choose another place with --data-dir."
        case errno.ENOTDIR | errno.EEXIST:
            return f"{where} is in the way: a folder is needed there. Move it or choose --data-dir."
    return None
