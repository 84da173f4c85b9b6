"""Gemini's place: its answers come from a script, or by simple rules from what it was asked.

Served under `/simulator/google/gemini`. Keys begin with `simulated`; every key has a script of its own, set
at `…/control/script`: a list of answers that are given in turn, each one of `{"text": …}`,
`{"calls": [{"name": …, "args": …}]}`, `{"error": {"code": …, "status": …}}`, `{"finish": "SAFETY"}`, with
`"seconds"` for a pause before it and `"breaks_off": true` for a connection that is lost.
"""

import asyncio
import json
import math
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar
from zlib import crc32

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from aerostic.simulator.errors import ControlError
from aerostic.simulator.google.answers import answer_by_rules
from aerostic.simulator.google.schema import (
    BatchEmbedRequest,
    Content,
    CountRequest,
    GenerateRequest,
)
from aerostic.simulator.requests import read_json

Json = dict[str, Any]
M = TypeVar("M", bound=BaseModel)

KEYS_BEGIN = "simulated"
REMEMBERED = 200
GENERATING = (
    "gemini-3.5-flash-lite",
    "gemini-3.8-flash",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-pro",
)
EMBEDDING = ("gemini-embedding-001",)


@dataclass
class GeminiWorld:
    """What each key will answer next, and what it was asked."""

    scripts: defaultdict[str, deque[Json]] = field(default_factory=lambda: defaultdict(deque))
    asked: deque[Json] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    numbers: "count[int]" = field(default_factory=lambda: count(1))


class Refused(Exception):
    """In Google's envelope."""

    def __init__(self, code: int, status: str, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code, self.status, self.message, self.reason = code, status, message, reason

    def response(self) -> Response:
        error: Json = {"code": self.code, "message": self.message, "status": self.status}
        if self.reason:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [{"@type": kind, "reason": self.reason, "domain": "googleapis.com"}]
        return JSONResponse({"error": error}, self.code)


def _world(request: Request) -> GeminiWorld:
    world: GeminiWorld = request.app.state.gemini
    return world


def _refusing(
    door: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await door(request)
        except Refused as refusal:
            return refusal.response()

    return answered


@_refusing
async def ask(request: Request) -> Response:
    """`POST /{version}/models/{model}:{method}`."""
    key = _key(request)
    model, _, method = request.path_params["model"].partition(":")
    if method in ("generateContent", "streamGenerateContent"):
        return await _generate(request, key, model, is_stream=method.startswith("stream"))
    if method == "batchEmbedContents":
        return await _embed(request, model)
    if method == "countTokens":
        asked = await _read(request, CountRequest)
        return JSONResponse({"totalTokens": sum(map(_tokens, asked.contents))})
    raise Refused(404, "NOT_FOUND", f"Method {method} is not supported for model {model}.")


def _key(request: Request) -> str:
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key", "")
    if not key:
        missing = "Method doesn't allow unregistered callers. Please use API Key."
        raise Refused(403, "PERMISSION_DENIED", missing)
    if not key.startswith(KEYS_BEGIN):
        wrong = "API key not valid. Please pass a valid API key."
        raise Refused(400, "INVALID_ARGUMENT", wrong, "API_KEY_INVALID")
    return key


async def _read(request: Request, form: type[M]) -> M:
    try:
        return form.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        said = f"Invalid JSON payload received. {first['msg']} at '{place}'."
        raise Refused(400, "INVALID_ARGUMENT", said) from None


def _check_model(model: str, known: tuple[str, ...]) -> None:
    if model not in known:
        said = f"models/{model} is not found for API version v1beta, or is not supported here."
        raise Refused(404, "NOT_FOUND", said)


async def _generate(request: Request, key: str, model: str, *, is_stream: bool) -> Response:
    asked = await _read(request, GenerateRequest)
    _check_model(model, GENERATING)
    world = _world(request)
    world.asked.append({"key": key, "model": model, "body": json.loads(await request.body())})
    script = world.scripts[key]
    wanted = script.popleft() if script else answer_by_rules(asked)
    await asyncio.sleep(float(wanted.get("seconds", 0)))
    if error := wanted.get("error"):
        status = str(error.get("status", "INTERNAL"))
        raise Refused(int(error["code"]), status, str(error.get("message", status)))
    pieces = _pieces(world, asked, model, wanted)
    if is_stream:
        stream = _events(pieces, breaks_off=bool(wanted.get("breaks_off")))
        return StreamingResponse(stream, media_type="text/event-stream")
    return JSONResponse(_whole(pieces))


def _pieces(world: GeminiWorld, asked: GenerateRequest, model: str, wanted: Json) -> list[Json]:
    """The parts of an answer as a stream would bring them: words in threes, calls at once."""
    words = str(wanted.get("text", "")).split(" ")
    texts = [" ".join(words[at : at + 3]) for at in range(0, len(words), 3)] if words[0] else []
    spaced = [text + (" " if at < len(texts) - 1 else "") for at, text in enumerate(texts)]
    parts: list[list[Json]] = [[{"text": text}] for text in spaced]
    calls = [_call(world, one) for one in wanted.get("calls", [])]
    parts += [calls] if calls else []
    finish = str(wanted.get("finish", "STOP"))
    written = len(str(wanted.get("text", ""))) // 4 + 8 * len(calls)
    told = int(wanted.get("tokens_in", _tokens_of(asked)))
    usage = {
        "promptTokenCount": told,
        "candidatesTokenCount": int(wanted.get("tokens_out", written)),
        "totalTokenCount": told + int(wanted.get("tokens_out", written)),
    }
    made = [_piece(world, model, one) for one in parts] or [_piece(world, model, [])]
    made[-1]["candidates"][0]["finishReason"] = finish
    made[-1]["usageMetadata"] = usage
    return made


def _call(world: GeminiWorld, wanted: Json) -> Json:
    made = {"id": f"call-{next(world.numbers)}", "name": wanted["name"]}
    signature = "c2ltdWxhdGVk"  # must come back with the turn, as Gemini's does
    call = {**made, "args": wanted.get("args", {})}
    return {"functionCall": call, "thoughtSignature": signature}


def _piece(world: GeminiWorld, model: str, parts: list[Json]) -> Json:
    candidate: Json = {"index": 0}
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    number = next(world.numbers)
    return {"candidates": [candidate], "modelVersion": model, "responseId": f"answer-{number}"}


def _whole(pieces: list[Json]) -> Json:
    whole = dict(pieces[-1])
    parts: list[Json] = []
    for piece in pieces:
        for part in piece["candidates"][0].get("content", {}).get("parts", []):
            if "text" in part and parts and "text" in parts[-1]:
                parts[-1] = {"text": parts[-1]["text"] + part["text"]}
            else:
                parts.append(part)
    candidate = dict(whole["candidates"][0])
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    return {**whole, "candidates": [candidate]}


async def _events(pieces: list[Json], *, breaks_off: bool) -> AsyncIterator[bytes]:
    for number, piece in enumerate(pieces):
        if breaks_off and number:
            raise ConnectionResetError("as the script says")
        yield f"data: {json.dumps(piece)}\r\n\r\n".encode()
        await asyncio.sleep(0.02)


async def _embed(request: Request, model: str) -> Response:
    asked = await _read(request, BatchEmbedRequest)
    _check_model(model, EMBEDDING)
    if any(one.model != f"models/{model}" for one in asked.requests):
        raise Refused(400, "INVALID_ARGUMENT", "The model of a request differs from the address.")
    vectors = [_vector(_text(one.content), one.output_dimensionality) for one in asked.requests]
    return JSONResponse({"embeddings": [{"values": one} for one in vectors]})


def _vector(text: str, size: int) -> list[float]:
    """Alike for texts that share letters in threes; always the same for the same text."""
    counts = [0.0] * size
    padded = f"  {' '.join(text.casefold().split())}  "
    for at in range(len(padded) - 2):
        counts[crc32(padded[at : at + 3].encode()) % size] += 1.0
    length = math.sqrt(sum(one * one for one in counts)) or 1.0
    return [round(one / length, 6) for one in counts]


def _text(content: Content) -> str:
    return " ".join(part.text or "" for part in content.parts)


def _tokens(content: Content) -> int:
    return sum(len(part.model_dump_json(exclude_defaults=True)) for part in content.parts) // 4 + 1


def _tokens_of(asked: GenerateRequest) -> int:
    told = asked.system_instruction.parts if asked.system_instruction else []
    return sum(map(_tokens, asked.contents)) + sum(len(part.text or "") for part in told) // 4


# The control door


async def set_script(request: Request) -> Response:
    """`{"key": …, "answers": [ … ]}`: replaces what the key would have answered."""
    body = await read_json(request)
    key, answers = body.get("key"), body.get("answers")
    if not isinstance(key, str) or not key.startswith(KEYS_BEGIN):
        raise ControlError(f"key must be a text that begins with “{KEYS_BEGIN}”.")
    if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
        raise ControlError("answers must be a list of objects.")
    _world(request).scripts[key] = deque(answers)
    return JSONResponse({"waiting": len(answers)})


async def list_asked(request: Request) -> Response:
    """What a key was asked, oldest first, and how many answers of its script are left."""
    key, world = request.query_params.get("key", ""), _world(request)
    asked = [one for one in world.asked if one["key"] == key]
    return JSONResponse({"asked": asked, "waiting": len(world.scripts[key])})


ROUTES = [
    Mount(
        "/control",
        routes=[Route("/script", set_script, methods=["PUT"]), Route("/asked", list_asked)],
    ),
    Route("/{version}/models/{model:path}", ask, methods=["POST"]),
]
