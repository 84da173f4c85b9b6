"""Files of a workspace: uploaded to be sent, and opened by those who may see them. Never public."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, UploadFile
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from aerostic.core.errors import NotFound, TooLarge
from aerostic.core.tenancy import unit_of_work
from aerostic.domain.identity.queries import Principal, WorkspaceSuspended
from aerostic.domain.media import kinds, service
from aerostic.domain.media.models import Media
from backend_api.deps import Address, Ctx, Signed, workspace_of

router = APIRouter(tags=["Media"])

CHUNK = 256 * 1024
ROOM_FOR_THE_FORM = 64 * 1024


class MediaOut(BaseModel):
    """A file of the workspace."""

    id: UUID
    url: str
    mime_type: str
    file_name: str
    size: int

    @classmethod
    def of(cls, media: Media) -> "MediaOut":
        return cls(
            id=media.id,
            url=f"/media/{media.id}",
            mime_type=media.mime_type,
            file_name=media.file_name,
            size=media.size,
        )


@router.post("/api/v1/media", status_code=201)
def upload(ctx: Ctx, request: Request, file: UploadFile) -> MediaOut:
    """Upload a file to send later. WhatsApp's limits on kind and size are checked now."""
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > kinds.LARGEST + ROOM_FOR_THE_FORM:
        raise TooLarge("WhatsApp takes files of at most 100 MB.")
    media = service.store_upload(
        ctx,
        _chunks(file),
        file_name=file.filename or "",
        mime_type=file.content_type or "",
    )
    return MediaOut.of(media)


def _chunks(file: UploadFile) -> Iterator[bytes]:
    while chunk := file.file.read(CHUNK):
        yield chunk


@router.get(
    "/media/{media_id}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}, 206: {}, 304: {}},
)
def open_file(
    principal: Signed,
    address: Address,
    media_id: UUID,
    workspace: Annotated[
        str | None, Query(description="Id or short name; else any of yours.")
    ] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A file, if it is one of your workspaces'. Understands ranges, so that sound and film can be wound."""
    media, path = _open(principal, address, media_id, workspace)
    headers = _headers(media)
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=_shown_type(media), headers=headers)


def _open(
    principal: Principal, address: str, media_id: UUID, workspace: str | None
) -> tuple[Media, Path]:
    """An `<img>` can not name a workspace in a header, so each of the caller's is asked."""
    named = [workspace_of(principal, workspace)] if workspace else list(principal.memberships)
    for tenant_id in named:
        try:
            actor = principal.actor_in(tenant_id, address)
            assert actor is not None, "each is one of theirs"
            with unit_of_work(tenant_id, actor) as ctx:
                return service.open_media(ctx, media_id)
        except (NotFound, WorkspaceSuspended):  # it may be in another one
            continue
    raise NotFound("That file is not here.")


def _is_shown(media: Media) -> bool:
    return kinds.bare(media.mime_type) in kinds.SHOWN


def _shown_type(media: Media) -> str:
    """Only what a browser shows without running it keeps its type."""
    return media.mime_type if _is_shown(media) else kinds.UNKNOWN


def _headers(media: Media) -> dict[str, str]:
    kind = "inline" if _is_shown(media) else "attachment"
    name = quote(kinds.safe_name(media.file_name, media.mime_type))
    return {
        "ETag": f'"{media.sha256}"',
        "Content-Disposition": f"{kind}; filename*=utf-8''{name}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=86400",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
