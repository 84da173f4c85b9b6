"""Drive v3: files found, read, uploaded, shared, deleted. What Google's reference refuses is refused here.

Of the search language it knows what the product uses and a little more: `name contains`, `name =`,
`mimeType =`, `'id' in parents`, `trashed =`, joined by `and`.
"""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aerostic.simulator.google import tokens
from aerostic.simulator.google.fields import check_parameters, chosen, pick
from aerostic.simulator.google.refusals import Refusal, invalid, refusing
from aerostic.simulator.google.world import (
    PEOPLE,
    GoogleWorld,
    Json,
    new_file_id,
    new_token,
    now,
    person,
    world_of,
    written,
)

FOLDER = "application/vnd.google-apps.folder"
SPREADSHEET = "application/vnd.google-apps.spreadsheet"
DOCUMENT = "application/vnd.google-apps.document"
OF_GOOGLE = "application/vnd.google-apps."
#: What an upload may hold at once (Drive: 5 MB for simple and multipart; the rest goes resumable).
MOST_AT_ONCE = 5 * 1024 * 1024
MOST = 100 * 1024 * 1024
READS = (tokens.DRIVE, tokens.DRIVE_READ, tokens.DRIVE_FILE)
WRITES = (tokens.DRIVE, tokens.DRIVE_FILE)

FILE_FIELDS = frozenset(
    {
        "kind",
        "id",
        "name",
        "mimeType",
        "description",
        "parents",
        "size",
        "trashed",
        "starred",
        "createdTime",
        "modifiedTime",
        "webViewLink",
        "webContentLink",
        "owners",
        "permissions",
        "md5Checksum",
        "shared",
        "iconLink",
        "capabilities",
        "fileExtension",
    }
)
_USUAL = "kind,id,name,mimeType"


class FileIn(BaseModel):
    """A file's metadata as it may be written."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    id: str | None = None
    name: Annotated[str, StringConstraints(max_length=32_767)] = "Untitled"
    mime_type: str = ""
    description: str = ""
    parents: list[str] = Field(default=[], max_length=1)
    starred: bool = False
    app_properties: dict[str, str] = {}
    properties: dict[str, str] = {}


class PermissionIn(BaseModel):
    """Who may do what with a file."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    role: Literal["owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"]
    type: Literal["user", "group", "domain", "anyone"]
    email_address: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    domain: str | None = None
    allow_file_discovery: bool = False

    @model_validator(mode="after")
    def _names_whom(self) -> "PermissionIn":
        if (self.type in {"user", "group"}) != (self.email_address is not None):
            raise ValueError("emailAddress is needed for a user or a group, and for nobody else")
        if (self.type == "domain") != (self.domain is not None):
            raise ValueError("domain is needed for a domain, and for nobody else")
        return self


def new_file(world: GoogleWorld, sub: str, told: Json, content: bytes | None = None) -> Json:
    """A file in this person's Drive."""
    file_id, at = new_file_id(), written(now())
    kept: Json = {
        "kind": "drive#file",
        "id": file_id,
        "sub": sub,
        "name": told.get("name") or "Untitled",
        "mimeType": told.get("mimeType") or "application/octet-stream",
        "description": told.get("description", ""),
        "parents": told.get("parents") or [f"root-{sub}"],
        "trashed": False,
        "starred": told.get("starred", False),
        "createdTime": at,
        "modifiedTime": at,
        "permissions": [_owner_of(sub)],
    }
    if content is not None:
        kept["size"] = str(len(content))
        world.keep_content(file_id, content)
    world.keep("file", file_id, kept)
    return kept


def _owner_of(sub: str) -> Json:
    email = (person(sub) or {}).get("email", "")
    return {
        "kind": "drive#permission",
        "id": sub,
        "type": "user",
        "role": "owner",
        "emailAddress": email,
    }


def file_of(world: GoogleWorld, sub: str, file_id: str) -> Json:
    """A file that this person may see. Raises Refusal: what is another's does not exist."""
    kept = world.find("file", file_id)
    if kept is None or not _may_see(kept, sub):
        raise Refusal(404, f"File not found: {file_id}.", reason="notFound", location="fileId")
    return kept


def _may_see(kept: Json, sub: str) -> bool:
    email = (person(sub) or {}).get("email")
    seen_by = (one.get("emailAddress") for one in kept["permissions"])
    return kept["sub"] == sub or email in seen_by


def shown(kept: Json) -> Json:
    """A file as Drive writes it."""
    told = {name: value for name, value in kept.items() if name != "sub"}
    told["owners"] = [person(kept["sub"]) or {}]
    told["shared"] = len(kept["permissions"]) > 1
    told["webViewLink"] = f"https://drive.google.com/file/d/{kept['id']}/view"
    if kept["mimeType"] == SPREADSHEET:
        told["webViewLink"] = f"https://docs.google.com/spreadsheets/d/{kept['id']}/edit"
    return told


async def body_of(request: Request) -> Json:
    """The JSON object that came. Raises Refusal."""
    raw = await request.body()
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise Refusal(400, "Parse Error", reason="parseError") from None
    if not isinstance(body, dict):
        raise Refusal(
            400,
            "Invalid JSON payload received. Root element must be a message.",
            reason="badRequest",
        )
    return body


def _metadata(body: Json) -> Json:
    try:
        return FileIn.model_validate(body).model_dump(by_alias=True, exclude_defaults=True)
    except ValidationError as error:
        raise _unfitting(error) from None


def _unfitting(error: ValidationError) -> Refusal:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "body"
    if first["type"] == "extra_forbidden":
        said = f'Invalid JSON payload received. Unknown name "{place}": Cannot find field.'
        return Refusal(400, said, reason="badRequest", location=place)
    return invalid(f"Invalid value at '{place}': {first['msg']}", place)


# Finding

_TERMS: tuple[tuple[re.Pattern[str], Callable[[Json, str], bool]], ...] = (
    (re.compile(r"name contains '((?:[^'\\]|\\.)*)'"), lambda f, v: v.lower() in f["name"].lower()),
    (re.compile(r"name = '((?:[^'\\]|\\.)*)'"), lambda f, v: f["name"] == v),
    (re.compile(r"mimeType = '([^']*)'"), lambda f, v: f["mimeType"] == v),
    (re.compile(r"mimeType != '([^']*)'"), lambda f, v: f["mimeType"] != v),
    (re.compile(r"'([^']*)' in parents"), lambda f, v: _is_in(f, v)),
    (re.compile(r"trashed = (true|false)"), lambda f, v: f["trashed"] == (v == "true")),
)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_ORDERS = {"name", "createdTime", "modifiedTime", "folder"}


def _is_in(kept: Json, parent: str) -> bool:
    return (f"root-{kept['sub']}" if parent == "root" else parent) in kept["parents"]


def _fits(kept: Json, query: str) -> bool:
    return all(_fits_term(kept, term) for term in _terms(query))


def _terms(query: str) -> list[str]:
    """Split at `and`, but not inside of quotes."""
    terms = [""]
    for part in re.split(r"('(?:[^'\\]|\\.)*')", query):
        if part.startswith("'"):
            terms[-1] += part
            continue
        first, *more = _AND.split(part)
        terms[-1] += first
        terms += more
    return [term.strip() for term in terms if term.strip()]


def _fits_term(kept: Json, term: str) -> bool:
    for pattern, rule in _TERMS:
        if found := pattern.fullmatch(term):
            return rule(kept, re.sub(r"\\(.)", r"\1", found[1]))
    raise invalid("Invalid Value", "q")


@refusing
async def list_files(request: Request) -> Response:
    """`GET /drive/v3/files`."""
    sub = tokens.holder(request, *READS)
    known = ("q", "pageSize", "pageToken", "orderBy", "spaces", "corpora")
    check_parameters(request, *known, "includeItemsFromAllDrives", "supportsAllDrives")
    size = _page_size(request)
    begin = int(request.query_params.get("pageToken") or 0)
    query = request.query_params.get("q", "")
    all_files = [kept for _, kept in world_of(request).each("file") if _may_see(kept, sub)]
    found = [kept for kept in all_files if _fits(kept, query)]
    _sort(found, request.query_params.get("orderBy", "modifiedTime desc"))
    page = found[begin : begin + size]
    answer: Json = {"kind": "drive#fileList", "incompleteSearch": False}
    answer["files"] = [shown(kept) for kept in page]
    if begin + size < len(found):
        answer["nextPageToken"] = str(begin + size)
    wanted = chosen(request, f"kind,nextPageToken,incompleteSearch,files({_USUAL})")
    if set(wanted.get("files", {})) - FILE_FIELDS - {"*"}:
        raise invalid(f"Invalid field selection {request.query_params['fields']}", "fields")
    return JSONResponse(pick(answer, wanted))


def _page_size(request: Request) -> int:
    told = request.query_params.get("pageSize", "100")
    if not told.isdigit() or not 1 <= int(told) <= 1000:
        raise invalid(
            f"Invalid value '{told}'. Values must be within the range: [1, 1000]", "pageSize"
        )
    if not (request.query_params.get("pageToken") or "0").isdigit():
        raise invalid("Invalid Value", "pageToken")
    return int(told)


def _sort(found: list[Json], told: str) -> None:
    for part in reversed(told.split(",")):
        name, _, way = part.strip().partition(" ")
        if name not in _ORDERS or way not in {"", "desc"}:
            raise invalid("Invalid Value", "orderBy")
        found.sort(key=_order(name), reverse=way == "desc")


def _order(name: str) -> Callable[[Json], Any]:
    if name == "folder":
        return lambda kept: kept["mimeType"] != FOLDER
    return lambda kept: kept[name]


# One file


def _answer(request: Request, kept: Json, code: int = 200) -> Response:
    wanted = chosen(request, _USUAL)
    return JSONResponse(pick(shown(kept), wanted, FILE_FIELDS | {"*"}), code)


@refusing
async def show_file(request: Request) -> Response:
    """`GET /drive/v3/files/{id}`, with `alt=media` its content."""
    sub = tokens.holder(request, *READS)
    check_parameters(request, "supportsAllDrives", "acknowledgeAbuse")
    kept = file_of(world_of(request), sub, request.path_params["file_id"])
    if request.query_params.get("alt", "json") != "media":
        return _answer(request, kept)
    if kept["mimeType"].startswith(OF_GOOGLE):
        raise Refusal(
            403,
            "Only files with binary content can be downloaded. Use Export with Docs Editors files.",
            reason="fileNotDownloadable",
            location="alt",
        )
    return Response(world_of(request).content(kept["id"]), media_type=kept["mimeType"])


@refusing
async def export_file(request: Request) -> Response:
    """`GET /drive/v3/files/{id}/export`: a spreadsheet as CSV, a document as text."""
    from aerostic.simulator.google.sheets import as_csv

    sub = tokens.holder(request, *READS)
    check_parameters(request, "mimeType")
    kept = file_of(world_of(request), sub, request.path_params["file_id"])
    wished = request.query_params.get("mimeType", "")
    if kept["mimeType"] == SPREADSHEET and wished == "text/csv":
        return Response(as_csv(world_of(request), kept["id"]), media_type="text/csv")
    if kept["mimeType"] == DOCUMENT and wished == "text/plain":
        return Response(world_of(request).content(kept["id"]), media_type="text/plain")
    if not kept["mimeType"].startswith(OF_GOOGLE):
        raise Refusal(
            403,
            "Export only supports Docs Editors files.",
            reason="fileNotExportable",
            location="fileId",
        )
    raise Refusal(
        400, "The requested conversion is not supported.", reason="badRequest", location="convertTo"
    )


@refusing
async def create_file(request: Request) -> Response:
    """`POST /drive/v3/files`: a folder, or an empty file."""
    sub = tokens.holder(request, *WRITES)
    check_parameters(request, "supportsAllDrives")
    told = _metadata(await body_of(request))
    return _answer(request, _create(world_of(request), sub, told, None))


def _create(world: GoogleWorld, sub: str, told: Json, content: bytes | None) -> Json:
    for parent in told.get("parents", []):
        if parent != "root":
            file_of(world, sub, parent)
    told["parents"] = [f"root-{sub}" if one == "root" else one for one in told.get("parents", [])]
    return new_file(world, sub, told, content)


@refusing
async def delete_file(request: Request) -> Response:
    """`DELETE /drive/v3/files/{id}`."""
    sub = tokens.holder(request, *WRITES)
    kept = file_of(world_of(request), sub, request.path_params["file_id"])
    world_of(request).forget("file", kept["id"])
    return Response(status_code=204)


@refusing
async def share_file(request: Request) -> Response:
    """`POST /drive/v3/files/{id}/permissions`."""
    sub = tokens.holder(request, *WRITES)
    check_parameters(
        request, "sendNotificationEmail", "emailMessage", "supportsAllDrives", "transferOwnership"
    )
    kept = file_of(world_of(request), sub, request.path_params["file_id"])
    if kept["sub"] != sub:
        said = "The user does not have sufficient permissions for this file."
        raise Refusal(403, said, reason="insufficientFilePermissions")
    try:
        told = PermissionIn.model_validate(await body_of(request))
    except ValidationError as error:
        raise _unfitting(error) from None
    if told.role == "owner" and request.query_params.get("transferOwnership") != "true":
        said = (
            "The transferOwnership parameter must be enabled when the permission role is 'owner'."
        )
        raise Refusal(403, said, reason="forbidden", location="transferOwnership")
    made = {
        "kind": "drive#permission",
        "id": new_token("")[:20],
        **told.model_dump(by_alias=True, exclude_none=True),
    }
    kept["permissions"].append(made)
    world_of(request).keep("file", kept["id"], kept)
    return JSONResponse(pick(made, chosen(request, "kind,id,type,role")))


# Uploading


@refusing
async def upload(request: Request) -> Response:
    """`POST /upload/drive/v3/files`: `media`, `multipart` or `resumable`."""
    sub = tokens.holder(request, *WRITES)
    check_parameters(request, "uploadType", "supportsAllDrives")
    match request.query_params.get("uploadType"):
        case "media":
            kind = request.headers.get("content-type", "application/octet-stream")
            content = await _content(request, MOST_AT_ONCE)
            kept = _create(world_of(request), sub, {"mimeType": kind}, content)
            return _answer(request, kept)
        case "multipart":
            told, content = _parts(request, await _content(request, MOST_AT_ONCE))
            return _answer(request, _create(world_of(request), sub, told, content))
        case "resumable":
            return await _begin(request, sub)
        case other:
            raise invalid(f"Invalid upload type: {other}", "uploadType")


async def _content(request: Request, most: int) -> bytes:
    content = await request.body()
    if len(content) > most:
        raise Refusal(413, "Request Too Large", reason="uploadTooLarge")
    return content


def _parts(request: Request, raw: bytes) -> tuple[Json, bytes]:
    """`multipart/related`: metadata first, content second (RFC 2387)."""
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    found = re.search(r'boundary="?([^";]+)"?', rest)
    if kind.strip() != "multipart/related" or not found:
        raise Refusal(400, "Bad content type. Please use multipart/related.", reason="badContent")
    pieces = raw.split(b"--" + found[1].encode())
    if len(pieces) != 4 or pieces[-1].strip() != b"--":
        raise Refusal(400, "Malformed multipart body.", reason="badContent")
    first, second = (_piece(one) for one in pieces[1:3])
    if not first[0].startswith("application/json"):
        raise Refusal(400, "The first part must be application/json.", reason="badContent")
    try:
        body = json.loads(first[1])
    except ValueError:
        raise Refusal(400, "Parse Error", reason="parseError") from None
    told = _metadata(body)
    return {"mimeType": second[0] or "application/octet-stream", **told}, second[1]


def _piece(raw: bytes) -> tuple[str, bytes]:
    head, _, content = raw.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    kinds = re.findall(rb"(?im)^content-type:\s*([^\r\n]+)", head)
    return (kinds[0].decode("latin-1").strip() if kinds else ""), content.removesuffix(b"\r\n")


async def _begin(request: Request, sub: str) -> Response:
    told = _metadata(await body_of(request))
    told.setdefault("mimeType", request.headers.get("x-upload-content-type", ""))
    length = request.headers.get("x-upload-content-length", "0")
    if not length.isdigit() or int(length) > MOST:
        raise Refusal(413, "Request Too Large", reason="uploadTooLarge")
    session = new_token("u-")
    world_of(request).keep("upload", session, {"sub": sub, "told": told})
    asked = {"upload_id": session, "uploadType": "resumable"}
    if fields := request.query_params.get("fields"):
        asked["fields"] = fields
    here = f"{request.url.scheme}://{request.headers['host']}{request.url.path}"
    return Response(status_code=200, headers={"Location": f"{here}?{urlencode(asked)}"})


@refusing
async def continue_upload(request: Request) -> Response:
    """`PUT` to the session's address: the content, whole or in pieces told by `Content-Range`."""
    world, session = world_of(request), request.query_params.get("upload_id", "")
    kept = world.find("upload", session)
    if kept is None:
        raise Refusal(404, "The upload session was not found.", reason="notFound")
    begin, end, total = _range(request)
    piece = await _content(request, MOST)
    content = world.content(session)[:begin]
    if len(content) != begin or (end is not None and len(piece) != end - begin + 1):
        raise invalid("The range does not continue the upload.", "Content-Range")
    content += piece
    if total is not None and len(content) < total:
        world.keep_content(session, content)
        return Response(status_code=308, headers={"Range": f"bytes=0-{len(content) - 1}"})
    world.forget("upload", session)
    return _answer(request, _create(world, str(kept["sub"]), kept["told"], content))


def _range(request: Request) -> tuple[int, int | None, int | None]:
    told = request.headers.get("content-range")
    if told is None:
        return 0, None, None
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", told)
    if not found:
        raise invalid("Invalid Value", "Content-Range")
    return int(found[1]), int(found[2]), int(found[3])


def seed(world: GoogleWorld) -> None:
    """A new world holds something to find."""
    if any(True for _ in world.each("file")):
        return
    for one in PEOPLE:
        sub = str(one["sub"])
        menu = b"Bluebird Cafe\n\nFlat white 3.40\nCarrot cake 4.20\nOpen daily from 8 to 18.\n"
        new_file(world, sub, {"name": "Menu.txt", "mimeType": "text/plain"}, menu)


ROUTES: list[Any] = [
    Route("/drive/v3/files", list_files),
    Route("/drive/v3/files", create_file, methods=["POST"]),
    Route("/drive/v3/files/{file_id}", show_file),
    Route("/drive/v3/files/{file_id}", delete_file, methods=["DELETE"]),
    Route("/drive/v3/files/{file_id}/export", export_file),
    Route("/drive/v3/files/{file_id}/permissions", share_file, methods=["POST"]),
    Route("/upload/drive/v3/files", upload, methods=["POST"]),
    Route("/upload/drive/v3/files", continue_upload, methods=["PUT"]),
]
