"""Endpoints of other programs: made, changed, tried, and the log of what they were told."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.settings.lists import save_or_cancel
from aerostic.state.webhooks import (
    EVENT_PREFIX,
    EndpointLine,
    EventChoice,
    SentLine,
    TryLine,
    Webhooks,
)

STATUS_COLOURS = rx.Var.create(
    {"active": theme.GOOD, "paused": theme.NEUTRAL, "disabled": theme.BAD}
)
SENT_COLOURS = rx.Var.create({"delivered": theme.GOOD, "pending": theme.WARN, "failed": theme.BAD})
QUIET_BOX = {
    "white_space": "pre-wrap",
    "word_break": "break-word",
    "font_size": "12px",
    "max_height": "220px",
    "overflow": "auto",
    "background": theme.SUNKEN,
    "border_radius": theme.RADIUS_SMALL,
    "padding": theme.S3,
    "margin": "0",
}


def webhooks() -> rx.Component:
    return rx.fragment(
        kit.section(
            "Webhooks",
            "Other programs are told what happens here, signed so that they know it is true.",
            rx.cond(
                Webhooks.is_loading,
                kit.skeleton_rows(2),
                rx.cond(Webhooks.endpoints.length() > 0, _endpoints(), _none()),
            ),
            kit.muted(
                "Each event arrives at least once, usually in order but not surely: webhook-id tells "
                "repetitions, timestamp the order. What is not answered with 2xx within 15 seconds is "
                "repeated for a day. Signatures follow Standard Webhooks.",
                size="1",
            ),
            actions=[kit.button("New endpoint", icon="plus", on_click=Webhooks.edit(""))],
        ),
        _edit_dialog(),
        _secret_dialog(),
        _log_dialog(),
        _entry_dialog(),
        kit.confirm(
            "Give " + Webhooks.rotating.url + " a new secret?",
            "For a day, the former secret signs beside the new one. Change it on the other side until then.",
            is_open=Webhooks.rotating.id != "",
            act="Make a new secret",
            on_confirm=Webhooks.rotate,
            on_cancel=Webhooks.close,
        ),
        kit.confirm(
            "Delete " + Webhooks.deleting.url + "?",
            "It is told nothing more, and its log is gone.",
            is_open=Webhooks.deleting.id != "",
            act="Delete",
            on_confirm=Webhooks.delete,
            on_cancel=Webhooks.close,
        ),
    )


def _none() -> rx.Component:
    return kit.empty(
        "webhook",
        "No endpoint yet",
        "Give the address of your shop or your own program, and choose what it should hear of.",
    )


def _endpoints() -> rx.Component:
    return rx.flex(rx.foreach(Webhooks.endpoints, _endpoint), direction="column", gap=theme.S3)


def _endpoint(one: EndpointLine) -> rx.Component:
    return rx.box(
        rx.flex(
            rx.box(
                kit.code(one.url),
                rx.cond(one.description != "", kit.muted(one.description, margin_top="4px")),
                kit.muted(one.event_titles, size="1", margin_top="4px"),
                flex="1",
                min_width="220px",
            ),
            rx.flex(
                kit.badge(one.status_words, STATUS_COLOURS[one.status]),
                _menu(one),
                align="center",
                gap=theme.S3,
            ),
            align="start",
            gap=theme.S3,
            wrap="wrap",
        ),
        rx.cond(
            one.problem != "",
            rx.flex(
                kit.note(one.problem, tone=theme.BAD, icon="circle-alert"),
                kit.button(
                    "Switch on again", variant="soft", on_click=Webhooks.switch(one.id, True)
                ),
                direction="column",
                align="start",
                gap=theme.S3,
                margin_top=theme.S3,
            ),
        ),
        _health(one),
        border=f"1px solid {theme.LINE}",
        border_radius=theme.RADIUS,
        padding=theme.S4,
    )


def _health(one: EndpointLine) -> rx.Component:
    return rx.flex(
        rx.cond(
            one.failing_since != "",
            rx.text("Failing since ", kit.when(one.failing_since), size="1", color="var(--red-11)"),
            rx.cond(
                one.succeeded_at != "",
                kit.muted("Last delivered ", kit.when(one.succeeded_at), size="1"),
                kit.muted("Nothing delivered yet", size="1"),
            ),
        ),
        rx.cond(one.waiting > 0, kit.muted(one.waiting.to_string(), " waiting", size="1")),
        rx.cond(
            one.both_until != "",
            kit.muted("both secrets sign until ", kit.at(one.both_until), size="1"),
        ),
        rx.link("Log", size="1", href="#log", on_click=Webhooks.open_log(one.id).prevent_default),
        column_gap=theme.S3,
        wrap="wrap",
        align="center",
        margin_top=theme.S3,
    )


def _menu(one: EndpointLine) -> rx.Component:
    item = rx.dropdown_menu.item
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.icon_button(
                rx.icon("ellipsis", size=18),
                variant="ghost",
                color_scheme="gray",
                margin="0",
                aria_label="More about " + one.url,
            )
        ),
        rx.dropdown_menu.content(
            item("Edit", on_select=Webhooks.edit(one.id)),
            item("Log", on_select=Webhooks.open_log(one.id)),
            rx.cond(
                one.status == "active",
                rx.fragment(
                    item("Send a test", on_select=Webhooks.send_test(one.id)),
                    item("Pause", on_select=Webhooks.switch(one.id, False)),
                ),
                item("Switch on", on_select=Webhooks.switch(one.id, True)),
            ),
            item("New secret", on_select=Webhooks.ask_to_rotate(one.id)),
            item("Delete", color="red", on_select=Webhooks.ask_to_delete(one.id)),
        ),
    )


def _edit_dialog() -> rx.Component:
    editing, errors = Webhooks.editing, Webhooks.errors
    return kit.dialog(
        rx.cond(editing.id != "", "Edit the endpoint", "New endpoint"),
        rx.form(
            rx.flex(
                kit.field(
                    "Address",
                    "url",
                    error=errors["url"],
                    default_value=editing.url,
                    key=editing.id,
                    required=True,
                    max_length=2000,
                    placeholder="https://example.com/aerostic",
                ),
                kit.field(
                    "Description",
                    "description",
                    error=errors["description"],
                    default_value=editing.description,
                    key=editing.id,
                    max_length=200,
                    placeholder="Our shop",
                ),
                rx.el.fieldset(
                    rx.el.legend(rx.text("Tell it of", size="2", weight="medium")),
                    rx.flex(
                        rx.foreach(Webhooks.choices, _event),
                        direction="column",
                        gap=theme.S3,
                        margin_top=theme.S2,
                    ),
                    border="0",
                    padding="0",
                    margin="0",
                ),
                rx.cond(
                    errors["events"],
                    rx.text(errors["events"], size="1", color="var(--red-11)"),
                ),
                kit.refusal(Webhooks.problem),
                direction="column",
                gap=theme.S4,
            ),
            save_or_cancel(Webhooks),
            on_submit=Webhooks.save,
            reset_on_submit=False,
        ),
        is_open=Webhooks.is_editing,
        on_close=Webhooks.close,
        note="It must be reachable from the internet.",
        width="560px",
    )


def _event(choice: EventChoice) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=rx.Var.create(EVENT_PREFIX) + choice.name,
            default_checked=Webhooks.editing.events.contains(choice.name),
            key=Webhooks.editing.id + choice.name,
            margin_top="3px",
            accent_color=theme.ACCENT_SOLID,
        ),
        rx.box(kit.text(choice.title), kit.muted(choice.when, size="1")),
        display="flex",
        gap=theme.S3,
        align_items="start",
        cursor="pointer",
    )


def _secret_dialog() -> rx.Component:
    return kit.dialog(
        "The endpoint's secret",
        rx.flex(
            rx.box(kit.code(Webhooks.secret), id="webhook-secret"),
            kit.note(
                "Copy it now: it is not shown again. The other side checks the signature with it.",
                tone=theme.WARN,
                icon="key-round",
            ),
            direction="column",
            gap=theme.S4,
        ),
        kit.dialog_actions(
            kit.button(
                "Copy",
                icon="copy",
                variant="soft",
                on_click=[
                    rx.set_clipboard(Webhooks.secret),
                    rx.toast.success("The secret is in the clipboard."),
                ],
            ),
            kit.button("Done", on_click=Webhooks.close),
        ),
        is_open=Webhooks.secret != "",
        on_close=Webhooks.close,
    )


def _log_dialog() -> rx.Component:
    return kit.dialog(
        "What was told",
        kit.table(
            ["Event", "When", "How it went", ""],
            Webhooks.log,
            _log_row,
            when_empty=kit.empty(
                "scroll-text", "Nothing yet", "Send a test, or wait until something happens."
            ),
            has_more=Webhooks.has_more,
            on_more=Webhooks.show_more,
            too_many="There is more:",
        ),
        kit.dialog_actions(
            kit.button("Close", variant="soft", color_scheme="gray", on_click=Webhooks.close)
        ),
        note=Webhooks.logged.url,
        is_open=Webhooks.logged.id != "",
        on_close=Webhooks.close,
        width="820px",
    )


def _log_row(one: SentLine) -> list[rx.Component]:
    return [
        rx.box(
            kit.text(one.title, white_space="nowrap"),
            rx.cond(one.is_replay, kit.muted("sent again", size="1")),
        ),
        rx.box(kit.when(one.at), white_space="nowrap"),
        rx.box(
            kit.badge(one.status_words, SENT_COLOURS[one.status]),
            kit.muted(one.answer, size="1", margin_top="3px"),
        ),
        rx.flex(
            kit.button(
                "Look", variant="ghost", size="1", margin="0", on_click=Webhooks.open_entry(one.id)
            ),
            _again(one),
            gap=theme.S3,
            justify="end",
        ),
    ]


def _again(one: Any, *, size: str = "1") -> rx.Component:
    return kit.button(
        rx.cond(one.status == "pending", "Try now", "Send again"),
        variant="soft",
        size=size,
        on_click=Webhooks.send_again(one.id),
    )


def _entry_dialog() -> rx.Component:
    return kit.dialog(
        Webhooks.entry.title,
        rx.flex(
            rx.el.pre(Webhooks.body, tab_index=0, aria_label="What was sent", style=QUIET_BOX),
            rx.foreach(Webhooks.tries, _try),
            direction="column",
            gap=theme.S4,
        ),
        kit.dialog_actions(
            kit.button("Close", variant="soft", color_scheme="gray", on_click=Webhooks.close_entry),
            _again(Webhooks.entry, size="2"),
        ),
        note=Webhooks.entry.event,
        is_open=Webhooks.entry.id != "",
        on_close=Webhooks.close_entry,
        width="680px",
    )


def _try(one: TryLine) -> rx.Component:
    return rx.box(
        rx.flex(
            kit.text(one.words, weight="medium"),
            kit.muted(kit.at(one.at, "D MMM, HH:mm:ss"), size="1"),
            kit.muted(one.milliseconds.to_string(), " ms", size="1"),
            gap=theme.S3,
            align="center",
            wrap="wrap",
            margin_bottom=theme.S2,
        ),
        rx.el.pre(one.headers, tab_index=0, aria_label="Headers of the request", style=QUIET_BOX),
        rx.cond(
            one.answer != "",
            rx.el.pre(
                one.answer,
                tab_index=0,
                aria_label="What came back",
                style={**QUIET_BOX, "margin_top": theme.S2},
            ),
        ),
    )
