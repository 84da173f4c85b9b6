"""The three parts of the inbox that need a browser's own quickness: the list, the thread, the composer.

They hold only what a hand is doing right now (scroll, text being typed); everything else is state.
"""

from typing import Any

import reflex as rx

for _file in ("inbox.css", "upload.js", "composer_forms.jsx", "composer_parts.jsx"):
    rx.asset(_file, shared=True)
_list = rx.asset("conversation_list.jsx", shared=True)
_thread = rx.asset("thread.jsx", shared=True)
_composer = rx.asset("composer.jsx", shared=True)

_nothing = rx.event.no_args_event_spec
_text = rx.event.passthrough_event_spec(str)
_texts = rx.event.passthrough_event_spec(str, str)
_object = rx.event.passthrough_event_spec(dict)


class ConversationList(rx.NoSSRComponent):
    """Rows with arrow keys; `j` and `k` step through conversations from anywhere."""

    library = _list.importable_path
    tag = "ConversationList"

    rows: rx.Var[list[dict[str, Any]]]
    selected: rx.Var[str]
    has_more: rx.Var[bool]
    too_many: rx.Var[bool]
    on_choose: rx.EventHandler[_text]
    on_more: rx.EventHandler[_nothing]


class Thread(rx.NoSSRComponent):
    """Messages, notes and events, oldest first; stays at the bottom unless someone scrolled up."""

    library = _thread.importable_path
    tag = "Thread"

    items: rx.Var[list[dict[str, Any]]]
    conversation_id: rx.Var[str]
    has_older: rx.Var[bool]
    has_newer: rx.Var[bool]
    found_id: rx.Var[str]
    on_older: rx.EventHandler[_nothing]
    on_newest: rx.EventHandler[_nothing]
    on_reply: rx.EventHandler[_object]
    on_react: rx.EventHandler[_texts]
    on_retry: rx.EventHandler[_text]
    on_give_up: rx.EventHandler[_text]
    on_take_back: rx.EventHandler[_text]
    on_seen: rx.EventHandler[_nothing]
    on_close: rx.EventHandler[_nothing]


class Composer(rx.NoSSRComponent):
    """Writes replies and notes. Each message carries a key made here, so that a retry is one message."""

    library = _composer.importable_path
    tag = "Composer"

    conversation_id: rx.Var[str]
    workspace: rx.Var[str]
    window_closes_at: rx.Var[str]
    problem: rx.Var[str]
    canned: rx.Var[list[dict[str, Any]]]
    colleagues: rx.Var[list[dict[str, Any]]]
    templates: rx.Var[list[dict[str, Any]]]
    reply_to: rx.Var[dict[str, Any]]
    returned: rx.Var[dict[str, Any]]
    on_send: rx.EventHandler[_object]
    on_note: rx.EventHandler[_object]
    on_media: rx.EventHandler[_object]
    on_structured: rx.EventHandler[_object]
    on_template: rx.EventHandler[_object]
    on_typing: rx.EventHandler[_nothing]
    on_canned: rx.EventHandler[_texts]
    on_cancel_reply: rx.EventHandler[_nothing]
    on_open_templates: rx.EventHandler[_nothing]


conversation_list = ConversationList.create
thread = Thread.create
composer = Composer.create
