"""The canvas of a workflow: drawn and held in the browser, told to the state after each pause."""

from typing import Any

import reflex as rx

for _file in (
    "flow.css",
    "canvas.jsx",
    "form.jsx",
    "inspector.jsx",
    "layout.js",
    "outline.jsx",
    "palette.jsx",
    "rules.js",
    "signs.jsx",
    "toolbar.jsx",
    "variables.jsx",
):
    rx.asset(_file, shared=True)
_editor = rx.asset("editor.jsx", shared=True)
_marks = rx.asset("marks.jsx", shared=True)

_nothing = rx.event.no_args_event_spec
_object = rx.event.passthrough_event_spec(dict)
Rows = rx.Var[list[dict[str, Any]]]
Record = rx.Var[dict[str, Any]]


class FlowEditor(rx.NoSSRComponent):
    """Palette, canvas and form. Without `may_edit`: the canvas to look at, with what a run did on it."""

    library = _editor.importable_path
    tag = "FlowEditor"
    lib_dependencies: list[str] = ["@xyflow/react@12.12.1"]  # noqa: RUF012 - as Reflex reads it

    workspace: rx.Var[str]
    #: What a workflow can be made of, and the sentences with which a connection is refused.
    kinds: Rows
    sentences: rx.Var[dict[str, str]]
    #: `{id, number, graph}`: taken once for each `number`.
    opened: Record
    #: The outputs of the nodes whose settings decide about them, by node.
    ports: rx.Var[dict[str, list[dict[str, Any]]]]
    findings: Rows
    #: `{seq, at, revision, problem}`: what the server last kept, or why it did not.
    saved: Record
    #: What the pickers offer, by the name of their control.
    choices: rx.Var[dict[str, list[dict[str, str]]]]
    #: What the last run had: `{names, nodes}`.
    samples: Record
    run: Record
    step: Record
    may_edit: rx.Var[bool]
    is_active: rx.Var[bool]
    is_testing: rx.Var[bool]
    #: `{node, at}`: look here.
    focus: Record

    on_commit: rx.EventHandler[_object]
    on_save: rx.EventHandler[_object]
    on_test: rx.EventHandler[_nothing]
    on_publish: rx.EventHandler[_nothing]
    on_step: rx.EventHandler[_object]


class Begins(rx.NoSSRComponent):
    """The icons of what begins a workflow."""

    library = _marks.importable_path
    tag = "Begins"

    signs: rx.Var[list[Any]]


class Picture(rx.NoSSRComponent):
    """A workflow seen from afar."""

    library = _marks.importable_path
    tag = "Picture"

    spots: rx.Var[list[Any]]
    lines: rx.Var[str]
    title: rx.Var[str]


class Status(rx.NoSSRComponent):
    """How a step ended, as a sign that says its name."""

    library = _marks.importable_path
    tag = "Status"

    status: rx.Var[str]


flow_editor = FlowEditor.create
begins = Begins.create
picture = Picture.create
status = Status.create
