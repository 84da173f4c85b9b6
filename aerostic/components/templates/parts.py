"""The builder of a template with its phone: held in the browser, told to the state after each pause."""

from typing import Any

import reflex as rx

for _file in ("templates.css", "fields.jsx", "buttons.jsx"):
    rx.asset(_file, shared=True)
_preview = rx.asset("preview.jsx", shared=True)
_builder = rx.asset("builder.jsx", shared=True)

_object = rx.event.passthrough_event_spec(dict)
Record = rx.Var[dict[str, Any]]


class TemplatePreview(rx.NoSSRComponent):
    """How a template will look on a phone."""

    library = _preview.importable_path
    tag = "TemplatePreview"

    definition: Record
    #: Of the business, at the head of the chat.
    name: rx.Var[str]


class TemplateBuilder(rx.NoSSRComponent):
    """Every component that WhatsApp knows, with the phone beside it."""

    library = _builder.importable_path
    tag = "TemplateBuilder"

    workspace: rx.Var[str]
    #: `{number, definition}`: taken once for each `number`.
    opened: Record
    #: `{place, message}` of each thing that Meta would refuse.
    problems: rx.Var[list[dict[str, Any]]]
    #: `{at, problem}`: when the server last kept it, or why it did not.
    saved: Record
    #: Meta has it already: some things can not change any more.
    is_submitted: rx.Var[bool]
    is_approved: rx.Var[bool]
    is_busy: rx.Var[bool]
    name: rx.Var[str]

    on_write: rx.EventHandler[_object]
    on_submit_template: rx.EventHandler[_object]


template_preview = TemplatePreview.create
template_builder = TemplateBuilder.create
