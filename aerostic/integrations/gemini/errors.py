"""What Gemini refuses, by its own status, with a sentence for people.

GeminiProblem
  ├─ KeyRefused     the key is wrong, has expired or lacks the right
  ├─ QuotaUsed      too many questions for this key
  ├─ Overloaded     Google says: later
  ├─ NotReached     nothing arrived there
  ├─ NoAnswer       it took too long, or broke off: whether it was answered is not known
  ├─ ModelUnknown   there is no such model
  ├─ NotUnderstood  the question has a form that it does not take
  └─ Blocked        it would not answer this
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aerostic.integrations.google.problem import Problem

if TYPE_CHECKING:
    from google.genai import errors


class GeminiProblem(Problem):
    """Of a model."""

    code = "gemini"


class KeyRefused(GeminiProblem):
    code = "gemini_key_refused"


class QuotaUsed(GeminiProblem):
    code = "gemini_quota_used"
    may_pass = True


class Overloaded(GeminiProblem):
    code = "gemini_overloaded"
    may_pass = True


class NotReached(GeminiProblem):
    code = "gemini_not_reached"
    may_pass = True


class NoAnswer(GeminiProblem):
    code = "gemini_no_answer"


class ModelUnknown(GeminiProblem):
    code = "gemini_model_unknown"


class NotUnderstood(GeminiProblem):
    code = "gemini_not_understood"


class Blocked(GeminiProblem):
    code = "gemini_blocked"


KEY_WORDS = ("API_KEY_INVALID", "API key not valid", "API key expired")


def in_words(error: "errors.APIError") -> GeminiProblem:
    """Google's answer as one of ours. Its own words are kept where they say what to change."""
    said = str(error.message or "").strip()[:300]
    if error.code in {401, 403} or any(word in f"{said} {error.details}" for word in KEY_WORDS):
        return KeyRefused("Google refuses the Gemini key. Ask your operator to check it.")
    if error.code == 404:
        return ModelUnknown(f"Gemini does not know this model: {said}")
    if error.code == 429:
        return QuotaUsed("Gemini's limit for this key is used up. Try again in a minute.")
    if error.code >= 500:
        return Overloaded("Gemini has trouble answering right now. Try again in a minute.")
    return NotUnderstood(f"Gemini did not take the question: {said}")


REASONS: Mapping[str, str] = {
    "SAFETY": "Gemini would not answer this for reasons of safety.",
    "PROHIBITED_CONTENT": "Gemini would not answer this: its rules forbid it.",
    "BLOCKLIST": "Gemini would not answer this: its rules forbid it.",
    "SPII": "Gemini would not answer this: it holds sensitive personal data.",
    "RECITATION": "Gemini stopped: its answer would have repeated a protected text.",
    "MALFORMED_FUNCTION_CALL": "Gemini tried to use a tool in a way that can not be read.",
    "UNEXPECTED_TOOL_CALL": "Gemini tried to use a tool that was not offered.",
    "MAX_TOKENS": "Gemini's answer was longer than the limit allows.",
}


def blocked(reason: str) -> Blocked:
    """For an answer without content."""
    return Blocked(REASONS.get(reason, f"Gemini gave no answer (it says: {reason})."))
