"""Files that a step fetches from the internet, to send them on."""

from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from uuid import UUID

from aerostic.core.errors import AppError
from aerostic.core.tenancy import Context
from aerostic.domain.automation.nodes.base import NodeFailed, Outside
from aerostic.domain.automation.nodes.http import MAY_PASS
from aerostic.domain.media import service as media
from aerostic.integrations.outside import Answer, NoAnswer, OutsideProblem, Request

SECONDS = 50
MOST_BYTES = 20_000_000  # held in memory while they come
PAGES = {"text/html", "application/xhtml+xml"}


async def fetch(url: str, outside: Outside) -> UUID:
    """Take the file at an address into our own storage. Raises NodeFailed with the reason."""
    answer = await _ask(url, outside)
    try:
        return await outside.ask(_store, answer)
    except AppError as error:
        raise NodeFailed(error.message) from error


async def _ask(url: str, outside: Outside) -> Answer:
    request = Request(url=url, seconds=SECONDS, most_bytes=MOST_BYTES)
    try:
        answer: Answer = await outside.http().send(request)
    except OutsideProblem as problem:
        raise NodeFailed(problem.sentence, may_pass=isinstance(problem, NoAnswer)) from problem
    if not answer.is_success:
        raise NodeFailed(
            f"There is no file at that address: it answered {answer.status}.",
            may_pass=answer.status in MAY_PASS,
        )
    if answer.media_type in PAGES:
        raise NodeFailed("There is a web page at that address, and not a file.")
    return answer


def _store(ctx: Context, answer: Answer) -> UUID:
    stored = media.store_upload(
        ctx, [answer.body], file_name=_name(answer), mime_type=answer.media_type
    )
    return stored.id


def _name(answer: Answer) -> str:
    """As the other side calls it (RFC 6266), else the end of its address."""
    told = Message()
    told["Content-Disposition"] = answer.headers.get("content-disposition", "")
    return told.get_filename() or PurePosixPath(unquote(urlsplit(answer.url).path)).name
