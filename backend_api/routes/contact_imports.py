"""Files of contacts over HTTP: upload, look, start, follow, and read what was refused."""

import csv
import io
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from aerostic.core.errors import TooLarge
from aerostic.domain.contacts.exporting import harmless
from aerostic.domain.contacts.models import ImportStatus
from aerostic.domain.imports import mapping, queries, service
from aerostic.domain.imports.files import disk_in_words
from aerostic.domain.imports.queries import ImportView
from aerostic.domain.imports.reading import LARGEST_FILE
from aerostic.domain.imports.service import ImportOptions
from backend_api.deps import Ctx
from backend_api.idempotency import Once
from backend_api.pages import After, Limit, PageOut

router = APIRouter(prefix="/api/v1/contact-imports", tags=["Contacts"])

ROOM_FOR_THE_FORM = 64 * 1024


class ImportOut(BaseModel):
    """A file of contacts and how far it has come. The counters of rows add up to `rows_done`."""

    id: UUID
    file_name: str = Field(examples=["customers.csv"])
    kind: str = Field(examples=["CSV"])
    encoding: str = Field(examples=["Windows-1252"])
    columns: list[str] = Field(examples=[["Name", "Telefon"]])
    mapping: list[str] = Field(
        examples=[["name", "phone"]],
        description=f"What each column becomes: {', '.join(mapping.TARGETS)} or `attribute:<key>`.",
    )
    status: ImportStatus
    rows_total: int
    rows_done: int
    rows_created: int
    rows_updated: int
    rows_unchanged: int
    rows_refused: int
    problem: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, view: ImportView) -> "ImportOut":
        same = {name: getattr(view, name) for name in cls.model_fields if name != "mapping"}
        return cls(**{**same, "columns": list(view.columns)}, mapping=list(view.targets))


class PreviewOut(BaseModel):
    """The first rows of a file as they were read, under its columns."""

    columns: list[str] = Field(examples=[["Name", "Telefon"]])
    rows: list[list[str]] = Field(examples=[[["Ada Lovelace", "0170 1234567"]]])


class ImportStartIn(BaseModel):
    """How to take the file in."""

    mapping: list[str] | None = Field(
        None,
        max_length=200,
        examples=[["name", "phone"]],
        description="One target for each column; left out: as proposed.",
    )
    default_country: str = Field(
        "", max_length=20, examples=["DE"], description="For numbers without a country code."
    )
    updates: bool = Field(True, description="False: contacts that are there stay as they are.")
    tag_ids: list[UUID] = Field([], max_length=20, description="Tags for everyone in the file.")

    def options(self) -> ImportOptions:
        return ImportOptions(self.default_country, self.updates, tuple(self.tag_ids))


class RefusedRowOut(BaseModel):
    row_number: int = Field(description="As a spreadsheet counts.", examples=[17])
    reason: str = Field(examples=["There is no phone number."])
    cells: list[str]


class RefusedRowsOut(BaseModel):
    items: list[RefusedRowOut]
    next_cursor: int | None = Field(description="The row to send as `after_row` for those behind.")


@router.get("")
def imports(ctx: Ctx, after: After = None, limit: Limit = 20) -> PageOut[ImportOut]:
    """Imports, newest first."""
    return PageOut.of(queries.imports(ctx, after=after, limit=limit), ImportOut.of)


@router.post("", status_code=201)
def upload(ctx: Ctx, once: Once, request: Request, file: UploadFile) -> ImportOut:
    """Upload a CSV or XLSX file of at most 50 MB. Nobody is imported until it is started."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > LARGEST_FILE + ROOM_FOR_THE_FORM:
        raise TooLarge("The file is larger than 50 MB. Split it, then upload.")
    return once(lambda: _receive(ctx, file))


@router.get("/{import_id}")
def contact_import(ctx: Ctx, import_id: UUID) -> ImportOut:
    """One import, as far as it has come."""
    return _shown(ctx, import_id)


@router.get("/{import_id}/preview")
def preview(ctx: Ctx, import_id: UUID) -> PreviewOut:
    """The first twenty rows of a file that was not taken in yet."""
    columns = list(queries.contact_import(ctx, import_id).columns)
    return PreviewOut(columns=columns, rows=queries.preview(ctx, import_id))


@router.post("/{import_id}/start")
def start(ctx: Ctx, import_id: UUID, body: ImportStartIn) -> ImportOut:
    """Begin to take the file in. Asked twice, it runs once."""
    proposed = queries.contact_import(ctx, import_id).targets
    targets = proposed if body.mapping is None else body.mapping
    service.start(ctx, import_id, targets, body.options())
    return _shown(ctx, import_id)


@router.post("/{import_id}/cancel")
def cancel(ctx: Ctx, import_id: UUID) -> ImportOut:
    """Stop before the next batch. Contacts that were taken in stay."""
    service.cancel(ctx, import_id)
    return _shown(ctx, import_id)


@router.get("/{import_id}/refusals")
def refusals(ctx: Ctx, import_id: UUID, after_row: int = 0, limit: Limit = 50) -> RefusedRowsOut:
    """Rows that were not taken, with the reasons."""
    found = queries.refusals(ctx, import_id, after_row=after_row, limit=limit + 1)
    items = [
        RefusedRowOut(row_number=one.row_number, reason=one.reason, cells=list(one.cells))
        for one in found[:limit]
    ]
    return RefusedRowsOut(
        items=items, next_cursor=items[-1].row_number if len(found) > limit else None
    )


@router.get("/{import_id}/report", response_class=StreamingResponse)
def report(ctx: Ctx, import_id: UUID) -> StreamingResponse:
    """The refused rows as CSV: their cells, their line in the file and the reason."""
    view = queries.contact_import(ctx, import_id)
    lines = [
        [str(one.row_number), one.reason, *one.cells] for one in queries.refusals(ctx, import_id)
    ]
    headers = {"Content-Disposition": f'attachment; filename="refused-rows-{import_id}.csv"'}
    content = _csv([["Row", "Reason", *view.columns], *lines])
    return StreamingResponse(content, media_type="text/csv; charset=utf-8", headers=headers)


def _csv(rows: list[list[str]]) -> Iterator[str]:
    yield "\ufeff"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([harmless(cell) for cell in row])
        yield line.getvalue()


def _receive(ctx: Ctx, file: UploadFile) -> ImportOut:
    with tempfile.TemporaryDirectory(prefix="aerostic-import-") as folder:
        path = Path(folder) / "upload"
        with disk_in_words(), path.open("wb") as kept:
            shutil.copyfileobj(file.file, kept, 1024 * 1024)
        return _shown(ctx, service.receive(ctx, file.filename or "", path).id)


def _shown(ctx: Ctx, import_id: UUID) -> ImportOut:
    return ImportOut.of(queries.contact_import(ctx, import_id))
