"""The rows of a list: who is on it, and what their row says under each heading."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import Cursor

from aerostic.core import bulk
from aerostic.core.tenancy import Context
from aerostic.domain.contacts.models import ContactImport
from aerostic.domain.imports.rows import Person

LONGEST_CELL = 1_000  # what a variable of a template may hold is shorter


def variables(columns: Sequence[str]) -> list[str]:
    """The headings as names, each once: a second “City” is “City (2)”."""
    names: list[str] = []
    for column in columns:
        name, number = column, 2
        while name in names:
            name, number = f"{column} ({number})", number + 1
        names.append(name)
    return names


_MEMBERS = bulk.columns(list_id="uuid", contact_id="uuid", row_number="int4", cells="jsonb")


def write(
    ctx: Context,
    cursor: Cursor[Any],
    upload: ContactImport,
    list_id: UUID,
    members: Sequence[tuple[UUID, Person]],
) -> None:
    """Put people on the list with their cells; empty ones are left out. The first row of each counts."""
    names = variables(upload.columns)
    rows = [
        (list_id, contact_id, person.row.number, _cells(names, person.row.cells))
        for contact_id, person in members
    ]
    bulk.insert(cursor, "list_members", _MEMBERS, rows, tenant_id=ctx.tenant_id)


def _cells(names: Sequence[str], cells: Sequence[str]) -> str:
    kept = {name: cell[:LONGEST_CELL] for name, cell in zip(names, cells, strict=False) if cell}
    return orjson.dumps(kept).decode()
