"""Sheets v4: spreadsheets with their values, in A1 notation. What Google's reference refuses is refused here.

A spreadsheet is a file of its owner's Drive: deleted there, it is gone here.
"""

import csv
import io
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aerostic.simulator.google import drive, tokens
from aerostic.simulator.google.fields import check_parameters, chosen, pick
from aerostic.simulator.google.refusals import Refusal, refusing
from aerostic.simulator.google.world import PEOPLE, GoogleWorld, Json, world_of

READS = (tokens.SHEETS, tokens.SHEETS_READ, tokens.DRIVE, tokens.DRIVE_READ)
WRITES = (tokens.SHEETS, tokens.DRIVE)
ROWS, COLUMNS = 1000, 26
MOST_CELLS = 10_000_000
Cell = str | int | float | bool | None
INPUT = ("RAW", "USER_ENTERED")
RENDER = ("FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class ValueRange(_Strict):
    range: str = ""
    major_dimension: Literal["ROWS", "COLUMNS"] = "ROWS"
    values: list[list[Cell]] = []


class BatchUpdate(_Strict):
    value_input_option: Literal["RAW", "USER_ENTERED"]
    data: list[ValueRange] = []
    include_values_in_response: bool = False
    response_value_render_option: str = "FORMATTED_VALUE"
    response_date_time_render_option: str = "SERIAL_NUMBER"


class _Title(_Strict):
    title: Annotated[str, StringConstraints(max_length=200)] = "Untitled spreadsheet"
    locale: str = "en_US"
    time_zone: str = "Etc/GMT"


class _SheetTitle(_Strict):
    title: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "Sheet1"


class _Sheet(_Strict):
    properties: _SheetTitle = _SheetTitle()


class SpreadsheetIn(_Strict):
    properties: _Title = _Title()
    sheets: list[_Sheet] = Field(default=[_Sheet()], max_length=200)


@dataclass(frozen=True)
class Range:
    """A rectangle of one sheet; rows and columns from 0, ends not included. None: to the end."""

    sheet: str
    top: int = 0
    left: int = 0
    bottom: int | None = None
    right: int | None = None

    def __str__(self) -> str:
        name = self.sheet if re.fullmatch(r"[A-Za-z_]\w*", self.sheet) else f"'{self.sheet}'"
        bottom = ROWS if self.bottom is None else self.bottom
        right = COLUMNS if self.right is None else self.right
        first = f"{letters(self.left)}{self.top + 1}"
        last = f"{letters(right - 1)}{bottom}"
        return f"{name}!{first}" if first == last else f"{name}!{first}:{last}"


_CELLS = re.compile(r"([A-Z]{1,3})?(\d+)?(?::([A-Z]{1,3})?(\d+)?)?", re.IGNORECASE)


def letters(column: int) -> str:
    name = ""
    while column >= 0:
        name = chr(ord("A") + column % 26) + name
        column = column // 26 - 1
    return name


def _number(name: str) -> int:
    column = 0
    for letter in name.upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def parse(told: str, sheets: list[str]) -> Range:
    """A1 notation, a sheet's name, or both. Raises Refusal as Google does."""
    name, separator, cells = told.rpartition("!")
    if not separator:
        plain = _unquoted(told)
        if plain in sheets:
            return Range(plain)
        name, cells = sheets[0], told
    name = _unquoted(name)
    found = _CELLS.fullmatch(cells)
    if name not in sheets or not cells or not found:
        raise Refusal(400, f"Unable to parse range: {told}")
    return _rectangle(name, found, is_one=":" not in cells)


def _unquoted(name: str) -> str:
    if len(name) > 1 and name.startswith("'") and name.endswith("'"):
        return name[1:-1].replace("''", "'")
    return name


def _rectangle(sheet: str, found: re.Match[str], *, is_one: bool) -> Range:
    left, top, right, bottom = found.groups()
    first_row = int(top) - 1 if top else 0
    first_column = _number(left) if left else 0
    if is_one:
        if not left or not top:
            raise Refusal(400, f"Unable to parse range: {found[0]}")
        return Range(sheet, first_row, first_column, first_row + 1, first_column + 1)
    return Range(
        sheet,
        first_row,
        first_column,
        int(bottom) if bottom else None,
        _number(right) + 1 if right else None,
    )


# A spreadsheet as it is kept: {"title", "sheets": [{"sheetId", "title", "rows": [[cell …] …]} …]}


def _new(world: GoogleWorld, sub: str, title: str, sheets: dict[str, list[list[Cell]]]) -> Json:
    kept = drive.new_file(world, sub, {"name": title, "mimeType": drive.SPREADSHEET})
    parts = [
        {"sheetId": number, "title": name, "rows": rows}
        for number, (name, rows) in enumerate(sheets.items())
    ]
    book = {"id": kept["id"], "title": title, "sheets": parts}
    world.keep("book", kept["id"], book)
    return book


def _book(request: Request, *scopes: str) -> Json:
    """The spreadsheet of the path. Raises Refusal: gone, or another person's."""
    sub = tokens.holder(request, *scopes)
    return find_book(world_of(request), sub, request.path_params["sheet_id"])


def find_book(world: GoogleWorld, sub: str, book_id: str) -> Json:
    book = world.find("book", book_id)
    try:
        file = drive.file_of(world, sub, book_id)
    except Refusal:
        file = None
    if book is None or file is None:
        raise Refusal(404, "Requested entity was not found.")
    return book


def _sheet(book: Json, name: str) -> Json:
    return next(one for one in book["sheets"] if one["title"] == name)


def _range(book: Json, told: str) -> Range:
    found = parse(told, [one["title"] for one in book["sheets"]])
    bottom, right = found.bottom or 1, found.right or 1
    if max(found.top + 1, bottom) > ROWS or max(found.left + 1, right) > COLUMNS:
        raise Refusal(
            400, f"Range ({told}) exceeds grid limits. Max rows: {ROWS}, max columns: {COLUMNS}"
        )
    return found


def read_values(book: Json, place: Range, render: str = "FORMATTED_VALUE") -> list[list[Any]]:
    """As Google answers: without empty rows and cells at the end."""
    rows = _sheet(book, place.sheet)["rows"][place.top : place.bottom]
    cut = [[_rendered(cell, render) for cell in row[place.left : place.right]] for row in rows]
    trimmed = [_without_end(row) for row in cut]
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    return trimmed


def _without_end(row: list[Any]) -> list[Any]:
    while row and row[-1] in ("", None):
        row = row[:-1]
    return ["" if one is None else one for one in row]


def _rendered(cell: Cell, render: str) -> Cell:
    if render != "FORMATTED_VALUE" or cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


_ENTERED_NUMBER = re.compile(r"-?\d{1,15}(\.\d+)?")


def _entered(cell: Cell, option: str) -> Cell:
    """`USER_ENTERED` reads what a person would have typed."""
    if option == "RAW" or not isinstance(cell, str):
        return cell
    if cell.upper() in {"TRUE", "FALSE"}:
        return cell.upper() == "TRUE"
    if _ENTERED_NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return cell.removeprefix("'")


def _write(book: Json, place: Range, told: ValueRange, option: str) -> Range:
    """Put the values there; return the rectangle that was written. An absent or null cell stays."""
    values = told.values
    if told.major_dimension == "COLUMNS":
        tall = max((len(one) for one in values), default=0)
        values = [[one[row] if row < len(one) else None for one in values] for row in range(tall)]
    width = max((len(row) for row in values), default=0)
    bottom, right = place.top + len(values), place.left + width
    _check_room(place, bottom, right)
    rows = _sheet(book, place.sheet)["rows"]
    for at, row in enumerate(values, place.top):
        while len(rows) <= at:
            rows.append([])
        for column, cell in enumerate(row, place.left):
            rows[at].extend([""] * (column + 1 - len(rows[at])))
            if cell is not None:
                rows[at][column] = _entered(cell, option)
    return Range(
        place.sheet, place.top, place.left, max(bottom, place.top + 1), max(right, place.left + 1)
    )


def _check_room(place: Range, bottom: int, right: int) -> None:
    wanted_rows = place.bottom is not None and place.bottom - place.top > 1
    if (wanted_rows and place.bottom and bottom > place.bottom) or bottom > ROWS or right > COLUMNS:
        raise Refusal(
            400, f"Requested writing within range [{place}], but tried writing to row [{bottom}]"
        )


async def _told(request: Request, form: type[Any]) -> Any:
    body = await drive.body_of(request)
    try:
        return form.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = _place(first["loc"])
        if first["type"] == "extra_forbidden":
            name = first["loc"][-1]
            said = f"Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
            raise Refusal(400, said) from None
        raise Refusal(400, f"Invalid value at '{place}': {first['msg']}") from None


def _place(location: tuple[Any, ...]) -> str:
    written = "data"
    for part in location:
        if isinstance(part, int):
            written += f"[{part}]"
        elif part not in {"str", "int", "float", "bool"}:
            written += f".{part}"
    return written


def _option(request: Request, name: str, known: tuple[str, ...], default: str = "") -> str:
    told = request.query_params.get(name, default)
    if not told:
        raise Refusal(400, f"'{name}' is required but not specified")
    if told not in known:
        raise Refusal(
            400, f"Invalid value at '{name}' (type.googleapis.com/google.apps.sheets), \"{told}\""
        )
    return told


# The doors


@refusing
async def create(request: Request) -> Response:
    """`POST /v4/spreadsheets`."""
    sub = tokens.holder(request, *WRITES, tokens.DRIVE_FILE)
    told: SpreadsheetIn = await _told(request, SpreadsheetIn)
    names = [one.properties.title for one in told.sheets]
    if len(set(names)) != len(names):
        raise Refusal(400, "Invalid requests: a sheet with this name already exists.")
    book = _new(world_of(request), sub, told.properties.title, {name: [] for name in names})
    return JSONResponse(pick(_shown(book), chosen(request)))


def _shown(book: Json) -> Json:
    grid = {"rowCount": ROWS, "columnCount": COLUMNS}
    return {
        "spreadsheetId": book["id"],
        "properties": {"title": book["title"], "locale": "en_US", "timeZone": "Etc/GMT"},
        "sheets": [
            {
                "properties": {
                    "sheetId": one["sheetId"],
                    "title": one["title"],
                    "index": number,
                    "sheetType": "GRID",
                    "gridProperties": grid,
                }
            }
            for number, one in enumerate(book["sheets"])
        ],
        "spreadsheetUrl": f"https://docs.google.com/spreadsheets/d/{book['id']}/edit",
    }


_BOOK_FIELDS = frozenset(
    {
        "spreadsheetId",
        "properties",
        "sheets",
        "namedRanges",
        "spreadsheetUrl",
        "developerMetadata",
        "*",
    }
)


@refusing
async def show(request: Request) -> Response:
    """`GET /v4/spreadsheets/{id}`: its sheets, without their values."""
    book = _book(request, *READS)
    check_parameters(request, "ranges", "includeGridData", "excludeTablesInBandedRanges")
    return JSONResponse(pick(_shown(book), chosen(request), _BOOK_FIELDS))


@refusing
async def get_values(request: Request) -> Response:
    """`GET …/values/{range}`."""
    book = _book(request, *READS)
    check_parameters(request, "majorDimension", "valueRenderOption", "dateTimeRenderOption")
    return JSONResponse(_values(request, book, request.path_params["place"]))


def _values(request: Request, book: Json, told: str) -> Json:
    render = _option(request, "valueRenderOption", RENDER, "FORMATTED_VALUE")
    major = _option(request, "majorDimension", ("ROWS", "COLUMNS"), "ROWS")
    place = _range(book, told)
    values = read_values(book, place, render)
    if major == "COLUMNS":
        width = max((len(row) for row in values), default=0)
        values = [[row[at] if at < len(row) else "" for row in values] for at in range(width)]
    answer: Json = {"range": str(place), "majorDimension": major}
    return {**answer, "values": values} if values else answer


@refusing
async def batch_get(request: Request) -> Response:
    """`GET …/values:batchGet?ranges=…&ranges=…`."""
    book = _book(request, *READS)
    check_parameters(
        request, "ranges", "majorDimension", "valueRenderOption", "dateTimeRenderOption"
    )
    found = [_values(request, book, told) for told in request.query_params.getlist("ranges")]
    return JSONResponse({"spreadsheetId": book["id"], "valueRanges": found})


@refusing
async def update(request: Request) -> Response:
    """`PUT …/values/{range}`."""
    book = _book(request, *WRITES)
    check_parameters(
        request,
        "valueInputOption",
        "includeValuesInResponse",
        "responseValueRenderOption",
        "responseDateTimeRenderOption",
    )
    option = _option(request, "valueInputOption", INPUT)
    told: ValueRange = await _told(request, ValueRange)
    place = _range(book, request.path_params["place"])
    if told.range and str(_range(book, told.range)) != str(place):
        raise Refusal(
            400, f"Requested writing within range [{place}], but tried writing to [{told.range}]"
        )
    wrote = _write(book, place, told, option)
    world_of(request).keep("book", book["id"], book)
    return JSONResponse(_updated(book, wrote, told))


def _updated(book: Json, wrote: Range, told: ValueRange) -> Json:
    assert wrote.bottom is not None
    assert wrote.right is not None
    return {
        "spreadsheetId": book["id"],
        "updatedRange": str(wrote),
        "updatedRows": wrote.bottom - wrote.top,
        "updatedColumns": wrote.right - wrote.left,
        "updatedCells": sum(len(row) for row in told.values),
    }


@refusing
async def batch_update(request: Request) -> Response:
    """`POST …/values:batchUpdate`."""
    book = _book(request, *WRITES)
    told: BatchUpdate = await _told(request, BatchUpdate)
    wrote = []
    for one in told.data:
        place = _write(book, _range(book, one.range), one, told.value_input_option)
        wrote.append(_updated(book, place, one))
    world_of(request).keep("book", book["id"], book)
    cells = sum(int(one["updatedCells"]) for one in wrote)
    answer: Json = {"spreadsheetId": book["id"], "totalUpdatedCells": cells, "responses": wrote}
    return JSONResponse(answer)


@refusing
async def append(request: Request) -> Response:
    """`POST …/values/{range}:append`: below the last row of the table that the range names."""
    book = _book(request, *WRITES)
    check_parameters(
        request,
        "valueInputOption",
        "insertDataOption",
        "includeValuesInResponse",
        "responseValueRenderOption",
        "responseDateTimeRenderOption",
    )
    option = _option(request, "valueInputOption", INPUT)
    _option(request, "insertDataOption", ("OVERWRITE", "INSERT_ROWS"), "OVERWRITE")
    told: ValueRange = await _told(request, ValueRange)
    table = _range(book, request.path_params["place"])
    end = len(read_values(book, Range(table.sheet)))
    wrote = _write(book, Range(table.sheet, end, table.left), told, option)
    world_of(request).keep("book", book["id"], book)
    answer: Json = {"spreadsheetId": book["id"], "updates": _updated(book, wrote, told)}
    if end:
        answer["tableRange"] = str(Range(table.sheet, 0, table.left, end, COLUMNS))
    return JSONResponse(answer)


@refusing
async def clear(request: Request) -> Response:
    """`POST …/values/{range}:clear`."""
    book = _book(request, *WRITES)
    place = _range(book, request.path_params["place"])
    for row in _sheet(book, place.sheet)["rows"][place.top : place.bottom]:
        for column in range(place.left, min(len(row), place.right or len(row))):
            row[column] = ""
    world_of(request).keep("book", book["id"], book)
    return JSONResponse({"spreadsheetId": book["id"], "clearedRange": str(place)})


def as_csv(world: GoogleWorld, book_id: str) -> str:
    """The first sheet."""
    book = world.find("book", book_id)
    text = io.StringIO()
    if book is not None:
        csv.writer(text).writerows(read_values(book, Range(book["sheets"][0]["title"])))
    return text.getvalue()


ORDERS: list[list[Cell]] = [
    ["Order", "Customer", "Status", "Total"],
    [1001, "Amara Okafor", "shipped", 24.5],
    [1002, "Lena Fischer", "in the kitchen", 12],
    [1003, "Diego Ramos", "delivered", 31.2],
]


def seed(world: GoogleWorld) -> None:
    """Everyone has a spreadsheet of orders and an empty one for leads."""
    if any(True for _ in world.each("book")):
        return
    for one in PEOPLE:
        sub = str(one["sub"])
        _new(world, sub, "Orders", {"Orders": [list(row) for row in ORDERS]})
        _new(world, sub, "Leads", {"Leads": [["Name", "Phone", "E-mail", "Wish"]]})


_VALUES = "/v4/spreadsheets/{sheet_id}/values"
ROUTES: list[Any] = [
    Route("/v4/spreadsheets", create, methods=["POST"]),
    Route("/v4/spreadsheets/{sheet_id}", show),
    Route(f"{_VALUES}:batchGet", batch_get),
    Route(f"{_VALUES}:batchUpdate", batch_update, methods=["POST"]),
    Route(f"{_VALUES}/{{place:path}}:append", append, methods=["POST"]),
    Route(f"{_VALUES}/{{place:path}}:clear", clear, methods=["POST"]),
    Route(f"{_VALUES}/{{place:path}}", get_values),
    Route(f"{_VALUES}/{{place:path}}", update, methods=["PUT"]),
]
