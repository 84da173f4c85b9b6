"""Every error as `application/problem+json` (RFC 9457), with a code that programs can rely on."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.exceptions import HTTPException

from aerostic.core.errors import AppError, TooMany, Unavailable

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
NO_DATABASE = (OperationalError, psycopg.OperationalError, NoConnectionFree)
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class FieldProblem(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    message: str


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = "about:blank"
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["That conversation no longer exists."])
    code: str = Field(examples=["not_found"], description="Stable: programs may rely on it.")
    errors: list[FieldProblem] = []
    request_id: str = ""


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "What was asked for can not be done.", "model": Problem},
}


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A response that says what happened and what to do."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_sendable(detail),
        code=code,
        errors=[FieldProblem(field=one.field, message=_sendable(one.message)) for one in errors],
        request_id=getattr(request.state, "request_id", ""),
    )
    return JSONResponse(body.model_dump(), status, headers=headers, media_type=PROBLEM)


def _sendable(sentence: str) -> str:
    """Without halves of characters, which a sentence may quote and no answer can hold."""
    return sentence.encode(errors="replace").decode()


def of_app_error(request: Request, error: AppError) -> JSONResponse:
    """An error of the domain, with the status that it names."""
    errors = [FieldProblem(field=field, message=message) for field, message in error.fields()]
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None
    return problem(request, error.status, error.code, error.message, errors=errors, headers=headers)


def add_handlers(api: FastAPI) -> None:
    """Teach the application to answer each kind of error."""
    api.add_exception_handler(AppError, _app_error)
    api.add_exception_handler(RequestValidationError, _invalid_request)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(DataError, _can_not_be_stored)
    for error in NO_DATABASE:
        api.add_exception_handler(error, _no_database)
    api.add_exception_handler(Exception, _bug)


async def _app_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return of_app_error(request, error)


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [FieldProblem(field=_field(one), message=str(one["msg"])) for one in error.errors()]
    sentence = "Some of what was sent is not as it should be; see `errors`."
    return problem(request, 422, "invalid", sentence, errors=found)


def _field(found: Mapping[str, Any]) -> str:
    """`body.items.0.name` as `items.0.name`: the name that the sender knows."""
    where = [str(part) for part in found["loc"]]
    return ".".join(where[1:] or where)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "bad_request")
    detail = str(error.detail).rstrip(".") + "."
    return problem(request, error.status_code, code, detail, headers=error.headers)


async def _can_not_be_stored(request: Request, _: Exception) -> JSONResponse:
    """PostgreSQL refused a value: a NUL in a text, a number past its range."""
    sentence = (
        "Something that was sent can not be stored: a NUL character, or a number that is too large."
    )
    return problem(request, 422, "invalid", sentence)


async def _no_database(request: Request, error: Exception) -> JSONResponse:
    """PostgreSQL restarts or is overburdened: a reason to ask again, which a program knows by the 503."""
    log.warning("the database does not answer: %s", error)
    sentence = "The database does not answer at the moment. Please try again in a few seconds."
    code, headers = Unavailable.code, {"Retry-After": "2"}
    return problem(request, Unavailable.status, code, sentence, headers=headers)


async def _bug(request: Request, _: Exception) -> JSONResponse:
    """Nobody catches a bug: it is in the log, under the id that the answer carries."""
    sentence = "Something went wrong on our side. It is in our log under this request's id."
    return problem(request, 500, "internal_error", sentence)
