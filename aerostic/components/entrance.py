"""The frame of the pages before one is signed in: the form on one side, what it is for on the other."""

from typing import Any

import reflex as rx

from aerostic.components import kit, theme
from aerostic.components.shell import wordmark


def entrance(title: Any, note: Any, *children: Any) -> rx.Component:
    """One small form, centred; on wide screens with a glimpse of the inbox beside it."""
    return rx.flex(
        rx.el.main(
            rx.flex(
                rx.el.a(wordmark(), href="/", class_name="plain", aria_label="Aerostic, home"),
                rx.flex(
                    rx.heading(title, as_="h1", size="7", weight="bold"),
                    kit.muted(note, size="3", margin_top=theme.S2),
                    rx.box(*children, margin_top=theme.S6, width="100%"),
                    direction="column",
                    width="100%",
                    margin_y="auto",
                    padding_y=theme.S7,
                ),
                direction="column",
                width="100%",
                max_width="400px",
                min_height="100%",
                margin_x="auto",
            ),
            flex="1",
            min_width="0",
            padding=[theme.S5, theme.S5, theme.S7],
            overflow_y="auto",
        ),
        rx.flex(
            glimpse(),
            display=theme.ONLY_WIDE,
            width="46%",
            flex_shrink="0",
            align="center",
            justify="center",
            background="linear-gradient(150deg, #0c3b2e, #0a5a44 55%, #107c5d)",
            padding=theme.S7,
            aria_hidden="true",
        ),
        height="100dvh",
        width="100%",
        background=theme.PAGE,
    )


def form(*children: Any, on_submit: Any, problem: Any, submit: str, is_busy: Any) -> rx.Component:
    """Fields, the refusal that concerns no one field, and the one button."""
    return rx.form(
        rx.flex(
            *children,
            rx.box(
                kit.refusal(problem),
                aria_live="polite",
                width="100%",
            ),
            kit.button(
                submit,
                type="submit",
                size="3",
                width="100%",
                loading=is_busy,
                # Before the page listens, a browser would put the fields into the address.
                disabled=~rx.State.is_hydrated,
            ),
            direction="column",
            gap=theme.S4,
        ),
        on_submit=on_submit,
        reset_on_submit=False,
        method="post",
    )


def code_field(error: Any, **props: Any) -> rx.Component:
    """The six digits of an e-mail."""
    return kit.field(
        "Code",
        "code",
        error=error,
        auto_complete="one-time-code",
        input_mode="numeric",
        max_length=12,
        placeholder="123456",
        required=True,
        auto_focus=True,
        **props,
    )


def aside(*children: Any) -> rx.Component:
    """A line below the form: the other way."""
    return rx.text(*children, size="2", color=theme.MUTED, margin_top=theme.S5, align="center")


def link(label: str, href: str) -> rx.Component:
    return rx.link(label, href=href, weight="medium", underline="always", color=theme.ACCENT_INK)


# A picture made of type: what the product does, said by example.


def glimpse() -> rx.Component:
    """A conversation as the inbox shows it."""
    return rx.flex(
        _bubble("Hi! Do you have a table for four tonight?", mine=False, time="18:02"),
        _bubble("We do, at 19:30 by the window. Shall I book it?", mine=True, time="18:03"),
        _bubble("Perfect, thank you 🙌", mine=False, time="18:03"),
        rx.flex(
            rx.icon("user-round-check", size=14),
            rx.text("Assigned to Maya", size="1"),
            align="center",
            gap="6px",
            color="rgba(255,255,255,.85)",
            justify="center",
        ),
        _bubble("Booked for four. See you at 19:30!", mine=True, time="18:04"),
        direction="column",
        gap="12px",
        width="100%",
        max_width="420px",
    )


def _bubble(words: str, *, mine: bool, time: str) -> rx.Component:
    ticks = [rx.icon("check-check", size=14, color="#0b6bcb")] if mine else []
    return rx.box(
        rx.text(words, size="3", color="#10231c"),
        rx.flex(
            rx.text(time, size="1", color="#4a5f57"),
            *ticks,
            gap="4px",
            justify="end",
            align="center",
        ),
        background="#d8f5e3" if mine else "#ffffff",
        padding="10px 14px 6px",
        border_radius="16px 16px 4px 16px" if mine else "16px 16px 16px 4px",
        align_self="end" if mine else "start",
        max_width="80%",
        box_shadow="0 6px 24px rgba(0,0,0,.14)",
    )
