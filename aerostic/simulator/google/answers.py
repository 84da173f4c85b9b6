"""How the stand-in answers without a script: by the words of the question, never by knowing anything.

A function whose name or description shares a word with the question is called once, its parameters filled
with what looks right; what it returns is said back. Else the sentence of the instructions that shares most
words with the question is the answer.
"""

import json
import re
from typing import Any

from aerostic.simulator.google.schema import FunctionDeclaration, GenerateRequest

Json = dict[str, Any]

_WORD = re.compile(r"\w{3,}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "the and for you your are can that this with what who how not have from will would please any "
        "all does when where tell give get use its our was has about answer question customer only",
    )
)


def answer_by_rules(asked: GenerateRequest) -> Json:
    last = asked.contents[-1]
    results = [part.function_response for part in last.parts if part.function_response]
    if results:
        found = "; ".join(_in_words(one.response) for one in results)
        return {"text": f"Here is what I found: {found}"}
    question = " ".join(part.text or "" for part in last.parts)
    if schema := asked.generation_config.schema_of_answer:
        return {"text": json.dumps(_fitting(schema, question), ensure_ascii=False)}
    words = _words(question)
    for function in asked.functions:
        if words & _words(f"{function.name.replace('_', ' ')} {function.description}"):
            return {"calls": [{"name": function.name, "args": _arguments(function, question)}]}
    return {"text": _nearest(asked, words) or "I am not sure about that."}


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold())) - _COMMON


def _nearest(asked: GenerateRequest, words: set[str]) -> str:
    told = asked.system_instruction.parts if asked.system_instruction else []
    sentences = _SENTENCE.split("\n".join(part.text or "" for part in told))
    best = max(sentences, key=lambda one: len(words & _words(one)), default="")
    return best.strip() if len(words & _words(best)) >= 1 else ""


def _in_words(response: Json) -> str:
    return json.dumps(response.get("result", response), ensure_ascii=False)[:600]


def _arguments(function: FunctionDeclaration, question: str) -> Json:
    schema = function.parameters_json_schema or function.parameters or {}
    return _object(schema, question)


def _object(schema: Json, question: str) -> Json:
    wanted = schema.get("properties") or {}
    return {name: _fitting(part, question) for name, part in wanted.items()}


def _fitting(schema: Json, question: str) -> Any:
    """A value of the schema's type, out of the question where it holds one."""
    if schema.get("enum"):
        return next(
            (one for one in schema["enum"] if str(one).casefold() in question.casefold()),
            schema["enum"][0],
        )
    number = re.search(r"\d+", question)
    match str(schema.get("type", "string")).lower():
        case "object":
            return _object(schema, question)
        case "array":
            return [_fitting(schema.get("items") or {}, question)]
        case "integer" | "number":
            return int(number[0]) if number else 0
        case "boolean":
            return False
        case _:
            return number[0] if number else question[:200]
