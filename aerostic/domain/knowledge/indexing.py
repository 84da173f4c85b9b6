"""From a document to its passages: fetch it if it is a web page, read it, cut it, ask for vectors."""

from dataclasses import dataclass, field

from aerostic.domain.knowledge import embedding, fetching, files
from aerostic.domain.knowledge.cutting import MOST_PASSAGES, Passage, cut
from aerostic.domain.knowledge.service import ToRead
from aerostic.integrations.documents import isolated
from aerostic.integrations.documents.reading import CanNotRead, DocumentKind
from aerostic.integrations.gemini.errors import GeminiProblem


@dataclass(frozen=True, slots=True)
class Read:
    """What a document holds. `note`: what a reader should know though it worked."""

    passages: list[Passage]
    places: int
    size: int
    kind: DocumentKind
    vectors: list[list[float]] = field(default_factory=list)
    note: str = ""


def read(work: ToRead) -> Read:
    """Holds no transaction open. Raises an AppError with the reason where nothing comes of it."""
    kind = fetching.fetch(work.url, work.storage_key) if work.url else work.kind
    path = files.path_of(work.storage_key)
    if not path.is_file():
        raise CanNotRead("The file is not here any more. Upload it again.")
    pieces = isolated.read(path, kind)
    passages = list(cut(pieces))
    if not passages:
        raise CanNotRead(_nothing_in(kind))
    if len(passages) > MOST_PASSAGES:
        raise CanNotRead(f"The document gives more than {MOST_PASSAGES:,} passages. Split it.")
    vectors, note = _vectors(passages)
    places = len({one.place for one in pieces})
    return Read(passages, places, path.stat().st_size, kind, vectors, note)


def _nothing_in(kind: DocumentKind) -> str:
    if kind is DocumentKind.PDF:
        return "There is no text in this PDF: it may be scanned pictures. Save it with text, then upload it."
    return "There is no text in this document."


def _vectors(passages: list[Passage]) -> tuple[list[list[float]], str]:
    """Without them a document is found by its words, so a refusal of Gemini's is only noted."""
    try:
        return embedding.vectors_of([one.text for one in passages]), ""
    except GeminiProblem as problem:
        return [], f"Found by its words only. {problem.message}"
