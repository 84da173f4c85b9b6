"""The sample files of media headers: ours, checked as Meta checks them, uploaded with a submission."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from aerostic.core.errors import Invalid
from aerostic.core.tenancy import Context
from aerostic.domain.media import storage
from aerostic.domain.media.models import Media, MediaStatus
from aerostic.domain.templates.definition import (
    FILE_FORMATS,
    Definition,
    Header,
    HeaderFormat,
    headers,
)
from aerostic.integrations.meta.management import Management

MB = 1024 * 1024
# Meta's resumable upload takes these (Graph API, resumable upload), up to the sizes of its messages.
TYPES = {
    HeaderFormat.IMAGE: (frozenset({"image/jpeg", "image/png"}), 5 * MB, "JPEG or PNG"),
    HeaderFormat.VIDEO: (frozenset({"video/mp4"}), 16 * MB, "MP4"),
    HeaderFormat.DOCUMENT: (frozenset({"application/pdf"}), 100 * MB, "PDF"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    path: Path
    file_name: str
    mime_type: str


def check(ctx: Context, definition: Definition) -> None:
    """Raises Invalid for a sample that is not here, or that Meta would not take."""
    files(ctx, definition)


def files(ctx: Context, definition: Definition) -> dict[str, Sample]:
    """The samples that a definition names, by the place of their header."""
    return {
        place: _sample(ctx, place, header)
        for place, header in headers(definition).items()
        if header.format in FILE_FORMATS and header.media_id
    }


def _sample(ctx: Context, place: str, header: Header) -> Sample:
    field = f"{place}.media_id"
    try:
        media = ctx.get(Media, UUID(header.media_id))
    except ValueError:
        raise Invalid(field, "A file is named by its id.") from None
    if media is None or media.status != MediaStatus.STORED:
        raise Invalid(field, "That file is not here (any more). Upload it again.")
    types, most, words = TYPES[header.format]
    kind = media.mime_type.partition(";")[0].strip().lower()
    if kind not in types:
        raise Invalid(field, f"Meta takes {words} here, not {kind or 'this file'}.")
    if media.size > most:
        raise Invalid(field, f"This file is too big: Meta takes {most // MB} MB here.")
    return Sample(storage.path_of(media.storage_key), media.file_name, kind)


def upload(meta: Management, definition: Definition, files: dict[str, Sample]) -> None:
    """Give every header that has a file of ours the handle of its upload."""
    for place, header in headers(definition).items():
        if place in files:
            one = files[place]
            header.handle = meta.upload_sample(
                one.path, file_name=one.file_name or "sample", mime_type=one.mime_type
            )


def kept(definition: Definition) -> dict[str, str]:
    """What is remembered of a submitted template: Meta shows no way from its sample back to our file."""
    return {
        place: header.media_id
        for place, header in headers(definition).items()
        if header.format in FILE_FORMATS and header.media_id
    }
