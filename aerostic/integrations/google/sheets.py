"""Google Sheets: rows by the names of their columns, which stand in the first row of a sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aerostic.integrations.google import errors
from aerostic.integrations.google.addresses import addresses
from aerostic.integrations.google.client import GoogleClient, Request

MOST_ROWS = 5_000  # that are looked through
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet's columns and its rows, in order; the first row below the columns is number 2."""

    columns: list[str]
    rows: list[list[Any]]

    def named(self, at: int) -> Row:
        """A row by the names of its columns, and `row`: its number in the sheet."""
        cells = self.rows[at]
        values = {
            name: cells[place] if place < len(cells) else ""
            for place, name in enumerate(self.columns)
            if name
        }
        return {**values, "row": at + 2}

    def place_of(self, column: str) -> int:
        """Where a column stands. Raises GoogleProblem with those that there are."""
        wanted = column.strip().casefold()
        for place, name in enumerate(self.columns):
            if name.casefold() == wanted:
                return place
        there = ", ".join(f"“{name}”" for name in self.columns if name) or "none"
        raise errors.NotUnderstood(
            f"The sheet has no column “{column.strip()[:80]}”. Its first row names {there}."
        )


class Sheets:
    """For one access token."""

    def __init__(self, client: GoogleClient, token: str) -> None:
        self._client, self._token = client, token

    async def sheet_names(self, spreadsheet_id: str) -> list[str]:
        """The sheets of a spreadsheet, in order. Raises Gone."""
        asked = {"fields": "sheets(properties(title))"}
        told = await self._client.object(
            Request("GET", self._address(spreadsheet_id), self._token, asked)
        )
        return [str(one["properties"]["title"]) for one in told.get("sheets", [])]

    async def sheet(self, spreadsheet_id: str, name: str) -> str:
        """The sheet's name as it is written; without one, the first. Raises GoogleProblem."""
        names = await self.sheet_names(spreadsheet_id)
        if not name.strip():
            return names[0]
        for one in names:
            if one.casefold() == name.strip().casefold():
                return one
        there = ", ".join(f"“{one}”" for one in names)
        raise errors.Gone(f"The spreadsheet has no sheet “{name.strip()[:80]}”. It has {there}.")

    async def table(self, spreadsheet_id: str, sheet: str) -> Table:
        """Everything in a sheet, up to MOST_ROWS. Raises TooLarge."""
        asked = {"valueRenderOption": "UNFORMATTED_VALUE"}
        address = f"{self._address(spreadsheet_id)}/values/{quote(_quoted(sheet), safe='')}"
        told = await self._client.object(Request("GET", address, self._token, asked))
        values: list[list[Any]] = told.get("values", [])
        if len(values) > MOST_ROWS + 1:
            raise errors.TooLarge(f"The sheet has more than {MOST_ROWS:,} rows.")
        columns = [str(cell).strip() for cell in values[0]] if values else []
        return Table(columns, values[1:])

    async def append(self, spreadsheet_id: str, sheet: str, row: Sequence[Any]) -> str:
        """Put a row below the last; return where it stands."""
        place = quote(f"{_quoted(sheet)}!A1", safe="")
        told = await self._client.object(
            Request(
                "POST",
                f"{self._address(spreadsheet_id)}/values/{place}:append",
                self._token,
                {"valueInputOption": "RAW", "insertDataOption": "INSERT_ROWS"},
                json={"majorDimension": "ROWS", "values": [list(row)]},
            )
        )
        return str(told.get("updates", {}).get("updatedRange", ""))

    async def write(
        self, spreadsheet_id: str, sheet: str, row: int, cells: Mapping[int, Any]
    ) -> None:
        """Write some cells of a row, by the places of their columns."""
        data = [
            {
                "range": f"{_quoted(sheet)}!{_letters(place)}{row}",
                "majorDimension": "ROWS",
                "values": [[value]],
            }
            for place, value in cells.items()
        ]
        await self._client.object(
            Request(
                "POST",
                f"{self._address(spreadsheet_id)}/values:batchUpdate",
                self._token,
                json={"valueInputOption": "RAW", "data": data},
            )
        )

    async def name_columns(self, spreadsheet_id: str, sheet: str, columns: Sequence[str]) -> None:
        """Write the first row."""
        await self.write(spreadsheet_id, sheet, 1, dict(enumerate(columns)))

    def _address(self, spreadsheet_id: str) -> str:
        return f"{addresses().sheets}/{quote(spreadsheet_id, safe='')}"


def _quoted(sheet: str) -> str:
    return "'" + sheet.replace("'", "''") + "'"


def _letters(column: int) -> str:
    name = ""
    while column >= 0:
        name = chr(ord("A") + column % 26) + name
        column = column // 26 - 1
    return name
