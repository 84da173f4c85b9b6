"""Imports and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.errors import NotFound
from aerostic.core.pages import Cursor, Page, cursor_of, page_size, read_cursor
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import ContactImport, ImportRefusal, ImportStatus
from aerostic.domain.imports import files
from aerostic.domain.imports.reading import MOST_ROWS

PREVIEW_ROWS = 20


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import as far as it has come. The counters of rows add up to `rows_done`."""

    id: UUID
    file_name: str
    kind: str
    encoding: str
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    status: ImportStatus
    rows_total: int
    rows_done: int
    rows_created: int
    rows_updated: int
    rows_unchanged: int
    rows_refused: int
    problem: str | None
    by: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def percent(self) -> int:
        return 100 * self.rows_done // self.rows_total if self.rows_total else 0


@dataclass(frozen=True, slots=True)
class RefusedRow:
    row_number: int
    reason: str
    cells: tuple[str, ...]


@requires(Permission.CONTACTS_IMPORT)
def imports(ctx: Context, *, after: Cursor | None = None, limit: int = 20) -> Page[ImportView]:
    """Imports, newest first."""
    size = page_size(limit)
    statement = select(ContactImport).order_by(col(ContactImport.id).desc()).limit(size + 1)
    if after:
        (last,) = read_cursor(after, UUID)
        statement = statement.where(col(ContactImport.id) < last)
    found = list(ctx.session.exec(statement))
    shown = [_view(one) for one in found[:size]]
    return Page(shown, cursor_of(shown[-1].id) if len(found) > size else None)


@requires(Permission.CONTACTS_IMPORT)
def contact_import(ctx: Context, import_id: UUID) -> ImportView:
    return _view(_the_import(ctx, import_id))


@requires(Permission.CONTACTS_IMPORT)
def preview(ctx: Context, import_id: UUID) -> list[list[str]]:
    """The first rows of a file that was not taken in yet, as they were read."""
    wanted = _the_import(ctx, import_id)
    if not files.is_there(wanted.storage_key):
        return []
    return [row.cells for row in files.read(wanted.storage_key, stop=PREVIEW_ROWS)]


@requires(Permission.CONTACTS_IMPORT)
def refusals(
    ctx: Context, import_id: UUID, *, after_row: int = 0, limit: int = MOST_ROWS
) -> list[RefusedRow]:
    """Rows that were not taken, in the order of the file."""
    wanted = _the_import(ctx, import_id)
    statement = (
        select(ImportRefusal)
        .where(
            col(ImportRefusal.tenant_id) == ctx.tenant_id,
            col(ImportRefusal.import_id) == wanted.id,
            col(ImportRefusal.row_number) > after_row,
        )
        .order_by(col(ImportRefusal.row_number))
        .limit(limit)
    )
    return [
        RefusedRow(one.row_number, one.reason, tuple(one.cells))
        for one in ctx.session.exec(statement)
    ]


def _the_import(ctx: Context, import_id: UUID) -> ContactImport:
    wanted = ctx.get(ContactImport, import_id)
    if wanted is None:
        raise NotFound("That import does not exist.")
    return wanted


def _view(one: ContactImport) -> ImportView:
    targets: Sequence[str] = one.mapping.get("targets", [])
    return ImportView(
        id=one.id,
        file_name=one.file_name,
        kind=one.options.get("kind", ""),
        encoding=one.options.get("encoding", ""),
        columns=tuple(one.columns),
        targets=tuple(targets),
        status=ImportStatus(one.status),
        rows_total=one.rows_total,
        rows_done=one.rows_done,
        rows_created=one.rows_created,
        rows_updated=one.rows_updated,
        rows_unchanged=one.rows_unchanged,
        rows_refused=one.rows_refused,
        problem=one.problem,
        by=one.options.get("by", ""),
        created_at=one.created_at,
        finished_at=one.finished_at,
    )
