"""The description of the API for programs, and the same as a page for people.

The page is made here from the schema: it loads nothing from anywhere else, so it works without a network.
"""

import json
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.routing import compile_path

from backend_api.errors import PROBLEM

INTRODUCTION = """Everything that a workspace can do, for programs.

Sign in with `POST /auth/session`; the answer sets the session's cookies, which every further request
carries. A member of several workspaces names one by its id or short name in the header `X-Workspace`.

Lists come in pages, `{"items": [], "next_cursor": null}`: send `next_cursor` as `cursor` for the next one.
A POST that sends or spends takes an `Idempotency-Key`: the same key with the same body has one effect and
one answer. Errors are `application/problem+json` with a stable `code`. `RateLimit-*` headers say how many
calls are left."""

METHODS = ("get", "post", "put", "patch", "delete")

# Nothing but its own styles: no scripts, no other servers.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

Schema = dict[str, Any]


def describe(api: FastAPI) -> None:
    """Complete the schema, and add the page at `/api/docs`."""
    api.description = INTRODUCTION
    plain = api.openapi

    def openapi() -> Schema:
        if api.openapi_schema is None:
            api.openapi_schema = _with_problems(plain())
        return api.openapi_schema

    @cache
    def page() -> str:
        return _page(api.openapi())

    def docs() -> HTMLResponse:
        return HTMLResponse(page(), headers={"Content-Security-Policy": PAGE_POLICY})

    api.openapi = openapi  # type: ignore[method-assign]
    api.add_api_route("/api/docs", docs, methods=["GET"], include_in_schema=False)


def operations(schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Every operation: its method, its path, what the schema says of it."""
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def methods_at(schema: Schema, path: str) -> list[str]:
    """The methods that an address knows: none where there is nothing."""
    known = {method.upper() for method, template, _ in operations(schema) if _fits(template, path)}
    return sorted(known)


def takes_a_file(schema: Schema, method: str, path: str) -> bool:
    """Whether an operation is sent a form with a file, which is read piece by piece."""
    return any(
        known.upper() == method and _fits(template, path)
        for known, template, operation in operations(schema)
        if "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
    )


def _fits(template: str, path: str) -> bool:
    return compile_path(template)[0].match(path) is not None


def _with_problems(schema: Schema) -> Schema:
    """Errors travel as problem+json, which the framework can not be told for all routes at once."""
    for _, _, operation in operations(schema):
        refusal = operation.get("responses", {}).get("4XX", {})
        content = refusal.get("content", {})
        if "application/json" in content:
            content[PROBLEM] = content.pop("application/json")
    return schema


def _page(schema: Schema) -> str:
    groups: dict[str, list[tuple[str, str, Schema]]] = {}
    for method, path, operation in operations(schema):
        groups.setdefault(operation.get("tags", ["Other"])[0], []).append((method, path, operation))
    menu = "".join(_menu_group(title, found) for title, found in groups.items())
    body = "".join(_group(schema, title, found) for title, found in groups.items())
    introduction = "".join(f"<p>{_code_marks(part)}</p>" for part in INTRODUCTION.split("\n\n"))
    return _PAGE.format(menu=menu, introduction=introduction, body=body, style=_STYLE)


def _menu_group(title: str, found: list[tuple[str, str, Schema]]) -> str:
    links = "".join(
        f'<li><a href="#{_anchor(method, path)}">{escape(operation["summary"].capitalize())}</a></li>'
        for method, path, operation in found
    )
    return f"<h3>{escape(title)}</h3><ul>{links}</ul>"


def _group(schema: Schema, title: str, found: list[tuple[str, str, Schema]]) -> str:
    shown = "".join(_operation(schema, *one) for one in found)
    return f"<section><h2>{escape(title)}</h2>{shown}</section>"


def _operation(schema: Schema, method: str, path: str, operation: Schema) -> str:
    return (
        f'<article id="{_anchor(method, path)}">'
        f'<h3><span class="{method}">{method.upper()}</span> <code>{escape(path)}</code></h3>'
        f"<p>{_code_marks(operation.get('description', ''))}</p>"
        f"{_parameters(operation.get('parameters', []))}"
        f"{_sample('Send', schema, operation.get('requestBody', {}))}"
        f"{_answers(schema, operation['responses'])}</article>"
    )


def _parameters(parameters: list[Schema]) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td>{'required' if one.get('required') else ''}</td>"
        f"<td>{_code_marks(one.get('description', ''))}</td></tr>"
        for one in parameters
    )
    return f"<table>{rows}</table>"


def _answers(schema: Schema, responses: Schema) -> str:
    return "".join(
        _sample(f"Answer {status}", schema, response) or f"<h4>Answer {status}</h4>"
        for status, response in responses.items()
        if not status.startswith("4")
    )


def _sample(title: str, schema: Schema, message: Schema) -> str:
    for media in message.get("content", {}).values():
        if "schema" in media:
            example = json.dumps(_example(schema, media["schema"]), indent=2, ensure_ascii=False)
            return f'<h4>{title}</h4><pre tabindex="0">{escape(example)}</pre>'
    return ""


def _example(schema: Schema, part: Schema, depth: int = 0) -> Any:
    """Something that fits a schema: its own example where there is one."""
    if depth > 8:
        return None
    if "$ref" in part:
        return _example(schema, _named(schema, part["$ref"]), depth + 1)
    for told in ("examples", "example", "default", "const", "enum"):
        if told in part:
            return part[told][0] if told in {"examples", "enum"} else part[told]
    choice = next((part[key][0] for key in ("anyOf", "oneOf", "allOf") if key in part), None)
    if choice is not None:
        return _example(schema, choice, depth + 1)
    if part.get("type") == "array":
        return [_example(schema, part.get("items", {}), depth + 1)]
    if "properties" in part:
        return {
            name: _example(schema, inner, depth + 1) for name, inner in part["properties"].items()
        }
    return _PLAIN.get(part.get("format", ""), _PLAIN.get(part.get("type", ""), {}))


def _named(schema: Schema, reference: str) -> Schema:
    found: Schema = schema["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _anchor(method: str, path: str) -> str:
    return escape(method + path.replace("/", "-").replace("{", "").replace("}", ""))


def _code_marks(text: str) -> str:
    """Text with `code` in it, safe to show."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))


_PLAIN: dict[str, Any] = {
    "uuid": "01933b2c-7a10-7c55-9d4e-2f6b8a1c0d3e",
    "date-time": "2026-11-23T09:30:00Z",
    "date": "2026-11-23",
    "binary": "(bytes)",
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
}

_STYLE = """
:root { color-scheme: light dark; --ink: #1d241f; --paper: #fbfcfa; --soft: #eef1ec; --line: #d8ddd5; --mark: #0f6b32 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebe6; --paper: #141815; --soft: #1e2420; --line: #343c36; --mark: #63d391 } }
* { box-sizing: border-box } html { scroll-behavior: smooth; scroll-padding-top: 1rem }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
.frame { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 76rem; margin: auto }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem; border-right: 1px solid var(--line) }
nav h3 { margin: 1.2rem 0 .3rem; font-size: .8rem; text-transform: uppercase; letter-spacing: .05em }
nav ul { list-style: none; margin: 0; padding: 0 } a { color: var(--mark); text-underline-offset: 2px }
nav a { display: block; padding: .2rem 0; color: inherit; text-decoration: none } nav a:hover { color: var(--mark) }
main { padding: 1.5rem 2rem 6rem } article { padding: 1.2rem 0; border-top: 1px solid var(--line) }
article h3 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere } h4 { margin: 1rem 0 .3rem; font-size: .85rem }
h3 span { display: inline-block; min-width: 4.2rem; text-align: center; padding: .1rem .5rem; border-radius: .4rem;
  font-size: .78rem; color: #fff; background: #4b5563 }
.get { background: #1f5fa8 } .post { background: #12733a } .delete { background: #a8241f } .patch, .put { background: #8a5a00 }
code, pre { font: .875rem/1.5 ui-monospace, monospace } code { overflow-wrap: anywhere; background: var(--soft); padding: .05rem .3rem; border-radius: .3rem }
pre { background: var(--soft); padding: .8rem 1rem; border-radius: .6rem; overflow: auto; margin: 0 }
table { border-collapse: collapse; width: 100%; font-size: .9rem } td { padding: .35rem .6rem .35rem 0; vertical-align: top }
@media (max-width: 760px) { .frame { display: block } nav { position: static; height: auto; max-height: 40vh; border: 0; border-bottom: 1px solid var(--line) } main { padding: 1rem } }
"""  # noqa: E501

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Aerostic API</title><style>{style}</style></head><body><div class="frame">
<nav aria-label="Operations"><strong>Aerostic API</strong>{menu}</nav>
<main><h1>Aerostic API</h1>{introduction}
<p>The same for programs: <a href="/api/openapi.json">openapi.json</a></p>{body}</main>
</div></body></html>
"""
