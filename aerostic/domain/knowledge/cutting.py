"""Cutting text into passages: at sentences, small enough to quote, each beginning where the last one ends."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aerostic.domain.knowledge.likeness import STOPS, split_sentences
from aerostic.integrations.documents.reading import Piece

LONGEST = 900  # characters: about 200 words
OVERLAP = 150  # of the end of the passage before, so that nothing is torn from what it belongs to
MOST_PASSAGES = 10_000


@dataclass(frozen=True, slots=True)
class Passage:
    place: str
    text: str


def cut(pieces: Iterable[Piece]) -> Iterator[Passage]:
    """Passages in their order. Short pieces that stand beside each other, such as rows, are put together."""
    for piece in _gathered(pieces):
        for text in _cut_text(piece.text):
            yield Passage(piece.place, text)


def _gathered(pieces: Iterable[Piece]) -> Iterator[Piece]:
    waiting: list[Piece] = []
    for piece in pieces:
        if waiting and sum(len(one.text) for one in waiting) + len(piece.text) > LONGEST // 2:
            yield _together(waiting)
            waiting = []
        waiting.append(piece)
    if waiting:
        yield _together(waiting)


def _together(pieces: list[Piece]) -> Piece:
    first, last = pieces[0].place, pieces[-1].place
    place = first if first == last or not last else f"{first} to {last}" if first else last
    return Piece(place, "\n\n".join(one.text for one in pieces))


def _cut_text(text: str) -> Iterator[str]:
    passage: list[str] = []
    for sentence in _short_enough(split_sentences(text)):
        if passage and sum(map(len, passage)) + len(passage) + len(sentence) > LONGEST:
            yield _joined(passage)
            passage = _end_of(passage)
        passage.append(sentence)
    if passage:
        yield _joined(passage)


def _joined(passage: list[str]) -> str:
    """A heading or a row has no full stop: what follows begins a new line."""
    return "".join(one + (" " if one[-1] in STOPS else "\n") for one in passage).rstrip()


def _end_of(passage: list[str]) -> list[str]:
    """The last sentences that fit into the overlap; none if the last alone is longer."""
    kept: list[str] = []
    for sentence in reversed(passage):
        if sum(map(len, kept)) + len(sentence) > OVERLAP:
            break
        kept.insert(0, sentence)
    return kept


def _short_enough(sentences: Iterable[str]) -> Iterator[str]:
    """What has no end, such as a list of numbers, is cut at a space."""
    for sentence in sentences:
        rest = sentence
        while len(rest) > LONGEST - OVERLAP:
            at = rest.rfind(" ", 1, LONGEST - OVERLAP)
            at = at if at > 0 else LONGEST - OVERLAP
            yield rest[:at]
            rest = rest[at:].lstrip()
        yield rest
