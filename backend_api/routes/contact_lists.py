"""Lists of people to write to, over HTTP: a file becomes a list, with what each row said."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, UploadFile
from pydantic import BaseModel, Field

from aerostic.core.errors import TooLarge
from aerostic.domain.audiences import queries, service
from aerostic.domain.audiences.schemas import ListView
from aerostic.domain.contacts.models import ImportStatus
from aerostic.domain.imports import queries as imports
from aerostic.domain.imports import service as import_service
from aerostic.domain.imports.files import disk_in_words
from aerostic.domain.imports.reading import LARGEST_FILE
from aerostic.domain.imports.service import ImportOptions
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1/contact-lists", tags=["Audiences"])

ROOM_FOR_THE_FORM = 64 * 1024


class ListOut(BaseModel):
    """A list, as far as its file has come in. `import_id` leads to `/contact-imports`."""

    id: UUID
    name: str = Field(examples=["Orders of June"])
    import_id: UUID
    columns: list[str] = Field(
        examples=[["Name", "Telefon", "Bestellung"]],
        description="The headings: what a campaign may fill its variables with.",
    )
    members: int
    status: ImportStatus
    rows_total: int
    rows_done: int
    rows_refused: int
    created_by_name: str
    created_at: datetime

    @classmethod
    def of(cls, view: ListView) -> "ListOut":
        return cls(**{name: getattr(view, name) for name in cls.model_fields})


class ListChangeIn(BaseModel):
    name: str = Field(max_length=1_000, examples=["Orders of June"])


class ListStartIn(BaseModel):
    """Which column is what; left out: as proposed."""

    mapping: list[str] | None = Field(None, max_length=200, examples=[["name", "phone"]])
    default_country: str = Field("", max_length=20, examples=["DE"])


@router.get("")
def lists(ctx: Ctx, after: After = None, limit: Limit = 50) -> PageOut[ListOut]:
    """Lists, newest first."""
    return PageOut.of(queries.lists(ctx, after=after, limit=limit), ListOut.of)


@router.post("", status_code=201)
def upload(
    ctx: Ctx,
    once: Once,
    request: Request,
    file: UploadFile,
    name: Annotated[str, Form(max_length=1_000, description="Left out: the file's name.")] = "",
) -> ListOut:
    """Upload a CSV or XLSX file of at most 50 MB. Nobody is on the list until it is started."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > LARGEST_FILE + ROOM_FOR_THE_FORM:
        raise TooLarge("The file is larger than 50 MB. Split it, then upload.")
    return once(lambda: _receive(ctx, name, file))


@router.get("/{list_id}")
def contact_list(ctx: Ctx, list_id: UUID) -> ListOut:
    """One list, as far as its file has come in."""
    return _shown(ctx, list_id)


@router.patch("/{list_id}")
def rename_list(ctx: Ctx, list_id: UUID, body: ListChangeIn) -> ListOut:
    """Give the list another name."""
    service.rename_list(ctx, list_id, body.name)
    return _shown(ctx, list_id)


@router.post("/{list_id}/start")
def start(ctx: Ctx, list_id: UUID, body: ListStartIn) -> ListOut:
    """Begin to take the file in. Asked twice, it runs once."""
    import_id = queries.contact_list(ctx, list_id).import_id
    proposed = imports.contact_import(ctx, import_id).targets
    targets = proposed if body.mapping is None else body.mapping
    import_service.start(ctx, import_id, targets, ImportOptions(body.default_country))
    return _shown(ctx, list_id)


@router.delete("/{list_id}", status_code=204)
def delete_list(ctx: Ctx, list_id: UUID) -> None:
    """Forget who was on the list. The contacts stay."""
    service.delete_list(ctx, list_id)


def _receive(ctx: Ctx, name: str, file: UploadFile) -> ListOut:
    with tempfile.TemporaryDirectory(prefix="aerostic-list-") as folder:
        path = Path(folder) / "upload"
        with disk_in_words(), path.open("wb") as kept:
            shutil.copyfileobj(file.file, kept, 1024 * 1024)
        made = import_service.receive_list(ctx, name, file.filename or "", path)
        return _shown(ctx, made.id)


def _shown(ctx: Ctx, list_id: UUID) -> ListOut:
    return ListOut.of(queries.contact_list(ctx, list_id))
