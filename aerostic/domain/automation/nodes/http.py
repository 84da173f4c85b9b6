"""Calling another program's API."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit, urlunsplit

import orjson
from pydantic import Field, field_validator, model_validator

from aerostic.core.errors import AppError
from aerostic.domain.automation import scope, templates
from aerostic.domain.automation.nodes.base import (
    ERROR,
    OUT,
    TOOL,
    Call,
    Group,
    NodeFailed,
    Outcome,
    Outside,
    Step,
)
from aerostic.domain.automation.nodes.fields import (
    Anything,
    Chosen,
    Line,
    Pair,
    Paragraphs,
    ToolConfig,
    VariableName,
    saved_as,
    widget,
)
from aerostic.domain.vault import service as vault
from aerostic.integrations.outside import Answer, NoAnswer, OutsideProblem, Request

MASK = "•••"
MAY_PASS = {408, 425, 429, 500, 502, 503, 504}


class Method(StrEnum):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"


class BodyType(StrEnum):
    NONE = "none"
    JSON = "json"
    FORM = "form"
    TEXT = "text"


class AuthType(StrEnum):
    NONE = "none"
    BEARER = "bearer"
    BASIC = "basic"
    HEADER = "header"
    QUERY = "query"


def only_for(setting: str, *values: str, **more: Any) -> dict[str, Any]:
    """Shown in the form where another setting has one of these values."""
    return {"show_if": {setting: list(values)}, **more}


class HttpRequest(Call):
    kind = "http.request"
    title = "HTTP request"
    group = Group.OUTSIDE
    icon = "globe"
    summary = (
        "Calls an address on the internet. The answer is apiResponse: status, headers and body."
    )
    outputs = (OUT, ERROR, TOOL)

    class Config(ToolConfig):
        method: Method = Field(default=Method.GET, title="Method")
        url: Line = Field(
            title="Address",
            description="Such as https://api.example.com/orders/{{ vars.order_id | url_encode }}.",
            min_length=1,
            max_length=8_000,
            json_schema_extra=widget("text"),
        )
        query: list[Pair] = Field(
            default=[],
            title="Parameters",
            description="Added to the address, encoded.",
            max_length=50,
            json_schema_extra=widget("rows"),
        )
        headers: list[Pair] = Field(
            default=[], title="Headers", max_length=50, json_schema_extra=widget("rows")
        )
        auth: AuthType = Field(
            default=AuthType.NONE,
            title="Sign in with",
            description="A secret of your settings. It is in no log.",
        )
        secret: Chosen = Field(
            default=None,
            title="Secret",
            json_schema_extra=only_for(
                "auth", "bearer", "basic", "header", "query", widget="secret"
            ),
        )
        auth_name: Line = Field(
            default="",
            title="Name",
            description="Of the header or the parameter; for basic, the user.",
            max_length=200,
            json_schema_extra=only_for("auth", "basic", "header", "query", widget="text"),
        )
        body_type: BodyType = Field(default=BodyType.NONE, title="Body")
        json_body: Anything = Field(
            default=None,
            title="JSON",
            description="Values from the run are placed safely inside of the texts.",
            json_schema_extra=only_for("body_type", "json", widget="json"),
        )
        form: list[Pair] = Field(
            default=[],
            title="Form",
            max_length=100,
            json_schema_extra=only_for("body_type", "form", widget="rows"),
        )
        text: Paragraphs = Field(
            default="",
            title="Text",
            max_length=64_000,
            json_schema_extra=only_for("body_type", "text", widget="multiline"),
        )
        timeout: float = Field(default=20, title="Longest wait, in seconds", ge=1, le=60)
        fails_on_status: bool = Field(
            default=True,
            title="An answer of 400 or more is an error",
            description="Then it goes on through “On error”.",
        )
        save_as: VariableName = Field(
            default="",
            title="Keep the answer as",
            description="Besides apiResponse: {{ vars.order.body }} for order.",
        )

        @field_validator("query", "headers", "form", mode="before")
        @classmethod
        def _rows(cls, value: Any) -> Any:
            """An object is rows as well: from templates, and from other tools' files."""
            if isinstance(value, Mapping):
                return [{"name": str(name), "value": part} for name, part in value.items()]
            return value

        @model_validator(mode="after")
        def _auth_is_whole(self) -> "HttpRequest.Config":
            if self.auth is not AuthType.NONE and self.secret is None:
                raise ValueError("Choose the secret to sign in with")
            if self.auth in {AuthType.HEADER, AuthType.QUERY} and not self.auth_name:
                raise ValueError("Say the name of the header or parameter that holds the secret")
            return self

    @classmethod
    async def call(cls, step: Step, config: Any, outside: Outside) -> Outcome:
        secret = await _secret(config, outside)
        request = request_of(config, secret)
        try:
            answer = await outside.http().send(request)
        except OutsideProblem as problem:
            raise NodeFailed(problem.sentence, may_pass=isinstance(problem, NoAnswer)) from problem
        output = _output(_without(answer, _told(config, secret)))
        if config.fails_on_status and answer.status >= 400:
            raise NodeFailed(
                f"The answer was {answer.status}, which is an error.",
                may_pass=answer.status in MAY_PASS,
                output=output,
            )
        names = {"apiResponse": output, **saved_as(config.save_as, output)}
        return Outcome(output=output, names=names)


async def _secret(config: Any, outside: Outside) -> vault.Opened | None:
    if config.auth is AuthType.NONE:
        return None
    try:
        secret = await outside.ask(vault.open_for_use, config.secret)
        secret.check_host(urlsplit(config.url).hostname or "")
    except (AppError, ValueError) as error:
        raise NodeFailed(str(error)) from error
    return secret


def request_of(config: Any, secret: vault.Opened | None) -> Request:
    """The request that the settings ask for, with the secret where it belongs."""
    headers = {one.name: one.value for one in config.headers}
    query = [(one.name, one.value) for one in config.query]
    if secret is not None:
        _sign(config, secret, headers, query)
    body, media_type = _body(config)
    if media_type and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = media_type
    return Request(
        url=_with_query(config.url.strip(), query),
        method=config.method.value,
        headers=headers,
        body=body,
        seconds=config.timeout,
        private=frozenset({config.auth_name}) if config.auth is AuthType.HEADER else frozenset(),
    )


def _sign(
    config: Any, secret: vault.Opened, headers: dict[str, str], query: list[tuple[str, str]]
) -> None:
    if config.auth is AuthType.QUERY:
        query.append((config.auth_name, secret.value))
    elif config.auth is AuthType.HEADER:
        headers[config.auth_name] = secret.value
    elif config.auth is AuthType.BEARER:
        headers["Authorization"] = f"Bearer {secret.value}"
    else:
        headers["Authorization"] = f"Basic {_pair(config, secret)}"


def _pair(config: Any, secret: vault.Opened) -> str:
    """User and password as basic authentication has them (RFC 7617)."""
    return base64.b64encode(f"{config.auth_name}:{secret.value}".encode()).decode()


def _body(config: Any) -> tuple[bytes | None, str]:
    """The body and its kind. JSON may also be given as a text that holds it."""
    if config.body_type is BodyType.JSON:
        given = config.json_body
        if isinstance(given, str):
            return _json_of(given), "application/json"
        return orjson.dumps(given), "application/json"
    if config.body_type is BodyType.FORM:
        pairs = urlencode([(one.name, one.value) for one in config.form])
        return pairs.encode(), "application/x-www-form-urlencoded"
    if config.body_type is BodyType.TEXT:
        return templates.written(config.text).encode(), "text/plain; charset=utf-8"
    return None, ""


def _json_of(text: str) -> bytes:
    try:
        return orjson.dumps(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise NodeFailed(f"The body is not JSON: {error}.") from error


def _with_query(url: str, query: list[tuple[str, str]]) -> str:
    if not query:
        return url
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise NodeFailed(f"“{url[:100]}” is not an address.") from error
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(query)]))))


def _output(answer: Answer) -> dict[str, Any]:
    """What later steps and the log see."""
    return {
        "status": answer.status,
        "headers": scope.headers(answer.headers),
        "body": _content(answer),
        "url": answer.url,
    }


def _told(config: Any, secret: vault.Opened | None) -> tuple[str, ...]:
    """The secret in each of the forms in which it was sent."""
    if secret is None:
        return ()
    return (secret.value, quote_plus(secret.value), quote(secret.value), _pair(config, secret))


def _without(answer: Answer, told: tuple[str, ...]) -> Answer:
    """The answer with the secret hidden, wherever the service repeats it."""
    if not told:
        return answer
    body, url, headers = answer.body, answer.url, dict(answer.headers)
    for one in told:
        body, url = body.replace(one.encode(), MASK.encode()), url.replace(one, MASK)
        headers = {name: value.replace(one, MASK) for name, value in headers.items()}
    return replace(answer, body=body, headers=headers, url=url)


def _content(answer: Answer) -> Any:
    """JSON or text; of anything else only what it is."""
    kind = answer.media_type
    is_text = kind.startswith("text/") or kind.endswith(("json", "xml", "x-www-form-urlencoded"))
    if is_text or not kind:
        return answer.content()
    return {"content_type": kind, "size": len(answer.body)}
