"""How alike two texts are by their words alone: TF-IDF, as it was in 1972 (Spärck Jones), and no more.

No language is known here. Words are compared by their letters in threes as well, so that `deliver`,
`delivery` and a slip of the finger are near each other.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from aerostic.domain.contacts.words import fold

_WORD = re.compile(r"[^\W_]{2,}")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
WEIGHT_OF_LETTERS = 0.4  # a shared group of letters beside a shared word

# In what most people write here; a word that says nothing about what is asked.
COMMON = frozenset(
    _WORD.findall(
        "the and for you your are can that this with what who how not have from will would please any "
        "does when where tell give get use its our was has about is do it me my we to in on at of or be an "
        "there here like want need much many long some then than they them he she if so but by as no yes "
        "der die das und oder ist sind ein eine wie was wann wo ich sie ihr mit auf den dem zu im haben kann "
        "el la los las un una de que como cuando donde es son para por con en mi su se me lo hay tiene "
        "le les des et ou est sont comment quand dans pour avec sur mon ma vous je il elle au aux "
        "o os as um uma do da dos das em no na com por para qual quanto onde voce voces eu meu minha "
    )
)


def words(text: str) -> list[str]:
    """The words of a text, folded: no accents, no capitals, common ones left out.

    Where a script puts no spaces, each pair of characters stands for a word.
    """
    return [
        part for word in _WORD.findall(fold(text)) if word not in COMMON for part in _parts(word)
    ]


def _parts(word: str) -> list[str]:
    if not _UNSPACED.search(word):
        return [word]
    return [word[at : at + 2] for at in range(max(1, len(word) - 1))]


def _features(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word in words(text):
        found[word] += 1
        padded = f"<{word}>"
        for at in range(len(padded) - 2):
            found[f"·{padded[at : at + 3]}"] += 1
    return found


class Corpus:
    """Texts by which others are measured: rare words count for more."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [_features(text) for text in texts]
        seen = Counter(feature for one in counted for feature in one)
        self._rarity = {
            feature: math.log((1 + len(texts)) / (1 + times)) + 1 for feature, times in seen.items()
        }
        self._unseen = math.log(1 + len(texts)) + 1
        self._vectors = [self._vector(one) for one in counted]

    def nearest(self, text: str) -> tuple[int, float]:
        """Which text is most like this one, and how much: 0 not at all, 1 the same. (-1, 0.0): none."""
        asked = self._vector(_features(text))
        found = [(_dot(asked, one), at) for at, one in enumerate(self._vectors)]
        score, at = max(found, default=(0.0, -1))
        return (at, score) if score > 0 else (-1, 0.0)

    def _vector(self, counted: Mapping[str, int]) -> dict[str, float]:
        weights = {
            feature: (1 + math.log(times))
            * self._rarity.get(feature, self._unseen)
            * (WEIGHT_OF_LETTERS if feature.startswith("·") else 1.0)
            for feature, times in counted.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {feature: weight / length for feature, weight in weights.items()}


def _dot(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    small, large = (one, other) if len(one) < len(other) else (other, one)
    return sum(weight * large.get(feature, 0.0) for feature, weight in small.items())


def coverage(asked: Sequence[str], text: str, rarity: Mapping[str, float]) -> float:
    """How much of what was asked a text speaks of, from 0 to 1. Rare words count for more."""
    there = set(words(text))
    whole = sum(rarity.get(word, 1.0) for word in asked)
    found = sum(rarity.get(word, 1.0) * _best(word, there) for word in asked)
    return found / whole if whole else 0.0


def _best(word: str, there: set[str]) -> float:
    if word in there:
        return 1.0
    return 0.8 if any(_same_stem(word, other) for other in there) else 0.0


def _same_stem(one: str, other: str) -> bool:
    """`deliver` and `delivery`, `opening` and `opened`: most of the longer word's beginning is shared."""
    need = max(4, math.ceil(0.6 * max(len(one), len(other))))
    return one[:need] == other[:need] and len(one) >= need and len(other) >= need


def best_sentences(asked: Sequence[str], text: str, *, at_most: int) -> str:
    """The sentences of a text that speak of what was asked, in their order, up to so many characters."""
    whole = split_sentences(text)
    sentences = [one for one in whole if not _is_heading(one)] or whole
    flat: dict[str, float] = {}
    scored = sorted(
        range(len(sentences)), key=lambda at: (-coverage(asked, sentences[at], flat), at)
    )
    chosen: list[int] = []
    room = at_most
    for at in scored:
        if chosen and (len(sentences[at]) > room or not coverage(asked, sentences[at], flat)):
            break
        chosen.append(at)
        room -= len(sentences[at])
    return " ".join(sentences[at] for at in sorted(chosen))[:at_most]


def _is_heading(sentence: str) -> bool:
    return sentence[-1] not in STOPS and ":" not in sentence and len(sentence.split()) <= 6


STOPS = frozenset(".!?。！？…\"'”’)]")
_END = re.compile(r"(?<=[.!?。！？…])[\"'”’)\]]*\s+|\n+")


def split_sentences(text: str) -> list[str]:
    return [part.strip() for part in _END.split(text) if part.strip()]


def query_for_postgres(asked: Iterable[str]) -> str:
    """Any of the words, or a word that begins alike, as `to_tsquery('simple', …)` reads it."""
    stems = {word if len(word) < 6 else word[: max(4, len(word) - 2)] for word in asked}
    return " | ".join(f"{stem}:*" for stem in sorted(stems))
