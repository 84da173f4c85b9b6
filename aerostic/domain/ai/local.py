"""Answering without a language model: the nearest example, or the sentences of the documents that fit.

It knows no language and makes nothing up: what it says was written by the workspace. It uses no tools, and
hands over where it is not sure. Whoever uses it is told that it is this that answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aerostic.domain.ai.persona import Persona
from aerostic.domain.knowledge.likeness import Corpus, best_sentences, words
from aerostic.domain.knowledge.searching import Found

LABEL = "Answered without a language model, from examples and documents."
NEAR_ENOUGH = 0.35  # of an example, before it counts at all
LONGEST_ANSWER = 600


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """`source`: the number of the passage that was quoted, from 1; 0: it was an example, or nothing."""

    text: str
    confidence: float
    source: int = 0


def answer(agent: Persona, question: str, passages: Sequence[Found]) -> LocalAnswer:
    """The likeliest answer and how sure it is, 0 to 1. Empty text: there is none."""
    from_example = _from_examples(agent, question)
    from_passage = _from_passages(question, passages)
    return max(from_example, from_passage, key=lambda one: one.confidence)


def _from_examples(agent: Persona, question: str) -> LocalAnswer:
    at, score = Corpus([one.question for one in agent.examples]).nearest(question)
    if at < 0 or score < NEAR_ENOUGH:
        return LocalAnswer("", 0.0)
    return LocalAnswer(agent.examples[at].answer, round(score, 3))


def _from_passages(question: str, passages: Sequence[Found]) -> LocalAnswer:
    if not passages:
        return LocalAnswer("", 0.0)
    at = max(range(len(passages)), key=lambda number: passages[number].score)
    best = passages[at]
    quoted = best_sentences(words(question), best.text, at_most=LONGEST_ANSWER)
    return LocalAnswer(quoted, round(best.score, 3), at + 1) if quoted else LocalAnswer("", 0.0)
