"""A web page for a knowledge base, through the one client that refuses private addresses."""

from aerostic.domain.knowledge import files
from aerostic.integrations.documents.reading import CanNotRead, DocumentKind
from aerostic.integrations.outside import client as outside
from aerostic.integrations.outside.client import OutsideProblem, Request

SECONDS = 30

_KINDS = {
    "text/html": DocumentKind.HTML,
    "application/xhtml+xml": DocumentKind.HTML,
    "application/pdf": DocumentKind.PDF,
    "text/plain": DocumentKind.TEXT,
    "text/markdown": DocumentKind.MARKDOWN,
    "text/csv": DocumentKind.CSV,
}


def fetch(url: str, storage_key: str) -> DocumentKind:
    """Put what stands at the address in the document's place; return what it is. Raises CanNotRead."""
    asked = Request(
        url, headers={"Accept": ", ".join(_KINDS)}, seconds=SECONDS, most_bytes=files.LARGEST
    )
    try:
        answer = outside.ask(asked)
    except OutsideProblem as problem:
        raise CanNotRead(problem.sentence) from problem
    if not answer.is_success:
        raise CanNotRead(
            f"The address answers with {answer.status}. Does it open without signing in?"
        )
    kind = _KINDS.get(answer.media_type)
    if kind is None:
        what = answer.media_type or "something without a type"
        raise CanNotRead(f"At the address stands {what[:60]}. Pages, PDF and text can be read.")
    files.write(storage_key, [answer.body])
    return kind
