"""Google Drive and Google Sheets, with an account that somebody of the workspace connected."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from aerostic.core.errors import AppError
from aerostic.domain.automation import templates
from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    TOOL,
    Call,
    Group,
    NodeFailed,
    Outcome,
    Outside,
    Port,
    Step,
)
from aerostic.domain.automation.nodes.fields import (
    Chosen,
    Line,
    Pair,
    Paragraphs,
    ToolConfig,
    VariableName,
    needed,
    saved_as,
    widget,
)
from aerostic.domain.connections import using
from aerostic.domain.media import service as media
from aerostic.integrations.google import drive
from aerostic.integrations.google.drive import Drive
from aerostic.integrations.google.errors import GoogleProblem
from aerostic.integrations.google.oauth import Scope
from aerostic.integrations.google.sheets import Sheets, Table

LONGEST_TEXT = 200_000
NOT_FOUND = Port("not_found", "Not found")
# A number as a program writes it. A telephone number, an article with leading zeros stay texts.
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,10})?")


def shown_for(*actions: str, **more: Any) -> dict[str, Any]:
    """Shown in the form for these actions."""
    return {"show_if": {"action": list(actions)}, **more}


class GoogleConfig(ToolConfig):
    account: Chosen = Field(
        default=None,
        title="Google account",
        description="Connected under Settings, Connections.",
        json_schema_extra=widget("connection"),
    )


def _account(config: Any) -> UUID:
    chosen: UUID = needed(config.account, "No Google account is chosen for this step.")
    return chosen


@asynccontextmanager
async def _in_words() -> AsyncIterator[None]:
    """What Google or the account refuses fails the step with the reason."""
    try:
        yield
    except GoogleProblem as problem:
        raise NodeFailed(problem.message, may_pass=problem.may_pass) from problem
    except AppError as refusal:
        raise NodeFailed(refusal.message) from refusal


# Drive


class DriveAction(StrEnum):
    LIST = "list"
    READ = "read"
    UPLOAD = "upload"
    SHARE = "share"


class Source(StrEnum):
    TEXT = "text"
    MEDIA = "media"


class Whom(StrEnum):
    PERSON = "person"
    ANYONE = "anyone"


class ShareRole(StrEnum):
    READER = "reader"
    COMMENTER = "commenter"
    WRITER = "writer"


class GoogleDrive(Call):
    kind = "google.drive"
    title = "Google Drive"
    group = Group.OUTSIDE
    icon = "hard-drive"
    summary = "Finds, reads, uploads or shares files. What comes back is driveResult."
    outputs = (OUT, ERROR, TOOL)

    class Config(GoogleConfig):
        action: DriveAction = Field(default=DriveAction.LIST, title="What to do")
        search: Line = Field(
            default="",
            title="Whose name holds",
            max_length=200,
            json_schema_extra=shown_for("list", widget="text"),
        )
        limit: int = Field(
            default=20,
            title="At most",
            ge=1,
            le=100,
            json_schema_extra=shown_for("list"),
        )
        file: Line = Field(
            default="",
            title="File",
            description="Its address in the browser, or its id, such as {{ driveResult.id }}.",
            json_schema_extra=shown_for("read", "share", widget="text"),
        )
        name: Line = Field(
            default="",
            title="Name",
            description="Such as Order {{ vars.order_id }}.txt.",
            max_length=200,
            json_schema_extra=shown_for("upload", widget="text"),
        )
        source: Source = Field(
            default=Source.TEXT,
            title="What is uploaded",
            json_schema_extra=shown_for("upload"),
        )
        text: Paragraphs = Field(
            default="",
            title="Text",
            max_length=64_000,
            json_schema_extra={
                "show_if": {"action": ["upload"], "source": ["text"]},
                "widget": "multiline",
            },
        )
        media: Line = Field(
            default="",
            title="File of a message",
            description="Its id. Empty: the picture, document or recording that came in.",
            json_schema_extra={
                "show_if": {"action": ["upload"], "source": ["media"]},
                "widget": "text",
            },
        )
        folder: Line = Field(
            default="",
            title="Folder",
            description="Its address in the browser, or its id. Empty: anywhere, or the top.",
            json_schema_extra=shown_for("list", "upload", widget="text"),
        )
        whom: Whom = Field(
            default=Whom.PERSON,
            title="Share with",
            json_schema_extra=shown_for("share"),
        )
        email: Line = Field(
            default="",
            title="E-mail address",
            max_length=320,
            json_schema_extra={
                "show_if": {"action": ["share"], "whom": ["person"]},
                "widget": "text",
            },
        )
        role: ShareRole = Field(
            default=ShareRole.READER,
            title="Who may then",
            json_schema_extra=shown_for("share"),
        )
        save_as: VariableName = Field(
            default="", title="Keep the result as", description="Besides driveResult."
        )

        @model_validator(mode="after")
        def _is_whole(self) -> "GoogleDrive.Config":
            if self.action in {DriveAction.READ, DriveAction.SHARE} and not self.file.strip():
                raise ValueError("Say which file")
            if self.action is DriveAction.UPLOAD and not self.name.strip():
                raise ValueError("Give the file a name")
            is_named = self.whom is Whom.PERSON and "@" not in self.email
            if self.action is DriveAction.SHARE and is_named and "{{" not in self.email:
                raise ValueError("Say with whom: an e-mail address")
            return self

    @classmethod
    async def call(cls, step: Step, config: Any, outside: Outside) -> Outcome:
        body = (
            await _uploaded(step, config, outside) if config.action is DriveAction.UPLOAD else None
        )
        async with (
            _in_words(),
            using.google(outside.ask, _account(config), Scope.DRIVE) as (
                client,
                token,
            ),
        ):
            output, warnings = await _drive(Drive(client, token), config, body)
        names = {"driveResult": output, **saved_as(config.save_as, output)}
        return Outcome(output=output, names=names, warnings=warnings)


Result = tuple[Any, tuple[str, ...]]


async def _drive(there: Drive, config: Any, body: tuple[bytes, str] | None) -> Result:
    folder = drive.id_of(config.folder) if config.folder.strip() else ""
    if config.action is DriveAction.LIST:
        files = await there.find(name=config.search, folder_id=folder, limit=config.limit)
        return {"files": files, "count": len(files)}, ()
    if body is not None:
        content, kind = body
        made = await there.upload(config.name.strip(), content, mime_type=kind, folder_id=folder)
        return dict(made), ()
    file_id = drive.id_of(config.file)
    if config.action is DriveAction.READ:
        return _content(await there.read(file_id))
    email = config.email.strip() if config.whom is Whom.PERSON else ""
    return dict(await there.share(file_id, role=config.role.value, email=email)), ()


def _content(found: drive.Content) -> Result:
    """A text as text; of anything else only what it is."""
    kind = found.mime_type
    is_text = kind.startswith("text/") or kind.endswith(("json", "xml", "csv"))
    told: dict[str, Any] = {**found.file, "content_type": kind, "size": len(found.body)}
    if not is_text:
        return told, ("The file holds no text, so only its name and size are known.",)
    text = found.body.decode("utf-8-sig", "replace")
    if len(text) <= LONGEST_TEXT:
        return {**told, "text": text}, ()
    cut = f"The text was cut to its first {LONGEST_TEXT:,} characters."
    return {**told, "text": text[:LONGEST_TEXT]}, (cut,)


async def _uploaded(step: Step, config: Any, outside: Outside) -> tuple[bytes, str]:
    """What is uploaded, and its kind."""
    if config.source is Source.TEXT:
        return config.text.encode(), "text/plain"
    told = config.media.strip() or str((step.scope.get("message") or {}).get("media_id") or "")
    try:
        media_id = UUID(told)
    except ValueError:
        raise NodeFailed("There is no file to upload: the message holds none.") from None
    async with _in_words():
        body: tuple[bytes, str] = await outside.ask(_file_of_message, media_id)
    return body


def _file_of_message(ctx: Any, media_id: UUID) -> tuple[bytes, str]:
    found, path = media.open_media(ctx, media_id)
    if path.stat().st_size > drive.MOST_UPLOAD:
        raise NodeFailed(f"The file is larger than {drive.MOST_UPLOAD / 1_000_000:g} MB.")
    return path.read_bytes(), found.mime_type


# Sheets


class SheetAction(StrEnum):
    APPEND = "append"
    READ = "read"
    LOOK_UP = "look_up"
    UPDATE = "update"


class GoogleSheets(Call):
    kind = "google.sheets"
    title = "Google Sheets"
    group = Group.OUTSIDE
    icon = "sheet"
    summary = (
        "Adds, reads, looks up or changes rows of a spreadsheet. What comes back is sheetData."
    )
    outputs = (OUT, NOT_FOUND, ERROR, TOOL)

    class Config(GoogleConfig):
        action: SheetAction = Field(default=SheetAction.APPEND, title="What to do")
        spreadsheet: Line = Field(
            title="Spreadsheet",
            description="Its address in the browser, or its id.",
            min_length=1,
        )
        sheet: Line = Field(
            default="",
            title="Sheet",
            description="The name on its tab. Empty: the first. Its first row names the columns.",
            max_length=100,
        )
        column: Line = Field(
            default="",
            title="Where the column",
            description="Such as Phone.",
            max_length=200,
            json_schema_extra=shown_for("look_up", "update", widget="text"),
        )
        equals: Line = Field(
            default="",
            title="is",
            description="Such as {{ contact.phone }}. Capital letters make no difference.",
            json_schema_extra=shown_for("look_up", "update", widget="text"),
        )
        values: list[Pair] = Field(
            default=[],
            title="Values",
            description="By the names of the columns. What a customer wrote is never a formula.",
            max_length=100,
            json_schema_extra=shown_for("append", "update", widget="rows"),
        )
        add_if_missing: bool = Field(
            default=False,
            title="Add the row if there is none",
            json_schema_extra=shown_for("update"),
        )
        limit: int = Field(
            default=100,
            title="At most",
            description="Rows, from the top.",
            ge=1,
            le=1_000,
            json_schema_extra=shown_for("read", "look_up"),
        )
        save_as: VariableName = Field(
            default="", title="Keep the result as", description="Besides sheetData."
        )

        @field_validator("values", mode="before")
        @classmethod
        def _rows(cls, value: Any) -> Any:
            """An object is rows as well: from templates."""
            if isinstance(value, Mapping):
                return [{"name": str(name), "value": part} for name, part in value.items()]
            return value

        @model_validator(mode="after")
        def _is_whole(self) -> "GoogleSheets.Config":
            searches = self.action in {SheetAction.LOOK_UP, SheetAction.UPDATE}
            if searches and not self.column.strip():
                raise ValueError("Say in which column to look")
            writes = self.action in {SheetAction.APPEND, SheetAction.UPDATE}
            if writes and not self.values:
                raise ValueError("Say what to write: at least one column")
            return self

    @classmethod
    def outputs_of(cls, config: Mapping[str, Any]) -> tuple[Port, ...]:
        """Only what looks for a row can miss it."""
        searches = config.get("action") in (SheetAction.LOOK_UP, SheetAction.UPDATE)
        return cls.outputs if searches else (OUT, ERROR, TOOL)

    @classmethod
    async def call(cls, step: Step, config: Any, outside: Outside) -> Outcome:
        async with (
            _in_words(),
            using.google(outside.ask, _account(config), Scope.SHEETS) as (
                client,
                token,
            ),
        ):
            there = Sheets(client, token)
            book = drive.id_of(config.spreadsheet)
            sheet = await there.sheet(book, config.sheet)
            port, output = await _ACTIONS[config.action](there, book, sheet, config)
        names = {"sheetData": output, **saved_as(config.save_as, output)}
        return Outcome(port, output=output, names=names)


Done = tuple[str, dict[str, Any]]


async def _read(there: Sheets, book: str, sheet: str, config: Any) -> Done:
    table = await there.table(book, sheet)
    rows = [table.named(at) for at in range(min(len(table.rows), config.limit))]
    return "out", {"rows": rows, "count": len(rows), "total": len(table.rows)}


async def _look_up(there: Sheets, book: str, sheet: str, config: Any) -> Done:
    table = await there.table(book, sheet)
    places = _matching(table, config.column, config.equals)
    rows = [table.named(at) for at in places[: config.limit]]
    output = {"found": bool(rows), "row": rows[0] if rows else None, "rows": rows}
    return ("out" if rows else "not_found"), {**output, "count": len(places)}


async def _append(there: Sheets, book: str, sheet: str, config: Any) -> Done:
    return "out", await _add(there, book, sheet, config, await there.table(book, sheet))


async def _update(there: Sheets, book: str, sheet: str, config: Any) -> Done:
    """Change every row that fits."""
    table = await there.table(book, sheet)
    places = _matching(table, config.column, config.equals)
    if not places and config.add_if_missing:
        added = await _add(there, book, sheet, config, table)
        return "out", {**added, "added": True, "count": 0}
    cells = {table.place_of(one.name): _cell(one.value) for one in config.values}
    for at in places:
        await there.write(book, sheet, at + 2, cells)
    rows = [at + 2 for at in places]
    return ("out" if rows else "not_found"), {"rows": rows, "count": len(rows), "added": False}


_ACTIONS: dict[SheetAction, Callable[[Sheets, str, str, Any], Awaitable[Done]]] = {
    SheetAction.READ: _read,
    SheetAction.LOOK_UP: _look_up,
    SheetAction.APPEND: _append,
    SheetAction.UPDATE: _update,
}


async def _add(there: Sheets, book: str, sheet: str, config: Any, table: Table) -> dict[str, Any]:
    """A row below the last. An empty sheet gets the names of the columns first."""
    values = {one.name.strip(): _cell(one.value) for one in config.values}
    if not any(table.columns):
        await there.name_columns(book, sheet, list(values))
        table = Table(list(values), [])
    row: list[Any] = [""] * len(table.columns)
    for name, value in values.items():
        row[table.place_of(name)] = value
    return {"range": await there.append(book, sheet, row), "values": values}


def _matching(table: Table, column: str, wanted: str) -> list[int]:
    place = table.place_of(column)
    sought = _comparable(wanted)
    cells = (row[place] if place < len(row) else "" for row in table.rows)
    return [at for at, cell in enumerate(cells) if _comparable(cell) == sought]


def _comparable(value: Any) -> str:
    """A cell and what is looked for, written the same way: 1001, 1001.0 and “1001 ” are one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return templates.written(value).strip().casefold()


def _cell(text: str) -> str | int | float:
    """A number where it is written like one. Everything else is a text, a formula too."""
    if not _NUMBER.fullmatch(text.strip()):
        return text
    return float(text) if "." in text else int(text)
