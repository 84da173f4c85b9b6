"""Files: fetched from Meta, taken from people, opened for those who may see them."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlmodel import select

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import AppError, NotFound, Refused, TooLarge
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import PhoneNumber, WhatsappAccount
from aerostic.domain.channels.service import access_token
from aerostic.domain.media import kinds, storage
from aerostic.domain.media.models import Media, MediaStatus
from aerostic.domain.media.storage import NoRoom, Stored
from aerostic.integrations.meta.media import Gone, MediaClient, NotNow

MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=10)  # doubled each time: the last try is about 40 minutes later


class Damaged(Refused):
    """What came is not what was announced."""


@requires(Permission.MEDIA_STORE)
def fetch(ctx: Context, media_id: UUID) -> None:
    """Fetch a file from Meta, or note in words why it can not be had. Nothing is held open meanwhile."""
    media = ctx.get(Media, media_id)
    if media is None or media.status != MediaStatus.PENDING:
        due_work.settle(ctx, WorkKind.MEDIA, media_id)
        return
    try:
        number, account = _account_of(ctx, media)
        token = access_token(account)
        ctx.release()
        with MediaClient(token, graph_version=account.graph_version) as meta:
            facts = meta.find(media.meta_media_id or "", phone_number_id=number.phone_number_id)
            with meta.open(facts.url) as chunks:
                announced = media.sha256 or facts.sha256
                stored = storage.write(
                    ctx.tenant_id,
                    chunks,
                    at_most=kinds.LARGEST,
                    check=lambda stored: _check_is_whole(stored, announced),
                )
    except (NotNow, NoRoom, Damaged) as error:
        _try_again(ctx, media_id, error)
    except (Gone, Refused, TooLarge) as error:
        _give_up(ctx, media_id, error)
    else:
        _keep(ctx, media_id, stored, facts.mime_type)


def _account_of(ctx: Context, media: Media) -> tuple[PhoneNumber, WhatsappAccount]:
    number = ctx.get(PhoneNumber, media.number_id) if media.number_id else None
    account = ctx.get(WhatsappAccount, number.account_id) if number else None
    if number is None or account is None:
        raise Refused("The number that received this file is not here any more.")
    return number, account


def _check_is_whole(stored: Stored, announced: str) -> None:
    if announced and announced not in {stored.sha256, stored.sha256_base64}:
        raise Damaged("The file arrived damaged.")


def _keep(ctx: Context, media_id: UUID, stored: Stored, told_type: str) -> None:
    media = ctx.get(Media, media_id, for_update=True)
    if media is None or media.status == MediaStatus.STORED:
        return
    _describe(ctx, media, stored, declared=media.mime_type or told_type)
    due_work.settle(ctx, WorkKind.MEDIA, media_id)
    _announce(ctx, media)


def _describe(ctx: Context, media: Media, stored: Stored, *, declared: str) -> None:
    media.mime_type = kinds.settle(declared, stored.head)
    media.size, media.sha256, media.storage_key = stored.size, stored.sha256, stored.key
    media.status, media.problem, media.stored_at = MediaStatus.STORED, None, ctx.now


def _try_again(ctx: Context, media_id: UUID, error: AppError) -> None:
    media = ctx.get(Media, media_id, for_update=True)
    if media is None:
        return
    media.attempts += 1
    if media.attempts >= MOST_ATTEMPTS:
        _fail(ctx, media, error)
    else:
        pause = FIRST_PAUSE * 2 ** (media.attempts - 1)
        media.problem = error.message
        due_work.postpone(ctx, WorkKind.MEDIA, media_id, ctx.now + pause)


def _give_up(ctx: Context, media_id: UUID, error: AppError) -> None:
    media = ctx.get(Media, media_id, for_update=True)
    if media is not None:
        _fail(ctx, media, error)


def _fail(ctx: Context, media: Media, error: AppError) -> None:
    media.status, media.problem = MediaStatus.FAILED, error.message
    due_work.settle(ctx, WorkKind.MEDIA, media.id)
    _announce(ctx, media)


def _announce(ctx: Context, media: Media) -> None:
    if media.conversation_id is not None:
        ctx.announce("conversation", media.conversation_id)


@requires(Permission.INBOX_REPLY)
def store_upload(ctx: Context, chunks: Iterable[bytes], *, file_name: str, mime_type: str) -> Media:
    """Take a file that someone wants to send. Raises Invalid or TooLarge for what WhatsApp would refuse."""
    declared = mime_type or kinds.UNKNOWN

    def check(stored: Stored) -> None:
        kinds.check(kinds.settle(declared, stored.head), stored.size)

    stored = storage.write(ctx.tenant_id, chunks, at_most=kinds.LARGEST, check=check)
    media = Media(file_name=kinds.safe_name(file_name, mime_type))
    _describe(ctx, media, stored, declared=declared)
    ctx.session.add(media)
    ctx.session.flush()
    return media


@requires(Permission.INBOX_READ)
def open_media(ctx: Context, media_id: UUID) -> tuple[Media, Path]:
    """A file that is here, and where it lies. Raises NotFound: not (yet) here, or another tenant's."""
    statement = select(Media).where(Media.tenant_id == ctx.tenant_id, Media.id == media_id)
    media = ctx.session.exec(statement).one_or_none()
    if media is None or media.status != MediaStatus.STORED:
        raise NotFound("That file is not here.")
    path = storage.path_of(media.storage_key)
    if not path.is_file():
        raise NotFound("That file is not here any more.")
    return media, path
