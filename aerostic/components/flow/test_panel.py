"""Beside the canvas: try the draft, and be the customer."""

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.flow.runs import outcome, step_line
from aerostic.components.flow.tabs import tabs
from aerostic.components.phone import phone
from aerostic.state.runs import Choice, Runs
from aerostic.state.session import SignedIn


def test_panel() -> rx.Component:
    return rx.el.aside(
        rx.flex(
            rx.cond(
                SignedIn.has_simulator,
                tabs("Try it", (("test", "Test"), ("phone", "Phone")), Runs.panel, Runs.show_panel),
                rx.heading("Test", as_="h3", size="3"),
            ),
            rx.spacer(),
            kit.icon_button("x", "Close the test", size="1", on_click=Runs.end_testing),
            align="center",
            padding=f"6px {theme.S3}",
            min_height="48px",
            border_bottom=f"1px solid {theme.LINE}",
            flex_shrink="0",
        ),
        rx.cond(Runs.panel == "phone", _phone(), _test()),
        aria_label="Test",
        width="348px",
        flex_shrink="0",
        display="flex",
        flex_direction="column",
        min_height="0",
        border_left=f"1px solid {theme.LINE}",
        background=theme.SURFACE,
    )


def _phone() -> rx.Component:
    return rx.box(
        kit.muted(
            "The phone talks to what is published and switched on.",
            size="1",
            padding=f"{theme.S2} {theme.S3}",
        ),
        rx.box(phone(compact=True), flex="1", min_height="0"),
        display="flex",
        flex_direction="column",
        flex="1",
        min_height="0",
    )


def _test() -> rx.Component:
    return rx.box(
        rx.flex(
            _begin(),
            _given(),
            _mode(),
            kit.refusal(Runs.test_problem),
            rx.cond(
                Runs.tried_head.is_living,
                kit.button(
                    "Stop this run",
                    icon="circle-stop",
                    variant="soft",
                    color_scheme="red",
                    on_click=Runs.stop_trying,
                ),
                kit.button(
                    "Run the draft", icon="play", on_click=Runs.try_out, disabled=Runs.begin == ""
                ),
            ),
            rx.cond(Runs.tried_head.status != "", _result()),
            direction="column",
            gap=theme.S4,
        ),
        padding=theme.S4,
        overflow_y="auto",
        flex="1",
        min_height="0",
        class_name="scroll-quietly",
        tab_index=0,
        role="region",
        aria_label="The test",
    )


def _begin() -> rx.Component:
    return rx.cond(
        Runs.begins.length() > 0,
        kit.field(
            "Begin with",
            "begin",
            control=rx.select.root(
                rx.select.trigger(id="field-begin", width="100%"),
                rx.select.content(rx.foreach(Runs.begins, _choice), position="popper"),
                value=Runs.begin,
                on_change=Runs.choose_begin,
                size="2",
            ),
        ),
        kit.note("Add a trigger first: it says what begins a run.", tone=theme.WARN),
    )


def _choice(one: Choice) -> rx.Component:
    return rx.select.item(one.words, value=one.value)


def _given() -> rx.Component:
    return rx.box(
        rx.el.label(
            rx.text("With this data", size="2", weight="medium", as_="span"),
            html_for="field-written",
        ),
        rx.debounce_input(
            rx.el.textarea(
                id="field-written",
                value=Runs.written,
                on_change=Runs.write,
                rows=8,
                spell_check=False,
                class_name="fl-input is-code",
                style={"marginTop": "6px", "width": "100%", "maxHeight": "190px"},
            ),
            debounce_timeout=300,
        ),
        kit.muted(
            rx.cond(
                Runs.source == "event",
                rx.fragment("What really came last, ", kit.when(Runs.last_event), "."),
                "An example. Change it as you like.",
            ),
            size="1",
            margin_top="5px",
        ),
        width="100%",
    )


def _mode() -> rx.Component:
    return rx.box(
        rx.text("What it may do", size="2", weight="medium", id="test-mode"),
        rx.radio_group.root(
            rx.flex(
                _mode_choice(
                    "recorded",
                    "Record only",
                    "Nothing is sent, changed or called: it is written down.",
                ),
                _mode_choice(
                    "live", "For real", "Messages leave, contacts change, addresses are called."
                ),
                direction="column",
                gap=theme.S2,
            ),
            value=Runs.mode,
            on_change=Runs.choose_mode,
            aria_labelledby="test-mode",
            margin_top="6px",
        ),
    )


def _mode_choice(value: str, words: str, consequence: str) -> rx.Component:
    return rx.el.label(
        rx.radio_group.item(value=value, margin_top="2px", aria_label=words),
        rx.box(kit.text(words, weight="medium"), kit.muted(consequence, size="1")),
        display="flex",
        gap=theme.S2,
        cursor="pointer",
    )


def _result() -> rx.Component:
    return rx.box(
        outcome(Runs.tried_head),
        rx.el.ol(
            rx.foreach(Runs.tried_steps, step_line),
            list_style="none",
            padding="0",
            margin=f"{theme.S3} 0 0",
            aria_label="Steps of the test",
        ),
        role="status",
        padding_top=theme.S3,
        border_top=f"1px solid {theme.LINE}",
    )
