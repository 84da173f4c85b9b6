"""Labels, and ready answers."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.core.permissions import Permission
from aerostic.state.lists import LabelLine, Labels, Replies, ReplyLine
from aerostic.state.session import SignedIn

COLOURS = ("gray", "red", "orange", "amber", "green", "teal", "blue", "indigo", "purple", "pink")
may_manage = SignedIn.may.contains(str(Permission.INBOX_MANAGE))


def labels() -> rx.Component:
    return rx.fragment(
        kit.section(
            "Labels",
            "Sort conversations by what they are about.",
            kit.table(
                ["Label", ""],
                Labels.labels,
                _label_row,
                is_loading=Labels.is_loading,
                when_empty=kit.empty(
                    "tag", "No labels yet", "For example: order, question, complaint."
                ),
            ),
            actions=[
                rx.cond(may_manage, kit.button("New label", icon="plus", on_click=Labels.edit("")))
            ],
        ),
        _label_dialog(),
        kit.confirm(
            "Delete the label “" + Labels.deleting.name + "”?",
            "It is taken off every conversation that carries it.",
            is_open=Labels.deleting.id != "",
            act="Delete",
            on_confirm=Labels.delete,
            on_cancel=Labels.close,
        ),
    )


def _label_row(label: LabelLine) -> list[rx.Component]:
    return [
        kit.badge(label.name, label.colour, "tag"),
        row_actions(may_manage, label.name, Labels.edit(label.id), Labels.ask_to_delete(label.id)),
    ]


def row_actions(is_allowed: Any, name: Any, edit: Any, delete: Any) -> rx.Component:
    return rx.cond(
        is_allowed,
        rx.flex(
            rx.icon_button(
                rx.icon("pencil", size=16),
                variant="ghost",
                color_scheme="gray",
                margin="0",
                aria_label="Edit " + name,
                on_click=edit,
            ),
            rx.icon_button(
                rx.icon("trash-2", size=16),
                variant="ghost",
                color_scheme="red",
                margin="0",
                aria_label="Delete " + name,
                on_click=delete,
            ),
            gap=theme.S2,
            justify="end",
        ),
        rx.fragment(),
    )


def _label_dialog() -> rx.Component:
    return kit.dialog(
        rx.cond(Labels.editing.id != "", "Edit the label", "New label"),
        rx.form(
            rx.flex(
                kit.field(
                    "Name",
                    "name",
                    error=Labels.errors["name"],
                    default_value=Labels.editing.name,
                    key=Labels.editing.id,
                    required=True,
                    max_length=40,
                ),
                kit.choice(
                    "Colour",
                    "colour",
                    [(colour, colour.title()) for colour in COLOURS],
                    default_value=Labels.editing.colour,
                ),
                kit.refusal(Labels.problem),
                direction="column",
                gap=theme.S4,
            ),
            save_or_cancel(Labels),
            on_submit=Labels.save,
            reset_on_submit=False,
        ),
        is_open=Labels.is_editing,
        on_close=Labels.close,
        note="Everyone in the workspace sees it.",
    )


def replies() -> rx.Component:
    return rx.fragment(
        kit.section(
            "Ready answers",
            "Type / in the composer and the beginning of a shortcut.",
            kit.table(
                ["Shortcut", "Answer", ""],
                Replies.replies,
                _reply_row,
                is_loading=Replies.is_loading,
                when_empty=kit.empty(
                    "message-square-quote",
                    "No ready answers yet",
                    "Write down once what you answer every day: opening hours, directions, prices.",
                ),
            ),
            actions=[
                rx.cond(
                    may_manage, kit.button("New answer", icon="plus", on_click=Replies.edit(""))
                )
            ],
        ),
        _reply_dialog(),
        kit.confirm(
            "Delete /" + Replies.deleting.shortcut + "?",
            "Messages that were sent with it stay as they are.",
            is_open=Replies.deleting.id != "",
            act="Delete",
            on_confirm=Replies.delete,
            on_cancel=Replies.close,
        ),
    )


def _reply_row(reply: ReplyLine) -> list[rx.Component]:
    return [
        rx.box(kit.code("/" + reply.shortcut), white_space="nowrap", min_width="84px"),
        kit.text(
            reply.text,
            style={
                "display": "-webkit-box",
                "-webkit-line-clamp": "2",
                "-webkit-box-orient": "vertical",
            },
            overflow="hidden",
            min_width="220px",
        ),
        row_actions(
            may_manage,
            "/" + reply.shortcut,
            Replies.edit(reply.id),
            Replies.ask_to_delete(reply.id),
        ),
    ]


def _reply_dialog() -> rx.Component:
    answer = rx.text_area(
        id="field-text",
        name="text",
        default_value=Replies.editing.text,
        key=Replies.editing.id,
        rows="6",
        size="3",
        required=True,
        max_length=4096,
        aria_describedby="field-text-help",
    )
    return kit.dialog(
        rx.cond(Replies.editing.id != "", "Edit the answer", "New answer"),
        rx.form(
            rx.flex(
                kit.field(
                    "Shortcut",
                    "shortcut",
                    error=Replies.errors["shortcut"],
                    default_value=Replies.editing.shortcut,
                    key=Replies.editing.id,
                    required=True,
                    placeholder="hours",
                    max_length=41,
                ),
                kit.field(
                    "Answer",
                    "text",
                    control=answer,
                    error=Replies.errors["text"],
                    hint="{{ contact.name }} becomes the customer's name.",
                ),
                kit.refusal(Replies.problem),
                direction="column",
                gap=theme.S4,
            ),
            save_or_cancel(Replies),
            on_submit=Replies.save,
            reset_on_submit=False,
        ),
        is_open=Replies.is_editing,
        on_close=Replies.close,
        note="Everyone in the workspace can use it.",
    )


def save_or_cancel(state: Any) -> rx.Component:
    return kit.dialog_actions(
        kit.button(
            "Cancel", variant="soft", color_scheme="gray", type="button", on_click=state.close
        ),
        kit.button("Save", type="submit", loading=state.is_busy),
    )
