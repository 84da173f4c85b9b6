"""Answers that are files, written for one caller and removed once they have left."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

CSV = "text/csv; charset=utf-8"


def written(write: Callable[[Path], object], *, media_type: str, filename: str) -> FileResponse:
    """What `write` puts into a file. Where it refuses, nothing is left behind: no file, no descriptor."""
    descriptor, name = tempfile.mkstemp(prefix="aerostic-export-", suffix=Path(filename).suffix)
    os.close(descriptor)
    path = Path(name)
    try:
        write(path)
    except BaseException:
        path.unlink()
        raise
    background = BackgroundTask(path.unlink)
    return FileResponse(path, media_type=media_type, filename=filename, background=background)
